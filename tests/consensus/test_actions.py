"""Conversations and statements: who may, what is decided, and what happens when words are taken back."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from coproduce.agenda.models import Stage
from coproduce.consensus import actions, voting
from coproduce.consensus.models import Conversation, Reckoned, Statement, Vote
from coproduce.consensus.today import do_these_first
from coproduce.people.models import Act, Membership
from coproduce.people.permissions import NotAllowed
from coproduce.site.recall import carried, take_back
from coproduce.voices.actions import write_down
from coproduce.voices.consent import Choice
from coproduce.voices.models import Use
from tests.conftest import make_person

pytestmark = pytest.mark.django_db
State = Statement.State


def test_who_may_open_one(amina, lee, joan, marek, charlie, topic):
    for by in (lee, joan, marek, charlie):
        with pytest.raises(NotAllowed):
            actions.open_conversation(by, topic)
    opened = actions.open_conversation(amina, topic, "  About benches. ")
    assert opened.about == "About benches." and not opened.by_link
    assert Act.objects.get(thing="consensus.conversation").verb == "open"


def test_a_members_statement_waits_and_a_curators_does_not(amina, lee, marek, conversation):
    assert actions.write_statement(lee, conversation, "More  light,\nplease.").words == "More light, please."
    assert Statement.objects.get().state == State.WAITING
    assert actions.write_statement(amina, conversation, "Less noise.").state == State.ACCEPTED
    with pytest.raises(NotAllowed):
        actions.write_statement(marek, conversation, "Less money.")


@pytest.mark.parametrize(
    ("words", "wrong"), [("  ", "one short sentence"), ("x" * 201, "201 letters"), ("less NOISE.", "already")]
)
def test_what_is_no_statement_is_told_why(amina, conversation, words, wrong):
    actions.write_statement(amina, conversation, "Less noise.")
    with pytest.raises(ValidationError, match=wrong):
        actions.write_statement(amina, conversation, words)


def test_a_curator_decides_and_the_writer_reads_why(amina, lee, conversation, statements, signed_in):
    one, two, three = (
        actions.write_statement(lee, conversation, words) for words in ("Warm seats.", "Benches!", "My boss.")
    )
    for by in (lee,):
        with pytest.raises(NotAllowed):
            actions.accept(by, one)
    actions.accept(amina, one)
    actions.join(amina, two, statements[0])
    with pytest.raises(ValidationError, match="Write why"):
        actions.refuse(amina, three, " ")
    actions.refuse(amina, three, "It is about one person.")
    page = signed_in(lee).get(f"/common-ground/{conversation.key}/mine/").content.decode()
    assert "Warm seats." in page and "It is about one person." in page
    assert "A bench is a place to rest." in page
    other = make_person("Sami", conversation.hub)
    assert (
        "one person" not in signed_in(other).get(f"/common-ground/{conversation.key}/mine/").content.decode()
    )


def test_whoever_wrote_a_statement_takes_it_back_and_nobody_else(amina, lee, joan, conversation, statements):
    mine = actions.write_statement(lee, conversation, "Warm seats.")
    actions.accept(amina, mine)
    voting.vote(joan, conversation, mine, 1)
    for by in (amina, joan):
        with pytest.raises(NotAllowed):
            actions.take_back_statement(by, mine)
    with pytest.raises(NotAllowed):
        actions.take_back_statement(None, mine, voting.voter_of(conversation, joan))
    actions.take_back_statement(lee, mine)
    mine.refresh_from_db()
    assert (mine.words, mine.state) == ("", State.TAKEN_OUT)
    with pytest.raises(ValidationError, match="taken back"):
        actions.accept(amina, mine)


def test_curators_hear_what_waits(amina, lee, conversation, statements):
    assert not do_these_first(amina)
    actions.write_statement(lee, conversation, "Warm seats.")
    [todo] = do_these_first(amina)
    assert "1 statement" in todo.title
    assert not do_these_first(lee)


def test_joining_is_to_one_of_the_same_conversation_that_is_voted_on(
    amina, lee, topic, conversation, statements
):
    mine = actions.write_statement(lee, conversation, "Warm seats.")
    elsewhere = actions.write_statement(amina, actions.open_conversation(amina, topic), "Cold seats.")
    for to in (elsewhere, mine):
        with pytest.raises(NotAllowed):
            actions.join(amina, mine, to)
    actions.take_out(amina, statements[0], "Twice.")
    with pytest.raises(ValidationError):
        actions.join(amina, mine, statements[0])


def test_from_a_voice_only_by_who_curates_and_only_what_they_may_see(amina, lee, town, conversation):
    said = write_down(amina, town, "We need somewhere to rest", "note", lee, uses=[])
    with pytest.raises(NotAllowed):
        actions.write_statement(lee, conversation, "Seats.", [said])
    with pytest.raises(NotAllowed):
        actions.write_statement(amina, conversation, "Seats.", [said])


@pytest.fixture
def made(amina, lee, town, conversation):
    """Two statements, each of a voice of Lee's, with a vote."""
    said = [
        write_down(amina, town, words, "note", lee, uses=["group", "public"])
        for words in ("We need somewhere to rest", "The kerb is wet")
    ]
    statements = [
        actions.write_statement(amina, conversation, words, [voice])
        for words, voice in zip(("We need seats.", "Nobody should sit on a kerb."), said, strict=True)
    ]
    for statement in statements:
        voting.vote(lee, conversation, statement, 1)
    return said, statements


