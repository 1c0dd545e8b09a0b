"""What several groups raise → which of it is about the same.

Each thing raised is short: a title, perhaps why, perhaps what it is filed under. Two are compared by their meaning,
where there are vectors of it, by the words they share, and by what they are filed under. They are then joined by
average linkage (Sokal and Michener 1958), so that a chain of things each a little like the next does not become one
heap. Nothing here writes a word or decides anything: it says "these look alike", and people look.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from coproduce.engine.themes.words import weight, words

ALIKE = 0.45
"""From this score, 0 to 1, two things are about the same. Set on `tests/engine/alike.toml`, a list of our own."""

IN_THE_TITLE = 2.0
"""A word of a title counts so much more than one of the reason under it."""

FILED_ALIKE = 0.25
"""What being filed under the same adds to the score."""


@dataclass(frozen=True)
class Raised:
    """One thing that a group raised.

    group: who raised it. title, why: in their own words; why may be empty. filed: the names of what it is filed
    under, such as themes; small and large letters are the same.
    """

    group: Hashable
    title: str
    why: str = ""
    filed: frozenset[str] = frozenset()


def about_the_same(raised: Sequence[Raised], vectors: np.ndarray | None = None) -> list[tuple[int, ...]]:
    """The sets of things, of at least two groups each, that are about the same.

    raised: n things; the work and the memory grow with n², so at most some thousands. vectors: float32[n, d], a unit
    vector for the words of each, all from one embedder; without them it goes by words alone and notices less.

    Returns the places in `raised` of each set, in order; no place is in two sets. The order in which things come
    changes nothing but their places. Raises ValueError where the vectors are not as many as the things.
    """
    if vectors is not None and len(vectors) != len(raised):
        raise ValueError(
            f"There are {len(raised)} things but {len(vectors)} vectors. Give one for each, in order."
        )
    if len({each.group for each in raised}) < 2:
        return []
    order = sorted(
        range(len(raised)), key=lambda at: _key(raised[at])
    )  # equal scores are joined in this order
    scores = likeness([raised[at] for at in order], None if vectors is None else vectors[order])
    found: dict[int, list[int]] = {}
    for at, cluster in zip(order, _joined(scores), strict=True):
        found.setdefault(int(cluster), []).append(at)
    return sorted(
        tuple(sorted(places)) for places in found.values() if len({raised[at].group for at in places}) > 1
    )


def _key(each: Raised) -> tuple[str, str, list[str], str]:
    return (each.title, each.why, sorted(each.filed), str(each.group))


def likeness(raised: Sequence[Raised], vectors: np.ndarray | None = None) -> np.ndarray:
    """How alike each two are: float64[n, n], 0 to 1, symmetric, 1 on the diagonal.

    With vectors it is the cosine of the meanings, lifted by a third of how many words are shared, of what is left up to
    1: texts of a line or two that mean the same often share a telling word, and those that only sound alike do not.
    Without, it is the root of the words shared, since few are where people are free to choose theirs.
    """
    shared = _shared_words(raised)
    if vectors is None:
        meant = np.sqrt(shared)
        lift = np.zeros_like(shared)
    else:
        meant = np.clip(vectors.astype(np.float64) @ vectors.T.astype(np.float64), 0, 1)
        lift = shared / 3
    score = meant + (1 - meant) * lift
    score += (1 - score) * FILED_ALIKE * _filed_alike(raised)
    score = np.clip((score + score.T) / 2, 0, 1)
    np.fill_diagonal(score, 1)
    return score


def _shared_words(raised: Sequence[Raised]) -> np.ndarray:
    """The cosine of the words of each two, by their stems: float64[n, n]. A word counts by how rare it is in English
    at large, and more in a title. Those without a word that says something share nothing."""
    columns: dict[str, int] = {}
    rows: list[dict[int, float]] = []
    for each in raised:
        row: dict[int, float] = {}
        for text, times in ((each.title, IN_THE_TITLE), (each.why, 1.0)):
            for found in words(text):
                said = text[found.begins : found.ends].replace("’", "'").casefold().removesuffix("'s")
                column = columns.setdefault(found.stem, len(columns))
                row[column] = max(row.get(column, 0.0), times * weight(said))
        rows.append(row)
    table = np.zeros((len(raised), max(len(columns), 1)))
    for at, row in enumerate(rows):
        for column, value in row.items():
            table[at, column] = value
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    table /= np.where(lengths > 0, lengths, 1)
    return np.clip(table @ table.T, 0, 1)


def _filed_alike(raised: Sequence[Raised]) -> np.ndarray:
    """1 where two are filed under the same, by any of the names: float64[n, n]."""
    columns: dict[str, int] = {}
    for each in raised:
        for name in each.filed:
            columns.setdefault(name.casefold(), len(columns))
    table = np.zeros((len(raised), max(len(columns), 1)))
    for at, each in enumerate(raised):
        table[at, [columns[name.casefold()] for name in each.filed]] = 1
    return (table @ table.T > 0).astype(np.float64)


def _joined(scores: np.ndarray) -> np.ndarray:
    """A number for each: those of one number are alike on the average of all their pairs. int[n]"""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    # Rounded, so that what is equally alike is so to the last bit, wherever it stands in the table.
    away = np.round(1 - scores, 9)
    np.fill_diagonal(away, 0)
    tree = linkage(squareform(away, checks=False), "average")
    return np.asarray(fcluster(tree, 1 - ALIKE + 1e-9, "distance"))


def words_in_common(raised: Sequence[Raised]) -> list[str]:
    """The words that say why these were put together: those of at least two groups, the most telling first.

    As they are written where they first stand; at most six.
    """
    said_by: dict[str, set[Hashable]] = {}
    written: dict[str, str] = {}
    telling: dict[str, float] = {}
    for each in raised:
        for text in (each.title, each.why):
            for found in words(text):
                form = text[found.begins : found.ends].replace("’", "'").casefold().removesuffix("'s")
                said_by.setdefault(found.stem, set()).add(each.group)
                written.setdefault(found.stem, form)
                telling[found.stem] = max(telling.get(found.stem, 0.0), weight(form))
    common = [known for known, groups in said_by.items() if len(groups) > 1]
    common.sort(key=lambda known: (-len(said_by[known]), -telling[known], known))
    return [written[known] for known in common[:6]]
