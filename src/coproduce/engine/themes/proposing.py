"""New voices beside what people confirmed: which themes they may belong to. Nothing confirmed is touched."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

import numpy as np

from coproduce.engine.themes.meaning import unit

ENOUGH = 10
"""From this many confirmed quotes on, a theme is learned; below, voices are compared with its middle."""

CLOSE = 0.35
"""A voice is proposed into a theme of few quotes if its cosine with the theme's middle is at least this."""

LIKELY = 0.5
"""A voice is proposed into a learned theme if it belongs there at least this likely."""

MOST = 200
"""Of a theme with more confirmed quotes than this, so many are learned from, spread over all of them."""


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
    strengths = np.full((len(new), len(themes)), -1.0)
    middles = np.stack([unit(confirmed[theme].sum(axis=0)) for theme in themes])
    cosines = np.clip(new @ middles.T, 0, 1)
    kept = {theme: _spread(confirmed[theme]) for theme in themes}
    for at, theme in enumerate(themes):
        against = [kept[other] for other in themes if other != theme]
        against += [_spread(refused[theme])] if len(refused.get(theme, ())) else []
        if len(confirmed[theme]) >= ENOUGH and against:
            likely = _learned(kept[theme], np.concatenate(against), new)
            fits = likely >= LIKELY
            strengths[fits, at] = likely[fits]
            continue
        close = cosines[:, at] >= CLOSE
        if len(refused.get(theme, ())):
            close &= (new @ refused[theme].T).max(axis=1) < (new @ confirmed[theme].T).max(axis=1)
        strengths[close, at] = cosines[close, at]
    return [
        [
            Proposal(themes[at], float(row[at]))
            for at in sorted(np.flatnonzero(row >= 0), key=lambda at: (-row[at], at))
        ]
        for row in strengths
    ]


def _spread(vectors: np.ndarray) -> np.ndarray:
    """At most `MOST` of the vectors, evenly from first to last."""
    if len(vectors) <= MOST:
        return vectors
    return vectors[np.linspace(0, len(vectors) - 1, MOST).astype(int)]


def _learned(ours: np.ndarray, others: np.ndarray, new: np.ndarray) -> np.ndarray:
    """float[n]: how likely each new one is ours, by logistic regression on the embeddings."""
    from sklearn.linear_model import LogisticRegression

    known = np.concatenate([ours, others])
    is_ours = np.arange(len(known)) < len(ours)
    model = LogisticRegression(C=10, class_weight="balanced", max_iter=200).fit(known, is_ours)
    return np.asarray(model.predict_proba(new)[:, 1])
