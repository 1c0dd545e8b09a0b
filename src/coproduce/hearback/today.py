"""What whoever tells people has to do first, and how long people wait to hear."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Exists, F, Min, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coproduce.changes.models import Change
from coproduce.hearback.channels.here import by_hand
from coproduce.hearback.models import Feedback, FeedbackQuerySet, State, Update
from coproduce.people.models import Person, Way
from coproduce.people.permissions import hubs_where
from coproduce.people.todo import Todo

MONTHS_SHOWN = 6


@dataclass(frozen=True)
class Waiting:
    people: int
    since: dt.datetime | None
    unanswered: int  # people who heard and said that it did not answer them


def waiting(person: Person) -> Waiting:
    """How many people wait to hear from this person's hubs, and since when the longest."""
    hubs = hubs_where(person, "tell people")
    owed = Feedback.objects.filter(
        update__change__hub__in=hubs,
        state__in=[State.OWED, State.SENDING, State.UNCERTAIN, State.UNDELIVERABLE],
    )
    unanswered = Feedback.objects.filter(
        update__change__hub__in=hubs, answer__answered=False, person__erasure__isnull=True
    )
    return Waiting(
        owed.values("person").distinct().count(),
        owed.aggregate(since=Min("owed_at"))["since"],
        unanswered.values("person").distinct().count(),
    )


def do_these_first(person: Person) -> list[Todo]:
    """Calls, letters and meetings that wait, what must be decided, and changes that nobody was told about."""
    hubs = hubs_where(person, "tell people")
    if not hubs:
        return []
    owed = Feedback.objects.filter(update__change__hub__in=hubs)
    todos = []
    calls = (
        owed.owed_by(*by_hand(Way.Kind.PHONE))
        .due()
        .not_in_quiet_hours()
        .select_related("person", "update__change")
    )
    if number := calls.count():
        todos.append(
            Todo(
                title=_("Ring %(names)s") % {"names": _names(calls)},
                small=_("They asked for a call. What to say is ready. About %(n)d minutes.")
                % {"n": 5 * number},
                url=reverse("hearback:to_tell", args=[Way.Kind.PHONE]),
                button=_("Start calls"),
            )
        )
    for change in _not_told(hubs):
        todos.append(
            Todo(
                title=_("Tell people:"),
                rest=change.title,
                small=_("Nobody behind it has been told how far it is."),
                url=reverse("hearback:write", args=[change.pk]),
                button=_("Write it"),
            )
        )
    unsettled = (
        owed.filter(state__in=[State.UNCERTAIN, State.UNDELIVERABLE]).count() + owed.owed_by_no_way().count()
    )
    if unsettled:
        todos.append(
            Todo(
                title=ngettext("Decide about %(n)d message", "Decide about %(n)d messages", unsettled)
                % {"n": unsettled},
                small=_("They did not arrive, or we can't be sure they did."),
                url=reverse("hearback:to_settle"),
                button=_("Decide"),
            )
        )
    if number := owed.owed_by(*by_hand(Way.Kind.LETTER)).count():
        todos.append(
            Todo(
                title=ngettext("Post %(n)d letter", "Post %(n)d letters", number) % {"n": number},
                small=_("One PDF to print."),
                url=reverse("hearback:letters"),
                button=_("Make letters"),
                lesser=True,
            )
        )
    meet = owed.owed_by(Way.Kind.FACE_TO_FACE)
    if meet.exists():
        todos.append(
            Todo(
                title=_("Tell %(names)s") % {"names": _names(meet)},
                small=_("Face to face, when you next see them."),
                url=reverse("hearback:to_tell", args=[Way.Kind.FACE_TO_FACE]),
                button=_("See the list"),
                lesser=True,
            )
        )
    return todos


def _not_told(hubs: frozenset[int]) -> list[Change]:
    """Changes that somebody stands behind and whose latest step nobody was told about."""
    changes = Change.objects.filter(hub__in=hubs).with_stage()
    told = Update.objects.filter(change=OuterRef("pk"), written_at__date__gte=OuterRef("stage_on"))
    tied = Q(topics__isnull=False) | Q(themes__isnull=False) | Q(voices__isnull=False)
    return list(changes.filter(tied).filter(~Exists(told)).order_by(F("stage_on")).distinct()[:3])


def _names(owed: FeedbackQuerySet) -> str:
    known = list(owed.order_by("person__name").values_list("person__name", flat=True).distinct())
    if len(known) > 3:
        return _("%(names)s and %(n)d more") % {"names": ", ".join(known[:3]), "n": len(known) - 3}
    if len(known) > 1:
        return _("%(names)s and %(last)s") % {"names": ", ".join(known[:-1]), "last": known[-1]}
    return known[0] if known else ""


@dataclass(frozen=True)
class Month:
    name: str
    days: int  # half of the people who heard in this month had waited no longer
    left: int  # where its bar stands, and how tall it is, in units of a drawing 120 high
    bar: int

    @property
    def top(self) -> int:
        return 120 - self.bar


def how_long_people_waited(person: Person) -> list[Month]:
    """For each of the last six months with anybody in it: the median wait, in days, of those who heard in it."""
    begins = (timezone.localtime() - dt.timedelta(days=31 * (MONTHS_SHOWN - 1))).replace(
        day=1, hour=0, minute=0
    )
    waits: dict[tuple[int, int], list[int]] = {}
    heard = Feedback.objects.filter(
        update__change__hub__in=hubs_where(person, "tell people"), state=State.HEARD, heard_at__gte=begins
    ).values_list("owed_at", "heard_at")
    for owed_at, heard_at in heard.iterator():
        assert heard_at is not None  # the query asks for those heard since
        day = timezone.localtime(heard_at)
        waits.setdefault((day.year, day.month), []).append((heard_at - owed_at).days)
    months = {month: sorted(days)[(len(days) - 1) // 2] for month, days in sorted(waits.items())}
    longest = max(months.values(), default=0) or 1
    return [
        Month(
            date_format(dt.date(year, month, 1), "F"), days, 60 * place, max(4, round(112 * days / longest))
        )
        for place, ((year, month), days) in enumerate(months.items())
    ]
