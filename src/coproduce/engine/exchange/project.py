"""What a project of such a tool is made of."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

DEEPEST = 40
"""So many codes inside one another, and no more."""

MOST_SOURCES = 5_000
MOST_SELECTIONS = 200_000
MOST_CODES = 20_000


class NotFromATool(ValueError):
    """What was brought can't be read. The message says what is wrong, where, and what to do."""


@dataclass(frozen=True, slots=True)
class User:
    """Who worked on it."""

    guid: uuid.UUID
    name: str


@dataclass(frozen=True, slots=True)
class Code:
    """A code, with those that are part of it.

    colour: "#rrggbb", or empty.
    codable: False for one that only holds others.
    """

    guid: uuid.UUID
    name: str
    description: str = ""
    colour: str = ""
    codable: bool = True
    children: tuple[Code, ...] = ()


@dataclass(frozen=True, slots=True)
class Coding:
    """That a selection belongs to a code, by its guid."""

    guid: uuid.UUID
    code: uuid.UUID


@dataclass(frozen=True, slots=True)
class Selection:
    """A place in a text: `text[begins:ends]`, in codepoints, 0 <= begins < ends <= len(text)."""

    guid: uuid.UUID
    begins: int
    ends: int
    codings: tuple[Coding, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A text, with the places in it that somebody marked, as they were written."""

    guid: uuid.UUID
    name: str
    text: str
    selections: tuple[Selection, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote about the work."""

    guid: uuid.UUID
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Codebook:
    codes: tuple[Code, ...]
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """A whole project.

    origin: the tool that wrote it.
    left_out: what was in the file and is not in here, each a sentence for people. Never written.
    """

    name: str
    codes: tuple[Code, ...] = ()
    sources: tuple[Source, ...] = ()
    notes: tuple[Note, ...] = ()
    users: tuple[User, ...] = ()
    description: str = ""
    origin: str = ""
    left_out: tuple[str, ...] = ()


def all_codes(
    codes: tuple[Code, ...], above: tuple[Code, ...] = ()
) -> Iterator[tuple[tuple[Code, ...], Code]]:
    """Every code with those it is inside of, outermost first, in the order in which they are written."""
    for code in codes:
        yield above, code
        yield from all_codes(code.children, (*above, code))
