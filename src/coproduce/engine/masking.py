"""A quote → what in it may tell who somebody is, offered for masking before the quote leaves the group.

The machine only offers; a person decides about each, and the original stays as it was said. What is missed
may hurt somebody, what is offered in vain costs a facilitator a moment: so where both cannot be had, this
finds too much. `tests/engine/test_masking.py` measures both, kind by kind.

The words it goes by (given names, street types, what is nobody's name) are in `masking_words.toml`.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

Kind = Literal[
    "name",
    "phone",
    "email",
    "nhs number",
    "ni number",
    "postcode",
    "address",
    "web address",
    "date of birth",
    "account or reference number",
    "place",
]

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
    known = _Known(names)
    # What was found can hide something that overlapped it. So look again, with one blank for each that was
    # found, exactly as if it had been masked, until nothing is found.
    taken = [_Candidate(*match.span(), "name") for match in _OFFERS.finditer(text)]
    found: list[_Candidate] = []
    while True:
        seen, places = _blank(text, taken)
        new = [
            _Candidate(places[each.begins], places[each.ends - 1] + 1, each.kind)
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


# What both rest on


class _Candidate(NamedTuple):
    begins: int
    ends: int
    kind: Kind


_OFFERS = re.compile("|".join(map(re.escape, OFFERED.values())))
_BLANK = "\ufffc"
_RANK = {kind: at for at, kind in enumerate(get_args(Kind))}


def _blank(text: str, taken: list[_Candidate]) -> tuple[str, list[int] | range]:
    """The text with a blank for each that is taken, and where each of its characters stands in the text."""
    if not taken:
        return text, range(len(text))
    pieces: list[str] = []
    places: list[int] = []
    at = 0
    for begins, ends, _ in taken:
        pieces += [text[at:begins], _BLANK]
        places += [*range(at, begins), begins]
        at = ends
    places += range(at, len(text))
    return "".join([*pieces, text[at:]]), places


def _longest(candidates: Iterable[_Candidate]) -> list[_Candidate]:
    """Those that do not overlap a longer one; of two as long, the earlier kind and then the earlier place."""
    kept: list[_Candidate] = []
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


def _candidates(text: str, known: _Known) -> Iterator[_Candidate]:
    words = _words(text)
    yield from _online(text, words)
    yield from _numbers(text)
    yield from _references(text)
    yield from _births(text)
    yield from _addresses(text, words)
    yield from _names(words, known)


# Words

_LISTS: dict[str, str] = tomllib.loads(
    files(__package__).joinpath("masking_words.toml").read_text(encoding="utf-8")
)


def _list(*names: str) -> frozenset[str]:
    return frozenset(word for name in names for word in _LISTS[name].split())


_AMBIGUOUS = _list("given_and_words", "family_and_words", "given_and_places")
_PLACES_TOO = _list("given_and_places")
_GIVEN_WORDS = _list("given_and_words")
_GIVEN = _list("given") - _AMBIGUOUS
_ANY_GIVEN = _GIVEN | _GIVEN_WORDS | _PLACES_TOO
_FAMILY = _list("family")
_NOT_NAMES = _list("not_names")
_TITLES = _list("titles")
_SMALL_TITLES = _list("titles_in_small_letters")
_RELATIONS = _list("relations")
_DOINGS = _list("doings")
_TELLINGS = _list("tellings")
_THINGS = _list("things")
_NOT_PEOPLE = _list("not_people")
_STREETS = _list("streets")
_STREETS_AND_WORDS = _list("streets_and_words")
_BUILDINGS = _list("buildings")
_FLATS = _list("flats")
_EVERYBODYS = _list("everybodys_places")
_NO_PERSON = _list("no_person")
_NOT_IN_A_STREET = _list("not_in_a_street")
_NOT_BEFORE_AT = _list("not_before_at")
_TWO_LETTERS = _list("two_letters")
_AREAS = _list("areas")

_MARKS = "".join(sign for sign in map(chr, range(0x300, 0x1E00)) if unicodedata.category(sign)[0] == "M")
_SPACES = re.compile(r"[^\S\n]{1,3}|[^\S\n]?\n[^\S\n]?")
_WORD = re.compile(rf"\w[\w{_MARKS}]*(?:['’ʼ`]\w[\w{_MARKS}]*)*")
_ENDING = re.compile(r"['’ʼ`](?:s|S|ll|d|ve|re|m)$")
_SENTENCE = re.compile(r"[.!?…:;\n\"“”«»•*>]|(?:^|\s)['‘]")
_STROKES = str.maketrans("łŁøØđĐıʼ’`", "lLoOdDi'''")


class _Word(NamedTuple):
    """A word without its "'s".

    key: in small letters without accents. gap: what stands between it and the word before. capital: whether
    it begins with one; shouted: whether it is all capitals. first: whether a sentence begins here. owns:
    whether an "'s" or the like was taken off.
    """

    begins: int
    ends: int
    key: str
    gap: str
    capital: bool
    shouted: bool
    first: bool
    owns: bool


def _fold(word: str) -> str:
    if not word.isascii():
        parts = unicodedata.normalize("NFKD", word.translate(_STROKES))
        word = "".join(sign for sign in parts if not "\u0300" <= sign <= "\u036f")
    return word.casefold().replace("`", "'")


def _words(text: str) -> list[_Word]:
    words: list[_Word] = []
    last = 0
    for match in _WORD.finditer(text):
        begins, ends = match.span()
        said = match[0]
        ending = _ENDING.search(said)
        core = said[: ending.start()] if ending else said
        gap = text[last:begins]
        initial = gap in (". ", ".") and words and len(words[-1].key) == 1
        first = not words or (bool(_SENTENCE.search(gap)) and not initial and not _after_title(words, gap))
        words.append(
            _Word(
                begins,
                begins + len(core),
                _fold(core),
                gap,
                core[:1].isupper(),
                len(core) > 1 and core.isupper(),
                first,
                ending is not None,
            )
        )
        last = ends
    return words


def _after_title(words: list[_Word], gap: str) -> bool:
    return gap in (". ", ".") and words[-1].key in _TITLES


def _joins(words: list[_Word], at: int) -> bool:
    """Whether a word belongs with the one before it: between them a space, a hyphen, an initial's dot."""
    gap = words[at].gap
    if words[at - 1].owns:
        return False
    return (
        bool(_SPACES.fullmatch(gap))
        or gap in ("-", "‐", "‑")
        or (gap in (". ", ".") and (len(words[at - 1].key) == 1 or words[at - 1].key in _TITLES))
    )


