"""Votes: who voted how on what, one vote for each person and statement, kept in two bytes each.

Everything that the engine asks of votes is asked here, in four questions that can be put to one machine or to many
(`engine/cluster.py` puts the same four): how many of each kind, what a row sums to, how rows pull on statements,
and how many of each kind in each group. A kind is a *cell*: a statement and one of the three votes on it, numbered
3 × statement + vote + 1.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from coproduce.engine.consensus.ids import BadVotes, Numbered, as_array, is_none, place_of

if TYPE_CHECKING:
    from scipy.sparse import csr_array

DISAGREE, PASS, AGREE = 0, 1, 2
"""Which of a statement's three cells a vote is in: the vote, −1, 0 or +1, and one."""

_AT_ONCE = 1 << 19  # cells worked on at once: they fit in a processor's own memory
_KEPT = 1 << 23  # up to so many cells are kept widened for SciPy; beyond that they are widened each time
_DEALT = 1 << 17  # so many votes are dealt out at once
_GAPS = 1 << 16  # ids that nobody used are no trouble, up to so many


class Votes:
    """What people voted: the last vote of each person on each statement.

    participants: ids[P], in order; everybody with a vote.
    statements: ids[M], in order; everything voted on.
    begins: int64[P + 1]. cells: uint16 or uint32[n], the votes of participant p at begins[p]:begins[p + 1], in
    order. The same votes make the same arrays, in whatever order they come, but for who voted last.
    frugal: nothing is kept beside the cells, though each question takes a little longer then.
    """

    frugal = False

    def __init__(
        self, participants: np.ndarray, statements: np.ndarray, begins: np.ndarray, cells: np.ndarray
    ) -> None:
        self.participants, self.statements, self.begins, self.cells = participants, statements, begins, cells

    @classmethod
    def from_arrays(cls, participant: Any, statement: Any, vote: Any) -> Votes:
        """Votes from three arrays of one length, in the order in which they were cast: the last one wins.

        participant, statement: whole numbers or text. vote: −1 disagree, 0 pass, +1 agree; NaN and None are no
        vote. Raises BadVotes at an id or a vote that is none of these, with its place from 0.
        """
        return cls(*_build(participant, statement, vote))

    @classmethod
    def from_csv(cls, file: str | Path | IO[str]) -> Votes:
        """Votes from a CSV file: see `reading.from_csv`."""
        from coproduce.engine.consensus.reading import from_csv

        return from_csv(file)

    @classmethod
    def from_table(cls, table: Any) -> Votes:
        """Votes from a pandas, Polars or Arrow table: see `reading.from_table`."""
        from coproduce.engine.consensus.reading import from_table

        return from_table(table)

    @classmethod
    def from_parquet(cls, file: str | Path) -> Votes:
        """Votes from a Parquet file, with the columns of `from_table`. Needs the extra `cluster`."""
        from coproduce.engine.consensus.reading import from_parquet

        return from_parquet(file)

    def __len__(self) -> int:
        return len(self.cells)

    def __repr__(self) -> str:
        return f"<{len(self):,} votes of {len(self.participants):,} people on {len(self.statements):,} statements>"

    @property
    def counts(self) -> np.ndarray:
        """int64[P]: how many statements each person voted on."""
        return np.diff(self.begins)

    def of(self, participant: Hashable) -> tuple[np.ndarray, np.ndarray]:
        """What one person voted: the places of statements, int64[n], and their votes, int8[n]; empty if nothing."""
        place = place_of(self.participants, participant)
        if place is None:
            return np.empty(0, np.int64), np.empty(0, np.int8)
        cells = self.cells[self.begins[place] : self.begins[place + 1]].astype(np.int64)
        return cells // 3, (cells % 3 - 1).astype(np.int8)

    def arrays(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The votes as ids[n] of participants, ids[n] of statements and int8[n]: what `from_arrays` takes."""
        row, cell = np.repeat(np.arange(len(self.participants)), self.counts), self.cells.astype(np.int64)
        return self.participants[row], self.statements[cell // 3], (cell % 3 - 1).astype(np.int8)

    def plus(self, later: Votes) -> Votes:
        """These votes and later ones: where a person votes on a statement again, the later vote wins."""
        if not len(self) or not len(later):
            return self if len(self) else later
        numbers = all(
            ids.dtype.kind == "i"
            for ids in (self.participants, later.participants, self.statements, later.statements)
        )
        if numbers and 4 * len(later.participants) < len(self.participants):
            return self._with(later)
        both = (np.concatenate(pair) for pair in zip(self.arrays(), later.arrays(), strict=True))
        return Votes.from_arrays(*both)

    def _with(self, later: Votes) -> Votes:
        """The same, where few people voted since: only their rows are made anew."""
        place = np.searchsorted(self.participants, later.participants)
        known = self.participants[np.minimum(place, len(self.participants) - 1)] == later.participants
        before = self.rows(place[known])
        now = Votes.from_arrays(
            *(np.concatenate(pair) for pair in zip(before.arrays(), later.arrays(), strict=True))
        )
        statements = np.union1d(self.statements, later.statements)
        kept, new = self.renumbered(statements), now.renumbered(statements)
        pieces, upto = [], 0
        for at, (row, there) in enumerate(zip(place.tolist(), known.tolist(), strict=True)):
            pieces.append(kept.cells[self.begins[upto] : self.begins[row]])
            pieces.append(new.cells[new.begins[at] : new.begins[at + 1]])
            upto = row + there
        pieces.append(kept.cells[self.begins[upto] :])
        counts = self.counts
        counts[place[known]] = new.counts[known]
        participants = np.insert(self.participants, place[~known], new.participants[~known])
        counts = np.insert(counts, place[~known], new.counts[~known])
        return Votes(
            participants, statements, np.concatenate([[0], np.cumsum(counts)]), np.concatenate(pieces)
        )

    def renumbered(self, statements: np.ndarray) -> Votes:
        """The same votes, with statements numbered as in a longer list of ids, in order, whole numbers."""
        kind = np.uint16 if 3 * len(statements) <= 1 << 16 else np.uint32
        if len(statements) == len(self.statements):
            return self
        place = np.searchsorted(statements, self.statements)
        cells = (3 * place[:, None] + np.arange(3)).ravel().astype(kind)[self.cells]
        return Votes(self.participants, statements, self.begins, cells)

    def rows(self, places: np.ndarray) -> Votes:
        """The votes of some participants, by their places; one that is named twice is there twice."""
        counts = self.counts[places]
        begins = np.concatenate([[0], np.cumsum(counts)])
        taken = np.repeat(self.begins[places] - begins[:-1], counts) + np.arange(begins[-1])
        return Votes(self.participants[places], self.statements, begins, self.cells[taken])

    # The four questions. A table has a number for each cell, float64[3M].

    def tally(self) -> np.ndarray:
        """int64[3M]: how many votes are in each cell."""
        return _tally(self.cells, 3 * len(self.statements))

    def sums(self, tables: np.ndarray) -> np.ndarray:
        """float64[P, d]: for each participant the sum of the tables, float64[3M, d], over their cells."""
        found = np.empty((len(self.participants), tables.shape[1]))
        columns = np.ascontiguousarray(tables.T)
        for first, last, block in self._blocks():
            for at, column in enumerate(columns):  # SciPy takes longer over both at once
                found[first:last, at] = block @ column
        return found

    def pull(self, table: np.ndarray) -> np.ndarray:
        """float64[3M]: for each cell, the sum over who is in it of what the table sums to for them."""
        found = np.zeros(len(table))
        for _, _, block in self._blocks():
            found += block.T @ (block @ table)
        return found

    def tally_by(self, labels: np.ndarray, groups: int) -> np.ndarray:
        """int64[groups, 3M]: how many votes of each group are in each cell. labels: int[P], −1 is in no group."""
        wide = 3 * len(self.statements)
        found = np.zeros((groups + 1) * wide, np.int64)
        starts = np.where(labels < 0, groups, labels).astype(np.int64) * wide
        for first, last in self._cuts:
            cells = self.cells[self.begins[first] : self.begins[last]]
            both = np.repeat(starts[first:last], self.counts[first:last])
            both += cells
            found += np.bincount(both, minlength=len(found))
        return found.reshape(groups + 1, wide)[:groups]

    @cached_property
    def _cuts(self) -> list[tuple[int, int]]:
        """Which participants are worked on at once."""
        at = np.searchsorted(self.begins, np.arange(0, len(self.cells), _AT_ONCE))
        edges = np.unique(np.concatenate([at, [0, len(self.participants)]])).tolist()
        return list(pairwise(edges))

    @cached_property
    def _ones(self) -> np.ndarray:
        return np.ones(max((self.begins[last] - self.begins[first] for first, last in self._cuts), default=0))

    @cached_property
    def _kept(self) -> list[tuple[int, int, csr_array]]:
        return list(self._widened())

    def _blocks(self) -> Iterable[tuple[int, int, csr_array]]:
        return self._widened() if self.frugal or len(self.cells) > _KEPT else self._kept

    def _widened(self) -> Iterator[tuple[int, int, csr_array]]:
        """Participants from where to where, and which cells they are in as a matrix of ones."""
        from scipy.sparse import csr_array

        for first, last in self._cuts:
            begins, ends = self.begins[first], self.begins[last]
            cells = self.cells[begins:ends].astype(np.int32)
            indptr = (self.begins[first : last + 1] - begins).astype(np.int32)
            yield (
                first,
                last,
                csr_array(
                    (self._ones[: len(cells)], cells, indptr), (last - first, 3 * len(self.statements))
                ),
            )


def _build(
    participant: Any, statement: Any, vote: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    vote, cast = _votes(vote)
    participant, statement = as_array(participant), as_array(statement)
    for name, given in (("participants", participant), ("statements", statement)):
        if given.shape != cast.shape:
            raise BadVotes(
                f"There are {cast.size:,} votes but {given.size:,} {name}. Give one for each vote, in the same order."
            )
    if not cast.all():
        participant, statement, vote = participant[cast], statement[cast], vote[cast]
    people = Numbered.of(participant, "participant", max(4 * len(vote), _GAPS))
    columns = Numbered.of(statement, "statement", _GAPS)
    kind = np.uint16 if 3 * columns.wide <= 1 << 16 else np.uint32
    counts, cells, last = np.zeros(people.wide, np.int64), np.empty(len(vote), kind), 0
    for first, row, column, cell in _bundles(people, columns, vote, kind):
        begins, found = _in_order(row, column, cell, columns.wide)
        counts[first : first + len(begins) - 1] = np.diff(begins)
        cells[last : last + len(found)] = found
        last += len(found)
    cells = cells[:last]
    there = np.asarray(_tally(cells, 3 * columns.wide).reshape(-1, 3).any(axis=1))
    if not there.all():  # ids that are near one another, with gaps
        cells = (np.cumsum(np.repeat(there, 3)) - 1).astype(kind)[cells]
    begins = np.concatenate([[0], np.cumsum(counts[counts > 0])])
    return people.ids_of(counts > 0), columns.ids_of(there), begins, cells


def _bundles(
    people: Numbered, columns: Numbered, vote: np.ndarray, kind: type[np.unsignedinteger[Any]]
) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """Participants from where on, and all of their votes as they were cast: who of these, on what, in which cell.

    Where there are many votes they are first dealt out to bundles of people, each small enough to be put in order in
    a processor's own memory. It takes four bytes a vote more while it lasts.
    """
    if len(vote) <= _AT_ONCE << 2:
        row, column = people.some(slice(None)), columns.some(slice(None))
        yield 0, row, column, _cells(column, vote, kind)
        return
    wide = np.uint32(3 * columns.wide)
    size = max(min(-(-people.wide * _AT_ONCE // len(vote)), (1 << 31) // int(wide) - 1), 1)
    bundles = -(-people.wide // size)
    dealt: list[tuple[np.ndarray, np.ndarray]] = []
    for at in range(0, len(vote), _DEALT):
        some = slice(at, at + _DEALT)
        row = people.some(some).astype(np.uint32)
        bundle = row // np.uint32(size)
        row -= bundle * np.uint32(size)
        row *= wide
        row += _cells(columns.some(some), vote[some], np.uint32)
        pile = _grouped(bundle.view(np.int32), row.view(np.int32), vote[some], (bundles, (1 << 31) - 1))
        dealt.append((pile.indptr, pile.indices.view(np.uint32)))
    for nth in range(bundles):
        key = np.concatenate([keys[begins[nth] : begins[nth + 1]] for begins, keys in dealt])
        if len(key):
            row = key // wide
            cell = key - row * wide
            column = cell // np.uint32(3)
            yield nth * size, row.view(np.int32), column.view(np.int32), cell.astype(kind)


def _grouped(row: np.ndarray, column: np.ndarray, data: np.ndarray, shape: tuple[int, int]) -> csr_array:
    """By row, those of a row in the order given: SciPy's counting sort, which leaves repeats alone if told so."""
    from scipy.sparse import coo_array

    given = coo_array((data, (row, column)), shape)
    given.has_canonical_format = True
    return given.tocsr()


def _in_order(
    row: np.ndarray, column: np.ndarray, cell: np.ndarray, wide: int
) -> tuple[np.ndarray, np.ndarray]:
    """Where each row begins, and its cells by column; of several in one place the last."""
    ordered = _grouped(column, row, cell, (wide, int(row.max(initial=-1)) + 1)).tocsc()
    later, begins = np.empty(len(cell), bool), ordered.indptr.astype(np.int64)
    np.not_equal(ordered.indices[1:], ordered.indices[:-1], out=later[:-1])
    later[begins[1:][begins[1:] > 0] - 1] = True
    if later.all():
        return begins, ordered.data
    return np.concatenate([[0], np.cumsum(later)])[begins], ordered.data[later]


def _cells(column: np.ndarray, vote: np.ndarray, kind: type[np.unsignedinteger[Any]]) -> np.ndarray:
    cell = column.astype(kind)
    cell *= kind(3)
    cell += (vote + np.int8(1)).astype(np.uint8)
    return cell


def _tally(cells: np.ndarray, wide: int) -> np.ndarray:
    found = np.zeros(wide, np.int64)
    for at in range(0, len(cells), _AT_ONCE):
        found += np.bincount(cells[at : at + _AT_ONCE], minlength=wide)
    return found


def _votes(vote: Any) -> tuple[np.ndarray, np.ndarray]:
    """int8[n], and bool[n]: whether it is a vote at all."""
    given = as_array(vote)
    if given.ndim != 1:
        raise BadVotes(
            f"The votes are to be a list, one number for each, not an array of shape {given.shape}."
        )
    if given.dtype.kind in "iu":
        if given.size and (given.min() < -1 or given.max() > 1):
            _bad_vote(given, (given >= -1) & (given <= 1))
        return given.astype(np.int8, copy=False), np.broadcast_to(np.True_, given.shape)
    if given.dtype.kind == "O":
        given = np.array([np.nan if is_none(one) else one for one in given.tolist()])
    if given.size and given.dtype.kind not in "fiu":
        raise BadVotes(
            f"Vote {given.tolist()[0]!r} is no number. A vote is 1 (agree), -1 (disagree) or 0 (pass)."
        )
    given = given.astype(float, copy=False)
    cast = ~np.isnan(given)
    good = ~cast | (given == 0) | (given == 1) | (given == -1)
    if not good.all():
        _bad_vote(given, good)
    return np.where(cast, given, 0).astype(np.int8), cast


def _bad_vote(given: np.ndarray, good: np.ndarray) -> None:
    place = int(np.flatnonzero(~good)[0])
    raise BadVotes(
        f"Vote {given[place]:g} at place {place:,} is none we know. A vote is 1 (agree), -1 (disagree) or 0 (pass)."
    )
