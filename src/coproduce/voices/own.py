"""What this room holds of one person: to give it to them, and to take it out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from coproduce.people.models import Erasure, Person
from coproduce.voices.models import Carried, Consent, Incoming, Speaker, Story, Turn, Use, Voice, readings_of


def export(person: Person) -> dict[str, Any]:
    """All they said, with what they allowed when; the stories they spoke in, with who has read them."""
    voices = _theirs(person).select_related("hub").prefetch_related("consents").order_by("said_on", "pk")
    speaks = Speaker.objects.filter(person=person).select_related("story__hub").prefetch_related("consents")
    read: dict[int | None, list[dict[str, Any]]] = {}
    for act in readings_of(person):
        read.setdefault(act.thing_id, []).append({"who": act.by.name if act.by else "", "at": act.at})
    return {
        "voices": [
            {
                "number": voice.pk,
                "words": voice.words,
                "hub": voice.hub.name,
                "how": str(voice.get_came_by_display()),
                "said_on": voice.said_on,
                "taken_at": voice.taken_at,
                "allowed": _allowed(voice.consents.all()),
            }
            for voice in voices
        ],
        "stories": [
            {
                "number": speaker.story.pk,
                "title": speaker.story.title,
                "hub": speaker.story.hub.name,
                "told_on": speaker.story.gathered_on,
                "called": speaker.label,
                "allowed": _allowed(speaker.consents.all()),
                "turns": [{"words": turn.text, "began": turn.began} for turn in speaker.turns.all()],
                "read_by": read.get(speaker.story_id, []),
            }
            for speaker in speaks
        ],
    }


def _allowed(consents: Iterable[Consent]) -> list[dict[str, Any]]:
    return [
        {"use": str(Use(one.use).label), "from": one.given_at, "until": one.withdrawn_at} for one in consents
    ]


def _theirs(person: Person) -> QuerySet[Voice]:
    return Voice.objects.filter(Q(person=person) | Q(turn__speaker__person=person))


def turns_nobody_is_named_for(person: Person) -> int:
    """In the stories they spoke in: turns that may be theirs, for all anybody here knows."""
    stories = Story.objects.filter(speakers__person=person)
    return Turn.objects.filter(story__in=stories, speaker__isnull=True, trimmed=False).count()


def erase(person: Person, choice: str) -> list[str]:
    """Take their words out, or their name off them. Rows stay, so that whatever stands on them still stands.

    A story's file goes in any case: it holds their words and most often their name. What others said in the
    story stays, in its turns. Returns the files to delete.
    """
    takes_out = choice == Erasure.Choice.TAKE_OUT
    now = timezone.now()
    speakers = Speaker.objects.filter(person=person)
    spoke = list(speakers.values_list("pk", flat=True))
    voices = list(_theirs(person).values_list("pk", flat=True))
    standing = Consent.objects.filter(
        Q(voice__in=voices) | Q(speaker__in=speakers.order_by().values("pk")), withdrawn_at__isnull=True
    )
    if not takes_out:  # what is public is public under their name
        standing = standing.filter(use=Use.PUBLIC)
    standing.update(withdrawn_at=now, withdrawn_by=None)

    files: list[str] = []
    for story in Story.objects.select_for_update().filter(pk__in=speakers.order_by().values("story")):
        if story.file:
            files.append(str(story.file.name))
        called = [person.name, *speakers.filter(story=story).values_list("label", flat=True)]
        if any(re.search(rf"\b{re.escape(name)}\b", story.title, re.IGNORECASE) for name in called if name):
            story.title = "Story"
        story.file, story.file_name = "", ""
        story.turns_expected = story.turns.count()  # what is not taken in yet went with the file
        story.save(update_fields=["title", "file", "file_name", "turns_expected"])
    if takes_out:
        Voice.objects.filter(pk__in=voices).update(words="", masked="", turn=None, begins=None, ends=None)
        Turn.objects.filter(speaker__in=speakers.order_by().values("pk")).update(text="")
    speakers.update(label="Somebody", person=None)

    Consent.objects.filter(person=person).delete()  # what they set for what they would say from now on
    went = Carried.objects.filter(Q(voice__in=voices) | Q(speaker__in=spoke))
    went.filter(who_has_it__icontains=person.name).update(who_has_it="Somebody")
    Carried.objects.filter(asked_by=person).update(asked_by=None)
    Incoming.objects.filter(taken_by=person).update(taken_by=None)
    Voice.objects.filter(through=person).update(through=None)
    Voice.objects.filter(taken_by=person).update(taken_by=None)
    Story.objects.filter(added_by=person).update(added_by=None)
    Story.objects.filter(gathered_by=person).update(gathered_by=None)
    Consent.objects.filter(given_by=person).update(given_by=None)
    Consent.objects.filter(withdrawn_by=person).update(withdrawn_by=None)
    return files
