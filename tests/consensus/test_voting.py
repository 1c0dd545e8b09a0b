"""Every way of voting: who may, what stands, and whose it is."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from coproduce.consensus import actions, voting
from coproduce.consensus.models import Statement, Vote, Voter
from coproduce.people.actions import end_mandate, make_mandate
from coproduce.people.permissions import NotAllowed
from coproduce.voices.actions import set_consent, write_down
from tests.conftest import make_person

pytestmark = pytest.mark.django_db
Way = Vote.Way


def standing(**which: object) -> list[tuple[int, str]]:
    return list(Vote.objects.standing().filter(**which).values_list("choice", "way"))


def test_the_last_vote_stands_and_there_is_one(lee, conversation, statements):
    voting.vote(lee, conversation, statements[0], 1)
    voting.vote(lee, conversation, statements[0], -1)
    assert standing() == [(-1, Way.SCREEN)]
    assert Voter.objects.count() == Vote.objects.count() == 1


def test_what_somebody_votes_themselves_stands_before_what_was_recorded(amina, lee, conversation, statements):
    voting.vote(lee, conversation, statements[0], 1)
    voting.record_vote(amina, conversation, lee, statements[0], -1)
    assert standing(voter__person=lee) == [(1, Way.SCREEN)]
    voting.record_vote(amina, conversation, lee, statements[1], -1)
    assert standing(statement=statements[1]) == [(-1, Way.PHONE)]
    voting.vote(lee, conversation, statements[1], 0)
    assert standing(statement=statements[1]) == [(0, Way.SCREEN)]
    assert Vote.objects.filter(recorded_by=amina).count() == 2, "what was recorded is kept"


def test_a_trusted_person_votes_while_the_mandate_to_vote_stands(lee, joan, amina, conversation, statements):
    mandate = make_mandate(lee, lee, joan, ["vote"])
    voting.vote_for(joan, mandate, conversation, statements[0], 1)
    assert standing(voter__person=lee) == [(1, Way.TRUSTED_PERSON)]
    assert Vote.objects.get().recorded_by == joan
    with pytest.raises(NotAllowed):
        voting.vote_for(amina, mandate, conversation, statements[0], 1)
    end_mandate(lee, mandate)
    with pytest.raises(NotAllowed):
        voting.vote_for(joan, mandate, conversation, statements[1], 1)


def test_a_mandate_to_speak_is_none_to_vote(lee, joan, conversation, statements):
    mandate = make_mandate(lee, lee, joan, ["speak", "hear"])
    with pytest.raises(NotAllowed):
        voting.vote_for(joan, mandate, conversation, statements[0], 1)


def test_who_may_record_and_for_whom(amina, lee, joan, marek, charlie, conversation, statements):
    for by in (lee, joan, marek, charlie):
        with pytest.raises(NotAllowed):
            voting.record_vote(by, conversation, lee, statements[0], 1)
        with pytest.raises(NotAllowed):
            voting.type_in(by, conversation, {statements[0].pk: 1}, "sheet")
    for whom in (amina, charlie):
        with pytest.raises(NotAllowed):
            voting.record_vote(amina, conversation, whom, statements[0], 1)


def test_only_the_group_votes_where_the_link_is_not_for_anybody(
    amina, lee, marek, charlie, conversation, statements
):
    actions.set_link(amina, conversation, False)
    conversation.refresh_from_db()
    voting.vote(lee, conversation, statements[0], 1)
    for by in (marek, charlie):
        with pytest.raises(NotAllowed):
            voting.vote(by, conversation, statements[0], 1)
    with pytest.raises(NotAllowed):
        voting.vote_by_link("a secret", conversation, statements[0], 1)


def test_a_secret_is_kept_as_a_hash_and_goes_no_further_than_its_conversation(
    amina, topic, conversation, statements
):
    voting.vote_by_link("a secret", conversation, statements[0], 1)
    voter = Voter.objects.get()
    assert voter.person is None and voter.key and "secret" not in voter.key
    other = actions.open_conversation(amina, topic, by_link=True)
    assert voting.voter_of(other, None, "a secret") is None
    assert voting.voter_of(conversation, None, "") is None


def test_votes_of_before_signing_in_become_ones_own_and_the_later_one_stands(lee, conversation, statements):
    voting.vote(lee, conversation, statements[0], 1)
    voting.vote_by_link("a secret", conversation, statements[0], -1)
    voting.vote_by_link("a secret", conversation, statements[1], -1)
    voting.vote(lee, conversation, statements[1], 1)
    mine = voting.make_mine(lee, conversation, "a secret")
    assert dict(mine.votes.values_list("statement", "choice")) == {
        statements[0].pk: -1,
        statements[1].pk: 1,
    }
    assert Voter.objects.get() == mine
    assert voting.make_mine(lee, conversation, "a secret") == mine, "doing it twice changes nothing"


def test_all_of_ones_votes_can_be_taken_out(lee, conversation, statements):
    voting.vote(lee, conversation, statements[0], 1)
    voting.vote_by_link("a secret", conversation, statements[0], 1)
    voting.take_out_votes(lee, conversation)
    assert not Vote.objects.filter(voter__person=lee).exists()
    voting.take_out_votes(None, conversation, "a secret")
    assert not Vote.objects.exists()


def test_a_sheet_sent_twice_is_there_once_and_the_next_one_gets_another_number(
    amina, conversation, statements
):
    choices = {statements[0].pk: 1, statements[2].pk: 0}
    first = voting.type_in(amina, conversation, choices, "one")
    assert voting.type_in(amina, conversation, choices, "one") == first
    second = voting.type_in(amina, conversation, choices, "two")
    assert (first.number, second.number) == (1, 2)
    assert Vote.objects.count() == 4


def test_of_a_table_counts_all_or_nothing(amina, lee, charlie, conversation, statements):
    choices = {statements[0].pk: 1}
    with pytest.raises(NotAllowed):
        voting.type_in_many(amina, conversation, [(choices, "a-1", None), (choices, "a-2", charlie)])
    voters = voting.type_in_many(amina, conversation, [(choices, "a-1", None), (choices, "a-2", lee)])
    assert [voter.person for voter in voters] == [None, lee]


def test_what_is_closed_takes_no_vote(amina, lee, conversation, statements):
    actions.freeze(amina, conversation, "decided", "We agree.")
    for late in (
        lambda: voting.vote(lee, conversation, statements[0], 1),
        lambda: voting.type_in(amina, conversation, {statements[0].pk: 1}, "x"),
        lambda: voting.vote_by_link("a secret", conversation, statements[0], 1),
        lambda: voting.take_out_votes(lee, conversation),
    ):
        with pytest.raises(ValidationError, match="closed"):
            late()


def test_on_what_is_not_in_sight_nobody_votes(amina, lee, conversation, statements):
    actions.take_out(amina, statements[0], "It names somebody.")
    waiting = actions.write_statement(lee, conversation, "More lights.")
    assert waiting.state == Statement.State.WAITING
    for statement in (statements[0], waiting):
        with pytest.raises(ValidationError, match="taken out"):
            voting.vote(lee, conversation, statement, 1)
    assert not Vote.objects.exists()


def test_a_statement_made_of_a_voice_is_seen_as_far_as_the_voice_allows(
    amina, lee, charlie, town, conversation
):
    said = write_down(amina, town, "We need someplace to rest our legs", "note", lee, uses=["group"])
    made = actions.write_statement(amina, conversation, "There should be seats.", [said])
    voting.vote(lee, conversation, made, 1)
    with pytest.raises(ValidationError):
        voting.vote_by_link("a secret", conversation, made, 1)
    with pytest.raises(ValidationError):
        voting.vote(charlie, conversation, made, 1)
    set_consent(lee, said, ["group", "public"])
    voting.vote_by_link("a secret", conversation, made, 1)
    set_consent(lee, said, [])
    for late in (
        lambda: voting.vote(lee, conversation, made, 1),
        lambda: voting.vote_by_link("b", conversation, made, 1),
    ):
        with pytest.raises(ValidationError):
            late()


def test_another_number_is_no_vote(lee, conversation, statements):
    with pytest.raises(ValueError, match="no vote"):
        voting.vote(lee, conversation, statements[0], 2)


def test_why_is_a_voice_with_what_it_may_be_used_for(lee, conversation, statements, topic):
    voice = voting.say_why(lee, conversation, statements[0], "My knees.", ["group"])
    assert (voice.person, voice.words) == (lee, "My knees.")
    assert list(voice.consents.values_list("use", flat=True)) == ["group"]
    assert voice in topic.voices.all()
    came = voting.say_why_by_link(conversation, statements[0], "My feet.", [])
    assert came.words == "My feet." and came.hub == topic.hub


def test_who_is_known_only_through_somebody_is_rung_up_by_nobody(amina, joan, town, conversation):
    from coproduce.people.actions import bring_in

    magpie = bring_in(joan, town, "Magpie", only_i_know=True)
    dot = make_person("Dot", town)
    known = voting.who_may_vote(amina, conversation)
    assert dot in known and magpie not in known and amina not in known
