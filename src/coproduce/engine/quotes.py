"""Turns → quotes: where a turn can be tapped, where words stand in it, where a quote went when it was mended.

Nothing here writes words: every function gives a place in a text that somebody spoke, wrote or mended.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache

LONG_WORDS = 60
"""No piece that `sentences` gives has more words than this."""

GOOD_WORDS = 40
"""Where a longer run has to be cut, a piece has about this many words."""

SHORT_WORDS = 15
"""A cut leaves at least this many words on both sides."""


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a text: `text[begins:ends]`, in characters."""

    begins: int
    ends: int


def trim(text: str, span: Span) -> Span | None:
    """The span clipped to the text, without white space at its ends; None where nothing is left."""
    begins, ends = max(span.begins, 0), min(span.ends, len(text))
    inside = text[begins:ends] if begins < ends else ""
    if not inside.strip():
        return None
    return Span(begins + len(inside) - len(inside.lstrip()), begins + len(inside.rstrip()))


# Cutting a turn into sentences

_WORD = re.compile(r"\S+")
_NEW_PARAGRAPH = re.compile(r"\n[^\S\n]*\n")
_END = re.compile(r"([.!?…؟۔。！？]+)([\"'“”‘’»)\]]*)$")
_PAUSE = re.compile(r"[,;:—–-][\"'”’)]*$")

# These end no sentence; a number's do not before a number; "etc." and "a.m." do not before a small letter.
_NEVER = re.compile(r"(?i)\W*(?:mrs?|ms|mx|dr|prof|rev|st|sr|jr|cllr|hon|e\.?g|i\.?e|vs?|cf|approx|viz)\.$")
_BEFORE_A_NUMBER = re.compile(r"(?i)\W*(?:nos?|pp?|ch|sec|art|fig|vol|tel|ext)\.$")
_BEFORE_A_SMALL_LETTER = re.compile(r"(?i)\W*(?:etc|[ap]\.?m|dept|govt|est|min|mins|hrs?|incl|al)\.$")
_INITIALS = re.compile(r"\W*(?:[A-HJ-Z]|(?:[A-Z]\.)+[A-Z])\.$")

_JOINS = re.compile(
    r"(?i)(?:and|but|so|because|or|then|when|which|who|where|if|while|though|although|since|until|unless|cos|plus)"
)


def sentences(text: str) -> list[Span]:
    """Cut a turn into sentences, to be tapped on a phone.

    The spans are in order, do not overlap, begin and end on a sign that is not white space, and leave out
    nothing but white space. A sentence ends with `.`, `!`, `?` or `…` and the quote marks after it, and
    with a paragraph; not after a title ("Mr."), an initial, "e.g." or its like, nor where an ellipsis or a
    closing quote is followed by a small letter. A run of more than `LONG_WORDS` words, as machines write
    them, is cut after a comma, before a joining word or, failing both, at about `GOOD_WORDS`. A word is
    what stands between white space.
    """
    words = [found.span() for found in _WORD.finditer(text)]
    return [piece for first, last in _ends(text, words) for piece in _cut(text, words[first:last])]


def whole_sentences(text: str) -> list[Span]:
    """The same, with sentences of any length left whole, as papers write them."""
    words = [found.span() for found in _WORD.finditer(text)]
    return [Span(words[first][0], words[last - 1][1]) for first, last in _ends(text, words)]


