"""Ids: whatever people and statements are called elsewhere, and their places from 0."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np


class BadVotes(ValueError):
    """Votes that can't be taken in. Says what is wrong, where, and what to do."""


@dataclass(frozen=True)
class Numbered:
    """Ids as numbers from 0, in order: `given − lowest`. Some numbers may stand for no id that occurs.

    given: int[n]. wide: above every number. ids: int64[wide] or text[wide], what each number stands for; None where
    that is the number and the lowest.
    """

    given: np.ndarray
    lowest: int
    wide: int
    ids: np.ndarray | None = None

    @classmethod
    def of(cls, given: np.ndarray, what: str, gaps: int) -> Numbered:
        """Number an array of whole numbers or text, leaving out what does not occur where that is more than gaps.

        Raises BadVotes at anything that is neither.
        """
        given = _plain(given, what)
        if not given.size:
            return cls(np.empty(0, np.int64), 0, 0)
        if given.dtype.kind != "U":
            lowest, highest = int(given.min()), int(given.max())
            wide = highest - lowest + 1
            if wide <= gaps:
                return cls(given, lowest, wide)
            if wide <= 4 * given.size:  # a list of all there could be is shorter than sorting what there is
                there = np.zeros(wide, bool)
                there[given.astype(np.int64) - lowest] = True
                place = np.cumsum(there, dtype=np.int32) - 1
                ids = np.flatnonzero(there) + lowest
                return cls(place[given.astype(np.int64) - lowest], 0, len(ids), ids)
        ids, numbers = np.unique(given, return_inverse=True)
        if given.dtype.kind != "U":
            return cls(numbers, 0, len(ids), ids.astype(np.int64))
        order = _order(ids)
        place = np.empty(len(ids), np.int64)
        place[order] = np.arange(len(ids))
        return cls(place[numbers], 0, len(ids), ids[order])

    def some(self, some: slice) -> np.ndarray:
        """int32 or int64[k]: the numbers of some of what was given."""
        given = self.given[some]
        if given.dtype.itemsize < 4 or self.lowest:
            given = given.astype(np.int64)
        return given - self.lowest if self.lowest else given

    def ids_of(self, there: np.ndarray) -> np.ndarray:
        """The ids of the numbers that occur. there: bool[wide]."""
        numbers = np.flatnonzero(there)
        return numbers + self.lowest if self.ids is None else self.ids[numbers]


def as_array(given: Any) -> np.ndarray:
    """An array of what was given; of a list nothing is turned into something else on the way."""
    return np.array(given, object) if isinstance(given, list | tuple) else np.asarray(given)


def is_none(one: object) -> bool:
    """None, or what pandas has in its place."""
    return one is None or type(one).__name__ == "NAType"


def place_of(ids: np.ndarray, one: Hashable) -> int | None:
    """The place of one id among ids, None where it is not there."""
    if ids.dtype.kind == "U":
        found = np.flatnonzero(ids == one) if isinstance(one, str) else np.empty(0, int)
        return int(found[0]) if len(found) else None
    if not isinstance(one, int | np.integer):
        return None
    place = int(np.searchsorted(ids, one))
    return place if place < len(ids) and ids[place] == one else None


def _plain(given: np.ndarray, what: str) -> np.ndarray:
    if given.dtype.kind in "iuU":
        return given
    if given.dtype.kind == "f":
        whole = np.isfinite(given) & (given == np.floor(given))
        if whole.all():
            return given.astype(np.int64)
        raise _bad(given, int(np.flatnonzero(~whole)[0]), what)
    there = given.tolist()
    if all(_is_id(one) and type(one) is type(there[0]) for one in there):
        return np.array(there) if there else np.empty(0, np.int64)
    wrong = next(at for at, one in enumerate(there) if not _is_id(one) or type(one) is not type(there[0]))
    raise _bad(there, wrong, what)


def _is_id(one: object) -> bool:
    return isinstance(one, int | str) and not isinstance(one, bool)


def _bad(given: Any, place: int, what: str) -> BadVotes:
    one = given[place].item() if isinstance(given[place], np.generic) else given[place]
    return BadVotes(
        f"The {what} {one!r} at place {place:,} is no id. Ids are all whole numbers, or all text."
    )


def _order(ids: np.ndarray) -> np.ndarray:
    """The order of text ids, which are in that of the alphabet: 2 before 10 where all are whole numbers."""
    if all(one.isascii() and one.removeprefix("-").isdigit() for one in ids.tolist()):
        return np.argsort([int(one) for one in ids.tolist()], kind="stable")
    return np.arange(len(ids))
