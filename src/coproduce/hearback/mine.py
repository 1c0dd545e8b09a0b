"""What you said, what happened: one person's own page, put together."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coproduce.agenda.models import Stage as TopicStage
from coproduce.agenda.models import Topic
from coproduce.changes.models import Change, Step
from coproduce.changes.templatetags.changes import next_of, stages_of
from coproduce.changes.thread import Ahead, ahead_of
from coproduce.hearback.models import Feedback, State
from coproduce.people.counts import said_to
from coproduce.people.models import Person
from coproduce.people.templatetags.plain import said_when
from coproduce.themes.models import Theme, voices_in
from coproduce.voices.models import Voice

STAYS_NEW = dt.timedelta(days=30)


@dataclass
class News:
    """One change that the person stands behind: their words, the way it took, and what they were told last."""

    change: Change
    voices: list[Voice]
    trail: list[dict[str, Any]]
    feedback: Feedback | None = None


@dataclass
class Open:
    """Something said that led to no change yet: where it is, and what is owed on it."""

    voice: Voice
    where: str
    tag: str
    kind: str


@dataclass
class Mine:
    said: int = 0
    led_to_change: int = 0
    owed: int = 0
    just_in: list[News] = field(default_factory=list)
    earlier: list[News] = field(default_factory=list)
    still_open: list[Open] = field(default_factory=list)


def what_became_of_what_they_said(person: Person) -> Mine:
    """Everything the person said, newest first, and what became of each. A fixed number of queries, and one a theme."""
    theirs = Voice.objects.filter(person=person, disowned_at__isnull=True)
    voices = list(theirs.select_related("hub", "turn__story").order_by("-said_on", "-pk"))
    ahead = ahead_of(voice.pk for voice in voices)
    told: dict[int, Feedback] = {}
    for feedback in (
        Feedback.objects.filter(person=person)
        .exclude(state=State.OWED, update__stopped_at__isnull=False)
        .select_related("update__change__owner", "update__change__hub", "answer")
        .order_by("update__written_at", "pk")
    ):
        told[feedback.update.change_id] = feedback
    steps = _steps({change.pk for each in ahead.values() for change in each.changes})
    behind = _people_in({theme.pk for each in ahead.values() for theme in each.themes})

    mine = Mine(said=len(voices))
    news: dict[int, News] = {}
    for voice in voices:
        led = ahead[voice.pk]
        if led.changes:
            mine.led_to_change += 1
        for change in led.changes:
            if change.pk not in news:
                trail = _trail(person, led, change, steps.get(change.pk, []), behind)
                news[change.pk] = News(change, [], trail, told.get(change.pk))
            news[change.pk].voices.append(voice)
        if not led.changes:
            mine.still_open.append(_still_open(voice, led))
    for each in news.values():
        if each.feedback is None:
            mine.owed += 1
        (mine.just_in if each.feedback and _is_new(each.feedback) else mine.earlier).append(each)
    mine.just_in.sort(key=lambda each: each.feedback.update.written_at if each.feedback else 0, reverse=True)
    mine.owed += sum(1 for each in mine.still_open if each.kind == "waiting")
    return mine


def _is_new(feedback: Feedback) -> bool:
    """Not heard yet, or heard lately and not answered."""
    if feedback.state != State.HEARD or feedback.heard_at is None:
        return True
    return feedback.heard_at > timezone.now() - STAYS_NEW and not hasattr(feedback, "answer")


def _steps(changes: set[int]) -> dict[int, list[Step]]:
    known: dict[int, list[Step]] = {}
    for step in Step.objects.filter(change__in=changes):
        known.setdefault(step.change_id, []).append(step)
    return known


def _people_in(themes: set[int]) -> dict[int, tuple[int, int]]:
    """For each theme, how many people spoke of it, in how many hubs."""
    counted = {}
    for theme in themes:
        row = Voice.objects.filter(pk__in=voices_in([theme])).aggregate(
            people=Count("person", distinct=True), hubs=Count("hub", distinct=True)
        )
        counted[theme] = (row["people"], row["hubs"])
    return counted


def _trail(
    person: Person, led: Ahead, change: Change, steps: list[Step], behind: dict[int, tuple[int, int]]
) -> list[dict[str, Any]]:
    """The way from somebody's words to a change, as they meet it."""
    return [
        *(_others(person, theme, *behind[theme.pk]) for theme in led.themes[:1]),
        *(_taken_on(topic) for topic in led.through[change.pk][:1]),
        *stages_of(steps),
        *next_of(change),
    ]


def _others(person: Person, theme: Theme, people: int, hubs: int) -> dict[str, Any]:
    said = said_to(person, people, theme.hub_id, f"people in theme {theme.pk}")
    if not said.exact:
        return {"what": _("Others said it too"), "words": f"{said.people.capitalize()}: “{theme.name}”"}
    if people < 2:
        return {"what": _("It became a theme"), "words": f"“{theme.name}”"}
    where = ngettext("in %(n)d hub", "in %(n)d hubs", hubs) % {"n": hubs}
    return {"what": _("Others said it too"), "words": f"{said.people}, {where}: “{theme.name}”"}


def _taken_on(topic: Topic) -> dict[str, Any]:
    return {"what": _("The group took it on"), "words": f"{said_when(topic.raised_on)}: “{topic.title}”"}


def _still_open(voice: Voice, led: Ahead) -> Open:
    if not led.topics:
        where = f"“{led.themes[0].name}”" if led.themes else _("We have read it. It is not with others yet.")
        return Open(voice, where, _("With us"), "neutral")
    topic = led.topics[0]
    stage = topic.stage
    if stage == TopicStage.PUT_ASIDE:
        return Open(voice, topic.decided, _("Put aside"), "neutral")  # type: ignore[attr-defined]
    if stage == TopicStage.DECIDED:
        return Open(voice, _("Decided: “%(title)s”") % {"title": topic.title}, _("We owe you"), "waiting")
    return Open(
        voice, _("The group talks about “%(title)s”") % {"title": topic.title}, _("Talking"), "talking"
    )
