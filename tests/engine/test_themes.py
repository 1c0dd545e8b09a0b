"""From many voices to themes: what they are about, in their own words, whatever order they come in."""

import csv
import json
import os
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coproduce.engine.themes import (
    NoModel,
    Themes,
    default_embedder,
    find_themes,
    grouping,
    nearest,
    statements,
    why,
)

DATA = Path(os.environ.get("COPRODUCE_DATA", Path(__file__).parents[2] / "../shared/data"))

BUS = (
    "The bus never comes on time.",
    "There is no bus after six in the evening.",
    "The driver drove past our bus stop again.",
    "A bus ticket costs more than my lunch.",
    "My bus was late twice this week.",
)
DENTIST = (
    "I cannot find a dentist who takes new patients.",
    "The dentist charged me for a filling I did not want.",
    "My tooth hurt for weeks until a dentist saw me.",
    "The nearest dentist is thirty miles away.",
    "They pulled my tooth, since no dentist had time to mend it.",
)
GARDEN = (
    "The garden is where I feel calm.",
    "We grow tomatoes in the garden behind the hall.",
    "Digging in the garden did more for me than pills.",
    "The community garden needs more spades and gloves.",
    "Somebody trampled the flowers in our garden.",
)


def in_words(found: Themes, texts: tuple[str, ...] | list[str]) -> set[tuple]:
    """What was found without the numbers of the texts: comparable when they are shuffled."""
    return {
        (
            theme.label,
            theme.terms,
            tuple(
                sorted(
                    (texts[at], float(strong))
                    for at, strong in zip(theme.members, theme.strengths, strict=True)
                )
            ),
            tuple(texts[at] for at in theme.quotes),
            theme.sureness,
        )
        for theme in found.themes
    } | {("none yet", tuple(sorted(texts[at] for at in found.none_yet)))}


def test_what_is_about_the_same_comes_together() -> None:
    texts = [*BUS, *DENTIST, *GARDEN]
    found = find_themes(texts)
    assert found.way == "ward"
    for about, word in ((BUS, "bus"), (DENTIST, "dentist"), (GARDEN, "garden")):
        theme = next(theme for theme in found.themes if word in theme.terms)
        assert {texts[at] for at in theme.members} <= set(about)
        assert len(theme.members) >= 3
        assert word in theme.label


def test_a_theme_shows_itself_by_quotes_of_its_own_that_differ() -> None:
    texts = [*BUS, *DENTIST, *GARDEN]
    for theme in find_themes(texts).themes:
        assert 3 <= len(theme.quotes) <= 5
        assert len({texts[at] for at in theme.quotes}) == len(theme.quotes)
        assert set(theme.quotes) <= set(theme.members.tolist())
        assert 0 <= theme.sureness <= 1
        assert ((theme.strengths > 0) & (theme.strengths <= 1)).all()
        assert list(theme.strengths) == sorted(theme.strengths, reverse=True)


@settings(max_examples=5, deadline=None)
@given(st.randoms(use_true_random=False))
def test_shuffling_changes_nothing(chance: random.Random) -> None:
    texts = [*BUS, *DENTIST, *GARDEN, BUS[0]]
    shuffled = texts[:]
    chance.shuffle(shuffled)
    assert in_words(find_themes(shuffled), shuffled) == in_words(find_themes(texts), texts)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=40), max_size=12), st.booleans())
def test_whatever_is_said_every_text_is_in_a_theme_or_in_the_pool(texts: list[str], one: bool) -> None:
    found = find_themes(texts, sources=[1] * len(texts) if one else None)
    grouped = {at for theme in found.themes for at in theme.members.tolist()}
    assert grouped | set(found.none_yet.tolist()) == set(range(len(texts)))
    assert not grouped & set(found.none_yet.tolist())
    json.loads(found.to_json())
    for theme in found.themes:
        assert theme.label and theme.quotes


def test_what_was_said_a_hundred_times_counts_a_hundred_times() -> None:
    texts = [*DENTIST, *GARDEN, *[BUS[0]] * 100]
    first = find_themes(texts).themes[0]
    assert len(first.members) == 100
    assert "bus" in first.terms


def test_the_words_that_made_the_machine_think_so() -> None:
    text = "Well, you know, the BUSES – my trusted person says – never come."
    shown = [text[begins:ends] for begins, ends in why(text, ("bus", "trusted person"))]
    assert shown == ["BUSES", "trusted person"]


def test_a_line_said_in_every_story_is_the_interviewer_s() -> None:
    line = "Um, could you tell me what it was like for you?"
    texts = [line, *BUS, line, *DENTIST, "Could you tell me what it was like for you?", *GARDEN]
    sources = [1] * 6 + [2] * 6 + [3] * 6
    found = find_themes(texts, sources=sources)
    assert found.set_aside.tolist() == [0, 6, 12]
    assert not {0, 6, 12} & set(found.none_yet.tolist())


def test_whoever_asked_is_in_no_theme() -> None:
    texts = [*BUS, *DENTIST, *GARDEN]
    found = find_themes(texts, speakers_asked=[True] * 5 + [False] * 10)
    assert found.set_aside.tolist() == [0, 1, 2, 3, 4]
    assert all(theme.members.min() >= 5 for theme in found.themes)


def test_too_few_sources_are_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match="3 texts but 2 sources"):
        find_themes(["a", "b", "c"], sources=[1, 2])


