"""Jargon in several words, by its shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from coproduce.engine.masking.words import Word
from coproduce.engine.plainwords.known import HYPHENS, Known, near
from coproduce.engine.plainwords.lists import listed, listed_lines
from coproduce.engine.plainwords.rarity import learned

_HEADS = listed("heads")
_MAKERS = listed("makers")
_FRONTS = listed("fronts")
_BACKS = listed("backs")
_NEVER = listed("never_in_a_phrase")
_FIXED = Known(listed_lines("phrases"))

MOST_WORDS = 6
"""No phrase is longer."""


class Phrase(NamedTuple):
    """The words from `first` to before `last`."""

    first: int
    last: int


def find_phrases(text: str, words: list[Word]) -> Iterator[Phrase]:
    """Jargon in several words, in order of where it ends; two may overlap.

    A small method of our own, by the look that official noun phrases have:

    - one or more *makers* ("multi-agency", "statutory", "risk", or a word that looks `learned`), then a *head*
      ("panel", "assessment", "pathway"), at most `MOST_WORDS` in all, with nothing but spaces and hyphens
      between them: "multi-agency risk assessment conference";
    - "section", "schedule" or "tier" with a number, and the heads after it: "section 21 notice";
    - a *front* ("terms", "duty"), "of" or "to", and a *back* ("reference", "refer");
    - what stands in the list of `phrases`.

    The words are in `words.toml`.
    """
    at = 0
    while at < len(words):
        if (fixed := _FIXED.at(text, words, at)) and fixed[1] > 1:
            yield Phrase(at, at + fixed[1])
        if last := _numbered(words, at):
            yield Phrase(at, last)
        if last := _of(words, at):
            yield Phrase(at, last)
        if words[at].key in _HEADS and (first := _made(words, at)) < at:
            yield Phrase(first, at + 1)
        at += 1


def _made(words: list[Word], head: int) -> int:
    """The first of the makers before a head; the head itself where there is none."""
    first = head
    while first > 0 and head - first < MOST_WORDS - 1 and near(words, first) and _makes(words, first - 1):
        first -= 1
    return first


def _makes(words: list[Word], at: int) -> bool:
    key = words[at].key
    if key in _NEVER or words[at].owns:
        return False
    if key in _MAKERS or key in _HEADS:
        return True
    if key.isalpha() and not key.endswith("ly") and learned(key):
        return True
    # "multi-agency", "means-tested": one word that two are written as.
    hyphened = (at + 1 < len(words) and words[at + 1].gap in HYPHENS) or words[at].gap in HYPHENS
    return hyphened and key.isalpha() and len(key) > 1


def _numbered(words: list[Word], at: int) -> int:
    if words[at].key not in ("section", "schedule", "tier") or at + 1 >= len(words):
        return 0
    number = words[at + 1]
    if not (near(words, at + 1) and number.key[0].isdigit() and len(number.key) <= 4):
        return 0
    last = at + 2
    while last < len(words) and last - at < MOST_WORDS and near(words, last) and words[last].key in _HEADS:
        last += 1
    return last


def _of(words: list[Word], at: int) -> int:
    if words[at].key not in _FRONTS or at + 2 >= len(words):
        return 0
    if words[at + 1].key not in ("of", "to", "for") or not (near(words, at + 1) and near(words, at + 2)):
        return 0
    last = at + 2
    while last < len(words) and last - at < MOST_WORDS and near(words, last):
        if words[last].key in _BACKS:
            return last + 1
        if not _makes(words, last):
            return 0
        last += 1
    return 0
