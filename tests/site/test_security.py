"""What goes on every answer, how an installation is set up, and files that are not what they say."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from whitenoise.middleware import WhiteNoiseMiddleware

import coproduce
from coproduce.site import headers
from coproduce.voices import actions
from coproduce.voices.models import Story, Use, Voice

pytestmark = pytest.mark.django_db
SOURCE = Path(coproduce.__file__).parents[1]
TEMPLATES = [
    *SOURCE.glob("coproduce/**/templates/**/*.html"),
    *SOURCE.glob("coproduce/**/templates/**/*.svg"),
]


# On every answer


def is_guarded(answer) -> None:
    policy = dict(
        part.strip().partition(" ")[::2] for part in answer.headers["Content-Security-Policy"].split(";")
    )
    assert (
        policy["default-src"] == "'none'"
        and policy["object-src"] == "'none'"
        and policy["base-uri"] == "'none'"
    )
    assert policy["frame-ancestors"] == "'none'" and policy["form-action"] == "'self'"
    for directive in ("script-src", "style-src"):
        sources = policy[directive].split()
        assert "'self'" in sources
        assert all(source == "'self'" or source.startswith("'nonce-") for source in sources), policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert (
        "camera=()" in answer.headers["Permissions-Policy"]
        and "geolocation=()" in answer.headers["Permissions-Policy"]
    )
    assert "Server" not in answer.headers and "X-Powered-By" not in answer.headers


def test_pages_redirects_and_errors_are_guarded(client, amina, signed_in, monkeypatch, town):
    client.raise_request_exception = False
    answers = {
        "page": client.get("/"),
        "redirect": client.get("/people/"),
        "404": client.get("/nothing/here/"),
        "405": client.put("/have-your-say/sum/"),
        "signed in": signed_in(amina).get("/people/"),
        "a sum": client.get("/have-your-say/sum/"),
        "bad host": client.get("/", headers={"host": "evil.example"}),
        "forged": Client(enforce_csrf_checks=True).post("/have-your-say/", {"words": "x"}),
        "too large": client.post(
            "/have-your-say/", b"x", content_type="text/plain", CONTENT_LENGTH=str(10**9)
        ),
    }
    monkeypatch.setattr("coproduce.site.home.render", lambda *args, **kwargs: 1 / 0)
    answers["500"] = client.get("/how-this-works/")
    codes = {name: answer.status_code for name, answer in answers.items()}
    assert codes | {"page": 200} == {
        "page": 200,
        "redirect": 302,
        "404": 404,
        "405": 405,
        "signed in": 200,
        "a sum": 200,
        "bad host": 400,
        "forged": 403,
        "too large": 413,
        "500": 500,
    }
    for answer in answers.values():
        is_guarded(answer)


def test_static_files_are_guarded(client, settings, tmp_path, monkeypatch):
    (tmp_path / "x.js").write_text("1")
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"}
    }
    answer = client.get("/static/x.js")
    assert answer.status_code == 200 and WhiteNoiseMiddleware.__name__ in str(django_settings.MIDDLEWARE)
    is_guarded(answer)


def test_with_https_everything_is_led_there_and_says_so(client, settings):
    settings.SECURE_SSL_REDIRECT, settings.SECURE_HSTS_SECONDS = True, 31_536_000
    answer = client.get("/")
    assert answer.status_code == 301 and answer.headers["Location"].startswith("https://")
    is_guarded(answer)
    assert "max-age=31536000" in client.get("/", secure=True).headers["Strict-Transport-Security"]


def test_a_shared_computer_keeps_no_page_of_anybodys(client, amina, signed_in):
    hers = signed_in(amina)
    for path in ("/", "/people/", "/voices/", f"/people/{amina.pk}/", "/nothing/"):
        assert "no-store" in hers.get(path).headers["Cache-Control"], path
    for path in ("/account/login/code/", "/account/login/code/confirm/"):
        assert "no-store" in client.get(path).headers["Cache-Control"], path


def test_an_error_tells_nothing_of_how_it_is_made(client, monkeypatch):
    client.raise_request_exception = False
    monkeypatch.setattr("coproduce.site.home.render", lambda *args, **kwargs: 1 / 0)
    page = client.get("/how-this-works/").content.decode()
    assert "ZeroDivisionError" not in page and "Traceback" not in page and "Django" not in page


def test_no_page_brings_a_script_a_style_or_a_handler_of_its_own():
    """Data for a script is not a script; what has a nonce has been thought about."""
    for template in TEMPLATES:
        text = template.read_text(encoding="utf-8")
        for tag in re.findall(r"<script\b[^>]*>", text):
            assert "src=" in tag or 'type="application/json"' in tag or "nonce=" in tag, f"{template}: {tag}"
        # What leaves as an email or as a file to keep is no page of ours, and brings its look with it.
        taken_away = "email" in str(template) or template.name.endswith("_file.html")
        assert taken_away or not re.search(r"<style(?![^>]*nonce)", text), template
        assert not re.search(r"\son(click|load|error|submit|change|input|focus)\s*=", text), template
        assert "javascript:" not in text, template
        assert not re.search(r"""(src|href)=["'](https?:)?//""", text), f"{template}: from elsewhere"


