"""Dates, and those of birth by the words beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coproduce.engine.masking.candidate import Candidate

YEAR = re.compile(r"(?:18|19|20)\d\d")

_UNIT = "(?:one|two|three|four|five|six|seven|eight|nine)"
_ORD = (
    "(?:(?:twenty|thirty)[ -])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)"
    "|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth"
    "|twentieth|thirtieth"
)
_NUM = (
    f"(?:(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[ -]{_UNIT})?|{_UNIT}|(?:oh|o) {_UNIT}"
    "|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen)"
)
_DAY = rf"(?:{_ORD}|\d{{1,2}}(?:st|nd|rd|th)?|{_NUM})"
_MONTH = (
    "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    "|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_YEARS = (
    rf"(?:(?:19|20)\d\d|['’]?\d\d|nineteen[ -]{_NUM}|two thousand(?: and)?(?: {_NUM})?"
    rf"|twenty[ -]{_NUM}|{_NUM})"
)
DATE = re.compile(
    rf"(?i)(?<![\w£])(?:(?:the\s)?{_DAY}(?:\sday)?(?:\sof)?(?:\sthe)?\s?{_MONTH}(?:,?\s(?:in\s)?{_YEARS})?"
    rf"|{_MONTH}\s(?:the\s)?{_DAY}(?:,?\s{_YEARS})?"
    r"|\d{1,2}\s?[-./ ]\s?\d{1,2}\s?[-./ ]\s?(?:\d{4}|\d\d)|\d{4}-\d\d-\d\d"
    rf"|(?:the\s)?(?:{_ORD}|\d{{1,2}}(?:st|nd|rd|th))\s(?:of\s)?(?:the\s)?"
    rf"(?:{_ORD}|\d{{1,2}}(?:st|nd|rd|th)?|{_NUM})(?:\sof)?,?\s{_YEARS}"
    rf"|{_NUM},?\s{_NUM},?\s{_YEARS}|\d{{8}})(?!\w)"
)
_BIRTH = re.compile(r"(?i)\b(?:date of birth|birth ?date|d\.?o\.?b\b\.?|born|birthday|birth)")
_THEN = re.compile(r"[!?…\n]|\.\s")
_BEFORE_BIRTH = re.compile(
    r"(?i)[,;.]?\s(?:(?:that's|that’s|is|was|it's|it’s|being|which is|are|were)\s)?"
    r"(?:(?:my|his|her|the|their|our)\s(?:\w{1,10}['’]?s?\s)?)?$"
)


def find_births(text: str) -> Iterator[Candidate]:
    """Dates of birth."""
    for cue in _BIRTH.finditer(text):
        after = text[cue.end() : cue.end() + 70]
        if (end := _THEN.search(after)) is not None:
            after = after[: end.start()]
        if (date := DATE.search(after)) is not None and date.start() <= 35:
            yield Candidate(cue.end() + date.start(), cue.end() + date.end(), "date of birth")
        if cue[0].casefold() not in ("born", "birth"):
            start = max(cue.start() - 60, 0)
            before = text[start : cue.start()]
            for date in DATE.finditer(before):
                if _BEFORE_BIRTH.fullmatch(before[date.end() :]):
                    yield Candidate(start + date.start(), start + date.end(), "date of birth")
