"""A transcript that somebody brings (text, WebVTT, SRT, Word) → turns: who spoke, from when to when, what.

`read` is the way in. It promises three things, and the property tests hold it to them:

- **Nothing said is lost.** Every sign of the source that is not white space is in a turn, in order, unless
  it was recognised as a label, a time or markup.
- **Turns can be found again.** For every turn of every format
  `turn.text.split() == source[turn.begins:turn.ends].split()`; spans are in order and do not overlap.
- **Any bytes at all** give a `Transcript` or raise `NotATranscript`, and what comes out can be stored
  anywhere (no NUL, no control characters, no half characters).

What `source` is depends on the format:

- text: the file as decoded, with line ends made `\\n` and control characters taken out;
- Word: the paragraphs as `_words_of_word` gives them, a blank line between;
- WebVTT and SRT: the plain words alone, without markup, labels, times and numbers, one cue a line (one line
  for each speaker, where several speak in a cue).

Sources: WebVTT, https://www.w3.org/TR/webvtt1/; Office Open XML, ECMA-376 part 1 §17. SRT has no standard.
"""

from __future__ import annotations

import html.entities
import io
import lzma
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree  # nosec B405: a document type, and so every entity, is refused

MAX_BYTES = 20 * 1024 * 1024
"""The largest file that is read, in bytes: some four hundred hours of talk as text."""

MAX_LINES = 1_000_000
"""The most lines that are read: a transcript has fewer, and each costs memory."""

MAX_UNPACKED = 3 * MAX_BYTES
"""The most that the words of a Word file may unpack to, in bytes."""

PAUSE_MS = 2_000
"""Cues that stand this many milliseconds apart, or more, are not one turn."""

LONG_TURN_WORDS = 80
"""Cues whose speaker nobody knows are joined until a sentence ends, or until there are this many words."""

TIME_OF_DAY_MS = 6 * 60 * 60 * 1000
"""No recording is silent for six hours: where the first time in a text is later, it is time on the clock."""


class NotATranscript(ValueError):
    """What was brought has no words to read. The message says what is wrong, where, and what to do."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one person said before somebody else spoke.

    text: the words, never empty. One space between words; a blank line (`\\n\\n`) where the source has a
        new paragraph.
    speaker: the label as it is first written in the file, or None where nobody knows.
    start_ms, end_ms: whole milliseconds from the start of the recording, 0 to below 100 hours, `start_ms <=
        end_ms`; None where the file does not say.
    begins, ends: where the words stand in `Transcript.source`, in characters: `source[begins:ends]`.
    """

    text: str
    speaker: str | None
    start_ms: int | None
    end_ms: int | None
    begins: int
    ends: int


@dataclass(frozen=True, slots=True)
class Transcript:
    """A recorded conversation in writing.

    turns: at least one, in the order of the file; at least one has a letter or a digit in it.
    source: the text that the turns point into; see the top of this file.
    format: "text", "vtt", "srt" or "docx".
    encoding: how the bytes were written ("utf-8", "utf-16-le", "windows-1252", …); None for Word.
    """

    turns: tuple[Turn, ...]
    source: str
    format: str
    encoding: str | None

    @property
    def speakers(self) -> tuple[str, ...]:
        """The labels, in order of first appearance."""
        return tuple(dict.fromkeys(turn.speaker for turn in self.turns if turn.speaker is not None))


def read(data: bytes, name: str = "") -> Transcript:
    """Read a transcript.

    data: the file, at most `MAX_BYTES`.
    name: what the file is called. What is in the file decides; the name only decides where that leaves it
        open.

    Raises NotATranscript where the file is empty, too big, broken, no text, or has no words.
    """
    if not data.strip(b"\0 \t\r\n"):
        raise NotATranscript("This file is empty. Check that it is the right one, then bring it again.")
    if len(data) > MAX_BYTES:
        raise NotATranscript(
            f"This file is too big: over {MAX_BYTES // 1024 // 1024} MB. "
            "Bring the words without pictures, or cut the file into parts."
        )
    encoding: str | None = None
    if data.startswith((b"PK\3\4", b"PK\5\6")):
        format, source = "docx", _clean(_words_of_word(data))
        shape = _shape_of_cues(source)
        # Somebody pasted subtitles into Word: there each line has become a paragraph.
        lines = [line for line in source.split("\n") if line.strip()]
    else:
        if what := _something_else(data):
            raise NotATranscript(what)
        raw, encoding = _decode(data)
        _refuse_what_is_no_text(raw)
        source = _clean(raw)
        shape = _shape_of_cues(source, name)
        format, lines = shape or "text", source.split("\n")
    if source.count("\n") >= MAX_LINES:
        raise NotATranscript(
            f"This file has too many lines: over {MAX_LINES:,}. Cut it into parts, and bring each."
        )
    if shape:
        turns, source = _turns_of_cues(lines, shape)
    else:
        turns = _turns_of_text(source)
    if not any(sign.isalnum() for turn in turns for sign in turn.text):
        raise NotATranscript(
            "There are no words in this file. Check that it is the right one, then bring it again."
        )
    return Transcript(tuple(turns), source, format, encoding)


