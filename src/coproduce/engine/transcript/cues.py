"""WebVTT and SRT → turns."""

from __future__ import annotations

import html.entities
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from coproduce.engine.transcript.decoding import cleaned
from coproduce.engine.transcript.labels import CHEVRONS, Label, find_labels, name_in
from coproduce.engine.transcript.times import TIMING, in_ms
from coproduce.engine.transcript.turns import LONG_TURN_WORDS, PAUSE_MS, NotATranscript, Turn

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


def shape_of_cues(source: str, name: str = "") -> str | None:
    """ "vtt" or "srt" if the text is made of cues; None if it is just text.

    Raises NotATranscript where the file says that it is made of cues and has none.
    """
    heading = re.match(r"\s*WEBVTT(?=\s|$)", source)
    ending = name.lower().rpartition(".")[2]
    first_lines = (line for line in source[:4000].split("\n") if line.strip())
    first = next(first_lines, "")
    if _NUMBER.fullmatch(first.strip()):
        first = next(first_lines, "")
    if heading or TIMING.match(first) or ending in ("vtt", "srt"):
        lines = source.split("\n")
        if any("-->" in line and TIMING.match(line) for line in lines):
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


def turns_of_cues(lines: Sequence[str], shape: str) -> tuple[list[Turn], str]:
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
        if after_blank and not blank and not ("-->" in following and TIMING.match(following)):
            word = line.split(maxsplit=1)[0]
            skipping = (
                word == "NOTE" or line.strip() in ("STYLE", "REGION") or (word == "WEBVTT" and not any(kept))
            )
        if blank or ("-->" in line and TIMING.match(line)):
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
    times = [TIMING.match(line) if "-->" in line else None for line in lines]
    for at, line in enumerate(lines):
        words = line.strip()
        if found := times[at]:
            start, end = in_ms(found[1]), in_ms(found[2])
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
        marked = cleaned(_ENTITY.sub(_letter, marked))
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
    labels, _ = find_labels(lines, starts)
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
        elif labels and (chevrons := CHEVRONS.match(line)):
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


def _names_on_top(lines: Sequence[str], starts: Sequence[bool]) -> dict[int, Label]:
    """Labels where cues have the name on the first line, words below, as in Word files that Teams made."""
    names = {
        number: Label(name, len(line), None, None)
        for number, line in enumerate(lines[:-1])
        if starts[number] and not starts[number + 1] and len(line) <= 80 and (name := name_in(line))
    }
    recurs = len({label.name for label in names.values()}) < len(names)
    return names if recurs and len(names) >= 0.9 * sum(starts) else {}
