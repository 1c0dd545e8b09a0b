"""What whoever tells people has to do first, and how long people wait to hear."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Min
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coproduce.hearback.channels.here import by_hand
from coproduce.hearback.debt import Kind, Owed, half_waited, owed_in, waits
from coproduce.hearback.debt import unanswered as unanswered_in
from coproduce.hearback.enclosed import to_look_at
from coproduce.hearback.models import Feedback, FeedbackQuerySet, Reply, State
from coproduce.hearback.not_fixed import open_questions
from coproduce.hearback.notices import to_tell
from coproduce.people.models import Person, Way
from coproduce.people.permissions import hubs_where
from coproduce.people.templatetags.plain import said_when
from coproduce.people.todo import Todo

MONTHS_SHOWN = 6
FIRST = 3  # of each kind: more is on the page of its own


@dataclass(frozen=True)
class Waiting:
    people: int
    since: dt.datetime | None
    unanswered: int  # people who heard and said that it did not answer them


def waiting(person: Person) -> Waiting:
    """How many people wait to hear from this person's hubs, and since when the longest."""
    hubs = hubs_where(person, "tell people")
    owed = Feedback.objects.filter(
        update__hub__in=hubs,
        state__in=[State.OWED, State.SENDING, State.UNCERTAIN, State.UNDELIVERABLE],
    )
    unanswered = Feedback.objects.filter(update__hub__in=hubs, answer__in=unanswered_in(hubs))
    return Waiting(
        owed.values("person").distinct().count(),
        owed.aggregate(since=Min("owed_at"))["since"],
        unanswered.values("person").distinct().count(),
    )


def do_these_first(person: Person) -> list[Todo]:
    """What is not put right, calls that wait, what people are owed and nobody wrote, what must be decided, letters."""
    hubs = hubs_where(person, "tell people")
    todos = _not_put_right(person)
    if not hubs:
        return todos
    owed = Feedback.objects.filter(update__hub__in=hubs)
    calls = (
        owed.owed_by(*by_hand(Way.Kind.PHONE))
        .due()
        .not_in_quiet_hours()
        .select_related("person", "update__change", "update__topic")
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
    todos += [_to_write(each) for each in owed_in(hubs)[:FIRST]]
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
    return [*todos, *_to_pass_on(person), *_came_back(person)]


def _to_pass_on(person: Person) -> list[Todo]:
    """Trusted people who like a call, a letter or to be told face to face, and have something to pass on."""
    return [
        Todo(
            title=_("Tell %(names)s") % {"names": ", ".join(them.name for them in trusted[:3])},
            rest=_("that there is news to pass on"),
            small=str(Way.Kind(way).label).capitalize() + ".",
            url=reverse("hearback:to_tell", args=[way]),
            button=_("See the list"),
            lesser=True,
        )
        for way in (Way.Kind.PHONE, Way.Kind.FACE_TO_FACE)
        if (trusted := to_tell(person, way))
    ]


def _to_write(each: Owed) -> Todo:
    """One thing that people are owed and nobody wrote, with the page where one begins to."""
    check = each.kind == Kind.CHECK
    waits = _("%(what)s: %(when)s.") % {"what": capfirst(str(each.kind.label)), "when": said_when(each.since)}
    return Todo(
        title=_("Check again:") if check else _("Tell people:"),
        rest=each.about.title,
        small=waits + (" " + _("It is overdue.") if each.is_overdue else ""),
        url=each.url,
        button=_("Check it") if check else _("Write it"),
    )


def _not_put_right(person: Person) -> list[Todo]:
    """What people were told is done, and somebody says it is not: for whoever sees to it, and who leads there."""
    hubs = hubs_where(person, "tell people")
    return [
        Todo(
            title=_("Somebody says it is not put right:"),
            rest=update.about.title,
            small=_("They were told: “%(title)s”.") % {"title": update.title},
            url=update.about_path,
            button=_("See it"),
        )
        for update in open_questions(hubs, person)[:FIRST]
    ]


def _came_back(person: Person) -> list[Todo]:
    number = Reply.objects.visible_to(person).waiting().count()
    files = to_look_at(person).count()
    came = (
        []
        if not number
        else [
            Todo(
                title=ngettext("%(n)d answer came back", "%(n)d answers came back", number) % {"n": number},
                rest=_("and we can’t tell from whom"),
                small=_("Do you know?"),
                url=reverse("hearback:replies"),
                button=_("Read it"),
                lesser=True,
            )
        ]
    )
    if files:
        came.append(
            Todo(
                title=ngettext("%(n)d file came with an answer", "%(n)d files came with answers", files)
                % {"n": files},
                url=reverse("hearback:replies"),
                button=_("See it"),
                lesser=True,
            )
        )
    return came


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
    by_month: dict[dt.date, list[dict[int, int]]] = {}
    for (month, _hub), days in waits(hubs_where(person, "tell people"), MONTHS_SHOWN).items():
        by_month.setdefault(month, []).append(days)
    half = {month: half_waited(*counted) for month, counted in sorted(by_month.items())}
    longest = max(half.values(), default=0) or 1
    return [
        Month(date_format(month, "F"), days, 60 * place, max(4, round(112 * days / longest)))
        for place, (month, days) in enumerate(half.items())
    ]
