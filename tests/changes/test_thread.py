"""The thread backwards and forwards must tell the same, whatever links lead where."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from coproduce.agenda.models import Topic
from coproduce.changes.actions import record_change, tie
from coproduce.changes.models import Change
from coproduce.changes.thread import ahead_of, count_behind, people_behind, thread_of, voices_behind
from coproduce.people.models import Hub, Person
from coproduce.themes.actions import make_theme, merge, place, undo_merge
from coproduce.themes.models import Placement, Theme
from coproduce.voices.actions import write_down
from coproduce.voices.models import Use, Voice
from tests.conftest import make_person

VOICES, PEOPLE, THEMES, TOPICS, CHANGES = 6, 3, 4, 3, 3


def links(begin: int, end: int) -> st.SearchStrategy[set[tuple[int, int]]]:
    return st.sets(st.tuples(st.integers(0, begin - 1), st.integers(0, end - 1)), max_size=6)


class TestAnyThread(TestCase):
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(
        speakers=st.lists(st.none() | st.integers(0, PEOPLE - 1), min_size=VOICES, max_size=VOICES),
        merged=st.lists(st.none() | st.integers(0, THEMES - 1), min_size=THEMES, max_size=THEMES),
        placed=links(VOICES, THEMES),
        theme_topic=links(THEMES, TOPICS),
        voice_topic=links(VOICES, TOPICS),
        topic_change=links(TOPICS, CHANGES),
        theme_change=links(THEMES, CHANGES),
        voice_change=links(VOICES, CHANGES),
    )
    def test_backwards_and_forwards_agree_with_walking_every_link(
        self, speakers, merged, placed, theme_topic, voice_topic, topic_change, theme_change, voice_change
    ):
        hub = Hub.objects.add_root({"name": "Town"})
        people = [Person.objects.create(name=f"P{n}") for n in range(PEOPLE)]
        voices = [
            Voice.objects.create(
                hub=hub,
                person=None if who is None else people[who],
                came_by="note",
                words=f"v{n}",
                said_on="2026-01-01",
            )
            for n, who in enumerate(speakers)
        ]
        themes = [Theme.objects.create(hub=hub, name=f"t{n}") for n in range(THEMES)]
        into = {n: to for n, to in enumerate(merged) if to is not None and to > n}  # no circles
        for n, to in into.items():
            Theme.objects.filter(pk=themes[n].pk).update(merged_into=themes[to])
        topics = [Topic.objects.create(hub=hub, title=f"o{n}") for n in range(TOPICS)]
        changes = [
            Change.objects.create(hub=hub, title=f"c{n}", summary=".", kind="other") for n in range(CHANGES)
        ]
        Placement.objects.bulk_create(Placement(voice=voices[v], theme=themes[t]) for v, t in placed)
        for theme, topic in theme_topic:
            topics[topic].themes.add(themes[theme])
        for voice, topic in voice_topic:
            topics[topic].voices.add(voices[voice])
        for topic, change in topic_change:
            changes[change].topics.add(topics[topic])
        for theme, change in theme_change:
            changes[change].themes.add(themes[theme])
        for voice, change in voice_change:
            changes[change].voices.add(voices[voice])

        def naive(voice: int) -> set[int]:
            """Walk forward, link by link."""
            reached = {t for v, t in placed if v == voice}
            while more := {into[t] for t in reached if t in into} - reached:
                reached |= more
            on = {o for t, o in theme_topic if t in reached} | {o for v, o in voice_topic if v == voice}
            return (
                {c for o, c in topic_change if o in on}
                | {c for t, c in theme_change if t in reached}
                | {c for v, c in voice_change if v == voice}
            )

        expected = {n: naive(n) for n in range(VOICES)}
        ahead = ahead_of(voice.pk for voice in voices)
        for n, voice in enumerate(voices):
            assert {change.pk for change in ahead[voice.pk].changes} == {changes[c].pk for c in expected[n]}
        for c, change in enumerate(changes):
            behind = {n for n in range(VOICES) if c in expected[n]}
            assert set(voices_behind(change)) == {voices[n] for n in behind}
            spoke = {people[speakers[n]] for n in behind if speakers[n] is not None}
            assert sorted(people_behind(change), key=lambda p: p.pk) == sorted(spoke, key=lambda p: p.pk)
            counted = count_behind(change)
            assert (counted.voices, counted.people) == (len(behind), len(spoke))


@pytest.fixture
def themed(amina, lee, joan, town):
    one = make_theme(
        amina, town, "One person", voices=[write_down(amina, town, "Just one to ring", "call", lee)]
    )
    two = make_theme(
        amina, town, "Told again", voices=[write_down(amina, town, "Nine times over", "note", joan)]
    )
    change = record_change(amina, town, "One worker", "You choose.", "service")
    tie(amina, change, themes=[one])
    return one, two, change


def test_what_is_merged_in_comes_behind_the_change_and_goes_with_the_undo(amina, themed):
    one, two, change = themed
    merge(amina, two, one)
    assert count_behind(change).voices == 2
    undo_merge(amina, two)
    assert [voice.words for voice in voices_behind(change)] == ["Just one to ring"]


def test_a_reader_is_shown_only_words_that_are_open_to_them(amina, lee, marek, themed, town):
    _one, _two, change = themed
    hidden = write_down(amina, town, "Only for the group", "note", lee, uses=[Use.GROUP])
    shown = write_down(amina, town, "For everybody", "note", lee, uses=[Use.GROUP, Use.PUBLIC])
    tie(amina, change, voices=[hidden, shown])
    assert [strand.voice.words for strand in thread_of(change, None).strands] == ["For everybody"]
    assert thread_of(change, lee).behind.voices.number == 3  # of the group, Lee may know how many
    assert str(thread_of(change, None).behind.voices) == "fewer than 11"
    assert {strand.voice.words for strand in thread_of(change, lee).strands} == {
        "Just one to ring",
        "Only for the group",
        "For everybody",
    }
    assert [strand.voice.words for strand in thread_of(change, marek).strands] == ["For everybody"]


def test_a_page_shows_a_few_from_every_part_of_the_thread(amina, themed, town):
    one, two, change = themed
    many = [
        write_down(amina, town, f"Voice {n}", "note", make_person(f"Person {n}", town)) for n in range(12)
    ]
    place(amina, one, many)
    tie(amina, change, themes=[two])
    thread = thread_of(change, amina)
    assert len(thread.strands) == 5
    assert {strand.theme for strand in thread.strands} == {one, two}


def test_how_many_voices_there_are_does_not_change_how_many_queries(amina, themed, town):
    one, _two, change = themed
    with CaptureQueriesContext(connection) as few:
        thread_of(change, amina)
    place(amina, one, [write_down(amina, town, f"Voice {n}", "note") for n in range(20)])
    with CaptureQueriesContext(connection) as many:
        thread_of(change, amina)
    assert len(many) == len(few)
