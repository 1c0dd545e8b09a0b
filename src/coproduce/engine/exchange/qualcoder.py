"""QualCoder's projects: a folder `name.qda` with a SQLite file `data.qda` in it, packed as .zip.

Source: QualCoder 3 and its database up to version 15 (src/qualcoder/__main__.py), by which `source.fulltext` is a
text, and `code_text` says which code stands from `pos0` up to `pos1` in it, with the words in `seltext`. These places
come from Qt, which counts UTF-16: beyond the first 65,536 characters of Unicode it counts two. Where places and words
disagree, the words win.
"""

from __future__ import annotations

import uuid

from coproduce.engine.exchange.databases import Database, number, words
from coproduce.engine.exchange.packed import Packed
from coproduce.engine.exchange.places import by_words, same_words
from coproduce.engine.exchange.project import (
    DEEPEST,
    MOST_CODES,
    MOST_SELECTIONS,
    MOST_SOURCES,
    Code,
    Coding,
    NotFromATool,
    Project,
    Selection,
    Source,
)

_OURS = uuid.UUID(
    "7d1f5f0e-5a3c-4b57-9f0e-0c8b1a0d4f11"
)  # QualCoder keeps no guids: they are made from the words


def read(packed: Packed) -> Project:
    """Read a QualCoder project. The same file, and a later one of the same project, give the same guids.

    Raises NotFromATool where it is another database, or broken.
    """
    name = packed.find("data.qda")
    if name is None:
        raise NotFromATool("There is no QualCoder project in this file: it has no data.qda.")
    database = Database(packed.read(name))
    try:
        return _read(database, name.split("/")[-2].removesuffix(".qda") if "/" in name else "QualCoder")
    finally:
        database.close()


def _read(database: Database, name: str) -> Project:
    if not (
        database.has("source", "id", "name", "fulltext")
        and database.has("code_text", "cid", "fid", "pos0", "pos1")
        and database.has("code_name", "cid", "name")
    ):
        raise NotFromATool(
            "This is a database, but not of QualCoder. Pack the whole folder of the project as .zip."
        )
    codes, tree = _codes(database)
    marked: dict[int, list[tuple[int, int, int, str, str]]] = {}
    columns = ("cid", "fid", "pos0", "pos1", "seltext", "memo")
    for row in database.rows("code_text", columns, MOST_SELECTIONS):
        cid, fid, begins, ends = (number(value) for value in row[:4])
        if cid in codes and cid is not None and fid is not None and begins is not None and ends is not None:
            marked.setdefault(fid, []).append((cid, begins, ends, words(row[4]), words(row[5])))
    notes: dict[int, list[tuple[int, int, str]]] = {}  # places with a note and without a code
    if database.has("annotation", "fid", "pos0", "pos1"):
        for row in database.rows("annotation", ("fid", "pos0", "pos1", "memo"), MOST_SELECTIONS):
            fid, begins, ends = (number(value) for value in row[:3])
            if fid is not None and begins is not None and ends is not None:
                notes.setdefault(fid, []).append((begins, ends, words(row[3]).strip()))
    sources: dict[uuid.UUID, Source] = {}
    left_out: list[str] = []
    for pk, called, fulltext, memo in database.rows(
        "source", ("id", "name", "fulltext", "memo"), MOST_SOURCES
    ):
        title = " ".join(words(called).split()) or "A file"
        text = words(fulltext)
        if not text:
            left_out.append(f"“{title}”: there are no words in it. Only words come in.")
            continue
        guid = uuid.uuid5(_OURS, f"source:{text}")
        if guid in sources:
            left_out.append(f"“{title}”: the same words are in another file.")
            continue
        fid = number(pk)
        lost = 0
        selections: dict[uuid.UUID, Selection] = {}
        for cid, begins, ends, said, about in marked.get(fid, ()) if fid is not None else ():
            place = _place(text, begins, ends, said)
            if place is None:
                lost += 1
                continue
            marks = uuid.uuid5(guid, f"{place[0]}-{place[1]}")
            known = selections.get(marks)
            codings = {coding.code: coding for coding in known.codings} if known else {}
            code = codes[cid].guid
            codings.setdefault(code, Coding(uuid.uuid5(marks, str(code)), code))
            memos = [memo for memo in (known.note if known else "", about.strip()) if memo]
            selections[marks] = Selection(marks, *place, tuple(codings.values()), "\n".join(memos))
        for begins, ends, note in notes.get(fid, ()) if fid is not None else ():
            place = _place(text, begins, ends, "")
            if place is None:
                lost += 1
                continue
            marks = uuid.uuid5(guid, f"{place[0]}-{place[1]}")
            selections.setdefault(marks, Selection(marks, *place, (), note))
        if lost:
            left_out.append(f"“{title}”: {lost:,} marked places that are not in the text.")
        sources[guid] = Source(guid, title, text, tuple(selections.values()), words(memo).strip())
    return Project(name, tree, tuple(sources.values()), origin="QualCoder", left_out=tuple(left_out))


