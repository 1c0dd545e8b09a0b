"""What whoever leads a hub has to do first: answer services, take up what several hubs raise."""

from __future__ import annotations

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from coproduce.agenda.bigger_voice_pages import shown
from coproduce.agenda.models import Ask, BiggerVoice
from coproduce.people.models import Person
from coproduce.people.permissions import hubs_where
from coproduce.people.todo import Todo

FIRST = 3  # of each kind: more is on the page of its own


def do_these_first(person: Person) -> list[Todo]:
    return [*_asks(person), *_bigger_voices(person)]


def _asks(person: Person) -> list[Todo]:
    """Those that wait, the soonest due first."""
    hubs = hubs_where(person, "answer an ask")
    if not hubs:
        return []
    waiting = (
        Ask.objects.visible_to(person).filter(hub__in=hubs).waiting().order_by("by_when", "confirmed_at")
    )
    return [
        Todo(
            title=_("%(organisation)s asks:") % {"organisation": each.organisation},
            rest=each.wants,
            small=_("They need to know by %(day)s.") % {"day": date_format(each.by_when, "j F")}
            if each.by_when
            else _("What does the group say?"),
            url=reverse("agenda:ask", args=[each.pk]),
            button=_("Read it"),
        )
        for each in waiting[:FIRST]
    ]


def _bigger_voices(person: Person) -> list[Todo]:
    hubs = hubs_where(person, "decide on a topic")
    if not hubs:
        return []
    return [
        Todo(
            title=_("%(three_hubs)s:") % {"three_hubs": row.title},
            rest=row.topics[0].title,
            small=_("%(hub)s can take it up.") % {"hub": row.known.hub},
            url=reverse("agenda:bigger_voice", args=[row.known.pk]),
            button=_("Look"),
            lesser=True,
        )
        for row in shown(BiggerVoice.objects.to_take_up().filter(hub__in=hubs)[:FIRST])
    ]
