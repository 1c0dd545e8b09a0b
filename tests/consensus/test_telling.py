"""What was found, in words: what each reader is told, and what nobody is."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from coproduce.consensus import actions, voting
from coproduce.consensus.models import Reckoned
from coproduce.consensus.reckoning import reckon
from coproduce.consensus.telling import share, told_to
from coproduce.voices.actions import set_consent, take_in, write_down
from tests.conftest import make_person


def tell(reader, conversation):
    return told_to(reader, conversation, Reckoned.objects.filter(conversation=conversation).first())


@given(st.integers(1, 400).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_a_share_is_near_and_whole_only_where_it_is(part_and_whole):
    part, whole = part_and_whole
    said = share(part, whole)
    assert said % 5 == 0 and abs(said - 100 * part / whole) <= 5
    assert (said == 0) == (part == 0) and (said == 100) == (part == whole)


pytestmark = pytest.mark.django_db


def test_what_all_agree_on_and_where_two_camps_differ(lee, conversation, statements, camps):
    camps(14, 12)
    told = tell(lee, conversation)
    assert [line.statement for line in told.shared] == [statements[2]]
    assert "100% of the 26 people who voted on this agree." in told.shared[0].sentence
    assert "100% in group A and 100% in group B" in told.shared[0].sentence
    assert [(group.letter, group.people) for group in told.groups] == [("A", "14 people"), ("B", "12 people")]
    first = told.groups[0].lines[0]
    assert first.statement == statements[0] and first.sentence.startswith("100% of group A agree, and 0%")
    assert told.sure.startswith("The groups are")
    assert told.map and [each.letter for each in told.map.rounds] == ["A", "B"]


def test_a_group_of_fewer_than_eleven_is_shown_to_nobody(lee, amina, conversation, camps):
    camps(20, 8)
    for reader in (lee, amina, None):
        told = tell(reader, conversation)
        assert told.hides and [group.letter for group in told.groups] == ["A"]
        assert told.groups[0].people == "", "the other could be found by taking away"
        assert [each.letter for each in told.map.rounds] == ["A"]
        assert all(len(row.groups) == 1 for row in told.rows)


def test_outside_no_small_count_is_told(marek, conversation, statements, camps):
    camps(5, 4)
    for reader in (marek, None):
        assert tell(reader, conversation).nothing
    camps(8, 8, begin=50)
    voting.vote_by_link("by herself", conversation, statements[0], 1)
    for reader in (marek, None):
        told = tell(reader, conversation)
        assert re.match(r"About \d+[05] people voted", told.lead) or "about" in told.lead.casefold()
        assert all(not each.said.exact for each in told.ways)
        assert {str(each.said) for each in told.ways} >= {"fewer than 11"}
        assert not told.nobody_by and not told.nobody_from
        for row in told.rows:
            assert row.people is None or not row.people.exact
            assert row.agree is None or 5 <= row.agree <= 95


def test_inside_numbers_are_as_they_are_and_who_is_missing_is_named(
    amina, lee, town, ward, conversation, statements, camps
):
    camps(6, 6)
    dot = make_person("Dot", town)
    voting.record_vote(amina, conversation, dot, statements[0], 1)
    for number in range(5):
        voting.vote_by_link(f"more {number}", conversation, statements[0], 1)
    reckon(conversation)
    told = tell(lee, conversation)
    assert told.lead.startswith("18 people voted on 3 statements")
    assert [(each.label, str(each.said)) for each in told.ways] == [
        ("On their own screen", "17"),
        ("By phone", "1"),
    ]
    assert told.nobody_by == ["on paper", "through a trusted person"]
    assert told.nobody_from == ["Millbank"]


def test_a_statement_leaves_the_page_as_soon_as_it_is_taken_out_or_not_allowed(
    amina, lee, town, conversation, statements, camps
):
    said = write_down(amina, town, "Somewhere to rest", "note", lee, uses=["group", "public"])
    made = actions.write_statement(amina, conversation, "We need seats.", [said])
    for number in range(12):
        voting.vote_by_link(f"secret {number}", conversation, made, 1)
    camps(6, 6)

    def shown(reader) -> set[int]:
        return {row.statement.pk for row in tell(reader, conversation).rows}

    assert made.pk in shown(lee) and made.pk in shown(None)
    set_consent(lee, said, ["group"])
    assert made.pk in shown(lee) and made.pk not in shown(None)
    set_consent(lee, said, [])
    assert made.pk not in shown(lee)
    actions.take_out(amina, statements[2], "It names somebody.")
    assert statements[2].pk not in shown(lee)
    assert all(line.statement.pk != statements[2].pk for line in tell(lee, conversation).shared)


def test_why_people_say_so_is_read_as_far_as_they_allow_it(
    amina, lee, joan, marek, conversation, statements, camps, signed_in
):
    for words, uses in (("My knees.", ["group"]), ("Mine too.", ["group", "public"]), ("Just so.", [])):
        voting.say_why(lee, conversation, statements[2], words, uses)
    came = voting.say_why_by_link(conversation, statements[2], "From the kerb.", ["public"])
    camps(14, 12)

    def read(reader) -> list[str]:
        return [voice.shown for line in tell(reader, conversation).shared for voice in line.whys]

    assert read(joan) == ["Mine too.", "My knees."]
    assert read(marek) == read(None) == ["Mine too."]
    take_in(amina, came)
    assert read(None) == ["From the kerb.", "Mine too."]
    assert (
        "From the kerb." in signed_in(joan).get(f"/common-ground/{conversation.key}/result/").content.decode()
    )


def test_nothing_is_told_of_fewer_than_five(lee, conversation, camps):
    camps(2, 2)
    assert "five people" in tell(lee, conversation).nothing


def test_the_page_costs_the_same_with_more_statements_and_votes(amina, lee, conversation, camps, signed_in):
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            page = signed_in(lee).get(f"/common-ground/{conversation.key}/result/")
        assert page.status_code == 200
        return len(captured)

    camps(12, 12)
    before = cost()
    for number in range(5):
        fresh = actions.write_statement(amina, conversation, f"Number {number}.")
        for voter in range(24):
            voting.vote_by_link(f"secret {voter}", conversation, fresh, 1)
    camps(12, 12, begin=100)
    assert cost() == before


def test_the_topic_leads_to_it_and_shows_the_answer(
    amina, lee, client, topic, conversation, camps, signed_in
):
    camps(6, 6)
    path = f"/common-ground/{conversation.key}/"
    assert path in signed_in(lee).get(f"/topics/{topic.pk}/").content.decode()
    assert path not in client.get(f"/topics/{topic.pk}/").content.decode()
    actions.freeze(amina, conversation, "decided", "Benches with backs.")
    page = client.get(f"/topics/{topic.pk}/").content.decode()
    assert path in page and "Benches with backs." in page