def _place(text: str, begins: int, ends: int, said: str) -> tuple[int, int] | None:
    """By codepoints, else as Qt counts, else by the words alone."""
    wide = text.encode("utf-16-le", "surrogatepass")
    for first, last in (
        (begins, ends),
        tuple(len(wide[: 2 * max(at, 0)].decode("utf-16-le", "ignore")) for at in (begins, ends)),
    ):
        # Qt gives the end of a paragraph as U+2029.
        if 0 <= first < last <= len(text) and (not said or same_words(text[first:last], said)):
            return first, last
    near = by_words(text, said, begins) if said else None
    return (near.begins, near.ends) if near else None


def _codes(database: Database) -> tuple[dict[int, Code], tuple[Code, ...]]:
    """Every code by its number, and all as a tree: categories hold codes, and codes may be part of codes."""
    names: dict[tuple[str, int], tuple[str, str, str, tuple[str, int] | None]] = {}
    if database.has("code_cat", "catid", "name"):
        for pk, name, memo, above in database.rows(
            "code_cat", ("catid", "name", "memo", "supercatid"), MOST_CODES
        ):
            if (cat := number(pk)) is not None:
                up = number(above)
                names["category", cat] = (
                    words(name),
                    words(memo),
                    "",
                    None if up is None else ("category", up),
                )
    for pk, name, memo, colour, above, over in database.rows(
        "code_name", ("cid", "name", "memo", "color", "catid", "supercid"), MOST_CODES
    ):
        if (cid := number(pk)) is not None:
            cat, up = number(above), number(over)
            inside = ("code", up) if up is not None else None if cat is None else ("category", cat)
            names["code", cid] = (words(name), words(memo), words(colour), inside)
    inside_of: dict[tuple[str, int] | None, list[tuple[str, int]]] = {}
    for key, (*_rest, above_key) in names.items():
        inside_of.setdefault(above_key if above_key in names else None, []).append(key)
    made: dict[int, Code] = {}
    seen: set[tuple[str, int]] = set()

    def make(key: tuple[str, int], depth: int) -> Code:
        seen.add(key)
        name, memo, colour, _above = names[key]
        below = [child for child in inside_of.get(key, ()) if child not in seen] if depth < DEEPEST else []
        code = Code(
            uuid.uuid5(_OURS, f"{key[0]}:{name}"),
            " ".join(name.split()) or "Without a name",
            memo.strip(),
            colour.lower() if len(colour) == 7 and colour.startswith("#") else "",
            key[0] == "code",
            tuple(make(child, depth + 1) for child in below),
        )
        if key[0] == "code":
            made[key[1]] = code
        return code

    tree = [make(key, 1) for key in inside_of.get(None, ())]
    # What hangs in a circle, or too deep, stands on its own.
    tree += [make(key, DEEPEST) for key in names if key not in seen]
    return made, tuple(tree)
