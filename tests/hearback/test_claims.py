"""Some are claimed together: who dies in between leaves one uncertain, and everything else as it was or as it went."""

from __future__ import annotations

import contextlib
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_tasks_db.models import DBTaskResult

from coproduce.changes.actions import record_change, tie
from coproduce.hearback import actions, sending, tasks
from coproduce.hearback.channels import NotSent, Refused, Sent, Uncertain
from coproduce.hearback.models import Attempt, Feedback, State
from coproduce.people.actions import stop_way
from coproduce.people.models import Way
from coproduce.site.erase import clean_up, erase_person
from coproduce.site.worker import clear_up
from coproduce.voices.actions import write_down
from coproduce.voices.models import Carried
from tests.conftest import make_person

pytestmark = pytest.mark.django_db
PEOPLE = 4


class Killed(BaseException):
    """As SIGKILL would end it: nobody catches this."""


class FarSide:
    """It takes everything and keeps who got what; `then` is called with each message, before or after it is kept."""

    name, kind = "far side", Way.Kind.EMAIL

    def __init__(self, before=None, after=None):
        self.kept: list[int] = []
        self.before, self.after = before, after

    def is_set_up(self) -> bool:
        return True

    @contextlib.contextmanager
    def line(self):
        yield self.take

    def take(self, message):
        if self.before and (answer := self.before(len(self.kept))):
            return answer
        self.kept += [each.feedback.pk for each in (message, *message.also)]
        if self.after:
            self.after(len(self.kept))
        return Sent()


@pytest.fixture
def everybody(amina, town) -> list[Feedback]:
    """Four people who are owed one update by email."""
    change = record_change(amina, town, "One worker", "You choose one worker.", "policy")
    for number in range(PEOPLE):
        person = make_person(f"P{number}", town, way="email", address=f"p{number}@example.org")
        tie(amina, change, voices=[write_down(amina, town, "One worker", "note", person)])
    return list(
        actions.write_update(amina, change, "They said yes", "You choose one.").feedback.order_by("pk")
    )


def states() -> list[str]:
    return list(Feedback.objects.order_by("pk").values_list("state", flat=True))


def pks(everybody) -> list[int]:
    return [each.pk for each in everybody]


@pytest.mark.parametrize("number", range(PEOPLE))
@pytest.mark.parametrize("moment", ["before it is kept", "after it is kept"])
def test_a_worker_that_dies_leaves_one_uncertain_and_the_rest_as_it_is(everybody, number, moment):
    def die(kept: int) -> None:
        if kept == number + (moment == "after it is kept"):
            raise Killed

    far = FarSide(before=die) if moment == "before it is kept" else FarSide(after=die)
    with pytest.raises(Killed):
        sending.send_all(far, pks(everybody), "a worker")
    clear_up()
    assert states() == [State.SENT] * number + [State.UNCERTAIN] + [State.OWED] * (PEOPLE - number - 1)
    assert far.kept == pks(everybody)[: number + (moment == "after it is kept")]
    assert Carried.objects.count() == number + 1  # also what may have gone can be asked back

    far.before = far.after = None
    sending.send_all(far, pks(everybody), "another")
    got = Counter(far.kept)
    assert set(got.values()) == {1}, "somebody was told twice"
    assert set(pks(everybody)) - set(got) <= {everybody[number].pk}, "somebody was forgotten"
    assert not Attempt.objects.filter(outcome__in=["ready", "begun"]).exists()
    assert set(Feedback.objects.values_list("tries", flat=True)) == {1}


def test_a_worker_that_dies_before_anything_goes_leaves_nothing_behind(everybody):
    sending.claim(pks(everybody), "a worker", "email")
    assert set(states()) == {State.SENDING}
    clear_up()
    assert set(states()) == {State.OWED}
    assert not Attempt.objects.exists()
    assert set(Feedback.objects.values_list("tries", flat=True)) == {0}


def test_a_mistake_of_ours_about_one_holds_no_other(everybody):
    def mistake(number):
        if number == 1:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sending.send_all(FarSide(before=mistake), pks(everybody), "w")
    assert states() == [State.SENT, State.UNCERTAIN, State.OWED, State.OWED]


def test_what_one_worker_has_claimed_no_other_gets(everybody):
    first = sending.claim(pks(everybody)[:3], "one", "email")
    second = sending.claim(pks(everybody), "another", "email")
    assert [each.feedback.pk for each in first + second] == pks(everybody)
    assert len(second) == 1


def test_a_stop_holds_for_what_is_claimed_and_not_begun(everybody, amina):
    far = FarSide(after=lambda _kept: actions.stop_sending(amina, everybody[0].update))
    sending.send_all(far, pks(everybody), "a worker")
    assert len(far.kept) == 1
    assert states() == [State.SENT] + [State.OWED] * 3


