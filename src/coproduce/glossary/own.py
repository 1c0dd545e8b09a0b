"""What this room holds of one person: to give it to them, and to take it out."""

from __future__ import annotations

from typing import Any

from coproduce.glossary.models import Term
from coproduce.people.models import Erasure, Person


def export(person: Person) -> dict[str, Any]:
    """The words they explained. What they asked about is not kept as theirs."""
    return {
        "words_explained": [
            {
                "number": term.pk,
                "word": term.word,
                "explanation": term.explanation,
                "example": term.example,
                "hub": term.hub.name,
                "at": term.written_at,
                "agreed": term.is_agreed,
            }
            for term in Term.objects.filter(written_by=person).select_related("hub").order_by("pk")
        ]
    }


def erase(person: Person, choice: str) -> list[str]:
    """What the group agreed on is the group's, and stays without their name; its example, from their life, goes.

    What was only proposed goes with them, unless they leave their words. Returns the files to delete.
    """
    theirs = Term.objects.filter(written_by=person)
    files: list[str] = []
    if choice == Erasure.Choice.TAKE_OUT:
        files = [name for name in theirs.proposed().values_list("picture", flat=True) if name]
        theirs.proposed().delete()
        theirs.update(example="")
    theirs.update(written_by=None)
    return files
