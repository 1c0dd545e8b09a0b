"""The look, to look at: every component with made-up words, pictures of it in a real browser, and what axe finds.

    PYTHONPATH=src python frontend/look.py            writes frontend/.look/*.html and *.png, prints what axe and the CSP say
    PYTHONPATH=src python frontend/look.py change day only those pages

Not shipped. It needs no database and none of the rooms.
"""

# ruff: noqa: E501 (words of a page are as long as they are)
import os
import sys
import threading
from datetime import date, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import django
from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

HERE = Path(__file__).parent
SRC = HERE.parent / "src" / "coproduce"
OUT = HERE / ".look"

settings.configure(
    SECRET_KEY="look",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.staticfiles",
        "django.forms",
        "allauth",
        "allauth.account",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [SRC / "site" / "templates", SRC / "changes" / "templates", OUT / "templates"],
            "APP_DIRS": True,
            "OPTIONS": {"builtins": ["coproduce.people.templatetags.plain"]},
        }
    ],
    MIDDLEWARE=["allauth.account.middleware.AccountMiddleware"],
    FORM_RENDERER="coproduce.site.forms.Renderer",
    STATIC_URL="/static/",
    ROOT_URLCONF="look_urls",
    LANGUAGE_CODE="en-gb",
    TIME_ZONE="Europe/London",
    USE_TZ=True,
)
sys.modules["look_urls"] = type(sys)("look_urls")
sys.modules["look_urls"].urlpatterns = []
django.setup()

from coproduce.changes.picture import (  # noqa: E402
    ChangeNode,
    Heard,
    More,
    ThemeNode,
    TopicNode,
    VoiceNode,
    lay_out,
)
from coproduce.site.forms import DateField  # noqa: E402

NAV = [
    {"label": word, "url": f"/{word}", "current": word == "Today"}
    for word in ("Today", "Agenda", "Stories", "Changes", "Who has heard")
]


class Amina:
    name = "Amina"


def include(name, /, **context):
    return mark_safe(render_to_string(f"components/{name}.html", context))


class SayForm(forms.Form):
    words = forms.CharField(
        label="What do you want to say?",
        widget=forms.Textarea,
        help_text="In your own words. You can stop at any time.",
    )
    name = forms.CharField(
        label="What do you like to be called?", required=False, help_text="Any name will do."
    )
    email = forms.EmailField(label="Your email address")
    how = forms.ChoiceField(
        label="How shall we tell you what happened?",
        choices=[
            ("email", "By email"),
            ("text", "By text message"),
            ("post", "By letter"),
            ("joan", "Through somebody I trust"),
        ],
        widget=forms.RadioSelect,
    )
    allow = forms.MultipleChoiceField(
        label="Who may see your words?",
        choices=[
            ("group", "The group only"),
            ("services", "Services, without my name"),
            ("public", "Anybody, with the name I chose"),
        ],
        widget=forms.CheckboxSelectMultiple,
        help_text="You can change this whenever you like.",
        required=False,
    )
    hub = forms.ChoiceField(
        label="Where?", choices=[("", "Choose one"), ("e", "Eastbrook"), ("m", "Millside")]
    )
    when = DateField(
        label="When was it?", help_text="About the right day is good enough. For example 14 March 2026"
    )
    file = forms.FileField(label="A recording or a letter", required=False)
    sure = forms.BooleanField(
        label="The words were read back and are right", help_text="Tick it when you have done so."
    )


