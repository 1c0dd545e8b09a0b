"""Texts through a plain HTTP gateway, against one on this machine."""

from __future__ import annotations

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from coproduce.hearback import sending
from coproduce.hearback.channels.gateway import Gateway, number
from coproduce.hearback.models import State

TEXT = ("text", "07700 900123")


def now(thing):
    thing.refresh_from_db()
    return thing


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("07700 900123", "+447700900123"),
        ("+44 (0)7700 900-123", "+447700900123"),
        ("0044 7700 900123", "+447700900123"),
        ("+353 20 917 0000", "+353209170000"),
    ],
)
def test_a_number_as_people_write_it(written, meant):
    assert number(written) == meant


@given(st.text())
def test_whatever_is_written_a_number_holds_digits_only(written):
    assert set(number(written)) <= set("+") | {mark for mark in number(written) if mark.isdigit()}


@pytest.mark.django_db
class TestSending:
    def test_a_text_goes_once_with_its_reference(self, owed, gateway_server, work_the_queue):
        feedback = owed(TEXT)
        work_the_queue()
        [text] = gateway_server.texts
        assert text["to"] == "+447700900123"
        assert text["reference"] == feedback.attempts.get().reference
        assert "/reply/" in text["text"]
        assert now(feedback).state == State.SENT
        assert feedback.attempts.get().theirs == "text-1"

    def test_where_others_may_read_there_is_no_link(self, owed, gateway_server, work_the_queue):
        owed(TEXT, others_may_read=True)
        work_the_queue()
        [text] = gateway_server.texts
        assert "http" not in text["text"]
        assert "There is news for you" in text["text"]

    @pytest.mark.parametrize("status", [400, 404, 410, 422])
    def test_a_number_it_refuses_goes_to_a_human(self, owed, gateway_server, work_the_queue, status):
        gateway_server.answers["+447700900123"] = (status, {})
        feedback = owed(TEXT)
        work_the_queue()
        assert now(feedback).state == State.UNDELIVERABLE

    @pytest.mark.parametrize(
        ("status", "headers", "wait"),
        [
            (429, {"Retry-After": "7"}, 7),
            (429, {}, 60),
            (503, {"Retry-After": "Mon, 23 Nov 2026"}, 60),
            (429, {"Retry-After": "99999999"}, 3600),
            (401, {}, 300),
        ],
    )
    def test_not_now_leaves_everything_owed(self, owed, gateway_server, status, headers, wait):
        gateway_server.answers["+447700900123"] = (status, headers)
        feedback = owed(TEXT)
        waits = sending.send_all(Gateway(), [feedback.pk], "a worker")
        assert waits.total_seconds() == wait
        assert now(feedback).state == State.OWED

    def test_no_answer_leaves_it_to_a_human_and_is_not_sent_again(self, owed, gateway_server, work_the_queue):
        gateway_server.hang_up_after_keeping = 1
        feedback = owed(TEXT)
        work_the_queue()
        assert now(feedback).state == State.UNCERTAIN
        assert len(gateway_server.texts) == 1

    def test_where_it_sends_a_key_only_once_it_is_asked_again(
        self, owed, gateway_server, settings, work_the_queue
    ):
        settings.SMS_KEYS_ARE_HONOURED = True
        gateway_server.hang_up_after_keeping = 1
        feedback = owed(TEXT)
        work_the_queue()
        assert now(feedback).state == State.SENT
        assert len(gateway_server.texts) == 1

    def test_where_nobody_listens_it_stays_owed(self, owed, settings, work_the_queue):
        settings.SMS_URL = "http://127.0.0.1:9/"
        feedback = owed(TEXT)
        work_the_queue()
        assert now(feedback).state == State.OWED

    @pytest.mark.parametrize(
        ("status", "state"),
        [("delivered", State.SENT), ("failed", State.UNDELIVERABLE), ("queued", State.SENT)],
    )
    def test_its_receipts_are_taken_as_form_and_as_json(
        self, owed, gateway_server, settings, work_the_queue, status, state
    ):
        settings.SMS_CALLBACK_TOKEN = "it is the gateway"
        feedback = owed(TEXT)
        work_the_queue()
        said = {"reference": feedback.attempts.get().reference, "status": status}
        headers = {"Authorization": "Bearer it is the gateway"}
        assert Client().post("/receipts/text/", said, headers=headers).status_code == 204
        assert now(feedback).state == state
        answer = Client().post("/receipts/text/", said, content_type="application/json", headers=headers)
        assert answer.status_code == 204
        assert now(feedback).state == state

    def test_a_folder_in_place_of_an_address_keeps_texts_as_files(
        self, owed, settings, tmp_path, work_the_queue
    ):
        settings.SMS_URL = f"file://{tmp_path / 'texts'}"
        feedback = owed(TEXT)
        work_the_queue()
        [kept] = (tmp_path / "texts").iterdir()
        assert "+447700900123" in kept.read_text()
        assert kept.name.startswith(f"feedback-{feedback.pk}.")
