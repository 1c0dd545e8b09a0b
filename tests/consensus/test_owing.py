"""Who voted is owed what came of it: told once each, nobody forgotten. What is theirs can be had and taken out."""

from __future__ import annotations

import pytest
from django.utils import timezone

from coproduce.changes.actions import record_change, take_step
from coproduce.changes.thread import count_behind, count_people_behind
from coproduce.consensus import actions, voting
from coproduce.consensus.models import Reckoned, Statement, Vote, Voter
from coproduce.consensus.reckoning import reckon
from coproduce.hearback.actions import tell_latecomers, write_update
from coproduce.hearback.debt import Kind, owed_in, with_people
from coproduce.hearback.mine import what_became_of_what_they_said
from coproduce.hearback.models import Feedback
from coproduce.people.models import Erasure
from coproduce.site.erase import erase_person
from coproduce.site.everything import export_person
from coproduce.voices.actions import write_down
from tests.conftest import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def dot(town):
    return make_person("Dot", town)


@pytest.fixture
def voted(amina, lee, dot, conversation, statements, camps):
    """Lee voted himself, Dot by phone, a dozen strangers by the link. Nobody said a word on the topic."""
    camps(6, 6)
    voting.vote(lee, conversation, statements[0], 1)
    voting.record_vote(amina, conversation, dot, statements[0], -1)
    return conversation


@pytest.mark.parametrize("stage", ["decided", "working"])
def test_freezing_owes_the_answer_to_everybody_who_voted(amina, town, voted, stage):
    assert not owed_in([town.pk])
    actions.freeze(amina, voted, stage, "Benches with backs.")
    [owed] = with_people(owed_in([town.pk]))
    assert owed.about == voted.topic and owed.people == 2
    assert owed.kind in (Kind.DECISION, Kind.COMMON_GROUND) and owed.since == timezone.localdate()


def test_everybody_who_voted_is_told_once_and_strangers_are_nobodys_to_tell(amina, lee, dot, town, voted):
    actions.freeze(amina, voted, "working", "Benches with backs.")
    [owed] = owed_in([town.pk])
    assert owed.kind == Kind.COMMON_GROUND
    update = write_update(amina, voted.topic, "We have an answer", "Benches with backs.")
    assert set(Feedback.objects.values_list("person", flat=True)) == {lee.pk, dot.pk}
    assert tell_latecomers(amina, update) == 0
    assert not owed_in([town.pk])


def test_who_both_spoke_and_voted_is_told_once(amina, lee, town, voted):
    said = write_down(amina, town, "My knees", "note", lee)
    voted.topic.voices.add(said)
    actions.freeze(amina, voted, "decided", "Benches with backs.")
    write_update(amina, voted.topic, "We have an answer", "Benches with backs.")
    assert Feedback.objects.filter(person=lee).count() == 1
    assert count_people_behind([voted.topic]) == {(type(voted.topic), voted.topic.pk): 2}


def test_who_voted_stands_behind_the_change_that_came_of_it(amina, lee, dot, town, voted):
    change = record_change(amina, town, "Ten benches", "They are back.", "building", topics=[voted.topic])
    take_step(amina, change, "made")
    assert (count_behind(change).people, count_behind(change).voices) == (2, 0)
    write_update(amina, change, "They are there", "Ten of them.")
    assert set(Feedback.objects.values_list("person", flat=True)) == {lee.pk, dot.pk}


def test_they_read_it_on_their_own_page(amina, lee, voted, signed_in):
    actions.freeze(amina, voted, "decided", "Benches with backs.")
    assert "Nobody has told you about this yet" in signed_in(lee).get("/what-happened/").content.decode()
    write_update(amina, voted.topic, "We have an answer", "Benches with backs are coming.")
    page = signed_in(lee).get("/what-happened/").content.decode()
    assert "You voted on it" in page and "Benches with backs are coming." in page
    assert what_became_of_what_they_said(lee).owed == 0


def test_to_voters_it_says_nothing_that_they_did_not_say(amina, lee, voted, work_the_queue, mailoutbox):
    actions.freeze(amina, voted, "decided", "Benches with backs.")
    write_update(amina, voted.topic, "We have an answer", "Benches with backs are coming.")
    work_the_queue()
    [mail] = [mail for mail in mailoutbox if mail.to == ["lee@example.org"]]
    assert "You said" not in mail.body and "Benches with backs are coming." in mail.body


# What is theirs


def test_they_get_all_of_it(lee, voted):
    actions.write_statement(lee, voted, "Warm seats.")
    told = export_person(lee)
    [vote] = told["votes"]
    assert (vote["vote"], vote["how"]) == ("Agree", "on their own screen")
    assert [one["words"] for one in told["statements_written"]] == ["Warm seats."]


def test_erased_their_votes_and_statements_are_gone(amina, lee, town, voted):
    mine = actions.write_statement(lee, voted, "Warm seats.")
    said = write_down(amina, town, "Cold feet", "note", lee, uses=["group", "public"])
    made = actions.write_statement(amina, voted, "Cold feet hurt.", [said])
    reckon(voted)
    before = Vote.objects.count()
    erase_person(lee, lee)
    assert not Voter.objects.filter(person=lee).exists() and Vote.objects.count() == before - 1
    for one in (mine, made):
        one.refresh_from_db()
        assert one.words == ""
    assert made.state == Statement.State.WORDLESS and mine.written_by is None
    reckon(voted)
    assert len(Reckoned.objects.get().priority) == 3


def test_erased_nameless_the_votes_stay_and_nobody_knows_whose(lee, voted):
    before = Vote.objects.count()
    erase_person(lee, lee, Erasure.Choice.NAMELESS)
    assert Vote.objects.count() == before
    assert not Voter.objects.filter(person=lee).exists()


def test_who_recorded_votes_and_is_erased_leaves_them_standing(amina, joan, dot, voted):
    second = make_person("Omar", voted.hub, "facilitator")
    voting.record_vote(second, voted, dot, voted.statements.last(), 1)
    erase_person(amina, second)
    assert Vote.objects.filter(voter__person=dot, recorded_by=None).exists()
