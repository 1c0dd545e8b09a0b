"""Acronyms by their shape, and what a text says that they stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from coproduce.engine.masking.words import Word, listed
from coproduce.engine.plainwords.lists import listed as listed_here
from coproduce.engine.plainwords.rarity import zipf

_EVERYDAY = listed_here("everyday_acronyms")
_LIKE_WORDS = listed_here("acronyms_like_words")
_AREAS = listed("areas")

_SHAPE = re.compile(r"[A-Z][A-Za-z]{0,2}[A-Z&][A-Za-z&]{0,6}(?:-\d{1,2}D?)?")
_ROMAN = re.compile(r"(?=[IVX]{2,})X{0,3}(?:IX|IV|V?I{0,3})")
_AN_EVERYDAY_WORD = 3.0  # in Zipf: a word in capitals that is as frequent in small letters is shouted


class Acronym(NamedTuple):
    """`text[begins:ends]`, in capitals, and without the "s" of several."""

    begins: int
    ends: int
    letters: str


def find_acronyms(text: str, words: list[Word]) -> Iterator[Acronym]:
    """What has the shape of an acronym and is not one that everybody knows, nor a word or line in capitals."""
    at = 0
    while at < len(words):
        size = _joined(words, at)
        begins, ends = words[at].begins, words[at + size - 1].ends
        said = text[begins:ends] if ends - begins <= 16 else ""
        letters = said[:-1] if len(said) > 2 and said[-1] == "s" and said[-2].isupper() else said
        if _is_one(words, at, size, letters):
            yield Acronym(begins, ends, letters)
        at += size


def _joined(words: list[Word], at: int) -> int:
    """How many words an acronym that begins here would have: "A&E" and "PHQ-9" are cut into two."""
    size = 1
    while at + size < len(words) and size < 4 and words[at + size - 1].ends - words[at].begins < 12:
        word = words[at + size]
        amp = word.gap == "&" and word.capital
        number = word.gap == "-" and word.key[0].isdigit() and len(word.key) <= 3 and words[at].shouted
        if words[at + size - 1].owns or not (amp or number):
            break
        size += 1
    return size


def _is_one(words: list[Word], at: int, size: int, letters: str) -> bool:
    if not _SHAPE.fullmatch(letters) or sum(sign.isupper() for sign in letters) < 2:
        return False
    small = letters.casefold()
    if small in _EVERYDAY or _ROMAN.fullmatch(letters) or _is_name_like(letters):
        return False
    if not letters.isupper() or not letters.isalpha():
        return True
    if _shouted_line(words, at, size):
        return False
    if small in _LIKE_WORDS:
        return True
    return zipf(small) < _AN_EVERYDAY_WORD or not _spoken_as_a_word(small)


def _is_name_like(letters: str) -> bool:
    """ "McKay", "MacLeod", "DeShawn": a capital, small letters, one more capital with small letters after it."""
    return bool(re.fullmatch(r"(?:[A-Z][a-z]{1,2}){2}[a-z]*|(?:Mc|Mac|De|La|Le|Di|O)[A-Z][a-z]+", letters))


def _shouted_line(words: list[Word], at: int, size: int) -> bool:
    """Whether what stands beside it is in capitals too and is no acronym: then the whole line is shouted."""
    for beside in (at - 1, at + size):
        if 0 <= beside < len(words):
            word = words[beside]
            joined = words[max(at, beside)].gap if beside < at else word.gap
            if word.shouted and "\n" not in joined and len(word.key) > 1 and zipf(word.key) >= 4.5:
                return True
    return False


def _spoken_as_a_word(small: str) -> bool:
    """Whether letters make a word of English by their look: "must" does, "gdpr" and "lgbt" do not."""
    return len(small) > 3 or zipf(small) >= 4.3


# What an acronym stands for, where the text says so

_BRACKETS = re.compile(r"\(([^()\n]{2,100})\)")
_BEFORE = 400  # characters before a bracket that are looked at: no long form has more
_ARTICLE = re.compile(r"(?i)(?:(?:the|an?|or|i\.e\.?)\s)?\W{0,3}")
_ASIDE = re.compile(r"[;,:]|\s[-–—]\s")


class SpelledOut(NamedTuple):
    """What a text says an acronym stands for: `text[begins:ends]`."""

    letters: str
    begins: int
    ends: int


def find_spelled_out(text: str) -> Iterator[SpelledOut]:
    """The acronyms that a text explains in brackets, "integrated care board (ICB)" or "ICB (integrated ...)".

    By Schwartz and Hearst, "A simple algorithm for identifying abbreviation definitions in biomedical text",
    Pacific Symposium on Biocomputing 8 (2003), 451-462: the letters of the short form are matched from right
    to left in the words beside it, of which there are at most min(n + 5, 2n) for n letters, and its first
    letter has to begin a word. Ours: a short form has at least two capitals, and the "s" of several is not
    matched.
    """
    for match in _BRACKETS.finditer(text):
        inside = match[1]
        first = re.split(_ASIDE, inside, maxsplit=1)[0].strip(" \t\"'“”‘’")
        if _short_form(first):
            begins = max(0, match.start() - _BEFORE)
            long = _long_form(first, text[begins : match.start()].rstrip(" \t\"'”’"))
            if long is not None:
                yield SpelledOut(_one(first), begins + long[0], begins + long[1])
            continue
        before = text[max(0, match.start() - 40) : match.start()].rstrip().rsplit(maxsplit=1)
        short = before[-1].strip("\"'“”‘’,.") if before else ""
        long = _long_form(short, inside.rstrip()) if _short_form(short) else None
        # In these brackets stands nothing else.
        if long is not None and _ARTICLE.fullmatch(inside[: long[0]]):
            yield SpelledOut(_one(short), match.start(1) + long[0], match.start(1) + long[1])


def _one(short: str) -> str:
    return short[:-1] if len(short) > 2 and short[-1] == "s" and short[-2].isupper() else short


def _short_form(short: str) -> bool:
    return (
        2 <= len(short) <= 10
        and short[0].isalnum()
        and len(short.split()) == 1
        and sum(sign.isupper() for sign in short) >= 2
    )


def _long_form(short: str, before: str) -> tuple[int, int] | None:
    """Where the long form stands at the end of a text, or None where it does not."""
    letters = [sign.casefold() for sign in _one(short) if sign.isalnum()]
    starts = [found.start() for found in re.finditer(r"\S+", before)]
    most = min(len(letters) + 5, len(letters) * 2)
    at = len(before)
    for place in range(len(letters) - 1, -1, -1):
        at -= 1
        while at >= 0 and not (
            before[at].casefold() == letters[place] and (place or not at or not before[at - 1].isalnum())
        ):
            at -= 1
        if at < 0:
            return None
    begins = max(0, before.rfind(" ", 0, at) + 1)
    begins = max(begins, before.rfind("\n", 0, at) + 1)
    begins += len(before[begins:]) - len(before[begins:].lstrip("\"'“‘(["))
    used = sum(1 for start in starts if start >= begins) + (begins not in starts)
    if used > most or used < 2 or re.search(r"[.!?;:]\s", before[begins:]):
        return None
    return begins, len(before)
