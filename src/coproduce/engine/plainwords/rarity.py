"""How rare a word is in English."""

from __future__ import annotations

import math
import re
from functools import cache

from wordfreq import get_frequency_dict

from coproduce.engine.plainwords.lists import listed
from coproduce.engine.plainwords.reading import syllables

RARE = 2.6
"""A word below this is rare, in Zipf: 3 is one in a million words, 6 one in a thousand. 2.6 is one in 2.5
million: "teabag" (2.1) and "launderette" (1.9) are as rare, which is why there is a list of plain words."""

RARE_AND_LEARNED = 3.3
"""A word of three syllables and more with a learned ending ("-tion", "-ity", "-ance") is rare below this."""

LONGEST = 40
"""No English word has more letters: what has is not looked up."""

_OFFICIAL = listed("official")
_PLAIN = listed("plain")
_LEARNED = re.compile(
    r"(?:[ts]ion|ment|[ae]nce|[ae]ncy|ity|ive|ology|i[sz]ation|[aeiou][sct]ory|ary|[tcr]ial|ical|[ai]ble|ate|ivity"
    r"|osis|itis|pathy|ician|ically|ively|ability|eum|um|ism|esis|gram|ics|i[sz]e)s?$|(?:i[sz]ed|ated|i[sz]ing|ating)$"
)
_UNDER = re.compile(r"^(?:un|non|re|over|under|out|pre|mid|anti|half|semi|step|grand)(?=\w{3})")


@cache
def _frequencies() -> dict[str, float]:
    # By Robyn Speer, https://github.com/rspeer/wordfreq: the code under the Apache licence 2.0, the counts,
    # which stay in its package, under CC BY-SA 4.0. Of English it holds 321,000 words.
    return get_frequency_dict("en", wordlist="large")


def zipf(word: str) -> float:
    """How frequent an English word is: the logarithm of how often it stands in a billion words.

    word: in small letters. From 0 (not among 321,000 words) to about 7.7 ("the").
    The scale is from van Heuven, Mandera, Keuleers and Brysbaert, "SUBTLEX-UK", Quarterly Journal of
    Experimental Psychology 67 (2014), 1176-1190.
    """
    frequency = _frequencies().get(word, 0.0)
    return round(math.log10(frequency) + 9, 2) if frequency > 0 else 0.0


def learned(word: str) -> bool:
    """Whether a word has the look of one from books: three syllables or more, and an ending from Latin or Greek."""
    return len(word) > 6 and bool(_LEARNED.search(word)) and syllables(word) >= 3


def rare(word: str) -> bool:
    """Whether few people meet a word.

    word: in small letters without accents. It is rare if all its forms are below `RARE` ("knackered", for
    "knacker" is), or below `RARE_AND_LEARNED` if it looks `learned`; if it stands in the list `official`
    of `words.toml`, whatever its count; not if it stands in the list `plain`, nor if it is made of two words
    that everybody knows ("doorbell").
    """
    if word in _OFFICIAL:
        return True
    if word in _PLAIN or not 4 <= len(word) <= LONGEST or not word.isalpha():
        return False
    if learned(word):
        return max(map(zipf, _numbers(word))) < RARE_AND_LEARNED
    if max(map(zipf, _forms(word))) >= RARE:
        return False
    bare = _UNDER.sub("", word)
    return max(map(zipf, _forms(bare))) < 3.5 and not _two_words(word)


def _numbers(word: str) -> list[str]:
    """One, several, and the two ways of writing "-ise"."""
    forms = [word, word[:-1] if word.endswith("s") else word + "s"]
    return forms + [form.replace("is", "iz") for form in forms if "is" in form]


def _forms(word: str) -> set[str]:
    """A word and what it may be a form of."""
    forms = {word, word + "s", word + "ed", word + "ing", word + "d"}
    for ending, *bases in (
        ("s", ""),
        ("es", ""),
        ("ies", "y"),
        ("ed", "", "e"),
        ("ied", "y"),
        ("ing", "", "e"),
        ("er", "", "e"),
        ("ers", "", "e"),
        ("est", "", "e"),
        ("y", "", "e"),
        ("ly", "", "le", "e"),
        ("ily", "y"),
        ("ness", ""),
        ("iness", "y"),
        ("less", ""),
        ("ful", ""),
        ("ish", ""),
        ("in", "ing"),
    ):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            stem = word[: -len(ending)]
            forms.update(stem + base for base in bases)
            if len(stem) > 3 and stem[-1] == stem[-2]:
                forms.add(stem[:-1])
    return forms


def _two_words(word: str) -> bool:
    return any(
        zipf(word[:at]) >= 4.0 and zipf(word[at:]) >= 3.8 and min(at, len(word) - at) >= 3
        for at in range(3, len(word) - 2)
    )
