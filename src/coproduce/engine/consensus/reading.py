"""Tables → votes: CSV in the two shapes that Polis exports, data frames, Parquet.

Long: a line for each vote, with columns participant, statement and vote (Polis: voter-id, comment-id, vote; lines are
taken in the order of timestamp, where there is one). Wide: a line for each person, with a column for each statement,
whose name is its whole number (Polis: participants-votes.csv); an empty cell is no vote.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, Any

import numpy as np

from coproduce.engine.consensus.ids import BadVotes, is_none
from coproduce.engine.consensus.votes import Votes

PERSON = ("participant", "voter-id", "voter_id", "participant_id", "person")
STATEMENT = ("statement", "comment-id", "comment_id", "statement_id")
VOTE = ("vote",)
WHEN = ("timestamp", "modified")

WORDS = {"1": 1, "+1": 1, "1.0": 1, "agree": 1, "-1": -1, "−1": -1, "-1.0": -1, "disagree": -1}
WORDS |= {"0": 0, "0.0": 0, "-0": 0, "pass": 0, "": None, "nan": None}  # type: ignore[dict-item]


def read(file: Path) -> Votes:
    """Votes from a file, by the end of its name: .parquet, or CSV."""
    return from_parquet(file) if file.suffix.casefold() in (".parquet", ".pq") else from_csv(file)


def words_of(file: Path) -> tuple[dict[int | str, str], list[int | str]]:
    """Each statement's words by its id, and the ids of those taken out, from a CSV file as Polis exports it.

    Columns comment-id (or statement) and comment-body (or words); moderated −1 is taken out. Raises BadVotes.
    """
    with _opened(file) as opened:
        lines = csv.DictReader(opened)
        names = {name.strip().casefold(): name for name in lines.fieldnames or []}
        statement = next((names[name] for name in STATEMENT if name in names), None)
        words = next((names[name] for name in ("comment-body", "words", "text") if name in names), None)
        if statement is None or words is None:
            raise BadVotes(
                f"{file}: the first line has to name the columns comment-id and comment-body. "
                f"It has: {', '.join(names) or 'nothing'}."
            )
        rows = list(lines)
    known = _ids([(row[statement] or "").strip() for row in rows]).tolist()
    moderated = names.get("moderated", "")
    return (
        {one: row[words] or "" for one, row in zip(known, rows, strict=True)},
        [one for one, row in zip(known, rows, strict=True) if (row.get(moderated) or "").strip() == "-1"],
    )


@contextmanager
def _opened(file: str | Path) -> Iterator[IO[str]]:
    try:
        with open(file, encoding="utf-8-sig", newline="") as opened:
            yield opened
    except UnicodeDecodeError as wrong:
        raise BadVotes(
            f"{file} is not written in UTF-8 (byte {wrong.start:,}). Save it as “CSV UTF-8” and try again."
        ) from None


def from_csv(file: str | Path | IO[str]) -> Votes:
    """Votes from a CSV file, long or wide. A vote is 1, -1, 0, agree, disagree, pass, or nothing.

    Raises BadVotes with the line at anything else, and where the columns are not known.
    """
    if isinstance(file, str | Path):
        with _opened(file) as opened:
            return from_csv(opened)
    lines = csv.reader(file)
    try:
        header = [name.strip() for name in next(lines, [])]
        shape = _shape(header)
        rows = [(lines.line_num, row) for row in lines if any(cell.strip() for cell in row)]
    except csv.Error as wrong:
        raise BadVotes(f"Line {lines.line_num:,} can't be read as CSV: {wrong}.") from None
    for line, row in rows:
        if len(row) != len(header):
            raise BadVotes(
                f"Line {line:,} has {len(row):,} cells, but the first line names {len(header):,} columns. "
                "Mend the line, or put words that hold a comma in double quotes."
            )
    person, statement, vote, when, columns = shape
    if columns:
        people, statements, votes = _wide(rows, header, person, columns)
    else:
        if when is not None:
            rows.sort(key=lambda each: _whole(each[1][when], each[0], "timestamp"))
        people = [row[person].strip() for _, row in rows]
        statements = [row[statement].strip() for _, row in rows]
        votes = [_vote(row[vote], line, statements[at]) for at, (line, row) in enumerate(rows)]
    for what, given in (("participant", people), ("statement", statements)):
        if "" in given:
            place = given.index("")
            where = f"Line {rows[place][0]:,}" if not columns else "A line"
            raise BadVotes(f"{where} has no {what}. Say who voted, and on what, in each line.")
    return Votes.from_arrays(_ids(people), _ids(statements), np.array(votes, object))


def _shape(header: list[str]) -> tuple[int, int, int, int | None, list[int]]:
    """Where the columns are: participant, statement, vote, timestamp, and those of a wide table."""
    names = [name.casefold() for name in header]

    def at(known: Sequence[str]) -> int | None:
        return next((names.index(name) for name in known if name in names), None)

    person, statement, vote, when = at(PERSON), at(STATEMENT), at(VOTE), at(WHEN)
    if person is not None and statement is not None and vote is not None:
        return person, statement, vote, when, []
    columns = [place for place, name in enumerate(names) if name.isascii() and name.isdigit()]
    if person is not None and columns:
        if len({int(names[place]) for place in columns}) < len(columns):
            raise BadVotes("Two columns have the same statement's number. Give each statement one column.")
        return person, -1, -1, None, columns
    raise BadVotes(
        "The first line has to name the columns participant, statement and vote, or participant and a number for "
        f"each statement. It has: {', '.join(header[:8]) or 'nothing'}{' …' if len(header) > 8 else ''}."
    )


def _wide(
    rows: list[tuple[int, list[str]]], header: list[str], person: int, columns: list[int]
) -> tuple[list[str], list[str], list[int | None]]:
    people, statements, votes = [], [], []
    for line, row in rows:
        for place in columns:
            if (cell := row[place].strip()) and (vote := _vote(cell, line, header[place])) is not None:
                people.append(row[person].strip())
                statements.append(header[place])
                votes.append(vote)
    return people, statements, votes  # type: ignore[return-value]


def _vote(cell: str, line: int, statement: str) -> int | None:
    try:
        return WORDS[cell.strip().casefold()]
    except KeyError:
        raise BadVotes(
            f"Line {line:,}, statement {statement}: “{cell.strip()}” is not a vote. "
            "Write 1 or agree, -1 or disagree, 0 or pass, or leave it empty."
        ) from None


def _whole(cell: str, line: int, what: str) -> int:
    try:
        return int(cell)
    except ValueError:
        raise BadVotes(
            f"Line {line:,}: the {what} “{cell}” is not a whole number. Mend it, or leave the column out."
        ) from None


def _ids(given: list[str]) -> np.ndarray:
    """Whole numbers where all are, written as one writes them; text as it is otherwise."""
    known = {
        one: int(one)
        for one in set(given)
        if one.isascii() and one.removeprefix("-").isdigit() and len(one) < 19
    }
    if len(known) == len(set(given)) and all(str(number) == one for one, number in known.items()):
        return np.array([known[one] for one in given], np.int64)
    return np.array(given, str)


def from_table(table: Any) -> Votes:
    """Votes from a pandas or Polars data frame, an Arrow table, or what gives itself as one.

    Long, with columns participant, statement and vote by any name that `from_csv` knows, or wide. Rows are taken in
    the order of timestamp, where there is one. Votes are numbers; null and NaN are no vote. Raises BadVotes.
    """
    if not hasattr(table, "__getitem__") or not (hasattr(table, "columns") or hasattr(table, "column_names")):
        table = _arrow(table)
    header = [str(name) for name in (getattr(table, "column_names", None) or table.columns)]
    person, statement, vote, when, columns = _shape(header)
    named = dict(zip(header, getattr(table, "column_names", None) or table.columns, strict=True))

    def column(place: int) -> np.ndarray:
        return np.asarray(table[named[header[place]]])

    if not columns:
        arrays = [column(place) for place in (person, statement, vote)]
        if when is not None:
            order = np.argsort(column(when), kind="stable")
            arrays = [one[order] for one in arrays]
        return Votes.from_arrays(*arrays)
    people = column(person)
    return Votes.from_arrays(
        np.tile(people, len(columns)),
        np.repeat([int(header[place]) for place in columns], len(people)),
        np.concatenate([_numbers(column(place)) for place in columns]),
    )


def _numbers(given: np.ndarray) -> np.ndarray:
    if given.dtype.kind == "O":
        return np.array([np.nan if is_none(one) else one for one in given.tolist()])
    return given


def _arrow(table: Any) -> Any:
    if not hasattr(table, "__arrow_c_stream__"):
        raise BadVotes(
            f"A {type(table).__name__} is no table. Give a pandas, Polars or Arrow table, or three arrays."
        )
    return _pyarrow("pyarrow").table(table)


def from_parquet(file: str | Path) -> Votes:
    """Votes from a Parquet file with the columns of `from_table`."""
    parquet, errors = _pyarrow("pyarrow.parquet"), _pyarrow("pyarrow").ArrowException
    try:
        table = parquet.read_table(file)
    except errors as wrong:
        raise BadVotes(
            f"{file} can’t be read as Parquet: {wrong}. Write it again, or give a CSV file."
        ) from None
    return from_table(table)


def _pyarrow(module: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError:
        raise BadVotes(
            "Reading this needs PyArrow, which is not installed. Install coproduce[cluster], or give a CSV file."
        ) from None
