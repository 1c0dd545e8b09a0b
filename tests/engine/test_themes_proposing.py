"""New voices beside what people confirmed: proposed into their themes or left to the pool, nothing moved."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coproduce.engine.themes import propose
from coproduce.engine.themes.proposing import TRUST, _learned

MIDDLES = np.random.default_rng(5).normal(size=(4, 24))


def round_middle(kind: int, count: int, spread: float = 0.4) -> np.ndarray:
    chance = np.random.default_rng([kind, count, int(100 * spread)])
    points = MIDDLES[kind] + spread * chance.normal(size=(count, 24))
    return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("confirmed", [2, 5, 10, 40])
def test_a_voice_goes_where_its_like_are_and_a_strange_one_to_the_pool(confirmed: int) -> None:
    themes = {name: round_middle(kind, confirmed) for kind, name in enumerate(("bus", "dentist", "garden"))}
    new = np.concatenate([round_middle(0, 5), round_middle(2, 5), round_middle(3, 5)])
    first = [given[0].theme if given else None for given in propose(new, themes)]
    assert first == ["bus"] * 5 + ["garden"] * 5 + [None] * 5


def test_the_strongest_comes_first_and_is_between_0_and_1() -> None:
    themes = {"a": round_middle(0, 4, 1.0), "b": round_middle(0, 5, 1.0)}
    for given_ in propose(round_middle(0, 6, 0.2), themes):
        strengths = [each.strength for each in given_]
        assert strengths == sorted(strengths, reverse=True)
        assert all(0 <= strength <= 1 for strength in strengths)


@pytest.mark.parametrize("confirmed", [3, 12])
def test_what_people_took_out_is_not_proposed_again(confirmed: int) -> None:
    theme, other = round_middle(0, confirmed), round_middle(1, confirmed)
    out = (theme[0] + 0.4 * other[0])[None].astype(np.float32)
    out /= np.linalg.norm(out)
    assert any(each.theme == "a" for each in propose(out, {"a": theme})[0])
    given_ = propose(out, {"a": theme}, refused={"a": np.repeat(out, confirmed, axis=0)})
    assert not any(each.theme == "a" for each in given_[0])


def test_from_ten_quotes_on_it_learns_from_corrections() -> None:
    """Two themes that differ in one small thing: what people sorted shows it, the middles alone hardly."""

    def side(sign: float, count: int, seed: int) -> np.ndarray:
        chance = np.random.default_rng([seed, count, int(sign > 0)])
        points = MIDDLES[0] + 0.05 * chance.normal(size=(count, 24))
        points[:, 0] += 2 * chance.normal(size=count)
        points[:, 1] += 0.6 * sign
        return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)

    new = np.concatenate([side(1, 40, 0), side(-1, 40, 0)])
    truth = ["up"] * 40 + ["down"] * 40

    def right(count: int) -> float:
        given_ = propose(new, {"up": side(1, count, 1), "down": side(-1, count, 1)})
        hits = [bool(mine) and mine[0].theme == name for mine, name in zip(given_, truth, strict=True)]
        return float(np.mean(hits))

    assert right(60) > right(9)
    assert right(60) > 0.7


def test_what_is_confirmed_is_not_touched_and_the_same_is_proposed_again() -> None:
    themes = {name: round_middle(kind, 20) for kind, name in enumerate("abc")}
    before = {name: vectors.copy() for name, vectors in themes.items()}
    new = round_middle(1, 10)
    assert propose(new, themes) == propose(new, themes)
    assert all((themes[name] == before[name]).all() for name in themes)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 4), st.lists(st.integers(0, 12), max_size=4))
def test_any_number_of_voices_and_themes_gets_an_answer(voices: int, sizes: list[int]) -> None:
    themes = {at: round_middle(at, size) for at, size in enumerate(sizes)}
    given_ = propose(round_middle(0, voices), themes)
    assert len(given_) == voices
    assert all(sizes[each.theme] for mine in given_ for each in mine)  # type: ignore[index]


def test_vectors_of_another_model_are_refused() -> None:
    with pytest.raises(ValueError, match="different models"):
        propose(round_middle(0, 2), {"a": np.ones((3, 7), np.float32)})


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(1, 90), st.floats(0.05, 2.0), st.integers(0, 10_000))
def test_what_it_learns_is_what_scikit_learn_learns(ours: int, others: int, spread: float, seed: int) -> None:
    from sklearn.linear_model import LogisticRegression

    chance = np.random.default_rng(seed)

    def round_(middle: np.ndarray, count: int) -> np.ndarray:
        points = middle + spread * chance.normal(size=(count, 24))
        return (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)

    one, two, new = round_(MIDDLES[0], ours), round_(MIDDLES[1], others), round_(MIDDLES[:2].mean(axis=0), 20)
    model = LogisticRegression(C=TRUST, class_weight="balanced", max_iter=5_000, tol=1e-8)
    model.fit(np.concatenate([one, two]), np.arange(ours + others) < ours)
    assert _learned(one, two, new) == pytest.approx(model.predict_proba(new)[:, 1], abs=0.005)
