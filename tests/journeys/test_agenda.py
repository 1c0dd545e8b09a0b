"""The group sets its agenda: a topic in two taps, wanted by another in one; a service asks, and hears what they say.
The next meeting's agenda stands, the group's own first; it is on everyone's calendar, and on paper.

Walked on a phone's width twice: with JavaScript by keyboard alone, and without JavaScript by tapping.
"""

from __future__ import annotations

import io
import re
from urllib.parse import urlsplit

import pytest
from icalendar import Calendar
from playwright.sync_api import expect
from pypdf import PdfReader

from coproduce.agenda.models import Ask, Meeting, Support, Topic
from coproduce.people.models import Person
from tests.journeys.test_thread import Hands, clean

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ASKED = {
    "Who are you?": "Tolver Housing",
    "What do you want from the group?": "Try our new letter with us",
    "Why?": "Nobody answers the old one.",
    "What have you decided already?": "That there will be a letter.",
    "What do you pay": "15 pounds an hour, and fares.",
    "What will you do with the answer?": "We change it, and tell you what we changed.",
    "What is your name?": "Pat",
}


@pytest.fixture(params=["by keyboard", "without JavaScript"])
def hands_of(request, open_context):
    """A function: the hands of somebody, or of a visitor."""
    with_scripts = request.param == "by keyboard"

    def open_for(person: Person | None) -> Hands:
        return Hands(open_context(person, scripts=with_scripts).new_page(), keyboard=with_scripts)

    return open_for


def test_the_group_sets_its_agenda(hands_of, amina, lee, joan, town, work_the_queue, mailoutbox):
    lees = hands_of(lee)
    raise_it_in_two_taps(lees)
    joans = hands_of(joan)
    want_it_in_one_tap(joans)

    service = hands_of(None)
    ask_the_group(service)
    work_the_queue()
    confirm_the_address(service, link_in(mailoutbox.pop()))

    aminas = hands_of(amina)
    say_five_minutes(aminas)
    work_the_queue()
    [email] = mailoutbox
    assert "Five minutes at our next meeting" in email.body and "Bring the letter" in email.body
    service.page.goto(link_in(email))
    clean(service)
    expect(service.page.get_by_text("Bring the letter, and read it to us.")).to_be_visible()

    make_the_agenda(aminas)
    it_is_on_paper(aminas)
    it_is_in_a_calendar(lees)
    service.page.goto(link_in(email))
    clean(service)
    expect(service.page.get_by_text("Your five minutes are on Tuesday 3 March 2099.")).to_be_visible()

    service.page.goto("/topics/")  # how much is the group's own is there for everybody
    clean(service)
    expect(service.page.get_by_text("The 1 topic here is the group’s own.")).to_be_visible()
    assert "Lee" not in service.page.locator("main").inner_text()


def link_in(email) -> str:
    return re.search(r"/your-ask/\S+/", email.body)[0]


def raise_it_in_two_taps(hands: Hands) -> None:
    page = hands.page
    page.goto("/")
    clean(hands)
    hands.press(hands.link("Raise a topic"))
    clean(hands)
    hands.write("What should the group work on?", "Put the benches back")
    hands.press(hands.button("Raise it"))
    page.wait_for_url(re.compile(r"/topics/\d+/"))
    clean(hands)
    expect(page.get_by_text("You raised it")).to_be_visible()
    topic = Topic.objects.get()
    assert (topic.title, topic.raised_by.name) == ("Put the benches back", "Lee")


def want_it_in_one_tap(hands: Hands) -> None:
    page = hands.page
    page.goto("/topics/")
    clean(hands)
    hands.press(hands.button("I want this too"))
    clean(hands)
    expect(page.get_by_text("2 people want this")).to_be_visible()
    assert set(Support.objects.values_list("person__name", flat=True)) == {"Lee", "Joan"}
    hands.press(hands.button("Take it back"))
    assert Support.objects.count() == 1
    hands.press(hands.button("I want this too"))
    assert Support.objects.count() == 2


def ask_the_group(hands: Hands) -> None:
    page = hands.page
    page.goto("/topics/")
    hands.press(hands.link("Do you work for a service?"))
    clean(hands)
    for label, words in ASKED.items():
        hands.write(label, words)
    hands.write("What is your email address?", "pat at example")
    hands.press(hands.button("Send it"))
    expect(page.get_by_text("There is a problem")).to_be_visible()
    clean(hands)
    expect(page.get_by_label("What do you want from the group?")).to_have_value("Try our new letter with us")
    field = page.get_by_label("What is your email address?")
    field.fill("")
    hands.write("What is your email address?", "pat@example.org")
    hands.press(hands.button("Send it"))
    expect(page.get_by_text("Now look in your mailbox")).to_be_visible()
    clean(hands)
    assert Ask.objects.get().confirmed_at is None


def confirm_the_address(hands: Hands, link: str) -> None:
    hands.page.goto(link)
    clean(hands)
    hands.press(hands.button("Yes, send it to the group"))
    clean(hands)
    expect(hands.page.get_by_text("Your ask is with the group.")).to_be_visible()


def say_five_minutes(hands: Hands) -> None:
    page = hands.page
    page.goto("/")
    hands.press(hands.link("Read it"))
    clean(hands)
    expect(page.get_by_text("Nobody answers the old one.")).to_be_visible()
    hands.press(hands.link("Write down our answer"))
    clean(hands)
    hands.tick(page.get_by_role("radio", name=re.compile("^Five minutes")))
    hands.press(hands.button("Tell them"))  # without the reason
    expect(page.get_by_text("There is a problem")).to_be_visible()
    clean(hands)
    hands.write("Why? In the group’s own words", "Bring the letter, and read it to us.")
    hands.press(hands.button("Tell them"))
    clean(hands)
    expect(page.get_by_text("The email to them is on its way.")).to_be_visible()


def make_the_agenda(hands: Hands) -> None:
    """The service's five minutes are put on first, and stand last."""
    page = hands.page
    page.goto("/meetings/")
    hands.press(hands.link("Plan a meeting"))
    clean(hands)
    for box, value in (("Day", "3"), ("Month", "March"), ("Year", "2099")):
        hands.write(box, value)
    page.get_by_label("When does it begin?").fill("10:30")
    page.get_by_label("When does it end?").fill("12:30")
    hands.press(hands.button("Plan the meeting"))
    page.goto(f"/meetings/{Meeting.objects.get().pk}/agenda/")
    clean(hands)
    hands.press(hands.button("Give it five minutes"))
    clean(hands)
    hands.press(hands.button("Put it on"))
    clean(hands)
    items = page.locator(".agenda__item b").all_inner_texts()
    assert items == ["Put the benches back", "Tolver Housing: Try our new letter with us"]


def it_is_on_paper(hands: Hands) -> None:
    answer = hands.page.context.request.get(f"/meetings/{Meeting.objects.get().pk}/agenda.pdf")
    text = " ".join(
        " ".join(sheet.extract_text() for sheet in PdfReader(io.BytesIO(answer.body())).pages).split()
    )
    assert text.index("Put the benches back") < text.index("Try our new letter with us")


def it_is_in_a_calendar(hands: Hands) -> None:
    page = hands.page
    page.goto("/calendar/")
    clean(hands)
    hands.press(hands.button("Make my link"))
    clean(hands)
    link = urlsplit(page.get_by_label("Or copy the link").input_value()).path
    feed = Calendar.from_ical(page.context.request.get(link).body())
    [event] = feed.walk("VEVENT")
    assert event.decoded("DTSTART").isoformat().startswith("2099-03-03T10:30")
    assert "benches" not in str(event)
