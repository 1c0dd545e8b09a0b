"""Numbers that somebody is known by: phone, NHS and National Insurance numbers, accounts, references."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from coproduce.engine.masking.candidate import Candidate
from coproduce.engine.masking.cues import REFERS, cue_before
from coproduce.engine.masking.dates import DATE, YEAR
from coproduce.engine.masking.runs import Atom
from coproduce.engine.masking.words import TWO_LETTERS

_CLEAR_REF = re.compile(r"(?i)\b(?:sort code|ref|reference|crn|utr|brp|urn|pin|number|no|code|id)$")

_NATIONAL = r"(?:1\d{8,9}|2\d{9}|3\d{9}|5[056]\d{8}|7\d{9}|800\d{6}|8\d{8,9}|9\d{9})"
_PHONE = re.compile(rf"(?:0|00440?|440?(?=7)){_NATIONAL}")
_PHONE_PLUS = re.compile(rf"440?{_NATIONAL}|(?!44)\d{{8,15}}")
_NI = re.compile(r"([A-Z]{2})\d{6}([A-D]?)")
_NI_PREFIX = re.compile(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z]|QQ")

_MONEY = re.compile(r"[£$€]\s?$")

_REFERENCE = re.compile(
    rf"(?i)\b(?:{REFERS}\s(?:\w{{1,12}}\s){{0,2}}?(?:number|no|ref|reference|code|id)"
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


def find_numbers(text: str, runs: Iterable[list[Atom]]) -> Iterator[Candidate]:
    """Phone, NHS, card, account and reference numbers, in digits or in words."""
    for atoms in runs:
        for has_digits, group in groupby(atoms, key=lambda atom: bool(atom.digits)):
            stretch = list(group)
            if has_digits and sum(len(atom.digits) for atom in stretch) >= 4:
                yield from _stretch_numbers(text, stretch)


def _stretch_numbers(text: str, stretch: list[Atom]) -> Iterator[Candidate]:
    cue, cue_word, cue_gap = cue_before(text, stretch[0].begins)
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
                yield Candidate(_opened(text, begins, ends), ends, "phone")
            elif len(digits) == 10 and _stands_alone(stretch, first, last) and _is_nhs(digits):
                exact = True
                mobile = cue == "phone" and digits[0] == "7"
                yield Candidate(begins, ends, "phone" if mobile else "nhs number")
            elif len(digits) >= 13 and _written_as_card(stretch, first, last) and _is_card(digits):
                exact = True
                yield Candidate(begins, ends, "account or reference number")
        if first == last and len(digits) >= 8 and not atom.said and not money:
            yield Candidate(atom.begins, atom.ends, "account or reference number")
    if exact or money:
        return
    digits = "".join(atom.digits for atom in stretch)
    begins, ends = stretch[0].begins, stretch[-1].ends
    between = text[begins:ends]
    if cue == "nhs" and len(digits) == 10:
        yield Candidate(begins, ends, "nhs number")
    elif cue == "ref" and cue_gap <= 20 and 4 <= len(digits) <= 24 and _CLEAR_REF.search(cue_word):
        yield Candidate(begins, ends, "account or reference number")
    elif all(YEAR.fullmatch(atom.digits) for atom in stretch) or DATE.fullmatch(between):
        return
    elif 8 <= len(digits) <= 12 and digits[0] == "0" and (cue == "phone" or digits[1] in "127"):
        if cue == "phone" or len(digits) >= 9:
            yield Candidate(_opened(text, begins, ends), ends, "phone")
    elif cue == "phone" and 6 <= len(digits) <= 8 and digits[0] != "0" and not _counted(text, between, ends):
        yield Candidate(begins, ends, "phone")


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


def _stands_alone(stretch: list[Atom], first: int, last: int) -> bool:
    """Whether ten digits are written as an NHS number is: together, as 3-3-4, or with none around them."""
    sizes = [len(atom.digits) for atom in stretch[first : last + 1]]
    return sizes in ([10], [3, 3, 4]) or (first == 0 and last == len(stretch) - 1)


def _written_as_card(stretch: list[Atom], first: int, last: int) -> bool:
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


def find_national_insurance(text: str, codes: Iterable[tuple[str, list[Atom]]]) -> Iterator[Candidate]:
    """National Insurance numbers, written or said letter by letter."""
    for signs, atoms in codes:
        begins, ends = atoms[0].begins, atoms[-1].ends
        if (ni := _NI.fullmatch(signs)) and _ni_seems(text, begins, ends, ni):
            yield Candidate(begins, ends, "ni number")


def _ni_seems(text: str, begins: int, ends: int, ni: re.Match[str]) -> bool:
    # "12 34 56 a week" ends in an everyday word, not in a letter.
    week = text[ends - 1] == "a" and not text[ends - 2].isdecimal() and text[ends : ends + 5] == " week"
    if ni[2] and _NI_PREFIX.fullmatch(ni[1]) and text[begins : begins + 2] not in TWO_LETTERS and not week:
        return True
    return cue_before(text, begins)[0] == "ni"


def find_references(text: str) -> Iterator[Candidate]:
    """References by the words before them, and the shapes of a few that have one."""
    for match in _REFERENCE.finditer(text):
        ref = match["ref"]
        digits = sum(sign.isdecimal() for sign in ref)
        if digits >= 4 or (digits >= 3 and len(ref) > digits):
            begins, ends = match.span("ref")
            yield Candidate(begins + len(ref) - len(ref.lstrip(" -/")), ends, "account or reference number")
    for match in _SHAPES.finditer(text):
        if not DATE.fullmatch(match[0]) and not re.fullmatch(r"(?:19|20)\d\d/(?:19|20)\d\d", match[0]):
            yield Candidate(*match.span(), "account or reference number")
