"""What is found is kept and goes on from there; it is the same as from scratch, and shows nobody's single vote."""

from __future__ import annotations

import random

import numpy as np
import pytest
from django_tasks_db.models import DBTaskResult
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coproduce.consensus import actions, reckoning, voting
from coproduce.consensus.models import Reckoned, Vote, Voter
from coproduce.consensus.reckoning import FEWEST, next_of, place_of, reckon, to_reckon
from coproduce.consensus.tasks import reckon_what_is_new
from coproduce.engine import consensus as engine
from coproduce.voices.actions import set_consent, write_down
from tests.conftest import make_person

pytestmark = pytest.mark.django_db


def from_scratch(conversation, out=()) -> engine.Result:
    votes = Vote.objects.standing().filter(statement__conversation=conversation)
    columns = zip(*votes.values_list("voter", "statement", "choice"), strict=True)
    return engine.analyse(
        engine.Votes.from_arrays(*(np.array(column) for column in columns)), moderated_out=out
    )


def assert_same(conversation, out=()) -> None:
    kept, fresh = Reckoned.objects.get(conversation=conversation), from_scratch(conversation, out)
    ours = reckoning._result(kept, [], out)
    assert ours.votes.arrays()[2].tolist() == fresh.votes.arrays()[2].tolist()
    assert ours.labels.tolist() == fresh.labels.tolist()
    assert kept.priority == {
        str(pk): pytest.approx(value, abs=1e-9)
        for pk, value in zip(fresh.votes.statements.tolist(), fresh.priority.tolist(), strict=True)
    }


def test_going_on_is_the_same_as_from_scratch(conversation, statements, amina, lee, full):
    draw = random.Random(5)
    for _round in range(30 if full else 6):
        for _vote in range(15):
            secret, statement = f"s{draw.randrange(20)}", draw.choice(statements)
            voting.vote_by_link(secret, conversation, statement, draw.choice([-1, 0, 1]))
        voting.record_vote(amina, conversation, lee, draw.choice(statements), draw.choice([-1, 0, 1]))
        voting.vote(lee, conversation, draw.choice(statements), draw.choice([-1, 0, 1]))
        assert reckon(conversation)
        assert not to_reckon()
        assert_same(conversation)


def test_it_is_not_read_anew_while_nothing_is_taken_out(
    conversation, camps, statements, django_assert_max_num_queries, monkeypatch
):
    camps(10, 10)
    asked = []
    real = engine.Votes.from_arrays
    monkeypatch.setattr(
        engine.Votes, "from_arrays", lambda *columns: asked.append(len(columns[0])) or real(*columns)
    )
    voting.vote_by_link("one more", conversation, statements[0], 1)
    assert reckon(conversation)
    assert asked[0] == 1, "all votes were read again for one"


def test_running_it_twice_finds_the_same(conversation, camps):
    camps(8, 7)
    before = Reckoned.objects.values().get()
    assert reckon(conversation)
    after = Reckoned.objects.values().get()
    for name in ("priority", "shown", "shown_at", "since_shown"):
        assert before[name] == after[name]


def test_a_vote_that_changes_while_it_is_reckoned_is_counted_the_next_time(
    conversation, camps, statements, monkeypatch
):
    camps(6, 6)
    voting.vote_by_link("late", conversation, statements[0], 1)
    real = reckoning._result

    def and_meanwhile(*arguments):
        voting.vote_by_link("late", conversation, statements[0], -1)
        return real(*arguments)

    with monkeypatch.context() as during:
        during.setattr(reckoning, "_result", and_meanwhile)
        reckon(conversation)
    assert to_reckon() == [conversation.pk]
    assert reckon(conversation)
    assert_same(conversation)


def test_taken_out_while_it_is_reckoned_it_begins_again(conversation, camps, statements, amina, monkeypatch):
    camps(6, 6)
    voting.vote_by_link("late", conversation, statements[0], 1)
    real, done = reckoning._result, []

    def and_meanwhile(*arguments):
        if not done:
            done.append(actions.take_out(amina, statements[0], "It names somebody."))
        return real(*arguments)

    monkeypatch.setattr(reckoning, "_result", and_meanwhile)
    assert reckon(conversation)
    assert_same(conversation, [statements[0].pk])


def test_votes_taken_out_are_gone_from_what_is_kept(conversation, camps, statements, lee):
    camps(6, 6)
    voting.vote(lee, conversation, statements[0], 1)
    reckon(conversation)
    voting.take_out_votes(lee, conversation)
    assert to_reckon() == [conversation.pk]
    reckon(conversation)
    assert_same(conversation)


def test_what_shows_changes_only_with_the_votes_of_several_people(conversation, camps, statements, lee):
    camps(FEWEST - 1, 0)
    assert Reckoned.objects.get().shown == {}
    camps(1, 0, begin=20)
    first = Reckoned.objects.get().shown
    assert first["people"] == FEWEST
    for number in range(FEWEST - 1):
        voting.vote_by_link(f"new {number}", conversation, statements[0], -1)
        reckon(conversation)
        assert Reckoned.objects.get().shown == first, "one vote could be read off the difference"
    voting.vote_by_link("new 0", conversation, statements[1], 1)
    reckon(conversation)
    assert Reckoned.objects.get().shown == first, "the same person once more is not another one"
    voting.vote(lee, conversation, statements[0], -1)
    reckon(conversation)
    assert Reckoned.objects.get().shown["people"] == 2 * FEWEST


