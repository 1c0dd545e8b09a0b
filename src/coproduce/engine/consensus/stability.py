"""Stability: would the same people be together if others had come?

People are drawn again and again, with replacement, and all of it is done anew with those drawn: means, components,
places, groups and how many of them (the bootstrap; Hennig 2007, "Cluster-wise assessment of cluster stability").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from coproduce.engine.consensus import groups as grouping
from coproduce.engine.consensus.projection import Asked, project

DRAWS = 24
"""How often people are drawn."""

MOST_PEOPLE = 2_000
"""So many people at most are drawn at a time. Where there are more, the figures are a lower bound for all."""


@dataclass(frozen=True)
class Stability:
    """How often two people are as they were, each between 0 and 1; 1 where there is one group.

    together: of two people in the same group, how often they are in the same group again. apart: of two people in
    different groups, how often in different ones again. same_number: how often there were as many groups.
    groups: `together`, for each group. draws: how often people were drawn, people: how many at a time.
    """

    together: float
    apart: float
    same_number: float
    groups: tuple[float, ...]
    draws: int
    people: int

    def plain(self) -> dict[str, Any]:
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in vars(self).items()
        }


def stability(
    votes: Asked,
    taken_out: np.ndarray,
    labels: np.ndarray,
    components: np.ndarray,
    *,
    mode: str,
    seed: int,
    smallest: int,
) -> Stability:
    """labels: int[P], groups from 0, −1 for who is not counted. components: where to start from."""
    number = int(labels.max(initial=-1)) + 1
    people = np.flatnonzero(labels >= 0)
    size = min(len(people), MOST_PEOPLE)
    if number <= 1:
        return Stability(1.0, 1.0, 1.0, (1.0,) * number, 0, size)
    rng = np.random.default_rng(seed)
    stayed, could = np.zeros(number), np.zeros(number)
    parted = could_part = same = 0.0
    draws = [np.sort(rng.choice(people, size)) for _ in range(DRAWS)]
    ever = np.unique(np.concatenate(draws))
    pool = votes.rows(ever)
    for drawn in draws:
        once = pool.rows(np.searchsorted(ever, drawn))
        found = grouping.group(
            project(once, taken_out, components).points, mode=mode, seed=seed, smallest=smallest
        )
        _, first = np.unique(drawn, return_index=True)
        table = np.zeros((number, len(found.sizes)))
        np.add.at(table, (labels[drawn[first]], found.labels[first]), 1)
        pairs = table.sum(axis=1)
        kept = (table * (table - 1)).sum(axis=1)
        stayed += kept
        could += pairs * (pairs - 1)
        joined = table.sum(axis=0)
        across = pairs.sum() ** 2 - (pairs**2).sum()
        parted += across - ((joined**2).sum() - (table**2).sum())
        could_part += across
        same += len(found.sizes) == number
    each = np.divide(stayed, could, out=np.ones(number), where=could > 0)
    return Stability(
        together=float(stayed.sum() / could.sum()) if could.sum() else 1.0,
        apart=float(parted / could_part) if could_part else 1.0,
        same_number=same / DRAWS,
        groups=tuple(each.tolist()),
        draws=DRAWS,
        people=size,
    )
