"""Votes that come on paper: what somebody types from a sheet, and tables that somebody filled in.

A sheet's code says which statements stood on it, in which order (`models.Sheet`). A table has a line for each person
and a column for each statement, headed by the statement's number here.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

AGREE, DISAGREE, PASS = 1, -1, 0
MARKS = {"a": AGREE, "d": DISAGREE, "p": PASS, "1": AGREE, "y": AGREE, "n": DISAGREE, "0": PASS}
NOTHING = ".-_"
BETWEEN = " ,;/\t"
WORDS = {
    **dict.fromkeys(("a", "agree", "yes", "y", "1", "+1", "1.0"), AGREE),
    **dict.fromkeys(("d", "disagree", "no", "n", "-1", "−1", "-1.0"), DISAGREE),
    **dict.fromkeys(("p", "pass", "0", "0.0", "not sure"), PASS),
}
LARGEST = 5 * 1024 * 1024  # bytes
MOST_LINES = 5_000


class Bad(ValueError):
    """What was typed can't be read: what is wrong, where, and what to do."""


def marks_of(typed: str, statements: Sequence[int]) -> dict[int, int]:
    """One letter for each statement, in the order of the sheet → choices by statement.

    Spaces and commas between them are as good as none. Raises Bad, with the place from 1, at any other sign and where
    there are more or fewer letters than statements.
    """
    letters = [sign for sign in typed.casefold() if sign not in BETWEEN]
    for place, letter in enumerate(letters, 1):
        if letter not in MARKS and letter not in NOTHING:
            raise Bad(
                _("Place %(place)d: “%(sign)s” is none we know. Type a, d, p, or a dot for nothing ticked.")
                % {"place": place, "sign": letter}
            )
    if len(letters) != len(statements):
        raise Bad(
            _("The sheet has %(wanted)d statements, but here are %(typed)d letters. Type one for each.")
            % {"wanted": len(statements), "typed": len(letters)}
        )
    return {pk: MARKS[letter] for pk, letter in zip(statements, letters, strict=True) if letter in MARKS}


@dataclass(frozen=True)
class Filled:
    """One line of a table: where it stood, the name in it ("" for none), and the choices by statement."""

    line: int
    name: str
    choices: dict[int, int]


@dataclass
class Table:
    """What was read, and what is wrong with it: each with its line and column."""

    lines: list[Filled] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_table(data: bytes, file_name: str, statements: Mapping[int, str]) -> Table:
    """A filled-in table. statements: the words of those that may be voted on, by number.

    Lines that are right are read, whatever is wrong with others. Raises Bad where nothing can be read at all.
    """
    if len(data) > LARGEST:
        raise Bad(_("This file is larger than 5 MB. Bring it in parts."))
    excel = file_name.casefold().endswith((".xlsx", ".xlsm"))
    rows = _excel(data) if excel else _csv(data)
    header = next(((number, row) for number, row in rows if any(row)), None)
    if header is None:
        raise Bad(_("There is nothing in this file."))
    columns = _columns(header[1], statements)
    table = Table()
    for number, row in rows:
        if number <= header[0] or not any(row):
            continue
        if len(table.lines) == MOST_LINES:
            raise Bad(_("There are more than %(n)d lines. Bring them in parts.") % {"n": MOST_LINES})
        _read_line(table, number, row, columns)
    if not table.lines and not table.problems:
        raise Bad(_("There is no line with votes in this file."))
    return table


def _columns(header: Sequence[str], statements: Mapping[int, str]) -> dict[int, int | None]:
    """Which column is which statement; None is the name. A number may be followed by the statement's words."""
    found: dict[int, int | None] = {}
    strange = []
    for place, head in enumerate(header):
        first = head.split(" ", 1)[0].rstrip(".:)")
        if head.strip().casefold() in ("name", "person", "who"):
            found[place] = None
        elif first.isascii() and first.isdigit() and int(first) in statements:
            if int(first) in found.values():
                raise Bad(
                    _("Two columns have the number %(n)s. Give each statement one column.") % {"n": first}
                )
            found[place] = int(first)
        elif head.strip():
            strange.append(f"{get_column_letter(place + 1)} (“{head[:40]}”)")
    if strange:
        raise Bad(
            _("We don’t know these columns: %(columns)s. Each has to begin with a statement’s number.")
            % {"columns": ", ".join(strange[:5])}
        )
    if not any(pk is not None for pk in found.values()):
        raise Bad(_("No column of this file is a statement. Fill in the table that we give you."))
    return found


def _read_line(table: Table, number: int, row: Sequence[str], columns: Mapping[int, int | None]) -> None:
    choices: dict[int, int] = {}
    name, wrong = "", False
    for place, cell in enumerate(row):
        typed = " ".join(cell.split())
        if place not in columns:
            if typed:
                table.problems.append(
                    _("Line %(line)d, column %(column)s: “%(typed)s” stands beside the table.")
                    % {"line": number, "column": get_column_letter(place + 1), "typed": typed[:40]}
                )
                wrong = True
            continue
        statement = columns[place]
        if statement is None:
            name = typed
        elif typed.casefold() in WORDS:
            choices[statement] = WORDS[typed.casefold()]
        elif typed and typed not in NOTHING:
            table.problems.append(
                _("Line %(line)d, column %(column)s: “%(typed)s” is no vote. Write agree, disagree or pass.")
                % {"line": number, "column": get_column_letter(place + 1), "typed": typed[:40]}
            )
            wrong = True
    if not wrong and choices:
        table.lines.append(Filled(number, name, choices))


def _csv(data: bytes) -> Iterable[tuple[int, list[str]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")  # as Excel saves "CSV" on Windows
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        return iter([(reader.line_num, [_unquoted(cell) for cell in row]) for row in reader])
    except csv.Error as wrong:
        raise Bad(
            _("Line %(line)d can’t be read: %(why)s.") % {"line": reader.line_num, "why": wrong}
        ) from None


def _excel(data: bytes) -> Iterable[tuple[int, list[str]]]:
    try:
        book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        page = book.worksheets[0]
        rows = [
            (number, ["" if cell is None else _unquoted(str(cell)) for cell in row])
            for number, row in enumerate(page.iter_rows(max_row=MOST_LINES + 10, values_only=True), 1)
        ]
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, IndexError, OSError, EOFError):
        raise Bad(
            _("This can’t be read as an Excel file. Save it as .xlsx or CSV, and bring it again.")
        ) from None
    return iter(rows)


def _unquoted(cell: str) -> str:
    """A spreadsheet's mark for "these are words" is none of them."""
    return cell.strip().removeprefix("'")