# Email and web addresses

_ENDS = r"(?:com|org|net|uk|gov|info|io|co|biz|eu|ie|scot|wales|cymru|london|app|dev|edu|example|test)"
_PROVIDERS = r"(?:gmail|googlemail|hotmail|outlook|yahoo|icloud|aol|protonmail|btinternet|live)"
_LABEL = r"[^\W_](?:-?[^\W_]){0,40}"
_DOT = r"(?:\s{1,3}dot\s{1,3}|\.)"
_DOMAIN = rf"(?:{_LABEL}{_DOT}){{1,4}}{_ENDS}(?![\w-])"
_EMAIL = re.compile(
    r"(?<![\w.+'’-])[\w.+'’-]{1,64}"
    r"(?:@[\w-]{1,63}(?:\.[\w-]{1,63}){0,5}|\s@\s?[\w-]{1,63}(?:\s?\.\s?[\w-]{1,63}){1,5})"
)
_HANDLE = re.compile(r"(?<![\w@.])@\w[\w.]{1,30}\w")
_SAID_EMAIL = re.compile(
    r"(?i)(?<![\w'’.-])"
    r"([^\W_]{1,40}(?:(?:\s{1,3}(?:dot|underscore|dash|hyphen)\s{1,3}|[._-])[^\W_]{1,40}){0,5})"
    rf"\s{{1,3}}at(?:\s{{1,3}}sign)?\s{{1,3}}(?:{_DOMAIN}|{_PROVIDERS}\b)"
)
_WEB = re.compile(
    rf"(?i)(?<![\w@.-])(?:https?://[^\s{_BLANK}]{{1,2000}}"
    rf"|(?:www{_DOT}|w\s?w\s?w{_DOT}){_LABEL}(?:{_DOT}{_LABEL}){{0,5}}(?:/[^\s{_BLANK}]{{0,2000}})?"
    rf"|{_DOMAIN}(?:/[^\s{_BLANK}]{{0,2000}}|(?:\s(?:forward\s)?slash\s[\w-]{{1,40}}){{1,5}})?)"
)
_EMAIL_CUE = frozenset({"email", "mail", "address"})
_EMAIL_BEGINS = frozenset({"is", "it", "address", "email", "on", "to", "at", "me", "be", "s", "that"})


def _online(text: str, words: list[_Word]) -> Iterator[_Candidate]:
    starts = [word.begins for word in words]
    for match in _EMAIL.finditer(text):
        begins, ends = match.span()
        inside = match[0]
        ends -= len(inside) - len(inside.rstrip("-_.'’"))
        begins += len(inside) - len(inside.lstrip("-.'’+"))
        yield _Candidate(begins, ends, "email")
    for match in _HANDLE.finditer(text):
        yield _Candidate(*match.span(), "web address")
    for match in _SAID_EMAIL.finditer(text):
        at = bisect_left(starts, match.start())
        if _fold(match[1]) in _NOT_BEFORE_AT:
            continue
        yield _Candidate(words[_email_begins(words, at)].begins, match.end(), "email")
    for match in _WEB.finditer(text):
        begins, ends = match.span()
        first = _fold(match[0][:20]).split()[0]
        if " dot " in match[0] and (first in _NOT_NAMES or first in _NOT_BEFORE_AT):
            continue
        ends -= len(match[0]) - len(match[0].rstrip(".,;:!?)]}'\"”’*>"))
        yield _Candidate(begins, ends, "web address")


def _email_begins(words: list[_Word], at: int) -> int:
    """The word with which a spelled email begins whose last word before "at" or "dot" is given."""
    for back in range(at, max(at - 7, 0), -1):
        if words[back - 1].key in _EMAIL_BEGINS or not words[back].gap.isspace():
            if any(word.key in _EMAIL_CUE for word in words[max(back - 6, 0) : back]):
                return back
            break
    while (
        at
        and words[at].gap.isspace()
        and (
            (len(words[at - 1].key) == 1 and words[at - 1].key not in "ai")
            or words[at - 1].key in _DIGITS
            or words[at - 1].key in ("dot", "underscore")
            or words[at - 1].key.isdigit()
        )
    ):
        at -= 1
    return at


# Numbers, in digits or in words


def _counted_from(first: int, words: str) -> dict[str, str]:
    return {word: str(value) for value, word in enumerate(words.split(), first)}


