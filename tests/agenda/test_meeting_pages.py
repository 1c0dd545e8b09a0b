from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from coproduce.agenda.actions import meetings as actions
from coproduce.agenda.actions.topics import raise_topic
from coproduce.agenda.models import Item, Meeting
from tests.agenda.conftest import WEEK, plan
from tests.conftest import make_person

pytestmark = pytest.mark.django_db


def page_of(client, name: str, *args: object) -> str:
    return client.get(reverse(f"agenda:{name}", args=args)).content.decode()


def typed(on: dt.date, **rest: str) -> dict[str, str]:
    day = {"on_day": str(on.day), "on_month": str(on.month), "on_year": str(on.year)}
    return day | {"starts": "10:30", "ends": "12:00", "outside": "nothing"} | rest


@pytest.mark.parametrize(
    ("outside", "sees", "does_not"),
    [
        ("day", ["10:"], ["The hostel", "The side door", "Ring 01632", "Who stays?", "Soup"]),
        ("place", ["The hostel", "The side door", "Soup"], ["Ring 01632", "Who stays?", "Summer"]),
    ],
)
def test_outside_the_group_one_sees_what_is_marked_and_no_more(
    outside, sees, does_not, amina, lee, town, topic, client, marek, signed_in
):
    on = timezone.localtime() + WEEK
    begins = on.replace(hour=10, minute=30)
    rest = {
        "name": "Summer meeting",
        "place": "The hostel",
        "getting_there": "The side door",
        "from_afar": "Ring 01632 960123",
        "lunch": "Soup",
    }
    meeting = actions.plan_meeting(
        amina, town, actions.Plan(begins, begins + dt.timedelta(hours=1), outside=outside, **rest)
    )
    actions.put_on_agenda(amina, meeting, Item.Kind.TOPIC, 20, topic)
    for reader in (client, signed_in(marek)):
        for page in (page_of(reader, "meeting", meeting.pk), page_of(reader, "meetings")):
            assert not [words for words in does_not if words in page]
        page = page_of(reader, "meeting", meeting.pk)
        assert not [words for words in sees if words not in page]
    page = page_of(signed_in(lee), "meeting", meeting.pk)
    assert not [words for words in [*rest.values(), "Who stays?"] if words not in page]


def test_a_meeting_that_is_not_marked_is_not_in_the_list_of_others(coming, client, marek, signed_in):
    for reader in (client, signed_in(marek)):
        assert "The library" not in page_of(reader, "meetings")
        assert "No meeting yet" in page_of(reader, "meetings")


def test_planning_keeps_what_was_typed_and_says_what_is_wrong(amina, town, signed_in):
    browser, path = signed_in(amina), reverse("agenda:plan_meeting")
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    page = browser.post(
        path, typed(tomorrow, ends="09:00", place="The library", hub=town.pk)
    ).content.decode()
    assert "It ends before it begins" in page and 'value="The library"' in page
    page = browser.post(path, typed(timezone.localdate() - WEEK, hub=town.pk)).content.decode()
    assert "That day is past" in page
    page = browser.post(path, typed(tomorrow, starts="half ten", hub=town.pk)).content.decode()
    assert "Write the time like 10:30." in page
    assert not Meeting.objects.exists()
    browser.post(path, typed(tomorrow, place="The library", hub=town.pk))
    meeting = Meeting.objects.get()
    assert (meeting.on, f"{meeting.begins:%H:%M}") == (tomorrow, "10:30")


def test_a_topic_goes_onto_the_agenda_in_one_tap_and_moves_by_buttons(amina, lee, town, coming, signed_in):
    browser, path = signed_in(amina), reverse("agenda:make_agenda", args=[coming.pk])
    for title in ("Who stays?", "Night bus"):
        browser.post(path, {"topic": raise_topic(lee, town, title).pk})
    first, second = coming.items.all()
    browser.post(reverse("agenda:move_item", args=[second.pk]), {"up": "1"})
    assert [str(item) for item in coming.items.all()] == ["Night bus", "Who stays?"]
    page = page_of(browser, "make_agenda", coming.pk)
    assert "Every topic that is open is on it." in page
    browser.post(reverse("agenda:item", args=[first.pk]), {"minutes": "500"})
    assert "This goes on after" in page_of(browser, "make_agenda", coming.pk)


def test_an_agenda_says_which_words_nobody_has_explained(amina, coming, signed_in):
    actions.put_on_agenda(amina, coming, Item.Kind.OTHER, 5, title="The SDR of the ICB")
    page = page_of(signed_in(amina), "make_agenda", coming.pk)
    assert "Nobody has explained" in page and "SDR" in page


def test_one_tap_says_who_came_and_one_takes_it_back(amina, lee, today, signed_in):
    browser, path = signed_in(amina), reverse("agenda:who_came", args=[today.pk])
    browser.post(path, {"person": lee.pk, "how": "phone"})
    assert today.attendances.get().how == "phone"
    assert "1 person" in browser.get(path).content.decode()
    browser.post(path, {"number": "4"})
    assert "5 people" in browser.get(path).content.decode()
    page = browser.post(path, {"number": "lots"}).content.decode()
    assert "There is a problem" in page
    browser.post(path, {"person": lee.pk, "how": ""})
    assert not today.attendances.exists()


def test_the_day_shows_todays_meeting_and_what_somebody_does(amina, lee, today, signed_in):
    page = signed_in(amina).get("/").content.decode()
    assert "The meeting is today" in page


def test_ones_own_calendar_link_is_made_and_renewed(lee, signed_in):
    browser, path = signed_in(lee), reverse("agenda:my_calendar")
    assert "Make my link" in browser.get(path).content.decode()
    browser.post(path)
    first = lee.calendar_link.key
    assert first in browser.get(path).content.decode()
    browser.post(path)
    lee.calendar_link.refresh_from_db()
    assert lee.calendar_link.key != first


@pytest.mark.parametrize("name", ["meetings", "meeting", "who_came", "invite", "make_agenda"])
def test_pages_cost_the_same_with_one_row_and_with_many(name, amina, lee, town, today, signed_in):
    browser, counts = signed_in(amina), []
    for number in (1, 6):
        for n in range(number):
            person = make_person(f"Person {number} {n}", town, way="phone", address="01632 960123")
            actions.note_who_came(amina, today, person, "came")
            actions.put_on_agenda(
                amina, today, Item.Kind.TOPIC, 5, raise_topic(lee, town, f"Topic {number} {n}")
            )
            raise_topic(lee, town, f"Not on it {number} {n}")
            actions.plan_meeting(amina, town, plan(WEEK))
        path = reverse(f"agenda:{name}", args=[] if name == "meetings" else [today.pk])
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(path).status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]
