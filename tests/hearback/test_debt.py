from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from coproduce.agenda.actions.topics import decide, raise_topic
from coproduce.changes.actions import record_change, review, take_step, tie
from coproduce.changes.models import Change
from coproduce.changes.thread import count_people_behind, people_behind
from coproduce.hearback.actions import StillWaiting, answer, told, write_update
from coproduce.hearback.debt import (
    Kind,
    closed_by,
    half_waited,
    leads_nowhere,
    owed_in,
    unheard_in,
    waits,
    with_people,
)
from coproduce.hearback.models import Feedback, State, Update
from coproduce.people.models import Hub, Way
from coproduce.people.permissions import NotAllowed
from coproduce.themes.actions import make_theme, merge, place
from coproduce.voices.actions import write_down
from tests.conftest import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def said(amina, lee, town):
    return write_down(amina, town, "Just one to ring", "note", lee)


@pytest.fixture
def topic(amina, town, said):
    return raise_topic(amina, town, "One person to ring", voices=[said])


@pytest.fixture
def change(amina, town, said):
    change = record_change(amina, town, "One worker you trust", "You choose one worker.", "service")
    tie(amina, change, voices=[said])
    return change


def kinds(town: Hub) -> list[tuple[str, str]]:
    return [(owed.kind.value, owed.about.title) for owed in owed_in([town.pk])]


def ago(**much: int) -> dt.date:
    return timezone.localdate() - dt.timedelta(**much)


# What is owed


def test_a_step_is_owed_until_it_is_told(amina, town, change):
    assert kinds(town) == [("step", "One worker you trust")]
    write_update(amina, change, "News", "It is planned.")
    assert kinds(town) == []
    take_step(amina, change, "made")  # on the same day
    assert kinds(town) == [("step", "One worker you trust")]
    write_update(amina, change, "News", "It is made.")
    assert kinds(town) == []


def test_a_change_that_was_not_made_is_owed_too(amina, town, change):
    write_update(amina, change, "News", "It is planned.")
    take_step(amina, change, "not made", note="There is no money.")
    assert kinds(town) == [("step", "One worker you trust")]


def test_what_nobody_stands_behind_is_owed_to_nobody(amina, town):
    record_change(amina, town, "A new door", "It is red.", "building")
    topic = raise_topic(amina, town, "Doors")
    decide(amina, topic, "decided", "Red.")
    assert kinds(town) == []


@pytest.mark.parametrize(("stage", "owed"), [("decided", True), ("put aside", True), ("working", False)])
def test_a_decision_that_ends_a_topic_is_owed(amina, town, topic, stage, owed):
    decide(amina, topic, stage, "Because we said so.", on=ago(days=20))
    assert kinds(town) == ([("decision", "One person to ring")] if owed else [])
    if owed:
        assert owed_in([town.pk])[0].since == ago(days=20)
        write_update(amina, topic, "News", "We decided.")
        assert kinds(town) == []


def test_what_came_of_a_decision_tells_it_as_well(amina, town, topic):
    decide(amina, topic, "decided", "One worker each.")
    assert kinds(town) == [("decision", "One person to ring")]
    change = record_change(amina, town, "One worker", "You choose.", "policy", topics=[topic])
    assert kinds(town) == [("step", "One worker")]
    write_update(amina, change, "News", "One worker each, from May.")
    assert kinds(town) == []


def test_a_review_of_a_change_is_owed_as_it_was_found(amina, lee, town, change):
    write_update(amina, change, "News", "It is planned.")
    review(amina, change, False, "Only on weekdays.")
    (owed,) = owed_in([town.pk])
    assert (owed.kind, owed.url) == (
        Kind.REVIEW,
        f"/changes/{change.pk}/tell/?review={change.reviews.get().pk}",
    )
    update = write_update(amina, change.reviews.get(), "We looked", "Only on weekdays.")
    assert update.feedback.get().person == lee
    assert kinds(town) == []


def test_a_check_whose_day_has_passed_is_overdue_and_comes_first(amina, town, change, said):
    Change.objects.filter(pk=change.pk).update(review_on=ago(days=1))
    other = record_change(amina, town, "Another", "Something.", "service", on=ago(days=400))
    tie(amina, other, voices=[said])
    assert kinds(town) == [("check", "One worker you trust"), ("step", "Another")]
    review(amina, change, True, "It happens.", again_on=timezone.localdate() + dt.timedelta(days=90))
    assert kinds(town)[0] == ("step", "Another")


