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
        others = unit(vectors.sum(axis=0) - vectors)
        each.append((others * vectors).sum(axis=1) if len(vectors) > 1 else np.empty(0))
    means = [float(closeness.mean()) for closeness in each if len(closeness)]
    mostly = float(np.mean(means)) if means else ALONE
    return np.array([(closeness.sum() + 3 * mostly) / (len(closeness) + 3) for closeness in each])


def _spread(vectors: np.ndarray) -> np.ndarray:
    """At most `OURS` of the vectors, evenly from first to last."""
    if len(vectors) <= OURS:
        return vectors
    return vectors[np.linspace(0, len(vectors) - 1, OURS).astype(int)]


def _learned(ours: np.ndarray, others: np.ndarray, new: np.ndarray) -> np.ndarray:
    """float[n]: how likely each new one is ours, by logistic regression on the embeddings."""
    from sklearn.linear_model import LogisticRegression

    known = np.concatenate([ours, others])
    is_ours = np.arange(len(known)) < len(ours)
    model = LogisticRegression(C=10, class_weight="balanced", max_iter=200).fit(known, is_ours)
    return np.asarray(model.predict_proba(new)[:, 1])
