"""What this room holds of one person. Changes are the group's: only who sees to what is anybody's own."""

from __future__ import annotations

from typing import Any

from coproduce.changes.models import Change, Review, Step
from coproduce.people.models import Person


def export(person: Person) -> dict[str, Any]:
    return {
        "changes_they_see_to": [
            {"number": change.pk, "title": change.title}
            for change in Change.objects.filter(owner=person).order_by("pk")
        ],
        "steps_written_down": [
            {"number": step.pk, "change": step.change.title, "on": step.on}
            for step in Step.objects.filter(recorded_by=person).select_related("change")
        ],
        "reviews_written_down": [
            {"number": review.pk, "change": review.change.title, "on": review.on}
            for review in Review.objects.filter(recorded_by=person).select_related("change")
        ],
    }


def erase(person: Person, choice: str) -> list[str]:
    Change.objects.filter(owner=person).update(owner=None)
    Step.objects.filter(recorded_by=person).update(recorded_by=None)
    Review.objects.filter(recorded_by=person).update(recorded_by=None)
    return []