def _ends(text: str, words: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The first word of each sentence, and the one after its last."""
    first = 0
    for last, (begins, ends) in enumerate(words):
        following = words[last + 1] if last + 1 < len(words) else None
        if (
            following is None
            or _ends_sentence(text[begins:ends][-40:], text[following[0]])
            or ("\n" in (between := text[ends : following[0]]) and _NEW_PARAGRAPH.search(between))
        ):
            yield first, last + 1
            first = last + 1


def _ends_sentence(word: str, following: str) -> bool:
    """Whether a sentence ends with a word, if the next one starts with the letter `following`."""
    end = _END.search(word)
    if end is None:
        return False
    small = following.islower()
    if end[1] == ".":
        return not (
            _NEVER.match(word)
            or _INITIALS.match(word)
            or (following.isdigit() and _BEFORE_A_NUMBER.match(word))
            or (small and (end[2] or _BEFORE_A_SMALL_LETTER.match(word)))
        )
    trails_off = end[1][-1] == "…" or end[1].endswith("..")
    return not (small and (trails_off or end[2]))


def _cut(text: str, words: list[tuple[int, int]]) -> list[Span]:
    """A sentence as one span, or as several where it is too long to be one."""
    pieces: list[Span] = []
    first = 0
    while len(words) - first > LONG_WORDS:
        places = range(first + SHORT_WORDS, min(first + LONG_WORDS, len(words) - SHORT_WORDS) + 1)
        good = first + GOOD_WORDS
        pauses = [at for at in places if _PAUSE.search(text[slice(*words[at - 1])][-8:])]
        joins = [at for at in places if _JOINS.fullmatch(text, *words[at])]
        at = min(pauses or joins or [good], key=lambda place: abs(place - good))
        pieces.append(Span(words[first][0], words[at - 1][1]))
        first = at
    pieces.append(Span(words[first][0], words[-1][1]))
    return pieces


# Finding words that somebody typed or pasted

_ALIKE = str.maketrans(
    dict.fromkeys("‘’‚‛′`´", "'") | dict.fromkeys("“”„‟″«»", '"') | dict.fromkeys("‐‑‒–—−", "-")
)
_QUOTE_MARKS = "\"' "
_DOTS = ". "


def find(text: str, words: str) -> Span | None:
    """Where the words stand in the text: the first place, or None.

    White space, capitals, the shapes of quote marks and dashes, how an accent is written, and `…` or `...`
    make no difference, nor do quote marks and dots around the words. The place begins and ends on the very
    letters: whole words, unless several words were given that only stand there with a part of the first or
    the last.
    """
    letters, places = _fold(text)
    sought = _fold(words)[0].strip(_QUOTE_MARKS)
    for wanted in dict.fromkeys((sought, sought.strip(_QUOTE_MARKS + _DOTS))):
        if not wanted:
            continue
        at = somewhere = letters.find(wanted)
        while at >= 0:
            if _whole(letters, at, at + len(wanted)):
                return _at(text, places, at, at + len(wanted))
            at = letters.find(wanted, at + 1)
        if somewhere >= 0 and " " in wanted:
            return _at(text, places, somewhere, somewhere + len(wanted))
    return None


def _fold(text: str) -> tuple[str, list[int]]:
    """The text with what makes no difference taken out, and for each of its letters the place in the text."""
    letters: list[str] = []
    places: list[int] = []
    for at, sign in enumerate(text):
        folded = _fold_sign(sign)
        if folded == " " and (not letters or letters[-1] == " "):
            continue
        letters.extend(folded)
        places.extend([at] * len(folded))
    return "".join(letters), places


@cache
def _fold_sign(sign: str) -> str:
    if sign.isspace():
        return " "
    return unicodedata.normalize("NFKD", sign.translate(_ALIKE)).casefold().replace(" ", "")


def _whole(letters: str, begins: int, ends: int) -> bool:
    """Whether a span of letters cuts no word in two."""

    def inside_word(at: int) -> bool:
        return 0 < at < len(letters) and all(
            sign.isalnum() or unicodedata.combining(sign) for sign in letters[at - 1 : at + 1]
        )

    return not inside_word(begins) and not inside_word(ends)


def _at(text: str, places: list[int], begins: int, ends: int) -> Span | None:
    """The span in the text of a span of folded letters, with the accents that belong to the last."""
    last = places[ends - 1] + 1
    while last < len(text) and unicodedata.combining(text[last]):
        last += 1
    return trim(text, Span(places[begins], last))


# Carrying a quote over an edit

_TOKEN = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")

MOVED_WORDS = 5
"""A quote of this many words or more, if it is not where it was, is looked for everywhere."""


def carry(before: str, after: str, span: Span) -> Span | None:
    """Where a quote stands after a person mended the turn's text.

    before, after: the text as it was and as it is. span: the quote, in `before`.

    Where the text has not changed, or has only grown at its ends, the answer is exact. Edits inside the quote
    are followed: it begins and ends with what its first and last words have become, and holds what was put
    between. A quote of `MOVED_WORDS` that is no longer whole where it was, but is elsewhere, has moved there.
    None where the words are gone: where fewer than a quarter of them are left (or they are lost among sixteen
    times as many others), unless what stands there is spelled much the same ("homless", "homeless").
    """
    quote = trim(before, span)
    if quote is None:
        return None
    grown = at = after.find(before)
    while at >= 0 and not _whole(after, at, at + len(before)):
        at = after.find(before, at + 1)
    if grown >= 0:
        grown = max(grown, at)
        return Span(quote.begins + grown, quote.ends + grown)

    old = [found.span() for found in _TOKEN.finditer(before)]
    new = [found.span() for found in _TOKEN.finditer(after)]
    first = next(at for at, (_, ends) in enumerate(old) if ends > quote.begins)
    last = next(at for at in range(len(old), 0, -1) if old[at - 1][0] < quote.ends)
    words = [before[begins].isalnum() for begins, _ in old]
    size = sum(words[first:last])
    stands: list[int] = []
    kept = 0
    for same, i, i_ends, j, j_ends in _changes(_folded(before, old), _folded(after, new)):
        lo, hi = max(i, first), min(i_ends, last)
        if lo < hi:
            # Where a mended stretch runs over the edge of the quote, count from its end that is inside.
            begins = j if lo == i else max(j, j_ends - (i_ends - lo))
            ends = j_ends if hi == i_ends else min(j_ends, j + (hi - i))
            if begins < ends:
                stands += [begins, ends]
                kept += sum(words[lo:hi]) if same else 0

    here = None
    if stands:
        begins, ends = new[stands[0]][0], new[stands[-1] - 1][1]
        # A quote may begin or end inside a word.
        cut, rest = max(quote.begins - old[first][0], 0), max(old[last - 1][1] - quote.ends, 0)
        if before[slice(*old[first])] == after[slice(*new[stands[0]])]:
            begins += cut
        if before[slice(*old[last - 1])] == after[slice(*new[stands[-1] - 1])]:
            ends -= rest
        here = trim(after, Span(begins, ends))
    if kept < size and size >= MOVED_WORDS:
        moved = find(after, before[quote.begins : quote.ends])
        if moved is not None:
            return moved
    if here is None:
        return None
    if kept and 4 * kept >= size and 16 * kept >= stands[-1] - stands[0]:
        return here
    return here if _alike(before[quote.begins : quote.ends], after[here.begins : here.ends]) else None


def _folded(text: str, tokens: list[tuple[int, int]]) -> list[str]:
    """The tokens, without what makes no difference."""
    return [text[begins:ends].translate(_ALIKE).casefold() for begins, ends in tokens]


def _changes(old: list[str], new: list[str]) -> Iterator[tuple[bool, int, int, int, int]]:
    """What became of the tokens, in order: whether they stayed, from where to where in old, and in new."""
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    yield True, 0, head, 0, head
    # Only what lies between the first and the last change is compared, which keeps a small edit quick.
    middle = SequenceMatcher(None, old[head : len(old) - tail], new[head : len(new) - tail])
    for tag, i, i_ends, j, j_ends in middle.get_opcodes():
        yield tag == "equal", i + head, i_ends + head, j + head, j_ends + head
    yield True, len(old) - tail, len(old), len(new) - tail, len(new)


def _alike(said: str, stands: str) -> bool:
    """Whether a few words are the same words, spelled differently."""
    if max(len(said), len(stands)) >= 200:
        return False
    return SequenceMatcher(None, said.casefold(), stands.casefold()).ratio() >= 0.6
