"""What this room holds of one person: what they made and decided with others, and what the machine made of their words.

Themes, key messages and what a session agreed on are the group's and stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from coproduce.people.models import Erasure, Person
from coproduce.themes.actions import let_go
from coproduce.themes.models import (
    Brought,
    Finding,
    Invited,
    KeyMessage,
    KeyMessageQuote,
    Outcome,
    Placement,
    Proposal,
    ProposedTheme,
    SenseMaking,
    Theme,
)
from coproduce.voices.models import Carried, Voice


def export(person: Person) -> dict[str, Any]:
    """The themes, sessions and key messages they made or wrote down, and the sessions they were invited to."""
    invited = Invited.objects.filter(person=person).select_related("session")
    return {
        "themes_made": [
            {"number": theme.pk, "name": theme.name, "at": theme.made_at}
            for theme in Theme.objects.filter(made_by=person).order_by("pk")
        ],
        "sessions_invited_to": [
            {"name": one.session.name, "on": one.session.on, "told_at": one.told_at, "came": one.came}
            for one in invited.order_by("session__on", "pk")
        ],
        "sessions_made": [
            {"number": session.pk, "name": session.name, "on": session.on}
            for session in SenseMaking.objects.filter(made_by=person).order_by("pk")
        ],
        "outcomes_written_down": [
            {"session": one.session.name, "theme": one.theme.name, "outcome": one.kind, "note": one.note}
            for one in Outcome.objects.filter(recorded_by=person).select_related("session", "theme")
        ],
        "key_messages_written": [
            {"number": message.pk, "words": message.words, "at": message.made_at}
            for message in KeyMessage.objects.filter(made_by=person).order_by("pk")
        ],
        "work_brought_from_other_tools": [
            {"file": one.file_name, "at": one.brought_at, "came": one.came}
            for one in Brought.objects.filter(brought_by=person).order_by("pk")
        ],
    }


def erase(person: Person, choice: str) -> list[str]:
    files = _drop_what_waits(person)
    if choice == Erasure.Choice.TAKE_OUT:
        theirs = Voice.objects.filter(Q(person=person) | Q(turn__speaker__person=person))
        let_go(theirs.order_by().values_list("pk", flat=True))
    Invited.objects.filter(person=person).delete()
    for model, fields in PEOPLE.items():
        for field in fields:
            model._default_manager.filter(**{field: person}).update(**{field: None})
    Carried.objects.filter(
        who_has_it=person.name, kind__in=[Carried.Kind.EXPORT, Carried.Kind.REPORT]
    ).update(who_has_it="Somebody")
    return files


def _drop_what_waits(person: Person) -> list[str]:
    """A file that nobody has taken in may hold what they said, and nobody can tell. So of the hubs they were in, none
    is kept."""
    waiting = Brought.objects.filter(hub__memberships__person=person).exclude(file="")
    files = [str(name) for name in waiting.values_list("file", flat=True)]
    Brought.objects.filter(pk__in=list(waiting.values_list("pk", flat=True))).delete()
    return files


PEOPLE: dict[Any, Iterable[str]] = {  # who did what: it stays done, and nobody can tell by whom
    Brought: ("brought_by",),
    Theme: ("made_by", "confirmed_by", "discarded_by"),
    Placement: ("placed_by",),
    Finding: ("asked_by",),
    ProposedTheme: ("refused_by",),
    Proposal: ("refused_by",),
    SenseMaking: ("made_by",),
    Outcome: ("recorded_by",),
    KeyMessage: ("made_by",),
    KeyMessageQuote: ("chosen_by",),
}
