"""REFI-QDA, the format in which tools for such work exchange codebooks (.qdc) and projects (.qdpx).

Source: "REFI-QDA standard", version 1.5 of the document, with Project.xsd and Codebook.xsd 1.0 (18 March 2019), by
the Rotterdam Exchange Format Initiative, qdasoftware.org, MIT licence. A project is a zip file: `project.qde`, in
XML, and the texts in `Sources/`, in UTF-8.

Where the standard leaves it open, we do as most tools do:

- A selection goes from `startPosition` up to `endPosition` and not including it, as NVivo, ATLAS.ti, MAXQDA and
  QualCoder write it. (The standard says "the first and the last character".)
- A byte order mark is no character. A line end of two signs counts as two, except in what ATLAS.ti wrote, where it
  is one.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import uuid
import zipfile
from collections.abc import Iterable
from itertools import islice
from xml.etree import ElementTree  # nosec B405: a document type, and so every entity, is refused

from coproduce.engine.exchange.packed import Packed
from coproduce.engine.exchange.project import (
    DEEPEST,
    MOST_CODES,
    MOST_SELECTIONS,
    MOST_SOURCES,
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

ORIGIN = "Coproduce"
_PROJECT = "urn:QDA-XML:project:1.0"
_CODEBOOK = "urn:QDA-XML:codebook:1.0"
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the same project is the same bytes, whenever it is written

Element = ElementTree.Element


# Writing

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COLOUR = re.compile(r"#(?:[0-9A-Fa-f]{6}|[0-9A-Fa-f]{3})")


def write_codebook(codebook: Codebook) -> bytes:
    """A .qdc file. Raises ValueError if it has no code: the standard knows no empty one."""
    if not codebook.codes:
        raise ValueError("a codebook has at least one code")
    root = Element("CodeBook", {"xmlns": _CODEBOOK, "origin": _plain(codebook.origin) or ORIGIN})
    _write_codes(root, codebook.codes)
    return _xml(root)


def write_project(project: Project, at: dt.datetime) -> bytes:
    """A .qdpx file.

    at: when it is written, with its time zone. It is all that tells the same project written twice apart.

    Signs that XML can't hold (control characters) are taken out of names and notes, never out of a text. Raises
    ValueError where a selection has no place in its text, or a coding no code.
    """
    when = at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    known = {code.guid for _above, code in all_codes(project.codes)}
    by = {"creatingUser": str(project.users[0].guid)} if project.users else {}
    made = by | {"creationDateTime": when}
    root = Element(
        "Project",
        {"xmlns": _PROJECT, "name": _plain(project.name), "origin": _plain(project.origin) or ORIGIN},
    )
    root.set("creationDateTime", when)
    if project.users:
        root.set("creatingUserGUID", str(project.users[0].guid))
        users = ElementTree.SubElement(root, "Users")
        for user in project.users:
            ElementTree.SubElement(users, "User", {"guid": str(user.guid), "name": _plain(user.name)})
    if project.codes:
        _write_codes(ElementTree.SubElement(root, "CodeBook"), project.codes)
    texts: dict[str, str] = {}
    if project.sources:
        sources = ElementTree.SubElement(root, "Sources")
        for source in project.sources:
            into = _write_text(sources, "TextSource", source.guid, source.name, source.text, made, texts)
            if source.note:
                ElementTree.SubElement(into, "Description").text = _note(source.note)
            for selection in source.selections:
                _write_selection(into, selection, len(source.text), known, made)
    if project.notes:
        notes = ElementTree.SubElement(root, "Notes")
        for note in project.notes:
            _write_text(notes, "Note", note.guid, note.name, note.text, made, texts)
    if project.description:
        ElementTree.SubElement(root, "Description").text = _note(project.description)

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as into_zip:
        _pack(into_zip, "project.qde", _xml(root))
        for name, text in texts.items():
            # A mark at the start of a file is no part of its text; one that is, stands after another.
            _pack(into_zip, f"Sources/{name}", ("\ufeff" * text.startswith("\ufeff") + text).encode())
    return packed.getvalue()


def _write_codes(into: Element, codes: Iterable[Code]) -> None:
    inside = ElementTree.SubElement(into, "Codes")
    for code in codes:
        _write_code(inside, code)


def _write_code(into: Element, code: Code) -> None:
    made = ElementTree.SubElement(
        into,
        "Code",
        {
            "guid": str(code.guid),
            "name": _plain(code.name),
            "isCodable": "true" if code.codable else "false",
        },
    )
    if _COLOUR.fullmatch(code.colour):
        made.set("color", code.colour)
    if code.description:
        ElementTree.SubElement(made, "Description").text = _note(code.description)
    for child in code.children:
        _write_code(made, child)


def _write_text(
    into: Element,
    tag: str,
    guid: uuid.UUID,
    name: str,
    text: str,
    made: dict[str, str],
    texts: dict[str, str],
) -> Element:
    """A text, in a file of its own: in XML, line ends would not stay what they are."""
    texts[f"{guid}.txt"] = text
    where = {"plainTextPath": f"internal://{guid}.txt"}
    return ElementTree.SubElement(into, tag, {"guid": str(guid), "name": _plain(name)} | where | made)


def _write_selection(
    into: Element, selection: Selection, length: int, known: set[uuid.UUID], made: dict[str, str]
) -> None:
    if not 0 <= selection.begins < selection.ends <= length:
        raise ValueError(f"a selection from {selection.begins} to {selection.ends} in a text of {length}")
    place = {
        "guid": str(selection.guid),
        "name": "",
        "startPosition": str(selection.begins),
        "endPosition": str(selection.ends),
    }
    marked = ElementTree.SubElement(into, "PlainTextSelection", place | made)
    if selection.note:
        ElementTree.SubElement(marked, "Description").text = _note(selection.note)
    for coding in selection.codings:
        if coding.code not in known:
            raise ValueError(f"a coding with a code that is not in the project: {coding.code}")
        coded = ElementTree.SubElement(marked, "Coding", {"guid": str(coding.guid)} | made)
        ElementTree.SubElement(coded, "CodeRef", {"targetGUID": str(coding.code)})


def _plain(text: str) -> str:
    """A name on one line, as XML can hold it."""
    return " ".join(_NOT_IN_XML.sub("", text).split())


def _note(text: str) -> str:
    """XML makes one sign of every line end. So do we, before."""
    return re.sub("\r\n?", "\n", _NOT_IN_XML.sub("", text))


def _xml(root: Element) -> bytes:
    ElementTree.indent(root)
    written = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{written}\n'.encode()


def _pack(into: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _EARLIEST)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    into.writestr(info, content)


# Reading

_BROKEN = "This file is broken, and cannot be read: {where}. Export it again from the tool it was made with."
_TOO_MUCH = "There is more in this file than we can take in: {what}. Bring a part of it at a time."


def read_codebook(data: bytes) -> Codebook:
    """Read a .qdc file. Raises NotFromATool."""
    root = _parse(data)
    if _tag(root) == "Project":
        raise NotFromATool(
            "This is the inside of a project, without its texts. Bring the whole project, as the tool exports it "
            "(.qdpx)."
        )
    if _tag(root) != "CodeBook":
        raise NotFromATool(
            "This is not a REFI-QDA codebook. Export the codes again as .qdc, then bring that."
        )
    return Codebook(_read_codes(root), root.get("origin", ""))


def read_project(packed: Packed) -> Project:
    """Read a .qdpx file: its codes, and its texts with what is marked in them.

    Texts are those of text sources, of the text of a PDF and of transcripts of recordings. What is left out (pictures,
    marks on a picture or in a recording, files that lie elsewhere, places that are not in the text) is said in
    `left_out`. Raises NotFromATool.
    """
    name = packed.find(".qde")
    if name is None:
        raise NotFromATool(
            "There is no project in this file. Bring a REFI-QDA project (.qdpx), or the folder of a QualCoder "
            "project, packed as .zip."
        )
    root = _parse(packed.read(name))
    if _tag(root) != "Project":
        raise NotFromATool(_BROKEN.format(where=f"{name} does not hold a project"))
    return _Reading(packed, root).project()


class _Refuse(ElementTree.TreeBuilder):
    """Builds the tree, unless it has a document type or is deeper than anything that a tool writes."""

    def __init__(self) -> None:
        super().__init__()
        self._depth = 0

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        # No tool writes one. Entities that unfold without end, or name files, are declared in one.
        raise NotFromATool(_BROKEN.format(where="it has a document type, which is not part of REFI-QDA"))

    def start(self, tag: str, attributes: dict[str, str]) -> Element:
        self._depth += 1
        if self._depth > DEEPEST + 20:
            raise NotFromATool(_BROKEN.format(where="too many things inside one another"))
        return super().start(tag, attributes)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return super().end(tag)


def _parse(data: bytes) -> Element:
    try:
        parser = ElementTree.XMLParser(target=_Refuse())  # nosec B314: see doctype above
        parser.feed(data)
        root: Element = parser.close()
    except ElementTree.ParseError as error:
        line = error.position[0]
        raise NotFromATool(_BROKEN.format(where=f"line {line} is not XML")) from error
    except (LookupError, ValueError) as error:
        if isinstance(error, NotFromATool):
            raise
        raise NotFromATool(_BROKEN.format(where="its letters can't be told")) from error
    return root


def _tag(element: Element) -> str:
    """The name of an element; versions of the standard differ in the rest."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _all(element: Element | None, *tags: str) -> list[Element]:
    return [] if element is None else [child for child in element if _tag(child) in tags]


