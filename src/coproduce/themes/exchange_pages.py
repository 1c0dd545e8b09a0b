"""The pages where themes and quotes go out, and where work from another tool comes in."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coproduce.engine.exchange import NotFromATool
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.pages import press
from coproduce.people.permissions import NotAllowed, hubs_where
from coproduce.themes import bringing, exchange, exchange_forms
from coproduce.themes.models import Brought

SOME = 12  # of many names, so many are shown


@signed_in
def take_away(request: PersonRequest) -> HttpResponse:
    """Choose who it is for and as what, and get the file."""
    _must_keep_and_sort(request)
    form = exchange_forms.TakeAwayForm(request.person, request.POST or None)
    if form.is_valid():
        asked = form.cleaned_data
        if form.does(exchange.take_away, request.person, asked["hub"], asked["use"], asked["format"]):
            file: exchange.File = form.result
            return HttpResponse(
                file.content,
                content_type=file.kind,
                headers={"Content-Disposition": f'attachment; filename="{file.name}"'},
            )
    return render(request, "themes/take_away.html", {"form": form})


@signed_in
def bring(request: PersonRequest) -> HttpResponse:
    _must_keep_and_sort(request)
    form = exchange_forms.BringForm(request.person, request.POST or None, request.FILES or None)
    if form.is_valid() and form.does(bringing.bring, request.person, form.cleaned_data["hub"], *form.brought):
        return redirect("themes:brought", form.result.pk)
    waiting = Brought.objects.visible_to(request.person).waiting().select_related("brought_by", "hub")
    return render(request, "themes/bring.html", {"form": form, "waiting": waiting})


@signed_in
def brought(request: PersonRequest, pk: int) -> HttpResponse:
    """What will come of a file, before it does; then how far it is, and what came of it."""
    work = get_object_or_404(Brought.objects.visible_to(request.person).select_related("hub"), pk=pk)
    if work.told_on is not None:
        return render(request, "themes/brought.html", {"brought": work})
    try:
        coming = bringing.what_comes(work)
    except (NotFromATool, FileNotFoundError) as wrong:
        messages.error(request, str(wrong) if isinstance(wrong, NotFromATool) else _("The file is gone."))
        return redirect("themes:bring")
    form = exchange_forms.TakeInForm(request.POST or None)
    if form.is_valid() and form.does(bringing.take_in, request.person, work, form.cleaned_data["told_on"]):
        return redirect("themes:brought", work.pk)
    return render(
        request,
        "themes/coming.html",
        {
            "brought": work,
            "coming": coming,
            "form": form,
            "stories": coming.new_stories[:SOME],
            "more_stories": max(0, len(coming.new_stories) - SOME),
            "themes": coming.new_themes[:SOME],
            "more_themes": max(0, len(coming.new_themes) - SOME),
            "left_out": coming.left_out[:SOME],
            "more_left_out": max(0, len(coming.left_out) - SOME),
        },
    )


@require_POST
@signed_in
def put_aside(request: PersonRequest, pk: int) -> HttpResponse:
    work = get_object_or_404(Brought.objects.visible_to(request.person), pk=pk)
    press(
        request, _("Nothing of it came in, and the file is gone."), bringing.put_aside, request.person, work
    )
    return redirect("themes:bring")


def _must_keep_and_sort(request: PersonRequest) -> None:
    keeps = hubs_where(request.person, "work on stories")
    if not keeps & hubs_where(request.person, "make sense"):
        raise NotAllowed("make sense")
