from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from coproduce.agenda.actions import meetings, wall
from coproduce.agenda.actions import minutes as actions
from coproduce.agenda.models import Correction, Decision, Item, Minutes, Topic
from coproduce.glossary.actions import explain
from coproduce.people.permissions import NotAllowed
from coproduce.voices import consent

pytestmark = pytest.mark.django_db


def page_of(client, name: str, *args: object) -> str:
    return client.get(reverse(f"agenda:{name}", args=args)).content.decode()


@pytest.fixture
def item(amina, today, topic):
    return meetings.put_on_agenda(amina, today, Item.Kind.TOPIC, 20, topic)


@pytest.fixture
def minutes(amina, lee, today, item):
    """The minutes of a meeting where Lee was, open until tomorrow."""
    meetings.note_who_came(amina, today, lee, "came")
    wall.open_wall(amina, today)
    wall.write_note(today, "I had eleven workers", ["group"], wall.new_token(), item, person=lee)
    wall.write_note(today, "Only for you", [], wall.new_token(), item)
    actions.agree(amina, today, "We ask for one worker.", item)
    actions.give_action(amina, today, "Ring the council.", lee, today.on, item)
    made = actions.draft_minutes(amina, today)
    actions.open_minutes(amina, made, timezone.localdate() + dt.timedelta(days=1))
    return made


def let_the_day_pass(minutes: Minutes) -> None:
    Minutes.objects.filter(pk=minutes.pk).update(open_until=timezone.localdate() - dt.timedelta(days=1))
    minutes.refresh_from_db()


# What was agreed, and who does what


def test_what_was_agreed_can_decide_a_topic_on_the_day_of_the_meeting(amina, today, item, topic):
    agreement = actions.agree(amina, today, "One worker for each of us.", item, "decided")
    decision = Decision.objects.get(topic=topic)
    assert (decision.words, decision.on, agreement.decision) == (
        "One worker for each of us.",
        today.on,
        decision,
    )
    assert Topic.objects.with_stage().get(pk=topic.pk).stage == "decided"
    actions.take_agreement_back(amina, agreement)
    assert Topic.objects.with_stage().get(pk=topic.pk).stage == "open"


def test_a_decision_needs_its_topic_and_an_agreement_needs_words(amina, today):
    with pytest.raises(ValidationError):
        actions.agree(amina, today, "Yes", None, "decided")
    with pytest.raises(ValidationError):
        actions.agree(amina, today, "  ")


def test_the_topic_shows_its_meetings_and_what_was_agreed_to_the_group(
    amina, lee, today, item, topic, signed_in, client
):
    actions.agree(amina, today, "We ask for one worker.", item)
    assert "We agreed: We ask for one worker." in page_of(signed_in(lee), "topic", topic.pk)
    assert "We agreed" not in page_of(client, "topic", topic.pk)


def test_done_in_one_tap_by_who_does_it_and_by_nobody_else(amina, lee, joan, today, signed_in):
    action = actions.give_action(amina, today, "Ring the council", lee, today.on)
    browser = signed_in(lee)
    assert "Ring the council" in browser.get(reverse("hearback:what_happened")).content.decode()
    signed_in(joan).post(reverse("agenda:finish", args=[action.pk]))
    action.refresh_from_db()
    assert action.done_at is None
    browser.post(reverse("agenda:finish", args=[action.pk]))
    action.refresh_from_db()
    assert (action.done_by, bool(action.done_at)) == (lee, True)
    browser.post(reverse("agenda:finish", args=[action.pk]), {"undo": "1"})
    action.refresh_from_db()
    assert action.done_at is None


def test_an_action_is_for_somebody_of_the_hub_and_not_for_yesterday(amina, lee, charlie, today):
    with pytest.raises(NotAllowed):
        actions.give_action(amina, today, "Ring them", charlie, today.on)
    with pytest.raises(ValidationError):
        actions.give_action(amina, today, "Ring them", lee, today.on - dt.timedelta(days=1))


# The minutes


def test_a_draft_holds_what_is_on_record_and_the_group_does_not_see_it_yet(
    amina, lee, today, item, signed_in
):
    meetings.note_who_came(amina, today, lee, "came")
    meetings.count_others(amina, today, 2)
    actions.draft_minutes(amina, today)
    page = page_of(signed_in(amina), "minutes", today.pk)
    assert "3 people came." in page and "Who stays?" in page
    path = reverse("agenda:minutes", args=[today.pk])
    assert signed_in(lee).get(path).status_code == 404


