"""A long story → chapters: where the talk turns from one thing to the next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coproduce.engine.themes.meaning import Embedder, default_embedder

FULL = 40
"""A text of so many words counts in full for what the talk is about; a shorter one in part."""


def chapters(
    texts: Sequence[str], *, vectors: np.ndarray | None = None, embedder: Embedder | None = None
) -> list[int]:
    """Where each chapter begins, in order; the first is 0. Empty for no texts.

    texts: what was said, in order, such as turns. vectors: float32[n, d], their unit vectors, where they are
    kept already. There are about two chapters for every three in the square root of n.

    Each text is taken with those beside it, so that a "yes" in the middle turns nothing. The cut is the one
    whose chapters are most of a piece, found by dynamic programming over all cuts (after Utiyama and Isahara
    2001, with squared distances of vectors in the place of likelihoods of words).

    Raises ValueError where the vectors are not as many as the texts.
    """
    if vectors is not None and len(vectors) != len(texts):
        raise ValueError(f"There are {len(texts)} texts but {len(vectors)} vectors. Give one for each text.")
    if len(texts) < 2:
        return [0] if texts else []
    if vectors is None:
        from coproduce.engine.themes.finding import embed

        vectors = embed(texts, embedder or default_embedder())[0]
    from scipy.ndimage import gaussian_filter1d

    counts = np.array([max(min(len(text.split()), FULL), 1) / FULL for text in texts])[:, None]
    around = gaussian_filter1d(vectors * counts, 1.0, axis=0) / gaussian_filter1d(counts, 1.0, axis=0)
    return cut(around, max(1, round(np.sqrt(len(texts)) / 1.5)))


def cut(points: np.ndarray, count: int) -> list[int]:
    """Where the stretches begin of the cut into so many that loses the least: the squares round each's mean.

    points: float[n, d], in order. count: 1 to n.
    """
    points = points.astype(float) - points.mean(axis=0)
    n = len(points)
    sums = np.concatenate([np.zeros((1, points.shape[1])), np.cumsum(points, axis=0)])
    lengths = (sums**2).sum(axis=1)
    squares = np.concatenate([[0.0], np.cumsum((points**2).sum(axis=1))])
    best = np.full((count + 1, n + 1), np.inf)
    best[0, 0] = 0
    came = np.zeros((count + 1, n + 1), int)
    for ends in range(1, n + 1):
        of_sum = lengths[ends] + lengths[:ends] - 2 * (sums[:ends] @ sums[ends])
        lost = squares[ends] - squares[:ends] - of_sum / (ends - np.arange(ends))
        total = best[:count, :ends] + lost
        came[1:, ends] = total.argmin(axis=1)
        best[1:, ends] = total.min(axis=1)
    begins: list[int] = []
    at = n
    for left in range(count, 0, -1):
        at = int(came[left, at])
        begins.append(at)
    return begins[::-1]
