"""Votes beyond one machine's memory: partitioned Parquet → the same result, on Dask.

    votes = votes_from_parquet(sorted(glob("votes/*.parquet")), client)
    result = analyse(votes)

Each bundle of people stays where it was read, two bytes a vote. What travels is a table with a number for each
statement and vote, and a place for each person: the engine asks these votes the same four questions as those in memory
(`consensus.votes`) and gets the same answers, but for the order in which blocks are added up.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coproduce.engine.consensus.ids import BadVotes, place_of
from coproduce.engine.consensus.reading import PERSON, STATEMENT, VOTE, WHEN
from coproduce.engine.consensus.votes import Votes

if TYPE_CHECKING:
    from distributed import Client, Future

_SAMPLED = 16  # files from which it is learned who is where, when people are in several
_DEALT_TO = 4  # bundles for each worker's thread, when they are


class SpreadVotes:
    """Votes that lie in bundles of people on the workers of a Dask cluster. Answers what `consensus.Votes` does.

    participants, statements, counts: as there, in this process. bundles: futures of `Votes`, in the order of people.
    """

    def __init__(
        self,
        client: Client,
        bundles: list[Future],
        people: list[np.ndarray],
        counts: list[np.ndarray],
        statements: np.ndarray,
    ) -> None:
        self.client, self.bundles, self.statements = client, bundles, statements
        self.participants, self.counts = np.concatenate(people), np.concatenate(counts)
        self.begins = np.concatenate([[0], np.cumsum([len(each) for each in people])])

    def __len__(self) -> int:
        return int(self.counts.sum())

    def _ask(self, question: Any, each: Sequence[Any] | None = None, **same: Any) -> list[Any]:
        """What each bundle answers, in order. each: what it is asked about; same: what all are."""
        given = [] if each is None else [self.client.scatter(list(each), hash=False)]
        answers = self.client.map(question, self.bundles, *given, pure=False, **same)
        found: list[Any] = self.client.gather(answers)
        return found

    def _parts(self, of: np.ndarray) -> list[np.ndarray]:
        return [of[first:last] for first, last in pairwise(self.begins)]

    def tally(self) -> np.ndarray:
        return np.sum(self._ask(Votes.tally), axis=0)

    def sums(self, tables: np.ndarray) -> np.ndarray:
        return np.concatenate(self._ask(Votes.sums, tables=tables))

    def pull(self, table: np.ndarray) -> np.ndarray:
        return np.sum(self._ask(Votes.pull, table=table), axis=0)

    def tally_by(self, labels: np.ndarray, groups: int) -> np.ndarray:
        return np.sum(self._ask(Votes.tally_by, self._parts(labels), groups=groups), axis=0)

    def rows(self, places: np.ndarray) -> Votes:
        """The votes of some participants, brought here."""
        bundle = np.searchsorted(self.begins, places, side="right") - 1
        wanted = np.unique(bundle)
        parts: list[Votes] = self.client.gather(
            [
                self.client.submit(
                    Votes.rows, self.bundles[one], places[bundle == one] - self.begins[one], pure=False
                )
                for one in wanted.tolist()
            ]
        )
        begins = np.concatenate([[0], np.cumsum(np.concatenate([part.counts for part in parts]))])
        together = Votes(
            np.concatenate([part.participants for part in parts]),
            self.statements,
            begins,
            np.concatenate([part.cells for part in parts]),
        )
        return together.rows(np.argsort(np.argsort(bundle, kind="stable"), kind="stable"))

    def of(self, participant: Hashable) -> tuple[np.ndarray, np.ndarray]:
        place = place_of(self.participants, participant)
        if place is None:
            return np.empty(0, np.int64), np.empty(0, np.int8)
        bundle = self.bundles[int(np.searchsorted(self.begins, place, side="right")) - 1]
        found: tuple[np.ndarray, np.ndarray] = self.client.submit(
            Votes.of, bundle, participant, pure=False
        ).result()
        return found


def votes_from_parquet(files: Sequence[str | Path], client: Client) -> SpreadVotes:
    """Votes from Parquet files with the columns participant, statement and vote, by any name of `consensus.reading`.

    Ids are whole numbers. The last vote wins, by timestamp where there is such a column, otherwise by the order of
    files and rows. Every file has to fit into a worker's memory. Files that each have other people than the rest, as
    when they are written in the order of participants, are read where they are; otherwise people are dealt out anew,
    which takes nine bytes a vote on the workers, in memory or, where Dask is set up so, on disk.
    Raises BadVotes, with the file, at what can't be taken in.
    """
    names = [str(file) for file in files]
    if not names:
        raise BadVotes("There are no files. Give at least one Parquet file.")
    spans = client.gather(client.map(_span, names, pure=False))
    there = [(span, name) for span, name in zip(spans, names, strict=True) if span is not None]
    if not there:
        raise BadVotes("There are no votes in any of the files.")
    there.sort(key=lambda each: each[0])
    if all(one[0][1] < two[0][0] for one, two in pairwise(there)):
        read = client.map(_votes_of, [name for _, name in there], pure=False)
    else:
        read = _deal_out(names, client)
    known = client.gather(client.map(_ids, read, pure=False))
    read = [one for one, (people, _, _) in zip(read, known, strict=True) if len(people)]
    known = [one for one in known if len(one[0])]
    statements = np.unique(np.concatenate([one[2] for one in known]))
    bundles = client.map(_renumbered, read, statements=statements, pure=False)
    return SpreadVotes(client, bundles, [one[0] for one in known], [one[1] for one in known], statements)


def _deal_out(names: list[str], client: Client) -> list[Future]:
    """Futures of Votes, each of other people, in order."""
    threads = sum(client.nthreads().values())
    some = names[:: -(-len(names) // _SAMPLED)]
    people = np.concatenate(client.gather(client.map(_some_people, some, pure=False)))
    number = max(min(_DEALT_TO * threads, len(people)), 1)
    edges = np.unique(np.quantile(people, np.arange(1, number) / number, method="lower"))
    heaps = client.map(_split, names, edges=edges, pure=False)
    return [
        client.submit(_join, [client.submit(_nth, heap, at, pure=False) for heap in heaps], pure=False)
        for at in range(len(edges) + 1)
    ]


# What runs on the workers


def _columns(name: str) -> tuple[Any, list[str]]:
    """The file, and the names of its columns: participant, statement, vote, and timestamp where there is one."""
    import pyarrow
    from pyarrow.parquet import ParquetFile

    try:
        file = ParquetFile(name)
    except (OSError, pyarrow.ArrowException) as wrong:
        raise BadVotes(
            f"{name} can't be read as Parquet: {wrong}. Leave it out, or write it again."
        ) from None
    there = {one.casefold(): one for one in file.schema_arrow.names}
    found = [
        next((there[one] for one in known if one in there), None) for known in (PERSON, STATEMENT, VOTE, WHEN)
    ]
    if None in found[:3]:
        raise BadVotes(
            f"{name} has to have the columns participant, statement and vote. It has: {', '.join(there)}."
        )
    for column in found[:2]:
        if not pyarrow.types.is_integer(kind := file.schema_arrow.field(column).type):
            raise BadVotes(
                f"{name}: the column {column} is {kind}. Across files ids have to be whole numbers."
            )
    return file, [one for one in found if one is not None]


def _arrays(name: str) -> list[np.ndarray]:
    """participant, statement and vote, in the order of timestamp; only what is a vote."""
    file, columns = _columns(name)
    table = file.read(columns)
    arrays = [table[column].to_numpy() for column in columns]
    if arrays[2].dtype.kind == "f":
        cast = ~np.isnan(arrays[2])
        arrays = [array[cast] for array in arrays]
    return arrays


def _span(name: str) -> tuple[int, int] | None:
    """The lowest and the highest participant, from what the file says of itself where it does."""
    file, columns = _columns(name)
    place = file.schema_arrow.names.index(columns[0])
    spans = []
    for number in range(file.metadata.num_row_groups):
        said = file.metadata.row_group(number).column(place).statistics
        if said is None or not said.has_min_max:
            people = file.read([columns[0]])[columns[0]].to_numpy()
            return (int(people.min()), int(people.max())) if len(people) else None
        spans.append((said.min, said.max))
    return (int(min(one for one, _ in spans)), int(max(one for _, one in spans))) if spans else None


def _some_people(name: str) -> np.ndarray:
    file, columns = _columns(name)
    people = file.read([columns[0]])[columns[0]].to_numpy()
    return people[:: max(len(people) // 10_000, 1)]


def _votes_of(name: str) -> Votes:
    return _made(_arrays(name), name)


def _made(arrays: list[np.ndarray], name: str) -> Votes:
    if len(arrays) > 3:
        order = np.argsort(arrays[3], kind="stable")
        arrays = [array[order] for array in arrays[:3]]
    try:
        votes = Votes.from_arrays(*arrays)
    except BadVotes as wrong:
        raise BadVotes(f"{name}: {wrong}") from None
    votes.frugal = True
    return votes


def _split(name: str, edges: np.ndarray) -> list[list[np.ndarray]]:
    arrays = _arrays(name)
    heap = np.searchsorted(edges, arrays[0], side="left").astype(np.int32)
    order = np.argsort(heap, kind="stable")
    ends = np.cumsum(np.bincount(heap, minlength=len(edges) + 1))
    kinds = [
        _narrow(arrays[0]),
        _narrow(arrays[1]),
        np.int8 if arrays[2].dtype.kind in "iu" else arrays[2].dtype,
    ]
    kinds += [each.dtype for each in arrays[3:]]
    # A vote that is none stays what it is, so that it is found.
    if kinds[2] is np.int8 and len(arrays[2]) and not -128 <= arrays[2].min() <= arrays[2].max() <= 127:
        kinds[2] = arrays[2].dtype
    dealt = [array[order].astype(kind, copy=False) for array, kind in zip(arrays, kinds, strict=True)]
    return [
        [array[first:last].copy() for array in dealt]
        for first, last in zip(np.concatenate([[0], ends[:-1]]).tolist(), ends.tolist(), strict=True)
    ]


def _narrow(ids: np.ndarray) -> Any:
    small = not len(ids) or (ids.min() >= -(1 << 31) and ids.max() < 1 << 31)
    return np.int32 if small else np.int64


def _nth(heap: list[list[np.ndarray]], at: int) -> list[np.ndarray]:
    return heap[at]


def _join(heaps: list[list[np.ndarray]]) -> Votes:
    return _made([np.concatenate(parts) for parts in zip(*heaps, strict=True)], "The files together")


def _ids(votes: Votes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return votes.participants, votes.counts, votes.statements


def _renumbered(votes: Votes, statements: np.ndarray) -> Votes:
    """The same votes, with statements numbered as in all files."""
    found = votes.renumbered(statements)
    found.frugal = True
    return found
