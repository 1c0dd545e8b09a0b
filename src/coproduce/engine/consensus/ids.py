"""Ids: whatever people and statements are called elsewhere, and their places from 0."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np

_AT_ONCE = 1 << 20


class BadVotes(ValueError):
    """Votes that can't be taken in. Says what is wrong, where, and what to do."""


@dataclass(frozen=True)
class Places:
    """The ids that occur in some array, in order, and the way from an id to its place among them.

    ids: int64[k] or text[k], without repeats; text that is all whole numbers is in the order of these.
    """

    ids: np.ndarray
    lowest: int = 0
    table: np.ndarray | None = None  # from an id less the lowest to its place, where ids are near one another
    sorter: np.ndarray | None = None  # the order of the alphabet, for text

    @classmethod
    def of(cls, given: np.ndarray, what: str) -> Places:
        """The ids in an array of whole numbers or text. Raises BadVotes at anything else."""
        given = _plain(given, what)
        if given.dtype.kind == "U":
            ids = _in_order(np.unique(given))
            return cls(ids, sorter=np.argsort(ids))
        if not given.size:
            return cls(np.empty(0, np.int64))
        lowest, highest = int(given.min()), int(given.max())
        if highest - lowest >= max(4 * given.size, 1 << 16):
            return cls(np.unique(given).astype(np.int64))
        there = np.zeros(highest - lowest + 1, bool)
        for at in range(0, given.size, _AT_ONCE):
            there[given[at : at + _AT_ONCE].astype(np.int64) - lowest] = True
        ids = np.flatnonzero(there) + lowest
        return cls(ids, lowest, np.cumsum(there, dtype=np.int32) - 1)

    def place(self, given: np.ndarray) -> np.ndarray:
        """int[n]: the places of some of the ids that it was made of."""
        given = _plain(given, "")
        if self.table is not None:
            if len(self.table) == len(self.ids):
                return given.astype(np.int64) - self.lowest
            return np.asarray(self.table[given.astype(np.int64) - self.lowest])
        found = np.searchsorted(self.ids, given, sorter=self.sorter)
        return found if self.sorter is None else self.sorter[found]


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
    return BadVotes(
        f"The {what} {given[place]!r} at place {place:,} is no id. Ids are all whole numbers, or all text."
    )


def _in_order(ids: np.ndarray) -> np.ndarray:
    """Text ids in order: 2 before 10 where all are whole numbers."""
    if ids.size and all(one.isascii() and one.removeprefix("-").isdigit() for one in ids.tolist()):
        return np.array(sorted(ids.tolist(), key=lambda one: (int(one), one)))
    return ids
