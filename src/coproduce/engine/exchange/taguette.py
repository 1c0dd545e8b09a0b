"""Taguette's projects, read and written: a SQLite file with documents in HTML, and highlights counted in bytes of
the words in them.

Source: Taguette 1.5, taguette/database/models.py and taguette/extract.py (BSD licence), by which a document is HTML,
and `start_offset` and `end_offset` of a highlight count bytes of UTF-8 over the words alone, without tags and with
entities resolved. `snippet` keeps the words that were highlighted, in HTML; where both disagree, the words win.
"""

from __future__ import annotations

import bisect
import datetime as dt
import html
import re
import sqlite3
import uuid
from html.parser import HTMLParser

from coproduce.engine.exchange.databases import Database, number, words
from coproduce.engine.exchange.places import by_words, same_words
from coproduce.engine.exchange.project import (
    MOST_CODES,
    MOST_SELECTIONS,
    MOST_SOURCES,
    Code,
    Coding,
    NotFromATool,
    Project,
    Selection,
    Source,
    all_codes,
)

_OF_TAGS = uuid.UUID("51b2b2b7-27eb-4ecb-9d56-e75b0a0496c2")
"""What Taguette itself makes the guids of a codebook from: a codebook and a project of one group agree."""


def read(data: bytes) -> Project:
    """Read a Taguette project. The same file, and a later one of the same project, give the same guids.

    Raises NotFromATool where it is another database, broken, or holds several projects.
    """
    database = Database(data)
    try:
        return _read(database)
    finally:
        database.close()


def _read(database: Database) -> Project:
    if not (
        database.has("projects", "id", "name")
        and database.has("documents", "id", "name", "contents", "project_id")
        and database.has("highlights", "id", "document_id", "start_offset", "end_offset")
        and database.has("tags", "id", "path")
        and database.has("highlight_tags", "highlight_id", "tag_id")
    ):
        raise NotFromATool(
            "This is a database, but not of Taguette. Bring a Taguette project (.sqlite3), or the folder of a "
            "QualCoder project, packed as .zip."
        )
    projects = [words(name) for (name,) in database.rows("projects", ("name",), 1000)]
    if len(projects) > 1:
        raise NotFromATool(
            f"There are {len(projects)} projects in this file: {', '.join(f'“{name}”' for name in projects[:5])}. "
            "Open the one you want in Taguette, choose “Export this project” there, and bring that file."
        )
    codes: dict[int, Code] = {}
    for pk, path, description in database.rows("tags", ("id", "path", "description"), MOST_CODES):
        if (tag := number(pk)) is not None and (name := words(path).strip()):
            codes[tag] = Code(uuid.uuid5(_OF_TAGS, name), name, words(description).strip())
    tags: dict[int, list[int]] = {}
    for highlight, tag_id in database.rows("highlight_tags", ("highlight_id", "tag_id"), MOST_SELECTIONS):
        if (key := number(highlight)) is not None and (tag := number(tag_id)) in codes and tag is not None:
            tags.setdefault(key, []).append(tag)
    marked: dict[int, list[tuple[int, int, int, str]]] = {}
    left_out: list[str] = []
    columns = ("id", "document_id", "start_offset", "end_offset", "snippet")
    for row in database.rows("highlights", columns, MOST_SELECTIONS):
        pk, document, begins, ends = (number(value) for value in row[:4])
        if pk is None or document is None or begins is None or ends is None:
            continue
        marked.setdefault(document, []).append((pk, begins, ends, words(row[4])))
    sources: dict[uuid.UUID, Source] = {}
    for pk, name, description, contents in database.rows(
        "documents", ("id", "name", "description", "contents"), MOST_SOURCES
    ):
        document = number(pk)
        title = " ".join(words(name).split()) or "A document"
        page = Page(words(contents))
        guid = uuid.uuid5(_OF_TAGS, f"document:{page.text}")
        if guid in sources:
            left_out.append(f"“{title}”: the same words are in another document.")
            continue
        selections: dict[uuid.UUID, Selection] = {}
        lost = 0
        for highlight, begins, ends, snippet in marked.get(document, ()) if document is not None else ():
            place = page.place(begins, ends, snippet)
            if place is None:
                lost += 1
                continue
            marks = uuid.uuid5(guid, f"{place[0]}-{place[1]}")
            known = selections.get(marks)
            codings = {coding.code: coding for coding in known.codings} if known else {}
            for tag in tags.get(highlight, ()):
                code = codes[tag].guid
                codings.setdefault(code, Coding(uuid.uuid5(marks, str(code)), code))
            selections[marks] = Selection(marks, *place, tuple(codings.values()))
        if lost:
            left_out.append(f"“{title}”: {lost:,} highlights at a place that is not in the text.")
        sources[guid] = Source(guid, title, page.text, tuple(selections.values()), words(description).strip())
    unique = {code.guid: code for code in codes.values()}
    return Project(
        projects[0] if projects else "Taguette",
        tuple(unique.values()),
        tuple(sources.values()),
        origin="Taguette",
        left_out=tuple(left_out),
    )


