"""What the group works on: the topics, one topic with all that belongs to it, and what the group decided."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coproduce.agenda.actions import topics as actions
from coproduce.agenda.bigger_voice_pages import SHOWN, BiggerVoiceShown, shown
from coproduce.agenda.forms import topics as forms
from coproduce.agenda.models import (
    STILL_OPEN,
    Ask,
    BiggerVoice,
    Stage,
    Support,
    Topic,
    how_many_want,
    of_our_own,
    voices_on,
    who_may_be_spoken_for,
)
from coproduce.people.counts import Said, said_to
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Hub, Person, name_for
from coproduce.people.pages import page_of, press
from coproduce.people.permissions import NotAllowed, hubs_where, may, must
from coproduce.themes.models import KeyMessage, Theme, voice_counts
from coproduce.voices.models import Voice


@dataclass(frozen=True)
class Row:
    """A topic in a list: how many want it, as the reader may know that, and whether they do."""

    topic: Topic
    wanted: Said
    is_mine: bool  # they want it
    may_want: bool


def topics(request: PersonRequest) -> HttpResponse:
    """For everybody. Who belongs to hubs sees theirs first."""
    own = hubs_where(request.person, "read what the group may read") | hubs_where(
        request.person, "read what services may read"
    )
    every_hub = request.GET.get("hubs") == "all" or not own
    found = Topic.objects.visible_to(request.person)
    if not every_hub:
        found = found.filter(hub__in=own)
    page = page_of(request, found.by_stage().select_related("hub", "ask"), 30)
    asks = Ask.objects.visible_to(request.person).waiting().count() if own else 0
    order = Hub.objects.filter(pk__in=hubs_where(request.person, "decide on a topic"))
    return render(
        request,
        "agenda/topics.html",
        {
            "page": page,
            "groups": [
                (Stage(stage).label, list(group))
                for stage, group in groupby(_rows(request.person, page), lambda row: row.topic.stage)
            ],
            "of_our_own": of_our_own(found),
            "shared": _shared(None if every_hub else own),
            "asks": asks,
            "in_the_group": bool(hubs_where(request.person, "read what the group may read")),
            "to_order": [] if every_hub else order.filter(pk__in=own),
            "every_hub": every_hub,
            "own": own,
            "names_hub": every_hub or len(own) > 1,
            "may_raise": bool(hubs_where(request.person, "raise a topic")),
            "address": urlencode({"hubs": "all"} if own and every_hub else {}),
        },
    )


def _rows(reader: Person | None, topics: Iterable[Topic]) -> list[Row]:
    """Two queries, however many topics."""
    topics = list(topics)
    counted = how_many_want(topic.pk for topic in topics)
    mine = set(Support.objects.filter(person=reader, topic__in=topics).values_list("topic", flat=True))
    return [
        Row(
            topic,
            _wanted(reader, topic, counted[topic.pk]),
            topic.pk in mine,
            topic.stage in STILL_OPEN and may(reader, "support a topic", topic.hub_id),
        )
        for topic in topics
    ]


def _wanted(reader: Person | None, topic: Topic, number: int) -> Said:
    return said_to(reader, number, topic.hub_id, f"people who want topic {topic.pk}")


def _shared(hubs: frozenset[int] | None) -> list[BiggerVoiceShown]:
    """What several hubs raise and nobody has taken up yet; of these hubs, or any."""
    found = BiggerVoice.objects.to_take_up()
    if hubs is not None:
        here = BiggerVoice.topics.through.objects.filter(topic__hub__in=hubs).values("biggervoice")
        found = found.filter(Q(hub__in=hubs) | Q(pk__in=here))
    return shown(found[:SHOWN])


@signed_in
def raise_topic(request: PersonRequest) -> HttpResponse:
    if not hubs_where(request.person, "raise a topic"):
        raise NotAllowed("raise a topic")
    asked = request.GET.get("theme", "")
    theme = Theme.objects.visible_to(request.person).filter(pk=asked).first() if asked.isdecimal() else None
    initial: dict[str, object] = {"themes": [theme.pk], "hub": theme.hub_id} if theme else {}
    if "for" in request.GET:
        initial["person"] = request.GET["for"]
    form = forms.RaiseForm(request.person, request.POST or None, initial=initial)
    if form.is_valid() and form.does(actions.raise_topic, request.person, **form.cleaned_data):
        messages.success(request, _("Your topic is raised. Everybody can see it."))
        return redirect("agenda:topic", form.result.pk)
    return render(request, "agenda/raise.html", {"form": form, "theme": theme})


@require_POST
@signed_in
def raise_from(request: PersonRequest, pk: int) -> HttpResponse:
    """From a key message to a topic, in one tap."""
    message = get_object_or_404(KeyMessage.objects.visible_to(request.person), pk=pk)
    must(request.person, "raise a topic", message.hub_id)
    try:
        topic = actions.raise_from(request.person, message)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
        return redirect("themes:theme", message.theme_id)
    messages.success(request, _("It is a topic now. Everybody can see it."))
    return redirect("agenda:topic", topic.pk)


def topic(request: PersonRequest, pk: int) -> HttpResponse:
    """For everybody: the title, why, what was decided; of what people said, what this reader may read."""
    topic = _topic(request, pk)
    reader = request.person
    themes = list(Theme.objects.visible_to(request.person).filter(topics=topic))
    counts = voice_counts([theme.pk for theme in themes])
    voices = Voice.objects.for_reading(reader).filter(pk__in=voices_on([topic.pk]))
    below = list(topic.taken_up.order_by("hub__path", "pk").with_stage().select_related("hub"))
    [row] = _rows(reader, [topic])
    return render(
        request,
        "agenda/topic.html",
        {
            "topic": topic,
            "row": row,
            "asked": getattr(topic, "ask", None),
            "below": below,
            "hubs_below": len({each.hub_id for each in below}),
            "above": list(topic.taken_up_in.order_by("pk").with_stage().select_related("hub")),
            "shared": shown(topic.bigger_voices.to_take_up()),
            "messages_of_themes": list(
                KeyMessage.objects.visible_to(reader).agreed().filter(theme__topics=topic).distinct()
            ),
            "support": _who_wants_it(reader, topic),
            "may_speak_for": row.may_want and who_may_be_spoken_for(reader, [topic.hub_id]).exists(),
            "is_open": topic.stage == Stage.OPEN,
            "decisions": list(topic.decisions.order_by("on", "pk")),
            "themes": [(theme, counts[theme.pk]) for theme in themes],
            # Each hub's voices are kept apart: by hub, and the latest first in each.
            "page": page_of(
                request, voices.order_by("hub__path", "-said_on", "-pk") if below else voices, 10
            ),
            "is_own": request.person is not None and topic.raised_by_id == request.person.pk,
            "may_decide": may(request.person, "decide on a topic", topic.hub_id),
            "may_tie": _may_tie(request.person, topic),
        },
    )


def _who_wants_it(reader: Person | None, topic: Topic) -> list[Support]:
    """By name, for who looks after the people there. `who` is what they may call them."""
    if not may(reader, "look after people", topic.hub_id):
        return []
    seen = Support.objects.visible_to(reader).filter(topic=topic)
    return list(seen.annotate(who=name_for(reader, "person")).order_by("at", "pk")[:100])


@require_POST
@signed_in
def support(request: PersonRequest, pk: int) -> HttpResponse:
    """I want this too, or no longer: one tap."""
    topic = _topic(request, pk)
    must(request.person, "support a topic", topic.hub_id)
    if "take_back" in request.POST:
        press(request, _("You took that back."), actions.take_back_support, request.person, topic)
    else:
        press(
            request,
            _("You want this too. You will hear what becomes of it."),
            actions.support,
            request.person,
            topic,
        )
    if "list" in request.POST:
        return redirect(f"{reverse('agenda:topics')}#topic-{topic.pk}")
    return redirect("agenda:topic", topic.pk)


@signed_in
def support_for(request: PersonRequest, pk: int) -> HttpResponse:
    """Somebody else wants it too: who takes part through the reader, or said so on the phone."""
    topic = _topic(request, pk)
    by = request.person
    must(by, "support a topic", topic.hub_id)
    form = forms.SupportForm(by, topic.hub_id, request.POST or None)
    if form.is_valid():
        take_back = "take_back" in request.POST
        action = actions.take_back_support if take_back else actions.support
        if form.does(action, by, topic, form.cleaned_data["person"]):
            done = (
                _("It is taken back.")
                if take_back
                else _("It is written down. They will hear what becomes of it.")
            )
            messages.success(request, done)
            return redirect("agenda:topic", topic.pk)
    written = Support.objects.visible_to(by).filter(
        topic=topic, person__in=who_may_be_spoken_for(by, [topic.hub_id])
    )
    return render(
        request,
        "agenda/support_for.html",
        {
            "topic": topic,
            "form": form,
            "wanted": written.annotate(who=name_for(by, "person")).order_by("at", "pk")[:100],
        },
    )


@signed_in
def order(request: PersonRequest, pk: int) -> HttpResponse:
    """The group's own order of what is open, moved one place at a tap."""
    hub = get_object_or_404(Hub, pk=pk)
    must(request.person, "decide on a topic", hub)
    if request.method == "POST":
        asked = request.POST.get("topic", "")
        moved = get_object_or_404(Topic.objects.filter(hub=hub), pk=int(asked) if asked.isdecimal() else 0)
        actions.move(request.person, moved, "up" in request.POST)
        return redirect(f"{reverse('agenda:order', args=[hub.pk])}#topic-{moved.pk}")
    topics = Topic.objects.filter(hub=hub).still_open().by_stage().select_related("hub", "ask")
    rows = groupby(
        _rows(request.person, topics), lambda row: (Stage(row.topic.stage).label, hasattr(row.topic, "ask"))
    )
    return render(
        request,
        "agenda/order.html",
        {"hub": hub, "groups": [(stage, asked, list(group)) for (stage, asked), group in rows]},
    )


