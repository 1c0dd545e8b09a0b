"""What whoever leads meetings has to do first, and what somebody said they would do."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coproduce.agenda import inviting
from coproduce.agenda.models import Action, Correction, Meeting
from coproduce.people.models import Person
from coproduce.people.permissions import hubs_where
from coproduce.people.templatetags.plain import said_when
from coproduce.people.todo import Todo

SOON = dt.timedelta(days=14)
LATELY = dt.timedelta(days=14)


def do_these_first(person: Person) -> list[Todo]:
    """Today's meeting; people who don't know of the next one; minutes to begin or put right; what they do by a day."""
    hubs = hubs_where(person, "lead a meeting")
    return [*_meetings(person, hubs), *_minutes(hubs), *_own(person)] if hubs else _own(person)


def _meetings(person: Person, hubs: frozenset[int]) -> list[Todo]:
    now, today = timezone.now(), timezone.localdate()
    near = Meeting.objects.filter(
        hub__in=hubs, ends_at__gte=now, starts_at__lte=now + SOON, cancelled_at=None
    ).select_related("hub")
    todos = []
    for meeting in near.order_by("starts_at", "pk")[:3]:
        if meeting.on == today:
            todos.append(
                Todo(
                    title=_("The meeting is today"),
                    rest=_("at %(begins)s") % {"begins": f"{meeting.begins:%H:%M}"},
                    small=_("The wall, who came, what you agree: all of it is here."),
                    url=reverse("agenda:meeting", args=[meeting.pk]),
                    button=_("Open it"),
                )
            )
            continue
        number = sum(
            1 for each in inviting.everybody(meeting, person) if not each.is_told and not each.reads_here
        )
        if number:
            todos.append(
                Todo(
                    title=ngettext("Tell %(n)d person", "Tell %(n)d people", number) % {"n": number},
                    rest=_("of the meeting on %(day)s") % {"day": date_format(meeting.on, "l j F")},
                    url=reverse("agenda:invite", args=[meeting.pk]),
                    button=_("See who"),
                )
            )
    return todos


def _minutes(hubs: frozenset[int]) -> list[Todo]:
    now = timezone.now()
    over = Meeting.objects.filter(
        Q(minutes=None) | Q(minutes__opened_at=None),
        hub__in=hubs,
        ends_at__lt=now,
        ends_at__gte=now - LATELY,
        cancelled_at=None,
    )
    todos = [
        Todo(
            title=_("Write the minutes"),
            rest=_("of the meeting on %(day)s") % {"day": date_format(meeting.on, "l j F")},
            small=_("Much of them is there already."),
            url=reverse("agenda:write_minutes", args=[meeting.pk]),
            button=_("Write them"),
            lesser=True,
        )
        for meeting in over.order_by("-starts_at", "-pk")[:2]
    ]
    waiting = Correction.objects.waiting().filter(minutes__meeting__hub__in=hubs)
    for correction in waiting.select_related("minutes")[:2]:
        todos.append(
            Todo(
                title=_("Somebody wants the minutes put right"),
                small=_("Take it, or say why not. Until then the minutes don’t stand."),
                url=reverse("agenda:settle", args=[correction.pk]),
                button=_("Look at it"),
            )
        )
    return todos


def _own(person: Person) -> list[Todo]:
    return [
        Todo(
            title=action.words,
            small=_("You said you would. By %(day)s.") % {"day": said_when(action.by_day)},
            url=reverse("agenda:my_actions"),
            button=_("Look at it"),
            lesser=not action.is_late,
        )
        for action in Action.objects.open().filter(owner=person)[:3]
    ]