def _one(element: Element | None, tag: str) -> Element | None:
    return next(iter(_all(element, tag)), None)


def _words(element: Element | None, tag: str) -> str:
    found = _one(element, tag)
    return "" if found is None or found.text is None else found.text


def _guid(element: Element, attribute: str = "guid") -> uuid.UUID | None:
    try:
        return uuid.UUID(element.get(attribute, "").strip())
    except ValueError:
        return None


def _guid_of(element: Element, what: str) -> uuid.UUID:
    guid = _guid(element)
    if guid is None:
        raise NotFromATool(_BROKEN.format(where=f"{what} has no guid that can be read"))
    return guid


def _read_codes(book: Element | None) -> tuple[Code, ...]:
    seen: set[uuid.UUID] = set()

    def read(element: Element) -> Code | None:
        name = _plain(element.get("name", ""))
        guid = _guid_of(element, f"the code “{name}”")
        if guid in seen:
            return None
        seen.add(guid)
        if len(seen) > MOST_CODES:
            raise NotFromATool(_TOO_MUCH.format(what=f"over {MOST_CODES:,} codes"))
        children = tuple(child for each in _all(element, "Code") if (child := read(each)))
        colour = element.get("color", "")
        return Code(
            guid,
            name or "Without a name",
            _words(element, "Description").strip(),
            colour.lower() if _COLOUR.fullmatch(colour) else "",
            element.get("isCodable", "true").strip() not in ("false", "0"),
            children,
        )

    return tuple(code for each in _all(_one(book, "Codes"), "Code") if (code := read(each)))


