"""The pages of a sense-making session: its plan, who is invited, the big screen, paper, and what came of it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Mandate, Person, Way
from coproduce.people.pages import page_of, press
from coproduce.people.permissions import NotAllowed, hubs_where, may, must
from coproduce.themes import forms, together
from coproduce.themes.models import (
    Invited,
    Outcome,
    SenseMaking,
    Theme,
    heard_in_the_room,
    last_act,
    messages_with_quotes,
    voice_counts,
)
from coproduce.themes.on_paper import Guest, invitations_on_paper, quote_cards
from coproduce.voices.models import who_may_be_named

ON_SCREEN = 5  # quotes of a theme that everybody in the room can read
ON_CARDS = 12


@signed_in
def sessions(request: PersonRequest) -> HttpResponse:
    known = SenseMaking.objects.visible_to(request.person).select_related("hub").prefetch_related("outcomes")
    return render(
        request,
        "themes/sessions.html",
        {
            "page": page_of(request, known, 20),
            "makes_sense": bool(hubs_where(request.person, "make sense")),
            "today": timezone.localdate(),
        },
    )


@signed_in
def plan(request: PersonRequest) -> HttpResponse:
    if not hubs_where(request.person, "make sense"):
        raise NotAllowed("make sense")
    form = forms.SessionForm(request.person, request.POST or None)
    if form.is_valid() and form.does(together.plan_session, request.person, **form.cleaned_data):
        messages.success(request, _("The session is planned. Now invite people."))
        return redirect("themes:session", form.result.pk)
    return render(request, "themes/plan.html", {"form": form})


@signed_in
def change(request: PersonRequest, pk: int) -> HttpResponse:
    session = _to_lead(request, pk)
    initial = {"name": session.name, "on": session.on, "place": session.place}
    chosen = {"themes": list(session.themes.all()), "stories": list(session.stories.all())}
    form = forms.SessionForm(
        request.person, request.POST or None, initial=initial | chosen, hub=session.hub_id
    )
    if form.is_valid() and form.does(together.change_session, request.person, session, **form.cleaned_data):
        messages.success(request, _("Saved."))
        return redirect("themes:session", session.pk)
    return render(request, "themes/plan.html", {"form": form, "session": session})


@signed_in
def session(request: PersonRequest, pk: int) -> HttpResponse:
    """For the group: what is planned and what came of it. For who leads it, also the list of people."""
    by = request.person
    session = get_object_or_404(SenseMaking.objects.visible_to(by).select_related("hub"), pk=pk)
    leads = may(by, "make sense", session.hub_id)
    themes = list(Theme.objects.visible_to(by).filter(sense_makings=session))
    outcomes = {outcome.theme_id: outcome for outcome in session.outcomes.select_related("theme")}
    counts = voice_counts([theme.pk for theme in themes])
    return render(
        request,
        "themes/session.html",
        {
            "session": session,
            "leads": leads,
            "rows": [(theme, counts[theme.pk], outcomes.get(theme.pk)) for theme in themes],
            "done": len(outcomes),
            "invited": invited_to(session, by) if leads else [],
            "own": session.invited.filter(person=by).first(),
            "messages_of_it": messages_with_quotes(session.key_messages.all(), by),
            "may_print": may(by, "look after people", session.hub_id),
            "is_past": session.on <= timezone.localdate(),
        },
    )


def invited_to(session: SenseMaking, reader: Person) -> list[Guest]:
    """Ways are for those who look after people. Through a trusted person: that one's name."""
    known = session.invited.select_related("person").prefetch_related(
        "person__ways", Prefetch("person__mandates", Mandate.objects.select_related("trusted__account"))
    )
    rows = list(known)
    named = Person.objects.named_for(reader).filter(pk__in=[row.person_id for row in rows])
    names = {person.pk: person.shown for person in named}
    looked_after = may(reader, "look after people", session.hub_id)
    guests = []
    for row in rows:
        way = row.person.preferred_way if looked_after else None
        through = ""
        if way and way.kind == Way.Kind.TRUSTED_PERSON:
            through = next(
                (each.trusted.name for each in row.person.mandates.all() if each.hear and each.stands), ""
            )
        guests.append(Guest(row, names.get(row.person_id, _("Somebody")), way, through))
    return guests


@signed_in
def invite(request: PersonRequest, pk: int) -> HttpResponse:
    """Choose more people to invite."""
    session = _to_lead(request, pk)
    by = request.person
    asked = request.GET.get("q", "").strip()
    known = who_may_be_named(by, session.hub).filter(erasure__isnull=True)
    known = known.exclude(invited_to__session=session)
    page = page_of(request, known.filter(name__icontains=asked) if asked else known, 30)
    form = forms.InviteForm(known, request.POST or None)
    if form.is_valid() and form.does(together.invite, by, session, form.cleaned_data["people"]):
        said = ngettext("%(n)d person is on the list now.", "%(n)d people are on the list now.", form.result)
        messages.success(request, said % {"n": form.result})
        return redirect("themes:session", session.pk)
    return render(
        request,
        "themes/invite.html",
        {
            "form": form,
            "session": session,
            "page": page,
            "q": asked,
            "query": urlencode({"q": asked} if asked else {}),
            "many": asked or page.paginator.num_pages > 1,
        },
    )