def test_a_promised_day_that_passes_is_overdue_until_something_is_told(amina, town, change):
    update = write_update(
        amina, change, "News", "Planned.", following_on=timezone.localdate() + dt.timedelta(days=3)
    )
    assert kinds(town) == []
    Update.objects.filter(pk=update.pk).update(following_on=ago(days=2))
    (owed,) = owed_in([town.pk])
    assert (owed.kind, owed.is_overdue, owed.since) == (Kind.PROMISE, True, ago(days=2))
    write_update(amina, StillWaiting(change), "Still waiting", "The money comes in May.")
    assert kinds(town) == []


def test_a_promise_for_a_day_that_is_over_is_refused(amina, change):
    with pytest.raises(ValidationError, match="over"):
        write_update(amina, change, "News", "Planned.", following_on=timezone.localdate())


def test_who_hears_nothing_for_a_while_is_owed_a_reason(amina, lee, town, topic):
    type(topic).objects.update(raised_on=ago(days=100))
    (owed,) = owed_in([town.pk])
    assert (owed.kind, owed.since, owed.url) == (
        Kind.WAITING,
        ago(days=100),
        f"/topics/{topic.pk}/tell/?waiting=1",
    )
    update = write_update(amina, StillWaiting(topic), "Still waiting", "We meet the council in May.")
    assert update.still_waiting and update.feedback.get().person == lee
    assert kinds(town) == []
    Update.objects.update(written_at=timezone.now() - dt.timedelta(days=95))
    assert kinds(town) == [("waiting", "One person to ring")]


def test_the_group_sets_how_long_a_while_is(amina, lee, town, topic, signed_in):
    type(topic).objects.update(raised_on=ago(days=40))
    assert kinds(town) == []
    page = f"/hubs/{town.pk}/still-waiting/"
    assert signed_in(lee).post(page, {"months": "1"}).status_code == 404
    signed_in(amina).post(page, {"months": "1"})
    assert kinds(town) == [("waiting", "One person to ring")]


def test_a_change_that_stands_still_is_owed_a_reason(amina, town, change):
    update = write_update(amina, change, "News", "Planned.")
    Update.objects.filter(pk=update.pk).update(written_at=timezone.now() - dt.timedelta(days=100))
    change.steps.update(on=ago(days=120))
    assert kinds(town) == [("waiting", "One worker you trust")]
    take_step(amina, change, "made", on=ago(days=99))
    assert kinds(town) == [("step", "One worker you trust")]


def test_each_thing_is_owed_to_whoever_stands_behind_it_merged_themes_and_all(
    amina, lee, joan, marek, town, topic
):
    other = make_theme(amina, town, "Ringing", voices=[write_down(amina, town, "Nobody rings", "note", joan)])
    into = make_theme(amina, town, "Being rung", voices=[write_down(amina, town, "Ring me", "note", lee)])
    merge(amina, other, into)
    topic.themes.add(into)
    change = record_change(amina, town, "One worker", "You choose.", "policy", topics=[topic])
    tie(amina, change, voices=[write_down(amina, town, "I buy it", "note", marek)])
    counted = count_people_behind([topic, change])
    assert counted == {(type(topic), topic.pk): 2, (Change, change.pk): 3}
    assert people_behind(change).count() == 3


def test_more_that_is_owed_takes_no_more_queries(amina, lee, town, topic):
    def ask() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert with_people(owed_in([town.pk]))
        return len(asked)

    decide(amina, topic, "decided", "Yes.")
    tie(amina, record_change(amina, town, "C", "x", "policy"), voices=list(topic.voices.all()))
    few = ask()
    for number in range(5):
        more = raise_topic(
            amina, town, f"Topic {number}", voices=[write_down(amina, town, "Me", "note", lee)]
        )
        decide(amina, more, "decided", "Yes.")
        tie(amina, record_change(amina, town, f"C{number}", "x", "policy"), voices=list(more.voices.all()))
    assert len(owed_in([town.pk])) == 12
    assert ask() == few


def test_only_what_is_of_ones_own_hubs(amina, town, ward, topic):
    decide(amina, topic, "decided", "Yes.")
    assert owed_in([ward.pk]) == []
    assert owed_in([]) == []


# What is written and not heard; how long it took


def test_what_is_written_and_not_heard_says_for_how_many_and_since_when(amina, lee, joan, town, change):
    tie(amina, change, voices=[write_down(amina, town, "And me", "note", joan)])
    update = write_update(amina, change, "News", "Planned.")
    (unheard,) = unheard_in([town.pk])
    assert (unheard.update, unheard.people) == (update, 2)
    for feedback in update.feedback.all():
        told(amina, feedback)
    assert unheard_in([town.pk]) == []


