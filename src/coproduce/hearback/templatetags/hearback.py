"""How far hearing back has come, on this room's pages and on those of earlier rooms (through their slots)."""

from __future__ import annotations

from typing import Any

from django import template
from django.db.models import Q
from django.utils.translation import gettext as _

from coproduce.agenda.models import Topic
from coproduce.changes.models import Change
from coproduce.changes.picture import ChangeNode, Heard, More, ThemeNode, TopicNode, VoiceNode, Words, lay_out
from coproduce.changes.thread import Strand, Thread, ahead_of, count_people_behind, thread_of
from coproduce.hearback.debt import UNHEARD, closed_by
from coproduce.hearback.forms import PassedOnForm
from coproduce.hearback.models import (
    Feedback,
    State,
    Update,
    heard_as_said_to,
    quotes_with,
    tally,
    their_words_for,
    what_they_wanted,
)
from coproduce.people.counts import Said, is_of_the_group, said_to
from coproduce.people.models import Mandate, Person, Way
from coproduce.people.permissions import may
from coproduce.voices.models import Voice

register = template.Library()

KINDS = {State.HEARD: "done", State.SENT: "talking", State.SENDING: "talking"}


@register.inclusion_tag("components/tag.html")
def state_tag(feedback: Feedback) -> dict[str, str]:
    state = State(feedback.state)
    return {"words": str(state.label), "kind": KINDS.get(state, "waiting")}


@register.simple_tag
def way_word(kind: str) -> str:
    return str(Way.Kind(kind).label) if kind else _("we don't know how to reach them")


@register.simple_tag
def wanted_by(feedback: Feedback) -> list[Topic]:
    """The topics that led there and that this person wants."""
    return what_they_wanted(feedback)


@register.inclusion_tag("hearback/_who_waits_on.html", takes_context=True)
def who_waits_on(context: dict[str, Any], topic: Topic) -> dict[str, Any]:
    """How many people stand behind a topic, and how many of them were told something and have not heard it yet."""
    reader = context["person"]
    people = count_people_behind([topic])[Topic, topic.pk]
    inside = is_of_the_group(reader, topic.hub_id)
    about = Q(update__topic=topic) | Q(update__change__topics=topic)
    owed = Feedback.objects.filter(about, state__in=UNHEARD).values("person").distinct() if inside else ()
    return {
        "topic": topic,
        "behind": said_to(reader, people, topic.hub_id, f"people behind topic {topic.pk}"),
        "waiting": len(owed),
        "updates": Update.objects.filter(topic=topic).select_related("hub")[:3],
        "may_write": may(reader, "write an update", topic.hub_id),
    }


@register.inclusion_tag("hearback/_update_words.html")
def update_words(feedback: Feedback) -> dict[str, Any]:
    """All that an update says to one person, with the quotes of others that go with it."""
    return {"update": feedback.update, "quotes": quotes_with(feedback)}


@register.inclusion_tag("hearback/_update_words.html")
def words_of_update(update: Update) -> dict[str, Any]:
    """The same to nobody in particular. Others' words stand on the thread, not here as well."""
    return {"update": update, "quotes": []}


@register.inclusion_tag("hearback/_heard_bar.html")
def heard_bar(update: Update, reader: Person | None) -> dict[str, Any]:
    """How many have heard, as a bar with its table; outside the group one rounded number."""
    counts = tally(update)
    if not is_of_the_group(reader, update.hub_id):
        return {"said": heard_as_said_to(reader, update, counts[State.HEARD])}
    return {
        "people": sum(counts.values()),
        "heard": counts[State.HEARD],
        "rows": [
            (label, counts[value], KINDS.get(State(value), "waiting")) for value, label in State.choices
        ],
    }


@register.inclusion_tag("hearback/_loop_closed.html", takes_context=True)
def loop_closed(context: dict[str, Any], about: Change | Topic) -> dict[str, Any]:
    """Of those who were owed something on a change or topic: how many have heard, how many say it answers them.

    Outside the group both are rounded, each by itself, and no share is said: it would tell one from the other.
    """
    reader, change = context["person"], isinstance(about, Change)
    link = "update__change" if change else "update__topic"
    closed = closed_by(link, **{link: about.pk}).get(about.pk)
    if closed is None:
        return {}
    owed = Feedback.objects.filter(person__erasure__isnull=True, **{link: about.pk})
    heard = owed.filter(state=State.HEARD).order_by().values("person").distinct().count()
    inside = is_of_the_group(reader, about.hub_id)
    kind = "change" if change else "topic"
    return {
        "inside": inside,
        "closed": closed,
        "heard": said_to(reader, heard, about.hub_id, f"people who heard of {kind} {about.pk}"),
        "answered": said_to(
            reader, closed.closed, about.hub_id, f"people whose loop closed on {kind} {about.pk}"
        ),
    }