def test_without_a_model_it_says_so_and_still_finds_something(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coproduce.engine.themes.finding.default_embedder", lambda: None)
    found = find_themes([*BUS, *DENTIST, *GARDEN])
    assert found.meaning == "LSA"
    assert any("dentist" in theme.terms for theme in found.themes)


def test_statements_are_short_and_lose_nothing() -> None:
    text = "One two three. " * 40 + "No stop here " * 40
    spans = statements(text)
    pieces = [text[span.begins : span.ends] for span in spans]
    assert all(len(piece.split()) <= 80 for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_a_real_bank_s_questions() -> None:
    """Some 330 questions of 20 kinds: close to how people sorted them, nearly none left out."""
    with (DATA / "themes/banking77/train.csv").open(encoding="utf-8") as rows:
        asked = [(row["text"], row["category"]) for row in csv.DictReader(rows)]
    kinds = sorted({kind for _, kind in asked})[::4]
    asked = [each for each in asked if each[1] in kinds][::8]
    texts = [text for text, _ in asked]
    found = find_themes(texts)
    assert found.way == "graph"
    assert len(found.none_yet) < 0.05 * len(texts)
    from sklearn.metrics import adjusted_mutual_info_score

    main = np.full(len(texts), -1)
    for at in range(len(found.themes) - 1, -1, -1):
        main[found.themes[at].members] = at
    assert adjusted_mutual_info_score([kind for _, kind in asked], main) > 0.65


def test_the_model_gives_a_text_the_same_bits_whatever_stands_beside_it() -> None:
    embedder = default_embedder()
    assert embedder is not None and embedder.dimensions == 384
    texts = [*BUS, *GARDEN, "", "word " * 300]
    alone = np.concatenate([embedder.embed([text]) for text in texts])
    assert (embedder.embed(texts) == alone).all()
    assert (embedder.embed(texts[::-1])[::-1] == alone).all()
    assert np.allclose(np.linalg.norm(alone, axis=1), 1, atol=1e-5)


def some_vectors(count: int, kinds: int = 8) -> np.ndarray:
    """Unit vectors round a few middles."""
    chance = np.random.default_rng(3)
    middles = chance.normal(size=(kinds, 32))
    points = middles[np.arange(count) % kinds] + 0.6 * chance.normal(size=(count, 32))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


def test_dask_gives_the_same_to_the_label(monkeypatch: pytest.MonkeyPatch) -> None:
    from distributed import Client

    monkeypatch.setattr(grouping, "MANY", 500)
    monkeypatch.setattr(grouping, "MICRO", 40)
    monkeypatch.setattr(grouping, "_BLOCK", 128)
    texts = [f"voice number {at} about kind{at % 8}" for at in range(900)]
    vectors = some_vectors(900)
    alone = find_themes(texts, vectors=vectors)
    assert alone.way == "micro-clusters"
    with Client(processes=False, n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        shared = find_themes(texts, vectors=vectors, dask=client)
    assert shared.to_json() == alone.to_json()


def test_neighbours_of_many_are_those_of_comparing_all(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = some_vectors(2_000)
    exact, _ = grouping.neighbours(vectors, 10)
    monkeypatch.setattr(grouping, "EXACT", 1_000)
    found, cosines = grouping.neighbours(vectors, 10)
    shared = np.mean([len(set(one) & set(two)) for one, two in zip(exact, found, strict=True)]) / 10
    assert shared > 0.95
    assert (found != np.arange(2_000)[:, None]).all()
    assert (np.diff(cosines, axis=1) <= 0).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(2, 40), st.integers(1, 6), st.integers(0, 10_000))
def test_ward_is_scipy_s_where_every_point_weighs_one(count: int, groups: int, seed: int) -> None:
    from scipy.cluster.hierarchy import fcluster, linkage

    points = np.random.default_rng(seed).normal(size=(count, 5))
    ours = grouping.ward(points, np.ones(count), groups)
    theirs = fcluster(linkage(points, "ward"), groups, "maxclust")
    assert len(set(ours)) == len(set(theirs)) == len(set(zip(ours, theirs, strict=True)))


def test_a_point_that_weighs_three_is_three_points() -> None:
    points = np.random.default_rng(1).normal(size=(12, 4))
    sizes = np.array([1, 3] * 6)
    heavy = grouping.ward(points, sizes, 4)
    spread = grouping.ward(np.repeat(points, sizes, axis=0), np.ones(sizes.sum()), 4)
    assert len(set(zip(np.repeat(heavy, sizes), spread, strict=True))) == len(set(heavy)) == 4


def test_the_nearest_come_first() -> None:
    vectors = some_vectors(50)
    places, cosines = nearest(vectors[7], vectors, 5)
    assert places[0] == 7 and cosines[0] == pytest.approx(1, abs=1e-5)
    assert places.tolist() == np.argsort(-(vectors @ vectors[7]), kind="stable")[:5].tolist()
    assert len(nearest(vectors[0], vectors, 99)[0]) == 50
    assert len(nearest(vectors[0], vectors[:0], 3)[0]) == 0
    with pytest.raises(ValueError, match="different models"):
        nearest(vectors[0, :8], vectors, 3)


def test_a_model_that_is_not_whole_is_refused_with_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COPRODUCE_MEANING_MODEL", str(tmp_path))
    with pytest.raises(NoModel, match=r"no model\.onnx in it"):
        default_embedder()
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(NoModel, match="can't be used"):
        default_embedder()
