"""Stretches of digits, number words and single letters, as they stand in a text: "oh seven 700 double oh"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple


def _counted_from(first: int, words: str) -> dict[str, str]:
    return {word: str(value) for value, word in enumerate(words.split(), first)}


UNITS = _counted_from(1, "one two three four five six seven eight nine")
_ZEROS = dict.fromkeys(["zero", "oh", "nought", "naught", "nil"], "0")
_TEENS = _counted_from(10, "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen")
TENS = {**_counted_from(2, "twenty thirty forty fifty sixty seventy eighty ninety"), "fourty": "4"}
DIGITS = {**UNITS, **_ZEROS, **_TEENS, **TENS}
_TIMES = {"double": 2, "triple": 3, "treble": 3}
_FILLERS = frozenset({"um", "er", "erm", "uh", "then", "and", "dash", "hyphen", "comma"})
_IN_RUNS = frozenset({*DIGITS, *_TIMES, *_FILLERS, "hundred", "thousand"})

_SIGNS = re.compile(r"\d+|[^\W\d_]+")
_BETWEEN = re.compile(r"[\s.,\-–—‐‑−/()+\u00ad\u200b\u2060]{0,4}")


class Atom(NamedTuple):
    """A piece of a number: its place, its digits or capitals, and whether it was in words."""

    begins: int
    ends: int
    signs: str
    said: bool

    @property
    def digits(self) -> str:
        """Its digits; a lone letter O is said for nought."""
        return "0" if self.signs == "O" else self.signs if self.signs.isdecimal() else ""


def runs_in(text: str) -> Iterator[list[Atom]]:
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


def _atoms(run: list[tuple[int, int, str]]) -> Iterator[list[Atom]]:
    """A run with its number words put together: "double seven" is 77, "nine hundred" 900, "forty two" 42."""
    atoms: list[Atom] = []
    at = 0

    def word(ahead: int) -> str:
        return run[at + ahead][2] if at + ahead < len(run) else ""

    while at < len(run):
        begins, _, sign = run[at]
        signs, took, said = "", 1, True
        if sign.isdecimal():
            signs, said = sign, False
            if len(sign) == 1 and word(1) == "hundred":
                signs, took = sign + "00", 2
        elif sign in _TIMES:
            one = {**UNITS, **_ZEROS, "o": "0", "O": "0"}.get(word(1), word(1))
            if len(one) == 1:
                signs, took = (one * _TIMES[sign]).upper(), 2
        elif sign in UNITS:
            signs = UNITS[sign]
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
            atoms.append(Atom(begins, run[at + took - 1][1], signs, said))
        elif sign not in _FILLERS and atoms:
            yield atoms
            atoms = []
        at += took
    if atoms:
        yield atoms


def _below_hundred(word: str, following: str) -> tuple[str, int] | None:
    """The digits that one or two number words say, and how many words they took."""
    if word in TENS:
        return (TENS[word] + UNITS[following], 2) if following in UNITS else (TENS[word] + "0", 1)
    if word in _TEENS:
        return _TEENS[word], 1
    return (UNITS[word], 1) if word in UNITS else None


def lettered(text: str, runs: Iterable[list[Atom]]) -> Iterator[tuple[str, list[Atom]]]:
    """Every 5 to 9 signs of a run that begin with a letter and stand by themselves, with their atoms."""
    for atoms in runs:
        for first, atom in enumerate(atoms):
            if atom.digits and atom.signs != "O":
                continue
            if atom.begins and (text[atom.begins - 1].isalnum() or text[atom.begins - 1] == "_"):
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
                yield signs, atoms[first : last + 1]
