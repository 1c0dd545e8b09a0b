"""What you said, what happened: one person's own page, put together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coproduce.agenda.models import Stage as TopicStage
from coproduce.agenda.models import Topic, topics_above
from coproduce.changes.models import Change, Clause, Step
from coproduce.changes.models import Stage as ChangeStage
from coproduce.changes.templatetags.changes import KINDS as STAGE_KINDS
from coproduce.changes.templatetags.changes import next_of, stages_of
from coproduce.changes.thread import Ahead, ahead_of
from coproduce.consensus.models import Conversation
from coproduce.hearback.models import Feedback, State, with_quotes
from coproduce.people.counts import said_to
from coproduce.people.models import Person
from coproduce.people.templatetags.plain import said_when
from coproduce.themes.models import Theme, voices_in
from coproduce.voices.models import Voice

STAYS_NEW = dt.timedelta(days=30)
STAGES = {TopicStage.WORKING: "talking", TopicStage.DECIDED: "done", TopicStage.CHANGED: "done"}


@dataclass
class News:
    """A change or topic that the person stands behind: their words or what they wanted, the way it took, what they
    were told last."""

    about: Change | Topic
    voices: list[Voice]
    trail: list[dict[str, Any]]
    feedback: Feedback | None = None
    wanted: list[Topic] = field(default_factory=list)  # where they said nothing on it

    @property
    def about_path(self) -> str:
        room = "changes:change" if isinstance(self.about, Change) else "agenda:topic"
        return reverse(room, args=[self.about.pk])


@dataclass
class Open:
    """Something said that led to no change yet: where it is, and what is owed on it."""

    voice: Voice
    where: str
    tag: str
    kind: str


@dataclass(frozen=True)
class Wants:
    """A topic that the person raised or wants, and where it stands."""

    topic: Topic
    raised: bool
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
    wants: list[Wants] = field(default_factory=list)


def what_became_of_what_they_said(person: Person) -> Mine:
    """Everything the person said, newest first, and what became of each. A fixed number of queries, and one a theme."""
    theirs = Voice.objects.filter(person=person, disowned_at__isnull=True)
    voices = list(theirs.select_related("hub", "turn__story").order_by("-said_on", "-pk"))
    ahead = ahead_of(voice.pk for voice in voices)
    told = told_last(person)
    steps = _steps({change.pk for each in ahead.values() for change in each.changes})
    behind = _people_in({theme.pk for each in ahead.values() for theme in each.themes})

    mine = Mine(said=len(voices))
    news: dict[tuple[type, int], News] = {}
    for voice in voices:
        led = ahead[voice.pk]
        if led.changes:
            mine.led_to_change += 1
        for change in led.changes:
            if (Change, change.pk) not in news:
                trail = _trail(person, led, change, steps.get(change.pk, []), behind)
                news[Change, change.pk] = News(change, [], trail, told.get((Change, change.pk)))
            news[Change, change.pk].voices.append(voice)
        shown: set[int] = set()  # what hubs above made of it was told once, in their own hub
        for topic in () if led.changes else led.topics:
            if (Topic, topic.pk) in told and told[Topic, topic.pk].pk not in shown:
                shown.add(told[Topic, topic.pk].pk)
                if (Topic, topic.pk) not in news:
                    trail = [*(_others(person, theme, *behind[theme.pk]) for theme in led.themes[:1])]
                    trail += [_taken_on(topic), *_decided(topic)]
                    news[Topic, topic.pk] = News(topic, [], trail, told[Topic, topic.pk])
                news[Topic, topic.pk].voices.append(voice)
        if not led.changes:
            mine.still_open.append(_still_open(voice, led, told))
    voted = Conversation.objects.filter(voters__person=person, voters__votes__isnull=False)
    _what_they_want(person, mine, news, told, set(voted.values_list("topic", flat=True)))
    for topic in _voted_on(voted, told, news):
        trail = [_taken_on(topic), _you_voted(), *_decided(topic)]
        news[Topic, topic.pk] = News(topic, [], trail, told.get((Topic, topic.pk)))
    for each in news.values():
        if each.feedback is None:
            mine.owed += 1
        (mine.just_in if each.feedback and _is_new(each.feedback) else mine.earlier).append(each)
    mine.just_in.sort(key=lambda each: each.feedback.update.written_at if each.feedback else 0, reverse=True)
    mine.owed += sum(1 for each in mine.still_open if each.kind == "waiting")
    return mine


def _what_they_want(
    person: Person,
    mine: Mine,
    news: dict[tuple[type, int], News],
    told: dict[tuple[type, int], Feedback],
    voted: set[int],
) -> None:
    """The topics they raised or want. What they were told about one, or a change it led to, is news to them as well,
    also where they said nothing on it."""
    topics = list(Topic.objects.filter(support__person=person).with_stage().order_by("-support__at", "-pk"))
    above = topics_above(topic.pk for topic in topics)
    known = Topic.objects.with_stage().in_bulk(set[int]().union(*above.values()))
    changes: dict[int, list[Change]] = {}
    for change in Change.objects.filter(topics__in=known).with_stage().prefetch_related("topics").distinct():
        for topic in change.topics.all():
            changes.setdefault(topic.pk, []).append(change)
    steps = _steps({change.pk for each in changes.values() for change in each})
    shown = {each.feedback.pk: each for each in news.values() if each.feedback}
    for topic in topics:
        stage = TopicStage(topic.stage)
        kind = STAGES.get(stage, "neutral")
        mine.wants.append(Wants(topic, topic.raised_by_id == person.pk, str(stage.label), kind))
        led = {change.pk: change for pk in above[topic.pk] for change in changes.get(pk, [])}
        things: list[Change | Topic] = [*led.values()] or [known[pk] for pk in sorted(above[topic.pk])]
        for thing in things:
            key = (type(thing), thing.pk)
            if key not in told:
                continue
            if told[key].pk not in shown:
                trail = [_taken_on(topic)]
                if isinstance(thing, Change):
                    trail += [*stages_of(steps.get(thing.pk, [])), *next_of(thing)]
                else:
                    trail += [*([_you_voted()] if thing.pk in voted else []), *_decided(thing)]
                news[key] = shown[told[key].pk] = News(thing, [], trail, told[key])
            if not shown[told[key].pk].voices and topic not in shown[told[key].pk].wanted:
                shown[told[key].pk].wanted.append(topic)


def _you_voted() -> dict[str, object]:
    return {"what": _("You voted on it")}


def _voted_on(
    voted: QuerySet[Conversation], told: Collection[tuple[type, int]], known: Collection[tuple[type, int]]
) -> list[Topic]:
    """Topics of which they know nothing here by their words: they voted, and were told or wait for the answer."""
    topics = Topic.objects.with_stage().filter(conversations__in=voted).distinct()
    frozen = set(voted.filter(decision__isnull=False).values_list("topic", flat=True))
    return [
        topic
        for topic in topics
        if (Topic, topic.pk) not in known and ((Topic, topic.pk) in told or topic.pk in frozen)
    ]


def told_last(person: Person) -> dict[tuple[type, int], Feedback]:
    """For each change and topic that the person was told about, the latest feedback."""
    told: dict[tuple[type, int], Feedback] = {}
    for feedback in with_quotes(
        Feedback.objects.filter(person=person)
        .exclude(state=State.OWED, update__stopped_at__isnull=False)
        .select_related("update__hub", "update__change__owner", "update__topic", "update__step", "answer")
        .select_related("update__review", "update__decision")
        .select_related("update__from_above__change__owner", "update__from_above__topic")
        .select_related(
            "update__from_above__step", "update__from_above__decision", "update__from_above__review"
        )
        .order_by("update__written_at", "pk")
    ):
        for update in (feedback.update.begun, feedback.update):
            told[type(update.about), update.about.pk] = feedback
    return told


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


def _decided(topic: Topic) -> list[dict[str, Any]]:
    """What the group decided on a topic, as the last stage of its way."""
    stage = TopicStage(topic.stage)
    if stage == TopicStage.OPEN:
        return []
    return [{"what": stage.label, "words": topic.decided}]  # type: ignore[attr-defined]


def _still_open(voice: Voice, led: Ahead, told: dict[tuple[type, int], Feedback]) -> Open:
    if not led.topics:
        where = f"“{led.themes[0].name}”" if led.themes else _("We have read it. It is not with others yet.")
        return Open(voice, where, _("With us"), "neutral")
    topic = led.topics[0]
    stage = topic.stage
    if stage == TopicStage.PUT_ASIDE:
        return Open(voice, topic.decided, _("Put aside"), "neutral")  # type: ignore[attr-defined]
    if stage == TopicStage.DECIDED:
        where = _("Decided: “%(title)s”") % {"title": topic.title}
        known = told.get((Topic, topic.pk))
        if known and known.update.decision and known.update.decision.stage == TopicStage.DECIDED:
            return Open(voice, where, _("Decided"), "done")
        return Open(voice, where, _("We owe you"), "waiting")
    return Open(
        voice, _("The group talks about “%(title)s”") % {"title": topic.title}, _("Talking"), "talking"
    )


# The same for one voice, in a line


@dataclass(frozen=True)
class Became:
    """What became of a voice in one place: where, how far it has come, and its page."""

    where: str
    tag: str
    kind: str
    url: str = ""


def became_of(voice: Voice, led: Ahead) -> list[Became]:
    """What became of a voice: each change it led to; else no change and why; else where it is."""
    if led.changes:
        return [
            Became(
                change.title,
                str(ChangeStage(change.stage).label),  # type: ignore[attr-defined]
                STAGE_KINDS.get(change.stage, "talking"),  # type: ignore[attr-defined]
                reverse("changes:change", args=[change.pk]),
            )
            for change in led.changes
        ]
    still_open = _still_open(voice, led, {})
    url = reverse("agenda:topic", args=[led.topics[0].pk]) if led.topics else ""
    tag = _("Decided") if still_open.kind == "waiting" else still_open.tag
    return [Became(still_open.where, str(tag), still_open.kind, url)]


# The same for everything, in order of time: to read, to print, to read out


@dataclass(frozen=True)
class SaidAndHappened:
    """One thing somebody said and what became of it: what they were told, a clause's wording, or that it is open."""

    voice: Voice
    became: list[Became]
    told: list[Feedback]
    clauses: list[Clause]


