"""What this room holds of one person. Themes are the group's: only who made and placed what is their own."""

from __future__ import annotations

from typing import Any

from coproduce.people.models import Person
from coproduce.themes.models import Placement, Theme


def export(person: Person) -> dict[str, Any]:
    return {
        "themes_made": [
            {"number": theme.pk, "name": theme.name, "at": theme.made_at}
            for theme in Theme.objects.filter(made_by=person).order_by("pk")
        ]
    }


def erase(person: Person, choice: str) -> list[str]:
    Theme.objects.filter(made_by=person).update(made_by=None)
    Placement.objects.filter(placed_by=person).update(placed_by=None)
    return []
