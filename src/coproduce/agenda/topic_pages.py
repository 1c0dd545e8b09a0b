"""What the group works on: the topics, one topic with what it grew from, and what the group decided."""

from __future__ import annotations

from itertools import groupby
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coproduce.agenda.actions import topics as actions
from coproduce.agenda.forms import topics as forms
from coproduce.agenda.models import Stage, Topic, voices_on
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Person
from coproduce.people.pages import page_of, press
from coproduce.people.permissions import NotAllowed, hubs_where, may, must
from coproduce.themes.models import KeyMessage, Theme, voice_counts
from coproduce.voices.models import Voice

TAGS = {Stage.WORKING: "talking", Stage.DECIDED: "done"}


def topics(request: PersonRequest) -> HttpResponse:
    """For everybody. Who belongs to hubs sees theirs first."""
    own = hubs_where(request.person, "read what the group may read") | hubs_where(
        request.person, "read what services may read"
    )
    every_hub = request.GET.get("hubs") == "all" or not own
    found = Topic.objects.visible_to(request.person)
    if not every_hub:
        found = found.filter(hub__in=own)
    page = page_of(request, found.by_stage().select_related("hub"), 30)
    return render(
        request,
        "agenda/topics.html",
        {
            "page": page,
            "groups": [
                (Stage(stage).label, list(group)) for stage, group in groupby(page, lambda topic: topic.stage)
            ],
            "every_hub": every_hub,
            "own": own,
            "names_hub": every_hub or len(own) > 1,
            "may_raise": bool(hubs_where(request.person, "raise a topic")),
            "address": urlencode({"hubs": "all"} if own and every_hub else {}),
        },
    )


@signed_in
def raise_topic(request: PersonRequest) -> HttpResponse:
    if not hubs_where(request.person, "raise a topic"):
        raise NotAllowed("raise a topic")
    asked = request.GET.get("theme", "")
    theme = Theme.objects.visible_to(request.person).filter(pk=asked).first() if asked.isdecimal() else None
    initial = {"themes": [theme.pk], "hub": theme.hub_id} if theme else {}
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
    themes = list(Theme.objects.visible_to(request.person).filter(topics=topic))
    counts = voice_counts([theme.pk for theme in themes])
    voices = Voice.objects.for_reading(request.person).filter(pk__in=voices_on([topic.pk]))
    return render(
        request,
        "agenda/topic.html",
        {
            "topic": topic,
            "stage": Stage(topic.stage).label,
            "stage_kind": TAGS.get(Stage(topic.stage), "neutral"),
            "is_open": topic.stage == Stage.OPEN,
            "decisions": list(topic.decisions.order_by("on", "pk")),
            "themes": [(theme, counts[theme.pk]) for theme in themes],
            "page": page_of(request, voices, 10),
            "is_own": request.person is not None and topic.raised_by_id == request.person.pk,
            "may_decide": may(request.person, "decide on a topic", topic.hub_id),
            "may_tie": _may_tie(request.person, topic),
        },
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
        Topic.objects.visible_to(request.person).with_stage().select_related("hub"), pk=pk
    )


def _may_tie(person: Person | None, topic: Topic) -> bool:
    """Whoever ties the thread in the hub, and whoever raised the topic."""
    return person is not None and (
        topic.raised_by_id == person.pk or may(person, "tie the thread", topic.hub_id)
    )
