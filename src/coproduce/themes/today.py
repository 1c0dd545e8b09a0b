"""What whoever makes sense of things has to do first."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coproduce.people.models import Person
from coproduce.people.permissions import hubs_where
from coproduce.people.todo import Todo
from coproduce.themes.models import ProposedTheme, SenseMaking

SOON = dt.timedelta(days=21)


def do_these_first(person: Person) -> list[Todo]:
    """Sessions that are near and that people were not told about; themes that the machine proposes."""
    if not hubs_where(person, "make sense"):
        return []
    return [*_sessions(person), *_proposed(person)]


def _sessions(person: Person) -> list[Todo]:
    today = timezone.localdate()
    near = SenseMaking.objects.filter(
        hub__in=hubs_where(person, "make sense"), on__gte=today, on__lte=today + SOON
    ).annotate(waiting=Count("invited", filter=Q(invited__told_at__isnull=True)))
    return [
        Todo(
            title=ngettext("Invite %(n)d person", "Invite %(n)d people", session.waiting)
            % {"n": session.waiting},
            rest=_("to ‘%(session)s’") % {"session": session.name},
            small=_("On %(day)s. They don’t know yet.") % {"day": date_format(session.on, "l j F")},
            url=reverse("themes:session", args=[session.pk]),
            button=_("See who"),
        )
        for session in near.filter(waiting__gt=0).order_by("on", "pk")[:3]
    ]


def _proposed(person: Person) -> list[Todo]:
    number = ProposedTheme.objects.visible_to(person).open().count()
    if not number:
        return []
    return [
        Todo(
            title=ngettext("Look at %(n)d theme", "Look at %(n)d themes", number) % {"n": number},
            rest=_("that the machine proposes"),
            small=_("You decide. It only lays side by side what sounds alike."),
            url=reverse("themes:proposed"),
            button=_("Look"),
            lesser=True,
        )
    ]