def test_what_is_marked_safe_is_written_by_us():
    """`|safe` and autoescape off stand only where no words of anybody's can come."""
    # Help texts of our own forms; and the square that leads a phone to the wall, which we draw.
    allowed = {"field.html", "date_boxes.html", "screen.html"}
    for template in TEMPLATES:
        text = template.read_text(encoding="utf-8")
        unsafe = re.search(r"\|\s*safe\b|\|\s*safeseq|autoescape off", text)
        assert not unsafe or template.name in allowed or "email" in str(template), template


# How an installation is set up


def manage(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    theirs = ("COPRODUCE_", "DJANGO_", "DATABASE_URL", "EMAIL_", "SECRET_KEY")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(theirs)}
    return subprocess.run(
        [sys.executable, "-m", "coproduce.cli", "manage", *arguments],
        env=clean | {"PYTHONPATH": str(SOURCE)} | env,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_set_up_as_documented_there_is_not_one_warning(tmp_path):
    checked = manage(
        "check", "--deploy", COPRODUCE_VAR=str(tmp_path), COPRODUCE_ADDRESS="https://coproduce.example.org"
    )
    # The silenced one asks for HSTS preloading, which is for the owner of the whole domain to say.
    assert "no issues (1 silenced)" in checked.stdout + checked.stderr
    assert checked.returncode == 0


def test_cookies_are_for_this_address_and_https_alone(tmp_path):
    said = manage(
        "shell",
        "-c",
        "from django.conf import settings as s; print(s.SESSION_COOKIE_SECURE, s.SESSION_COOKIE_HTTPONLY, "
        "s.SESSION_COOKIE_SAMESITE, s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_SECURE, s.CSRF_COOKIE_HTTPONLY, "
        "s.CSRF_COOKIE_SAMESITE, s.CSRF_COOKIE_NAME, s.SECOND_FACTOR_FOR_STAFF, s.DEBUG, "
        "s.ALLAUTH_TRUSTED_PROXY_COUNT)",
        COPRODUCE_VAR=str(tmp_path),
        COPRODUCE_ADDRESS="https://coproduce.example.org",
    ).stdout.split("\n")
    assert "True True Lax __Host-sessionid True True Lax __Host-csrftoken True False 1" in said


def test_the_second_step_is_off_only_in_try_it_mode(tmp_path):
    ask = "from django.conf import settings as s; print('second step:', s.SECOND_FACTOR_FOR_STAFF)"
    assert (
        "second step: False"
        in manage("shell", "-c", ask, COPRODUCE_VAR=str(tmp_path), COPRODUCE_TRY_IT="1").stdout
    )
    assert "second step: True" in manage("shell", "-c", ask, COPRODUCE_VAR=str(tmp_path)).stdout


def test_what_is_kept_is_for_its_owner_alone(tmp_path):
    manage("check", COPRODUCE_VAR=str(tmp_path / "var"))
    assert (tmp_path / "var").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "var" / "secret-key").stat().st_mode & 0o777 == 0o600
    assert len((tmp_path / "var" / "secret-key").read_text()) >= 50


