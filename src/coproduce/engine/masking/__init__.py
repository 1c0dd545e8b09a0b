"""A quote → what in it may tell who somebody is, offered for masking before the quote leaves the group.

The machine only offers; a person decides about each, and the original stays as it was said. What is missed
may hurt somebody, what is offered in vain costs a facilitator a moment: so where both cannot be had, this
finds too much. `tests/engine/test_masking.py` measures both, kind by kind.

The words it goes by (given names, street types, what is nobody's name) are in `words.toml`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import get_args

from coproduce.engine.masking.candidate import BLANK, Candidate, Kind
from coproduce.engine.masking.dates import find_births
from coproduce.engine.masking.names import Known, find_names
from coproduce.engine.masking.numbers import find_national_insurance, find_numbers, find_references
from coproduce.engine.masking.online import find_online
from coproduce.engine.masking.places import find_addresses, find_postcodes
from coproduce.engine.masking.runs import lettered, runs_in
from coproduce.engine.masking.words import words_in

OFFERED: dict[Kind, str] = {
    "name": "[a name]",
    "phone": "[a phone number]",
    "email": "[an email address]",
    "nhs number": "[an NHS number]",
    "ni number": "[a National Insurance number]",
    "postcode": "[a postcode]",
    "address": "[an address]",
    "web address": "[a web address]",
    "date of birth": "[a date of birth]",
    "account or reference number": "[a reference number]",
    "place": "[a place]",
}
"""What stands instead of each kind, in plain words."""


@dataclass(frozen=True, slots=True)
class Found:
    """Something in a text that may tell who somebody is: `text[begins:ends]`.

    begins, ends: places in the text, in characters, 0 <= begins < ends <= len(text).
    kind: what it seems to be, a key of `OFFERED`. A "place" is a street without a number, or a house by name.
    offered: what would stand there instead, in square brackets.
    """

    begins: int
    ends: int
    kind: Kind
    offered: str


def find(text: str, names: Iterable[str] = ()) -> list[Found]:
    """What in a text may tell who somebody is, in order and without overlap; where two overlap, the longer.

    text: anything, of any length; a million characters of talk take 2 to 5 seconds. Raises nothing.
    names: names that the installation knows, of people or organisations. They are found as whole words,
        whatever the capitals, accents and shapes of apostrophes, and so is each word of a person's name. One
        that is an everyday word too ("Will", "Rose") is found where it has a capital that no sentence begins
        with, or where something beside it says that it is a name ("Will told me", "my mate Rose").

    Names nobody gave are found by the given names that people in the UK have, and by what stands beside
    them: a title ("Mrs Appiah", of which "Appiah" is found), "my name is", "a lad called", "my worker
    Oluchi". Numbers may be in digits, in words ("oh seven seven double oh") or both; emails may be spelled
    with "at" and "dot".

    What `mask` leaves is stable: `find(mask(text, find(text, names)), names)` is empty. What was masked
    before is passed over.

    Methods, and where they are from:

    - phone: the shapes of Ofcom, National Telephone Numbering Plan (01, 02, 03, 05, 07, 08 and 09 with their
      lengths), +44, or any number with + and 8 to 15 digits (ITU-T E.164). After words like "ring me on",
      also 6 to 8 digits without an area code, and 8 to 12 digits from 0, which may be misheard. 999, 111,
      116 123 and their like are nobody's, and left.
    - nhs number: ten digits with the check digit of modulus 11 (NHS Data Dictionary, "NHS Number"), alone or
      as 3-3-4; after "NHS number" any ten digits.
    - ni number: two letters, six digits, A to D; the letters by HMRC's manual NIM39110 (not D, F, I, Q, U, V,
      nor O second, nor BG, GB, KN, NK, NT, TN, ZZ), save the example QQ. After "National Insurance" any two
      letters, and the last one may be missing.
    - postcode: the six shapes of BS 7666 and of Royal Mail's Programmers' Guide, with the letters that each
      place allows; GIR 0AA; BFPO. In small letters or said letter by letter, its area has to exist, or
      "postcode" stand before it.
    - date of birth: a date after "born", "date of birth" or "birthday", or just before the last two. A year
      alone is none.
    - account or reference number: a card's by the Luhn check (ISO/IEC 7812-1), a prison's, a driving
      licence's and an IBAN by their shapes, others by the words before them or by eight digits together.
    - address: a number, a name and a street type, with the flat and the house before it.
    """
    known = Known(names)
    # What was found can hide something that overlapped it. So look again, with one blank for each that was
    # found, exactly as if it had been masked, until nothing is found.
    taken = [Candidate(*match.span(), "name") for match in _OFFERS.finditer(text)]
    found: list[Candidate] = []
    while True:
        seen, places = _blank(text, taken)
        new = [
            Candidate(places[each.begins], places[each.ends - 1] + 1, each.kind)
            for each in _longest(_candidates(seen, known))
        ]
        if not new:
            break
        found += new
        taken = sorted(taken + new)
    return [Found(begins, ends, kind, OFFERED[kind]) for begins, ends, kind in sorted(found)]


def mask(text: str, found: Iterable[Found]) -> str:
    """The text with what was found replaced by what is offered; everything else stays to the letter.

    found: in any order, all or some of what `find` gave for this very text, or made by hand.

    Raises ValueError, saying which and where, if one is empty or not inside the text, or if two overlap.
    """
    ordered = sorted(found, key=lambda each: (each.begins, each.ends))
    for each in ordered:
        if not 0 <= each.begins < each.ends <= len(text):
            raise ValueError(
                f"{each.offered} stands at {each.begins} to {each.ends}, "
                f"but the text has {len(text)} characters"
            )
    for one, other in pairwise(ordered):
        if other.begins < one.ends:
            raise ValueError(
                f"{one.offered} at {one.begins} to {one.ends} and "
                f"{other.offered} at {other.begins} to {other.ends} overlap: keep one of them"
            )
    pieces: list[str] = []
    at = 0
    for each in ordered:
        pieces += [text[at : each.begins], each.offered]
        at = each.ends
    return "".join([*pieces, text[at:]])


_OFFERS = re.compile("|".join(map(re.escape, OFFERED.values())))
_RANK = {kind: at for at, kind in enumerate(get_args(Kind))}


def _blank(text: str, taken: list[Candidate]) -> tuple[str, list[int] | range]:
    """The text with a blank for each that is taken, and where each of its characters stands in the text."""
    if not taken:
        return text, range(len(text))
    pieces: list[str] = []
    places: list[int] = []
    at = 0
    for begins, ends, _ in taken:
        pieces += [text[at:begins], BLANK]
        places += [*range(at, begins), begins]
        at = ends
    places += range(at, len(text))
    return "".join([*pieces, text[at:]]), places


def _longest(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those that do not overlap a longer one; of two as long, the earlier kind and then the earlier place."""
    kept: list[Candidate] = []
    begins: list[int] = []
    for each in sorted(set(candidates), key=lambda one: (one.begins - one.ends, _RANK[one.kind], one.begins)):
        at = bisect_right(begins, each.begins)
        if at and kept[at - 1].ends > each.begins:
            continue
        if at < len(kept) and kept[at].begins < each.ends:
            continue
        kept.insert(at, each)
        begins.insert(at, each.begins)
    return kept


def _candidates(text: str, known: Known) -> Iterator[Candidate]:
    words = words_in(text)
    runs = list(runs_in(text))
    codes = list(lettered(text, runs))
    yield from find_online(text, words)
    yield from find_numbers(text, runs)
    yield from find_national_insurance(text, codes)
    yield from find_references(text)
    yield from find_births(text)
    yield from find_postcodes(text, codes)
    yield from find_addresses(text, words)
    yield from find_names(words, known)
