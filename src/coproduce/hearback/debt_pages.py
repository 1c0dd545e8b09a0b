"""The pages of the debt: what is owed and not written, what is written and not heard, and where every voice stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from coproduce.changes.thread import ahead_of
from coproduce.hearback import actions
from coproduce.hearback.debt import (
    UNHEARD,
    Closed,
    closed_by,
    half_waited,
    leads_nowhere,
    owed_in,
    unheard_in,
    waits,
    with_people,
)
from coproduce.hearback.forms import StillWaitingForm
from coproduce.hearback.mine import became_of
from coproduce.hearback.models import Feedback
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Hub
from coproduce.people.pages import page_of
from coproduce.people.permissions import NotAllowed, hubs_where, may, must
from coproduce.voices.models import Voice


@signed_in
def debt(request: PersonRequest) -> HttpResponse:
    """Everything that people are owed: overdue promises first, then the longest owed."""
    hubs = _hubs(request)
    page = page_of(request, owed_in(hubs))
    voices, since = leads_nowhere(hubs)
    return render(
        request,
        "hearback/debt.html",
        {
            "page": page,
            "rows": with_people(page.object_list),
            "unheard": unheard_in(hubs)[:20],
            "hubs": _by_hub(request, hubs),
            "nowhere": voices,
            "nowhere_since": since,
        },
    )


@dataclass(frozen=True)
class _HubRow:
    hub: Hub
    people: int  # who heard in the last six months
    half_waited: int | None
    closed: Closed
    may_set: bool


def _by_hub(request: PersonRequest, hubs: Collection[int]) -> list[_HubRow]:
    counted = waits(hubs)
    closed = closed_by("update__hub", update__hub__in=hubs)
    rows = []
    for hub in Hub.objects.filter(pk__in=hubs):
        here = [days for (_month, pk), days in counted.items() if pk == hub.pk]
        rows.append(
            _HubRow(
                hub,
                sum(sum(days.values()) for days in here),
                half_waited(*here) if here else None,
                closed.get(hub.pk, Closed(0, 0)),
                may(request.person, "decide on a topic", hub),
            )
        )
    return rows


@signed_in
def who_waits(request: PersonRequest) -> HttpResponse:
    """Who is owed what since when: everybody who was written to, or is to be told, and has not heard."""
    waiting = Feedback.objects.filter(update__hub__in=_hubs(request), state__in=UNHEARD)
    waiting = waiting.with_way().named_for(request.person).select_related("person", "update__hub")
    return render(
        request, "hearback/who_waits.html", {"page": page_of(request, waiting.order_by("owed_at", "pk"), 50)}
    )


@signed_in
def every_voice(request: PersonRequest) -> HttpResponse:
    """For every voice what became of it: a change, no change and why, or still open. The oldest first."""
    hubs = _hubs(request)
    known = Voice.objects.filter(hub__in=hubs, disowned_at=None)
    if not hubs <= hubs_where(request.person, "read everything said"):
        known = known.filter(pk__in=Voice.objects.visible_to(request.person).values("pk"))
    page = page_of(request, known.order_by("pk").values_list("pk", flat=True), 30)
    shown, ahead = Voice.objects.for_reading(request.person).in_bulk(list(page)), ahead_of(page)
    rows = [(shown[pk], became_of(shown[pk], ahead[pk])) for pk in page if pk in shown]
    return render(request, "hearback/every_voice.html", {"page": page, "rows": rows})


@signed_in
def still_waiting(request: PersonRequest, pk: int) -> HttpResponse:
    """After how long without news people of a hub hear that they still wait."""
    hub = get_object_or_404(Hub, pk=pk)
    must(request.person, "decide on a topic", hub)
    form = StillWaitingForm(request.POST or None, initial={"months": hub.still_waiting_months})
    if form.is_valid() and form.does(
        actions.set_still_waiting, request.person, hub, form.cleaned_data["months"]
    ):
        messages.success(request, _("Saved."))
        return redirect("hearback:debt")
    return render(request, "hearback/still_waiting.html", {"form": form, "hub": hub})


def _hubs(request: PersonRequest) -> frozenset[int]:
    hubs = hubs_where(request.person, "tell people")
    if not hubs:
        raise NotAllowed("tell people")
    return hubs
