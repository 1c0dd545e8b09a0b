"""A message gives nobody away: its outside is neutral; where others may read it, so is its inside."""

from __future__ import annotations

import re
from email.utils import parseaddr
from pathlib import Path

import allauth
import pytest
from django.core import mail
from django.core.checks import run_checks
from django.template.loader import render_to_string
from pypdf import PdfReader

import coproduce
from coproduce.changes.actions import record_change, tie
from coproduce.hearback import actions
from coproduce.hearback.channels import Message, email, letter
from coproduce.hearback.forms import UpdateForm
from coproduce.hearback.models import Update
from coproduce.people.actions import add_way, share_way
from coproduce.people.models import Way
from coproduce.people.sensitive import sensitive_words
from coproduce.site import demo
from coproduce.voices.actions import write_down
from tests.conftest import make_person

SOURCE = Path(coproduce.__file__).parent
WORDS = "Heroin took my flat and then the hostel did"
TITLE, TEXT = "They said yes", "The drug service stays open on Sundays."


@pytest.mark.parametrize(
    "title",
    [
        "News about the hostel",
        "HOMELESSNESS",
        "Your recovery group",
        "Alcohol-free",
        "Mental-health news",
        "Changes to universal credit",
        "The pods",
        "Housing first",
        "Rough sleepers count",
        "From your probation officer",
        "A refuge",
        "They stopped the abuse",
        "A new drop-in service",
        "Leaving prison",
    ],
)
def test_a_title_that_gives_somebody_away_is_refused_and_the_word_is_said(title, db):
    form = UpdateForm(Update(), {"title": title, "text": TEXT})
    assert not form.is_valid()
    [word, *_more] = sensitive_words(title)
    assert word in form.errors["title"][0]
    assert "could give somebody away" in form.errors["title"][0]
    assert form.data["title"] == title


@pytest.mark.parametrize(
    "title", ["They said yes", "The council's new page", "It has started", "A house of cards"]
)
def test_a_neutral_title_is_taken(title, db):
    assert UpdateForm(Update(), {"title": title, "text": TEXT}).is_valid()


def test_the_titles_of_the_demo_town_are_neutral():
    for told in demo._told()["update"]:
        assert not sensitive_words(told["title"]), told["title"]


def subjects() -> list[str]:
    """Every template that becomes a subject: ours, and those of the sign-in library that ours don't cover."""
    ours = {str(file.relative_to(file.parents[2])) for file in SOURCE.rglob("templates/*/*/*subject*.txt")}
    theirs = Path(allauth.__file__).parent.rglob("templates/*/email/*_subject.txt")
    used = {"account", *({"mfa"} if (SOURCE / "site/templates/mfa").exists() else set())}
    return sorted(
        ours | {str(file.relative_to(file.parents[2])) for file in theirs if file.parents[1].name in used}
    )


@pytest.mark.parametrize("name", subjects())
def test_every_subject_is_neutral(name):
    subject = render_to_string(name, {"site_name": "Coproduce", "current_site": {"name": "Coproduce"}})
    assert subject.strip()
    assert not sensitive_words(subject)


def test_there_are_subjects_to_look_at():
    assert "account/email/login_code_subject.txt" in subjects()


@pytest.mark.parametrize(
    "setting", ["Eastmoor Recovery <hello@example.org>", "Us <team@homeless-voices.example>"]
)
def test_a_sender_that_gives_somebody_away_is_warned_about(setting, settings):
    settings.DEFAULT_FROM_EMAIL = setting
    assert [found.id for found in run_checks() if found.id == "hearback.W001"]


def test_the_sender_as_it_comes_is_neutral():
    assert not [found for found in run_checks() if found.id == "hearback.W001"]


pytestmark = pytest.mark.django_db


@pytest.fixture
def told(amina, town):
    """A function: somebody who likes one way best is owed an update about what they said."""

    def tell(way: str, address: str, others_may_read: bool = False):
        sami = make_person("Sami", town)
        add_way(amina, sami, way, address, others_may_read=others_may_read)
        change = record_change(amina, town, "The drug service", "Sundays too.", "service")
        tie(amina, change, voices=[write_down(amina, town, WORDS, "note", sami)])
        return actions.write_update(amina, change, TITLE, TEXT).feedback.get()

    return tell