def test_who_takes_their_votes_out_is_not_told_by_the_difference(conversation, camps, statements, lee):
    camps(6, 6)
    for statement in statements:
        voting.vote(lee, conversation, statement, -1)
    for number in range(FEWEST):
        voting.vote_by_link(f"new {number}", conversation, statements[0], 1)
    reckon(conversation)
    before = Reckoned.objects.get().shown
    voting.take_out_votes(lee, conversation)
    reckon(conversation)
    assert Reckoned.objects.get().shown == before


def test_at_the_end_all_votes_are_in(conversation, camps, statements, amina, lee):
    camps(6, 6)
    voting.vote(lee, conversation, statements[0], 1)
    reckon(conversation)
    assert Reckoned.objects.get().shown["people"] == 12
    actions.freeze(amina, conversation, "decided", "We agree.")
    assert Reckoned.objects.get().shown["people"] == 13


def test_one_sees_where_oneself_sits(conversation, camps, statements, lee):
    camps(12, 12)
    voter = Voter.objects.order_by("pk").first()
    groups = {place_of(each).group for each in Voter.objects.all()}
    assert groups == {0, 1}
    assert place_of(voter).group == place_of(Voter.objects.order_by("pk")[3]).group
    assert place_of(voter).group != place_of(Voter.objects.order_by("pk").last()).group
    voting.vote(lee, conversation, statements[0], 1)
    reckon(conversation)
    assert place_of(voting.voter_of(conversation, lee)) is None, "not on the map that is shown"


def test_a_worker_finds_what_is_new_and_once(conversation, statements, work_the_queue):
    for number in range(6):
        voting.vote_by_link(f"s{number}", conversation, statements[0], 1)
    reckon_what_is_new()
    reckon_what_is_new()
    in_the_queue = DBTaskResult.objects.filter(task_path__startswith="coproduce.consensus")
    assert in_the_queue.count() == 1
    work_the_queue()
    assert Reckoned.objects.get().shown["people"] == 6
    reckon_what_is_new()
    assert in_the_queue.count() == 1


def test_without_consent_a_statement_counts_as_passed_by_all(
    amina, lee, town, conversation, camps, statements
):
    said = write_down(amina, town, "Somewhere to rest", "note", lee, uses=["group", "public"])
    made = actions.write_statement(amina, conversation, "We need seats.", [said])
    camps(6, 6)
    voting.vote(lee, conversation, made, 1)
    set_consent(lee, said, [])
    voting.vote_by_link("one more", conversation, statements[0], 1)
    reckon(conversation)
    assert_same(conversation, [made.pk])


# What to ask next


def test_the_next_one_is_the_same_until_they_vote_and_never_one_they_voted_on(
    conversation, camps, statements
):
    camps(6, 6)
    ids = [statement.pk for statement in statements]
    voter = Voter.objects.create(conversation=conversation, key="x")
    first = next_of(conversation, voter, ids, [])
    assert first in ids and next_of(conversation, voter, ids, []) == first
    left = next_of(conversation, voter, ids, [first])
    assert left in ids and left != first
    assert next_of(conversation, voter, ids, ids) is None
    assert next_of(conversation, voter, [], []) is None


def test_a_new_statement_is_asked_too(conversation, camps, statements, amina):
    camps(6, 6)
    fresh = actions.write_statement(amina, conversation, "More light.")
    ids = [statement.pk for statement in statements]
    assert next_of(conversation, None, [*ids, fresh.pk], ids) == fresh.pk


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2), st.sampled_from([-1, 0, 1])), max_size=25))
def test_whatever_is_voted_on_screen_and_by_phone_what_stands_is_what_the_rule_says(cast):
    from django.db import transaction

    from coproduce.agenda.actions.topics import raise_topic
    from coproduce.people.models import Hub, Membership

    with transaction.atomic():
        hub = Hub.objects.add_root({"name": "Anywhere"})
        amina = make_person("Amina", hub, Membership.Role.FACILITATOR)
        lee = make_person("Lee", hub)
        conversation = actions.open_conversation(amina, raise_topic(lee, hub, "T"))
        statements = [actions.write_statement(amina, conversation, f"S {n}") for n in range(3)]
        expected: dict[int, tuple[bool, int]] = {}
        for how, which, choice in cast:
            if own := how < 3:
                voting.vote(lee, conversation, statements[which], choice)
            else:
                voting.record_vote(amina, conversation, lee, statements[which], choice)
            if own or not expected.get(which, (False, 0))[0]:
                expected[which] = (own, choice)
        standing = Vote.objects.standing().values_list("statement", "choice")
        assert dict(standing) == {statements[n].pk: choice for n, (_own, choice) in expected.items()}
        transaction.set_rollback(True)
