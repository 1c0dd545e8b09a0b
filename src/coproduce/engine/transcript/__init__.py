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

from coproduce.engine.transcript.cues import shape_of_cues, turns_of_cues
from coproduce.engine.transcript.decoding import cleaned, decode, refuse_what_is_no_text, something_else
from coproduce.engine.transcript.text import turns_of_text
from coproduce.engine.transcript.turns import MAX_BYTES, MAX_LINES, NotATranscript, Transcript, Turn
from coproduce.engine.transcript.word import words_of_word

__all__ = ["MAX_BYTES", "MAX_LINES", "NotATranscript", "Transcript", "Turn", "read"]


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
        format, source = "docx", cleaned(words_of_word(data))
        shape = shape_of_cues(source)
        # Somebody pasted subtitles into Word: there each line has become a paragraph.
        lines = [line for line in source.split("\n") if line.strip()]
    else:
        if what := something_else(data):
            raise NotATranscript(what)
        raw, encoding = decode(data)
        refuse_what_is_no_text(raw)
        source = cleaned(raw)
        shape = shape_of_cues(source, name)
        format, lines = shape or "text", source.split("\n")
    if source.count("\n") >= MAX_LINES:
        raise NotATranscript(
            f"This file has too many lines: over {MAX_LINES:,}. Cut it into parts, and bring each."
        )
    if shape:
        turns, source = turns_of_cues(lines, shape)
    else:
        turns = turns_of_text(source)
    if not any(sign.isalnum() for turn in turns for sign in turn.text):
        raise NotATranscript(
            "There are no words in this file. Check that it is the right one, then bring it again."
        )
    return Transcript(tuple(turns), source, format, encoding)
