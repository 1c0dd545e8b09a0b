"""On a phone: one tap in an email, stopping it, calls in one tap, stop and notice of an update."""

from __future__ import annotations

import re

import pytest

from coproduce.engine.inbox import read_email
from coproduce.hearback import replies
from coproduce.hearback.models import Attempt, Feedback, State
from coproduce.hearback.reply import reply_address, reply_path, stop_path
from coproduce.people.models import Way
from tests.hearback.conftest import owed, town  # noqa: F401 - fixtures
from tests.hearback.test_enclosed import PICTURE, email
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


def test_the_email_is_seen_as_it_will_look_before_it_goes(owed, amina, open_context):  # noqa: F811
    feedback = owed(("email", "sami@example.org"))
    page = open_context(amina, viewport={"width": 320, "height": 800}).new_page()
    page.goto(f"/changes/{feedback.update.change_id}/tell/")
    page.get_by_label("What happened, in one line?").fill("It has begun")
    page.get_by_label("What changed? Tell it in a few plain sentences").fill(
        "You pick one worker, and they stay."
    )
    page.get_by_role("button", name="See how it will read").click()
    page.get_by_label("Who?").select_option(label="Sami")
    page.get_by_label("By which way?").select_option("email")
    page.get_by_role("button", name="Show it").click()
    email = page.frame_locator("iframe")
    button = email.get_by_role("link", name="Yes, that answered me")
    assert button.evaluate("it => getComputedStyle(it).backgroundColor") == "rgb(15, 76, 92)"
    assert "Just one person to ring" in email.locator("blockquote").first.inner_text()
    assert not look(page)


def test_files_that_came_with_an_answer(owed, amina, open_context, settings):  # noqa: F811
    settings.REPLY_TO = "answers@hub.example.org"
    feedback = owed(("email", "sami@example.org"))
    raw = email(reply_address(feedback), "Look", ("door.jpg", PICTURE), ("door.exe", b"MZ"))
    replies.take_email(read_email(raw))
    page = open_context(amina, viewport={"width": 320, "height": 800}).new_page()
    page.goto("/who-has-heard/replies/")
    assert not look(page)
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save the file").click()
    assert saved.value.path().read_bytes() == PICTURE
    page.get_by_role("button", name="I asked them").click()
    assert not look(page)
    assert "did not keep" not in page.get_by_role("main").inner_text()