def test_how_long_people_waited_is_the_middle_of_them_by_hub_and_month(amina, town, ward, change):
    update = write_update(amina, change, "News", "Planned.")
    now = timezone.now()
    for number, days in enumerate([1, 2, 2, 9, 30]):
        person, since = make_person(f"P{number}", town), now - dt.timedelta(days=days, hours=1)
        Feedback.objects.create(
            update=update,
            person=person,
            state=State.HEARD,
            owed_at=since,
            heard_at=now,
        )
    counted = waits([town.pk, ward.pk])
    assert list(counted.values()) == [{1: 1, 2: 2, 9: 1, 30: 1}]
    assert half_waited(*counted.values()) == 2
    assert waits([ward.pk]) == {}


def test_half_of_nobody_is_refused():
    with pytest.raises(ValueError, match="nobody"):
        half_waited({})


def test_the_loop_is_closed_when_they_said_so_or_heard_and_asked_nothing(
    amina, lee, joan, marek, town, change
):
    for person in (joan, marek):
        tie(amina, change, voices=[write_down(amina, town, "And me", "note", person)])
    update = write_update(amina, change, "News", "Planned.")
    closed = lambda: closed_by("update__change")[change.pk]  # noqa: E731
    assert (closed().people, closed().closed) == (3, 0)
    answer(lee, update.feedback.get(person=lee), True)
    assert closed().closed == 1
    told(amina, update.feedback.get(person=joan))
    assert closed().closed == 1
    Feedback.objects.filter(person=joan).update(heard_at=timezone.now() - dt.timedelta(days=29))
    assert (closed().closed, closed().share) == (2, 66)
    answer(joan, update.feedback.get(person=joan), None, "And who rings me?")
    assert closed().closed == 1


def test_what_leads_nowhere_yet_is_counted(amina, town, said):
    assert leads_nowhere([town.pk]) == (1, said.said_on)
    place(amina, make_theme(amina, town, "Ringing"), [said])
    assert leads_nowhere([town.pk]) == (0, None)


# The pages


def test_the_page_says_what_is_owed_and_one_tap_begins_writing(amina, lee, town, topic, change, signed_in):
    decide(amina, topic, "decided", "Yes.")
    Change.objects.filter(pk=change.pk).update(review_on=ago(days=3))
    page = signed_in(amina).get("/who-has-heard/owed/").content.decode()
    assert page.index("One worker you trust") < page.index("One person to ring")
    assert "Overdue" in page and f'href="/topics/{topic.pk}/tell/"' in page
    assert "1 person waits to hear." in page
    assert signed_in(lee).get("/who-has-heard/owed/").status_code == 404
    day = signed_in(amina).get("/").content.decode()
    assert f'href="/topics/{topic.pk}/tell/"' in day and "It is overdue" in day


def test_the_page_of_every_voice_says_what_became_of_each(amina, lee, town, topic, signed_in):
    decide(amina, topic, "put aside", "The council owns it.")
    write_down(amina, town, "The bus is late", "note", lee)
    page = signed_in(amina).get("/who-has-heard/voices/").content.decode()
    assert "The council owns it." in page and "Put aside" in page
    assert "It is not with others yet" in page


def test_who_waits_and_since_when(amina, joan, town, change, signed_in):
    tie(amina, change, voices=[write_down(amina, town, "And me", "note", joan)])
    write_update(amina, change, "News", "Planned.")
    page = signed_in(amina).get("/who-has-heard/owed/people/").content.decode()
    assert "Joan" in page and "phone call" in page and "since today" in page


def test_somebody_of_another_group_may_not_write_it(charlie, lee, topic):
    for person in (charlie, lee):
        with pytest.raises(NotAllowed):
            write_update(person, topic, "News", "Yes.")


def test_hearing_at_most_weekly_keeps_the_next_until_then(amina, town, change):
    from coproduce.hearback import sending
    from coproduce.people.actions import hear_at_most

    weekly = make_person("Sami", town, way=Way.Kind.EMAIL, address="sami@example.org")
    hear_at_most(weekly, weekly, "week")
    tie(amina, change, voices=[write_down(amina, town, "Me too", "note", weekly)])
    write_update(amina, change, "News", "Planned.")
    due = lambda: sending.to_send("email").filter(person=weekly).count()  # noqa: E731
    assert due() == 1
    Feedback.objects.filter(person=weekly).update(
        state=State.SENT, sent_at=timezone.now() - dt.timedelta(days=6)
    )
    for text in ("Agreed.", "Made."):
        write_update(amina, change, "News", text)
    assert due() == 0
    Feedback.objects.filter(person=weekly, state=State.SENT).update(
        sent_at=timezone.now() - dt.timedelta(days=8)
    )
    assert due() == 2
