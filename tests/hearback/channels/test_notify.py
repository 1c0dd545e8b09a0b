"""GOV.UK Notify, against a server on this machine that speaks its documented API, errors and receipts included."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from coproduce.hearback import actions, sending, tasks
from coproduce.hearback.channels import notify
from coproduce.hearback.channels.here import senders
from coproduce.hearback.models import Attempt, State
from coproduce.people.models import Way
from coproduce.people.sensitive import sensitive_words
from coproduce.site.worker import clear_up
from tests.hearback.conftest import on_the_line

pytestmark = pytest.mark.django_db
TEXT, LETTER = ("text", "07700 900123"), ("letter", "1 Long Road\nEastmoor\nEM1 1AA")
EMAIL = ("email", "sami@example.org")


def now(thing):
    thing.refresh_from_db()
    return thing


def test_a_text_goes_through_notify_with_our_reference(owed, notify_server, work_the_queue):
    feedback = owed(TEXT)
    work_the_queue()
    [asked] = notify_server.sent
    [attempt] = feedback.attempts.all()
    assert asked["kind"] == "sms"
    assert asked["phone_number"] == "07700 900123"
    assert asked["reference"] == attempt.reference
    assert "/reply/" in asked["personalisation"]["body"]
    assert attempt.theirs == notify_server.notifications[0]["id"]
    assert now(feedback).state == State.SENT


def test_a_letter_goes_with_its_address_in_lines_and_their_own_words(owed, notify_server, work_the_queue):
    feedback = owed(LETTER)
    work_the_queue()
    [asked] = notify_server.sent
    given = asked["personalisation"]
    assert [given[f"address_line_{number}"] for number in range(1, 5)] == [
        "Sami",
        "1 Long Road",
        "Eastmoor",
        "EM1 1AA",
    ]
    assert "Just one person to ring" in given["body"]
    assert now(feedback).state == State.SENT


@pytest.mark.parametrize("way", [TEXT, LETTER, EMAIL], ids=["text", "letter", "email"])
def test_where_others_may_read_it_only_says_that_there_is_news(
    owed, notify_server, settings, work_the_queue, way
):
    settings.NOTIFY_TEMPLATES = {"email": "an-email", "text": "a-text", "letter": "a-letter"}
    owed(way, others_may_read=True)
    work_the_queue()
    [asked] = notify_server.sent
    body = asked["personalisation"]["body"]
    assert "There is news for you." in body
    assert not sensitive_words(re.sub(r"http\S+", "", body))
    for secret in ("Just one person", "They said yes", "You choose", "/reply/"):
        assert secret not in body


def test_a_long_address_keeps_its_postcode_last(owed, notify_server, work_the_queue):
    owed(("letter", "\n".join([f"Line {number}" for number in range(8)] + ["EM1 1AA"])))
    work_the_queue()
    [asked] = notify_server.sent
    assert asked["personalisation"]["address_line_7"] == "EM1 1AA"
    assert "address_line_8" not in asked["personalisation"]


def test_an_email_goes_with_a_link_that_stops_it_in_one_tap(owed, notify_server, settings, work_the_queue):
    settings.NOTIFY_TEMPLATES = {"email": "an-email", "text": "", "letter": ""}
    owed(EMAIL)
    work_the_queue()
    [asked] = notify_server.sent
    assert asked["one_click_unsubscribe_url"].split("/")[-3] == "stop"
    assert "You choose one, and they stay." in asked["personalisation"]["body"]


def test_where_notify_is_not_set_up_others_send(settings):
    settings.NOTIFY_API_KEY = ""
    settings.SMS_URL = ""
    assert [(channel.kind, channel.name) for channel in senders()] == [(Way.Kind.EMAIL, "SMTP")]


@pytest.mark.parametrize(
    ("way", "problem"),
    [
        (("text", "01632 96012"), "Not enough digits"),
        (("letter", "1 Long Road\nEastmoor"), "real UK postcode"),
    ],
    ids=["number", "postcode"],
)
def test_an_address_that_notify_refuses_goes_to_a_human_with_the_reason(
    owed, notify_server, work_the_queue, way, problem
):
    feedback = owed(way)
    work_the_queue()
    assert now(feedback).state == State.UNDELIVERABLE
    assert problem in feedback.problem


def test_and_by_the_next_way_first(owed, notify_server, mailoutbox, work_the_queue):
    feedback = owed(("text", "01632 96012"), EMAIL)
    work_the_queue()
    assert [message.to for message in mailoutbox] == [["sami@example.org"]]
    assert now(feedback).state == State.SENT


def test_a_template_that_is_gone_makes_nobody_undeliverable(owed, notify_server, work_the_queue):
    notify_server.templates.clear()
    feedback = owed(TEXT)
    work_the_queue()
    assert now(feedback).state == State.OWED
    assert "Template not found" in feedback.problem


def test_a_key_that_is_not_known_makes_nobody_undeliverable(owed, notify_server, settings, work_the_queue):
    settings.NOTIFY_API_KEY = settings.NOTIFY_API_KEY[:-1] + "9"
    feedback = owed(TEXT)
    work_the_queue()
    assert now(feedback).state == State.OWED
    assert "403" in feedback.problem


def test_too_many_a_minute_wait_a_minute_and_nobody_is_told_twice(owed, notify_server):
    notify_server.most_a_minute = 2
    everybody = [owed(("text", f"0770090012{number}"), name=f"P{number}") for number in range(4)]
    wait = sending.send_all(notify.TEXT, [each.pk for each in everybody], "a worker")
    assert wait.total_seconds() == 60
    assert notify_server.kept.count == 2
    assert sorted(now(each).state for each in everybody) == ["owed", "owed", "sent", "sent"]
    notify_server.most_a_minute = 100
    sending.send_all(notify.TEXT, [each.pk for each in everybody], "a worker")
    assert len({asked["phone_number"] for asked in notify_server.sent}) == notify_server.kept.count == 4


def test_over_the_day_s_limit_waits_an_hour(owed, notify_server):
    notify_server.most_a_day = 0
    feedback = owed(TEXT)
    assert sending.send_all(notify.TEXT, [feedback.pk], "a worker").total_seconds() == 3600


def test_when_notify_breaks_one_is_uncertain_and_the_rest_waits(owed, notify_server):
    notify_server.broken = True
    first, second = owed(TEXT), owed(("text", "07700 900124"), name="Dot")
    assert sending.send_all(notify.TEXT, [first.pk, second.pk], "a worker") == sending.TRY_AGAIN_AFTER
    assert [now(each).state for each in (first, second)] == [State.UNCERTAIN, State.OWED]


def test_where_nobody_answers_everything_stays_owed(owed, notify_server, settings):
    settings.NOTIFY_BASE_URL = "http://127.0.0.1:9"
    feedback = owed(TEXT)
    assert sending.send_all(notify.TEXT, [feedback.pk], "a worker") == sending.TRY_AGAIN_AFTER
    assert now(feedback).state == State.OWED


# What became of it


def test_a_crash_in_between_is_settled_where_notify_knows_the_reference(owed, notify_server, work_the_queue):
    known, unknown = owed(TEXT), owed(("text", "07700 900124"), name="Dot")
    with notify.TEXT.line() as send:
        send(
            on_the_line(known.pk, "a dead worker", "text")
        )  # it went, and the worker died before it wrote so
    on_the_line(unknown.pk, "a dead worker", "text")  # it died before
    clear_up()
    assert {now(each).state for each in (known, unknown)} == {State.UNCERTAIN}
    tasks.ask_what_became.enqueue()
    work_the_queue()
    assert now(known).state == State.SENT
    assert now(unknown).state == State.UNCERTAIN
    assert notify_server.kept.count == 1


def test_workers_ask_by_themselves(owed, notify_server, work_the_queue):
    feedback = owed(TEXT)
    with notify.TEXT.line() as send:
        send(on_the_line(feedback.pk, "a dead worker", "text"))
    clear_up()
    work_the_queue()
    assert now(feedback).state == State.SENT


@pytest.mark.parametrize(
    ("status", "state", "outcome"),
    [
        ("delivered", State.SENT, "arrived"),
        ("permanent-failure", State.UNDELIVERABLE, "not arrived"),
        ("temporary-failure", State.UNDELIVERABLE, "not arrived"),
        ("technical-failure", State.UNDELIVERABLE, "not arrived"),
        ("sending", State.SENT, "taken"),
    ],
)
def test_a_receipt_says_what_became_of_it(
    owed, notify_server, settings, work_the_queue, status, state, outcome
):
    settings.NOTIFY_CALLBACK_TOKEN = "it is Notify"
    feedback = owed(TEXT)
    work_the_queue()
    receipt = notify_server.set_status(feedback.attempts.get().reference, status)
    for _ in range(2):  # Notify may send it again
        answer = Client().post(
            "/receipts/notify/",
            receipt,
            content_type="application/json",
            headers={"Authorization": "Bearer it is Notify"},
        )
        assert answer.status_code == 204
    assert now(feedback).state == state
    assert Attempt.objects.get().outcome == outcome


@pytest.mark.parametrize("shown", ["", "Bearer ", "Bearer something else", "it is Notify"])
def test_a_receipt_of_somebody_else_is_not_taken(owed, notify_server, settings, work_the_queue, shown):
    settings.NOTIFY_CALLBACK_TOKEN = "it is Notify"
    feedback = owed(TEXT)
    work_the_queue()
    receipt = notify_server.set_status(feedback.attempts.get().reference, "permanent-failure")
    answer = Client().post(
        "/receipts/notify/", receipt, content_type="application/json", headers={"Authorization": shown}
    )
    assert answer.status_code == 404
    assert now(feedback).state == State.SENT


def test_without_a_token_in_the_settings_there_is_no_such_address(settings):
    settings.NOTIFY_CALLBACK_TOKEN = settings.SMS_CALLBACK_TOKEN = ""
    for address in ("/receipts/notify/", "/receipts/text/"):
        assert Client().post(address, headers={"Authorization": "Bearer "}).status_code == 404


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"hello"', b"\xff"])
def test_a_receipt_that_nobody_understands_says_what_to_send(settings, body):
    settings.NOTIFY_CALLBACK_TOKEN = "it is Notify"
    answer = Client().generic(
        "POST",
        "/receipts/notify/",
        body,
        content_type="application/json",
        headers={"Authorization": "Bearer it is Notify"},
    )
    assert answer.status_code == 400
    assert b"a reference and a status" in answer.content


def test_where_notify_prints_the_letters_nobody_is_asked_to(owed, amina, notify_server, signed_in):
    owed(LETTER)
    assert "Nobody waits for a letter" in signed_in(amina).get("/who-has-heard/letters/").content.decode()


def test_an_update_that_was_stopped_is_not_sent(owed, amina, notify_server, work_the_queue):
    feedback = owed(TEXT)
    actions.stop_sending(amina, feedback.update)
    work_the_queue()
    assert notify_server.sent == []
