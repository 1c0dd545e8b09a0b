"""From bytes to clean text: what encoding it is in, and what is no text at all."""

from __future__ import annotations

import re

from coproduce.engine.transcript.turns import NotATranscript

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


def decode(data: bytes) -> tuple[str, str]:
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


def cleaned(text: str) -> str:
    """Every line end is `\\n`, and no sign is left that a database would refuse or a page could not show."""
    return _CONTROL.sub("", _LINE_END.sub("\n", text))


# First bytes, what they look like, what to do. RIFF and ISO media are told apart by what follows.
_RECORDING = "This looks like a recording. Add it as a recording, or bring its words as Word or text."
_PICTURE = "This looks like a picture. Bring the words as Word or text."
PACKED = "This looks like a packed folder. Unpack it, then bring the transcript that is in it."
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
    (rb"\x1f\x8b|BZh[1-9]1AY|7z\xbc\xaf\x27\x1c|Rar!\x1a|\xfd7zXZ\0", PACKED),
    (
        rb"(?i:\s*(?:\xef\xbb\xbf)?<(?:!doctype\s+html|html)[\s>])",
        "This looks like a web page. Open it, copy the words into a text file, then bring that.",
    ),
)
_SEES = tuple((re.compile(kind, re.DOTALL), what) for kind, what in _KINDS)


def something_else(data: bytes) -> str | None:
    """What a file is that is clearly no transcript, and what to do, in plain words; None if it may be one."""
    start = data[:1024]
    return next((what for kind, what in _SEES if kind.match(start)), None)


def refuse_what_is_no_text(raw: str) -> None:
    """Refuse a file of an unknown kind: text has a stray control character, not one in every fifty."""
    strange = len(raw) - len(_STRANGE.sub("", raw))
    if strange > 4 and strange > len(raw) / 50:
        first = _STRANGE.search(raw)
        line = _LINE_END.sub("\n", raw[: first.start() if first else 0]).count("\n") + 1
        raise NotATranscript(
            f"This file is not text: from line {line} on it has signs in it that are no letters. "
            "Open it in the program it was made with, save it as Word or text, then bring that."
        )
