"""The board of themes, one theme with its quotes, and the tools to make sense of what was said."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Act, Hub, Person
from coproduce.people.pages import page_of, press
from coproduce.people.permissions import NotAllowed, hubs_where, may, must
from coproduce.themes import actions, forms
from coproduce.themes.models import (
    MOVED_OUT,
    Finding,
    Proposal,
    ProposedTheme,
    Theme,
    acts_on,
    came_with,
    in_no_theme,
    last_act,
    messages_with_quotes,
    some_voices,
    told_act,
    turns_around,
    undone,
    voice_counts,
    voices_in,
    with_merged,
)
from coproduce.themes.picture import behind
from coproduce.voices.models import Voice


@signed_in
def themes(request: PersonRequest) -> HttpResponse:
    """The board: what is to do with the machine's proposals, then the themes as piles of quotes."""
    by = request.person
    asked = request.GET.get("q", "").strip()
    found = Theme.objects.visible_to(by).standing().select_related("hub")
    if asked:
        found = found.filter(name__icontains=asked)
    page = page_of(request, found, 12)
    themes = [theme.pk for theme in page]
    counts, shown = voice_counts(themes), some_voices(themes, by)
    makes_sense = bool(hubs_where(by, "make sense"))
    return render(
        request,
        "themes/board.html",
        {
            "page": page,
            "rows": [(theme, counts[theme.pk], shown[theme.pk]) for theme in page],
            "makes_sense": makes_sense,
            "several_hubs": len(hubs_where(by, "read what the group may read")) > 1,
            "asked": asked,
            "query": urlencode({"q": asked} if asked else {}),
            "many": asked or page.paginator.num_pages > 1,
            **(_to_do(by) if makes_sense else {}),
        },
    )


def _to_do(by: Person) -> dict[str, Any]:
    """What waits for somebody who makes sense of things."""
    hubs = Hub.objects.filter(pk__in=hubs_where(by, "make sense"))
    looking = Finding.objects.visible_to(by).filter(finished_at__isnull=True).select_related("hub").first()
    return {
        "in_no_theme": in_no_theme(by).count(),
        "proposed": ProposedTheme.objects.visible_to(by).open().count(),
        "placing": Proposal.objects.visible_to(by).open().filter(theme__in=Theme.objects.standing()).count(),
        "looking": looking,
        "hubs": hubs,
        "discarded": Theme.objects.visible_to(by).discarded().exists(),
    }


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
    makes_sense = may(by, "make sense", theme.hub_id)
    may_sort = makes_sense and theme.merged_into_id is None and theme.discarded_at is None
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
    around = turns_around(page, by)
    went_to = theme.merged_into
    proposals = Proposal.objects.visible_to(by).open().filter(theme=theme)
    return render(
        request,
        "themes/theme.html",
        {
            "theme": theme,
            "form": form,
            "page": page,
            "rows": [
                (voice, origins.get(voice.pk), str(voice.pk) in form.ticked, around.get(voice.pk))
                for voice in page
            ],
            "marks": theme.terms if may_sort else [],
            "said_terms": said_terms(theme, page) if may_sort else [],
            "count": counts[theme.pk],
            "readable": page.paginator.count,
            "merged": [(one, counts[one.pk], may(by, "make sense", one.hub_id)) for one in merged],
            "makes_sense": makes_sense,
            "may_sort": may_sort,
            "may_undo": makes_sense,
            "went_to": went_to
            if went_to and Theme.objects.visible_to(by).filter(pk=went_to.pk).exists()
            else None,
            "may_merge": may_sort and others.exists(),
            "messages_of_it": messages_with_quotes(theme.key_messages.all(), by),
            "outcomes": theme.outcomes.select_related("session"),
            "proposals": proposals.count() if may_sort else 0,
            "behind": behind(theme, by),
            "seen": last_act(theme),
            "history": history(theme, by) if makes_sense else [],
        },
    )


def said_terms(theme: Theme, voices: Iterable[Voice]) -> list[str]:
    """Those key terms of a theme that stand in these words."""
    said = " ".join(voice.shown for voice in voices).casefold()
    return [term for term in theme.terms if term.casefold() in said]


def history(theme: Theme, reader: Person, most: int = 8) -> list[tuple[Act, str, bool]]:
    """What was done with a theme, latest first: the act, in words, and whether it can be undone from here."""
    gone = undone(theme)
    return [
        (act, told_act(act, reader), act.verb == MOVED_OUT and act.pk not in gone)
        for act in acts_on(theme).select_related("by")[:most]
    ]


def _sort(request: PersonRequest, theme: Theme, form: forms.TickedForm) -> bool:
    by, asked = request.person, form.cleaned_data
    seen = asked["seen"]
    if form.button == "move":
        done = form.does(actions.move, by, asked["voices"], theme, asked["into"], seen)
        said = _("They are in ‘%(theme)s’ now.") % {"theme": asked["into"]}
    elif form.button == "split":
        done = form.does(actions.split, by, theme, asked["voices"], asked["name"], seen=seen)
        said = _("The theme ‘%(theme)s’ is made of them.") % {"theme": asked["name"]}
    elif form.button == "take out":
        done = form.does(actions.take_out, by, theme, asked["voices"], seen)
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
    return render(request, "themes/rename.html", {"form": form, "theme": theme, "seen": last_act(theme)})


