"""A turn → statements: pieces short enough to be about one thing, long enough to be about something."""

from __future__ import annotations

from coproduce.engine.quotes import Span, sentences

LONGEST = 80
"""No statement has more words than this."""

ENOUGH = 25
"""A statement is let end once it has this many words."""


def statements(text: str) -> list[Span]:
    """Cut what somebody said into statements of whole sentences.

    The spans are in order, do not overlap, and leave out nothing but white space. A statement ends with a
    sentence once it has `ENOUGH` words, or before it would have more than `LONGEST`.
    """
    pieces: list[Span] = []
    size = 0
    for each in sentences(text):
        long = len(text[each.begins : each.ends].split())
        if pieces and size < ENOUGH and size + long <= LONGEST:
            pieces[-1] = Span(pieces[-1].begins, each.ends)
            size += long
        else:
            pieces.append(each)
            size = long
    if len(pieces) > 1 and size < ENOUGH // 2:
        before = len(text[pieces[-2].begins : pieces[-1].ends].split())
        if before <= LONGEST:
            pieces[-2:] = [Span(pieces[-2].begins, pieces[-1].ends)]
    return pieces
