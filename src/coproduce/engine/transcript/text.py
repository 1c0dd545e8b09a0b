"""Text → turns."""

from __future__ import annotations

import re

from coproduce.engine.transcript.labels import CHEVRONS, find_labels
from coproduce.engine.transcript.turns import TIME_OF_DAY_MS, Turn

_NEW_PARAGRAPH = re.compile(r"\n[^\S\n]*\n")
_NOBODY_SAID = re.compile(r"\s*Transcribed by https?://otter\.ai/?\s*$")


def turns_of_text(source: str) -> list[Turn]:
    """The turns of a text.

    With labels (the rule is in `find_labels`): a turn goes from one label to the next, and paragraphs
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

    labels, times = find_labels(lines, starts_paragraph)
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
        elif labels and ((chevrons := CHEVRONS.match(line)) or _NOBODY_SAID.match(line)):
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
