"""Who spoke: labels at the beginning of lines, and which of them are labels indeed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from coproduce.engine.transcript.times import IN_BRACKETS, RANGE, STAMP, from_to

_NAME = r"[^\s:：\[\]*|<>][^\t\n:：\[\]*|<>]{0,59}?"
_MARK = r"[*_]{0,2}"

CHEVRONS = re.compile(r"\s*>>+\s*")  # subtitlers' sign for a new speaker
_AFTER_STAMP = re.compile(r"\s*[-–—|]?\s*")
_COLON = re.compile(
    rf"{_MARK}(?P<name>{_NAME}){_MARK}\s{{0,3}}(?P<stamp>{IN_BRACKETS})?{_MARK}\s?[:：]{_MARK}"
    rf"(?=\s|$|[^\W\d]|['\"“‘…(\[])"
)
_STAMPED = re.compile(
    rf"{_MARK}(?P<name>{_NAME}){_MARK}[\s,|–—-]{{1,9}}"
    rf"(?P<stamp>\[(?:{RANGE})\](?=\s|$)|(?:{IN_BRACKETS}|{RANGE}){_MARK}\s*$)"
)
_BRACKET = re.compile(rf"{_MARK}\[(?P<name>{_NAME})\]{_MARK}\s?[:：]?")
_DASH = re.compile(rf"(?P<name>{_NAME})\s{{1,3}}[-–—]\s")
_TAB = re.compile(rf"(?P<name>{_NAME})\t")
_STAMP_AFTER = re.compile(rf"\s*(?P<stamp>{IN_BRACKETS}|(?:{RANGE})(?=\s*$|\t))")

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
class Label:
    """What stands before the words on a line: a name, a time or both. `at`: where the words begin."""

    name: str  # "" for a time alone
    at: int
    start_ms: int | None
    end_ms: int | None
    certain: bool = True
    above: int = 0  # how many lines above this one belong to it


def name_in(raw: str) -> str | None:
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
    name = name_in(raw)
    return name if name and (not name[0].islower() or _SMALL_HEADING.match(name)) else None


_SHAPES = ("colon", "bracket", "caps", "beside", "over", "under", "tab", "dash")


def find_labels(
    lines: Sequence[str], starts_paragraph: Sequence[bool]
) -> tuple[dict[int, Label], dict[int, Label]]:
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
    candidates: dict[str, dict[int, Label]] = {shape: {} for shape in ("stamped", *_SHAPES)}
    times: dict[int, Label] = {}
    before: Label | None = None  # a time alone on the line before
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
                    candidates["under"][number] = Label(over, lead.at, lead.start_ms, lead.end_ms, above=1)
        elif alone and len(line) <= 80 and (under := _heading(line)):
            candidates["over"][number] = Label(under, len(line), alone.start_ms, alone.end_ms, above=1)

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
    chosen: dict[int, Label] = {}
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
    candidates: dict[int, Label],
    lines: Sequence[str],
    starts_paragraph: Sequence[bool],
    paragraphs: int,
    shape: str,
) -> dict[int, Label]:
    """The labels among candidates of one shape; none where it is not in use. `find_labels` has the rule."""
    counts = Counter(label.name.casefold() for label in candidates.values())
    labels: dict[int, Label] = {}
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


def _line_label(line: str) -> tuple[Label | None, Label | None, str]:
    """What a line starts with: a bare time, a name (with or without a time), and the shape of the name."""
    chevrons = CHEVRONS.match(line)
    at = chevrons.end() if chevrons else len(line) - len(line.lstrip())
    lead: Label | None = None
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
    if stamp := STAMP.match(line, at):
        following = line[stamp.end() : stamp.end() + 1]
        if following in ("", " ", "\t", "-", "–", "|", "\xa0") or line[at] in "[(":
            start, end = from_to(stamp.group())
            rest = _AFTER_STAMP.match(line, stamp.end())
            at = rest.end() if rest else stamp.end()
            certain = stamp.group()[0] in "[(" or at == len(line)
            lead = Label("", at, start, end, certain)

    def label(found: re.Match[str], stamp: str | None) -> Label | None:
        name = name_in(found["name"])
        if name is None:
            return None
        after = found.end()
        first, last = from_to(stamp)
        if first is None and (more := _STAMP_AFTER.match(line, after)):
            first, last = from_to(more["stamp"])
            after = more.end()
        return Label(name, after, *((start, end) if first is None else (first, last)))

    if (found := _COLON.match(line, at)) and (made := label(found, found["stamp"])):
        return lead, made, "colon"
    if (
        (found := _STAMPED.match(line, at))
        and _heading(found["name"])
        and (made := label(found, found["stamp"]))
    ):
        return lead, made, "stamped"
    if lead and len(line) - at <= 80 and "\t" not in line[at:] and (name := _heading(line[at:])):
        return lead, Label(name, len(line), start, end), "beside"
    if (found := _BRACKET.match(line, at)) and (made := label(found, None)):
        return lead, made, "bracket"
    if (found := _TAB.match(line, at)) and (made := label(found, None)):
        return lead, made, "tab"
    if (found := _DASH.match(line, at)) and (made := label(found, None)):
        return lead, made, "caps" if found["name"].isupper() and len(found["name"]) > 1 else "dash"
    return lead, None, ""
