"""What whoever looks after people has to do first."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coproduce.people.models import Person
from coproduce.people.permissions import hubs_where
from coproduce.people.todo import Todo


def do_these_first(person: Person) -> list[Todo]:
    """People nobody knows how to reach: they would never hear."""
    if not hubs_where(person, "look after people"):
        return []
    number = Person.objects.visible_to(person).out_of_reach().count()
    if not number:
        return []
    return [
        Todo(
            title=ngettext("Find out how to reach %(n)d person", "Find out how to reach %(n)d people", number)
            % {"n": number},
            small=_("They can't hear what happened until you do."),
            url=reverse("people:people") + "?reach=none",
            button=_("See who"),
            lesser=True,
        )
    ]