_UNITS = _counted_from(1, "one two three four five six seven eight nine")
_ZEROS = dict.fromkeys(["zero", "oh", "nought", "naught", "nil"], "0")
_TEENS = _counted_from(10, "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
_TENS = {**_counted_from(2, "twenty thirty forty fifty sixty seventy eighty ninety"), "fourty": "4"}
_DIGITS = {**_UNITS, **_ZEROS, **_TEENS, **_TENS}
_TIMES = {"double": 2, "triple": 3, "treble": 3}
_FILLERS = frozenset({"um", "er", "erm", "uh", "then", "and", "dash", "hyphen", "comma"})
_IN_RUNS = frozenset({*_DIGITS, *_TIMES, *_FILLERS, "hundred", "thousand"})

_SIGNS = re.compile(r"\d+|[^\W\d_]+")
_BETWEEN = re.compile(r"[\s.,\-–—‐‑−/()+\u00ad\u200b\u2060]{0,4}")

_REFERS = (
    r"(?:account|case|claim|policy|customer|passport|licen[cs]e|driving|prison|crime|incident|tenancy|tenant"
    r"|hospital|patient|client|student|staff|collar|badge|shoulder|card|bus pass|payroll|roll|booking|order"
    r"|application|membership|home office|council tax|rent|unique)"
)
_CUE = re.compile(
    r"(?i)(?P<nhs>\b(?:n\.?h\.?s|chi)\b(?:\s(?:number|no))?|\bhealth number)"
    r"|(?P<ni>\bn\.?i\b\.?(?:\s(?:number|no))?|\bnational insurance(?:\s(?:number|no))?|\bnino\b)"
    r"|(?P<postcode>\bpost\s?code\b)"
    rf"|(?P<ref>\b(?:{_REFERS}|sort code|reference|ref|utr|crn|brp|urn|pin)(?:\s(?:account|id|journal))?"
    r"(?:\s(?:number|no|ref|reference|code|id))?\b)"
    r"|(?P<born>\bborn\b|\bbirth\w*|\bd\.?o\.?b\b)"
    r"|(?P<phone>\b(?:phone|phoned|ring|rang|call|called|text|texts|texted|mobile|mob|tel|telephone|landline"
    r"|whatsapp|dial|fax|contact|bell|reach|get hold of|number's"
    r"|(?:my|his|her|their|your|our|new|old|work|home|office) number)\b)"
)
_CLEAR_REF = re.compile(r"(?i)\b(?:sort code|ref|reference|crn|utr|brp|urn|pin|number|no|code|id)$")
_WINDOW = 40

_NATIONAL = r"(?:1\d{8,9}|2\d{9}|3\d{9}|5[056]\d{8}|7\d{9}|800\d{6}|8\d{8,9}|9\d{9})"
_PHONE = re.compile(rf"(?:0|00440?|440?(?=7)){_NATIONAL}")
_PHONE_PLUS = re.compile(rf"440?{_NATIONAL}|(?!44)\d{{8,15}}")
_NI = re.compile(r"([A-Z]{2})\d{6}([A-D]?)")
_NI_PREFIX = re.compile(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z]|QQ")
_POSTCODE = re.compile(
    r"[A-PR-UWYZ](?:[A-HK-Y]?\d\d?|\d[A-HJKPSTUW]|[A-HK-Y]\d[ABEHMNPRVWXY])\d[ABD-HJLNP-UW-Z]{2}"
    r"|ZZ993[A-Z]{2}"  # what the NHS writes for no fixed abode and its like
)
_OTHER_POSTCODES = re.compile(r"(?i)(?<!\w)(?:GIR ?0AA|BFPO ?\d{1,4})(?!\w)")
_ORDINAL = re.compile(r"(?:1st|2nd|3rd|\dth)$")
_MONEY = re.compile(r"[£$€]\s?$")
_YEAR = re.compile(r"(?:18|19|20)\d\d")


class _Atom(NamedTuple):
    """A piece of a number: its place, its digits or capitals, and whether it was in words."""

    begins: int
    ends: int
    signs: str
    said: bool

    @property
    def digits(self) -> str:
        """Its digits; a lone letter O is said for nought."""
        return "0" if self.signs == "O" else self.signs if self.signs.isdigit() else ""


def _numbers(text: str) -> Iterator[_Candidate]:
    for atoms in _runs(text):
        yield from _digit_numbers(text, atoms)
        yield from _letter_numbers(text, atoms)
    for match in _OTHER_POSTCODES.finditer(text):
        yield _Candidate(*match.span(), "postcode")


def _runs(text: str) -> Iterator[list[_Atom]]:
    """Every stretch of digits, number words and single letters with little between them."""
    run: list[tuple[int, int, str]] = []
    for match in _SIGNS.finditer(text):
        begins, ends = match.span()
        sign = match[0]
        if sign[0].isdecimal():
            sign = "".join(str(int(digit)) for digit in sign)
        elif ends - begins > 2 and (sign := sign.casefold()) not in _IN_RUNS:
            continue
        elif ends - begins <= 2 and (not sign.isascii() or sign.casefold() in _IN_RUNS):
            sign = sign.casefold()
        if run and not _BETWEEN.fullmatch(text, run[-1][1], begins):
            yield from _atoms(run)
            run = []
        if run or sign not in _FILLERS:
            run.append((begins, ends, sign))
    yield from _atoms(run)


def _atoms(run: list[tuple[int, int, str]]) -> Iterator[list[_Atom]]:
    """A run with its number words put together: "double seven" is 77, "nine hundred" 900, "forty two" 42."""
    atoms: list[_Atom] = []
    at = 0

    def word(ahead: int) -> str:
        return run[at + ahead][2] if at + ahead < len(run) else ""

    while at < len(run):
        begins, _, sign = run[at]
        signs, took, said = "", 1, True
        if sign.isdigit():
            signs, said = sign, False
            if len(sign) == 1 and word(1) == "hundred":
                signs, took = sign + "00", 2
        elif sign in _TIMES:
            one = {**_UNITS, **_ZEROS, "o": "0", "O": "0"}.get(word(1), word(1))
            if len(one) == 1:
                signs, took = (one * _TIMES[sign]).upper(), 2
        elif sign in _UNITS:
            signs = _UNITS[sign]
            if word(1) == "hundred":
                signs, took = signs + "00", 2
                if word(2) == "and" and (rest := _below_hundred(word(3), word(4))):
                    signs, took = signs[0] + rest[0].zfill(2), 3 + rest[1]
            elif word(1) == "thousand":
                signs, took = signs + "000", 2
        elif sign in _ZEROS:
            signs = "0"
        elif rest := _below_hundred(sign, word(1)):
            signs, took = rest
        elif len(sign) <= 2 and sign.isascii():
            signs, said = sign.upper(), False
        if signs:
            atoms.append(_Atom(begins, run[at + took - 1][1], signs, said))
        elif sign not in _FILLERS and atoms:
            yield atoms
            atoms = []
        at += took
    if atoms:
        yield atoms


def _below_hundred(word: str, following: str) -> tuple[str, int] | None:
    """The digits that one or two number words say, and how many words they took."""
    if word in _TENS:
        return (_TENS[word] + _UNITS[following], 2) if following in _UNITS else (_TENS[word] + "0", 1)
    if word in _TEENS:
        return _TEENS[word], 1
    return (_UNITS[word], 1) if word in _UNITS else None


def _digit_numbers(text: str, atoms: list[_Atom]) -> Iterator[_Candidate]:
    """Phone, NHS, card, account and reference numbers."""
    first = 0
    while first < len(atoms):
        if not atoms[first].digits:
            first += 1
            continue
        last = first
        while last < len(atoms) and atoms[last].digits:
            last += 1
        stretch = atoms[first:last]
        if sum(len(atom.digits) for atom in stretch) >= 4:
            yield from _stretch_numbers(text, stretch)
        first = last


def _stretch_numbers(text: str, stretch: list[_Atom]) -> Iterator[_Candidate]:
    cue, cue_word, cue_gap = _cue(text, stretch[0].begins)
    money = bool(_MONEY.search(text, max(stretch[0].begins - 3, 0), stretch[0].begins))
    exact = False
    for first, atom in enumerate(stretch):
        plus = text[max(atom.begins - 2, 0) : atom.begins].rstrip("(").endswith("+") or (
            text[max(atom.begins - 6, 0) : atom.begins].casefold().strip().endswith("plus")
        )
        digits = ""
        for last in range(first, min(first + 16, len(stretch))):
            digits += stretch[last].digits
            if len(digits) > 19:
                break
            if len(digits) < 9:
                continue
            begins, ends = atom.begins, stretch[last].ends
            if (plus and _PHONE_PLUS.fullmatch(digits)) or (digits[0] in "04" and _PHONE.fullmatch(digits)):
                if cue == "nhs" and len(digits) == 10:
                    continue
                exact = True
                yield _Candidate(_opened(text, begins, ends), ends, "phone")
            elif len(digits) == 10 and _stands_alone(stretch, first, last) and _is_nhs(digits):
                exact = True
                mobile = cue == "phone" and digits[0] == "7"
                yield _Candidate(begins, ends, "phone" if mobile else "nhs number")
            elif len(digits) >= 13 and _written_as_card(stretch, first, last) and _is_card(digits):
                exact = True
                yield _Candidate(begins, ends, "account or reference number")
        if first == last and len(digits) >= 8 and not atom.said and not money:
            yield _Candidate(atom.begins, atom.ends, "account or reference number")
    if exact or money:
        return
    digits = "".join(atom.digits for atom in stretch)
    begins, ends = stretch[0].begins, stretch[-1].ends
    between = text[begins:ends]
    if cue == "nhs" and len(digits) == 10:
        yield _Candidate(begins, ends, "nhs number")
    elif cue == "ref" and cue_gap <= 20 and 4 <= len(digits) <= 24 and _CLEAR_REF.search(cue_word):
        yield _Candidate(begins, ends, "account or reference number")
    elif all(_YEAR.fullmatch(atom.digits) for atom in stretch) or _DATE.fullmatch(between):
        return
    elif 8 <= len(digits) <= 12 and digits[0] == "0" and (cue == "phone" or digits[1] in "127"):
        if cue == "phone" or len(digits) >= 9:
            yield _Candidate(_opened(text, begins, ends), ends, "phone")
    elif cue == "phone" and 6 <= len(digits) <= 8 and digits[0] != "0" and not _counted(text, between, ends):
        yield _Candidate(begins, ends, "phone")


def _cue(text: str, begins: int) -> tuple[str, str, int]:
    """What the words before a number say it is, those words, and how many characters lie between."""
    start = max(begins - _WINDOW, 0)
    last = None
    for last in _CUE.finditer(text, start, begins):  # noqa: B007
        pass
    if last is None or last.lastgroup is None or any(sign.isdecimal() for sign in text[last.end() : begins]):
        return "", "", 0
    return last.lastgroup, last[0], begins - last.end()


def _opened(text: str, begins: int, ends: int) -> int:
    """Where a phone number begins, with the plus and the bracket that belong to it."""
    while begins and (text[begins - 1] == "+" or (text[begins - 1] == "(" and ")" in text[begins:ends])):
        begins -= 1
    return begins


def _counted(text: str, between: str, ends: int) -> bool:
    """Whether a number counts something: 120,000, 1 200 000, 10.30 am."""
    return bool(
        re.fullmatch(r"\d{1,3}(?:[, ]000)+|\d{1,3}(?:,\d{3})+|\d{1,2}[.:]\d\d.*", between)
        or re.match(r"(?i)\s?(?:[ap]\.?m\b|times|people|pounds|quid|%|percent)", text[ends : ends + 12])
    )


def _stands_alone(stretch: list[_Atom], first: int, last: int) -> bool:
    """Whether ten digits are written as an NHS number is: together, as 3-3-4, or with none around them."""
    sizes = [len(atom.digits) for atom in stretch[first : last + 1]]
    return sizes in ([10], [3, 3, 4]) or (first == 0 and last == len(stretch) - 1)


def _written_as_card(stretch: list[_Atom], first: int, last: int) -> bool:
    """Whether 13 to 19 digits are together, in fours, or with nothing else around them."""
    fours = all(len(atom.digits) == 4 for atom in stretch[first:last])
    return first == last or fours or (first == 0 and last == len(stretch) - 1)


def _is_nhs(digits: str) -> bool:
    """Whether ten digits have the NHS check digit: 11 less the weighted sum modulo 11, where 11 is 0."""
    check = 11 - sum(int(digit) * (10 - at) for at, digit in enumerate(digits[:9])) % 11
    return check != 10 and int(digits[9]) == check % 11


def _is_card(digits: str) -> bool:
    """Whether 13 to 19 digits have the Luhn check digit of a payment card."""
    doubled = [int(digit) * (1 + at % 2) for at, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _letter_numbers(text: str, atoms: list[_Atom]) -> Iterator[_Candidate]:
    """National Insurance numbers and postcodes."""
    for first, atom in enumerate(atoms):
        if atom.digits and atom.signs != "O":
            continue
        begins = atom.begins
        if begins and (text[begins - 1].isalnum() or text[begins - 1] == "_"):
            continue
        signs = ""
        for last in range(first, min(first + 10, len(atoms))):
            signs += atoms[last].signs
            ends = atoms[last].ends
            if len(signs) > 9:
                break
            if len(signs) < 5 or not signs[0].isalpha():
                continue
            if ends < len(text) and (text[ends].isalnum() or text[ends] == "_"):
                continue
            if (ni := _NI.fullmatch(signs)) and _ni_seems(text, begins, ends, ni):
                yield _Candidate(begins, ends, "ni number")
            if (code := _POSTCODE.fullmatch(signs)) and _postcode_seems(text, atoms[first : last + 1], code):
                yield _Candidate(begins, ends, "postcode")


def _ni_seems(text: str, begins: int, ends: int, ni: re.Match[str]) -> bool:
    # "12 34 56 a week" ends in an everyday word, not in a letter.
    week = text[ends - 1] == "a" and not text[ends - 2].isdecimal() and text[ends : ends + 5] == " week"
    if ni[2] and _NI_PREFIX.fullmatch(ni[1]) and text[begins : begins + 2] not in _TWO_LETTERS and not week:
        return True
    return _cue(text, begins)[0] == "ni"


def _postcode_seems(text: str, atoms: list[_Atom], code: re.Match[str]) -> bool:
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
        seems = real and not any(part in _TWO_LETTERS or part in ("a", "i", "A", "I") for part in letters)
    return seems or _cue(text, begins)[0] == "postcode"


_REFERENCE = re.compile(
    rf"(?i)\b(?:{_REFERS}\s(?:\w{{1,12}}\s){{0,2}}?(?:number|no|ref|reference|code|id)"
    r"|ref(?:erence)?(?:\s(?:number|no|code))?|(?:card|account)\send(?:s|ing)|crn|utr|brp|urn|sort code)\b\.?"
    r"(?:\s?(?:'s|’s|is|was|it's|it’s|of|ends|ending|in|number|no)\b|[\s:#,=-]){0,4}"
    r"(?P<ref>[a-z]{0,5}[-/ ]?\d[\da-z]{0,20}(?:[-/ ]\d[\da-z]{0,20}|[-/][\da-z]{1,20}){0,5}"
    r"(?-i:\s[A-Z])?)(?!\w)"
)
_SHAPES = re.compile(
    r"(?<![\w/])(?:[A-Z]\d{4}[A-Z]{2}"  # prison
    r"|[A-Z]{1,5}9{0,4}\d{6}[A-Z9]{2}\d[A-Z]{2}"  # driving licence
    r"|GB\d\d ?[A-Z]{4} ?\d{4} ?\d{4} ?\d{4} ?\d\d"  # IBAN
    r"|[A-Z]{1,4}[-/]\d{3,10}(?:[-/][A-Z0-9]{1,8}){0,2}"
    r"|\d{2,6}/\d{3,10}(?:/\d{2,4})?|[A-Z]{2,3}\d{6,10})(?![\w/])"
)


def _references(text: str) -> Iterator[_Candidate]:
    """References by the words before them, and the shapes of a few that have one."""
    for match in _REFERENCE.finditer(text):
        ref = match["ref"]
        digits = sum(sign.isdecimal() for sign in ref)
        if digits >= 4 or (digits >= 3 and len(ref) > digits):
            begins, ends = match.span("ref")
            yield _Candidate(begins + len(ref) - len(ref.lstrip(" -/")), ends, "account or reference number")
    for match in _SHAPES.finditer(text):
        if not _DATE.fullmatch(match[0]) and not re.fullmatch(r"(?:19|20)\d\d/(?:19|20)\d\d", match[0]):
            yield _Candidate(*match.span(), "account or reference number")


# Dates of birth

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
_DATE = re.compile(
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


def _births(text: str) -> Iterator[_Candidate]:
    for cue in _BIRTH.finditer(text):
        after = text[cue.end() : cue.end() + 70]
        if (end := _THEN.search(after)) is not None:
            after = after[: end.start()]
        if (date := _DATE.search(after)) is not None and date.start() <= 35:
            yield _Candidate(cue.end() + date.start(), cue.end() + date.end(), "date of birth")
        if cue[0].casefold() not in ("born", "birth"):
            start = max(cue.start() - 60, 0)
            before = text[start : cue.start()]
            for date in _DATE.finditer(before):
                if _BEFORE_BIRTH.fullmatch(before[date.end() :]):
                    yield _Candidate(start + date.start(), start + date.end(), "date of birth")


# Addresses

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


def _addresses(text: str, words: list[_Word]) -> Iterator[_Candidate]:
    for match in _PO_BOX.finditer(text):
        yield _Candidate(*match.span(), "address")
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
            yield _Candidate(words[piece.first].begins, words[piece.last - 1].ends, piece.kind)


def _flat(words: list[_Word], at: int) -> _Piece | None:
    """ "Flat 3", "flat B", "room twelve" """
    if at + 1 >= len(words) or not words[at + 1].gap.isspace():
        return None
    label = words[at + 1].key
    last = at + 2
    if label in _NUMBER_WORDS and last < len(words) and words[last].gap.isspace():
        label, last = words[last].key, last + 1
    if _HOUSE_NUMBER.fullmatch(label) or label in _DIGITS or (len(label) == 1 and words[last - 1].capital):
        return _Piece(at, last, "flat")
    return None


def _street(words: list[_Word], at: int) -> _Piece | None:
    """A street or a building, with its number if it has one, by the word that says it is one."""
    kind = words[at].key
    if not words[at].gap.isspace() or (kind == "no" and not words[at].capital):
        return None
    # A house number, up to four words before.
    for number in range(at - 1, max(at - 6, -1), -1):
        if number < at - 1 and not (
            _joins(words, number + 2) or (words[number + 1].owns and words[number + 2].gap.isspace())
        ):
            break
        if _is_house_number(words, number) and words[number + 1].gap in (" ", ", ", "\u00a0", "  ", "\n"):
            if number < at - 1 and _addressed(words, number, at):
                return _Piece(_number_begins(words, number), at + 1, "address")
            break
    # Without one, the name of a street or house, with capitals.
    if not words[at].capital or (
        kind not in _STREETS and kind not in _BUILDINGS and kind not in ("close", "drive")
    ):
        return None
    if kind in ("st", "ln"):
        return None
    first = at
    while (
        first
        and at - first < 3
        and words[first - 1].capital
        and not words[first].first
        and (_joins(words, first) or (words[first - 1].owns and words[first].gap.isspace()))
        and (
            words[first - 1].key not in _NOT_NAMES
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


_IN_PLACES = _list("in_places")


def _is_house_number(words: list[_Word], at: int) -> bool:
    key = words[at].key
    return bool(_HOUSE_NUMBER.fullmatch(key)) or key in _DIGITS


def _number_begins(words: list[_Word], at: int) -> int:
    """The word with which a house number begins: "number", "12" in "12-14", "twenty" in "twenty two"."""
    while at and (
        (words[at].gap in ("-", "–", "/", " - ") and _is_house_number(words, at - 1))
        or (words[at].gap in (" ", "-") and words[at - 1].key in _TENS and words[at].key in _UNITS)
        or (words[at].gap in (" ", ". ", ".") and words[at - 1].key in _NUMBER_WORDS)
    ):
        at -= 1
    return at


def _addressed(words: list[_Word], number: int, at: int) -> bool:
    """Whether a number, some words and a street type are an address, not "five minutes up the road"."""
    name = words[number + 1 : at]
    begins = _number_begins(words, number)
    before = words[begins - 1].key if begins else ""
    called_for = (
        before in _CALLS_FOR_A_NUMBER
        or words[begins].key in _NUMBER_WORDS
        or (begins > 1 and words[begins - 2].key in _FLATS)
    )
    if _YEAR.fullmatch(words[number].key) and before in ("in", "since", "of", "by", "from", "until", "till"):
        return False
    if all(word.capital or word.key in _SMALL_IN_A_STREET for word in name) and name[-1].capital:
        if words[number].key in _DIGITS and not called_for and not words[at].capital:
            return False
        return not any(word.key in ("i", "mum", "when") for word in name)
    if (
        any(word.key in _NOT_IN_A_STREET or not word.key.replace("'", "").isalpha() for word in name)
        or len(name) > 3
    ):
        return False
    if any(word.capital for word in name):
        return False
    if words[at].key in _STREETS and words[number].key not in _DIGITS:
        return True
    return called_for and before not in ("is", "was", "to")


# Names

_INTRODUCE = (
    ("name", "is"),
    ("name",),
    ("names",),
    ("name", "was"),
    ("call", "me"),
    ("calls", "me"),
    ("call", "him"),
    ("call", "her"),
    ("named",),
    ("called",),
    ("known", "as"),
)
_PARTICLES = _list("particles")
_NICKS = _list("nicks")
_MONTH_WORDS = frozenset(["april", "may", "june", "july", "august"])
_BEFORE_MONTHS = _list("before_months")
_AT_PLACES = _list("at_places")
_ABSTRACT = _list("abstract")
_WHOSE = frozenset(["my", "his", "her", "our", "their", "the", "a", "an"])
_BEINGS = frozenset(["is", "was", "isn't", "wasn't", "has", "had", "hasn't", "does", "doesn't"])
_ARTICLES = frozenset(["the", "a", "an", "this", "that", "any", "some", "my", "your"])


class _Known:
    """The names that an installation knows, by the key of their first word."""

    def __init__(self, names: Iterable[str]) -> None:
        self.whole: dict[str, set[tuple[str, ...]]] = {}
        self.parts: set[str] = set()
        for name in names:
            keys = tuple(word.key for word in _words(name))
            if not keys:
                continue
            self.whole.setdefault(keys[0], set()).add(keys)
            person = keys[0] in _ANY_GIVEN or not any(key in _NOT_NAMES or key in _THINGS for key in keys)
            thing = keys[-1] in _NOT_PEOPLE and keys[-1] not in _AMBIGUOUS
            if 2 <= len(keys) <= 3 and person and not thing:
                self.parts.update(
                    key for key in keys if len(key) > 2 and key not in _PARTICLES and key not in _TITLES
                )
        self.sizes = {
            first: sorted({len(keys) for keys in all_}, reverse=True) for first, all_ in self.whole.items()
        }

    def __contains__(self, key: str) -> bool:
        return key in self.parts or (key,) in self.whole.get(key, ())

    def words_at(self, words: list[_Word], at: int) -> int:
        """How many words from here on are a known name of several words, or 0."""
        for size in self.sizes.get(words[at].key, ()):
            if size > 1 and at + size <= len(words):
                keys = tuple(word.key for word in words[at : at + size])
                if keys in self.whole[keys[0]] and all(_joins(words, at + more) for more in range(1, size)):
                    return size
        return 0


def _everyday(key: str) -> bool:
    return key in _AMBIGUOUS or key in _NOT_NAMES or len(key) <= 2


def _nameish(word: _Word) -> bool:
    """Whether a word may be a name by its looks: a capital, and not a word that has one anyway."""
    return (
        word.capital
        and word.key not in _NOT_NAMES
        and not (word.shouted and len(word.key) <= 5 and word.key not in _GIVEN)
        and word.key.replace("'", "").replace(".", "").isalpha()
        and len(word.key) > 1
    )


def _grow(words: list[_Word], at: int) -> int:
    """Where a name that begins here ends: with the last capitalised word that follows, over "de", "van"."""
    last = at + 1
    while last < len(words) and last - at < 4 and _joins(words, last) and not words[last].first:
        word = words[last]
        ahead = words[last + 1] if last + 1 < len(words) else None
        if (word.capital and word.gap in ("-", "‐", "‑")) or (
            _nameish(word)
            and word.key not in _TITLES
            and not (word.key in _NOT_PEOPLE and word.key not in _FAMILY)
        ):
            last += 1
        elif (word.key in _PARTICLES or (len(word.key) == 1 and word.capital and word.key != "i")) and (
            ahead is not None and _joins(words, last + 1) and not ahead.first and _nameish(ahead)
        ):
            last += 2
        else:
            break
    return last


def _part_of_something(words: list[_Word], last: int) -> bool:
    """Whether what follows makes a name the name of something else: "Charles Hospital"."""
    return (
        last < len(words)
        and words[last].gap.isspace()
        and words[last].capital
        and not words[last].first
        and words[last].key in _NOT_PEOPLE
    )


def _names(words: list[_Word], known: _Known) -> Iterator[_Candidate]:
    found: dict[int, int] = {}
    past = 0
    for at in range(len(words)):
        if at >= past and (ends := _name_at(words, at, known)):
            past = ends
            if "-".join(one.key for one in words[at:ends]) not in _NO_PERSON:
                found[at] = ends
    # "Hefin David": what stands with a capital before a given name belongs to it.
    for at, ends in list(found.items()):
        before = words[at - 1] if at else None
        if (
            before is not None
            and not before.first
            and at - 1 not in found
            and _nameish(before)
            and before.key not in _TITLES
            and words[at].capital
            and not words[at].first
            and _joins(words, at)
        ):
            del found[at]
            found[at - 1] = ends
    # "Dave and Oluchi", "Oluchi and Dave": one name says that the other is one.
    for at, ends in list(found.items()):
        if (
            ends + 1 < len(words)
            and words[ends].key in ("and", "or")
            and not words[ends].first
            and words[ends].gap.isspace()
            and words[ends + 1].gap.isspace()
            and _nameish(words[ends + 1])
        ):
            more = _grow(words, ends + 1)
            if not _part_of_something(words, more):
                found.setdefault(ends + 1, more)
        if (
            at > 1
            and words[at - 1].key in ("and", "or")
            and words[at].gap.isspace()
            and words[at - 1].gap.isspace()
            and not words[at - 2].first
            and _nameish(words[at - 2])
        ):
            found.setdefault(at - 2, at - 1)
    for at, ends in found.items():
        yield _Candidate(words[at].begins, words[ends - 1].ends, "name")


def _name_at(words: list[_Word], at: int, known: _Known) -> int:
    """Where the name that begins with this word ends, or 0 where none does."""
    word = words[at]
    if size := known.words_at(words, at):
        everyday = all(_everyday(one.key) for one in words[at : at + size])
        if not everyday or (word.capital and not word.shouted):
            return max(at + size, _grow(words, at)) if word.capital and not word.shouted else at + size
    if word.key in known and (not _everyday(word.key) or _meant_as_name(words, at, known, True)):
        return _grow(words, at) if word.capital and not word.shouted else at + 1
    if word.key.isdigit():
        return 0
    titled = _titled(words, at)
    if titled or _introduced(words, at):
        return _grow(words, at) if word.capital else at + 1
    if word.key in _GIVEN:
        return _given(words, at)
    if word.capital and word.key in _NICKS and at + 1 < len(words) and words[at + 1].gap == " ":
        last = _nicknamed(words, at, known)
        if last:
            return last
    if not _nameish(word) or word.key in _TITLES:
        return 0
    last = _grow(words, at)
    if (word.key in _GIVEN_WORDS or word.key in _PLACES_TOO) and _meant_as_name(words, at, known, False):
        return 0 if _part_of_something(words, last) else last
    if last - at > 1 and not word.first and words[last - 1].key in _FAMILY and last - at == 2:
        return last
    if word.first and last - at == 2 and words[last - 1].key in _FAMILY:
        return last
    if _part_of_something(words, last):
        return 0
    return last if _beside_a_relation(words, at, last) or _does_something(words, at, last) else 0


def _nicknamed(words: list[_Word], at: int, known: _Known) -> int:
    """Where "Big Tone" or "Scottish Dave" ends, or 0 where it is no name."""
    name = words[at + 1]
    if not name.capital or name.first:
        return 0
    if last := _name_at(words, at + 1, known):
        return last
    last = _grow(words, at + 1)
    if not _nameish(name):
        return 0
    called = at > 0 and words[at - 1].key == "called"
    clue = called or _beside_a_relation(words, at, last) or _does_something(words, at, last)
    return last if clue and not words[at].first else 0


def _given(words: list[_Word], at: int) -> int:
    """A name by its given name alone."""
    word = words[at]
    if at and words[at - 1].key in ("st", "saint", "saints") and words[at].gap in (" ", ". ", "."):
        return 0
    if not word.capital:
        return at + 1
    last = _grow(words, at) if not word.shouted else at + 1
    return 0 if _part_of_something(words, last) or (word.owns and _part_of_something(words, at + 1)) else last


def _titled(words: list[_Word], at: int) -> bool:
    """Whether a title stands before a name."""
    if not at:
        return False
    word, title = words[at], words[at - 1]
    if title.key not in _TITLES or not (word.gap.isspace() or word.gap in (". ", ".")) or title.owns:
        return False
    if word.first and word.gap not in (". ", "."):
        return False
    if word.capital:
        return _nameish(word) or (
            word.key in ("may", "black", "green", "white", "love", "young") and title.capital
        )
    small = title.key in _SMALL_TITLES and word.key not in _NOT_NAMES and word.key.isalpha()
    return small or word.key in _FAMILY


def _introduced(words: list[_Word], at: int) -> bool:
    """Whether what stands before a name says that it is one: "my name is", "a lad called", "I'm"."""
    word = words[at]
    if not at or (not _SPACES.fullmatch(word.gap) and word.gap not in (", ", ": ")):
        return False
    small = word.key in _GIVEN or (
        word.key in _GIVEN_WORDS and len(word.key) > 2 and word.key not in _NOT_NAMES
    )
    if not (_nameish(word) or small):
        return False
    before = tuple(one.key for one in words[max(at - 2, 0) : at])
    if before[-1] in ("um", "er", "erm", "uh") and at > 2:
        before = tuple(one.key for one in words[at - 3 : at - 1])
    if before[-1] == "called":
        whose = words[at - 2].key if at > 1 else ""
        return whose not in _THINGS or word.key in _GIVEN
    if before[-1] == "name" and not words[at - 1].owns:
        return False
    if before == ("me", "and") and word.capital and words[at - 1].gap.isspace():
        return True
    if before in _INTRODUCE or before[-1:] in _INTRODUCE:
        return word.capital or before[-1] != "named"
    if word.capital and not word.first and not word.shouted:
        if before[-1] == "i" and words[at - 1].owns and words[at - 1].ends - words[at - 1].begins == 1:
            return True
        if before == ("i", "am"):
            return True
        return (
            at + 1 < len(words)
            and words[at + 1].key in ("here", "speaking")
            and before[-1] in ("it", "is", "this")
        )
    return False


def _meant_as_name(words: list[_Word], at: int, known: _Known, is_known: bool) -> bool:
    """Whether a name that is an everyday word too is meant as a name here."""
    word = words[at]
    after = words[at + 1] if at + 1 < len(words) else None
    before = words[at - 1] if at else None
    if not word.capital or word.shouted:
        return False
    if _titled(words, at) or _introduced(words, at):
        return True
    if after is not None and after.gap.isspace() and not after.first:
        if after.key in _DOINGS and word.key not in _MONTH_WORDS:
            return True
        if after.capital and (after.key in known or after.key in _FAMILY or after.key in _GIVEN):
            return True
        if (
            after.key == "and"
            and at + 2 < len(words)
            and (words[at + 2].key == "i" or (words[at + 2].capital and words[at + 2].key in _GIVEN))
            and word.key not in _MONTH_WORDS
        ):
            return True
        if is_known and after.key in _BEINGS and word.key not in _ABSTRACT:
            return True
        if after.key in ("who", "from") and word.key not in _NOT_NAMES:
            return True
    if _beside_a_relation(words, at, at + 1):
        return True
    if before is not None and not word.first:
        if (
            before.key == "and"
            and at > 1
            and words[at - 2].capital
            and (words[at - 2].key in known or words[at - 2].key in _GIVEN)
        ):
            return True
        if before.key in _TELLINGS:
            return True
    if (
        word.owns
        and word.key not in _ABSTRACT
        and word.key not in _MONTH_WORDS
        and word.key not in _PLACES_TOO
    ):
        return is_known or word.key not in _NOT_NAMES
    if word.first or before is None:
        return False
    if before.key in _ARTICLES:
        return False
    if before.capital and not before.first and before.key in _NOT_NAMES and before.key != "i":
        return False
    if _part_of_something(words, at + 1) and not is_known:
        return False
    if after is not None and _part_of_something(words, at + 1):
        return False
    if word.key in _MONTH_WORDS:
        if (
            before.key in _BEFORE_MONTHS
            or before.key[:1].isdigit()
            or before.key.endswith(("th", "st", "nd", "rd"))
        ):
            return False
        return not (after is not None and after.key[:1].isdigit())
    if word.key in _PLACES_TOO:
        return is_known and before.key not in _AT_PLACES
    if word.key in _NOT_NAMES:
        return is_known
    return is_known or word.key in _GIVEN_WORDS


def _beside_a_relation(words: list[_Word], at: int, last: int) -> bool:
    """ "my worker Oluchi", "my worker, Oluchi"; "Oluchi, my worker"; "Oluchi was my support worker" """
    if (
        at
        and not words[at].first
        and words[at].gap in (" ", ", ", "\u00a0", " - ", " – ")
        and not words[at - 1].owns
    ):
        before = words[at - 1].key
        if before in _RELATIONS and not words[at - 1].shouted:
            return True
        if before.endswith("worker") or (
            before in ("is", "was") and at > 1 and words[at - 2].key in _RELATIONS
        ):
            return True
    ahead = last
    if (
        ahead < len(words)
        and words[ahead].key in ("is", "was", "who", "who's")
        and words[ahead].gap in (" ", ", ")
    ):
        ahead += 1
        if ahead < len(words) and words[ahead].key in ("is", "was"):
            ahead += 1
    elif ahead < len(words) and words[ahead].gap != ", ":
        return False
    if words[at].key.endswith("ly") or words[at].owns or (at and words[at - 1].key in _AT_PLACES):
        return False
    if ahead < len(words) and words[ahead].key in _WHOSE:
        for word in words[ahead + 1 : ahead + 4]:
            if not word.gap.isspace():
                return False
            if word.key in _RELATIONS or word.key.endswith("worker"):
                return True
    return False


def _does_something(words: list[_Word], at: int, last: int) -> bool:
    """ "and Oluchi said"; "I told Oluchi" """
    if words[at].first or not at or last - at > 2:
        return False
    before = words[at - 1]
    if before.key in _WHOSE or before.key in ("at", "in", "of"):
        return False
    if before.capital and before.key not in _NOT_NAMES:
        return False
    if before.key in _TELLINGS and words[at].gap.isspace():
        return True
    return (
        last < len(words)
        and words[last].gap.isspace()
        and words[last].key in _DOINGS
        and not words[last].first
    )
