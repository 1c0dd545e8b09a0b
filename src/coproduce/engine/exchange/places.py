"""Where a place in a text is, once the text was read otherwise or written anew."""

from __future__ import annotations

from collections.abc import Iterable

from coproduce.engine.quotes import Span, find


def by_words(text: str, words: str, near: int) -> Span | None:
    """The place where these words stand, to the letter but for white space: of several, the one nearest to `near`."""
    sought = letters(words)
    if not sought:
        return None
    places = [at for at, sign in enumerate(text) if not sign.isspace()]
    run = letters(text)
    best: Span | None = None
    at = run.find(sought)
    while at >= 0:
        here = Span(places[at], places[at + len(sought) - 1] + 1)
        if best is None or abs(here.begins - near) < abs(best.begins - near):
            best = here
        at = run.find(sought, at + 1)
    return best


def letters(text: str) -> str:
    """The text without its white space."""
    return "".join(text.split())


def same_words(one: str, other: str) -> bool:
    """Whether two texts are the same but for white space."""
    return letters(one) == letters(other)


def cleaned(text: str, source: str) -> list[int] | None:
    """For every place in a text, and its end, the place in what `transcript.read` made of it.

    source: `Transcript.source` of this text, read as text: line ends are one sign, and signs that nobody sees are
    out. None where it was read as something else, so that places can't be told by counting.
    """
    to: list[int] = []
    at = 0
    for place, sign in enumerate(text):
        to.append(at)
        here = source[at : at + 1]
        if sign == here:
            at += 1
        elif sign == "\r" and text[place + 1 : place + 2] == "\n":
            continue
        elif here == "\n" and sign in _LINE_ENDS:
            at += 1
        elif sign not in _UNSEEN:
            return None
    to.append(at)
    return to if at == len(source) else None


_LINE_ENDS = set("\r\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029")
_UNSEEN = {chr(sign) for sign in (*range(9), *range(0x0E, 0x1C), *range(0x7F, 0xA0), 0xFEFF)}


def in_turns(
    turns: Iterable[tuple[str, int, int]], source: str, begins: int, ends: int
) -> list[tuple[int, Span]]:
    """Where a place in a transcript's source stands in its turns: the number of each turn, and the place in it.

    turns: for each its text, and from where to where it stands in `source`. A place that runs over several turns is
    in each of them; labels, times and white space between them are in none.
    """
    found: list[tuple[int, Span]] = []
    for number, (text, turn_begins, turn_ends) in enumerate(turns):
        if turn_ends <= begins or turn_begins >= ends:
            continue
        # The text of a turn and its stretch of the source are the same but for white space.
        before = _count(source[turn_begins : max(begins, turn_begins)])
        inside = _count(source[max(begins, turn_begins) : min(ends, turn_ends)])
        if not inside:
            continue
        places = [at for at, sign in enumerate(text) if not sign.isspace()]
        found.append((number, Span(places[before], places[before + inside - 1] + 1)))
    return found


def _count(text: str) -> int:
    return sum(not sign.isspace() for sign in text)


def anywhere(texts: Iterable[str], words: str) -> tuple[int, Span] | None:
    """The first of these texts that holds the words, and where, whatever the shapes of quote marks."""
    for number, text in enumerate(texts):
        if place := find(text, words):
            return number, place
    return None
