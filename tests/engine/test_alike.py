from __future__ import annotations

import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coproduce.engine.alike import ALIKE, Raised, about_the_same, likeness, words_in_common
from coproduce.engine.themes import default_embedder

LABELLED = tomllib.loads((Path(__file__).parent / "alike.toml").read_text(encoding="utf-8"))["raised"]
OURS = [Raised(each["group"], each["title"], each["why"]) for each in LABELLED]

WORDS = [
    "bus",
    "bench",
    "letter",
    "doctor",
    "night",
    "lights",
    "worker",
    "the",
    "we",
    "again",
    "hostel",
    "dentist",
]
said = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)
raised = st.builds(
    Raised,
    group=st.sampled_from(["east", "mill", "hill"]),
    title=said,
    why=said,
    filed=st.frozensets(st.sampled_from(["Time", "time", "Paper"]), max_size=2),
)


def pairs_of(groups: list[tuple[int, ...]]) -> set[tuple[int, int]]:
    return {pair for group in groups for pair in itertools.combinations(group, 2)}


def judged(groups: list[tuple[int, ...]]) -> tuple[float, float]:
    """Of the pairs that were put together, how many belong so; of those that belong so, how many were."""
    about = [each["about"] for each in LABELLED]
    true = {
        (one, two)
        for one, two in itertools.combinations(range(len(about)), 2)
        if about[one] and about[one] == about[two]
    }
    found = pairs_of(groups)
    return len(found & true) / len(found), len(found & true) / len(true)


# What it is for


def test_by_meaning_what_hubs_raise_alike_is_found_and_nothing_else(record_property):
    by = default_embedder()
    if by is None:
        pytest.skip("there is no model for meanings on this machine")
    vectors = by.embed([f"{each.title}. {each.why}".strip() for each in OURS])
    precision, recall = judged(about_the_same(OURS, vectors))
    record_property(
        "figures", f"what hubs raise alike, by meaning: precision {precision:.2f}, recall {recall:.2f}"
    )
    assert precision >= 0.95 and recall >= 0.9


def test_by_words_alone_less_is_found_and_still_nothing_else(record_property):
    precision, recall = judged(about_the_same(OURS))
    record_property(
        "figures", f"what hubs raise alike, by words: precision {precision:.2f}, recall {recall:.2f}"
    )
    assert precision >= 0.95 and recall >= 0.8


def test_the_words_in_common_say_why():
    benches = [each for each, row in zip(OURS, LABELLED, strict=True) if row["about"] == "benches"]
    assert words_in_common(benches)[0] in ("bench", "benches")
    assert words_in_common(benches[:1]) == []


def test_being_filed_under_the_same_helps():
    one = Raised("east", "Nobody rings back", filed=frozenset({"One person"}))
    other = Raised("mill", "A new face each week", filed=frozenset({"one person"}))
    plain = [Raised(each.group, each.title) for each in (one, other)]
    assert likeness([one, other])[0, 1] > likeness(plain)[0, 1]


# What always holds


@settings(max_examples=60, deadline=None)
@given(st.lists(raised, max_size=9))
def test_sets_do_not_overlap_and_each_is_of_several_groups(things):
    groups = about_the_same(things)
    places = [place for group in groups for place in group]
    assert len(places) == len(set(places))
    for group in groups:
        assert list(group) == sorted(group)
        assert len({things[place].group for place in group}) > 1


@settings(max_examples=60, deadline=None)
@given(st.lists(raised, max_size=8), st.randoms(use_true_random=False))
def test_the_order_in_which_things_come_changes_nothing(things, random):
    order = list(range(len(things)))
    random.shuffle(order)
    there = about_the_same([things[at] for at in order])

    def said_by(groups, of):
        each = [(it.title, it.why, it.group, sorted(it.filed)) for it in of]
        return sorted(sorted(each[at] for at in group) for group in groups)

    assert said_by(about_the_same(things), things) == said_by(there, [things[at] for at in order])


@settings(max_examples=60, deadline=None)
@given(st.lists(raised, max_size=6), st.sampled_from(["bus", "a bench by the hostel", "dentist letters"]))
def test_the_same_words_from_two_groups_are_together(things, title):
    same = [Raised("east", title), Raised("mill", title)]
    [group] = [group for group in about_the_same([*things, *same]) if len(things) in group]
    assert len(things) + 1 in group


@settings(max_examples=60, deadline=None)
@given(st.lists(raised, min_size=1, max_size=8))
def test_likeness_is_symmetric_between_0_and_1_and_whole_with_itself(things):
    scores = likeness(things)
    assert scores.shape == (len(things), len(things))
    assert np.allclose(scores, scores.T) and scores.min() >= 0 and scores.max() <= 1
    assert np.allclose(np.diag(scores), 1)


@settings(max_examples=60, deadline=None)
@given(st.lists(raised, max_size=8))
def test_on_average_what_is_together_is_alike(things):
    scores = likeness(things) if things else np.ones((0, 0))
    for group in about_the_same(things):
        pairs = [scores[one, two] for one, two in itertools.combinations(group, 2)]
        assert max(pairs) >= ALIKE - 1e-6


@given(st.lists(raised.filter(lambda each: each.group == "east"), max_size=4))
def test_of_one_group_nothing_is_said(things):
    assert about_the_same(things) == []


def test_nothing_raised_is_nothing_alike():
    assert about_the_same([]) == []


def test_as_many_vectors_as_things():
    with pytest.raises(ValueError, match="2 things but 1 vectors"):
        about_the_same(OURS[:2], np.ones((1, 4), np.float32))
