"""The times that transcripts are written with."""

from __future__ import annotations

import re

_T = r"(?:[0-9]{1,2}:)?[0-5]?[0-9]:[0-5][0-9](?:[.,][0-9]{1,3})?(?![0-9:])"
_CUE_T = r"(?:[0-9]{1,2}:)?[0-9]{1,2}:[0-9]{1,2}(?:[.,][0-9]{1,3})?(?![0-9:])"
RANGE = rf"{_CUE_T}\s{{0,3}}-->\s{{0,3}}{_CUE_T}|{_T}\s{{0,3}}(?:[-–—]|to)\s{{0,3}}{_T}|{_T}"
IN_BRACKETS = rf"(?:\[\s?(?:{RANGE})\s?\]|\(\s?(?:{RANGE})\s?\))"

_TIME = re.compile(_CUE_T)
STAMP = re.compile(rf"{IN_BRACKETS}|(?:{RANGE})")
STAMP_ALONE = re.compile(rf"\s*(?:{IN_BRACKETS}|(?:{RANGE}))\s*$")
TIMING = re.compile(rf"\s*({_CUE_T})\s*-->\s*({_CUE_T})(?:\s|$)")


def in_ms(time: str) -> int:
    """`1:02:03.5` → milliseconds."""
    whole, _, fraction = time.replace(",", ".").partition(".")
    seconds = 0
    for part in whole.split(":"):
        seconds = seconds * 60 + int(part)
    return seconds * 1000 + int(fraction.ljust(3, "0") or 0)


def from_to(stamp: str | None) -> tuple[int | None, int | None]:
    """The times in a stamp: start and end, None where it has none."""
    times = [in_ms(time) for time in _TIME.findall(stamp or "")[:2]]
    if not times:
        return None, None
    return times[0], max(times) if len(times) > 1 else None