@signed_in
def merge(request: PersonRequest, pk: int) -> HttpResponse:
    """First choose the other theme, then see what will happen, then do it."""
    theme = _theme_to_work_on(request, pk)
    others = forms.themes_to_choose(request.person).exclude(pk=theme.pk).select_related("hub")
    chosen = request.POST.get("into") or request.GET.get("into") or ""
    into = others.filter(pk=chosen).first() if chosen.isdecimal() else None
    if into is None:
        asked = request.GET.get("q", "").strip()
        page = page_of(request, others.filter(name__icontains=asked) if asked else others, 30)
        counts = voice_counts([other.pk for other in page])
        return render(
            request,
            "themes/merge.html",
            {
                "theme": theme,
                "page": page,
                "others": [(other, counts[other.pk]) for other in page],
                "asked": "into" in request.GET,
                "q": asked,
                "query": urlencode({"q": asked} if asked else {}),
                "many": asked or page.paginator.num_pages > 1,
            },
        )
    if request.method == "POST":
        done = _("‘%(theme)s’ is part of ‘%(into)s’ now.") % {"theme": theme, "into": into}
        if press(request, done, actions.merge, request.person, theme, into, seen_in(request)):
            return redirect("themes:theme", into.pk)
        return redirect(f"{reverse('themes:merge', args=[theme.pk])}?into={into.pk}")
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
            "seen": last_act(theme),
        },
    )


@require_POST
@signed_in
def undo(request: PersonRequest, pk: int) -> HttpResponse:
    theme = _any_theme(request, pk)
    done = _("‘%(theme)s’ stands on its own again, with its voices.") % {"theme": theme}
    press(request, done, actions.undo_merge, request.person, theme)
    return redirect("themes:theme", theme.pk)


@require_POST
@signed_in
def confirm(request: PersonRequest, pk: int) -> HttpResponse:
    theme = _any_theme(request, pk)
    done = _("‘%(theme)s’ is confirmed. The machine can’t change it, only propose voices for it.")
    press(request, done % {"theme": theme}, actions.confirm, request.person, theme, seen_in(request))
    return redirect("themes:theme", theme.pk)


@require_POST
@signed_in
def open_again(request: PersonRequest, pk: int) -> HttpResponse:
    theme = _any_theme(request, pk)
    done = _("‘%(theme)s’ is open again.") % {"theme": theme}
    press(request, done, actions.open_again, request.person, theme, seen_in(request))
    return redirect("themes:theme", theme.pk)


@require_POST
@signed_in
def discard(request: PersonRequest, pk: int) -> HttpResponse:
    theme = _any_theme(request, pk)
    done = _("‘%(theme)s’ is discarded. Its voices wait to be sorted. You can undo this here.")
    press(request, done % {"theme": theme}, actions.discard, request.person, theme, seen_in(request))
    return redirect("themes:theme", theme.pk)


@require_POST
@signed_in
def undo_discard(request: PersonRequest, pk: int) -> HttpResponse:
    theme = _any_theme(request, pk)
    done = _("‘%(theme)s’ is back, with its voices.") % {"theme": theme}
    press(request, done, actions.undo_discard, request.person, theme)
    return redirect("themes:theme", theme.pk)


@require_POST
@signed_in
def undo_move(request: PersonRequest, pk: int) -> HttpResponse:
    """Undo one act of moving or taking out, named by the form."""
    theme = _any_theme(request, pk)
    asked = request.POST.get("act", "")
    act = get_object_or_404(acts_on(theme), pk=int(asked) if asked.isdecimal() else 0)
    press(request, _("They are back where they were."), actions.undo_move, request.person, act)
    return redirect("themes:theme", theme.pk)


@signed_in
def discarded(request: PersonRequest) -> HttpResponse:
    """Themes that people discarded, each to be taken back."""
    _must_make_sense_somewhere(request)
    hubs = hubs_where(request.person, "make sense")
    gone = Theme.objects.visible_to(request.person).discarded().filter(merged_into__isnull=True, hub__in=hubs)
    page = page_of(request, gone.order_by("-discarded_at").select_related("hub", "discarded_by"), 20)
    counts = voice_counts([theme.pk for theme in page])
    return render(
        request,
        "themes/discarded.html",
        {"page": page, "rows": [(theme, counts[theme.pk]) for theme in page]},
    )


def seen_in(request: PersonRequest) -> int | None:
    """The last act on the thing that the page showed."""
    seen = request.POST.get("seen", "")
    return int(seen) if seen.isdecimal() else None


def _any_theme(request: PersonRequest, pk: int) -> Theme:
    """Also one that was merged or discarded."""
    theme = get_object_or_404(Theme.objects.visible_to(request.person).select_related("hub"), pk=pk)
    must(request.person, "make sense", theme.hub_id)
    return theme


def _theme_to_work_on(request: PersonRequest, pk: int) -> Theme:
    theme = get_object_or_404(Theme.objects.visible_to(request.person).standing(), pk=pk)
    must(request.person, "make sense", theme.hub_id)
    return theme


def _must_make_sense_somewhere(request: PersonRequest) -> None:
    if not hubs_where(request.person, "make sense"):
        raise NotAllowed("make sense")
