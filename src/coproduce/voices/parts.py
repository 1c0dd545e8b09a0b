"""A long story in parts, by where the talk turns. The machine looks for them; a worker does it, since each turn has to
be read. What is kept is only at which turns they begin: what a part is called are the words that stand there now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from django.db import transaction
from django.db.models import Count, F, QuerySet
from django.db.models.functions import Left
from django.utils import timezone
from django.utils.text import Truncator

from coproduce.engine.themes import chapters
from coproduce.voices.models import Story, Turn

LONG = 20
"""A story of fewer turns than this is read without."""

SAYS_SOMETHING = 40
"""A part is called by the first turn in it with so many letters: a "yes" tells nobody what comes."""

CALLED_BY = 12
"""So many words of it."""

OPENING = 200
"""They stand in so many letters."""


def to_look_through() -> QuerySet[Story]:
    """Stories that are all there, and whose words are new or changed since somebody last looked for their parts."""
    waiting = Story.objects.filter(parts_at__isnull=True).annotate(taken_in=Count("turns"))
    return waiting.filter(taken_in__gte=F("turns_expected")).order_by("pk")


def find(story: Story) -> None:
    """Look for the parts of a story and keep them."""
    said = list(_said(story))
    long = len(said) >= LONG
    begins = chapters([text for _pk, text in said]) if long else []
    keep(story, said, [said[at][0] for at in begins])


@transaction.atomic
def keep(story: Story, said: Sequence[tuple[int, str]], begins: Sequence[int]) -> None:
    """Keep at which turns (their ids) the parts of a story begin. If its words are not those that were looked at any
    more, nothing is kept, and it waits to be looked at again."""
    Story.objects.select_for_update().get(pk=story.pk)
    if list(_said(story)) != list(said):
        return
    story.turns.filter(begins_part=True).exclude(pk__in=begins).update(begins_part=False)
    story.turns.filter(pk__in=begins).update(begins_part=True)
    Story.objects.filter(pk=story.pk).update(parts_at=timezone.now())


def _said(story: Story) -> QuerySet[Turn, tuple[int, str]]:
    kept = story.turns.filter(trimmed=False).exclude(text="")
    return kept.order_by("position").values_list("pk", "text")


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a story: its number from 1, the turn that it begins with, how many turns come before it, and how
    it begins, to the letter."""

    number: int
    turn: Turn
    before: int
    first_words: str


def parts_of(story: Story) -> list[Part]:
    """The parts of a story, in order; none where it is not long, or where nobody has looked yet."""
    kept = story.turns.filter(trimmed=False).order_by("position").defer("text")
    turns = list(kept.annotate(opening=Left("text", OPENING)))
    begins = [at for at, turn in enumerate(turns) if turn.begins_part]
    if len(begins) < 2:
        return []
    found = []
    for number, (first, end) in enumerate(pairwise([*begins, len(turns)]), 1):
        openings = [turn.opening for turn in turns[first:end]]
        words = next((each for each in openings if len(each) >= SAYS_SOMETHING), max(openings, key=len))
        found.append(Part(number, turns[first], first, Truncator(words).words(CALLED_BY)))
    return found
