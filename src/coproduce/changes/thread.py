"""The thread: from voices through theme, topic and decision to a change, and back to each person.

`voices_behind` is the one way from a change to its voices. The page, the list of who is owed and the evidence
all ask it, so they cannot disagree. `ahead_of` walks the same links forward: what you said, what happened.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from django.db.models import Count, QuerySet, Value

from coproduce.agenda.models import (
    Topic,
    supporters_of,
    themes_of,
    topics_above,
    topics_below,
    voices_on,
    with_those_below,
)
from coproduce.changes.models import Change
from coproduce.consensus.models import people_who_voted
from coproduce.people.counts import Said, is_of_the_group, said_to
from coproduce.people.models import Person
from coproduce.themes.models import (
    Placement,
    Theme,
    families,
    lines_of_merging,
    voice_counts,
    voices_in,
    with_merged,
)
from coproduce.voices.models import Voice, VoiceQuerySet


def topics_behind(change: Change) -> list[int]:
    """The topics a change stands on, and those of hubs below that were taken up into them."""
    return sorted(with_those_below(change.topics.order_by().values_list("pk", flat=True)))


def themes_behind(change: Change) -> list[int]:
    """The themes a change stands on, straight or through its topics. What was merged into them comes with them."""
    through_topics = themes_of(topics_behind(change)).order_by().values_list("pk", flat=True)
    straight = change.themes.order_by().values_list("pk", flat=True)
    return sorted({*through_topics, *straight})


def voices_behind(change: Change, among: Collection[int] | None = None) -> VoiceQuerySet:
    """Every voice the change stands on, whichever links lead to it. Words that were disowned stand for nothing.

    `among`: only of these voices. Then the links of those few are looked up, and not the whole thread walked.
    """
    only = {} if among is None else {"voice__in": among}
    placed = voices_in(themes_behind(change)).filter(**only)
    on_topics = Topic.voices.through.objects.filter(topic__in=topics_behind(change), **only).values("voice")
    straight = Change.voices.through.objects.filter(change=change, **only).values("voice")
    return Voice.objects.filter(pk__in=placed.union(on_topics, straight), disowned_at__isnull=True)


def people_behind(change: Change) -> QuerySet[Person]:
    """Everybody who spoke behind the change, or wants or voted on one of its topics, once each."""
    said = voices_behind(change).filter(person__isnull=False).order_by().values("person")
    return _with_no_words(said, topics_behind(change))


def people_on(topics: Iterable[int]) -> QuerySet[Person]:
    """Everybody who stands behind these topics, once each: who said something that led to them, who wants them, and
    who voted on them."""
    topics = with_those_below(topics)
    said = Voice.objects.filter(pk__in=voices_on(topics), disowned_at__isnull=True, person__isnull=False)
    return _with_no_words(said.order_by().values("person"), topics)


def _with_no_words(spoke: QuerySet[Any, Any], topics: Iterable[int]) -> QuerySet[Person]:
    """These people, and those who said nothing, but want these topics or voted on them."""
    return Person.objects.filter(pk__in=spoke.union(supporters_of(topics), people_who_voted(topics)))


@dataclass(frozen=True)
class Behind:
    """How many stand behind a change: voices, people (who somebody can name, said it or want it), hubs."""

    voices: int
    people: int
    hubs: int


def count_behind(change: Change) -> Behind:
    """One pass over the thread, and one over everybody where some stand behind it with no words of theirs."""
    topics = topics_behind(change)
    voices = voices_behind(change).order_by()
    counted = voices.aggregate(
        voices=Count("pk"), people=Count("person", distinct=True), hubs=Count("hub", distinct=True)
    )
    if supporters_of(topics).exists() or people_who_voted(topics).exists():
        counted["people"] = people_behind(change).count()
    return Behind(**counted)


@dataclass(frozen=True)
class BehindAsSaid:
    """count_behind as a reader may know it. Outside the group nobody is told how many hubs."""

    voices: Said
    people: Said
    hubs: int | None


def behind_as_said_to(reader: Person | None, change: Change) -> BehindAsSaid:
    counted = count_behind(change)
    voices, people = (
        said_to(reader, number, change.hub_id, f"{what} behind change {change.pk}")
        for what, number in (("voices", counted.voices), ("people", counted.people))
    )
    return BehindAsSaid(voices, people, counted.hubs if is_of_the_group(reader, change.hub_id) else None)


@dataclass(frozen=True)
class Strand:
    """One voice on the thread, and where it leads first: a theme, a topic, or straight to the change."""

    voice: Voice
    theme: Theme | None = None
    topic: Topic | None = None


@dataclass(frozen=True)
class Thread:
    """What a page shows of the thread behind a change: some voices that the reader may read, and all the counts
    as they may be said to this reader."""

    change: Change
    strands: list[Strand]
    themes: list[Theme]  # each with `count`, its voices, and `leads_to`, the ids of its topics on this thread
    topics: list[Topic]
    behind: BehindAsSaid


def thread_of(change: Change, reader: Person | None, most: int = 5) -> Thread:
    """The thread behind a change as this reader may see it; only the counts cost more with more voices."""
    topics = list(Topic.objects.filter(pk__in=topics_behind(change)).order_by("pk"))
    themes = list(Theme.objects.filter(pk__in=themes_behind(change)).order_by("pk"))
    counts = voice_counts(theme.pk for theme in themes)
    through = Topic.themes.through.objects.filter(topic__in=topics, theme__in=themes).values_list(
        "theme", "topic"
    )
    leads_to = _links(through)
    for theme in themes:
        theme.count = voices_in_theme(reader, theme, counts[theme.pk])  # type: ignore[attr-defined]
        theme.leads_to = sorted(leads_to[theme.pk])  # type: ignore[attr-defined]
    themes.sort(key=lambda theme: -theme.count.rank)  # type: ignore[attr-defined]
    return Thread(
        change,
        _some_strands(change, themes, topics, reader, most),
        themes,
        topics,
        behind_as_said_to(reader, change),
    )


def voices_in_theme(reader: Person | None, theme: Theme, number: int) -> Said:
    """How many voices a theme has, as this reader may know it. The same on every page."""
    return said_to(reader, number, theme.hub_id, f"voices in theme {theme.pk}")


def _some_strands(
    change: Change, themes: list[Theme], topics: list[Topic], reader: Person | None, most: int
) -> list[Strand]:
    """A few voices that the reader may read, from every part of the thread in turn.

    Each part is asked for its latest few by the link's own id, which an index has in order, so that nothing is sorted.
    """
    readable = Voice.objects.for_reading(reader).exclude(words="")
    parts: list[list[Strand]] = []
    for theme in themes[:most]:
        strands: list[Strand] = []
        for pk in sorted(with_merged([theme.pk]), key=lambda pk: pk != theme.pk):
            if len(strands) < most:
                found = readable.filter(placements__theme=pk).order_by("-placements__pk")[
                    : most - len(strands)
                ]
                strands += [Strand(voice, theme=theme) for voice in found]
        parts.append(strands)
    for topic in topics[:most]:
        parts.append(
            [Strand(voice, topic=topic) for voice in readable.filter(topics=topic).order_by("-pk")[:most]]
        )
    parts.append([Strand(voice) for voice in readable.filter(changes=change).order_by("-pk")[:most]])
    chosen: dict[int, Strand] = {}
    for row in zip_longest(*parts):
        for strand in row:
            if strand is not None and len(chosen) < most:
                chosen.setdefault(strand.voice.pk, strand)
    return list(chosen.values())


@dataclass
class Ahead:
    """What became of one voice: the themes it stands in, the topics and changes it led to."""

    themes: list[Theme]
    topics: list[Topic]
    changes: list[Change]
    through: dict[int, list[Topic]]  # change → the topics through which the voice led to it


def ahead_of(voices: Iterable[int]) -> dict[int, Ahead]:
    """For each voice what it led to. A fixed number of queries however many voices there are."""
    voices = list(voices)
    placed = list(Placement.objects.filter(voice__in=voices).order_by().values_list("voice", "theme"))
    line = lines_of_merging({theme for _voice, theme in placed})
    all_themes = {theme for themes in line.values() for theme in themes}

    theme_topics = _links(
        Topic.themes.through.objects.filter(theme__in=all_themes).values_list("theme", "topic")
    )
    theme_changes = _links(
        Change.themes.through.objects.filter(theme__in=all_themes).values_list("theme", "change")
    )
    voice_themes = _links((voice, theme) for voice, theme in placed)
    voice_topics = _links(Topic.voices.through.objects.filter(voice__in=voices).values_list("voice", "topic"))
    voice_changes = _links(
        Change.voices.through.objects.filter(voice__in=voices).values_list("voice", "change")
    )
    above = topics_above(
        {topic for links in (theme_topics, voice_topics) for topics in links.values() for topic in topics}
    )
    all_topics = set[int]().union(*above.values())
    topic_changes = _links(
        Change.topics.through.objects.filter(topic__in=all_topics).values_list("topic", "change")
    )

    led: dict[int, tuple[set[int], set[int], set[int]]] = {}
    for voice in voices:
        themes = {theme for placed_in in voice_themes[voice] for theme in line[placed_in]}
        first = voice_topics[voice].union(*(theme_topics[theme] for theme in themes))
        topics = set[int]().union(*(above[topic] for topic in first))  # and what hubs above made of them
        changes = voice_changes[voice].union(
            *(theme_changes[theme] for theme in themes), *(topic_changes[topic] for topic in topics)
        )
        led[voice] = ({line[placed_in][-1] for placed_in in voice_themes[voice]}, topics, changes)

    known_themes = Theme.objects.in_bulk({pk for themes, _t, _c in led.values() for pk in themes})
    known_topics = Topic.objects.with_stage().in_bulk(
        {pk for _th, topics, _c in led.values() for pk in topics}
    )
    known_changes = Change.objects.with_stage().in_bulk(
        {pk for _th, _t, changes in led.values() for pk in changes}
    )
    return {
        voice: Ahead(
            themes=[known_themes[pk] for pk in sorted(themes)],
            topics=[known_topics[pk] for pk in sorted(topics)],
            changes=[known_changes[pk] for pk in sorted(changes)],
            through={
                change: [known_topics[pk] for pk in sorted(topics) if change in topic_changes[pk]]
                for change in changes
            },
        )
        for voice, (themes, topics, changes) in led.items()
    }


def _links(pairs: Iterable[tuple[int, int]]) -> defaultdict[int, set[int]]:
    links: defaultdict[int, set[int]] = defaultdict(set)
    for begin, end in pairs:
        links[begin].add(end)
    return links


def count_people_behind(things: Iterable[Change | Topic]) -> dict[tuple[type, int], int]:
    """For each change or topic how many people stand behind it. As many queries for many as for one."""
    things = list(things)
    changes = [thing.pk for thing in things if isinstance(thing, Change)]
    topics_of = _links(
        Change.topics.through.objects.filter(change__in=changes).values_list("change", "topic")
    )
    straight = _links(Change.themes.through.objects.filter(change__in=changes).values_list("change", "theme"))
    below = topics_below(
        {thing.pk for thing in things if isinstance(thing, Topic)}.union(*topics_of.values())
    )
    topics = set[int]().union(*below.values())
    grown = _links(Topic.themes.through.objects.filter(topic__in=topics).values_list("topic", "theme"))
    family = families({theme for links in (straight, grown) for themes in links.values() for theme in themes})
    counted: list[QuerySet[Person, Any]] = []
    for place, thing in enumerate(things):
        begin = topics_of[thing.pk] if isinstance(thing, Change) else {thing.pk}
        on = set[int]().union(*(below[topic] for topic in begin))
        themes = set().union(*(grown[topic] for topic in on))
        said = Topic.voices.through.objects.filter(topic__in=on).values("voice")
        if isinstance(thing, Change):
            themes |= straight[thing.pk]
            said = said.union(Change.voices.through.objects.filter(change=thing.pk).values("voice"))
        members = set().union(*(family[theme] for theme in themes))
        said = said.union(Placement.objects.filter(theme__in=members).order_by().values("voice"))
        spoke = Voice.objects.filter(pk__in=said, disowned_at__isnull=True, person__isnull=False).order_by()
        behind = _with_no_words(spoke.values("person"), on)
        counted.append(
            behind.filter(erasure__isnull=True)
            .order_by()
            .annotate(place=Value(place))
            .values("place")
            .annotate(people=Count("pk"))
            .values_list("place", "people")
        )
    if not counted:
        return {}
    rows = dict(counted[0].union(*counted[1:], all=True))
    return {(type(thing), thing.pk): rows.get(place, 0) for place, thing in enumerate(things)}