_BLOCKS = {
    "address", "article", "aside", "blockquote", "br", "caption", "center", "dd", "div", "dl", "dt", "figcaption",
    "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p",
    "pre", "section", "table", "td", "th", "tr", "ul",
}  # fmt: skip
_UNSAID = {"script", "style", "head", "title"}


class Page(HTMLParser):
    """A document's words as a text with a blank line between paragraphs, and where each byte of them went.

    Inside a paragraph, every white space is one space, as a browser shows it; the counting is not changed by that.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._length = 0
        self._bytes = 0  # of the words so far, as Taguette counts
        self._starts: list[int] = []  # of each piece: the byte it begins at,
        self._pieces: list[tuple[int, str]] = []  # and where it went, and what it said
        self._break = False
        self._unsaid = 0
        self._pre = 0
        self.feed(html.replace("\r\n", "\n").replace("\r", "\n"))
        self.close()
        self.text = "".join(self._out)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._break |= tag in _BLOCKS
        self._unsaid += tag in _UNSAID
        self._pre += tag == "pre"

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._break |= tag in _BLOCKS

    def handle_endtag(self, tag: str) -> None:
        self._break |= tag in _BLOCKS
        self._unsaid = max(0, self._unsaid - (tag in _UNSAID))
        self._pre = max(0, self._pre - (tag == "pre"))

    def handle_data(self, data: str) -> None:
        if self._unsaid:
            return
        size = len(data.encode("utf-8", "replace"))
        if self._break or not self._out:
            rest = data.lstrip()
            if not rest:  # between paragraphs: counted, and not shown
                self._bytes += size
                return
            if self._out:
                self._write("\n\n")
            skipped = data[: len(data) - len(rest)]
            self._bytes += len(skipped.encode())
            data, self._break = rest, False
        said = data if self._pre else "".join(" " if sign.isspace() else sign for sign in data)
        self._starts.append(self._bytes)
        self._pieces.append((self._length, data))
        self._write(said)
        self._bytes += len(data.encode("utf-8", "replace"))

    def _write(self, text: str) -> None:
        self._out.append(text)
        self._length += len(text)

    def place(self, begins: int, ends: int, snippet: str) -> tuple[int, int] | None:
        """Where a highlight stands in the text, in codepoints; None where it can't be told."""
        if 0 <= begins < ends and (here := (self._at(begins, False), self._at(ends, True))):
            first, last = here
            if first < last and (not snippet or same_words(self.text[first:last], Page(snippet).text)):
                return first, last
        if snippet:
            near = by_words(self.text, Page(snippet).text, self._at(max(begins, 0), False))
            return (near.begins, near.ends) if near else None
        return None

    def _at(self, byte: int, is_end: bool) -> int:
        """The place of a byte. At a seam, a beginning is in the piece after it, an end in the piece before."""
        find = bisect.bisect_left if is_end else bisect.bisect_right
        piece = find(self._starts, byte) - 1
        if piece < 0:
            return 0
        went, said = self._pieces[piece]
        signs = said.encode("utf-8", "replace")[: byte - self._starts[piece]].decode("utf-8", "ignore")
        return went + len(signs)


# Writing