def test_a_second_draft_changes_nothing(amina, minutes, item):
    actions.write_minutes(amina, minutes, "Short.", {item.pk: "We talked long."})
    assert actions.draft_minutes(amina, minutes.meeting).words == "Short."
    item.refresh_from_db()
    assert item.talked == "We talked long."


def test_the_group_reads_them_and_each_name_only_by_consent(
    amina, lee, joan, marek, minutes, today, signed_in
):
    page = page_of(signed_in(joan), "minutes", today.pk)
    assert "1 person came." in page and "I had eleven workers" in page
    assert "We ask for one worker." in page and "Lee: Ring the council" in page
    assert "Only for you" not in page
    meetings.name_in_minutes(lee, today, lee, True)
    assert "Lee came." in page_of(signed_in(joan), "minutes", today.pk)
    assert signed_in(marek).get(reverse("agenda:minutes", args=[today.pk])).status_code == 404


def test_words_that_are_taken_back_leave_the_minutes_at_once(lee, joan, minutes, today, signed_in):
    consent.take_back(lee, list(lee.voices.all()), [], "take out")
    for name in ("minutes", "minutes_pdf"):
        answer = signed_in(joan).get(reverse(f"agenda:{name}", args=[today.pk]))
        assert b"eleven workers" not in answer.content
    assert "eleven" not in page_of(signed_in(joan), "minutes", today.pk)


def test_those_who_were_there_put_them_right_and_it_is_answered_for_all_to_see(
    amina, lee, joan, minutes, today, signed_in
):
    path = reverse("agenda:correct", args=[today.pk])
    assert signed_in(joan).post(path, {"words": "No"}).status_code == 404, "she was not there"
    signed_in(lee).post(path, {"words": "It was twelve"})
    correction = Correction.objects.get()
    assert "It was twelve" not in page_of(signed_in(joan), "minutes", today.pk)
    with pytest.raises(ValidationError):
        actions.settle(amina, correction, taken=False)
    actions.settle(amina, correction, taken=False, answer="You said eleven.")
    page = page_of(signed_in(joan), "minutes", today.pk)
    assert "It was twelve" in page and "Left as it is. You said eleven." in page


def test_they_stand_when_the_day_is_past_and_everybody_is_answered(amina, lee, minutes, today, item):
    correction = actions.correct(lee, minutes, "It was twelve")
    let_the_day_pass(minutes)
    assert not minutes.is_open and not minutes.stand
    actions.settle(amina, correction, taken=True)
    assert minutes.stand
    with pytest.raises(ValidationError):
        actions.correct(lee, minutes, "And this")
    for late in (
        lambda: actions.write_minutes(amina, minutes, "Other words", {}),
        lambda: actions.agree(amina, today, "And that"),
    ):
        with pytest.raises(ValidationError):
            late()


# On paper, with the words explained


@pytest.mark.parametrize("name", ["agenda_pdf", "minutes_pdf"])
def test_it_prints_tagged_with_the_words_explained(
    name, amina, lee, town, minutes, today, signed_in, tmp_path
):
    explain(amina, town, "HRS", "Help to keep your home.")
    explain(amina, town, "worker", "Somebody who is paid to help you.")
    answer = signed_in(lee).get(reverse(f"agenda:{name}", args=[today.pk]))
    pdf = tmp_path / "paper.pdf"
    pdf.write_bytes(answer.content)
    read = PdfReader(pdf)
    assert read.trailer["/Root"]["/MarkInfo"]["/Marked"]
    text = " ".join(page.extract_text() for page in read.pages)
    assert "Who stays?" in text
    assert "What these words mean" in text and "Somebody who is paid to help you." in text
    assert "Help to keep your home." not in text, "only what stands in it"


def test_whoever_writes_them_sees_which_words_nobody_has_explained(amina, minutes, today, item, signed_in):
    actions.write_minutes(amina, minutes, "The SDR goes to the ICB.", {})
    page = page_of(signed_in(amina), "write_minutes", today.pk)
    assert "Nobody has explained" in page and "SDR" in page
