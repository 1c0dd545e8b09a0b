"""On a phone: one tap in an email, stopping it, calls in one tap, stop and notice of an update."""

from __future__ import annotations

import re

import pytest

from coproduce.hearback.models import Attempt, Feedback, State
from coproduce.hearback.reply import reply_path, stop_path
from coproduce.people.models import Way
from tests.hearback.conftest import owed, town  # noqa: F401 - fixtures
from tests.journeys.conftest import look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_one_tap_in_an_email_and_stopping_it(owed, open_context):  # noqa: F811
    feedback = owed(("email", "sami@example.org"), ("phone", "01632 960123"))
    page = open_context().new_page()
    page.goto(f"{reply_path(feedback)}?answered=no")
    assert not look(page)
    page.get_by_label("What is missing?").fill("Who do I ring on a Sunday?")
    page.get_by_role("button", name="Send this answer").click()
    assert "You said that this did not answer you" in page.content()
    assert Feedback.objects.get().state == State.HEARD

    page.goto(stop_path(feedback.way))
    assert not look(page)
    page.get_by_role("button", name="Yes, stop them").click()
    assert "We send no more emails to this address" in page.content()
    assert not look(page)
    assert Way.objects.get(kind="email").stopped_at


def test_a_call_takes_one_tap_and_an_update_can_be_stopped(owed, amina, open_context, tmp_path):  # noqa: F811
    feedback = owed(("phone", "01632 960123"))
    page = open_context(amina).new_page()
    page.goto("/who-has-heard/to-tell/phone/")
    assert not look(page)
    page.get_by_role("button", name="No answer").click()
    assert "Ring later" in page.content()
    assert not look(page)
    assert Attempt.objects.get().outcome == Attempt.Outcome.NO_ANSWER

    page.goto(f"/who-has-heard/{feedback.update_id}/")
    page.get_by_role("button", name="Stop sending").click()
    assert "Stopped by Amina" in page.content()
    assert not look(page)
    page.get_by_role("button", name="Start sending again").click()
    assert "Stop sending" in page.content()
    with page.expect_response(re.compile("notice.pdf")) as answer:
        page.get_by_role("button", name="Make a notice to print").click()
    assert answer.value.status == 200


def test_people_say_when_they_want_no_calls(owed, amina, open_context):  # noqa: F811
    person = owed(("phone", "01632 960123")).person
    page = open_context(amina).new_page()
    page.goto(f"/people/{person.pk}/")
    page.get_by_role("link", name="Change these times").click()
    assert not look(page)
    page.get_by_label("From").fill("20:00")
    page.get_by_role("button", name="Keep this").click()
    assert "Write both times, or leave both empty" in page.content()
    page.get_by_label("Until").fill("10:30")
    page.get_by_role("button", name="Keep this").click()
    assert "No texts and calls from 20:00 to 10:30" in page.content()
    page.goto("/hubs/")
    page.get_by_role("link", name="No texts and calls").click()
    assert not look(page)
