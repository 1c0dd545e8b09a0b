from __future__ import annotations

import pytest
from django.test import Client

from coproduce.changes.actions import record_change, take_step, tie, word_clause
from coproduce.changes.models import Change
from coproduce.voices.actions import write_down

pytestmark = pytest.mark.django_db


@pytest.fixture
def change(amina, lee, marek, town):
    change = record_change(
        amina, town, "One worker you trust", "You choose one worker.", "clause", owner=marek
    )
    word_clause(marek, change, "Housing support", "4.2", "A worker is allocated.", "You choose one worker.")
    tie(amina, change, voices=[write_down(amina, town, "Just one person to ring", "call", lee)])
    return change


@pytest.mark.parametrize("page", ["", "words/"])
def test_anybody_may_walk_the_thread(change, charlie, signed_in, page):
    for client in (Client(), signed_in(charlie)):
        answer = client.get(f"/changes/{change.pk}/{page}")
        assert answer.status_code == 200
        assert "Just one person to ring" not in answer.content.decode()


def test_the_group_reads_who_said_it(change, lee, signed_in):
    page = signed_in(lee).get(f"/changes/{change.pk}/").content.decode()
    assert "Just one person to ring" in page
    assert "Lee" in page


@pytest.mark.parametrize("page", ["step/", "clause/", "tie/", "tell/"])
def test_the_tools_do_not_exist_for_a_member(change, lee, signed_in, page):
    client = signed_in(lee)
    missing = client.get("/changes/999999/" + page)
    answer = client.get(f"/changes/{change.pk}/{page}")
    assert answer.status_code == missing.status_code == 404
    assert answer.content == missing.content


def test_a_visitor_is_asked_to_sign_in_whether_or_not_it_exists(change):
    for pk in (change.pk, 999999):
        answer = Client().get(f"/changes/{pk}/step/")
        assert answer.status_code == 302
        assert answer.url.startswith("/account/login/code/")


def test_recording_a_change_then_its_clause(amina, town, signed_in):
    client = signed_in(amina)
    typed = {
        "title": "A new rule",
        "summary": "In plain words.",
        "kind": "clause",
        "hub": town.pk,
        "stage": "made",
        "on_day": "1",
        "on_month": "march",
        "on_year": "2026",
        "owner": amina.pk,
    }
    answer = client.post("/changes/record/", typed)
    change = Change.objects.get()
    assert answer.url == f"/changes/{change.pk}/clause/"
    client.post(answer.url, {"contract": "HRS", "number": "4.2", "before": "", "after": "You choose."})
    page = client.get(f"/changes/{change.pk}/").content.decode()
    assert "You choose." in page
    assert "Made · 1 March" in page


def test_what_was_typed_is_kept_where_something_is_wrong(amina, town, signed_in):
    typed = {
        "title": "A new rule",
        "summary": "",
        "on_day": "31",
        "on_month": "2",
        "on_year": "2026",
        "stage": "made",
    }
    page = signed_in(amina).post("/changes/record/", typed).content.decode()
    assert "There is a problem" in page
    assert "There is no such day" in page
    assert 'value="A new rule"' in page
    assert not Change.objects.exists()


def test_not_made_needs_its_reason(amina, change, signed_in):
    typed = {"stage": "not made", "on_day": "1", "on_month": "3", "on_year": "2026"}
    page = signed_in(amina).post(f"/changes/{change.pk}/step/", typed).content.decode()
    assert "Say why it was not made" in page


def test_a_voice_is_found_by_its_words_and_tied(amina, lee, change, town, signed_in):
    voice = write_down(amina, town, "Nobody told me about the bus", "note", lee)
    client = signed_in(amina)
    page = client.get(f"/changes/{change.pk}/tie/", {"words": "the bus"}).content.decode()
    assert "Nobody told me about the bus" in page
    client.post(f"/changes/{change.pk}/tie/?words=the+bus", {"voices": [voice.pk]})
    assert voice in change.voices.all()
    client.post(f"/changes/{change.pk}/untie/", {"voice": voice.pk})
    assert voice not in change.voices.all()


def test_the_latest_step_is_where_it_stands(amina, change):
    take_step(amina, change, "made")
    assert Change.objects.with_stage().get(pk=change.pk).stage == "made"
