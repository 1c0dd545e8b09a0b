"""Every message that goes out, with sample data: its own words are easy to read, and none gives anybody away outside.

What somebody wrote into an update is theirs; it is told while they write (test_writing.py). So the sample is plain,
and what is measured is what the software says around it.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from django.core import mail
from django.utils import timezone
from django.utils.crypto import get_random_string

from coproduce.changes.actions import record_change, tie
from coproduce.engine.plainwords import reading_age, sentences_too_long
from coproduce.glossary.models import Term
from coproduce.hearback import actions, not_fixed, notices, saying_back, sending
from coproduce.hearback.channels import Message, email, letter
from coproduce.hearback.models import Feedback, Reply
from coproduce.hearback.news import news_in
from coproduce.hearback.text import words_of_text
from coproduce.people.models import Person, Way
from coproduce.people.sensitive import sensitive_words
from coproduce.voices.actions import write_down
from tests.conftest import make_person
from tests.journeys.conftest import AXE, RULES

pytestmark = pytest.mark.django_db
OLDEST = 12  # years, by the UK reading age
FOLDER = Path(email.__file__).parents[2] / "templates" / "hearback"
LINK = re.compile(r"https?://\S+")


@pytest.fixture
def messages(amina, lee, joan, town, settings) -> dict[str, str]:
    """Each outgoing text by the name of its template, as it goes to Lee."""
    settings.REPLY_TO = "answers@hub.example.org"
    Term.objects.create(hub=town, word="ICB", explanation="Who pays for care here.", agreed_at=timezone.now())
    feedback = []
    for title, words in (("They said yes", "One person to ring"), ("It has begun", "A later bus")):
        change = record_change(amina, town, title, "It is done.", "service", "made")
        quote = write_down(amina, town, "He stopped coming", "note", joan, uses=["group", "public"])
        tie(amina, change, voices=[quote, write_down(amina, town, words, "note", lee)])
        update = actions.write_update(
            amina,
            change,
            title,
            "You pick one worker, and they stay. The ICB pays.",
            quotes=[quote],
            unchanged="The evenings did not change.",
            following="We ask again.",
            following_on=timezone.localdate() + dt.timedelta(days=30),
            ask="Amina, on Tuesdays.",
        )
        feedback.append(update.feedback.get(person=lee))
    shared = make_person("Sami", town, way=Way.Kind.EMAIL, address="shared@example.org")
    Way.objects.filter(person=shared).update(others_may_read=True)
    first, second = feedback
    way, quiet = lee.ways.get(), shared.ways.get()
    together = Message(first, way, "r1", (Message(second, way, "r2"),))
    alone = Message(Feedback(update=first.update, person=shared), quiet, "r3")
    both, closed = email.what_it_says(together), email.what_it_says(alone)
    return {
        "email.txt": both.text,
        "email.html": both.html,
        "news_only.txt": closed.text,
        "news_only.html": closed.html,
        "letter.txt": letter.words_of_letter(way, news_in(together)),
        "letter.txt, others may read": letter.words_of_letter(quiet, news_in(alone)),
        "notice.txt": notices.words_of_email(joan),
        "notice, text": notices.words_of_text(Way(person=joan, kind=Way.Kind.TEXT)),
        "not_fixed.txt": not_fixed.words_for(joan),
        "not_kept.txt": saying_back.words_of_not_kept(came_with(lee), way),
        "not_kept.txt, others may read": saying_back.words_of_not_kept(came_with(lee), quiet),
        "stop, text": saying_back.words_of_stop(),
        "text": words_of_text(first, False),
        "text, others may read": words_of_text(first, True),
        "subject": f"{both.subject}\n{closed.subject}",
    }


def came_with(person: Person) -> Reply:
    """An answer with two files that were not kept."""
    reply = Reply.objects.create(came_by="email", number=get_random_string(9), sender="", person=person)
    for name in ("door.exe", "letter.doc"):
        reply.enclosed.create(name=name, size=9)
    return reply


def plain(text: str) -> str:
    return LINK.sub("", re.sub(r"<style.*?</style>|<[^>]+>", "\n", text, flags=re.DOTALL))


def test_every_template_that_goes_out_is_looked_at(messages):
    """A new one fails this until it is in the sample above."""
    outgoing = {file.name for file in FOLDER.glob("*.txt")} | {"email.html", "news_only.html"}
    assert outgoing <= set(messages)


def test_what_the_group_explains_stands_once_at_the_foot(messages):
    for name in ("email.txt", "email.html", "letter.txt"):
        assert messages[name].count("Who pays for care here.") == 1, name
        assert "What these words mean" in messages[name]
    for name in ("news_only.txt", "news_only.html", "letter.txt, others may read"):
        assert "ICB" not in messages[name]


def test_every_message_is_easy_to_read(messages):
    for name, text in messages.items():
        age = reading_age(plain(text))
        assert age is None or age.years <= OLDEST, f"{name}: {age}"
        assert not sentences_too_long(plain(text)), name


def test_no_message_that_others_may_see_gives_anybody_away(messages):
    outside = ("subject", "text", "text, others may read", "notice, text", "stop, text", "notice.txt")
    for name in (*outside, "news_only.txt", "news_only.html", "not_kept.txt, others may read"):
        assert sensitive_words(plain(messages[name])) == [], name
    for name in ("news_only.txt", "news_only.html", "text, others may read", "letter.txt, others may read"):
        for words in ("One person to ring", "They said yes", "/reply/"):
            assert words not in messages[name], name


def test_nothing_but_what_was_written_is_sensitive(messages):
    for name, text in messages.items():
        assert sensitive_words(plain(text)) == [], name


def test_headers_give_nobody_away(amina, lee, town, work_the_queue):
    change = record_change(amina, town, "A room in the hostel", "It is done.", "service", "made")
    tie(amina, change, voices=[write_down(amina, town, "My depression", "note", lee)])
    actions.write_update(amina, change, "They said yes", "A room in the hostel.")
    work_the_queue()
    [sent] = mail.outbox
    outside = "\n".join(f"{name}: {value}" for name, value in sent.message().items())
    assert sensitive_words(LINK.sub("", outside)) == []
    assert sending.claimants() == set()


@pytest.mark.browser
def test_axe_finds_nothing_in_an_email(messages, browser):

    for name in ("email.html", "news_only.html"):
        for width in (320, 800):
            page = browser.new_page(viewport={"width": width, "height": 800})
            page.set_content(messages[name])
            page.evaluate(AXE)
            found = page.evaluate(
                "rules => axe.run(document, {runOnly: rules}).then(r => r.violations.map("
                "v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 120)).join(' ; ')))",
                RULES,
            )
            assert found == [], name
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
            page.close()
