"""The words of a Word file, paragraph by paragraph."""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from xml.etree import ElementTree  # nosec B405: a document type, and so every entity, is refused

from coproduce.engine.transcript.decoding import PACKED
from coproduce.engine.transcript.labels import name_in
from coproduce.engine.transcript.times import STAMP_ALONE
from coproduce.engine.transcript.turns import MAX_UNPACKED, NotATranscript

_BROKEN_WORD = (
    "This Word file is broken, and cannot be opened. Open it in Word, save it again, then bring that."
)

_BREAKS = {"br": "\n", "cr": "\n", "tab": "\t", "ptab": "\t", "noBreakHyphen": "-"}

# What was deleted or has moved elsewhere is not said here, and a fallback says again what stands before it.
_LEFT_OUT = {"del", "moveFrom", "Fallback"}


def words_of_word(data: bytes) -> str:
    """The words of a .docx file: paragraphs with a blank line between them, in the order of the document.

    Hyperlinks, tracked insertions, content controls, fields, text boxes and formulas are in; python-docx
    leaves some of these out of a paragraph's text, which is why the XML is read here. A line break inside a
    paragraph is `\\n`. Tables are read cell by cell, each cell a paragraph; a cell that holds just a name
    or a time is joined to the cell after it with a tab, so that it can be seen to be a label. Left out:
    footnotes, endnotes, comments, headers, footers, deleted text, and numbers that Word gives to lists by
    itself.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            names = packed.namelist()
            main = next((name for name in names if re.fullmatch(r"word/document\d*\.xml", name)), None)
            if main is None:
                raise NotATranscript(_kind_of_zip(names))
            if packed.getinfo(main).file_size > MAX_UNPACKED:
                raise NotATranscript(
                    "This Word file is too big when it is opened. "
                    "Copy the words into a new file, save that, then bring it."
                )
            # zipfile never unpacks more than the size that was just looked at.
            xml = packed.read(main)
        words = _WordText()
        parser = ElementTree.XMLParser(target=words)  # nosec B314: see doctype below
        parser.feed(xml)
        parser.close()
    except NotATranscript:
        raise
    except (
        zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, ElementTree.ParseError,
        EOFError, LookupError, NotImplementedError, OSError, RuntimeError, ValueError,
    ) as error:  # fmt: skip
        raise NotATranscript(_BROKEN_WORD) from error
    return "\n\n".join(words.paragraphs)


def _kind_of_zip(names: Sequence[str]) -> str:
    """What a zip file is that is not Word, in plain words, with what to do."""
    for start, kind in (
        ("xl/", "a spreadsheet"),
        ("ppt/", "a set of slides"),
        ("content.xml", "an OpenDocument file"),
    ):
        if any(name.startswith(start) for name in names):
            return f"This looks like {kind}. Save the words as Word (.docx) or text, then bring that."
    return PACKED


class _WordText:
    """Gathers paragraphs while the XML goes by, so that a big document never stands in memory as a tree."""

    def __init__(self) -> None:
        self.paragraphs: list[str] = []
        self._blocks = [self.paragraphs]  # the document, then each row and each cell that is open
        self._open: list[list[str]] = []  # a text box is a paragraph inside a paragraph
        self._left_out = 0
        self._in_text = False

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        # Word writes none. Entities that unfold without end are declared in one.
        raise NotATranscript(_BROKEN_WORD)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        if name in _LEFT_OUT:
            self._left_out += 1
        elif name == "p" and "wordprocessingml" in tag:
            self._open.append([])
        elif name == "t":
            self._in_text = True
        elif name in ("tr", "tc"):
            self._blocks.append([])
        elif name in _BREAKS and self._open and not self._left_out:
            self._open[-1].append(_BREAKS[name])

    def data(self, text: str) -> None:
        if self._in_text and self._open and not self._left_out:
            self._open[-1].append(text)

    def end(self, tag: str) -> None:
        name = tag.rpartition("}")[2]
        if name in _LEFT_OUT:
            self._left_out -= 1
        elif name == "p" and "wordprocessingml" in tag:
            paragraph = "".join(self._open.pop()).strip()
            if paragraph:
                self._blocks[-1].append(paragraph)
        elif name == "t":
            self._in_text = False
        elif name == "tc":
            cell = self._blocks.pop()
            if cell:
                self._blocks[-1].append("\n\n".join(cell))
        elif name == "tr":
            row: list[str] = []
            label = False
            for cell_text in self._blocks.pop():
                if label:
                    row[-1] += "\t" + cell_text
                else:
                    row.append(cell_text)
                label = bool(STAMP_ALONE.match(cell_text) or name_in(cell_text.rstrip(":")))
            self._blocks[-1].extend(row)

    def close(self) -> None:
        pass
