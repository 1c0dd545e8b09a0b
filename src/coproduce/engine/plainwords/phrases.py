"""Jargon in several words, by its shape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from coproduce.engine.masking.words import NOT_NAMES, Word
from coproduce.engine.plainwords.known import HYPHENS, Known, near, one_of
from coproduce.engine.plainwords.lists import listed, listed_lines
from coproduce.engine.plainwords.rarity import learned, zipf

_HEADS = listed("heads")
_MAKERS = listed("makers")
_FRONTS = listed("fronts")
_BACKS = listed("backs")
_NEVER = listed("never_in_a_phrase")
_EVERYDAY_PHRASES = Known(listed_lines("everyday_phrases"))
_FIXED = Known(listed_lines("phrases"))

_MADE_WITH = listed("made_with")
_MADE_BY = listed("made_by")
_NOT_MADE = listed("not_made")
_ACT = re.compile(r"s\d{1,3}[a-z]?")

MOST_WORDS = 6
"""No phrase is longer."""

_A_WORD = 3.5
"""What is below this and has a capital is more likely a name."""

_EVERYDAY = 4.5
"""Words that look learned and are as frequent as this, in Zipf, make no jargon: "important", "necessary"."""


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
    - "section", "schedule" or "tier" with a number, and the heads after it: "section 21 notice", "s75 agreement";
    - words that are made to order with a hyphen: "trauma-informed", "multi-agency", "co-design";
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
        if _made_to_order(words, at):
            yield Phrase(at, at + 2)
        if _is_head(words[at].key) and (first := _made(words, at)) < at:
            everyday = _EVERYDAY_PHRASES.at(text, words, first)
            if everyday is None or first + everyday[1] <= at:
                yield Phrase(first, at + 1)
        at += 1


def _is_head(key: str) -> bool:
    return not _HEADS.isdisjoint(one_of(key))


def _made(words: list[Word], head: int) -> int:
    """The first of the makers before a head; the head itself where there is none."""
    first = head
    while (
        first > 0 and head - first < MOST_WORDS - 1 and near(words, first) and _makes(words, first - 1, head)
    ):
        first -= 1
    # "life-saving" is one everyday word; "benefit-cap" is not.
    one_word = first == head - 1 and words[head].gap in HYPHENS and words[first].key not in _MAKERS
    return head if one_word else first


def _makes(words: list[Word], at: int, head: int) -> bool:
    key = words[at].key
    # "means-tested", "one-off": one word that is written as two.
    if key.isalpha() and len(key) > 1 and _hyphened(words, at):
        return True
    if key in _NEVER or words[at].owns:
        return False
    if key in _MAKERS or _is_head(key):
        return True
    # "Provider Selection Regime": capitals within a sentence hold it together, if it is no place.
    if words[head].capital and words[at].capital and not words[at].first and key not in NOT_NAMES:
        return zipf(key) >= _A_WORD
    return key.isalpha() and not key.endswith("ly") and learned(key) and zipf(key) < _EVERYDAY


def _hyphened(words: list[Word], at: int) -> bool:
    return words[at].gap in HYPHENS or (at + 1 < len(words) and words[at + 1].gap in HYPHENS)


def _made_to_order(words: list[Word], at: int) -> bool:
    if at + 1 >= len(words) or words[at + 1].gap not in HYPHENS:
        return False
    one, other = words[at].key, words[at + 1].key
    joined = (one in _MADE_WITH and len(other) > 3) or (other in _MADE_BY and one.isalpha())
    return joined and f"{one}-{other}" not in _NOT_MADE


def _numbered(words: list[Word], at: int) -> int:
    last = 0
    if _ACT.fullmatch(words[at].key):
        last = at + 1
    elif words[at].key in ("section", "schedule", "tier") and at + 1 < len(words) and near(words, at + 1):
        number = words[at + 1].key
        last = at + 2 if number[0].isdigit() and len(number) <= 4 else 0
    while (
        last
        and last < len(words)
        and last - at < MOST_WORDS
        and near(words, last)
        and _is_head(words[last].key)
    ):
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
        if not _makes(words, last, last):
            return 0
        last += 1
    return 0