@require_POST
@signed_in
def told(request: PersonRequest, pk: int) -> HttpResponse:
    invited = _on_the_list(request, pk)
    done = "undo" not in request.POST
    said = _("Ticked off.") if done else _("The tick is gone.")
    press(request, said, together.told_about_it, request.person, invited, done)
    return redirect("themes:session", invited.session_id)


@require_POST
@signed_in
def take_off(request: PersonRequest, pk: int) -> HttpResponse:
    invited = _on_the_list(request, pk)
    press(request, _("They are off the list."), together.take_off_the_list, request.person, invited)
    return redirect("themes:session", invited.session_id)


@require_POST
@signed_in
def came(request: PersonRequest, pk: int) -> HttpResponse:
    session = _to_lead(request, pk)
    ticked = [int(each) for each in request.POST.getlist("came") if each.isdecimal()]
    there = session.invited.filter(pk__in=ticked)
    press(request, _("Saved who came."), together.note_who_came, request.person, session, there)
    return redirect("themes:session", session.pk)


# In the room


@signed_in
def screen(request: PersonRequest, pk: int) -> HttpResponse:
    """One theme at a time, for everybody in the room to read: what the group may read, and nothing else."""
    session = _to_lead(request, pk)
    themes = list(session.themes.all())
    asked = request.GET.get("theme", "")
    place = next((at for at, theme in enumerate(themes) if str(theme.pk) == asked), 0)
    theme = themes[place] if themes else None
    return render(
        request,
        "themes/screen.html",
        {
            "session": session,
            "theme": theme,
            "voices": heard_in_the_room(session, theme, ON_SCREEN) if theme else [],
            "outcome": session.outcomes.filter(theme=theme).first() if theme else None,
            "place": place + 1,
            "all": len(themes),
            "before": themes[place - 1] if place else None,
            "after": themes[place + 1] if place + 1 < len(themes) else None,
        },
    )


@signed_in
def outcome(request: PersonRequest, pk: int, theme: int) -> HttpResponse:
    """Write down what the people said about one theme."""
    session = _to_lead(request, pk)
    about = get_object_or_404(session.themes.select_related("hub"), pk=theme)
    known = session.outcomes.filter(theme=about).first()
    initial: dict[str, Any] = {"name": about.name}
    if known:
        initial |= {"kind": known.kind, "note": known.note}
    form = forms.OutcomeForm(request.POST or None, initial=initial)
    if form.is_valid() and form.does(
        together.write_outcome, request.person, session, about, **form.cleaned_data
    ):
        messages.success(request, _("Written down."))
        if "next" in request.POST and (following := _next_open(session)):
            return redirect("themes:outcome", session.pk, following.pk)
        return redirect("themes:session", session.pk)
    return render(
        request,
        "themes/outcome.html",
        {
            "session": session,
            "theme": about,
            "form": form,
            "voices": heard_in_the_room(session, about, 3),
            "seen": last_act(about),
            "known": known,
            "refused": Outcome.Kind.REFUSED,
        },
    )


def _next_open(session: SenseMaking) -> Theme | None:
    return session.themes.exclude(outcomes__session=session).first()


# On paper


@signed_in
def cards(request: PersonRequest, pk: int) -> HttpResponse:
    """The quotes of the session's themes as cards, to cut out and lay on a table."""
    session = _to_lead(request, pk)
    piles = [(theme, heard_in_the_room(session, theme, ON_CARDS)) for theme in session.themes.all()]
    return _pdf(quote_cards(session, piles), "quote-cards.pdf")


@signed_in
def letters(request: PersonRequest, pk: int) -> HttpResponse:
    """An invitation on paper for everybody on the list, each on a page of its own."""
    session = _to_lead(request, pk)
    must(request.person, "look after people", session.hub_id)
    return _pdf(invitations_on_paper(session, invited_to(session, request.person)), "invitations.pdf")


def _pdf(pdf: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(pdf, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{name}"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def _to_lead(request: PersonRequest, pk: int) -> SenseMaking:
    session = get_object_or_404(SenseMaking.objects.visible_to(request.person).select_related("hub"), pk=pk)
    must(request.person, "make sense", session.hub_id)
    return session


def _on_the_list(request: PersonRequest, pk: int) -> Invited:
    sessions = SenseMaking.objects.visible_to(request.person)
    invited = get_object_or_404(Invited.objects.filter(session__in=sessions).select_related("session"), pk=pk)
    must(request.person, "make sense", invited.session.hub_id)
    return invited
