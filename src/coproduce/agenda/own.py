"""What this room holds of one person: to give it to them, and to take it out."""

from __future__ import annotations

from typing import Any

from coproduce.agenda import own_meetings
from coproduce.agenda.models import Decision, Topic
from coproduce.people.models import Erasure, Person


def export(person: Person) -> dict[str, Any]:
    """The topics they raised, and the decisions they wrote down for the group."""
    return {
        "topics": [
            {
                "number": topic.pk,
                "title": topic.title,
                "why": topic.why,
                "hub": topic.hub.name,
                "raised_on": topic.raised_on,
            }
            for topic in Topic.objects.filter(raised_by=person).select_related("hub").order_by("pk")
        ],
        "decisions_written_down": [
            {"number": decision.pk, "topic": decision.topic.title, "on": decision.on}
            for decision in Decision.objects.filter(recorded_by=person).select_related("topic")
        ],
        **own_meetings.export(person),
    }


def erase(person: Person, choice: str) -> list[str]:
    """Why a topic matters to them is theirs and goes. So does its title, unless the group has taken it up."""
    if choice == Erasure.Choice.TAKE_OUT:
        for topic in Topic.objects.filter(raised_by=person):
            topic.why = ""
            if not _taken_up(topic, person):
                topic.title = "Taken out at their wish"
            topic.save(update_fields=["title", "why"])
    Topic.objects.filter(raised_by=person).update(raised_by=None)
    Decision.objects.filter(recorded_by=person).update(recorded_by=None)
    own_meetings.erase(person, choice)
    return []


def _taken_up(topic: Topic, person: Person) -> bool:
    """Whether anything but their own words stands on the topic, also from later rooms."""
    if topic.themes.exists() or topic.voices.exclude(person=person).exists():
        return True
    return any(
        getattr(topic, str(relation.get_accessor_name())).exists() for relation in topic._meta.related_objects
    )
