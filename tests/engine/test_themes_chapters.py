"""A long story in parts, by where the talk turns."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coproduce.engine.themes import chapters
from coproduce.engine.themes.chapters import cut

DATA = Path(os.environ.get("COPRODUCE_DATA", Path(__file__).parents[2] / "../shared/data"))


def test_a_chapter_begins_where_the_talk_turns() -> None:
    bus = [f"The bus number {at} was late again and the driver said nothing." for at in range(6)]
    garden = [f"In the garden we grow tomatoes and flowers in bed {at}." for at in range(6)]
    begins = chapters([*bus, "Yes.", *garden])
    assert begins[0] == 0
    assert any(at in (6, 7) for at in begins)


def test_no_texts_have_no_chapters_and_one_has_one() -> None:
    assert chapters([]) == []
    assert chapters(["Hello."]) == [0]
    with pytest.raises(ValueError, match="2 texts but 1 vectors"):
        chapters(["a", "b"], vectors=np.ones((1, 4)))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 9), st.integers(1, 4), st.integers(0, 1000))
def test_no_other_cut_loses_less(n: int, count: int, seed: int) -> None:
    from itertools import combinations

    count = min(count, n)
    points = np.random.default_rng(seed).normal(size=(n, 3))

    def lost(begins: list[int]) -> float:
        ends = [*begins[1:], n]
        return sum(
            float(((points[a:b] - points[a:b].mean(axis=0)) ** 2).sum())
            for a, b in zip(begins, ends, strict=True)
        )

    found = cut(points, count)
    assert found[0] == 0 and found == sorted(set(found)) and len(found) == count
    best = min(lost([0, *rest]) for rest in combinations(range(1, n), count - 1))
    assert lost(found) == pytest.approx(best)


def test_a_real_meeting_is_cut_better_than_in_equal_parts() -> None:
    from sklearn.metrics import adjusted_mutual_info_score

    line = (DATA / "themes/qmsum-committee/val.jsonl").read_text(encoding="utf-8").splitlines()[1]
    meeting = json.loads(line)
    labels = [""] * len(meeting["meeting_transcripts"])
    for topic in meeting["topic_list"]:
        for begins, ends in topic["relevant_text_span"]:
            for at in range(int(begins), min(int(ends) + 1, len(labels))):
                labels[at] = topic["topic"]
    kept = [at for at, label in enumerate(labels) if label]
    texts = [" ".join(meeting["meeting_transcripts"][at]["content"].split()[:40]) for at in kept]
    labels = [labels[at] for at in kept]
    begins = chapters(texts)
    found = np.searchsorted(begins, np.arange(len(texts)), side="right")
    equal = np.arange(len(texts)) * len(begins) // len(texts)
    assert adjusted_mutual_info_score(labels, found) > adjusted_mutual_info_score(labels, equal)
