"""What an email lets its reader do without signing in: answer with one tap, and stop."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.test import Client

from coproduce.hearback.channels.email import Smtp
from coproduce.hearback.models import Answer, State
from coproduce.people.models import Act, Way

pytestmark = pytest.mark.django_db
EMAIL = ("email", "sami@example.org")


def now(thing):
    thing.refresh_from_db()
    return thing


@pytest.fixture
def message(owed, work_the_queue, settings):
    settings.ADDRESS = "http://testserver"
    feedback = owed(EMAIL, ("phone", "01632 960123"))
    work_the_queue()
    [sent] = mail.outbox
    sent.feedback = feedback
    return sent


def links(message) -> list[str]:
    return re.findall(r"http://testserver(\S+)", message.body)


@pytest.mark.parametrize(("place", "answered"), [(0, True), (1, False)], ids=["yes", "no"])
def test_one_tap_and_one_button_answer_it(message, place, answered):
    link = links(message)[place]
    page = Client().get(link).content.decode()
    assert ("Yes, that answered me" in page) is answered
    assert not Answer.objects.exists(), "a mail scanner that looks at every link answered"
    browser = Client(enforce_csrf_checks=False)
    browser.post(link.split("?")[0], {"answered": "yes" if answered else "no", "words": ""})
    assert Answer.objects.get().answered is answered
    assert now(message.feedback).state == State.HEARD


def test_a_strange_tap_is_the_usual_page(message):
    page = Client().get(links(message)[0].replace("=yes", "=<b>")).content.decode()
    assert "Did that answer you?" in page


def test_all_its_links_are_in_the_html_as_well(message):
    html = message.alternatives[0].content
    assert all(link.replace("&", "&amp;") in html for link in links(message))


def test_looking_at_the_stop_link_stops_nothing_and_the_button_does(message):
    link = links(message)[2]
    assert "/stop/" in link
    page = Client().get(link).content.decode()
    assert "Stop these messages?" in page
    assert Way.objects.get(kind="email").stopped_at is None
    page = Client().post(link, {"stop": ""}).content.decode()
    assert "We send no more emails to this address" in page
    assert Way.objects.get(kind="email").stopped_at
    assert Way.objects.best().get(person=message.feedback.person).kind == "phone"
    assert Act.objects.filter(verb="stop a way to reach").count() == 1
    Client().post(link, {"start": ""})
    assert Way.objects.get(kind="email").stopped_at is None


def test_an_inbox_stops_it_with_one_click_and_without_a_cookie(message):
    headers = message.message()
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = headers["List-Unsubscribe"].strip("<>").removeprefix("http://testserver")
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert Way.objects.get(kind="email").stopped_at


@pytest.mark.parametrize("token", ["1", "1:abc", "x:y:z"])
def test_a_link_of_somebody_s_own_making_stops_nothing(message, token):
    assert Client().post(f"/stop/{token}/").status_code == 404
    reply = links(message)[0].split("/")[2]
    assert Client().post(f"/stop/{reply}/").status_code == 404
    assert not Way.objects.filter(stopped_at__isnull=False).exists()


def test_what_was_stopped_shows_on_their_page_and_can_be_used_again(message, amina, signed_in):
    Client().post(links(message)[2], {"stop": ""})
    person, way = message.feedback.person, Way.objects.get(kind="email")
    browser = signed_in(amina)
    assert "They stopped this" in browser.get(f"/people/{person.pk}/").content.decode()
    browser.post(f"/people/{person.pk}/ways/{way.pk}/start/")
    assert now(way).stopped_at is None


def test_bounces_find_their_feedback_by_the_message_id(owed, mail_server, work_the_queue):
    feedback = owed(EMAIL)
    work_the_queue()
    [name] = re.findall(rb"Message-ID: <([^@]+)@", mail_server.messages[0])
    assert name.decode() == feedback.attempts.get().reference


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("550 no such user", State.UNDELIVERABLE),
        ("552 too full", State.UNDELIVERABLE),
        ("451 not now", State.OWED),
        ("421 I close", State.OWED),
    ],
)
def test_what_a_mail_server_says_about_an_address(owed, mail_server, work_the_queue, answer, state):
    mail_server.answers["sami"] = answer
    feedback = owed(EMAIL)
    work_the_queue()
    assert now(feedback).state == state
    assert mail_server.kept.count == 0


def test_the_channel_is_always_there():
    assert Smtp().is_set_up()
