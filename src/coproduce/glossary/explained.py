"""A text and a hub → what is explained in it, where; and which of its words nobody has explained yet.

Later rooms call this for what goes out on paper and by email: `explanations_for` is the list at the foot of a letter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from coproduce.engine import plainwords
from coproduce.glossary.models import Term
from coproduce.people.models import Hub, Organisation

AIM = 11
"""The reading age, in years, that what we write should not be above."""


class Glossary:
    """The terms that hold in a hub, looked for in as many texts as one likes. One query. Without a hub, none."""

    def __init__(self, hub: Hub | None) -> None:
        terms = list(Term.objects.that_hold_in(hub)) if hub else []
        self._terms = {_looked_for(term): term for term in reversed(terms)}
        self.known = plainwords.Known(map(_looked_for, terms))

    def find(self, text: str) -> list[tuple[int, int, Term]]:
        """Each place of a term: from where to where, and which."""
        return [
            (found.begins, found.ends, self._terms[found.term])
            for found in plainwords.find_known(text, self.known)
            if found.term is not None
        ]


def _looked_for(term: Term) -> plainwords.Term:
    return plainwords.Term(term.word, term.other_forms)


def explanations_for(text: str, hub: Hub) -> list[Term]:
    """The terms that stand in a text, each once, in the order in which they come. For the foot of a page."""
    return list({term.pk: term for _begins, _ends, term in Glossary(hub).find(text)}.values())


@dataclass(frozen=True)
class Unexplained:
    """A word that somebody may stumble over. `stands_for`: what the text itself says that it stands for, or ""."""

    word: str
    stands_for: str = ""


def unexplained(text: str, hub: Hub | None, names: Iterable[str] = ()) -> list[Unexplained]:
    """The jargon of a text that nobody in the hub has explained, each once, in the order in which it comes.

    names: of people, which are no jargon either, as those of hubs and organisations are not.
    """
    names = [
        *names,
        *Hub.objects.values_list("name", flat=True),
        *Organisation.objects.values_list("name", flat=True),
    ]
    words: dict[str, Unexplained] = {}
    for found in plainwords.find_terms(text, Glossary(hub).known, names):
        if found.kind != "known":
            word = " ".join(text[found.begins : found.ends].split())
            words.setdefault(word.casefold(), Unexplained(word, found.expansion or ""))
    return list(words.values())


@dataclass(frozen=True)
class Check:
    """How plain a text is, for whoever is about to send it out."""

    words: list[Unexplained]
    explained: list[Term]
    age: int | None  # in years; None where the text is too short to tell
    long_sentences: list[str]

    @property
    def is_easy(self) -> bool:
        return not (self.is_old or self.words or self.long_sentences)

    @property
    def is_old(self) -> bool:
        return self.age is not None and self.age > AIM


def check(text: str, hub: Hub | None, names: Iterable[str] = ()) -> Check:
    """How plain a text is to people of a hub. names: of people they know. The machine only points."""
    age = plainwords.reading_age(text)
    return Check(
        unexplained(text, hub, names),
        explanations_for(text, hub) if hub else [],
        round(age.years) if age else None,
        [text[long.begins : long.ends] for long in plainwords.sentences_too_long(text)],
    )