# From bytes to clean text

_BOMS = (
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)

_LINE_END = re.compile("\r\n?|[\v\f\x1c-\x1f\x85\u2028\u2029]")
_CONTROL = re.compile("[\0-\x08\x0e-\x1b\x7f-\x9f\ufeff]")
_STRANGE = re.compile("[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufffd]")


def _decode(data: bytes) -> tuple[str, str]:
    """The text, and the name of the encoding. Never fails: Windows-1252 gives any byte a meaning."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return data[len(bom) :].decode(encoding, "replace"), encoding
    # English in UTF-16 has a NUL in every other byte, and no other text has.
    half = len(data) // 2
    even, odd = data[0::2].count(0), data[1::2].count(0)
    if half >= 4 and max(even, odd) > 0.4 * half and min(even, odd) < 0.05 * half:
        encoding = "utf-16-le" if odd > even else "utf-16-be"
        return data.decode(encoding, "replace"), encoding
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    # One broken place (a file cut off in the middle of a letter) must not spoil every other accent in it.
    sound = data.decode("utf-8", "ignore")
    beyond_ascii = sum(map(len, re.findall(r"[^\x00-\x7f]+", sound)))
    if beyond_ascii > len(data) - len(sound.encode()):
        return data.decode("utf-8", "replace"), "utf-8"
    return data.decode("windows-1252", "replace"), "windows-1252"


def _clean(text: str) -> str:
    """Every line end is `\\n`, and no sign is left that a database would refuse or a page could not show."""
    return _CONTROL.sub("", _LINE_END.sub("\n", text))


# First bytes, what they look like, what to do. RIFF and ISO media are told apart by what follows.
_RECORDING = "This looks like a recording. Add it as a recording, or bring its words as Word or text."
_PICTURE = "This looks like a picture. Bring the words as Word or text."
_PACKED = "This looks like a packed folder. Unpack it, then bring the transcript that is in it."
_OLD_WORD = (
    "This looks like an old Word file, or one with a password. "
    "Open it in Word, save it as .docx without a password, then bring that."
)
_KINDS: tuple[tuple[bytes, str], ...] = (
    (rb"%PDF-", "This looks like a PDF. Save it as Word or text, then bring that."),
    (rb"\x89PNG|\xff\xd8\xff|GIF8[79]a|II\*\0|MM\0\*|RIFF.{4}WEBP", _PICTURE),
    (
        rb"ID3[\x02-\x04]|\xff[\xf1-\xf3\xf9-\xfb]|OggS\0|fLaC\0|#!AMR|FORM.{4}AIF|RIFF.{4}(?:WAVE|AVI )",
        _RECORDING,
    ),
    (rb".{4}ftyp|\x1a\x45\xdf\xa3|\x30\x26\xb2\x75\x8e\x66|\0\0\x01\xba|caff\0", _RECORDING),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OLD_WORD),
    (rb"\{\\rtf", "This looks like an RTF file. Open it in Word, save it as .docx, then bring that."),
    (rb"\x1f\x8b|BZh[1-9]1AY|7z\xbc\xaf\x27\x1c|Rar!\x1a|\xfd7zXZ\0", _PACKED),
    (
        rb"(?i:\s*(?:\xef\xbb\xbf)?<(?:!doctype\s+html|html)[\s>])",
        "This looks like a web page. Open it, copy the words into a text file, then bring that.",
    ),
)
_SEES = tuple((re.compile(kind, re.DOTALL), what) for kind, what in _KINDS)


def _something_else(data: bytes) -> str | None:
    """What a file is that is clearly no transcript, and what to do, in plain words; None if it may be one."""
    start = data[:1024]
    return next((what for kind, what in _SEES if kind.match(start)), None)


def _refuse_what_is_no_text(raw: str) -> None:
    """Refuse a file of an unknown kind: text has a stray control character, not one in every fifty."""
    strange = len(raw) - len(_STRANGE.sub("", raw))
    if strange > 4 and strange > len(raw) / 50:
        first = _STRANGE.search(raw)
        line = _LINE_END.sub("\n", raw[: first.start() if first else 0]).count("\n") + 1
        raise NotATranscript(
            f"This file is not text: from line {line} on it has signs in it that are no letters. "
            "Open it in the program it was made with, save it as Word or text, then bring that."
        )


# Word

_BROKEN_WORD = (
    "This Word file is broken, and cannot be opened. Open it in Word, save it again, then bring that."
)

_BREAKS = {"br": "\n", "cr": "\n", "tab": "\t", "ptab": "\t", "noBreakHyphen": "-"}

# What was deleted or has moved elsewhere is not said here, and a fallback says again what stands before it.
_LEFT_OUT = {"del", "moveFrom", "Fallback"}


def _words_of_word(data: bytes) -> str:
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
    return _PACKED


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
                label = bool(_STAMP_ALONE.match(cell_text) or _name(cell_text.rstrip(":")))
            self._blocks[-1].extend(row)

    def close(self) -> None:
        pass


# Times

_T = r"(?:[0-9]{1,2}:)?[0-5]?[0-9]:[0-5][0-9](?:[.,][0-9]{1,3})?(?![0-9:])"
_CUE_T = r"(?:[0-9]{1,2}:)?[0-9]{1,2}:[0-9]{1,2}(?:[.,][0-9]{1,3})?(?![0-9:])"
_RANGE = rf"{_CUE_T}\s{{0,3}}-->\s{{0,3}}{_CUE_T}|{_T}\s{{0,3}}(?:[-–—]|to)\s{{0,3}}{_T}|{_T}"
_IN_BRACKETS = rf"(?:\[\s?(?:{_RANGE})\s?\]|\(\s?(?:{_RANGE})\s?\))"

_TIME = re.compile(_CUE_T)
_STAMP = re.compile(rf"{_IN_BRACKETS}|(?:{_RANGE})")
_STAMP_ALONE = re.compile(rf"\s*(?:{_IN_BRACKETS}|(?:{_RANGE}))\s*$")
_TIMING = re.compile(rf"\s*({_CUE_T})\s*-->\s*({_CUE_T})(?:\s|$)")


def _ms(time: str) -> int:
    """`1:02:03.5` → milliseconds."""
    whole, _, fraction = time.replace(",", ".").partition(".")
    seconds = 0
    for part in whole.split(":"):
        seconds = seconds * 60 + int(part)
    return seconds * 1000 + int(fraction.ljust(3, "0") or 0)


def _from_to(stamp: str | None) -> tuple[int | None, int | None]:
    """The times in a stamp: start and end, None where it has none."""
    times = [_ms(time) for time in _TIME.findall(stamp or "")[:2]]
    if not times:
        return None, None
    return times[0], max(times) if len(times) > 1 else None


# Labels

_NAME = r"[^\s:：\[\]*|<>][^\t\n:：\[\]*|<>]{0,59}?"
_MARK = r"[*_]{0,2}"

_CHEVRONS = re.compile(r"\s*>>+\s*")  # subtitlers' sign for a new speaker
_AFTER_STAMP = re.compile(r"\s*[-–—|]?\s*")
_COLON = re.compile(
    rf"{_MARK}(?P<name>{_NAME}){_MARK}\s{{0,3}}(?P<stamp>{_IN_BRACKETS})?{_MARK}\s?[:：]{_MARK}"
    rf"(?=\s|$|[^\W\d]|['\"“‘…(\[])"
)
_STAMPED = re.compile(
    rf"{_MARK}(?P<name>{_NAME}){_MARK}[\s,|–—-]{{1,9}}"
    rf"(?P<stamp>\[(?:{_RANGE})\](?=\s|$)|(?:{_IN_BRACKETS}|{_RANGE}){_MARK}\s*$)"
)
_BRACKET = re.compile(rf"{_MARK}\[(?P<name>{_NAME})\]{_MARK}\s?[:：]?")
_DASH = re.compile(rf"(?P<name>{_NAME})\s{{1,3}}[-–—]\s")
_TAB = re.compile(rf"(?P<name>{_NAME})\t")
_STAMP_AFTER = re.compile(rf"\s*(?P<stamp>{_IN_BRACKETS}|(?:{_RANGE})(?=\s*$|\t))")

# What a name is made of: words that begin with a capital or a digit, small words between them ("Ana de la
# Cruz"), something in brackets after it ("Tom (he/him)"); or one small word, with or without a number
# ("speaker 1").
_NAME_SHAPE = re.compile(r"[\w+][\w'’.\-&/#*,+ ]*(?: ?\([^()]{1,40}\))?")
_SMALL_NAME = re.compile(r"[^\W\d_]+ ?[0-9]{0,3}")
_SMALL_HEADING = re.compile(
    r"speaker|spk|participant|interviewe[er]|respondent|facilitator|host|guest|unknown"
)
_BETWEEN = re.compile(r"(?:de|da|do|du|del|der|den|di|la|le|van|von|af|al|bin|ibn|of|the|and|[&/+-])")

_NO_NAMES = re.compile(
    r"""(?xi)
    note | notes | nb | n\.b\. | ps | p\.s\. | e\.g | i\.e | eg | ie | example | warning | http | https
    | mailto | date | time | times | location | place | venue | duration | length | title | subject |
    file | recording | recorded | transcript | transcription | transcribed | keywords | summary | agenda
    | present | apologies | attendees | speakers | participants | page | project | name | names | words
    | laughs | laughter | laughing | laugh | inaudible | unclear | unintelligible | crosstalk | silence
    | pause | pauses | music | applause | sighs | sigh | coughs | cough | crying | cries | noise |
    overlapping | redacted | anonymised | start | end | beep | bleep | cross\ talk | background\ noise |
    end\ of\ recording | end\ of\ transcript | for\ example | long\ pause
    """
)


@dataclass(frozen=True, slots=True)
class _Label:
    """What stands before the words on a line: a name, a time or both. `at`: where the words begin."""

    name: str  # "" for a time alone
    at: int
    start_ms: int | None
    end_ms: int | None
    certain: bool = True
    above: int = 0  # how many lines above this one belong to it


def _name(raw: str) -> str | None:
    """The name in something that may be a label, or None if it cannot be one."""
    name = " ".join(raw.strip(" *_\t").split())
    if not 0 < len(name) <= 60 or not _NAME_SHAPE.fullmatch(name) or _NO_NAMES.fullmatch(name.rstrip(" -–—")):
        return None
    words = name.partition(" (")[0].split()
    if len(words) > 6 or not (any(sign.isalpha() for sign in name) or name.startswith("+")):
        return None
    if _SMALL_NAME.fullmatch(name):
        return name
    return name if all(not word[0].islower() or _BETWEEN.fullmatch(word) for word in words) else None


def _heading(raw: str) -> str | None:
    """The name in what stands by a time alone: "so 3 10:30" is no heading, "speaker 3 10:30" is one."""
    name = _name(raw)
    return name if name and (not name[0].islower() or _SMALL_HEADING.match(name)) else None


_SHAPES = ("colon", "bracket", "caps", "beside", "over", "under", "tab", "dash")


def _find_labels(
    lines: Sequence[str], starts_paragraph: Sequence[bool]
) -> tuple[dict[int, _Label], dict[int, _Label]]:
    """The labels and the bare times at the start of lines, by line number.

    lines: the lines that have words in them. starts_paragraph: for each, whether a paragraph (or a cue)
        starts there.

    A name at the start of a line is not yet a label: people say "One thing: …" too. So the labels are
    chosen for the whole document. First, for each shape (`Tom:` or `Tom 0:12`; `[Tom]`; `TOM -`; `0:12 Tom`
    alone; a name under a time; a name over a time; a name and a tab; `Tom -`), every line that begins like
    that is a candidate. A shape is in use if
    - candidates, with the lines below them where they stand alone on a line, make up more than half of the
      paragraphs other than times (and there are two at least, but for the first two shapes), or
    - two names recur, and theirs are one in fifty paragraphs or more, or
    - one name recurs, three times or more, and its lines are a quarter of the paragraphs or more.
    For the last shape only the first of these counts, since people say "Well - " often.
    Of the shapes in use, the one with most lines is taken. In it, a name that recurs is a label wherever it
    starts a line; a name that does not recur is one only if it has a capital, and starts a paragraph or
    stands right below another candidate. Where nine of ten labels carry a time, those without are none.
    """
    candidates: dict[str, dict[int, _Label]] = {shape: {} for shape in ("stamped", *_SHAPES)}
    times: dict[int, _Label] = {}
    before: _Label | None = None  # a time alone on the line before
    for number, line in enumerate(lines):
        alone = before
        before = None
        lead, label, shape = _line_label(line)
        if label and shape:
            candidates[shape][number] = label
        if lead:
            times[number] = lead
            if lead.at == len(line):
                before = lead
                if number and number - 1 not in times and (over := _heading(lines[number - 1])):
                    candidates["under"][number] = _Label(over, lead.at, lead.start_ms, lead.end_ms, above=1)
        elif alone and len(line) <= 80 and (under := _heading(line)):
            candidates["over"][number] = _Label(under, len(line), alone.start_ms, alone.end_ms, above=1)

    # A name and a time alone on a line have words below: else they are themselves the words, a short answer.
    for shape in ("stamped", "beside", "over"):
        headings = candidates[shape]
        candidates[shape] = {
            number: label
            for number, label in headings.items()
            if label.at < len(lines[number])
            or (
                number + 1 < len(lines)
                and number + 1 not in times
                and not (number + 1 in headings and starts_paragraph[number + 1])
                and not (number - 1 in headings and not starts_paragraph[number])
            )
        }
    candidates["colon"] |= candidates.pop("stamped")

    alone_at = {number for number, time in times.items() if time.at == len(lines[number])}
    paragraphs = sum(starts and number not in alone_at for number, starts in enumerate(starts_paragraph))
    chosen: dict[int, _Label] = {}
    for shape in _SHAPES:
        labels = _choose(candidates[shape], lines, starts_paragraph, paragraphs, shape)
        if len(labels) > len(chosen):
            chosen = labels
    timed = sum(label.start_ms is not None for label in chosen.values())
    if timed >= 0.9 * len(chosen):
        chosen = {number: label for number, label in chosen.items() if label.start_ms is not None}
    # A bare `10:30` may be said: "10:30 we met". It is a stamp if most paragraphs start with one.
    unsure = sum(not time.certain for number, time in times.items() if number not in chosen)
    if 2 * unsure <= paragraphs:
        times = {number: time for number, time in times.items() if time.certain}
    return chosen, times


def _choose(
    candidates: dict[int, _Label],
    lines: Sequence[str],
    starts_paragraph: Sequence[bool],
    paragraphs: int,
    shape: str,
) -> dict[int, _Label]:
    """The labels among candidates of one shape; none where it is not in use. `_find_labels` has the rule."""
    counts = Counter(label.name.casefold() for label in candidates.values())
    labels: dict[int, _Label] = {}
    covered = recurring = 0
    for number, label in candidates.items():
        top = number - label.above
        recurs = counts[label.name.casefold()] > 1
        recurring += recurs
        named = not label.name[0].islower() and (starts_paragraph[top] or top - 1 in candidates)
        if recurs or named:
            labels[number] = label
            covered += 1 + label.above + (label.at == len(lines[number]))
    names = sum(count > 1 for count in counts.values())
    if 2 * covered > paragraphs and (len(labels) > 1 or shape in ("colon", "bracket")):
        return labels
    if shape != "dash" and names > 1 and 50 * recurring >= paragraphs:
        return labels
    if shape != "dash" and names == 1 and recurring > 2 and 4 * recurring >= paragraphs:
        return labels
    return {}


def _line_label(line: str) -> tuple[_Label | None, _Label | None, str]:
    """What a line starts with: a bare time, a name (with or without a time), and the shape of the name."""
    chevrons = _CHEVRONS.match(line)
    at = chevrons.end() if chevrons else len(line) - len(line.lstrip())
    lead: _Label | None = None
    head = line[at : at + 140]
    if (
        ":" not in head
        and "：" not in head
        and "[" not in head
        and "\t" not in head
        and not _DASH.match(head)
    ):
        return None, None, ""
    start = end = None
    if stamp := _STAMP.match(line, at):
        following = line[stamp.end() : stamp.end() + 1]
        if following in ("", " ", "\t", "-", "–", "|", "\xa0") or line[at] in "[(":
            start, end = _from_to(stamp.group())
            rest = _AFTER_STAMP.match(line, stamp.end())
            at = rest.end() if rest else stamp.end()
            certain = stamp.group()[0] in "[(" or at == len(line)
            lead = _Label("", at, start, end, certain)

    def label(found: re.Match[str], stamp: str | None) -> _Label | None:
        name = _name(found["name"])
        if name is None:
            return None
        after = found.end()
        first, last = _from_to(stamp)
        if first is None and (more := _STAMP_AFTER.match(line, after)):
            first, last = _from_to(more["stamp"])
            after = more.end()
        return _Label(name, after, *((start, end) if first is None else (first, last)))

    if (found := _COLON.match(line, at)) and (made := label(found, found["stamp"])):
        return lead, made, "colon"
    if (
        (found := _STAMPED.match(line, at))
        and _heading(found["name"])
        and (made := label(found, found["stamp"]))
    ):
        return lead, made, "stamped"
    if lead and len(line) - at <= 80 and "\t" not in line[at:] and (name := _heading(line[at:])):
        return lead, _Label(name, len(line), start, end), "beside"
    if (found := _BRACKET.match(line, at)) and (made := label(found, None)):
        return lead, made, "bracket"
    if (found := _TAB.match(line, at)) and (made := label(found, None)):
        return lead, made, "tab"
    if (found := _DASH.match(line, at)) and (made := label(found, None)):
        return lead, made, "caps" if found["name"].isupper() and len(found["name"]) > 1 else "dash"
    return lead, None, ""


# Text → turns

_NEW_PARAGRAPH = re.compile(r"\n[^\S\n]*\n")
_NOBODY_SAID = re.compile(r"\s*Transcribed by https?://otter\.ai/?\s*$")


def _turns_of_text(source: str) -> list[Turn]:
    """The turns of a text.

    With labels (the rule is in `_find_labels`): a turn goes from one label to the next, and paragraphs
    inside it are kept. A time alone starts a new turn of the same speaker. What stands before the first
    label is nobody's. Without labels every paragraph is a turn of somebody unknown; where there are no
    blank lines, every line is.
    """
    lines: list[str] = []
    begins: list[int] = []
    starts_paragraph: list[bool] = []
    at, after_blank, blank_lines = 0, True, False
    for line in source.split("\n"):
        if line and not line.isspace():
            blank_lines = blank_lines or (after_blank and bool(lines))
            lines.append(line)
            begins.append(at)
            starts_paragraph.append(after_blank)
            after_blank = False
        else:
            after_blank = True
        at += len(line) + 1
    if not blank_lines:
        starts_paragraph = [True] * len(lines)

    labels, times = _find_labels(lines, starts_paragraph)
    stamps = sorted(
        (number, stamp.start_ms) for number, stamp in (times | labels).items() if stamp.start_ms is not None
    )
    clock = bool(stamps) and stamps[0][1] >= TIME_OF_DAY_MS
    above = {number - 1 for number, label in labels.items() if label.above}
    spelling: dict[str, str] = {}

    turns: list[Turn] = []
    speaker: str | None = None
    start = end = None
    begin = last = -1  # of the turn that is being gathered; -1: it has no words yet

    def finish() -> None:
        nonlocal begin
        if begin >= 0:
            text = _words(source[begin:last])
            turns.append(Turn(text, speaker, None if clock else start, None if clock else end, begin, last))
            begin = -1

    for number, line in enumerate(lines):
        if number in above:
            continue
        words_at = 0
        if label := labels.get(number):
            finish()
            speaker = spelling.setdefault(label.name.casefold(), label.name)
            waits = number > 0 and number - 1 in times and times[number - 1].at == len(lines[number - 1])
            if label.start_ms is not None or not waits:
                start, end = label.start_ms, label.end_ms
            words_at = label.at
        elif time := times.get(number):
            finish()
            start, end = time.start_ms, time.end_ms
            words_at = time.at
        elif labels and ((chevrons := _CHEVRONS.match(line)) or _NOBODY_SAID.match(line)):
            # A new speaker without a name: better nobody's words than the wrong person's.
            finish()
            speaker = start = end = None
            words_at = chevrons.end() if chevrons else 0
        elif begin >= 0 and speaker is None and starts_paragraph[number]:
            finish()
            start = end = None
        words = line[words_at:].lstrip()
        if words:
            if begin < 0:
                begin = begins[number] + len(line) - len(words)
            last = begins[number] + len(line.rstrip())
    finish()
    return turns


def _words(chunk: str) -> str:
    """Words with one space between, and a blank line between paragraphs."""
    paragraphs = (" ".join(paragraph.split()) for paragraph in _NEW_PARAGRAPH.split(chunk))
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


# WebVTT and SRT → turns

_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?(?:\s([^<>]*))?>|</v>")
_LINE_BREAK_TAG = re.compile(r"<br\s*/?>", re.IGNORECASE)
_TAG = re.compile(
    r"</?(?:c|i|b|u|s|em|strong|font|span|ruby|rt|lang)(?:[.\s][^<>]*)?/?>"
    r"|<[0-9]{1,3}:[0-9:.]{2,12}>|\{\\[^{}]*\}",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,30});")
_SENTENCE_ENDS = re.compile(r"[.!?…][\"'”’)\]]*$")
_NUMBER = re.compile(r"[0-9]{1,9}")
_ANY_ID = re.compile(r".*")


@dataclass(frozen=True, slots=True)
class _Cue:
    """Words with a time, as they stand in the file."""

    start_ms: int | None
    end_ms: int | None
    lines: list[str]


@dataclass(frozen=True, slots=True)
class _Piece:
    """What one speaker says in one cue: plain words on one line."""

    speaker: str | None
    start_ms: int | None
    end_ms: int | None
    words: str


def _shape_of_cues(source: str, name: str = "") -> str | None:
    """ "vtt" or "srt" if the text is made of cues; None if it is just text.

    Raises NotATranscript where the file says that it is made of cues and has none.
    """
    heading = re.match(r"\s*WEBVTT(?=\s|$)", source)
    ending = name.lower().rpartition(".")[2]
    first_lines = (line for line in source[:4000].split("\n") if line.strip())
    first = next(first_lines, "")
    if _NUMBER.fullmatch(first.strip()):
        first = next(first_lines, "")
    if heading or _TIMING.match(first) or ending in ("vtt", "srt"):
        lines = source.split("\n")
        if any("-->" in line and _TIMING.match(line) for line in lines):
            return "vtt" if heading or ending == "vtt" else "srt"
        broken = next((number for number, line in enumerate(lines, 1) if "-->" in line), None)
        where = (
            f"The times in line {broken} cannot be read. They" if broken else "No line has times in it. Times"
        )
        raise NotATranscript(
            f"This looks like a subtitle file, but it has no words with times. {where} should look like "
            "this: 00:00:01.000 --> 00:00:04.000. Save it again where it was made, or bring it as text."
        )
    return None


def _turns_of_cues(lines: Sequence[str], shape: str) -> tuple[list[Turn], str]:
    """The turns of a WebVTT or SRT file, and the source that they point into.

    Cues that follow each other make one turn while the speaker stays the same and less than `PAUSE_MS` lies
    between. Where nobody knows the speaker, a turn also ends with a sentence, and after `LONG_TURN_WORDS`.
    """
    cues = _cues(_without_notes(lines), _ANY_ID) if shape == "vtt" else _cues(lines, _NUMBER)
    voiced = any(_VOICE.search(line) for cue in cues for line in cue.lines if "<" in line)
    pieces = _voiced_pieces(cues) if voiced else _labelled_pieces(cues)

    turns: list[Turn] = []
    gathered: list[_Piece] = []
    begin = at = count = 0

    def finish() -> None:
        nonlocal count
        if gathered:
            end_ms = max((piece.end_ms for piece in gathered if piece.end_ms is not None), default=None)
            text = " ".join(piece.words for piece in gathered)
            turns.append(Turn(text, gathered[0].speaker, gathered[0].start_ms, end_ms, begin, at - 1))
            gathered.clear()
            count = 0

    for piece in pieces:
        if gathered and not _goes_on(gathered[-1], piece, count):
            finish()
        if not gathered:
            begin = at
        gathered.append(piece)
        count += piece.words.count(" ") + 1
        at += len(piece.words) + 1
    finish()
    return turns, "\n".join(piece.words for piece in pieces)


def _goes_on(last: _Piece, piece: _Piece, count: int) -> bool:
    """Whether a piece belongs to the turn that so far has `count` words and ends with `last`."""
    if last.speaker != piece.speaker:
        return False
    if last.end_ms is not None and last.start_ms is not None and piece.start_ms is not None:
        if piece.start_ms < last.start_ms or piece.start_ms - last.end_ms >= PAUSE_MS:
            return False
    elif last.start_ms != piece.start_ms:
        return False
    return last.speaker is not None or (
        count < LONG_TURN_WORDS and not _SENTENCE_ENDS.search(last.words[-12:])
    )


def _without_notes(lines: Sequence[str]) -> list[str]:
    """The lines of a WebVTT file, with its heading and its NOTE, STYLE and REGION blocks made blank."""
    kept: list[str] = []
    skipping, after_blank = False, True
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        blank = not line.strip()
        if after_blank and not blank and not ("-->" in following and _TIMING.match(following)):
            word = line.split(maxsplit=1)[0]
            skipping = (
                word == "NOTE" or line.strip() in ("STYLE", "REGION") or (word == "WEBVTT" and not any(kept))
            )
        if blank or ("-->" in line and _TIMING.match(line)):
            skipping = False
        kept.append("" if skipping else line)
        after_blank = blank
    return kept


def _cues(lines: Sequence[str], an_id: re.Pattern[str]) -> list[_Cue]:
    """The cues in the order of the file. A blank line does not end one: words that follow it were said too.

    an_id: what may stand alone above the times without being words.
    """
    cues: list[_Cue] = []
    number = 0
    times = [_TIMING.match(line) if "-->" in line else None for line in lines]
    for at, line in enumerate(lines):
        words = line.strip()
        if found := times[at]:
            start, end = _ms(found[1]), _ms(found[2])
            cues.append(_Cue(start, max(start, end), []))
        elif words:
            if at + 1 < len(lines) and times[at + 1]:
                counted = int(words) if _NUMBER.fullmatch(words) else None
                above_blank = at == 0 or not lines[at - 1].strip()
                if (above_blank and an_id.fullmatch(words)) or (
                    counted is not None and counted == number + 1
                ):
                    number = counted or number
                    continue
            if not cues:
                cues.append(_Cue(None, None, []))
            cues[-1].lines.append(line)
    return cues


def _plain(marked: str) -> str:
    """The words of a line without its tags and entities."""
    if "<" in marked or "{" in marked:
        marked = _TAG.sub("", _LINE_BREAK_TAG.sub(" ", marked))
    if "&" in marked:
        marked = _clean(_ENTITY.sub(_letter, marked))
    return " ".join(marked.split())


def _letter(entity: re.Match[str]) -> str:
    """What `&amp;` or `&#38;` stands for. A name that HTML does not know was not meant as one."""
    if entity.group().startswith("&#"):
        return html.unescape(entity.group())
    return html.entities.html5.get(entity.group()[1:], entity.group())


def _voiced_pieces(cues: Iterable[_Cue]) -> list[_Piece]:
    """Pieces by voice tags: `<v Tom>words</v>`. Words outside every voice are nobody's."""
    pieces: list[_Piece] = []
    spelling: dict[str, str] = {}
    for cue in cues:
        parts = _VOICE.split("\n".join(cue.lines))
        for voice, part in zip([None, *parts[1::2]], parts[0::2], strict=True):
            name = _plain(voice or "")
            if words := _plain(part):
                speaker = spelling.setdefault(name.casefold(), name) if name else None
                pieces.append(_Piece(speaker, cue.start_ms, cue.end_ms, words))
    return pieces


