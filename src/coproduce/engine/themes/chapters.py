"""A long story → chapters: where the talk turns from one thing to the next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coproduce.engine.themes.meaning import Embedder, default_embedder

LENGTH = 24
"""A chapter has about this many texts."""


def chapters(
    texts: Sequence[str], *, vectors: np.ndarray | None = None, embedder: Embedder | None = None
) -> list[int]:
    """Where each chapter begins, in order; the first is 0. Empty for no texts.

    texts: what was said, in order. vectors: float32[n, d], their unit vectors, where they are kept already.

    The cut is the one whose chapters are most of a piece, found by dynamic programming over all cuts (after
    Utiyama and Isahara 2001, with sums of vectors in the place of word counts).
    """
    if len(texts) < 2:
        return [0] if texts else []
    if vectors is None:
        from coproduce.engine.themes.finding import embed

        vectors = embed(texts, embedder or default_embedder(), None)[0]
    return cut(np.asarray(vectors, dtype=float), max(1, round(len(texts) / LENGTH)))


def cut(vectors: np.ndarray, count: int) -> list[int]:
    """The cut into so many stretches that loses the least: the sum of squares round each stretch's mean."""
    n = len(vectors)
    sums = np.concatenate(
        [np.zeros((1, vectors.shape[1])), np.cumsum(vectors - vectors.mean(axis=0), axis=0)]
    )
    squares = np.concatenate([[0.0], np.cumsum(((vectors - vectors.mean(axis=0)) ** 2).sum(axis=1))])
    best = np.full((count + 1, n + 1), np.inf)
    best[0, 0] = 0
    came = np.zeros((count + 1, n + 1), int)
    for ends in range(1, n + 1):
        lengths = ends - np.arange(ends)
        lost = squares[ends] - squares[:ends] - ((sums[ends] - sums[:ends]) ** 2).sum(axis=1) / lengths
        total = best[:count, :ends] + lost
        came[1:, ends] = total.argmin(axis=1)
        best[1:, ends] = total.min(axis=1)
    begins = []
    at = n
    for left in range(min(count, n), 0, -1):
        at = int(came[left, at])
        begins.append(at)
    return begins[::-1]
