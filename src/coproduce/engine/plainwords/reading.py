"""How old somebody has to be to read a text with ease, and the sentences that are too long."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from coproduce.engine.masking.online import find_online
from coproduce.engine.masking.words import words_in
from coproduce.engine.quotes import whole_sentences

FEWEST_WORDS = 30
"""A text of fewer words has no reading age: one long word would change it by years."""

LONG_SENTENCE = 25
"""A sentence of more words than this is long. GOV.UK's own writers split theirs at 25."""

YOUNGEST = 5.0
"""No text has a reading age below this: nobody is expected to read before they go to school."""


@dataclass(frozen=True, slots=True)
class ReadingAge:
    """How hard a text is to read.

    years: the age in years at which people in UK schools read such a text, one decimal, >= `YOUNGEST`. There
        is no upper bound: what comes out above 18 says "hard" and not an age.
    words, sentences, syllables: what it was reckoned from, each >= 1.
    """

    years: float
    words: int
    sentences: int
    syllables: int


@dataclass(frozen=True, slots=True)
class LongSentence:
    """A sentence that is too long: `text[begins:ends]`, in characters, and how many words it has."""

    begins: int
    ends: int
    words: int


def reading_age(text: str) -> ReadingAge | None:
    """The reading age of a text in English, or None where it has fewer than `FEWEST_WORDS` words.

    The grade is that of Kincaid, Fishburne, Rogers and Chissom, "Derivation of new readability formulas for
    Navy enlisted personnel", Research Branch Report 8-75 (1975):

        0.39 x words / sentences + 11.8 x syllables / words - 15.59

    A child in grade 1 turns six, so five is added to make it an age. Numbers, email and web addresses are
    no words here. A sentence ends where `quotes.whole_sentences` ends it, and with each item of a list.

    What it cannot do: it counts lengths and understands nothing, so short rare words ("lien") look easy; under
    a hundred words it may be off by two years; it was made from prose of the US Navy; syllables are
    counted by rule (`syllables`), right for about nineteen words in twenty; other languages come out as
    nonsense. Use it to compare two drafts, not to pass or fail one.
    """
    words = count = sentences = 0
    for _, _, inside in _sentences(text):
        sentences += 1
        words += len(inside)
        count += sum(map(syllables, inside))
    if words < FEWEST_WORDS:
        return None
    grade = 0.39 * words / sentences + 11.8 * count / words - 15.59
    return ReadingAge(max(round(grade + 5, 1), YOUNGEST), words, sentences, count)


def sentences_too_long(text: str, more_than: int = LONG_SENTENCE) -> list[LongSentence]:
    """The sentences of a text that have more words than that, in order; words as in `reading_age`.

    Raises ValueError where `more_than` is less than 1.
    """
    if more_than < 1:
        raise ValueError(f"A sentence may have at least 1 word, not {more_than}")
    return [
        LongSentence(begins, ends, len(inside))
        for begins, ends, inside in _sentences(text)
        if len(inside) > more_than
    ]


_ITEM = re.compile(r"\n[^\S\n]{0,20}(?:[-*•–·‣]|\(?(?:\d{1,3}|[a-z]|[ivx]{1,4})[.)])[^\S\n]")


def _sentences(text: str) -> Iterator[tuple[int, int, list[str]]]:
    """Each sentence that has a word in it: from where to where, and its words in small letters."""
    words = words_in(text)
    online = sorted((found.begins, found.ends) for found in find_online(text, words))
    at = web = 0
    for sentence in whole_sentences(text):
        items = [each.start() for each in _ITEM.finditer(text, sentence.begins, sentence.ends)]
        edges = [sentence.begins, *items, sentence.ends]
        for begins, ends in pairwise(edges):
            inside: list[str] = []
            while at < len(words) and words[at].begins < ends:
                word = words[at]
                at += 1
                while web < len(online) and online[web][1] <= word.begins:
                    web += 1
                if (web == len(online) or word.begins < online[web][0]) and word.key[:1].isalpha():
                    inside.append(word.key)
            if inside:
                blanks = len(text[begins:ends]) - len(text[begins:ends].lstrip())
                yield begins + blanks, ends, inside


# Syllables

_VOWELS = re.compile(r"[aeiouy]+")
_Y_BETWEEN = re.compile(r"(?<=[aeou])y(?=[aeiou])")
_U_OF_ANOTHER = re.compile(r"(?<=q)u|(?<=g)u(?=[aei][a-z])")

_APART = re.compile(
    r"(?<![tcgsx])iou|uou|(?<![tscgxnl])io(?!u)|(?<=[sl])io(?![un])|(?<![tcs])ia(?!g)|cia(?=t)|iu"  # per-i-od, di-a-ry
    r"|(?<![tc])ien(?=[ct])|^lion|^scien|iet|(?<=[^aeiou]i)e(?=rs?$|st$)(?<!^.ie)(?<!^..ie)"  # cli-ent, qui-et
    r"|ua(?=t|l|r[iy])|uici|eo(?=lo|gr|\b)|crea(?=t)|^rea(?=ct|li[ts]|ss)|[^aeiou]ea$"  # val-u-ate, cre-ate, are-a
    r"|^coo(?=[pr][^s]..)|^rei(?=[mns])|[aeiou]ing(?:s|ly)?$|(?:s|th)ms?$|[ds]n't$"  # do-ing, pris-m, did-n't
)
_SILENT = re.compile(
    r"(?<![aeiouy])(?<![^aeiouylr]l)(?<![bdt]r)e$"  # made, but not ta-ble, cen-tre
    r"|(?<![aeiouysxzcg])(?<!ch|sh)(?<![^aeiouylr]l)es$"  # makes, but not hous-es, ta-bles
    r"|(?<![aeiouytd])(?<![^aeiouylr]l)ed$"  # moved, but not mend-ed, han-dled
    r"|(?<=[^aeiouyl])e(?=(?:ly|ments?|ful|fully|less|lessly|lessness|ness)$)"  # safe-ly, state-ment
    r"|(?<=[aeiou][^aeiouy])e(?=gu?ard|hold|work|giver|taker|time|line|thing|where|fore)"  # safe-guard, some-thing
    r"|(?<=^ev)e(?=r[yi]|ning)|(?<=^bus)i(?=n)"  # ev-ery, bus-iness
)


def syllables(word: str) -> int:
    """How many syllables an English word has, at least 1, by rule; no list of words is asked.

    word: in small letters without accents. Each run of vowels is one. Vowels that are spoken apart ("di-et",
    "cre-ate") and endings without a vowel ("-ism", "-n't") add one, an "e" that is not spoken takes one off
    ("made", "moved", "safely").
    """
    word = _U_OF_ANOTHER.sub("", _Y_BETWEEN.sub(" ", word))
    spoken = len(_VOWELS.findall(word)) + len(_APART.findall(word)) - len(_SILENT.findall(word))
    return max(1, spoken)
