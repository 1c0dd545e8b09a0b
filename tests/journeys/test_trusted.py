"""Joan brings Magpie's words, is told what changed, passes it on; then Magpie ends it, and nothing more reaches her.

On a phone's width. Magpie never opens a page: all they do goes through Joan, and at the end through Amina.
"""

from __future__ import annotations

import re

import pytest
from django.core import mail
from playwright.sync_api import Page, expect

from coproduce.changes.actions import record_change, tie
from coproduce.hearback.actions import write_update
from coproduce.hearback.models import Feedback, State
from coproduce.people.models import Membership, Person, Way
from coproduce.voices.models import Voice
from tests.conftest import make_person
from tests.journeys.conftest import look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NAME = "Magpie"


@pytest.fixture
def joan(town):
    return make_person("Joan", town, Membership.Role.TRUSTED_PERSON, Way.Kind.EMAIL, "joan@example.org")


def press(page: Page, kind: str, name: str) -> None:
    """Press a link or button, and find nothing that axe objects to on the page it leads to."""
    page.get_by_role(kind, name=re.compile(f"^{re.escape(name)}")).first.click()  # type: ignore[arg-type]
    page.wait_for_load_state()
    assert look(page) == []


def tell(amina, change, title: str) -> None:
    write_update(amina, change, title, "You pick one worker, and they stay.")


def test_joan_speaks_and_hears_for_magpie_until_magpie_ends_it(
    open_context, amina, joan, town, work_the_queue
):
    page = open_context(joan).new_page()
    page.goto("/supporting/")
    assert look(page) == []

    # Magpie is brought in under a name that only Joan knows.
    press(page, "link", "Add somebody")
    page.get_by_label("What do they like to be called?").fill(NAME)
    page.get_by_label("Only me").check()
    press(page, "button", "Add them")
    expect(page.get_by_role("heading", level=1)).to_have_text(NAME)
    expect(page.get_by_text("Only you know this name")).to_be_visible()

    # Joan writes down what they said, and reads it back.
    press(page, "link", "Write down what they said")
    page.get_by_label("What did they say?").fill("Nine doors in nine days.")
    page.get_by_label("I read it back to them").check()
    press(page, "button", "Save")
    expect(page.get_by_text("Nine doors in nine days.")).to_be_visible()
    voice = Voice.objects.get()
    assert voice.read_back and voice.through == joan

    # Amina reads it without the name, and something comes of it.
    hers = open_context(amina).new_page()
    hers.goto(f"/voices/{voice.pk}/")
    expect(hers.get_by_role("heading", level=1)).to_have_text("What Somebody Joan supports said")
    assert look(hers) == []
    change = record_change(amina, town, "One worker", "You choose one worker.", "service")
    tie(amina, change, voices=[voice])
    tell(amina, change, "It has begun")
    work_the_queue()
    [notice] = mail.outbox
    assert notice.to == ["joan@example.org"] and NAME not in notice.subject + notice.body

    # Joan passes it on, with what Magpie answers.
    page.goto("/supporting/")
    assert look(page) == []
    press(page, "link", "Read it")
    page.get_by_label("I told them").check()
    page.get_by_label("Did they say something?").fill("Send a real one.")
    page.get_by_label("I read their words back").check()
    press(page, "button", "Keep this")
    expect(page.get_by_text(f"Thank you. {NAME} has heard.")).to_be_visible()
    assert Feedback.objects.get().state == State.HEARD

    # There is more news; Magpie comes in and ends it before Joan has read it.
    tell(amina, change, "There is more")
    page.goto("/supporting/")
    expect(page.get_by_role("heading", name="News to pass on")).to_be_visible()
    magpie = Person.objects.get(added_by=joan)
    hers.goto(f"/people/{magpie.pk}/")
    assert look(hers) == []
    hers.locator("summary", has_text="End this").first.click()
    hers.get_by_label("They are with me now").check()
    press(hers, "button", "Yes, end it")
    expect(hers.get_by_text("It has ended.")).to_be_visible()
    expect(hers.get_by_role("heading", level=1)).to_have_text("Somebody")

    # At Joan's next click there is nobody, and what was about to be sent is not.
    page.get_by_role("link", name="Read it").first.click()
    expect(page.get_by_text(NAME)).to_have_count(0)
    page.goto("/supporting/")
    expect(page.get_by_text("Nobody takes part through you now")).to_be_visible()
    expect(page.get_by_text(NAME)).to_have_count(0)
    assert look(page) == []
    work_the_queue()
    assert len(mail.outbox) == 1

    # It went back to Amina, who does not know whom it is for, but can ask.
    hers.goto("/who-has-heard/to-settle/")
    expect(hers.get_by_role("heading", name="Nobody knows how to reach them")).to_be_visible()
    expect(hers.get_by_text("Somebody").first).to_be_visible()
    assert NAME not in hers.content()
    assert look(hers) == []
