"""Where the terms that a group has explained stand in a text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from coproduce.engine.masking.words import SPACES, Word, words_in

HYPHENS = ("-", "‐", "‑")
_JOINED = re.compile(r"\s?[-‐‑&]\s?")
_MOST_WRITTEN = 16  # ways of writing a form with hyphens; nobody's term has more than four hyphens


@dataclass(frozen=True, slots=True)
class Term:
    """A word that a group has explained.

    word: as it stands at the head of its explanation, of one or more words. also: its other forms ("ICB" for
        "integrated care board").
    """

    word: str
    also: tuple[str, ...] = ()


class Known:
    """The terms that are looked for, made once and used for many texts.

    terms: a string stands for a `Term` without other forms. One that has no letter is passed over. Where two
        have a form in common, the earlier one has it.

    A form is found whatever its capitals, as one or as several ("boards"), and with a space for a hyphen or
    none ("co-production", "co production", "coproduction"). Only one with capitals after its first letter
    ("ICB", "DfE", "PIP") is found by those: "pip" is another word.
    """

    def __init__(self, terms: Iterable[Term | str] = ()) -> None:
        self._forms: dict[tuple[str, ...], dict[str, Term]] = {}
        self._sizes: dict[str, set[int]] = {}
        for given in terms:
            term = Term(given) if isinstance(given, str) else given
            for form in (term.word, *term.also):
                self._take(form.strip(), term)

    def __bool__(self) -> bool:
        return bool(self._forms)

    def _take(self, form: str, term: Term) -> None:
        words = words_in(form)
        if not any(word.key[0].isalpha() for word in words):
            return
        inner = len(words) == 1 and not form[1:].islower() and form[1:].casefold() != form[1:]
        for keys in _written(words):
            # "news" is not several of "new"; "reasonable adjustments" is several of "reasonable adjustment".
            lasts = _one_of(keys[-1]) if len(keys) > 1 or len(keys[-1]) > 5 else [keys[-1]]
            for last in lasts:
                self._forms.setdefault((*keys[:-1], last), {}).setdefault(form if inner else "", term)
            self._sizes.setdefault(keys[0], set()).add(len(keys))
            if len(keys) == 1:
                for last in lasts:
                    self._sizes.setdefault(last, set()).add(1)

    def at(self, text: str, words: list[Word], at: int) -> tuple[Term, int] | None:
        """The term that begins with a word and how many words it has here, or None; the longest, if several."""
        firsts = _one_of(words[at].key)
        sizes = {size for first in firsts for size in self._sizes.get(first, ())}
        for size in sorted(sizes, reverse=True):
            if at + size > len(words) or not all(near(words, at + more) for more in range(1, size)):
                continue
            run = words[at : at + size]
            start = [_key(word) for word in run]
            start[0] = run[0].key
            said = text[run[0].begins : run[-1].ends]
            for last in _one_of(start[-1]):
                for form, term in self._forms.get((*start[:-1], last), {}).items():
                    if not form or said in (form, form + "s", form.upper(), form.upper() + "s"):
                        return term, size
        return None


def near(words: list[Word], at: int) -> bool:
    """Whether a word stands right after the one before it: a space, a hyphen or "&" between them."""
    gap = words[at].gap
    return not words[at - 1].owns and bool(SPACES.fullmatch(gap) or _JOINED.fullmatch(gap))


def _key(word: Word) -> str:
    return "&" + word.key if "&" in word.gap else word.key


def _written(words: list[Word]) -> list[tuple[str, ...]]:
    """The ways of writing a form: "co-production" is "co production" and "coproduction" too."""
    ways: list[tuple[str, ...]] = [(words[0].key,)]
    for word in words[1:]:
        apart = [(*before, _key(word)) for before in ways]
        merged = [(*before[:-1], before[-1] + word.key) for before in ways] if word.gap in HYPHENS else []
        ways = [*apart, *merged][:_MOST_WRITTEN]
    return ways


def _one_of(key: str) -> list[str]:
    """A word, and what it may be several of."""
    forms = [key]
    if len(key) > 2 and key.endswith("s") and not key.endswith("ss"):
        forms.append(key[:-1])
        if key.endswith("ies"):
            forms.append(key[:-3] + "y")
        elif key.endswith(("ses", "xes", "zes", "ches", "shes")):
            forms.append(key[:-2])
    return forms