@signed_in
def decide(request: PersonRequest, pk: int) -> HttpResponse:
    topic = _topic(request, pk)
    must(request.person, "decide on a topic", topic.hub_id)
    form = forms.DecideForm(request.POST or None)
    if form.is_valid() and form.does(actions.decide, request.person, topic, **form.cleaned_data):
        messages.success(request, _("What the group decided is written down."))
        return redirect("agenda:topic", topic.pk)
    return render(request, "agenda/decide.html", {"form": form, "topic": topic})


@signed_in
def tie(request: PersonRequest, pk: int) -> HttpResponse:
    """Tie the topic to the themes and voices it grew from, and take off what was tied by mistake."""
    topic = _topic(request, pk)
    by = request.person
    if not _may_tie(by, topic):
        raise NotAllowed("tie the thread")
    query = request.GET.get("q", "").strip()
    themes = Theme.objects.visible_to(by).standing().exclude(topics=topic)
    voices = Voice.objects.for_reading(by).filter(hub__in=hubs_where(by, "read what the group may read"))
    voices = voices.exclude(pk__in=voices_on([topic.pk]))
    form = forms.TieForm(themes, voices, request.POST or None)
    if form.is_valid() and form.does(actions.ground, by, topic, **form.cleaned_data):
        messages.success(request, _("It is tied. Whoever said it can see what became of it."))
        return redirect("agenda:topic", topic.pk)
    return render(
        request,
        "agenda/tie.html",
        {
            "topic": topic,
            "form": form,
            "query": query,
            "address": urlencode({"q": query} if query else {}),
            "page": page_of(request, voices.saying(query) if query else voices, 10),
            "tied_themes": Theme.objects.visible_to(by).filter(topics=topic),
            "tied_voices": Voice.objects.for_reading(by).filter(topics=topic),
        },
    )


@require_POST
@signed_in
def untie(request: PersonRequest, pk: int) -> HttpResponse:
    topic = _topic(request, pk)
    things = topic.themes if "theme" in request.POST else topic.voices
    visible = things.all().visible_to(request.person)
    asked = request.POST.get("theme") or request.POST.get("voice") or ""
    thing = get_object_or_404(visible, pk=int(asked) if asked.isdecimal() else 0)
    press(request, _("It is taken off this topic."), actions.untie, request.person, topic, thing)
    return redirect("agenda:tie", topic.pk)


def _topic(request: PersonRequest, pk: int) -> Topic:
    return get_object_or_404(
        Topic.objects.visible_to(request.person).with_stage().select_related("hub", "ask"), pk=pk
    )


def _may_tie(person: Person | None, topic: Topic) -> bool:
    """Whoever ties the thread in the hub, and whoever raised the topic."""
    return person is not None and (
        topic.raised_by_id == person.pk or may(person, "tie the thread", topic.hub_id)
    )
