"""The board of themes, one theme with its quotes, and the tools to make sense of what was said."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.pages import page_of, press
from coproduce.people.permissions import NotAllowed, hubs_where, may, must
from coproduce.themes import actions, forms
from coproduce.themes.models import (
    Theme,
    came_with,
    in_no_theme,
    some_voices,
    voice_counts,
    voices_in,
    with_merged,
)
from coproduce.voices.models import Voice


@signed_in
def themes(request: PersonRequest) -> HttpResponse:
    page = page_of(request, Theme.objects.visible_to(request.person).standing().select_related("hub"), 12)
    themes = [theme.pk for theme in page]
    counts, shown = voice_counts(themes), some_voices(themes, request.person)
    makes_sense = bool(hubs_where(request.person, "make sense"))
    return render(
        request,
        "themes/board.html",
        {
            "page": page,
            "rows": [(theme, counts[theme.pk], shown[theme.pk]) for theme in page],
            "makes_sense": makes_sense,
            "in_no_theme": in_no_theme(request.person).count() if makes_sense else 0,
            "several_hubs": len(hubs_where(request.person, "read what the group may read")) > 1,
        },
    )


@signed_in
def make(request: PersonRequest) -> HttpResponse:
    _must_make_sense_somewhere(request)
    form = forms.MakeForm(request.person, request.POST or None)
    if form.is_valid() and form.does(actions.make_theme, request.person, **form.cleaned_data):
        messages.success(request, _("The theme is made. Now put voices in it."))
        return redirect("themes:theme", form.result.pk)
    return render(request, "themes/make.html", {"form": form})


@signed_in
def pool(request: PersonRequest) -> HttpResponse:
    """Voices in no theme yet: tick some, and put them in a theme or make one of them."""
    _must_make_sense_somewhere(request)
    by = request.person
    waiting = in_no_theme(by)
    form = forms.MakeOfTickedForm(by, waiting, forms.themes_to_choose(by), request.POST or None)
    if form.is_valid():
        asked = form.cleaned_data
        if form.button == "put" and form.does(actions.place, by, asked["into"], asked["voices"]):
            messages.success(request, _("They are in ‘%(theme)s’ now.") % {"theme": asked["into"]})
            return redirect("themes:pool")
        if form.button == "make" and form.does(
            actions.make_theme, by, asked["hub"], asked["name"], voices=asked["voices"]
        ):
            messages.success(request, _("The theme ‘%(theme)s’ is made.") % {"theme": form.result})
            return redirect("themes:pool")
    return render(request, "themes/pool.html", {"form": form, "page": page_of(request, waiting, 20)})


@signed_in
def theme(request: PersonRequest, pk: int) -> HttpResponse:
    by = request.person
    theme = get_object_or_404(Theme.objects.visible_to(by).select_related("hub", "merged_into"), pk=pk)
    voices = Voice.objects.for_reading(by).filter(pk__in=voices_in([theme.pk]))
    may_sort = may(by, "make sense", theme.hub_id) and theme.merged_into_id is None
    if request.method == "POST" and not may_sort:
        raise NotAllowed("make sense")
    others = forms.themes_to_choose(by).exclude(pk=theme.pk)
    form = forms.TickedForm(voices, others, request.POST or None)
    if form.is_valid() and _sort(request, theme, form):
        return redirect("themes:theme", theme.pk)
    page = page_of(request, voices, 10)
    merged = Theme.objects.visible_to(by).filter(pk__in=with_merged([theme.pk]) - {theme.pk})
    counts = voice_counts([theme.pk, *(one.pk for one in merged)])
    origins = came_with(theme, [voice.pk for voice in page])
    went_to = theme.merged_into
    return render(
        request,
        "themes/theme.html",
        {
            "theme": theme,
            "form": form,
            "page": page,
            "rows": [(voice, origins.get(voice.pk), str(voice.pk) in form.ticked) for voice in page],
            "count": counts[theme.pk],
            "readable": page.paginator.count,
            "merged": [(one, counts[one.pk], may(by, "make sense", one.hub_id)) for one in merged],
            "may_sort": may_sort,
            "may_undo": may(by, "make sense", theme.hub_id),
            "went_to": went_to
            if went_to and Theme.objects.visible_to(by).filter(pk=went_to.pk).exists()
            else None,
            "may_merge": may_sort and others.exists(),
        },
    )


def _sort(request: PersonRequest, theme: Theme, form: forms.TickedForm) -> bool:
    by, asked = request.person, form.cleaned_data
    if form.button == "move":
        done = form.does(actions.move, by, asked["voices"], theme, asked["into"])
        said = _("They are in ‘%(theme)s’ now.") % {"theme": asked["into"]}
    elif form.button == "split":
        done = form.does(actions.split, by, theme, asked["voices"], asked["name"])
        said = _("The theme ‘%(theme)s’ is made of them.") % {"theme": asked["name"]}
    elif form.button == "take out":
        done = form.does(actions.take_out, by, theme, asked["voices"])
        said = _("They are out of this theme. Nothing they said is lost.")
    else:
        form.add_error(None, _("Choose what should happen with the quotes."))
        return False
    if done:
        messages.success(request, said)
    return done


@signed_in
def rename(request: PersonRequest, pk: int) -> HttpResponse:
    theme = _theme_to_work_on(request, pk)
    form = forms.NameForm(request.POST or None, initial={"name": theme.name, "about": theme.about})
    if form.is_valid() and form.does(actions.name_theme, request.person, theme, **form.cleaned_data):
        messages.success(request, _("The theme has its new words."))
        return redirect("themes:theme", theme.pk)
    return render(request, "themes/rename.html", {"form": form, "theme": theme})


@signed_in
def merge(request: PersonRequest, pk: int) -> HttpResponse:
    """First choose the other theme, then see what will happen, then do it."""
    theme = _theme_to_work_on(request, pk)
    others = forms.themes_to_choose(request.person).exclude(pk=theme.pk).select_related("hub")
    chosen = request.POST.get("into") or request.GET.get("into") or ""
    into = others.filter(pk=chosen).first() if chosen.isdecimal() else None
    if into is None:
        counts = voice_counts([other.pk for other in others])
        return render(
            request,
            "themes/merge.html",
            {
                "theme": theme,
                "others": [(other, counts[other.pk]) for other in others],
                "asked": "into" in request.GET,
            },
        )
    if request.method == "POST":
        done = _("‘%(theme)s’ is part of ‘%(into)s’ now.") % {"theme": theme, "into": into}
        merged = press(request, done, actions.merge, request.person, theme, into)
        return redirect("themes:theme", into.pk if merged else theme.pk)
    counts = voice_counts([theme.pk, into.pk])
    together = voices_in([theme.pk, into.pk]).distinct().count()
    return render(
        request,
        "themes/merge_confirm.html",
        {
            "theme": theme,
            "into": into,
            "theme_count": counts[theme.pk],
            "into_count": counts[into.pk],
            "together": together,
            "in_both": counts[theme.pk] + counts[into.pk] - together,
        },
    )


@require_POST
@signed_in
def undo(request: PersonRequest, pk: int) -> HttpResponse:
    theme = get_object_or_404(Theme.objects.visible_to(request.person), pk=pk)
    done = _("‘%(theme)s’ stands on its own again, with its voices.") % {"theme": theme}
    press(request, done, actions.undo_merge, request.person, theme)
    return redirect("themes:theme", theme.pk)


def _theme_to_work_on(request: PersonRequest, pk: int) -> Theme:
    theme = get_object_or_404(Theme.objects.visible_to(request.person).standing(), pk=pk)
    must(request.person, "make sense", theme.hub_id)
    return theme


def _must_make_sense_somewhere(request: PersonRequest) -> None:
    if not hubs_where(request.person, "make sense"):
        raise NotAllowed("make sense")
