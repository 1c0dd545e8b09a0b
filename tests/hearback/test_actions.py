from __future__ import annotations

import pytest
from django.core import mail

from coproduce.agenda.actions.topics import raise_topic
from coproduce.changes.actions import record_change, tie
from coproduce.hearback import actions, sending
from coproduce.hearback.models import Feedback, State, latecomers, tally
from coproduce.people.models import Way
from coproduce.people.permissions import NotAllowed
from coproduce.themes.actions import make_theme
from coproduce.voices.actions import write_down
from tests.conftest import make_person
from tests.hearback.conftest import on_the_line

pytestmark = pytest.mark.django_db


@pytest.fixture
def change(amina, lee, joan, marek, town):
    """A clause that Lee stands behind by two voices and several links, Joan by one, and one note by nobody known."""
    first = write_down(amina, town, "Just one person to ring", "call", lee)
    second = write_down(amina, town, "I told it nine times over", "note", lee)
    third = write_down(amina, town, "He stopped coming after the fourth worker", "meeting", joan)
    nobody = write_down(amina, town, "Not another new face", "note")
    theme = make_theme(amina, town, "One person", voices=[first, second, third, nobody])
    topic = raise_topic(amina, town, "Who stays?", themes=[theme], voices=[first])
    change = record_change(
        amina, town, "One worker", "You choose one worker.", "clause", owner=marek, topics=[topic]
    )
    tie(amina, change, themes=[theme], voices=[first])
    return change


def test_everyone_behind_a_change_is_owed_once_whatever_links_lead_to_them(amina, change, lee, joan):
    update = actions.write_update(
        amina, change, "It is in the contract", "You choose one worker, and they stay."
    )
    assert sorted(update.feedback.values_list("person__name", flat=True)) == ["Joan", "Lee"]


def test_an_email_goes_to_who_wants_emails_and_carries_their_own_words(amina, change, lee, work_the_queue):
    update = actions.write_update(
        amina, change, "It is in the contract", "You choose one worker, and they stay."
    )
    work_the_queue()
    [message] = mail.outbox
    assert message.to == ["lee@example.org"]
    assert "Just one person to ring" in message.body
    assert "I told it nine times over" in message.body
    assert "He stopped coming" not in message.body
    assert update.feedback.get(person=lee).state == State.SENT
    assert tally(update)[State.OWED] == 1  # Joan wants a call


def test_nobody_is_told_twice_when_the_queue_is_worked_again(amina, change, work_the_queue):
    from coproduce.hearback.tasks import deliver

    actions.write_update(amina, change, "News", "Text.")
    work_the_queue()
    deliver.enqueue()
    work_the_queue()
    assert len(mail.outbox) == 1


def test_what_a_dead_worker_had_claimed_is_uncertain_and_not_sent_again(amina, change, lee, work_the_queue):
    update = actions.write_update(amina, change, "News", "Text.")
    claimed = on_the_line(update.feedback.get(person=lee).pk, "worker-1", Way.Kind.EMAIL).feedback
    assert sending.give_up_claims(dead=["worker-1"]) == 1
    work_the_queue()
    assert mail.outbox == []
    claimed.refresh_from_db()
    assert claimed.state == State.UNCERTAIN
    actions.settle(amina, claimed, it_went=False)
    work_the_queue()
    assert len(mail.outbox) == 1


def test_a_latecomer_is_told_as_well(amina, change, town):
    update = actions.write_update(amina, change, "News", "Text.")
    sami = make_person("Sami", town, way=Way.Kind.PAGE)
    tie(amina, change, voices=[write_down(amina, town, "Same here", "note", sami)])
    assert latecomers(update) == 1
    assert actions.tell_latecomers(amina, update) == 1
    assert actions.tell_latecomers(amina, update) == 0
    assert Feedback.objects.filter(update=update, person=sami).count() == 1


def test_an_answer_is_a_voice_on_the_same_topic(amina, change, lee):
    update = actions.write_update(amina, change, "News", "Text.")
    feedback = update.feedback.get(person=lee)
    given = actions.answer(lee, feedback, answered=False, words="It is not happening at my hostel.")
    assert given.voice in change.topics.get().voices.all()
    feedback.refresh_from_db()
    assert feedback.state == State.HEARD


def test_a_member_does_not_write_updates(change, lee):
    with pytest.raises(NotAllowed):
        actions.write_update(lee, change, "News", "Text.")
