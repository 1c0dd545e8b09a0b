"""The first page: the facilitator's day, a member's own thread, or for a visitor what this is."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.defaults import page_not_found

from coproduce.changes.models import Change
from coproduce.hearback import today as hearback
from coproduce.people import today as people
from coproduce.people.models import Person
from coproduce.people.permissions import hubs_where
from coproduce.voices import today as voices

log = logging.getLogger("coproduce.security")

ROOMS = (hearback, voices, people)  # those that have something to do first


def home(request: HttpRequest) -> HttpResponse:
    person: Person | None = request.person  # type: ignore[attr-defined]
    if person is None:
        latest = Change.objects.visible_to(None).latest_first()[:4]
        return render(request, "site/welcome.html", {"latest": latest})
    if getattr(request.user, "is_administrator", False) and not person.memberships.current().exists():
        return redirect("installation")
    if not (hubs_where(person, "tell people") or hubs_where(person, "work on stories")):
        return redirect("hearback:what_happened")
    return render(
        request,
        "site/today.html",
        {
            "greeting": _greeting() % {"name": person.name_for(person)},
            "waiting": hearback.waiting(person),
            "waits": hearback.how_long_people_waited(person),
            "todos": [todo for room in ROOMS for todo in room.do_these_first(person)],
        },
    )


def _greeting() -> str:
    hour = timezone.localtime().hour
    if hour < 12:
        return _("Good morning, %(name)s")
    return _("Good afternoon, %(name)s") if hour < 18 else _("Good evening, %(name)s")


def how_this_works(request: HttpRequest) -> HttpResponse:
    return render(request, "site/how_this_works.html")


def what_we_keep(request: HttpRequest) -> HttpResponse:
    return render(request, "site/what_we_keep.html")


def making_this_easier(request: HttpRequest) -> HttpResponse:
    return render(request, "site/making_this_easier.html")


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What somebody may not see answers exactly as what does not exist. The log knows the difference."""
    log.warning(
        "account %s was refused at %s", getattr(request, "user", None) and request.user.pk, request.path
    )
    return page_not_found(request, exception)
