"""The pages where people look at what the machine proposes, and say yes or no."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Hub
from coproduce.people.pages import page_of, press
from coproduce.people.permissions import NotAllowed, hubs_where, may, must
from coproduce.themes import forms, proposing
from coproduce.themes.models import Finding, Proposal, ProposedTheme, Theme
from coproduce.voices.models import Voice

SHOWN = 20  # voices of a proposed theme to tick one by one; the rest together


@require_POST
@signed_in
def look(request: PersonRequest, pk: int) -> HttpResponse:
    """Let the machine look through a hub. The next page says how far it is."""
    hub = get_object_or_404(Hub, pk=pk)
    if not may(request.person, "make sense", hub):
        raise NotAllowed("make sense")
    return redirect("themes:finding", proposing.look_for_themes(request.person, hub).pk)


@signed_in
def finding(request: PersonRequest, pk: int) -> HttpResponse:
    """How far the machine is."""
    looked = get_object_or_404(Finding.objects.visible_to(request.person).select_related("hub"), pk=pk)
    return render(
        request,
        "themes/finding.html",
        {
            "finding": looked,
            "proposed": ProposedTheme.objects.visible_to(request.person).open().count(),
            "failed": looked.step == Finding.Step.FAILED,
        },
    )


@signed_in
def proposed(request: PersonRequest) -> HttpResponse:
    """Themes that the machine proposes, each with the quotes that stand for it."""
    _must_make_sense_somewhere(request)
    known = ProposedTheme.objects.visible_to(request.person).open().select_related("hub")
    page = page_of(request, known.annotate(voices=Count("proposals")).order_by("-sureness", "pk"), 10)
    shown = _quotes_of(request, page)
    return render(
        request,
        "themes/proposed.html",
        {
            "page": page,
            "rows": [(one, shown.get(one.pk, [])) for one in page],
            "several_hubs": len(hubs_where(request.person, "make sense")) > 1,
            "refused": ProposedTheme.objects.visible_to(request.person)
            .filter(refused_at__isnull=False)
            .order_by("-refused_at")[:5],
        },
    )


def _quotes_of(request: PersonRequest, page: Any, each: int = 3) -> dict[int, list[Voice]]:
    """For each proposed theme the few voices that stand for it best."""
    pairs: dict[int, list[int]] = {}
    rows = Proposal.objects.filter(proposed__in=[one.pk for one in page], stands_for_it=True)
    for theme, voice in rows.order_by("-strength", "pk").values_list("proposed", "voice"):
        pairs.setdefault(theme, []).append(voice)
    wanted = {voice for voices in pairs.values() for voice in voices}
    known = Voice.objects.for_reading(request.person).filter(pk__in=wanted).in_bulk()
    return {
        theme: [known[voice] for voice in voices if voice in known][:each] for theme, voices in pairs.items()
    }


@signed_in
def proposed_theme(request: PersonRequest, pk: int) -> HttpResponse:
    """One of them: leave out what does not belong, name it, and make a theme of it; or put it in one there is."""
    by = request.person
    one = get_object_or_404(ProposedTheme.objects.visible_to(by).select_related("hub", "became"), pk=pk)
    inside = one.proposals.order_by("-stands_for_it", "-strength", "pk")
    ids = list(inside.values_list("voice", flat=True)[:SHOWN])
    voices = Voice.objects.for_reading(by).exclude(words="")
    voices = voices.filter(pk__in=inside.order_by().values("voice"))
    first = voices.filter(pk__in=ids).in_bulk()
    rest = inside.count() - len(ids)
    themes = forms.themes_to_choose(by).filter(hub=one.hub_id)
    form = forms.ProposedForm(one, voices, themes, request.POST or None)
    if form.is_valid():
        asked = form.cleaned_data
        chosen = list(asked["voices"])
        if rest and asked["others"]:
            chosen += list(voices.exclude(pk__in=ids))
        if form.button == "make" and form.does(
            proposing.accept_theme, by, one, asked["name"], chosen, asked["about"]
        ):
            messages.success(request, _("The theme ‘%(theme)s’ is made.") % {"theme": form.result})
            return redirect("themes:theme", form.result.pk)
        if form.button == "put" and form.does(proposing.accept_into, by, one, asked["into"], chosen):
            messages.success(request, _("They are in ‘%(theme)s’ now.") % {"theme": asked["into"]})
            return redirect("themes:proposed")
    ticked = set(request.POST.getlist("voices")) if form.is_bound else {str(pk) for pk in first}
    return render(
        request,
        "themes/proposed_theme.html",
        {
            "proposed": one,
            "form": form,
            "rows": [(first[pk], str(pk) in ticked) for pk in ids if pk in first],
            "rest": rest,
            "is_open": one.became_id is None and one.refused_at is None,
            "has_themes": themes.exists(),
        },
    )


@require_POST
@signed_in
def refuse_proposed(request: PersonRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(ProposedTheme.objects.visible_to(request.person), pk=pk)
    done = _("Noted: ‘%(label)s’ is no theme. The machine does not propose it again.") % {"label": one}
    press(request, done, proposing.refuse_theme, request.person, one)
    return redirect("themes:proposed")


@require_POST
@signed_in
def undo_refusal(request: PersonRequest, pk: int) -> HttpResponse:
    one = get_object_or_404(ProposedTheme.objects.visible_to(request.person), pk=pk)
    press(request, _("It is among the proposals again."), proposing.undo_refusal, request.person, one)
    return redirect("themes:proposed")


# Voices that may belong in themes there are


@signed_in
def placing(request: PersonRequest) -> HttpResponse:
    """The themes for which the machine proposes voices."""
    _must_make_sense_somewhere(request)
    open_ones = Proposal.objects.visible_to(request.person).open().filter(theme__in=Theme.objects.standing())
    counted = open_ones.order_by().values_list("theme").annotate(n=Count("pk")).order_by("-n", "theme")
    page = page_of(request, counted, 20)
    themes = Theme.objects.visible_to(request.person).in_bulk([theme for theme, _n in page])
    return render(
        request,
        "themes/placing.html",
        {"page": page, "rows": [(themes[theme], n) for theme, n in page if theme in themes]},
    )


@signed_in
def proposals(request: PersonRequest, pk: int) -> HttpResponse:
    """The voices that the machine proposes for one theme: all are ticked, and one button answers for the ticked."""
    by = request.person
    theme = get_object_or_404(Theme.objects.visible_to(by).standing(), pk=pk)
    must(by, "make sense", theme.hub_id)
    known = Proposal.objects.visible_to(by).open().filter(theme=theme)
    form = forms.ProposalsForm(known, request.POST or None)
    if form.is_valid():
        chosen = form.cleaned_data["proposals"]
        if form.button == "accept" and form.does(proposing.accept, by, chosen):
            said = ngettext(
                "%(n)d voice is in ‘%(theme)s’ now.", "%(n)d voices are in ‘%(theme)s’ now.", form.result
            )
            messages.success(request, said % {"n": form.result, "theme": theme})
            return redirect("themes:proposals", theme.pk)
        if form.button == "refuse" and form.does(proposing.refuse, by, chosen):
            said = ngettext(
                "Noted: %(n)d voice does not belong. The machine learns from it.",
                "Noted: %(n)d voices don’t belong. The machine learns from it.",
                form.result,
            )
            messages.success(request, said % {"n": form.result})
            return redirect("themes:proposals", theme.pk)
    page = page_of(request, known, 20)
    voices = Voice.objects.for_reading(by).filter(pk__in=[one.voice_id for one in page]).in_bulk()
    ticked = set(request.POST.getlist("proposals")) if form.is_bound else None
    return render(
        request,
        "themes/proposals.html",
        {
            "theme": theme,
            "form": form,
            "page": page,
            "rows": [
                (one, voices[one.voice_id], ticked is None or str(one.pk) in ticked)
                for one in page
                if one.voice_id in voices
            ],
        },
    )


def _must_make_sense_somewhere(request: PersonRequest) -> None:
    if not hubs_where(request.person, "make sense"):
        raise NotAllowed("make sense")
