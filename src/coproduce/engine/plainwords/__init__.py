"""A text → the jargon in it, and how old somebody has to be to read it with ease.

The machine says where jargon may stand; what it means is for people to write. English only. The words it
goes by are in `words.toml`; how many people meet a word is counted by the package wordfreq.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from coproduce.engine.masking.names import Known as Names
from coproduce.engine.masking.names import find_names
from coproduce.engine.masking.online import find_online
from coproduce.engine.masking.words import Word, words_in
from coproduce.engine.plainwords.acronyms import find_acronyms, find_spelled_out
from coproduce.engine.plainwords.known import Known, Term, near
from coproduce.engine.plainwords.phrases import find_phrases
from coproduce.engine.plainwords.rarity import RARE, RARE_AND_LEARNED, learned, rare, zipf
from coproduce.engine.plainwords.reading import (
    FEWEST_WORDS,
    LONG_SENTENCE,
    YOUNGEST,
    LongSentence,
    ReadingAge,
    reading_age,
    sentences_too_long,
    syllables,
)

__all__ = [
    "FEWEST_WORDS",
    "LONG_SENTENCE",
    "RARE",
    "RARE_AND_LEARNED",
    "YOUNGEST",
    "Found",
    "Kind",
    "Known",
    "LongSentence",
    "ReadingAge",
    "Term",
    "find_known",
    "find_terms",
    "reading_age",
    "sentences_too_long",
    "syllables",
    "zipf",
]

Kind = Literal["known", "acronym", "phrase", "rare"]


@dataclass(frozen=True, slots=True)
class Found:
    """A piece of jargon in a text: `text[begins:ends]`.

    begins, ends: places in the text, in characters, 0 <= begins < ends <= len(text).
    kind: "known" has been explained, "acronym" has the shape of one, "phrase" has several words, "rare" is a
        word that few people meet.
    expansion: what the text itself says that an acronym stands for, as it stands there; else None.
    term: which of the known terms it is; None unless `kind` is "known".
    """

    begins: int
    ends: int
    kind: Kind
    expansion: str | None = None
    term: Term | None = None


def find_known(text: str, known: Known) -> list[Found]:
    """Where known terms stand in a text, in order and without overlap; the longest that begins at a word.

    text: anything, of any length; takes time in proportion to it. Raises nothing.
    Not looked for in email and web addresses.
    """
    if not known:
        return []
    words = words_in(text)
    return _known(text, words, _online(text, words), known)


def find_terms(text: str, known: Known | Iterable[Term | str] = (), names: Iterable[str] = ()) -> list[Found]:
    """The jargon of a text, in order and without overlap.

    text: anything, of any length; takes time in proportion to it. Raises nothing.
    known: what a group has explained, which goes before everything else.
    names: names of people, organisations and places that are no jargon, beside those that are known by the
        given names people in the UK have.

    Where two overlap, known terms go first, then what the text itself spells out and acronyms, then phrases, then
    rare words. Each place is found, not only the first. Left alone: numbers, email and web addresses,
    names, words in capitals that are everyday words or part of a line in capitals, and a word that begins
    with a capital within a sentence, unless it is part of a phrase.

    Methods:

    - acronyms: two capitals or more in up to nine letters ("ICB", "MoU", "R&D", "PHQ-9", and "ICBs"), but not
      those that everybody knows ("NHS"), names ("McKay") or Roman numbers;
    - what the text spells out: Schwartz and Hearst (2003), see `acronyms.find_spelled_out`. The long form is
      a "phrase", and every place where the acronym stands has it as `expansion`;
    - phrases: `phrases.find_phrases`; rare words: `rarity.rare`, with its two thresholds.
    """
    if not isinstance(known, Known):
        known = Known(known)
    words = words_in(text)
    online = _online(text, words)
    taken = _Taken(online)
    found = [each for each in _known(text, words, online, known) if taken.take(each.begins, each.ends)]

    spelled: dict[str, str] = {}
    for letters, begins, ends in find_spelled_out(text):
        spelled.setdefault(letters, " ".join(text[begins:ends].split()))
        if taken.take(begins, ends):
            found.append(Found(begins, ends, "phrase"))
    for begins, ends, letters in find_acronyms(text, words):
        if taken.take(begins, ends):
            found.append(Found(begins, ends, "acronym", spelled.get(letters)))
    phrases = sorted(find_phrases(text, words), key=lambda each: (each.first - each.last, each.first))
    for first, last in phrases:
        if taken.take(words[first].begins, words[last - 1].ends):
            found.append(Found(words[first].begins, words[last - 1].ends, "phrase"))

    for begins, ends, _ in find_names(words, Names(names)):
        taken.take(begins, ends)
    in_small_letters = {word.key for word in words if not word.capital}
    seen: dict[str, bool] = {}
    for at, word in enumerate(words):
        if word.capital and not (
            word.key in in_small_letters or (_begins_sentence(words, at) and learned(word.key))
        ):
            continue
        if word.key not in seen:
            seen[word.key] = rare(word.key)
        if seen[word.key] and taken.take(word.begins, word.ends):
            found.append(Found(word.begins, word.ends, "rare"))
    return sorted(found, key=lambda each: each.begins)


def _begins_sentence(words: list[Word], at: int) -> bool:
    return words[at].first and not (at + 1 < len(words) and near(words, at + 1) and words[at + 1].capital)


def _online(text: str, words: list[Word]) -> list[tuple[int, int]]:
    return [(each.begins, each.ends) for each in find_online(text, words)]


def _known(text: str, words: list[Word], online: list[tuple[int, int]], known: Known) -> list[Found]:
    found: list[Found] = []
    if not known:
        return found
    taken = _Taken(online)
    at = 0
    while at < len(words):
        here = known.at(text, words, at)
        if here is None:
            at += 1
            continue
        term, size = here
        if taken.take(words[at].begins, words[at + size - 1].ends):
            found.append(Found(words[at].begins, words[at + size - 1].ends, "known", None, term))
        at += size
    return found


class _Taken:
    """The characters of a text that belong to something already."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        self._signs: set[int] = set()
        for begins, ends in spans:
            self.take(begins, ends)

    def take(self, begins: int, ends: int) -> bool:
        """Takes a span if all of it is free, and says whether it was."""
        if any(at in self._signs for at in range(begins, ends)):
            return False
        self._signs.update(range(begins, ends))
        return True