def test_cookies_say_so_on_the_wire(client, lee):
    client.post("/account/login/code/", {"email": "lee@example.org"})
    code = re.search(r"[A-Z]{4}-[A-Z]{4}", str(mail.outbox[0].body))
    assert code
    client.post("/account/login/code/confirm/", {"code": code.group()})
    client.get("/have-your-say/")
    for name in ("sessionid", "csrftoken"):
        cookie = client.cookies[name]
        assert (
            cookie["httponly"]
            and cookie["samesite"] == "Lax"
            and cookie["path"] == "/"
            and not cookie["domain"]
        )


def test_nothing_is_done_without_the_token(lee, amina):
    """Every address, asked by a page of somebody else's."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(amina.account, backend="django.contrib.auth.backends.ModelBackend")
    tried = 0
    for path in paths(get_resolver().url_patterns):
        answer = client.post(path, {"words": "x", "name": "x", "title": "x", "email": "x@example.org"})
        assert answer.status_code == (404 if path in WITH_A_KEY_OF_THEIR_OWN else 403), path
        tried += 1
    assert tried > 40


# A machine presses these, without a cookie: the link, or a bearer token, is the key. Without it they do not exist.
WITH_A_KEY_OF_THEIR_OWN = {
    "/stop/x/",
    "/receipts/notify/",
    "/receipts/text/",
    "/inbound/email/",
    "/inbound/text/",
}


def paths(patterns, before: str = "/") -> list[str]:
    found = []
    for pattern in patterns:
        route = before + re.sub(
            r"<int:\w+>", "1", re.sub(r"<(str|slug|path):\w+>", "x", str(pattern.pattern))
        )
        if isinstance(pattern, URLResolver):
            found += paths(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern):
            found.append(route)
    return found


def test_headers_of_a_proxy_are_believed_as_often_as_there_are_proxies(client, lee, settings):
    """Who writes X-Forwarded-For themselves is not somebody else each time."""
    from coproduce.people.limits import who_knocks

    def knock(forwarded: str):
        return who_knocks(client.get("/", headers={"x-forwarded-for": forwarded}).wsgi_request)

    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert knock("6.6.6.6, 203.0.113.1") == knock("7.7.7.7, 203.0.113.1") != knock("203.0.113.2")
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 0
    assert knock("6.6.6.6") == knock("7.7.7.7")
    assert "203.0.113.1" not in knock("203.0.113.1")


# Files that are not what they say


def word_file(document: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as pack:
        pack.writestr("[Content_Types].xml", "<Types/>")
        pack.writestr("word/document.xml", document)
    return made.getvalue()


HTML = b"<html><script>alert(document.cookie)</script>Lee: I had eleven workers\n</html>"
LIKE_HTML = b"Lee: I had eleven workers <script>alert(document.cookie)</script>\nMo: So did I.\n"
NOT_STORIES = {
    "a picture called text": ("story.txt", b"\x89PNG\r\n\x1a\n" + bytes(500)),
    "a program called text": ("story.txt", b"\x7fELF" + bytes(500)),
    "a PDF called subtitles": ("story.vtt", b"%PDF-1.7\n\x00\x01\x02" + bytes(300)),
    "a zip called Word": ("story.docx", word_file("")[:40]),
    "not Word inside": ("story.docx", b"PK\x03\x04" + bytes(200)),
    "a bomb": ("story.docx", word_file("<w>" + " " * 80_000_000 + "</w>")),
    "entities": (
        "story.docx",
        word_file('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'),
    ),
    "a page called text": ("story.txt", HTML),
    "nothing": ("story.txt", b""),
    "too much": ("story.txt", b"Lee: word\n" * 2_200_000),
}


@pytest.mark.parametrize("which", NOT_STORIES)
@pytest.mark.parametrize("claimed", ["text/plain", "application/octet-stream", "text/html"])
def test_what_is_not_a_story_is_refused_whatever_it_says_it_is(which, claimed, amina, signed_in):
    name, data = NOT_STORIES[which]
    file = SimpleUploadedFile(name, data, content_type=claimed)
    said = {"title": "T", "gathered_on": "2026-01-05", "file": file, "text": ""}
    answer = signed_in(amina).post("/stories/add/", said)
    assert answer.status_code == 200 and "There is a problem" in answer.content.decode()
    assert not Story.objects.exists()
    assert (
        not any(Path(django_settings.MEDIA_ROOT).rglob("*")) or not Path(django_settings.MEDIA_ROOT).exists()
    )


@pytest.mark.parametrize(
    "name", ["story.txt", "story.html.txt", "../../evil.txt", 'a"; x=".txt', "a\r\nX-Evil: 1.txt"]
)
def test_a_page_sent_as_a_story_is_only_ever_handed_over(name, amina, lee, town, signed_in, client):
    """It may be words. So it is kept, and never shown as a page, whatever it is called."""
    file = SimpleUploadedFile(name, LIKE_HTML, content_type="text/html")
    said = {"title": "T", "gathered_on": "2026-01-05", "file": file, "text": ""}
    answer = signed_in(amina).post("/stories/add/", said)
    story = Story.objects.get()
    assert answer.status_code == 302
    assert re.fullmatch(r"stories/[0-9a-f]{32}", story.file.name), (
        "the name it was given is not the name of the file"
    )
    handed = signed_in(amina).get(f"/stories/{story.pk}/file/")
    assert b"".join(handed.streaming_content) == LIKE_HTML
    assert handed.headers["Content-Type"] == "application/octet-stream"
    assert handed.headers["Content-Disposition"].startswith("attachment;")
    assert "X-Evil" not in handed.headers and "\n" not in handed.headers["Content-Disposition"]
    assert "no-store" in handed.headers["Cache-Control"]
    is_guarded(handed)
    page = signed_in(amina).get(f"/stories/{story.pk}/?step=trim").content.decode()
    assert "<script>alert" not in page
    for somebody in (signed_in(lee), client):
        assert somebody.get(f"/stories/{story.pk}/file/").status_code in (302, 404)
        assert somebody.get(f"/{story.file.name}").status_code == 404
        assert somebody.get(f"/files/{story.file.name}").status_code == 404


def test_too_large_is_refused_before_it_is_read(client, settings):
    class Body(io.BytesIO):
        def read(self, *args):
            raise AssertionError("it was read")

    answer = client.generic("POST", "/have-your-say/", b"", CONTENT_LENGTH=str(settings.LARGEST_REQUEST + 1))
    assert answer.status_code == 413
    assert client.generic("POST", "/stories/add/", b"", CONTENT_LENGTH="not a number").status_code != 500
    assert headers.PERMISSIONS


# Words that try to be more than words

PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "{{ 7*7 }}{% debug %}",
    "javascript:alert(1)",
    "=cmd|' /C calc'!A0",
    "</textarea><svg/onload=alert(1)>",
    "\u202eevil\u2066",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_words_stay_words_on_every_page(payload, amina, town, signed_in, client):
    client.post(
        "/have-your-say/",
        {"words": payload, "name": payload[:100], "way": payload[:100], "public": "on", "group": "on"},
    )
    if "@" in payload:
        return
    from coproduce.voices.models import Incoming

    came = Incoming.objects.get()
    hers = signed_in(amina)
    pages = [
        hers.get(path).content.decode()
        for path in ("/have-your-say/queue/", f"/have-your-say/queue/{came.pk}/")
    ]
    voice = actions.take_in(amina, came)
    assert voice.words == payload.strip() and Use.PUBLIC in [consent.use for consent in voice.consents.all()]
    assert Voice.objects.get().words == payload
    pages += [hers.get(path).content.decode() for path in ("/voices/", f"/voices/{voice.pk}/", "/people/")]
    pages += [client.get(path).content.decode() for path in ("/voices/", f"/voices/{voice.pk}/")]
    for page in pages:
        for tag in ("<script>alert", "<img src=x", "<svg/onload", "49{"):
            assert tag not in page
