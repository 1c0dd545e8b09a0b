"""From voices to themes and back: which voices are behind a theme, and what a page shows of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
    Window,
)
from django.db.models.functions import DenseRank

from coproduce.people.models import Person
from coproduce.people.permissions import hubs_where
from coproduce.themes.models.themes import Placement, Theme
from coproduce.themes.models.together import KeyMessage, SenseMaking
from coproduce.voices.models import Story, Turn, Use, Voice, VoiceQuerySet


def with_merged(themes: Iterable[int]) -> set[int]:
    """These themes and all that was merged into them. One query for each level of merging."""
    all_themes = level = set(themes)
    while level:
        level = set(Theme.objects.filter(merged_into__in=level).values_list("pk", flat=True)) - all_themes
        all_themes = all_themes | level
    return all_themes


def lines_of_merging(themes: Iterable[int]) -> dict[int, list[int]]:
    """For each theme the way that merging took it: itself first, the theme that stands for it now last."""
    lines = {pk: [pk] for pk in themes}
    level = set(lines)
    while level:
        merged = _merged_into(pk__in=level)
        for line in lines.values():
            if line[-1] in merged:
                line.append(merged[line[-1]])
        level = set(merged.values())
    return lines


def _merged_into(**which: Any) -> dict[int, int]:
    pairs = (
        Theme.objects.filter(merged_into__isnull=False, **which).order_by().values_list("pk", "merged_into")
    )
    return {pk: into for pk, into in pairs if into is not None}


def voices_in(themes: Iterable[int]) -> QuerySet[Placement, Any]:
    """The ids of the voices in these themes, merged ones included, for use in `voice id in (…)`."""
    return Placement.objects.filter(theme__in=with_merged(themes)).order_by().values("voice")


def families(themes: Iterable[int]) -> dict[int, set[int]]:
    """For each theme itself and all that was merged into it. One query for each level of merging."""
    found = {pk: {pk} for pk in themes}
    holds: dict[int, set[int]] = {pk: {pk} for pk in found}  # theme → which of the wanted it belongs to
    level = set(found)
    while level:
        merged = _merged_into(merged_into__in=level)
        level = set()
        for pk, into in merged.items():
            belongs = holds[into] - holds.get(pk, set())
            if belongs:
                holds[pk] = holds.get(pk, set()) | belongs
                level.add(pk)
                for wanted in belongs:
                    found[wanted].add(pk)
    return found


def voice_counts(themes: Iterable[int]) -> dict[int, int]:
    """How many voices each theme has, merged ones included. As many queries for many as for one."""
    family = families(themes)
    alone = [pk for pk, members in family.items() if len(members) == 1]
    together = {member for members in family.values() if len(members) > 1 for member in members}
    rows = Placement.objects.filter(theme__in=alone).order_by().values_list("theme").annotate(Count("pk"))
    placed: dict[int, set[int]] = {}
    for theme, voice in Placement.objects.filter(theme__in=together).order_by().values_list("theme", "voice"):
        placed.setdefault(theme, set()).add(voice)
    return {
        pk: len(set().union(*(placed.get(member, ()) for member in members)))
        for pk, members in family.items()
    } | dict(rows)


def some_voices(themes: Iterable[int], person: Person | None, each: int = 3) -> dict[int, list[Voice]]:
    """For each theme the newest few of its voices that this person may read."""
    family = families(themes)
    stands_for = {member: pk for pk, members in family.items() for member in members}
    if not stands_for:
        return {}
    merged = [When(theme=member, then=Value(pk)) for member, pk in stands_for.items() if member != pk]
    newest = (
        Placement.objects.filter(
            Exists(Voice.objects.visible_to(person).filter(pk=OuterRef("voice"))), theme__in=stands_for
        )
        .annotate(stands=Case(*merged, default=F("theme"), output_field=BigIntegerField()))
        # A voice that two merged themes share is one: dense ranks count it once.
        .annotate(rank=Window(DenseRank(), partition_by=F("stands"), order_by=F("voice").desc()))
        .filter(rank__lte=each)
        .order_by("stands", "-voice")
        .values_list("stands", "voice")
    )
    pairs = list(dict.fromkeys(newest))
    known = Voice.objects.for_reading(person).in_bulk({voice for _theme, voice in pairs})
    shown: dict[int, list[Voice]] = {pk: [] for pk in family}
    for theme, voice in pairs:
        if voice in known:
            shown[theme].append(known[voice])
    return shown


def came_with(theme: Theme, voices: Iterable[int]) -> dict[int, Theme]:
    """For each of the voices that stands in the theme only by a merge, the theme it came with."""
    members = with_merged([theme.pk])
    rows = (
        Placement.objects.filter(theme__in=members, voice__in=list(voices))
        .select_related("theme")
        .order_by("pk")
    )
    own = {row.voice_id for row in rows if row.theme_id == theme.pk}
    return {row.voice_id: row.theme for row in rows if row.voice_id not in own}


def placed() -> Exists:
    """That a voice stands in a theme which nobody discarded: one of a filter on voices."""
    return Exists(Placement.objects.filter(voice=OuterRef("pk"), theme__discarded_at__isnull=True))


def in_no_theme(person: Person | None) -> VoiceQuerySet:
    """Voices in no theme, of the hubs where this person makes sense: what they could still put in one."""
    return (
        Voice.objects.for_reading(person)
        .exclude(words="")
        .filter(~placed(), hub__in=hubs_where(person, "make sense"))
    )


@dataclass(frozen=True)
class Around:
    """What was said just before and after a quote, and where it stands in its turn."""

    before: Turn | None
    after: Turn | None
    turn: Turn


def turns_around(voices: Iterable[Voice], person: Person | None) -> dict[int, Around]:
    """For each quote from a story that this person may read, the turns around it. Two queries, for any number."""
    quotes = [voice for voice in voices if voice.turn is not None and voice.words]
    stories = {voice.turn.story_id for voice in quotes if voice.turn}
    readable = set(
        Story.objects.visible_to(person).filter(pk__in=stories).order_by().values_list("pk", flat=True)
    )
    places = {
        (voice.turn.story_id, voice.turn.position + step)
        for voice in quotes
        if voice.turn and voice.turn.story_id in readable
        for step in (-1, 1)
    }
    if not places:
        return {}
    asked = Q(*(Q(story=story, position=place) for story, place in places), _connector=Q.OR)
    turns = Turn.objects.filter(asked, trimmed=False).exclude(text="").order_by().select_related("speaker")
    known = {(turn.story_id, turn.position): turn for turn in turns}
    return {
        voice.pk: Around(
            before=known.get((voice.turn.story_id, voice.turn.position - 1)),
            after=known.get((voice.turn.story_id, voice.turn.position + 1)),
            turn=voice.turn,
        )
        for voice in quotes
        if voice.turn and voice.turn.story_id in readable
    }


def messages_with_quotes(
    messages: QuerySet[KeyMessage], person: Person | None
) -> list[tuple[KeyMessage, list[Voice], int]]:
    """Each key message with those of its quotes that this person may read and that are still allowed for its use,
    and how many more it stands on. As many queries for many as for one."""
    found = list(messages.select_related("theme", "agreed_at").prefetch_related("stands_on"))
    wanted = {one.voice_id for message in found for one in message.stands_on.all()}
    readable = Voice.objects.for_reading(person).filter(pk__in=wanted).in_bulk()
    allowed = {
        use: set(Voice.objects.filter(pk__in=wanted).for_use(use).values_list("pk", flat=True))
        for use in {message.use for message in found}
    }
    rows = []
    for message in found:
        quotes = [one.voice_id for one in message.stands_on.all()]
        shown = [readable[pk] for pk in quotes if pk in readable and pk in allowed[message.use]]
        rows.append((message, shown, len(quotes) - len(shown)))
    return rows


@dataclass(frozen=True)
class Heard:
    """A quote as it is read out to a group: without who said it. Who did may sit in the room, and may say so."""

    words: str
    how: str
    said_on: dt.date


def heard_in_the_room(session: SenseMaking, theme: Theme, most: int) -> list[Heard]:
    """Quotes of a theme that the group of the session may read, newest first: those of its own hub to the letter,
    those of other hubs only where they are public, as they leave that group."""
    voices = Voice.objects.filter(pk__in=voices_in([theme.pk]))
    own = Q(pk__in=voices.for_use(Use.GROUP).filter(hub=session.hub_id).order_by().values("pk"))
    public = Q(pk__in=voices.for_use(Use.PUBLIC).order_by().values("pk"))
    return [
        Heard(
            voice.words if voice.hub_id == session.hub_id else voice.masked or voice.words,
            str(voice.get_came_by_display()),
            voice.said_on,
        )
        for voice in voices.filter(own | public)[:most]
    ]
