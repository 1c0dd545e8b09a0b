"""`coproduce themes FILE…`: transcripts, or a column of a table, → a report to read and hand round."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from coproduce.engine import transcript
from coproduce.engine.themes import NoModel, Progress, default_embedder, find_themes, statements
from coproduce.engine.themes.report import MADE_BY, Heard, report

TABLES = {".csv", ".tsv"}
MOST_BYTES = 200 * 1024 * 1024
"""The largest table that is read."""

_DOING = {
    "reading": "Reading what was said",
    "comparing": "Comparing",
    "grouping": "Grouping",
    "checking": "Checking what lasts",
    "naming": "Choosing quotes",
}


class Unusable(ValueError):
    """What was asked for can't be done. The message says what is wrong, where, and what to do."""


class _Piece(NamedTuple):
    heard: Heard
    story: str
    asked: bool


def run(files: Sequence[Path], column: str | None, asked: Sequence[str], out: Path) -> int:
    """Find themes in what the files say, print them, and write the report. Returns the command's exit status."""
    try:
        pieces = [piece for file in files for piece in _read(file, column, asked)]
        _all_found(asked, pieces)
        if out.exists() and MADE_BY not in out.read_text(encoding="utf-8", errors="replace")[:2000]:
            raise Unusable(f"{out} is there already, and is no report of ours. Name another with --report.")
        texts = [piece.heard.text for piece in pieces]
        transcripts = all(file.suffix.lower() not in TABLES for file in files)
        embedder = default_embedder()
        if embedder is None:
            print("The language model is not installed, so themes go by shared words alone.", file=sys.stderr)
        found = find_themes(
            texts,
            sources=[piece.story for piece in pieces] if transcripts else None,
            speakers_asked=[piece.asked for piece in pieces],
            embedder=embedder,
            progress=_progress(),
        )
        heard = [piece.heard for piece in pieces]
        out.write_text(report(found, heard, [file.name for file in files]), encoding="utf-8")
    except (Unusable, NoModel) as refused:
        print(refused, file=sys.stderr)
        return 2
    except OSError as refused:
        print(f"{refused.filename}: {refused.strerror}. Nothing was written.", file=sys.stderr)
        return 2
    for theme in found.themes:
        print(f"{len(theme.members):>6}  {theme.label}")
    print(f"{len(found.none_yet):>6}  in no theme yet")
    print(f"\nThe report, with quotes: {out}")
    return 0


def _read(file: Path, column: str | None, asked: Sequence[str]) -> list[_Piece]:
    if not file.is_file():
        raise Unusable(f"{file}: there is no such file. Check how its name is written.")
    if file.suffix.lower() in TABLES:
        return _table(file, column)
    if column is not None:
        raise Unusable(f"{file}: --column is for tables (.csv, .tsv), and this is none. Leave it out.")
    if file.stat().st_size > transcript.MAX_BYTES:
        raise Unusable(f"{file}: this file is too big for a transcript. Cut it into parts.")
    try:
        read = transcript.read(file.read_bytes(), file.name)
    except transcript.NotATranscript as refused:
        raise Unusable(f"{file}: {refused}") from refused
    pieces = []
    for number, turn in enumerate(read.turns, 1):
        where = ", ".join(
            [file.name, *([turn.speaker] if turn.speaker else []), _moment(turn.start_ms) or f"turn {number}"]
        )
        asks = turn.speaker is not None and turn.speaker.casefold() in {name.casefold() for name in asked}
        pieces += [
            _Piece(Heard(turn.text[span.begins : span.ends], where), str(file), asks)
            for span in statements(turn.text)
        ]
    return pieces


def _moment(ms: int | None) -> str:
    if ms is None:
        return ""
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"at {hours}:{minutes:02}:{seconds:02}" if hours else f"at {minutes}:{seconds:02}"


def _table(file: Path, column: str | None) -> list[_Piece]:
    if file.stat().st_size > MOST_BYTES:
        raise Unusable(f"{file}: this table is over {MOST_BYTES // 1024 // 1024} MB. Cut it into parts.")
    data = file.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("windows-1252", "replace")  # what Excel saves where it is not told otherwise
    first = text.split("\n", 1)[0]
    between = max(",;\t", key=first.count)
    csv.field_size_limit(transcript.MAX_BYTES)
    try:
        rows = list(csv.DictReader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=between))
    except csv.Error as broken:
        raise Unusable(
            f"{file}: this is no table that can be read ({broken}). Save it as CSV again."
        ) from broken
    names = [name for name in (rows[0] if rows else {}) if name is not None]
    has = f"It has: {', '.join(names)}." if names else "It is empty."
    if column is None:
        if len(names) != 1:
            raise Unusable(f"{file}: say which column holds what people said: --column NAME. {has}")
        column = names[0]
    if column not in names:
        raise Unusable(f"{file}: there is no column {column!r}. {has}")
    pieces = []
    for number, row in enumerate(rows, 2):
        said = (row.get(column) or "").strip()
        pieces += [
            _Piece(
                Heard(said[span.begins : span.ends], f"{file.name}, row {number}"), f"{file} {number}", False
            )
            for span in statements(said)
        ]
    if not pieces:
        raise Unusable(f"{file}: the column {column!r} is empty. {has}")
    return pieces


def _all_found(asked: Sequence[str], pieces: Sequence[_Piece]) -> None:
    speakers = {part for piece in pieces for part in piece.heard.where.split(", ")[1:2]}
    for name in asked:
        if name.casefold() not in {speaker.casefold() for speaker in speakers}:
            raise Unusable(
                f"Nobody called {name!r} speaks here. Who does: {', '.join(sorted(speakers)) or 'nobody'}."
            )


def _progress() -> Progress:
    """Told on the terminal in place; line by line where it goes into a file."""
    last = [""]

    def tell(what: str, share: float) -> None:
        line = _DOING.get(what, what)
        if sys.stderr.isatty():
            line = f"{line}: {share:.0%}"
            if line != last[0]:
                print(
                    f"\r{line:<40}",
                    end="\n" if what == "naming" and share >= 1 else "",
                    file=sys.stderr,
                    flush=True,
                )
        elif line != last[0]:
            print(f"{line} …", file=sys.stderr, flush=True)
        last[0] = line

    return tell