def test_taken_out_its_words_are_gone_and_a_curator_writes_it_anew(amina, lee, conversation, made):
    said, statements = made
    take_back(lee, [said[0]], [], Choice.TAKE_OUT)
    one = Statement.objects.get(pk=statements[0].pk)
    assert (one.words, one.state) == ("", State.WORDLESS)
    assert list(Statement.objects.in_sight(Use.GROUP)) == [statements[1]]
    assert "1 statement" in do_these_first(amina)[0].title
    with pytest.raises(ValidationError, match="anew"):
        actions.accept(amina, one)
    fresh = actions.write_anew(amina, one, "People should be able to sit.")
    assert fresh.state == State.ACCEPTED and not fresh.voices.exists() and not fresh.votes.exists()
    assert Statement.objects.get(pk=one.pk).state == State.TAKEN_OUT
    assert Vote.objects.filter(statement=one).exists(), "that it was voted on stays on record"


def test_where_the_words_went_is_known(amina, lee, conversation, made):
    said, statements = made
    why = voting.say_why(lee, conversation, statements[0], "My knees.", ["public"])
    carried([said[0].pk, why.pk])
    path = f"/common-ground/{conversation.key}/result/"
    for voice in (said[0], why):
        assert path in voice.carried.values_list("path", flat=True)


def test_kept_nameless_without_public_use_it_is_in_sight_as_far_as_that_goes(amina, lee, made):
    said, statements = made
    take_back(lee, [said[0]], [], Choice.NAMELESS)
    assert statements[0] in Statement.objects.in_sight(Use.GROUP)
    assert said[0].statements.get() == statements[0], "the tie stands, so consent is still asked"


def test_freezing_writes_the_answer_on_the_topic(amina, lee, marek, topic, conversation, camps):
    camps(6, 6)
    for by in (lee, marek):
        with pytest.raises(NotAllowed):
            actions.freeze(by, conversation, Stage.DECIDED, "We agree.")
    with pytest.raises(ValidationError):
        actions.freeze(amina, conversation, Stage.DECIDED, " ")
    frozen = actions.freeze(amina, conversation, Stage.DECIDED, "Ask us first.")
    assert frozen.decision == topic.decisions.get() and frozen.decision.words == "Ask us first."
    assert Conversation.objects.get().closed_at
    assert list(Conversation.objects.visible_to(None)) == [conversation]
    with pytest.raises(ValidationError, match="already"):
        actions.freeze(amina, conversation, Stage.DECIDED, "Ask us first.")


def test_what_is_frozen_stays_as_it_was(amina, conversation, statements, camps):
    camps(6, 6)
    actions.freeze(amina, conversation, Stage.WORKING, "Ask us first.")
    shown = Reckoned.objects.get().shown
    with pytest.raises(ValidationError):
        actions.take_out(amina, statements[0], "Late.")
    assert Reckoned.objects.get().shown == shown


def test_frozen_in_another_hub_is_none_of_ours(amina, conversation, statements):
    other = make_person("Omar", None)
    assert not Membership.objects.filter(person=other).exists()
    assert not Conversation.objects.visible_to(other).exists()
