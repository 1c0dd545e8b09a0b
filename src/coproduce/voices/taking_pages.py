"""The pages for many stories at once: what came together, who told it, and taking their quotes in one go."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Hub
from coproduce.people.permissions import hubs_where
from coproduce.voices import forms, taking
from coproduce.voices.models import Story, StoryQuerySet
from coproduce.voices.views import at_step, posted, to_work_on


@require_GET
@signed_in
def together(request: PersonRequest, pk: int) -> HttpResponse:
    """The stories that came in one go, how far each is, and what is next."""
    first = to_work_on(request, pk)
    stories = brought_with(request, first).order_by("title", "pk")
    speaks = Count("speakers", distinct=True)
    named = Count("speakers", filter=Q(speakers__person__isnull=False), distinct=True)
    rows: list[Any] = list(stories.annotate(speak=speaks, named=named).with_counts())
    return render(
        request,
        "voices/together.html",
        {
            "first": first,
            "rows": rows,
            "done": sum(row.turns_in for row in rows),
            "expected": sum(row.turns_expected for row in rows),
            "coming": any(row.is_coming_in for row in rows),
            "unnamed": len(taking.not_named_yet(stories)),
            "named": any(row.named for row in rows),
            "quotes": sum(row.quotes for row in rows),
        },
    )


def brought_with(request: PersonRequest, story: Story) -> StoryQuerySet:
    return Story.objects.to_work_on(request.person).brought_with(story)


@signed_in
def who_told(request: PersonRequest, pk: int) -> HttpResponse:
    """Many who are new here, named at once. Those with other consents follow: the page comes back with them."""
    first = to_work_on(request, pk)
    stories = list(brought_with(request, first))
    form = forms.WhoToldForm(request.person, first.hub, taking.not_named_yet(stories), posted(request))
    if form.is_valid() and form.does(taking.name_new, request.person, form.named, form.uses):
        said = ngettext("%(n)d person is named.", "%(n)d people are named.", form.result)
        messages.success(request, said % {"n": form.result})
        left = len(form.speakers) > len(form.named)
        return redirect("voices:who_told" if left else "voices:together", first.pk)
    return render(request, "voices/who_told.html", {"form": form, "first": first})


@signed_in
def take_quotes(request: PersonRequest, pk: int) -> HttpResponse:
    story = to_work_on(request, pk)
    if story.is_coming_in:
        return redirect("voices:progress", story.pk)
    stories = Story.objects.to_work_on(request.person).filter(pk=story.pk)
    return _take(request, stories, at_step(story, "quotes"), {"story": story, "hub": story.hub})


@signed_in
def take_quotes_in_hub(request: PersonRequest, pk: int) -> HttpResponse:
    hubs = Hub.objects.filter(pk__in=hubs_where(request.person, "work on stories"))
    hub = get_object_or_404(hubs, pk=pk)
    here = reverse("voices:take_quotes_in_hub", args=[hub.pk])
    return _take(request, taking.in_hub(request.person, hub), here, {"hub": hub, "most": taking.MOST_FILES})


def _take(
    request: PersonRequest, stories: StoryQuerySet, then: str, context: dict[str, object]
) -> HttpResponse:
    """Says first how many it would be; takes them; takes them off again."""
    if request.method == "POST" and "off" in request.POST:
        gone, stay = taking.take_off(request.person, stories)
        said = ngettext("%(n)d is not a quote any more.", "%(n)d are not quotes any more.", gone) % {
            "n": gone
        }
        kept = ngettext("%(n)d stays: something stands on it.", "%(n)d stay: something stands on them.", stay)
        messages.success(request, f"{said} {kept % {'n': stay}}" if stay else said)
        return redirect(request.path)
    offered = taking.offered(stories, only_named="story" not in context)
    form = forms.TakeQuotesForm(offered, "story" not in context, posted(request))
    if form.is_valid() and form.does(taking.take_quotes, request.person, form.cleaned_data["speakers"]):
        if form.result is None:
            messages.success(request, _("It is under way, and goes on if you leave. Look here again soon."))
            return redirect(request.path)
        taken = ngettext("%(n)d quote is taken.", "%(n)d quotes are taken.", form.result)
        messages.success(request, taken % {"n": form.result})
        return redirect(then)
    context |= {
        "form": form,
        "would": sum(one.quotes for one in offered if one.meant),
        "taken": len(taking.taken_in(stories)),
    }
    return render(request, "voices/take_quotes.html", context)
