"""Where somebody lives: postcodes, addresses, and streets and houses by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from coproduce.engine.masking.candidate import Candidate
from coproduce.engine.masking.cues import cue_before
from coproduce.engine.masking.dates import YEAR
from coproduce.engine.masking.runs import DIGITS, TENS, UNITS, Atom
from coproduce.engine.masking.words import NOT_NAMES, TWO_LETTERS, Word, joins, listed

_AREAS = listed("areas")
_STREETS = listed("streets")
_STREETS_AND_WORDS = listed("streets_and_words")
_BUILDINGS = listed("buildings")
_FLATS = listed("flats")
_EVERYBODYS = listed("everybodys_places")
_IN_PLACES = listed("in_places")
_NOT_IN_A_STREET = listed("not_in_a_street")

_POSTCODE = re.compile(
    r"[A-PR-UWYZ](?:[A-HK-Y]?\d\d?|\d[A-HJKPSTUW]|[A-HK-Y]\d[ABEHMNPRVWXY])\d[ABD-HJLNP-UW-Z]{2}"
    r"|ZZ993[A-Z]{2}"  # what the NHS writes for no fixed abode and its like
)
_OTHER_POSTCODES = re.compile(r"(?i)(?<!\w)(?:GIR ?0AA|BFPO ?\d{1,4})(?!\w)")
_ORDINAL = re.compile(r"(?:1st|2nd|3rd|\dth)$")
_HOUSE_NUMBER = re.compile(r"\d{1,4}[a-z]?")
_SMALL_IN_A_STREET = frozenset({"of", "the", "de", "le", "upon", "under", "and", "st"})
_NUMBER_WORDS = frozenset({"number", "no", "num"})
_CALLS_FOR_A_NUMBER = frozenset(
    {"at", "live", "lived", "living", "address", "is", "was", "number", "moved", "to"}
)
_PO_BOX = re.compile(r"(?i)(?<!\w)P\.?\s?O\.?\s?box\s(?:number\s)?\d{1,6}(?!\w)")


class _Piece(NamedTuple):
    """A part of an address: the words from `first` to before `last`, and what it is by itself."""

    first: int
    last: int
    kind: Literal["flat", "place", "address"]


def find_postcodes(text: str, codes: Iterable[tuple[str, list[Atom]]]) -> Iterator[Candidate]:
    """Postcodes, written or said letter by letter."""
    for signs, atoms in codes:
        if (code := _POSTCODE.fullmatch(signs)) and _postcode_seems(text, atoms, code):
            yield Candidate(atoms[0].begins, atoms[-1].ends, "postcode")
    for match in _OTHER_POSTCODES.finditer(text):
        yield Candidate(*match.span(), "postcode")


def _postcode_seems(text: str, atoms: list[Atom], code: re.Match[str]) -> bool:
    begins, ends = atoms[0].begins, atoms[-1].ends
    written = text[begins:ends]
    area = re.match(r"[A-Z]+", code[0])
    real = area is not None and area[0].casefold() in _AREAS
    letters = [text[atom.begins : atom.ends] for atom in atoms if not atom.digits]
    if re.fullmatch(r"\w{2,4}[\s-]{0,2}\d\w\w", written):
        seems = written.upper() == written or (real and not _ORDINAL.search(written))
    elif all(part.isupper() for part in letters) or (
        len(atoms) > 4 and all(len(atom.signs) == 1 or atom.digits for atom in atoms)
    ):
        seems = real
    else:
        seems = real and not any(part in TWO_LETTERS or part in ("a", "i", "A", "I") for part in letters)
    return seems or cue_before(text, begins)[0] == "postcode"


def find_addresses(text: str, words: list[Word]) -> Iterator[Candidate]:
    """Addresses, and streets and houses by name; the parts that follow one another are one."""
    for match in _PO_BOX.finditer(text):
        yield Candidate(*match.span(), "address")
    pieces: list[_Piece] = []
    for at, word in enumerate(words):
        piece = None
        if word.key in _FLATS:
            piece = _flat(words, at)
        elif at and (word.key in _STREETS or word.key in _STREETS_AND_WORDS or word.key in _BUILDINGS):
            piece = _street(words, at)
        if piece is None:
            continue
        while pieces and pieces[-1].first >= piece.first:
            pieces.pop()
        if pieces and pieces[-1].last > piece.first:
            if pieces[-1].kind == "address":
                continue
            overlapped = pieces.pop()
            if overlapped.kind == "flat":
                piece = _Piece(overlapped.first, piece.last, "address")
        pieces.append(piece)
    joined: list[_Piece] = []
    for piece in pieces:
        if (
            joined
            and joined[-1].last == piece.first
            and words[piece.first].gap in (" ", ", ", ",", "\u00a0", ",\n")
        ):
            places = joined[-1].kind == piece.kind == "place"
            joined[-1] = _Piece(joined[-1].first, piece.last, "place" if places else "address")
        else:
            joined.append(piece)
    for piece in joined:
        if piece.kind != "flat":
            yield Candidate(words[piece.first].begins, words[piece.last - 1].ends, piece.kind)


def _flat(words: list[Word], at: int) -> _Piece | None:
    """ "Flat 3", "flat B", "room twelve" """
    if at + 1 >= len(words) or not words[at + 1].gap.isspace():
        return None
    label = words[at + 1].key
    last = at + 2
    if label in _NUMBER_WORDS and last < len(words) and words[last].gap.isspace():
        label, last = words[last].key, last + 1
    if _HOUSE_NUMBER.fullmatch(label) or label in DIGITS or (len(label) == 1 and words[last - 1].capital):
        return _Piece(at, last, "flat")
    return None


def _street(words: list[Word], at: int) -> _Piece | None:
    """A street or a building, with its number if it has one, by the word that says it is one."""
    kind = words[at].key
    if not words[at].gap.isspace() or (kind == "no" and not words[at].capital):
        return None
    # A house number, up to four words before.
    for number in range(at - 1, max(at - 6, -1), -1):
        if number < at - 1 and not (
            joins(words, number + 2) or (words[number + 1].owns and words[number + 2].gap.isspace())
        ):
            break
        if _is_house_number(words, number) and words[number + 1].gap in (" ", ", ", "\u00a0", "  ", "\n"):
            if number < at - 1 and _addressed(words, number, at):
                return _Piece(_number_begins(words, number), at + 1, "address")
            break
    # Without one, the name of a street or house, with capitals.
    named = (
        (kind in _STREETS and kind not in ("st", "ln")) or kind in _BUILDINGS or kind in ("close", "drive")
    )
    if not words[at].capital or not named:
        return None
    first = at
    while (
        first
        and at - first < 3
        and words[first - 1].capital
        and not words[first].first
        and (joins(words, first) or (words[first - 1].owns and words[first].gap.isspace()))
        and (
            words[first - 1].key not in NOT_NAMES
            or (words[first - 1].key in _IN_PLACES and not words[first - 1].first)
        )
    ):
        first -= 1
    if (
        first == at
        or (words[first].key in ("the", "our"))
        or "-".join(word.key for word in words[at - 1 : at + 1]) in _EVERYBODYS
    ):
        return None
    return _Piece(first, at + 1, "place")


def _is_house_number(words: list[Word], at: int) -> bool:
    key = words[at].key
    return bool(_HOUSE_NUMBER.fullmatch(key)) or key in DIGITS


def _number_begins(words: list[Word], at: int) -> int:
    """The word with which a house number begins: "number", "12" in "12-14", "twenty" in "twenty two"."""
    while at and (
        (words[at].gap in ("-", "–", "/", " - ") and _is_house_number(words, at - 1))
        or (words[at].gap in (" ", "-") and words[at - 1].key in TENS and words[at].key in UNITS)
        or (words[at].gap in (" ", ". ", ".") and words[at - 1].key in _NUMBER_WORDS)
    ):
        at -= 1
    return at


def _addressed(words: list[Word], number: int, at: int) -> bool:
    """Whether a number, some words and a street type are an address, not "five minutes up the road"."""
    name = words[number + 1 : at]
    begins = _number_begins(words, number)
    before = words[begins - 1].key if begins else ""
    called_for = (
        before in _CALLS_FOR_A_NUMBER
        or words[begins].key in _NUMBER_WORDS
        or (begins > 1 and words[begins - 2].key in _FLATS)
    )
    if YEAR.fullmatch(words[number].key) and before in ("in", "since", "of", "by", "from", "until", "till"):
        return False
    if all(word.capital or word.key in _SMALL_IN_A_STREET for word in name) and name[-1].capital:
        if words[number].key in DIGITS and not called_for and not words[at].capital:
            return False
        return not any(word.key in ("i", "mum", "when") for word in name)
    if (
        any(word.key in _NOT_IN_A_STREET or not word.key.replace("'", "").isalpha() for word in name)
        or len(name) > 3
    ):
        return False
    if any(word.capital for word in name):
        return False
    if words[at].key in _STREETS and words[number].key not in DIGITS:
        return True
    return called_for and before not in ("is", "was", "to")