def thread(voices=4, more=19, themes=1, topics=1):
    quotes = [
        "Just one person to ring",
        "I told it nine times over",
        "She stayed through it all",
        "Not another new face",
        "Every letter was from somebody else, and I had stopped opening them by then",
    ]
    first = ("theme", 0) if themes else ("topic", 0) if topics else ("change", 0)
    return lay_out(
        [
            VoiceNode(
                q,
                [("theme", i % themes) if themes else first]
                + ([("topic", topics - 1)] if topics > 1 and i == 1 else []),
            )
            for i, q in enumerate((quotes * 900)[:voices])
        ],
        More(more, 3) if more else None,
        [
            ThemeNode(n, v, [("topic", i % topics)] if topics else [("change", 0)])
            for i, (n, v) in enumerate(
                [
                    ("One person", 23),
                    ("Being believed the first time", 8),
                    ("Letters nobody can read", 3),
                    ("Somewhere to wait", 40),
                    ("Dogs", 4),
                    ("Keys", 2),
                ][:themes]
            )
        ],
        [
            TopicNode(t, 20, [("change", 0)])
            for t in ["Who stays?", "What the first letter says", "Where the pods go", "Dogs"][:topics]
        ],
        ChangeNode("Clause 4.2"),
        Heard(21, 23),
    )


BEFORE = [
    ("The provider shall allocate ", False),
    ("a support worker", True),
    (" to each service user.", False),
]
AFTER = [
    ("The provider shall ", False), ("let each person choose one worker they trust", True), (", who ", False),
    ("stays with them across issues", True), (", and shall agree any change ", False), ("with the person first", True),
    (". Paid for through the housing contract.", False),
]  # fmt: skip
HRS = include(
    "dfn",
    name="HRS",
    full="Housing-related support",
    means="Money the council pays so that people get help to keep a home.",
)


def page_change():
    return (
        "Support contracts now promise one person you can trust",
        "What changed",
        True,
        f"""
<h1>Support contracts now promise one person you can trust</h1>
<p class="facts">{include("tag", words="Made · 14 March", kind="done")} <span>Clause in a contract · checked again in September</span></p>
<p class="lead">From April, anyone getting housing support picks one worker who stays with them, whatever the problem is about.</p>
<h2>The thread</h2>
{render_to_string("changes/thread.svg.html", {"picture": thread()})}
<details><summary>See it as a list</summary><div><table><caption>The thread, step by step</caption><thead><tr><th scope="col">Step</th><th scope="col">What</th></tr></thead><tbody><tr><th scope="row">Voices</th><td>23, from 3 hubs</td></tr><tr><th scope="row">Theme</th><td>One person</td></tr></tbody></table></div></details>
<h2>The words that changed</h2>
{include("clause", before_parts=BEFORE, after_parts=AFTER)}
<p>{HRS} pays for it. This comes out of the same money.</p>
<h2>What people said</h2>
{include("bubble", words="I had eleven workers in two years. Then Joan. She wasn't even my housing worker, she was just the one who picked up the phone.", who="Lee", how="in his story", when="March last year", url="#", link="listen 0:41")}
{include("bubble", words="If I could tell one person and they tell the rest, I'd have turned up.", who="Somebody in Eastbrook", how="through a trusted person")}
""",
    )


def page_day():
    todo = partial(include, "todo")
    return (
        "Good morning, Amina",
        "",
        True,
        f"""
<h1>Good morning, Amina</h1>
<ul class="numbers"><li>{include("number", number=14, words="people are owed an answer. The longest has waited", strong="7 weeks")}</li>
<li>{include("number", number=2, words="services want something from the group.", url="#")}</li>
<li>{include("number", number="Tue", words="next meeting. 5 topics, 4 are your own. Lunch for 12.")}</li></ul>
<h2>Do these first</h2>
<ul class="todos">
{todo(title="Ring Dot and Mr Ellery", rest="about the pods", small="They asked for a call. What to say is ready. About 10 minutes.", url="#", button="Start calls")}
{todo(title="Tell 9 people", rest="the website is live", small="6 by text, 2 letters, 1 through Joan", url="#", button="Write it")}
{todo(title="“Could the group look at our new app?”", rest="Eastbrook Health", small="They want 40 minutes. They have already chosen the app.", url="#", button="Put it to the group", lesser=True)}
{todo(title="Sami's story", rest="is ready to mend", small="22 minutes, 2 speakers, 31 words it was unsure of", url="#", button="Open", lesser=True)}
</ul>
<h2>Still open</h2>
<ul class="todos">
{todo(title="“Too many pods in one place.”", small="On the agenda for Tuesday", tag="Talking", tag_kind="talking")}
{todo(title="“Put it on the phone, not email.”", small="Waiting since May. We said June. Sorry.", tag="We owe you", tag_kind="waiting")}
</ul>
""",
    )


