"""What whoever keeps stories has to do first."""

from __future__ import annotations

from django.db.models import Count, F, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coproduce.people.models import Person
from coproduce.people.permissions import hubs_where
from coproduce.people.todo import Todo
from coproduce.voices.consent import stories_to_recall, to_ask_again, to_recall
from coproduce.voices.models import Incoming, Story


def do_these_first(person: Person) -> list[Todo]:
    """What strangers said; words taken back that others still have; old yeses; stories with no quote marked yet."""
    return [*_strangers(person), *_recall(person), *_ask_again(person), *_stories(person)]


def _strangers(person: Person) -> list[Todo]:
    number = Incoming.objects.visible_to(person).waiting().count()
    if not number:
        return []
    return [
        Todo(
            title=ngettext("%(n)d person had their say", "%(n)d people had their say", number)
            % {"n": number},
            rest=_("on the open form"),
            small=_("Nobody has read it yet."),
            url=reverse("voices:queue"),
            button=_("Read it"),
            lesser=True,
        )
    ]


def _recall(person: Person) -> list[Todo]:
    if not hubs_where(person, "work on stories"):
        return []
    voices, stories = to_recall(person).count(), stories_to_recall(person).count()
    titles = []
    if voices:
        what = ngettext(
            "Ask for %(n)d voice to be taken down", "Ask for %(n)d voices to be taken down", voices
        )
        titles.append(what % {"n": voices})
    if stories:
        what = ngettext(
            "Ask for %(n)d whole story to be taken down",
            "Ask for %(n)d whole stories to be taken down",
            stories,
        )
        titles.append(what % {"n": stories})
    return [
        Todo(
            title=title,
            small=_("Somebody took their words back. Others still have them."),
            url=reverse("to_recall"),
            button=_("See where"),
        )
        for title in titles
    ]


def _ask_again(person: Person) -> list[Todo]:
    number = to_ask_again(person).count() if hubs_where(person, "work on stories") else 0
    if not number:
        return []
    return [
        Todo(
            title=ngettext("Ask again about %(n)d voice", "Ask again about %(n)d voices", number)
            % {"n": number},
            small=_("They said yes long ago. Do they still?"),
            url=reverse("voices:ask_again"),
            button=_("See which"),
            lesser=True,
        )
    ]


def _stories(person: Person) -> list[Todo]:
    unread = (
        Story.objects.filter(hub__in=hubs_where(person, "work on stories"))
        .annotate(
            turns_here=Count("turns", distinct=True),
            unknown=Count(
                "turns", filter=Q(turns__speaker__isnull=True, turns__trimmed=False), distinct=True
            ),
            quotes=Count("turns__quotes", distinct=True),
        )
        .filter(quotes=0, turns_here__gte=F("turns_expected"))[:3]
    )
    return [
        Todo(
            title=_("“%(title)s”") % {"title": story.title},
            rest=_("is ready to work on"),
            small=ngettext("%(n)d turn", "%(n)d turns", story.turns_here) % {"n": story.turns_here}
            + (", " + _("%(n)d without a speaker") % {"n": story.unknown} if story.unknown else ""),
            url=reverse("voices:story", args=[story.pk]),
            button=_("Open"),
            lesser=True,
        )
        for story in unread
    ]