def outside_of(message) -> str:
    headers = message.message()
    return " ".join(
        f"{name} {value}" for name, value in headers.items() if name not in ("To", "Date", "Content-Type")
    )


@pytest.mark.parametrize("shared", [False, True], ids=["their own", "others may read"])
def test_subject_sender_and_headers_say_nothing(told, shared, work_the_queue, settings):
    told(Way.Kind.EMAIL, "sami@example.org", shared)
    work_the_queue()
    [message] = mail.outbox
    outside = outside_of(message)
    assert not sensitive_words(outside), outside
    for secret in (TITLE, "Sami", "Eastmoor", "drug"):
        assert secret not in outside
    assert parseaddr(message.from_email)[0] == settings.SENDER_NAME
    assert "News for you" in message.subject


def test_where_others_may_read_the_message_only_says_that_there_is_news(told, work_the_queue):
    told(Way.Kind.EMAIL, "shared@example.org", True)
    work_the_queue()
    [message] = mail.outbox
    for body in (message.body, message.alternatives[0].content):
        assert "There is news for you." in body
        assert "Sign in" in body
        assert not sensitive_words(re.sub(r"<style.*?</style>|style=\"[^\"]*\"", "", body, flags=re.S))
        for secret in (WORDS, TITLE, TEXT, "Eastmoor", "/reply/"):
            assert secret not in body


def test_who_does_not_sign_in_is_told_to_ask(told, work_the_queue):
    feedback = told(Way.Kind.EMAIL, "shared@example.org", True)
    feedback.person.account.delete()
    message = email.write(Message(feedback, feedback.person.ways.get(), "feedback-1.1"))
    assert "Sign in" not in message.body
    assert "ask us to tell you" in message.body


@pytest.mark.parametrize("shared", [False, True], ids=["their own", "others may read"])
def test_nothing_but_name_and_address_stands_where_an_envelope_shows_it(told, shared, tmp_path):
    feedback = told(Way.Kind.LETTER, "1 Long Road\nEastmoor", shared)
    written = letter.letter(feedback)
    pdf = tmp_path / "letter.pdf"
    pdf.write_bytes(letter.on_paper([written], "Eastmoor"))
    [page, *_more] = PdfReader(pdf).pages
    above: list[str] = []

    def see(text: str, page_matrix: list[float], text_matrix: list[float], *_font: object) -> None:
        height = (
            page_matrix[5] + page_matrix[3] * text_matrix[5]
        )  # points from the foot of the page, 842 high
        if height > 842 * (1 - 85 / 297):  # what a DL window shows ends within 85 mm
            above.append(text)

    page.extract_text(visitor_text=see)
    window = " ".join(" ".join(above).split())
    assert window == "Sami 1 Long Road Eastmoor"
    text = page.extract_text()
    assert (WORDS.split()[0] in text) is not shared
    assert (TITLE in text) is not shared
    if shared:
        assert "There is news for you." in text
        assert not sensitive_words(text)


def test_the_list_of_calls_warns_where_others_may_hear(told, amina, signed_in):
    told(Way.Kind.PHONE, "01632 960123", True)
    page = signed_in(amina).get("/who-has-heard/to-tell/phone/").content.decode()
    assert "Others may hear this" in page


def test_people_say_themselves_who_may_read_a_way(lee, amina, signed_in):
    way = lee.ways.get()
    browser = signed_in(lee)
    browser.post(f"/people/{lee.pk}/ways/{way.pk}/share/", {"shared": ""})
    assert lee.ways.get().others_may_read
    assert "Others may read this" in browser.get(f"/people/{lee.pk}/").content.decode()
    share_way(amina, way, False)
    assert not lee.ways.get().others_may_read
    browser.post(
        f"/people/{lee.pk}/ways/add/",
        {"kind": "email", "address": "lee@example.org", "others_may_read": "on"},
    )
    assert lee.ways.get().others_may_read