def page_member():
    steps = [
        {"what": "Others said it too", "words": "23 people, in 3 hubs. You called it “one person”."},
        {"what": "The group took it on", "words": "April. “Who stays with you?”"},
        {
            "what": "It is in the contract",
            "words": mark_safe(f"14 March. You choose one worker, and they stay. {HRS} pays for it."),
        },
        {
            "what": "Next: is it really happening?",
            "words": "We check in September. Marek will tell you, by text.",
            "next": True,
        },
    ]
    return (
        "What you said, what happened",
        "",
        False,
        f"""
<h1>What you said, what happened</h1>
<p>You have said 9 things here. <b>3 led to a change.</b> We owe you an answer on 1.</p>
<h2>Just in</h2>
{include("bubble", words="Then Joan. She was just the one who picked up the phone.", how="Your story", when="March last year")}
{include("trail", steps=steps)}
<p><b>Did that answer you?</b></p>
<div class="buttons"><button class="govuk-button">Yes, thanks</button> <button class="govuk-button govuk-button--secondary">Not really</button></div>
<ul class="links"><li><a href="#">What I allow with my words</a></li><li><a href="#">Say something new</a></li></ul>
""",
    )


def page_form():
    form = SayForm(
        {
            "words": "",
            "when_day": "31",
            "when_month": "Febuary",
            "when_year": "2026",
            "email": "joan@",
            "hub": "e",
        }
    )
    return (
        "Say something",
        "Topics",
        False,
        f'<h1>Say something</h1><form method="post" novalidate enctype="multipart/form-data">{form}<button class="govuk-button">Send it</button></form>',
        {"form": form},
    )


def page_pieces():
    week = date.today() - timedelta(days=4)
    return (
        "All the pieces",
        "",
        False,
        f"""
<h1>All the pieces</h1>
{include("note", words="That is saved. 9 people will hear.")}{include("note", words="Two people could not be reached.", kind="warning")}{include("note", words="Only the group can see this page.", kind="info")}
<p class="facts">{"".join(include("tag", words=w, kind=k) for w, k in (("Done", "done"), ("We owe you", "waiting"), ("Talking", "talking"), ("Planned", "neutral"), ("Made", "change")))}</p>
{include("bubble", words="A small one, in a list.", who="Dot", how="on the phone", when=week, small=True)}
{include("progress", id=1, words="Writing down what was said: 9 of 22 minutes.", done=9, total=22, url="?")}
{include("progress", id=2, words="22 minutes are written down.", finished=True, then_url="#", then="Mend the words")}
{include("pages", page=Paginator(range(230), 10).page(5))}
{include("empty", title="Nothing is waiting", words="When somebody says something, it is here.", url="#", button="Say something")}
<div class="buttons"><a class="govuk-button" href="#">Do it</a><a class="govuk-button govuk-button--secondary" href="#">Look first</a><button class="govuk-button govuk-button--warning">Take my words out</button><button class="link-button">Not now</button></div>
<h2>The next thing</h2><h3>A smaller heading</h3><ul><li>One thing</li><li>And <a href="#">another with a link</a></li></ul>
""",
    )


def page_threads():
    shapes = [
        (3, 0, 1, 1),
        (5, 2995, 4, 3),
        (4, 7, 6, 4),
        (2, 0, 0, 1),
        (4, 3, 0, 0),
        (0, 0, 0, 0),
        (0, 12, 2, 1),
    ]
    pictures = "".join(
        f"<h2>{s}</h2>"
        + render_to_string("changes/thread.svg.html", {"picture": thread(*s)})
        .replace("thread-wide", f"w{i}")
        .replace("thread-tall", f"t{i}")
        for i, s in enumerate(shapes)
    )
    return "Threads", "", True, f"<h1>Threads</h1>{pictures}"