@register.inclusion_tag("hearback/_thread.html")
def thread_picture(change: Change, reader: Person | None) -> dict[str, Any]:
    """The thread behind a change as a picture and as a list, from the voices to who has heard."""
    thread = thread_of(change, reader)
    latest = Update.objects.filter(change=change).first()
    counts = tally(latest) if latest else None
    inside = is_of_the_group(reader, change.hub_id)
    heard = Heard(counts[State.HEARD], sum(counts.values())) if counts and inside else None
    line = "" if counts else _("Nobody has heard yet")
    said = heard_as_said_to(reader, latest, counts[State.HEARD]) if latest and counts and not inside else None
    picture = lay_out(
        [VoiceNode(strand.voice.shown, _leads_to(thread, strand)) for strand in thread.strands],
        _more(thread),
        [
            ThemeNode(theme.name, theme.count.rank or 1, _from_theme(thread, theme.pk))  # type: ignore[attr-defined]
            for theme in thread.themes
        ],
        [
            TopicNode(topic.title, _voices_through(thread, topic.pk), [("change", 0)])
            for topic in thread.topics
        ],
        ChangeNode(change.title, line),
        Heard(0, 0) if said else heard,
        None if inside else _words_outside(thread, said),
    )
    return {
        "thread": thread,
        "picture": picture,
        "heard": heard,
        "heard_said": said,
        "change": change,
        "inside": inside,
    }


def _words_outside(thread: Thread, heard: Said | None) -> Words:
    """What the picture says outside the group: rounded, and the same whether or not there are others."""
    others, told = (
        _("and others"),
        _("%(voices)s lead to it.") % {"voices": thread.behind.voices.voices.capitalize()},
    )
    back = (_("%(people)s heard") % {"people": heard.people}).capitalize() if heard else ""
    return Words(
        more_voices=others, one_more_voice=others, told=told, told_one=told, told_none=told, heard=back
    )


def _leads_to(thread: Thread, strand: Strand) -> list[Any]:
    if strand.theme is not None:
        return [("theme", thread.themes.index(strand.theme))]
    if strand.topic is not None:
        return [("topic", thread.topics.index(strand.topic))]
    return [("change", 0)]


def _from_theme(thread: Thread, theme: int) -> list[Any]:
    """A theme leads to its topics on this thread, or straight to the change."""
    places = {topic.pk: place for place, topic in enumerate(thread.topics)}
    known = next(each for each in thread.themes if each.pk == theme)
    return [("topic", places[pk]) for pk in known.leads_to] or [("change", 0)]  # type: ignore[attr-defined]


def _voices_through(thread: Thread, topic: int) -> int:
    """About how many voices come through a topic, for how thick its strand is drawn."""
    return sum(theme.count.rank for theme in thread.themes if topic in theme.leads_to) or 1  # type: ignore[attr-defined]


def _more(thread: Thread) -> More | None:
    voices, hubs = thread.behind.voices, thread.behind.hubs or 0
    if not voices.exact:
        return More(1)
    rest = voices.rank - len(thread.strands)
    return More(rest, hubs=hubs if hubs > 1 else 0) if rest > 0 else None


@register.inclusion_tag("hearback/_updates.html", takes_context=True)
def updates_of(context: dict[str, Any], change: Change) -> dict[str, Any]:
    """What people were told about a change, latest first."""
    return {
        "change": change,
        "updates": Update.objects.filter(change=change).select_related("written_by", "hub")[:10],
        "may_write": may(context["person"], "write an update", change.hub_id),
    }


@register.inclusion_tag("hearback/_tell.html", takes_context=True)
def tell_button(context: dict[str, Any], change: Change) -> dict[str, Any]:
    return {"change": change, "may_write": may(context["person"], "write an update", change.hub_id)}


@register.inclusion_tag("hearback/_ahead.html")
def ahead(voice: Voice) -> dict[str, Any]:
    """What became of one voice: you said → what happened."""
    return {"ahead": ahead_of([voice.pk])[voice.pk], "voice": voice}


@register.inclusion_tag("hearback/_news_through_me.html", takes_context=True)
def news_through_me(context: dict[str, Any]) -> dict[str, Any]:
    """For whom there is news to pass on, each once, with how much."""
    reader = context["person"]
    counted: dict[int, tuple[str, int]] = {}
    for feedback in Feedback.objects.owed_through(reader).named_for(reader):
        _who, number = counted.get(feedback.person_id, ("", 0))
        counted[feedback.person_id] = (feedback.who, number + 1)
    held = Mandate.objects.standing("hear").filter(trusted=reader, person__in=counted)
    mandates = dict(held.values_list("person", "pk"))
    return {"waiting": [(who, number, mandates[pk]) for pk, (who, number) in counted.items()]}


@register.inclusion_tag("hearback/_news_for.html", takes_context=True)
def news_for(context: dict[str, Any], mandate: Mandate) -> dict[str, Any]:
    """What is to be passed on to one supported person, each with their words and a form."""
    reader = context["person"]
    owed = (
        Feedback.objects.owed_through(reader)
        .filter(person=mandate.person_id)
        .select_related("update__change", "update__topic")
    )
    news = [
        (feedback, their_words_for(reader, feedback), PassedOnForm([feedback], prefix=f"f{feedback.pk}"))
        for feedback in owed[:10]
    ]
    return {"news": news, "csrf_token": context.get("csrf_token")}