def test_who_stops_their_way_or_sees_it_on_their_page_meanwhile_gets_no_more(everybody):
    _first, stops, looks, last = everybody

    def meanwhile(_kept: int) -> None:
        stop_way(stops.person, stops.person.ways.get())
        actions.seen_on_their_page(looks.person, [looks])

    far = FarSide(after=meanwhile)
    sending.send_all(far, pks(everybody), "a worker")
    assert far.kept == [everybody[0].pk, last.pk]
    assert states() == [State.SENT, State.OWED, State.HEARD, State.SENT]
    assert not Attempt.objects.filter(outcome="ready").exists()


@pytest.mark.django_db(transaction=True)
def test_who_is_erased_meanwhile_gets_no_more(everybody):
    second = everybody[1]
    done = []

    def meanwhile(_kept: int) -> None:
        if not done:
            done.append(erase_person(second.person, second.person))

    far = FarSide(after=meanwhile)
    sending.send_all(far, pks(everybody), "a worker")
    assert second.pk not in far.kept
    assert len(far.kept) == 3
    clean_up(done[0])
    assert not Feedback.objects.filter(pk=second.pk).exists()


@pytest.mark.parametrize(
    ("answer", "becomes"),
    [
        (Refused("550 nobody here"), [State.SENT, State.UNDELIVERABLE, State.SENT, State.SENT]),
        (NotSent("450 later"), [State.SENT, State.OWED, State.SENT, State.SENT]),
        (NotSent("421 not now", others_too=True), [State.SENT, State.OWED, State.OWED, State.OWED]),
        (Uncertain("it broke"), [State.SENT, State.UNCERTAIN, State.OWED, State.OWED]),
    ],
    ids=["refused", "not now", "nobody now", "uncertain"],
)
def test_what_the_far_side_says_of_one_in_the_middle(everybody, answer, becomes):
    said = []

    def say(kept: int):
        if kept == 1 and not said:
            said.append(answer)
            return answer
        return None

    sending.send_all(FarSide(before=say), pks(everybody), "a worker")
    assert states() == becomes


def test_with_a_slow_far_side_what_has_not_gone_is_soon_free_for_others(everybody, monkeypatch):
    monkeypatch.setattr(sending, "HOLD_FOR", 0.0)
    far = FarSide()
    sending.send_all(far, pks(everybody), "a worker")
    assert states() == [State.SENT] + [State.OWED] * 3
    assert len(far.kept) == 1


def test_a_receipt_that_comes_while_others_of_the_batch_go(everybody):
    def bounce(kept: int) -> None:
        if kept == 2:
            first, second = Attempt.objects.order_by("pk")[:2]
            assert sending.bounced(first.reference, "nobody here")
            assert sending.arrived(second.reference)

    sending.send_all(FarSide(after=bounce), pks(everybody), "a worker")
    assert states() == [State.UNDELIVERABLE, State.SENT, State.SENT, State.SENT]
    assert list(Attempt.objects.order_by("pk").values_list("outcome", flat=True)) == [
        "not arrived",
        "arrived",
        "taken",
        "taken",
    ]


def test_things_of_one_person_stay_together_when_a_worker_dies(everybody, amina, town):
    again = record_change(amina, town, "A later bus", "Soon.", "service")
    person = everybody[0].person
    tie(amina, again, voices=[write_down(amina, town, "A later bus", "note", person)])
    actions.write_update(amina, again, "A later bus", "From May.")

    def die(_kept: int) -> None:
        raise Killed

    far = FarSide(after=die)
    with pytest.raises(Killed):
        sending.send_all(far, pks(everybody)[:1], "a worker")
    clear_up()
    assert len(far.kept) == 2
    assert set(Feedback.objects.filter(person=person).values_list("state", flat=True)) == {State.UNCERTAIN}


def test_where_there_is_much_to_send_whoever_has_nothing_to_do_helps(everybody, monkeypatch):
    monkeypatch.setattr(sending, "AT_ONCE", 2)
    DBTaskResult.objects.all().delete()
    waiting = DBTaskResult.objects.ready().filter(task_path=tasks.deliver.module_path)
    tasks.ask_for_help()
    tasks.ask_for_help()
    assert waiting.count() == 1


def test_a_message_more_costs_one_statement(everybody):
    """Everything else is asked for all of them together."""
    asked = []
    for some in (pks(everybody)[:1], pks(everybody)[1:]):
        with CaptureQueriesContext(connection) as queries:
            sending.send_all(FarSide(), some, "a worker")
        asked.append([each["sql"] for each in queries if "SAVEPOINT" not in each["sql"]])
    one, three = asked
    assert len(three) == len(one) + 2