def page_signin():
    class Ask(forms.Form):
        email = forms.EmailField(label="Email")

    form = Ask({"email": "lee"})
    more = {"form": form, "person": None, "request_login_code_url": "#"}
    return "account/request_login_code.html", "", False, None, more


def page_code():
    class Code(forms.Form):
        code = forms.CharField(label="Code")

    more = {
        "verify_form": Code(),
        "person": None,
        "email": "lee@example.org",
        "can_resend": True,
        "cancel_url": "#",
    }
    return "account/confirm_login_code.html", "", False, None, more


def page_lost():
    return "404.html", "", False, None


def write(name):
    title, back, wide, body, *more = globals()[f"page_{name}"]()
    context = {
        "nav": NAV,
        "person": Amina(),
        "person_url": "/me",
        "sign_in_url": "/in",
        "try_it": True,
        "messages": [],
        **(more[0] if more else {}),
    }
    if body is None:  # a template of its own
        html = render_to_string(title, context)
    else:
        block = "wide" if wide else "content"
        way = (
            f'{{% block back %}}<ol><li><a href="#">{back}</a></li><li>Housing support</li></ol>{{% endblock %}}'
            if back
            else ""
        )
        source = f'{{% extends "base.html" %}}{{% block title %}}{title}{{% endblock %}}{way}{{% block {block} %}}{{{{ body }}}}{{% endblock %}}'
        (OUT / "templates").mkdir(parents=True, exist_ok=True)
        (OUT / "templates" / f"{name}.html").write_text(source)
        html = render_to_string(f"{name}.html", {**context, "body": mark_safe(body)})
    (OUT / f"{name}.html").write_text(html)


class Handler(SimpleHTTPRequestHandler):
    def translate_path(self, path):
        path = path.split("?")[0]
        return str(SRC / "site" / path.lstrip("/") if path.startswith("/static/") else OUT / path.lstrip("/"))

    def end_headers(self):
        self.send_header(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'self'",
        )
        super().end_headers()

    def log_message(self, *args):
        pass


def main():
    names = sys.argv[1:] or [n[5:] for n in globals() if n.startswith("page_")]
    for name in names:
        write(name)
    from playwright.sync_api import sync_playwright

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    axe = (HERE.parent / "tests/vendor/axe/axe.min.js").read_text()
    found = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        for scheme in ("light", "dark"):
            for width in (1040, 390, 320):
                context = browser.new_context(
                    viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"
                )
                page = context.new_page()
                page.on("console", lambda message: print("  console:", message.text))
                for name in names:
                    page.goto(f"http://127.0.0.1:{server.server_port}/{name}.html")
                    page.evaluate("document.fonts.ready")
                    page.screenshot(path=OUT / f"{name}-{width}-{scheme}.png", full_page=True)
                    over = page.evaluate(
                        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
                    )
                    page.evaluate(axe)
                    result = page.evaluate(
                        "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa', 'best-practice']})"
                    )
                    small = page.evaluate(
                        """[...document.querySelectorAll('a, button, summary, input:not([type=hidden])')].filter(e => { const r = e.getBoundingClientRect(); return e.checkVisibility({contentVisibilityAuto: true}) && r.width && getComputedStyle(e).display !== 'inline' && (r.height < 43.5 || r.width < 43.5) && !e.closest('.govuk-skip-link') && !e.classList.contains('term') }).map(e => e.outerHTML.slice(0, 90) + ' ' + Math.round(e.getBoundingClientRect().height))"""
                    )
                    if over > 0:
                        print(f"{name} {width}: {over}px too wide")
                    if small:
                        print(f"{name} {width} small targets:", small)
                    for violation in result["violations"]:
                        found += 1
                        print(f"{name} {width} {scheme}: {violation['id']}: {violation['help']}")
                        for node in violation["nodes"][:4]:
                            print(
                                "   ",
                                node["html"][:160],
                                "|",
                                node["failureSummary"].replace("\n", " ")[:260],
                            )
                context.close()
        browser.close()
    print("axe:", found, "violations")


if __name__ == "__main__":
    main()
