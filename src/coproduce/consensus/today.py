"""What whoever curates statements has to do first."""

from __future__ import annotations

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coproduce.consensus.models import Conversation, Statement
from coproduce.people.models import Person
from coproduce.people.permissions import hubs_where
from coproduce.people.todo import Todo

FIRST = 3


def do_these_first(person: Person) -> list[Todo]:
    """Statements that wait to be read, or that lost the words they stood on."""
    waits = Q(statements__state__in=[Statement.State.WAITING, Statement.State.WORDLESS])
    waiting = (
        Conversation.objects.running()
        .filter(topic__hub__in=hubs_where(person, "curate statements"))
        .annotate(waiting=Count("statements", filter=waits))
        .filter(waiting__gt=0)
        .select_related("topic")[:FIRST]
    )
    return [
        Todo(
            title=ngettext("Read %(n)d statement", "Read %(n)d statements", each.waiting)
            % {"n": each.waiting},
            rest=_("on “%(topic)s”") % {"topic": each.topic.title},
            small=_("Then others can vote on it."),
            url=reverse("consensus:statements", args=[each.pk]),
            button=_("Read it"),
            lesser=True,
        )
        for each in waiting
    ]