class _Reading:
    """A project on its way in: gathers what is left out as it goes."""

    def __init__(self, packed: Packed, root: Element) -> None:
        self.packed = packed
        self.root = root
        self.origin = root.get("origin", "")
        self.left_out: list[str] = []
        self.selections = 0
        self.guids: set[uuid.UUID] = set()

    def project(self) -> Project:
        codes = _read_codes(_one(self.root, "CodeBook"))
        self.known = {code.guid for _above, code in all_codes(codes)}
        sources: list[Source] = []
        texts = ("TextSource", "PDFSource", "AudioSource", "VideoSource")
        for element in _all(_one(self.root, "Sources"), *texts):
            tag = _tag(element)
            if tag == "TextSource":
                sources += self._source(element, "PlainTextSelection")
            elif tag == "PDFSource":
                sources += self._inside(element, "Representation", "PlainTextSelection", "PDFSelection")
            else:
                marks = "AudioSelection" if tag == "AudioSource" else "VideoSelection"
                sources += self._inside(element, "Transcript", "TranscriptSelection", marks)
            if len(sources) > MOST_SOURCES:
                raise NotFromATool(_TOO_MUCH.format(what=f"over {MOST_SOURCES:,} texts"))
        if pictures := len(_all(_one(self.root, "Sources"), "PictureSource")):
            self.left_out.append(f"{_many(pictures, 'picture')}: only words come in.")
        notes: list[Note] = []
        for element in _all(_one(self.root, "Notes"), "Note"):
            text = self._text(element)
            if text is not None and (guid := self._new_guid(element)):
                notes.append(Note(guid, _plain(element.get("name", "")), text))
        users = [
            User(guid, _plain(element.get("name", "")))
            for element in islice(_all(_one(self.root, "Users"), "User"), 1000)
            if (guid := _guid(element))
        ]
        return Project(
            _plain(self.root.get("name", "")),
            codes,
            tuple(sources),
            tuple(notes),
            tuple(users),
            _words(self.root, "Description"),
            self.origin,
            tuple(self.left_out),
        )

    def _new_guid(self, element: Element) -> uuid.UUID | None:
        """Its guid, unless another thing of the file has it already."""
        guid = _guid(element)
        if guid is None or guid in self.guids:
            return None
        self.guids.add(guid)
        return guid

    def _inside(self, element: Element, holds: str, marks: str, elsewhere: str) -> list[Source]:
        """The texts that stand for a PDF or a recording."""
        name = _plain(element.get("name", ""))
        found = [
            source
            for inner in _all(element, holds)
            for source in self._source(inner, marks, name or "A text")
        ]
        if count := len(_all(element, elsewhere)):
            self.left_out.append(
                f"“{name}”: {_many(count, 'mark')} on a page or in the recording. Only marks in words come in."
            )
        if not found:
            self.left_out.append(f"“{name}”: there are no words with it. Only words come in.")
        return found

    def _source(self, element: Element, marks: str, name: str = "") -> list[Source]:
        name = _plain(element.get("name", "")) or name or "A text"
        text = self._text(element)
        guid = self._new_guid(element)
        if guid is None:
            self.left_out.append(f"“{name}”: it has no guid of its own.")
            return []
        if text is None:
            self.left_out.append(f"“{name}”: its text is not in this file.")
            return []
        if whole := len(_all(element, "Coding")):
            self.left_out.append(f"“{name}”: {_many(whole, 'code')} on the whole text, on no place in it.")
        points = {_guid(point): _whole(point.get("position", "")) for point in _all(element, "SyncPoint")}
        lost = 0
        selections: list[Selection] = []
        for each in _all(element, marks):
            if marks == "TranscriptSelection":
                begins = points.get(_guid(each, "fromSyncPoint"))
                ends = points.get(_guid(each, "toSyncPoint"))
            else:
                begins, ends = _whole(each.get("startPosition", "")), _whole(each.get("endPosition", ""))
            marked = self._new_guid(each)
            if begins is None or ends is None or marked is None or not 0 <= begins < min(ends, len(text)):
                lost += 1
                continue
            self.selections += 1
            if self.selections > MOST_SELECTIONS:
                raise NotFromATool(_TOO_MUCH.format(what=f"over {MOST_SELECTIONS:,} places marked"))
            selections.append(
                Selection(
                    marked,
                    begins,
                    min(ends, len(text)),
                    self._codings(each),
                    _words(each, "Description").strip(),
                )
            )
        if lost:
            self.left_out.append(f"“{name}”: {_many(lost, 'mark')} at a place that is not in the text.")
        return [Source(guid, name, text, tuple(selections), _words(element, "Description").strip())]

    def _codings(self, element: Element) -> tuple[Coding, ...]:
        found: dict[uuid.UUID, Coding] = {}
        for coding in _all(element, "Coding"):
            ref = _one(coding, "CodeRef")
            code = None if ref is None else _guid(ref, "targetGUID")
            guid = _guid(coding)
            if code in self.known and guid is not None and code is not None:
                found.setdefault(code, Coding(guid, code))
        return tuple(found.values())

    def _text(self, element: Element) -> str | None:
        """The words of a text: in the XML, or in a file of the same zip. Nothing else is ever opened."""
        path = element.get("plainTextPath")
        if path is None:
            inside = _one(element, "PlainTextContent")
            return None if inside is None else inside.text or ""
        scheme, _colon, name = path.partition("://")
        name = name.lstrip("/").replace("\\", "/")
        if scheme != "internal" or f"Sources/{name}" not in self.packed:
            return None
        text = self.packed.read(f"Sources/{name}").decode("utf-8", "replace").removeprefix("\ufeff")
        return text.replace("\r\n", "\n") if "atlas" in self.origin.casefold() else text


def _whole(number: str) -> int | None:
    number = number.strip()
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 12 else None


def _many(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
