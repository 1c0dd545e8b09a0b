"""Claimed, sent, recorded; what does not arrive goes by the next way, then to a human; quiet hours, rate, stop."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core import mail
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from coproduce.hearback import actions, sending, tasks
from coproduce.hearback.channels import NotSent, Sent
from coproduce.hearback.channels.email import Smtp
from coproduce.hearback.models import Attempt, Feedback, State
from coproduce.people.actions import add_way, keep_hub_quiet, keep_quiet, start_way, stop_way
from coproduce.people.models import Way
from tests.conftest import make_person
from tests.hearback.conftest import it_went, on_the_line

pytestmark = pytest.mark.django_db
Outcome = Attempt.Outcome
EMAIL, TEXT, PHONE = ("email", "sami@example.org"), ("text", "07700 900123"), ("phone", "01632 960123")


def now(thing):
    thing.refresh_from_db()
    return thing


def outcomes(feedback: Feedback) -> list[tuple[str, str]]:
    return list(feedback.attempts.order_by("pk").values_list("kind", "outcome"))


def at(hour: int, minute: int = 0) -> dt.datetime:
    return timezone.localtime().replace(hour=hour, minute=minute)


@pytest.fixture
def clock(monkeypatch):
    """A function: what the time is from now on, for what asks for it in sending and in models."""

    def turn(to: dt.datetime) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: to)

    return turn


# The next way


def test_what_is_refused_goes_by_the_next_way_and_then_to_a_human(owed, mail_server, work_the_queue):
    feedback = owed(EMAIL, ("email", "second@example.org"), ("phone", "01632 960123"))
    mail_server.answers["sami"] = "550 no such user"
    work_the_queue()
    assert mail_server.kept.count == 1
    assert b"To: second@example.org" in mail_server.messages[0]
    assert outcomes(feedback) == [("email", Outcome.NOT_ARRIVED), ("email", Outcome.TAKEN)]

    sending.bounced(feedback.attempts.first().reference, "550 the mailbox is full")  # days later
    assert now(feedback).state == State.OWED
    assert Feedback.objects.owed_by(Way.Kind.PHONE).get() == feedback
    assert "mailbox is full" in feedback.problem


def test_the_last_way_that_fails_leaves_it_to_a_human(owed, amina, mail_server, work_the_queue, signed_in):
    feedback = owed(EMAIL)
    mail_server.answers["sami"] = "550 no such user"
    work_the_queue()
    assert now(feedback).state == State.UNDELIVERABLE
    page = signed_in(amina).get("/who-has-heard/to-settle/").content.decode()
    assert "Sami" in page
    assert "550 no such user" in page


def test_a_wrong_number_goes_by_the_next_way(owed, amina, work_the_queue):
    feedback = owed(PHONE, EMAIL)
    actions.tried(amina, feedback, cannot_reach=True)
    work_the_queue()
    assert [message.to for message in mail.outbox] == [["sami@example.org"]]
    assert outcomes(feedback) == [("phone", Outcome.NOT_ARRIVED), ("email", Outcome.TAKEN)]


def test_a_way_they_stopped_leads_nowhere_until_they_start_it_again(owed, work_the_queue):
    feedback = owed(EMAIL, PHONE)
    way = feedback.person.ways.get(kind="email")
    stop_way(feedback.person, way)
    work_the_queue()
    assert mail.outbox == []
    assert Feedback.objects.owed_by(Way.Kind.PHONE).exists()
    start_way(feedback.person, way)
    tasks.deliver.enqueue()
    work_the_queue()
    assert len(mail.outbox) == 1


def test_who_has_no_other_way_is_shown_to_a_human(owed, amina, signed_in):
    feedback = owed(EMAIL)
    stop_way(feedback.person, feedback.person.ways.get())
    assert Feedback.objects.owed_by_no_way().get() == feedback
    assert (
        "Nobody knows how to reach them" in signed_in(amina).get("/who-has-heard/to-settle/").content.decode()
    )


def test_not_now_for_this_address_waits_longer_each_time_and_does_not_hold_others_up(
    owed, mail_server, work_the_queue
):
    first = owed(EMAIL)
    second = owed(("email", "other@example.org"), name="Dot")
    mail_server.answers["sami"] = "450 try again later"
    work_the_queue()
    assert now(second).state == State.SENT
    assert now(first).state == State.OWED
    assert first.not_before > timezone.now() + dt.timedelta(minutes=4)
    for _ in range(sending.TRIES):
        Feedback.objects.filter(pk=first.pk).update(not_before=None)
        tasks.deliver.enqueue()
        work_the_queue()
    assert now(first).state == State.UNDELIVERABLE
    assert len(outcomes(first)) == sending.TRIES


def test_a_mail_server_that_does_not_take_us_makes_nobody_undeliverable(owed, mail_server, monkeypatch):
    first, second = owed(EMAIL), owed(("email", "other@example.org"), name="Dot")
    monkeypatch.setattr("tests.hearback.far_sides._Talk.say", _refusing_senders)
    wait = sending.send_all(Smtp(), [first.pk, second.pk], "a worker")
    assert wait == sending.TRY_AGAIN_AFTER
    assert {now(each).state for each in (first, second)} == {State.OWED}
    assert "not from you" in now(first).problem


def _refusing_senders(talk, line: str) -> None:
    asked = getattr(talk, "said", 0)
    talk.said = asked + 1
    talk.wfile.write((b"550 not from you" if asked == 2 else line.encode()) + b"\r\n")


# Receipts, also those that come too early, twice or late


def test_a_receipt_that_overtakes_our_own_record_holds(owed):
    feedback = owed(EMAIL)
    message = on_the_line(feedback.pk, "a worker", "email")
    assert sending.bounced(message.reference, "no such user")
    it_went(message)
    assert now(feedback).state == State.UNDELIVERABLE

    other = owed(("email", "dot@example.org"), name="Dot")
    message = on_the_line(other.pk, "a worker", "email")
    assert sending.arrived(message.reference)
    it_went(message)
    assert now(other).state == State.SENT
    assert outcomes(other) == [("email", Outcome.ARRIVED)]


def test_a_receipt_twice_is_once_and_one_of_nobody_is_none(owed, work_the_queue):
    feedback = owed(EMAIL, PHONE)
    work_the_queue()
    reference = feedback.attempts.get().reference
    assert sending.bounced(reference, "gone")
    assert sending.bounced(reference, "gone")
    assert now(feedback).next_way.kind == "phone"
    assert not sending.bounced("feedback-1.1.somebodyelse", "gone")
    assert not sending.arrived("")


def test_a_bounce_that_comes_after_they_heard_some_other_way_changes_nothing(owed, amina, work_the_queue):
    feedback = owed(EMAIL, PHONE)
    work_the_queue()
    actions.told(amina, now(feedback))
    sending.bounced(feedback.attempts.order_by("pk")[0].reference, "gone")
    assert now(feedback).state == State.HEARD


def test_what_is_uncertain_is_sent_once_the_far_side_says_it_has_it(owed):
    feedback = owed(EMAIL)
    message = on_the_line(feedback.pk, "a dead worker", "email")
    assert sending.give_up_claims(["a dead worker"]) == 1
    assert outcomes(feedback) == [("email", Outcome.UNCERTAIN)]
    sending.taken(message.reference)
    assert now(feedback).state == State.SENT


def test_a_worker_that_was_taken_for_dead_does_not_undo_what_a_person_decided(owed, amina):
    feedback = owed(EMAIL)
    message = on_the_line(feedback.pk, "a slow worker", "email")
    sending.give_up_claims(["a slow worker"])
    actions.settle(amina, now(feedback), it_went=False)
    it_went(message)
    assert now(feedback).state == State.OWED


# Quiet hours


@pytest.mark.parametrize(
    ("hour", "goes"), [(20, True), (21, False), (23, False), (0, False), (7, False), (8, True), (12, True)]
)
def test_at_night_no_texts_go_and_in_the_morning_they_do(
    owed, gateway_server, town, amina, clock, hour, goes
):
    keep_hub_quiet(amina, town, dt.time(21), dt.time(8))
    feedback = owed(TEXT)
    clock(at(hour))
    assert sending.to_send("text").filter(pk=feedback.pk).exists() is goes


def test_who_asked_for_other_times_gets_them(owed, gateway_server, town, amina, clock):
    keep_hub_quiet(amina, town, dt.time(21), dt.time(8))
    feedback = owed(TEXT)
    keep_quiet(feedback.person, feedback.person, dt.time(9), dt.time(17))  # works nights
    clock(at(12))
    assert not sending.to_send("text").exists()
    clock(at(23))
    assert sending.to_send("text").exists()


def test_an_email_goes_at_night(owed, town, amina, clock):
    keep_hub_quiet(amina, town, dt.time(21), dt.time(8))
    owed(EMAIL)
    clock(at(3))
    assert sending.to_send("email").exists()


def test_the_list_of_calls_says_who_is_to_be_rung_later(owed, town, amina, signed_in, clock):
    local = timezone.localtime()
    keep_hub_quiet(
        amina, town, (local - dt.timedelta(hours=1)).time(), (local + dt.timedelta(hours=1)).time()
    )
    owed(PHONE)
    page = signed_in(amina).get("/who-has-heard/to-tell/phone/").content.decode()
    assert "They want no calls at this time of the day" in page
    assert "I told them" not in page


# Calls


def test_one_tap_says_how_a_call_went(owed, amina, signed_in):
    feedback = owed(PHONE)
    browser = signed_in(amina)
    browser.post(f"/who-has-heard/told/{feedback.pk}/", {f"f{feedback.pk}-outcome": "no answer"})
    assert now(feedback).tries == 1
    assert now(feedback).not_before > timezone.now() + dt.timedelta(hours=2)
    assert "from" in browser.get("/who-has-heard/to-tell/phone/").content.decode()
    browser.post(
        f"/who-has-heard/told/{feedback.pk}/",
        {f"f{feedback.pk}-outcome": "again", f"f{feedback.pk}-again": "week"},
    )
    assert now(feedback).not_before > timezone.now() + dt.timedelta(days=6)
    browser.post(f"/who-has-heard/told/{feedback.pk}/", {f"f{feedback.pk}-outcome": "told"})
    assert now(feedback).state == State.HEARD
    assert outcomes(feedback) == [("phone", "no answer"), ("phone", "no answer"), ("phone", "heard")]


def test_ring_again_without_a_time_says_so_and_keeps_what_they_said(owed, amina, signed_in):
    feedback = owed(PHONE)
    said = {f"f{feedback.pk}-outcome": "again", f"f{feedback.pk}-words": "Not while I cook"}
    page = signed_in(amina).post(f"/who-has-heard/told/{feedback.pk}/", said).content.decode()
    assert "Choose when to ring them again" in page
    assert "Not while I cook" in page
    assert now(feedback).tries == 0


def test_where_no_machine_sends_texts_they_are_rung(owed, amina, signed_in):
    owed(TEXT)
    page = signed_in(amina).get("/who-has-heard/to-tell/phone/").content.decode()
    assert "Ring 07700 900123" in page


# Rate


class Counting:
    """A far side that takes everything."""

    name, kind = "counting", Way.Kind.EMAIL

    def __init__(self) -> None:
        self.took = 0

    def is_set_up(self) -> bool:
        return True

    def line(self):
        import contextlib

        @contextlib.contextmanager
        def open_line():
            yield self.take

        return open_line()

    def take(self, message):
        self.took += 1
        return Sent()


def owe_many(owed, town, amina, people: int) -> list[int]:
    from coproduce.changes.actions import tie
    from coproduce.voices.actions import write_down

    first = owed(EMAIL)
    for number in range(people - 1):
        person = make_person(f"P{number}", town, way="email", address=f"p{number}@example.org")
        tie(amina, first.update.change, voices=[write_down(amina, town, "So did I", "note", person)])
    actions.tell_latecomers(amina, first.update)
    return list(sending.to_send("email").values_list("pk", flat=True))


def test_no_more_go_in_a_stretch_than_the_rate_allows(owed, town, amina, settings, clock):
    settings.SEND_RATE = {"email": 30}  # three in six seconds
    everybody, far, start = owe_many(owed, town, amina, 8), Counting(), timezone.now()
    clock(start)
    assert sending.send_all(far, everybody, "one worker") == dt.timedelta(seconds=6)
    assert sending.send_all(far, everybody, "another") is not None
    assert far.took == 3
    clock(start + dt.timedelta(seconds=7))
    sending.send_all(far, everybody, "one worker")
    assert far.took == 6


def test_a_clock_that_is_turned_back_stops_nothing(owed, town, amina, settings, clock):
    settings.SEND_RATE = {"email": 30}
    everybody, far, start = owe_many(owed, town, amina, 8), Counting(), timezone.now()
    clock(start)
    sending.send_all(far, everybody, "one worker")
    clock(start - dt.timedelta(hours=3))
    sending.send_all(far, everybody, "one worker")
    assert far.took == 6


def test_a_job_from_before_the_clock_was_turned_back_does_not_hold_sending_up(owed, clock):
    owed(EMAIL)
    DBTaskResult.objects.all().delete()
    start = timezone.now()
    tasks.deliver_what_is_owed()
    clock(start - dt.timedelta(hours=5))
    tasks.deliver_what_is_owed()
    [job] = DBTaskResult.objects.filter(task_path=tasks.deliver.module_path)
    assert job.run_after < start


def test_too_fast_for_the_far_side_waits_as_long_as_it_says(owed):
    class Busy(Counting):
        def take(self, message):
            return NotSent("429 slow down", others_too=True, wait=42)

    feedback = owed(EMAIL)
    assert sending.send_all(Busy(), [feedback.pk], "a worker") == dt.timedelta(seconds=42)
    assert now(feedback).state == State.OWED
    assert outcomes(feedback) == [("email", Outcome.NOT_SENT)]


# Stop


def test_stop_keeps_what_is_not_gone_says_who_and_can_be_started_again(
    owed, amina, signed_in, work_the_queue
):
    feedback = owed(EMAIL)
    browser = signed_in(amina)
    address = f"/who-has-heard/{feedback.update_id}/"
    assert "Stop sending" in browser.get(address).content.decode()
    browser.post(f"{address}sending/", {"stop": ""})
    work_the_queue()
    assert mail.outbox == []
    page = browser.get(address).content.decode()
    assert "Stopped by Amina" in page
    browser.post(f"{address}sending/", {"start": ""})
    work_the_queue()
    assert len(mail.outbox) == 1


def test_stop_holds_for_what_a_worker_has_in_hand_already(owed, amina):
    feedback = owed(EMAIL)
    in_hand = [feedback.pk]
    actions.stop_sending(amina, feedback.update)
    sending.send_all(Smtp(), in_hand, "a worker")
    assert mail.outbox == []


def test_a_stopped_update_is_on_no_list_of_calls_either(owed, amina):
    feedback = owed(PHONE)
    actions.stop_sending(amina, feedback.update)
    assert not Feedback.objects.owed_by(Way.Kind.PHONE).exists()
    assert not Feedback.objects.owed_by_no_way().exists()


def test_a_stopped_update_is_not_on_their_page_either(owed, amina, signed_in):
    feedback = owed(("page", ""))
    actions.stop_sending(amina, feedback.update)
    assert "They said yes" not in signed_in(feedback.person).get("/what-happened/").content.decode()
    assert now(feedback).state == State.OWED
    actions.start_again(amina, feedback.update)
    assert "They said yes" in signed_in(feedback.person).get("/what-happened/").content.decode()


# On record


def test_attempts_hold_no_word_and_no_address(owed, amina, work_the_queue):
    feedback = owed(EMAIL)
    work_the_queue()
    [row] = Attempt.objects.values()
    for secret in ("sami@", "Just one person", "They said yes", "Sami"):
        assert secret not in str(row)
    assert row["reference"].startswith(f"feedback-{feedback.pk}.1.")


def test_a_second_way_of_the_same_kind_is_another_way(owed, amina):
    feedback = owed(EMAIL)
    second = add_way(amina, feedback.person, "email", "second@example.org")
    message = on_the_line(feedback.pk, "a worker", "email")
    assert message.way.address == "sami@example.org"
    sending.refused(message, "550 no")
    again = on_the_line(feedback.pk, "a worker", "email")
    assert again.way == second
    assert again.reference != message.reference