_VERSION = "db5e31a0233d"  # of the database of Taguette 1.5; a later Taguette brings it up to its own
_TAGUETTE = 0x54677474  # what marks such a file
_LONGEST_NAME = 50  # of a project and a document; of a tag, 200
_TABLES = """
CREATE TABLE users (login VARCHAR(30) NOT NULL PRIMARY KEY, created DATETIME NOT NULL, hashed_password VARCHAR(192),
    disabled BOOLEAN NOT NULL, password_set_date DATETIME, language VARCHAR(10), email VARCHAR(256),
    email_sent DATETIME);
CREATE TABLE projects (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, name VARCHAR(200) NOT NULL,
    description TEXT NOT NULL, created DATETIME NOT NULL);
CREATE TABLE project_members (project_id INTEGER NOT NULL, user_login VARCHAR(30) NOT NULL,
    privileges VARCHAR(11) NOT NULL, PRIMARY KEY (project_id, user_login));
CREATE TABLE documents (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, name VARCHAR(200) NOT NULL,
    description TEXT NOT NULL, filename VARCHAR(200) NOT NULL, created DATETIME NOT NULL, project_id INTEGER NOT NULL,
    text_direction VARCHAR(13) NOT NULL, contents TEXT NOT NULL);
CREATE TABLE commands (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, date DATETIME NOT NULL,
    user_login VARCHAR(30) NOT NULL, project_id INTEGER NOT NULL, document_id INTEGER, payload TEXT NOT NULL);
CREATE TABLE tags (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, project_id INTEGER NOT NULL,
    path VARCHAR(200) NOT NULL, description TEXT NOT NULL, UNIQUE (project_id, path));
CREATE TABLE highlights (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, document_id INTEGER NOT NULL,
    start_offset INTEGER NOT NULL, end_offset INTEGER NOT NULL, snippet TEXT NOT NULL);
CREATE TABLE highlight_tags (highlight_id INTEGER NOT NULL, tag_id INTEGER NOT NULL,
    PRIMARY KEY (highlight_id, tag_id));
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
"""


def write(project: Project, at: dt.datetime) -> bytes:
    """A Taguette project, to be imported there ("Import a project file").

    at: when it is written, with its time zone.

    A text becomes a paragraph for each of its lines. Taguette knows no codes inside codes: where two have the same
    name, that of what each is inside of stands before it.
    """
    when = at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    made = sqlite3.connect(":memory:")
    try:
        made.executescript(f"PRAGMA application_id={_TAGUETTE};{_TABLES}")
        made.execute("INSERT INTO alembic_version VALUES (?)", (_VERSION,))
        name = project.name[:_LONGEST_NAME] or "Coproduce"
        made.execute("INSERT INTO projects VALUES (1, ?, ?, ?)", (name, project.description, when))
        tags = _write_tags(made, project.codes)
        highlight = 0
        for number_, source in enumerate(project.sources, 1):
            text = re.sub(
                "\r\n?|[\v\f\x1c-\x1e\x85\u2028\u2029]", _as_line_ends, _UNSEEN.sub(" ", source.text)
            )
            title = source.name[:_LONGEST_NAME] or "A text"
            made.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, 1, 'LEFT_TO_RIGHT', ?)",
                (number_, title, source.note, f"{number_}.txt", when, _as_html(text)),
            )
            for selection in source.selections:
                highlight += 1
                begins = len(text[: selection.begins].encode())
                words_ = text[selection.begins : selection.ends]
                made.execute(
                    "INSERT INTO highlights VALUES (?, ?, ?, ?, ?)",
                    (highlight, number_, begins, begins + len(words_.encode()), _as_html(words_)),
                )
                made.executemany(
                    "INSERT INTO highlight_tags VALUES (?, ?)",
                    sorted({(highlight, tags[coding.code]) for coding in selection.codings}),
                )
        made.commit()
        return made.serialize()
    finally:
        made.close()


_UNSEEN = re.compile("[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")


def _as_line_ends(found: re.Match[str]) -> str:
    """As many signs as there were: places stay what they are."""
    return "\n" * len(found.group())


def _as_html(text: str) -> str:
    """A paragraph for each line. The line ends stay between them, so bytes count as in the text."""
    lines = (html.escape(line, quote=False) for line in text.split("\n"))
    return "\n".join(f"<p>{line}</p>" if line.strip() else line for line in lines)


def _write_tags(made: sqlite3.Connection, codes: tuple[Code, ...]) -> dict[uuid.UUID, int]:
    every = list(all_codes(codes))
    often: dict[str, int] = {}
    for _above, code in every:
        often[code.name] = often.get(code.name, 0) + 1
    tags: dict[uuid.UUID, int] = {}
    taken: dict[str, int] = {}
    for above, code in every:
        path = code.name if often[code.name] == 1 else ".".join([*(one.name for one in above), code.name])
        path = path[:200]
        if path not in taken:
            taken[path] = len(taken) + 1
            made.execute("INSERT INTO tags VALUES (?, 1, ?, ?)", (taken[path], path, code.description))
        tags[code.guid] = taken[path]
    return tags
