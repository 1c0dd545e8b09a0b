"""New voices beside what people confirmed: which themes they may belong to. Nothing confirmed is touched."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from coproduce.engine.themes.meaning import unit

ENOUGH = 10
"""From this many confirmed quotes on, a theme is learned; below, voices are compared with its middle."""

AS_CLOSE = 0.8
"""A voice is proposed if it is at least this share as close to the theme's middle as its own quotes mostly are."""

ALONE = 0.6
"""How close a theme's own quotes are held to be where no theme has two."""

BESIDE = 0.9
"""Of themes too small to be learned, those are proposed that are at least this share as close as the closest."""

LIKELY = 0.4
"""A voice is proposed into a learned theme if it belongs there at least this likely."""

TRUST = 10
"""How much what people sorted counts against small weights: scikit-learn's C."""

OURS, OTHERS = 100, 300
"""A theme is learned from so many of its quotes at most, spread over all, and so many of the others' closest."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A confirmed theme that a voice may belong to, and how strongly, 0 to 1."""

    theme: Hashable
    strength: float


def propose(
    new: np.ndarray,
    confirmed: Mapping[Hashable, np.ndarray],
    *,
    refused: Mapping[Hashable, np.ndarray] | None = None,
) -> list[list[Proposal]]:
    """For each new voice the confirmed themes it may belong to, the strongest first; none: it is for the pool.

    new: float32[n, d], unit vectors. confirmed: for each theme float32[m, d], the voices that people confirmed
    in it. refused: for each theme the voices that people took out of it, or would not have in it.

    Raises ValueError where vectors are of different lengths: they are of different models.
    """
    refused = refused or {}
    themes = [theme for theme in confirmed if len(confirmed[theme])]
    for name, given in (("new", new), *confirmed.items(), *refused.items()):
        if len(given) and given.shape[1] != new.shape[1]:
            raise ValueError(
                f"The vectors of {name!r} have {given.shape[1]} numbers, the new ones {new.shape[1]}: they were "
                "made by different models. Embed all with one."
            )
    if not len(new) or not themes:
        return [[] for _ in range(len(new))]
    middles = np.stack([unit(confirmed[theme].sum(axis=0)) for theme in themes])
    cosines = np.clip(new @ middles.T, 0, 1)
    fits = cosines >= AS_CLOSE * _closeness([confirmed[theme] for theme in themes])
    strengths = np.where(fits & (cosines >= BESIDE * cosines.max(axis=1, keepdims=True)), cosines, -1.0)
    kept = [_spread(confirmed[theme]) for theme in themes]
    for at, theme in enumerate(themes):
        no = refused.get(theme, np.empty((0, new.shape[1]), np.float32))
        others = np.concatenate([each for place, each in enumerate(kept) if place != at] or [no])
        hard = others[np.argsort(-(others @ middles[at]), kind="stable")[:OTHERS]]
        against = np.concatenate([hard, _spread(no)])
        if len(confirmed[theme]) >= ENOUGH and len(against):
            likely = _learned(kept[at], against, new)
            strengths[:, at] = np.where(fits[:, at] & (likely >= LIKELY), likely, -1.0)
        elif len(no):
            nearer_no = (new @ no.T).max(axis=1) >= (new @ confirmed[theme].T).max(axis=1)
            strengths[nearer_no, at] = -1.0
    return [
        [
            Proposal(themes[at], float(row[at]))
            for at in sorted(np.flatnonzero(row >= 0), key=lambda at: (-row[at], at))
        ]
        for row in strengths
    ]


def _closeness(themes: list[np.ndarray]) -> np.ndarray:
    """float[k]: how close each theme's own quotes are to the middle of its others; few say it with the rest's help."""
    each = []
    for vectors in themes:
        if len(vectors) < 2:
            each.append(np.empty(0))
            continue
        whole = vectors.sum(axis=0, dtype=float)
        along, own = vectors @ whole, np.einsum("nd,nd->n", vectors, vectors)
        # How long the sum of the others is, without making it for each: there may be 100,000.
        length = np.sqrt(np.maximum(whole @ whole - 2 * along + own, 1e-12))
        each.append((along - own) / length)
    means = [float(closeness.mean()) for closeness in each if len(closeness)]
    mostly = float(np.mean(means)) if means else ALONE
    return np.array([(closeness.sum() + 3 * mostly) / (len(closeness) + 3) for closeness in each])


def _spread(vectors: np.ndarray) -> np.ndarray:
    """At most `OURS` of the vectors, evenly from first to last."""
    if len(vectors) <= OURS:
        return vectors
    return vectors[np.linspace(0, len(vectors) - 1, OURS).astype(int)]


def _learned(ours: np.ndarray, others: np.ndarray, new: np.ndarray) -> np.ndarray:
    """float[n]: how likely each new one is ours, by logistic regression on the embeddings.

    The weights are those that make ½|w|² + `TRUST` · Σ sᵢ log(1 + exp(-yᵢ(w·xᵢ + b))) least, sᵢ such that ours and the
    others count for as much. By Newton's method with conjugate gradients (Lin, Weng and Keerthi 2008), here and not by
    scikit-learn, with which it agrees, since loading that takes longer than all the rest.
    """
    known = np.concatenate([ours, others]).astype(float)
    known = np.hstack([known, np.ones((len(known), 1))])
    side = np.where(np.arange(len(known)) < len(ours), 1.0, -1.0)
    counts = TRUST * len(known) / 2 / np.where(side > 0, len(ours), len(others))
    held_small = np.append(np.ones(known.shape[1] - 1), 0.0)  # all but b

    def loss(weights: np.ndarray) -> float:
        wrong = np.logaddexp(0, -side * (known @ weights))
        return float((held_small * weights**2).sum() / 2 + counts @ wrong)

    weights = np.zeros(known.shape[1])
    for _ in range(100):
        unsure = np.exp(-np.logaddexp(0, side * (known @ weights)))
        slope = held_small * weights - known.T @ (counts * side * unsure)
        if np.abs(slope).max() <= 1e-4:
            break
        bend = counts * unsure * (1 - unsure)
        step = _solved(known, bend, held_small, -slope)
        now, along, share = loss(weights), slope @ step, 1.0
        while loss(weights + share * step) > now + 1e-4 * share * along and share > 1e-8:
            share /= 2
        weights += share * step
    return np.asarray(1 / (1 + np.exp(-(new @ weights[:-1] + weights[-1]))))


def _solved(rows: np.ndarray, bend: np.ndarray, held_small: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """About what `(rows.T · bend · rows + held_small)` turns into what is wanted (Hestenes and Stiefel 1952)."""
    found = np.zeros_like(wanted)
    left = wanted.copy()
    towards, size = left.copy(), left @ left
    enough = min(0.01, size**0.25) * size  # of the square of what is left
    for _ in range(len(wanted)):
        turned = held_small * towards + rows.T @ (bend * (rows @ towards))
        far = size / (towards @ turned)
        found += far * towards
        left -= far * turned
        before, size = size, left @ left
        if size <= enough:
            break
        towards = left + size / before * towards
    return found
