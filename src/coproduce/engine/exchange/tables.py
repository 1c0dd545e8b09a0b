"""Tables to take away: CSV, and Excel with a sheet each. No cell in them can start a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

Cell = str | int | None

_BITES = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""Spreadsheets take a cell that begins so for a formula; some do for the wide forms too (OWASP, "CSV Injection")."""
_UNSEEN = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
LONGEST = 32_000
"""Excel holds no more signs in a cell than 32,767."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with its name, what its columns are called, and its rows: a cell for each column."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[int, ...] = ()


def harmless(cell: Cell) -> Cell:
    """The same words, with an apostrophe before them where a spreadsheet would take them for a formula."""
    if not isinstance(cell, str):
        return cell
    cell = _UNSEEN.sub("", cell)
    return f"'{cell}" if cell.lstrip(" ").startswith(_BITES) else cell


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """UTF-8 with a byte order mark, without which Excel takes it for something else; lines end as RFC 4180 says."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([harmless(column) for column in columns])
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return "\ufeff".encode() + out.getvalue().encode()


def to_excel(sheets: Iterable[Sheet]) -> bytes:
    """An .xlsx file. Words too long for a cell end in "…"."""
    book = Workbook()
    book.remove(book.active)
    for sheet in sheets:
        page = book.create_sheet(re.sub(r"[\[\]:*?/\\]", " ", sheet.name)[:31])
        page.freeze_panes = "A2"
        for number, row in enumerate((sheet.columns, *sheet.rows), 1):
            for column, value in enumerate(row, 1):
                cell = page.cell(number, column)
                value = harmless(value)
                if isinstance(value, str) and len(value) > LONGEST:
                    value = value[:LONGEST] + "…"
                cell.value = value
                if isinstance(value, str):
                    cell.data_type = "s"  # never a formula, whatever it begins with
                    cell.alignment = Alignment(wrap_text=True, vertical="top")
                if number == 1:
                    cell.font = Font(bold=True)
        for column, width in enumerate(sheet.widths, 1):
            page.column_dimensions[get_column_letter(column)].width = width
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