def said_and_happened(person: Person, reader: Person) -> list[SaidAndHappened]:
    """Everything somebody said that this reader may read, the oldest first, with what became of each.

    Who looks after them reads what they may read anyway; whom they trust to tell them, also what they wrote down.
    """
    theirs = Voice.objects.filter(person=person, disowned_at__isnull=True).exclude(words="")
    if person.pk != reader.pk:
        may_read = Voice.objects.visible_to(reader).filter(person=person).values("pk")
        theirs = theirs.filter(Q(pk__in=may_read) | Q(through=reader), withdrawn_at__isnull=True)
    voices = list(theirs.select_related("hub").order_by("said_on", "pk"))
    ahead, told = ahead_of(voice.pk for voice in voices), told_last(person)
    changes = {change.pk for led in ahead.values() for change in led.changes}
    clauses = {clause.change_id: clause for clause in Clause.objects.filter(change__in=changes)}
    rows = []
    for voice in voices:
        led = ahead[voice.pk]
        things: list[Change | Topic] = [*led.changes] or [*led.topics]
        rows.append(
            SaidAndHappened(
                voice,
                became_of(voice, led),
                [told[type(thing), thing.pk] for thing in things if (type(thing), thing.pk) in told],
                [clauses[change.pk] for change in led.changes if change.pk in clauses],
            )
        )
    return rows
