"""How an update reads while somebody writes it: its reading age, sentences that are too long, jargon in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from coproduce.engine.plainwords import find_terms, reading_age, sentences_too_long
from coproduce.glossary.explained import Glossary
from coproduce.people.models import Hub, Organisation, Person

AGE = 11  # what the software itself keeps to (9 to 11); above it, somebody is told
SHOWN = 8  # words and sentences; who sees twenty at once puts right none


@dataclass(frozen=True)
class Reads:
    """How a text reads. `age` in years, None for fewer than 30 words."""

    age: float | None
    long: list[str]
    jargon: list[str]

    @property
    def is_easy(self) -> bool:
        return (self.age is None or self.age <= AGE) and not self.long and not self.jargon

    @property
    def is_old(self) -> bool:
        return self.age is not None and self.age > AGE


def how_it_reads(text: str, hub: Hub | None = None, names: Iterable[str] = ()) -> Reads:
    """How a text reads. hub: whose glossary explains words where they stand. names: of people and places, no jargon.

    The machine only points: whether to put it another way is for whoever writes.
    """
    known = reading_age(text)
    found = [
        text[each.begins : each.ends]
        for each in find_terms(text, Glossary(hub).known, names)
        if each.kind != "known"
    ]
    return Reads(
        known.years if known else None,
        [text[each.begins : each.ends] for each in sentences_too_long(text)][:SHOWN],
        list({word.casefold(): word for word in found}.values())[:SHOWN],
    )


def names_here(hub: int) -> list[str]:
    """The names that people of a hub know: theirs, their organisations', their hubs'."""
    people = Person.objects.filter(memberships__hub=hub).order_by().values_list("name", flat=True)
    return [
        *people.distinct(),
        *Organisation.objects.order_by().values_list("name", flat=True),
        *Hub.objects.order_by().values_list("name", flat=True),
    ]