def _labelled_pieces(cues: Iterable[_Cue]) -> list[_Piece]:
    """Pieces by labels, as in text: `Tom: words`. A cue without one goes on with the speaker before it."""
    lines: list[str] = []
    starts: list[bool] = []
    of: list[_Cue] = []
    for cue in cues:
        first = True
        for line in cue.lines:
            if words := _plain(line):
                lines.append(words)
                starts.append(first)
                of.append(cue)
                first = False
    labels, _ = _find_labels(lines, starts)
    if not labels:
        labels = _names_on_top(lines, starts)
    above = {number - 1 for number, label in labels.items() if label.above}
    spelling: dict[str, str] = {}
    pieces: list[_Piece] = []
    speaker: str | None = None
    for number, (line, cue) in enumerate(zip(lines, of, strict=True)):
        if number in above:
            continue
        words_at = 0
        if label := labels.get(number):
            speaker = spelling.setdefault(label.name.casefold(), label.name)
            words_at = label.at
        elif labels and (chevrons := _CHEVRONS.match(line)):
            speaker = None
            words_at = chevrons.end()
        words = line[words_at:].strip()
        if not words:
            continue
        last = pieces[-1] if pieces else None
        if last and not starts[number] and not label and of[number - 1] is cue and last.speaker == speaker:
            pieces[-1] = _Piece(speaker, last.start_ms, last.end_ms, f"{last.words} {words}")
        else:
            pieces.append(_Piece(speaker, cue.start_ms, cue.end_ms, words))
    return pieces


def _names_on_top(lines: Sequence[str], starts: Sequence[bool]) -> dict[int, _Label]:
    """Labels where cues have the name on the first line, words below, as in Word files that Teams made."""
    names = {
        number: _Label(name, len(line), None, None)
        for number, line in enumerate(lines[:-1])
        if starts[number] and not starts[number + 1] and len(line) <= 80 and (name := _name(line))
    }
    recurs = len({label.name for label in names.values()}) < len(names)
    return names if recurs and len(names) >= 0.9 * sum(starts) else {}
