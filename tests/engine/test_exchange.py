"""What other tools write is read to the letter, what we write is valid and comes back the same, and no file bites."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import os
import sqlite3
import sys
import uuid
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree
from openpyxl import load_workbook

from coproduce.engine import exchange, transcript
from coproduce.engine.exchange import packed, places, qualcoder, refi, tables, taguette
from coproduce.engine.exchange.project import (
    Code,
    Codebook,
    Coding,
    Note,
    NotFromATool,
    Project,
    Selection,
    Source,
    User,
    all_codes,
)

AT = dt.datetime(2026, 11, 23, 9, 30, tzinfo=dt.UTC)
SCHEMAS = Path(__file__).parent / "refi"


def inside(project: Project) -> list[str]:
    """The words of every selection."""
    return [source.text[each.begins : each.ends] for source in project.sources for each in source.selections]


# REFI-QDA, there and back

LETTERS = st.text(
    st.characters(blacklist_categories=("Cs",)) | st.sampled_from("\r\n\u0301\U0001d518\u2028 "), max_size=60
)
IN_XML = st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff")
NAMES = st.text(IN_XML, min_size=1, max_size=12).map(lambda name: " ".join(name.split())).filter(bool)
NOTES = st.text(IN_XML | st.sampled_from("\n\t"), max_size=20).map(str.strip)
COLOURS = st.sampled_from(["", "#ff0000", "#0f4c5c"])


@st.composite
def codes(draw, depth: int = 2) -> Code:
    children = draw(st.lists(codes(depth - 1), max_size=2)) if depth else []
    return Code(uuid.uuid4(), draw(NAMES), draw(NOTES), draw(COLOURS), draw(st.booleans()), tuple(children))


@st.composite
def projects(draw) -> Project:
    book = tuple(draw(st.lists(codes(), max_size=3)))
    known = [code.guid for _above, code in all_codes(book)]
    sources = []
    for text in draw(st.lists(LETTERS, max_size=3)):
        selections = []
        for _ in range(draw(st.integers(0, 3)) if text else 0):
            begins = draw(st.integers(0, len(text) - 1))
            ends = draw(st.integers(begins + 1, len(text)))
            chosen = draw(st.lists(st.sampled_from(known), unique=True, max_size=2)) if known else []
            codings = tuple(Coding(uuid.uuid4(), code) for code in chosen)
            selections.append(Selection(uuid.uuid4(), begins, ends, codings, draw(NOTES)))
        sources.append(Source(uuid.uuid4(), draw(NAMES), text, tuple(selections), draw(NOTES)))
    notes = tuple(Note(uuid.uuid4(), name, draw(LETTERS)) for name in draw(st.lists(NAMES, max_size=2)))
    users = tuple(User(uuid.uuid4(), name) for name in draw(st.lists(NAMES, max_size=2)))
    return Project(draw(NAMES), book, tuple(sources), notes, users, draw(NOTES), "Coproduce")


def valid(schema: str, xml: bytes) -> list[str]:
    """What a schema objects to."""
    checker = etree.XMLSchema(etree.parse(SCHEMAS / schema))
    checker.validate(etree.fromstring(xml))
    return [str(each) for each in checker.error_log]


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(projects())
def test_a_project_comes_back_as_it_went_and_is_valid(project):
    written = refi.write_project(project, AT)
    assert exchange.read(written) == project
    assert refi.write_project(project, AT) == written, "the same project is not the same bytes"
    with zipfile.ZipFile(io.BytesIO(written)) as file:
        assert not valid("project.xsd", file.read("project.qde"))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(codes(), min_size=1, max_size=4))
def test_a_codebook_comes_back_as_it_went_and_is_valid(book):
    written = refi.write_codebook(Codebook(tuple(book)))
    assert exchange.read(written) == Codebook(tuple(book), "Coproduce")
    assert not valid("codebook.xsd", written)


def test_places_are_counted_in_codepoints_whatever_the_letters():
    text = "Lee: “Ce\u0301line’s 𝔘𝔫𝔦”\r\nJoan: 👩\u200d👩\u200d👧 yes\rno"
    quotes = ["Ce\u0301line’s", "𝔘𝔫𝔦", "👩\u200d👩\u200d👧 yes", "”\r\nJ", "no"]
    selections = tuple(
        Selection(uuid.uuid4(), text.index(quote), text.index(quote) + len(quote)) for quote in quotes
    )
    project = Project("Town", (), (Source(uuid.uuid4(), "A story", text, selections),))
    back = exchange.read(refi.write_project(project, AT))
    assert isinstance(back, Project)
    assert inside(back) == quotes
    assert back.sources[0].text == text


def test_signs_that_xml_cannot_hold_stay_in_a_text_and_go_from_a_name():
    project = Project("To\0wn", (Code(uuid.uuid4(), "a\x0bb", "c\x01"),), (Source(uuid.uuid4(), "s", "\0x"),))
    back = exchange.read(refi.write_project(project, AT))
    assert isinstance(back, Project)
    assert (back.name, back.codes[0].name, back.codes[0].description) == ("Town", "ab", "c")
    assert back.sources[0].text == "\0x"


def test_nothing_is_written_that_has_no_place():
    text = Source(uuid.uuid4(), "s", "abc", (Selection(uuid.uuid4(), 1, 4),))
    with pytest.raises(ValueError, match="from 1 to 4"):
        refi.write_project(Project("p", (), (text,)), AT)
    coded = Source(
        uuid.uuid4(), "s", "abc", (Selection(uuid.uuid4(), 0, 1, (Coding(uuid.uuid4(), uuid.uuid4()),)),)
    )
    with pytest.raises(ValueError, match="not in the project"):
        refi.write_project(Project("p", (), (coded,)), AT)
    with pytest.raises(ValueError, match="at least one code"):
        refi.write_codebook(Codebook(()))


# REFI-QDA as other tools write it


def qdpx(xml: str, names: dict[str, bytes] | None = None, qde: str = "project.qde") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(qde, xml)
        for name, content in (names or {}).items():
            file.writestr(name, content)
    return out.getvalue()


def project_xml(inner: str, origin: str = "A tool", version: str = "1.0") -> str:
    return (
        f'<?xml version="1.0" encoding="utf-8"?><Project xmlns="urn:QDA-XML:project:{version}" name="P" '
        f'origin="{origin}">{inner}</Project>'
    )


CODE, TEXT, MARK, CODED = (str(uuid.uuid4()) for _ in range(4))


def text_source(path: str = "internal://a.txt", begins: object = 0, ends: object = 3, more: str = "") -> str:
    return (
        f'<CodeBook><Codes><Code guid="{CODE}" name="Trust" isCodable="true"/></Codes></CodeBook><Sources>'
        f'<TextSource guid="{{{TEXT.upper()}}}" name="A story" plainTextPath="{path}"><PlainTextSelection '
        f'guid="{MARK}" startPosition="{begins}" endPosition="{ends}"><Coding guid="{CODED}"><CodeRef '
        f'targetGUID="{CODE}"/></Coding></PlainTextSelection>{more}</TextSource></Sources>'
    )


def read_project(data: bytes) -> Project:
    project = exchange.read(data)
    assert isinstance(project, Project)
    return project


def test_capitals_braces_and_other_names_of_files_make_no_difference():
    for folder, qde, version in (("sources", "My work.qde", "1.0"), ("SOURCES", "project.qde", "0.4")):
        project = read_project(
            qdpx(project_xml(text_source(), version=version), {f"{folder}/A.txt": b"Trust me"}, qde)
        )
        assert inside(project) == ["Tru"]
        assert project.sources[0].selections[0].codings[0].code == project.codes[0].guid == uuid.UUID(CODE)


def test_a_mark_at_the_start_of_a_file_is_no_letter_and_atlas_counts_line_ends_as_one():
    content = {"Sources/a.txt": b"\xef\xbb\xbfa\r\nbcd"}
    assert inside(read_project(qdpx(project_xml(text_source(begins=2, ends=4)), content))) == ["\nb"]
    atlas = project_xml(text_source(begins=2, ends=4), origin="ATLAS.ti for Windows 23")
    assert inside(read_project(qdpx(atlas, content))) == ["bc"]


def test_the_text_of_a_pdf_and_of_a_recording_comes_in_and_marks_elsewhere_are_said():
    one, two, three, four = (str(uuid.uuid4()) for _ in range(4))
    xml = project_xml(
        f'<Sources><PDFSource guid="{one}" name="A paper"><PDFSelection guid="{uuid.uuid4()}" page="1"/>'
        f'<Representation guid="{two}"><PlainTextContent>Words of it</PlainTextContent>'
        f'<PlainTextSelection guid="{uuid.uuid4()}" startPosition="0" endPosition="5"/></Representation></PDFSource>'
        f'<AudioSource guid="{uuid.uuid4()}" name="A talk"><Transcript guid="{three}"><PlainTextContent>One two'
        f'</PlainTextContent><SyncPoint guid="{four}" position="4"/><SyncPoint guid="{one}" position="7"/>'
        f'<TranscriptSelection guid="{uuid.uuid4()}" fromSyncPoint="{four}" toSyncPoint="{one}"/></Transcript>'
        f'</AudioSource><PictureSource guid="{uuid.uuid4()}" name="A photo"/><VideoSource guid="{uuid.uuid4()}" '
        f'name="A film"/></Sources>'
    )
    project = read_project(qdpx(xml))
    assert [source.name for source in project.sources] == ["A paper", "A talk"]
    assert inside(project) == ["Words", "two"]
    said = " ".join(project.left_out)
    assert "1 picture" in said and "“A film”" in said and "“A paper”: 1 mark on a page" in said


@pytest.mark.parametrize(
    ("begins", "ends", "words"),
    [
        (0, 8, ["Trust me"]),
        (6, 99, ["me"]),  # some tools count one more at the end
        (8, 9, []),
        (5, 5, []),
        (4, 2, []),
        (-1, 3, []),
        ("x", 3, []),
        ("9" * 400, 3, []),
    ],
)
def test_a_place_that_is_not_in_the_text_is_left_out_and_said(begins, ends, words):
    project = read_project(
        qdpx(project_xml(text_source(begins=begins, ends=ends)), {"Sources/a.txt": b"Trust me"})
    )
    assert inside(project) == words
    assert bool(project.left_out) == (not words)


@pytest.mark.parametrize(
    "path",
    [
        "internal://../../etc/passwd", "internal:///etc/passwd", "absolute:///etc/passwd", "relative://a.txt",
        "file:///etc/passwd", "/etc/passwd", "", "internal://b.txt", "https://example.org/a.txt",
    ],
)  # fmt: skip
def test_no_file_is_opened_but_those_inside(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("Trust me")
    project = read_project(qdpx(project_xml(text_source(path)), {"../../etc/passwd": b"root"}))
    assert project.sources == ()
    assert "not in this file" in project.left_out[0]


def test_entities_and_document_types_are_refused():
    bomb = '<!DOCTYPE Project [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    steal = '<!DOCTYPE Project [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    for declared in (bomb, steal, "<!DOCTYPE Project>"):
        xml = project_xml("<Description>&a;</Description>").replace("?><", f"?>{declared}<", 1)
        with pytest.raises(NotFromATool, match="document type"):
            exchange.read(qdpx(xml))
        with pytest.raises(NotFromATool, match="document type"):
            exchange.read(f"{declared}<CodeBook/>".encode())


def test_a_zip_that_unpacks_to_far_too_much_is_refused_before_it_is_unpacked(monkeypatch):
    heavy = qdpx(project_xml(text_source()), {"Sources/a.txt": b"a" * (packed.MAX_UNPACKED + 1)})
    assert len(heavy) < 200_000
    with pytest.raises(NotFromATool, match="far more than it should"):
        exchange.read(heavy)
    # One that lies about its sizes gives no more than it says.
    lies = heavy.replace((packed.MAX_UNPACKED + 1).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(NotFromATool):
        exchange.read(lies)
    monkeypatch.setattr(packed, "MOST_FILES", 3)
    with pytest.raises(NotFromATool, match="far more than it should"):
        exchange.read(qdpx(project_xml(""), {f"Sources/{n}.txt": b"" for n in range(4)}))


def test_what_is_nested_without_end_is_refused():
    deep = f'<Code guid="{CODE}" name="a" isCodable="true">' * 5000
    with pytest.raises(NotFromATool, match="inside one another"):
        exchange.read(f"<CodeBook><Codes>{deep}".encode())


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"Lee: I had eleven workers", "no file of another tool"),
        (b"<CodeBook><Codes>", "line 1 is not XML"),
        (b"<html><body/></html>", "not a REFI-QDA codebook"),
        (b'<Project name="x"/>', "Bring the whole project"),
        (b"\xff\xfe<\0C\0", "is not XML"),
        (b'<?xml version="1.0" encoding="klingon"?><CodeBook/>', "can't be told|not XML"),
        (b"PK\x03\x04 broken", "broken"),
        (b"SQLite format 3\0", "broken"),
        (b"SQLite format 3\0" + b"\0" * 4000, "broken|not of Taguette"),
    ],
)
def test_what_is_wrong_is_said(data, says):
    with pytest.raises(NotFromATool, match=says):
        exchange.read(data)


def test_a_codebook_is_read_whatever_unicode_encoding_it_says(tmp_path):
    xml = f'<CodeBook><Codes><Code guid="{CODE}" name="Trüst" isCodable="true"/></Codes></CodeBook>'
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        book = exchange.read(
            f'<?xml version="1.0" encoding="{encoding[:6].strip("-")}"?>{xml}'.encode(encoding)
        )
        assert isinstance(book, Codebook) and book.codes[0].name == "Trüst"


@settings(deadline=None)
@given(st.binary(max_size=400) | st.binary(max_size=200).map(lambda rest: b"PK\3\4" + rest))
@example(b"PK\5\6" + b"\0" * 18)
def test_any_bytes_are_read_or_refused(data):
    try:
        read = exchange.read(data)
    except NotFromATool:
        return
    assert isinstance(read, Project | Codebook)


@settings(deadline=None)
@given(
    st.integers(0, 2000),
    st.binary(min_size=1, max_size=4),
    st.sampled_from(["refi", "taguette", "qualcoder"]),
)
@example(199, b"\0", "refi")  # a file without a name
def test_a_file_with_broken_bytes_is_read_or_refused(at, noise, kind):
    whole = {"refi": _A_PROJECT, "taguette": _taguette(), "qualcoder": _qualcoder()}[kind]
    at = at * 37 % len(whole)
    try:
        read = exchange.read(whole[:at] + noise + whole[at + len(noise) :])
    except NotFromATool:
        return
    for source in read.sources if isinstance(read, Project) else ():
        assert all(0 <= each.begins < each.ends <= len(source.text) for each in source.selections)


_A_PROJECT = refi.write_project(
    Project(
        "Town",
        (Code(uuid.UUID(CODE), "Trust"),),
        (
            Source(
                uuid.UUID(TEXT),
                "A story",
                "Lee: I had eleven workers",
                (Selection(uuid.UUID(MARK), 5, 25, (Coding(uuid.UUID(CODED), uuid.UUID(CODE)),)),),
            ),
        ),
    ),
    AT,
)


# Taguette

PAGE = (
    "<h1>A story</h1>\n<p>Lee: I had eleven workers &amp; nobody <b>rang</b> me – é 𝔘 done.</p>\n"
    "<p>They said\n wait. Joan: “It’s <i>trust</i>.”</p><ul><li>one</li><li>two</li></ul>"
)
SAID = "A story\nLee: I had eleven workers & nobody rang me – é 𝔘 done.\nThey said\n wait. Joan: “It’s trust.”onetwo"


def database(*statements: object) -> bytes:
    """The bytes of a SQLite file made by these statements, each alone or with its values."""
    made = sqlite3.connect(":memory:")
    for each in statements:
        made.execute(*(each if isinstance(each, tuple) else (each,)))
    made.commit()
    return made.serialize()


def _taguette(
    marks: tuple[str, ...] = ("eleven workers & nobody rang", "é 𝔘", "wait. Joan: “It’s trust"),
    *more: object,
    snippet: bool = True,
) -> bytes:
    places = []
    for number, words in enumerate(marks, 1):
        begins = len(SAID[: SAID.index(words)].encode())
        places.append((number, begins, begins + len(words.encode()), f"<p>{words.replace('&', '&amp;')}</p>"))
    return database(
        "CREATE TABLE projects (id INTEGER PRIMARY KEY, name VARCHAR, description TEXT, created DATETIME)",
        "CREATE TABLE documents (id INTEGER PRIMARY KEY, name VARCHAR, description TEXT, filename VARCHAR, "
        "created DATETIME, project_id INTEGER, text_direction VARCHAR, contents TEXT)",
        "CREATE TABLE highlights (id INTEGER PRIMARY KEY, document_id INTEGER, start_offset INTEGER, "
        "end_offset INTEGER, snippet TEXT)",
        "CREATE TABLE tags (id INTEGER PRIMARY KEY, project_id INTEGER, path VARCHAR, description TEXT)",
        "CREATE TABLE highlight_tags (highlight_id INTEGER, tag_id INTEGER)",
        "INSERT INTO projects VALUES (1, 'Town', '', '2026-01-01')",
        ("INSERT INTO documents VALUES (1, 'Lee''s story', '', 's.html', '2026-01-01', 1, 'L', ?)", (PAGE,)),
        "INSERT INTO tags VALUES (1, 1, 'trust', 'who you can rely on'), (2, 1, 'workers.many', '')",
        *(
            (
                "INSERT INTO highlights VALUES (?, 1, ?, ?, ?)",
                (number, begins, ends, words if snippet else ""),
            )
            for number, begins, ends, words in places
        ),
        *((f"INSERT INTO highlight_tags VALUES ({number}, {number % 2 + 1})",) for number, *_rest in places),
        *more,
    )


def plain(words: str) -> str:
    return "".join(words.split())


@pytest.mark.parametrize("snippet", [True, False])
def test_a_taguette_project_comes_in_with_its_highlights_to_the_letter(snippet):
    project = read_project(_taguette(snippet=snippet))
    assert [(code.name, code.description) for code in project.codes] == [
        ("trust", "who you can rely on"),
        ("workers.many", ""),
    ]
    text = project.sources[0].text
    assert text.startswith("A story\n\nLee: I had eleven workers & nobody rang me – é 𝔘 done.\n\nThey said")
    assert [plain(words) for words in inside(project)] == [
        plain(words) for words in ("eleven workers & nobody rang", "é 𝔘", "wait. Joan: “It’s trust")
    ]
    names = {code.guid: code.name for code in project.codes}
    assert [names[each.codings[0].code] for each in project.sources[0].selections] == [
        "workers.many", "trust", "workers.many",
    ]  # fmt: skip


def test_where_bytes_and_words_of_a_highlight_disagree_the_words_win():
    moved = _taguette(("eleven workers",), "UPDATE highlights SET start_offset = 0, end_offset = 3")
    assert inside(read_project(moved)) == ["eleven workers"]
    gone = _taguette(
        ("eleven workers",), "UPDATE highlights SET start_offset = 0, end_offset = 3, snippet = 'Twelve'"
    )
    project = read_project(gone)
    assert inside(project) == [] and "1 highlights" in project.left_out[0]


def test_the_same_and_a_later_project_of_taguette_have_the_same_guids():
    one, later = read_project(_taguette()), read_project(_taguette(("é 𝔘", "wait. Joan: “It’s trust", "two")))
    assert one == read_project(_taguette())
    assert one.sources[0].guid == later.sources[0].guid
    shared = {each.guid for each in one.sources[0].selections} & {
        each.guid for each in later.sources[0].selections
    }
    assert len(shared) == 2


def test_of_several_projects_in_one_file_none_is_guessed():
    with pytest.raises(NotFromATool, match=r"2 projects in this file: “Town”, “Other”"):
        exchange.read(_taguette((), "INSERT INTO projects VALUES (2, 'Other', '', '')"))


def test_a_database_in_wal_mode_is_read(tmp_path):
    (tmp_path / "one.sqlite3").write_bytes(_taguette())
    made = sqlite3.connect(tmp_path / "one.sqlite3")
    made.execute("PRAGMA journal_mode=WAL")
    made.execute("UPDATE projects SET name = 'In WAL'")
    made.commit()
    made.close()
    assert read_project((tmp_path / "one.sqlite3").read_bytes()).name == "In WAL"


@pytest.mark.parametrize(
    "trap",
    [
        "CREATE VIEW {0} AS SELECT *, 1 AS id FROM kept",
        "CREATE VIEW {0} AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT * FROM n",
        "CREATE VIRTUAL TABLE {0} USING fts5(id, name, contents, project_id, path)",
    ],
)
@pytest.mark.parametrize("table", ["documents", "tags"])
def test_no_view_and_no_virtual_table_is_ever_asked(trap, table):
    with pytest.raises(NotFromATool, match="not of Taguette"):
        exchange.read(_taguette((), f"ALTER TABLE {table} RENAME TO kept", trap.format(table)))


def test_no_function_in_a_column_is_run():
    slow = _taguette(
        (),
        "ALTER TABLE documents RENAME TO kept",
        "CREATE TABLE documents (id INTEGER, name TEXT, description TEXT, project_id INTEGER, "
        "contents TEXT AS (hex(zeroblob(1000))) VIRTUAL)",
        "INSERT INTO documents VALUES (1, 'a', '', 1)",
    )
    with pytest.raises(NotFromATool):
        exchange.read(slow)


def test_other_values_than_a_column_should_hold_do_no_harm():
    project = read_project(
        _taguette(
            ("eleven workers",),
            "UPDATE tags SET path = x'ff00ff' WHERE id = 1",
            "INSERT INTO highlights VALUES (79, 1, 'a', 2.5, NULL), (77, NULL, 0, 4, ''), (78, 1, -4, 9999999, '')",
            "INSERT INTO highlight_tags VALUES (77, 'x'), (NULL, NULL)",
        )
    )
    assert inside(project) == ["eleven workers"]
    assert [code.name for code in project.codes] == ["workers.many"]


def test_a_database_has_no_more_rows_than_can_be_taken_in(monkeypatch):
    monkeypatch.setattr(taguette, "MOST_CODES", 1)
    with pytest.raises(NotFromATool, match="over 1 rows of tags"):
        exchange.read(_taguette())


NO_LINES = st.characters(
    blacklist_categories=("Cs", "Cc", "Zl", "Zp"), blacklist_characters="\ufffe\uffff\ufeff"
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(projects(), st.text(NO_LINES | st.sampled_from("\n&<> "), max_size=60))
def test_what_is_written_for_taguette_comes_back_with_the_same_words(project, text):
    text = f"Lee: {text}."
    mark = Selection(
        uuid.uuid4(), 5, len(text), tuple(Coding(uuid.uuid4(), code.guid) for code in project.codes[:1])
    )
    project = Project("Town", project.codes, (Source(uuid.uuid4(), "A story", text, (mark,)),))
    back = read_project(taguette.write(project, AT))
    assert not back.left_out
    assert [plain(words) for words in inside(back)] == [plain(text[5:])]
    assert {code.name for code in back.codes} >= {project.codes[0].name} if len(project.codes) == 1 else True
    assert len(back.sources[0].selections[0].codings) == len(project.codes[:1])


# QualCoder


def _qualcoder(*more: object, folder: str = "Town.qda/") -> bytes:
    text = "Lee: I had eleven workers.\nJoan: 𝔘𝔫𝔦 is trust, é!"
    wide = (
        len("Lee: I had eleven workers.\nJoan: ") + 6
    )  # as Qt counts, after three letters that it counts double
    content = database(
        "CREATE TABLE source (id integer primary key, name text, fulltext text, mediapath text, memo text, "
        "owner text, date text, av_text_id integer, risid integer, unique(name))",
        "CREATE TABLE code_text (ctid integer primary key, cid integer, fid integer,seltext text, pos0 integer, "
        "pos1 integer, owner text, date text, memo text, avid integer, important integer)",
        "CREATE TABLE code_name (cid integer primary key, name text, memo text, catid integer, owner text,"
        "date text, color text, supercid integer, unique(name))",
        "CREATE TABLE code_cat (catid integer primary key, name text, owner text, date text, memo text, "
        "supercatid integer, unique(name))",
        ("INSERT INTO source (id, name, fulltext) VALUES (1, 'Lee', ?), (2, 'photo.png', NULL)", (text,)),
        "INSERT INTO code_cat VALUES (1, 'People', '', '', '', NULL), (2, 'Staff', '', '', '', 1)",
        "INSERT INTO code_name (cid, name, memo, catid, color, supercid) VALUES (1, 'workers', 'many', 2, "
        "'#F781BE', NULL), (2, 'trust', '', NULL, '', NULL), (3, 'too many', '', NULL, '', 1)",
        "INSERT INTO code_text (cid, fid, seltext, pos0, pos1, memo) VALUES (1, 1, 'eleven workers', 11, 25, 'm'), "
        "(3, 1, 'eleven workers', 11, 25, '')",
        (
            "INSERT INTO code_text (cid, fid, seltext, pos0, pos1) VALUES (2, 1, ' is trust', ?, ?)",
            (wide, wide + 9),
        ),
        "CREATE TABLE annotation (anid integer primary key, fid integer,pos0 integer, pos1 integer, memo text)",
        "INSERT INTO annotation VALUES (1, 1, 5, 10, 'why?'), (2, 1, 11, 25, 'again'), (3, 1, 900, 901, '')",
        *more,
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr(f"{folder}data.qda", content)
        file.writestr("__MACOSX/Town.qda/._data.qda", b"mac")
    return out.getvalue()


def test_a_qualcoder_project_comes_in_with_its_codes_and_places():
    project = read_project(_qualcoder())
    assert project.name == "town"
    assert inside(project) == ["eleven workers", " is trust", "I had"]
    assert project.sources[0].selections[2].note == "why?"
    assert "1 marked places that are not in the text" in project.left_out[0]
    tree = [
        ([one.name for one in above], code.name, code.codable) for above, code in all_codes(project.codes)
    ]
    assert ([], "People", False) in tree and (["People"], "Staff", False) in tree
    assert (["People", "Staff"], "workers", True) in tree
    assert (["People", "Staff", "workers"], "too many", True) in tree
    names = {code.guid: code.name for _above, code in all_codes(project.codes)}
    first = project.sources[0].selections[0]
    assert {names[coding.code] for coding in first.codings} == {"workers", "too many"}
    assert first.note == "m"
    assert "photo.png" in project.left_out[1]
    assert read_project(_qualcoder()) == project


def test_categories_in_a_circle_do_no_harm():
    project = read_project(_qualcoder("UPDATE code_cat SET supercatid = 2 WHERE catid = 1"))
    assert {code.name for _above, code in all_codes(project.codes)} == {
        "People", "Staff", "workers", "trust", "too many",
    }  # fmt: skip
    assert inside(project) == ["eleven workers", " is trust", "I had"]


def test_another_database_in_a_zip_is_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("data.qda", database("CREATE TABLE a (b)"))
    with pytest.raises(NotFromATool, match="not of QualCoder"):
        exchange.read(out.getvalue())
    assert qualcoder.read is not None


# Places


@settings(deadline=None)
@given(st.text(st.sampled_from("Lee: a\u0301𝔘b\r\n\t .\u2028\x85\x07\ufeff“”"), max_size=120), st.data())
def test_a_place_in_a_text_is_found_in_its_turns_to_the_letter(text, data):
    text = "Lee: word " + text
    begins = data.draw(st.integers(0, len(text) - 1))
    ends = data.draw(st.integers(begins + 1, len(text)))
    read = transcript.read(text.encode(), "text.txt")
    to = places.cleaned(text, read.source)
    assert to is not None
    turns = [(turn.text, turn.begins, turn.ends) for turn in read.turns]
    found = places.in_turns(turns, read.source, to[begins], to[ends])
    said = "".join(read.turns[number].text[span.begins : span.ends] for number, span in found)
    # All of the words that are in a turn at all, in order: only labels are missing.
    covered = "".join(
        read.source[max(to[begins], turn.begins) : min(to[ends], turn.ends)]
        for turn in read.turns
        if turn.begins < to[ends] and turn.ends > to[begins]
    )
    assert plain(said) == plain(covered)
    if "word" in text[begins:ends]:
        assert "word" in said


@settings(deadline=None)
@given(st.text(st.sampled_from("ea\u0301𝔘b\r\n\t .\u2028\x85“”"), max_size=120), st.data())
def test_where_nobody_is_named_every_letter_of_a_place_is_found(text, data):
    text = "word " + text
    begins = data.draw(st.integers(0, len(text) - 1))
    ends = data.draw(st.integers(begins + 1, len(text)))
    read = transcript.read(text.encode(), "text.txt")
    to = places.cleaned(text, read.source)
    assert to is not None
    turns = [(turn.text, turn.begins, turn.ends) for turn in read.turns]
    found = places.in_turns(turns, read.source, to[begins], to[ends])
    said = "".join(read.turns[number].text[span.begins : span.ends] for number, span in found)
    assert plain(said) == plain(text[begins:ends])


# Tables

BITES = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "\n=1", "＝1", '=HYPERLINK("http://x")']


@pytest.mark.parametrize("bite", BITES)
def test_no_cell_starts_a_formula(bite):
    rows = list(csv.reader(io.StringIO(tables.to_csv(("a",), [(bite,)]).decode("utf-8-sig"), newline="")))
    assert rows[1][0] == f"'{bite}"
    sheet = tables.Sheet("Quotes", ("a",), ((bite,),))
    cell = load_workbook(io.BytesIO(tables.to_excel([sheet])))["Quotes"]["A2"]
    assert cell.data_type == "s" and str(cell.value).startswith("'")


@settings(deadline=None)
@given(st.lists(st.tuples(LETTERS, st.integers(0, 9)), max_size=4))
def test_a_table_comes_back_but_for_what_would_bite(rows):
    back = list(csv.reader(io.StringIO(tables.to_csv(("a", "b"), rows).decode("utf-8-sig"), newline="")))
    assert len(back) == len(rows) + 1
    for (words, number), (said, counted) in zip(rows, back[1:], strict=True):
        assert said == str(tables.harmless(words)) and counted == str(number)
        assert not said.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    book = load_workbook(io.BytesIO(tables.to_excel([tables.Sheet("A", ("a", "b"), tuple(rows))])))
    assert book["A"].max_row == len(rows) + 1


def test_a_cell_holds_no_more_than_excel_takes():
    sheet = tables.Sheet("[A]: long?", ("a",), (("x" * 40_000,),))
    book = load_workbook(io.BytesIO(tables.to_excel([sheet])))
    assert len(str(book.worksheets[0]["A2"].value)) == tables.LONGEST + 1


# The published schemas, where they are at hand


def test_what_we_write_is_valid_by_the_published_schemas():
    folder = Path(os.environ.get("COPRODUCE_DATA", Path(__file__).parents[3] / "shared" / "data")) / "refi"
    if not folder.exists():
        pytest.skip(f"Project.xsd and Codebook.xsd of REFI-QDA 1.0 are not in {folder}")
    for name, xml in (
        ("Project.xsd", zipfile.ZipFile(io.BytesIO(_A_PROJECT)).read("project.qde")),
        ("Codebook.xsd", refi.write_codebook(Codebook((Code(uuid.uuid4(), "Trust", "x", "#ff0000"),)))),
    ):
        schema = etree.XMLSchema(etree.parse(folder / name))
        assert schema.validate(etree.fromstring(xml)), schema.error_log


def test_reading_much_takes_no_more_than_seconds(record_property):
    words = "I had eleven workers and nobody rang. " * 30_000
    marks = tuple(Selection(uuid.uuid4(), 38 * n, 38 * n + 37) for n in range(20_000))
    project = Project("Town", (), (Source(uuid.uuid4(), "A story", words, marks),), origin="Coproduce")
    began = dt.datetime.now()
    back = exchange.read(written := refi.write_project(project, AT))
    took = (dt.datetime.now() - began).total_seconds()
    assert back == dataclasses.replace(project)
    record_property(
        "figures",
        f"a project of {len(words):,} letters and {len(marks):,} selections, {len(written):,} bytes: written and "
        f"read in {took:.1f} s on Python {sys.version_info.major}.{sys.version_info.minor}",
    )
