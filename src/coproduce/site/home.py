"""The first page: the facilitator's day, a member's own thread, or for a visitor what this is."""

from __future__ import annotations

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.defaults import page_not_found

from coproduce.agenda import meetings_today
from coproduce.agenda import today as agenda
from coproduce.changes.models import Change
from coproduce.consensus import today as consensus
from coproduce.glossary import today as glossary
from coproduce.hearback import today as hearback
from coproduce.people import today as people
from coproduce.people.models import Membership, Person
from coproduce.people.permissions import BELOW, TABLE, hubs_where
from coproduce.themes import today as themes
from coproduce.voices import today as voices

log = logging.getLogger("coproduce.security")

ROOMS = (
    meetings_today,
    hearback,
    agenda,
    consensus,
    themes,
    voices,
    glossary,
    people,
)  # those that have something to do first


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


def who_may_do_what(request: HttpRequest) -> HttpResponse:
    """The table that every page and action asks, for people to read."""
    rows = [
        (_SAYS[verb], [(Membership.Role(role).label, reach == BELOW) for role, reach in roles.items()])
        for verb, roles in TABLE.items()
    ]
    return render(request, "site/who_may_do_what.html", {"rows": rows})


# What each row of the table is called where people read it. The test of the page fails until a new row is here.
_SAYS = {
    "read what the group may read": gettext_lazy("Read what somebody allowed the group to read"),
    "read what services may read": gettext_lazy(
        "Read, without names, what somebody allowed services to read"
    ),
    "read everything said": gettext_lazy("Read everything said in the group, and who said it"),
    "add words": gettext_lazy("Write down what somebody said"),
    "take in what strangers say": gettext_lazy("Open what strangers sent through the public form"),
    "bring somebody in": gettext_lazy("Bring in somebody they support"),
    "work on stories": gettext_lazy("Take in stories, mend them and mark quotes"),
    "make sense": gettext_lazy("Put what was said into themes"),
    "say what a word means": gettext_lazy("Propose what a word means"),
    "explain words": gettext_lazy("Decide how a word is explained"),
    "raise a topic": gettext_lazy("Raise a topic"),
    "support a topic": gettext_lazy("Say that they want a topic too"),
    "decide on a topic": gettext_lazy("Write down what the group decided"),
    "answer an ask": gettext_lazy("Write down what the group answers a service"),
    "open a conversation": gettext_lazy("Ask people to vote on statements, to find common ground"),
    "curate statements": gettext_lazy("Decide which statements people vote on"),
    "record votes": gettext_lazy("Write down votes from paper and phone calls"),
    "lead a meeting": gettext_lazy("Plan a meeting and lead it"),
    "record a change": gettext_lazy("Record a change"),
    "tie the thread": gettext_lazy("Tie a change to the words behind it"),
    "write an update": gettext_lazy("Write what there is to tell"),
    "tell people": gettext_lazy("See that everybody hears it"),
    "look after people": gettext_lazy("Look after people: their names, roles and ways"),
    "shape hubs": gettext_lazy("Add hubs and make coordinators"),
}


def making_this_easier(request: HttpRequest) -> HttpResponse:
    return render(request, "site/making_this_easier.html")


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What somebody may not see answers exactly as what does not exist. The log knows the difference."""
    log.warning(
        "account %s was refused at %s", getattr(request, "user", None) and request.user.pk, request.path
    )
    return page_not_found(request, exception)
