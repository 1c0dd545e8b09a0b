"""The map: a round for each opinion group that is shown, nearer where people vote more alike. No person is on it, but
on one's own page oneself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SIZE = 360
EDGE = 26
LEAST = 26  # a round holds its letter


@dataclass(frozen=True)
class Round:
    """A group: its letter and place among the groups, where its middle is, how far its people are apart."""

    letter: str
    number: int
    x: float
    y: float
    radius: float
    near: str  # the letter of the group it votes most like; "" where no other is shown


@dataclass(frozen=True)
class Map:
    """What is drawn. `you`: where the reader is, on their own page only."""

    rounds: list[Round]
    width: int
    height: int
    you: tuple[float, float] | None = None


def draw(
    groups: Sequence[dict[str, Any]], shown: Sequence[int], you: tuple[float, float] | None = None
) -> Map:
    """groups: as reckoning.py keeps them. shown: which of them. you: a place on the same plane.

    All that is drawn fits, and the map is no higher than it has to be; a reader who is far out stands at the edge.
    """

    def reach(axis: int) -> float:
        return max(abs(groups[n]["middle"][axis]) + groups[n]["apart"] for n in shown)

    half = SIZE / 2
    scale = (half - EDGE) / max(reach(0), reach(1), 1e-9)
    high = min(max(scale * reach(1), LEAST) + EDGE, half)

    def at(x: float, y: float) -> tuple[float, float]:
        return inside(half + scale * x, SIZE), inside(high - scale * y, 2 * high)

    def inside(spot: float, most: float) -> float:
        return round(min(max(spot, EDGE / 2), most - EDGE / 2), 1)

    rounds = []
    for n in shown:
        others = [
            (math.dist(groups[n]["middle"], groups[other]["middle"]), "ABCDE"[other])
            for other in shown
            if other != n
        ]
        x, y = at(*groups[n]["middle"])
        radius = round(max(scale * groups[n]["apart"], LEAST), 1)
        rounds.append(Round("ABCDE"[n], n, x, y, radius, min(others)[1] if others else ""))
    return Map(rounds, SIZE, round(2 * high), at(*you) if you else None)
