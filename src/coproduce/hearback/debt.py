"""The debt: what people are owed and nobody has told them yet, who waits for what since when, and how long it took.

All of it is a query. What was told is what an update says it tells (see Update); what is owed is every step, review
and decision that somebody's words stand behind and no update tells, every promised day that has passed, and every
silence that has lasted longer than the group set (Hub.still_waiting_months). A number of queries that does not grow.

- A change owes its latest step: whoever hears that it is made need not hear first that it was planned.
- A topic owes its latest decision where that ends it: decided, or put aside and why. What came of it since (a step
  of a change it led to) tells that as well.
- A review of a change, such as of a contract's clause, is owed as it was found.
- A promise is a day named in an update ("you will hear again by …") or set for a check of a change. One that has
  passed is overdue, and comes first.
- A conversation that was frozen owes the group's answer to everybody who voted.
- A round will owe its end, once there are rounds: one more function beside these.
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    Case,
    Count,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextChoices,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coproduce.agenda.models import Decision, Support, Topic
from coproduce.agenda.models import Stage as TopicStage
from coproduce.changes.models import Change, Review, Step
from coproduce.changes.models import Stage as ChangeStage
from coproduce.changes.thread import count_people_behind
from coproduce.consensus.models import Conversation, Voter
from coproduce.hearback.models import Answer, Feedback, State, Update
from coproduce.people.models import Hub
from coproduce.themes.models import Placement
from coproduce.voices.models import Voice, months_ago

UNHEARD = [State.OWED, State.SENDING, State.UNCERTAIN, State.UNDELIVERABLE]
AT_MOST = 200  # of each kind, the longest owed first: more than anybody works off in a day
NO_QUESTION_FOR = dt.timedelta(days=28)  # after that, who heard and asked nothing counts as answered


class Kind(TextChoices):
    """What is owed."""

    PROMISE = "promise", _("you promised to tell people by this day")
    CHECK = "check", _("it was to be checked again by this day")
    STEP = "step", _("nobody was told how far it is")
    DECISION = "decision", _("nobody was told what the group decided")
    REVIEW = "review", _("nobody was told what was found")
    COMMON_GROUND = "common ground", _("nobody was told what people agree on")
    WAITING = "waiting", _("people have heard nothing for a while")


@dataclass(frozen=True)
class Owed:
    """One thing that is owed to everybody behind a change or a topic."""

    kind: Kind
    about: Change | Topic
    since: dt.date  # for a promise the day that it names; for a silence when it began
    news: int = 0  # the id of the step, review or decision
    people: int = 0  # with_people() counts them

    @property
    def is_overdue(self) -> bool:
        return self.kind in (Kind.PROMISE, Kind.CHECK)

    @property
    def url(self) -> str:
        """Where one begins to see to it."""
        if self.kind == Kind.CHECK:
            return reverse("changes:review", args=[self.about.pk])
        room = "write" if isinstance(self.about, Change) else "write_on_topic"
        path = reverse(f"hearback:{room}", args=[self.about.pk])
        if self.kind == Kind.REVIEW:
            return f"{path}?review={self.news}"
        return f"{path}?waiting=1" if self.kind == Kind.WAITING else path


def owed_in(hubs: Collection[int]) -> list[Owed]:
    """Everything that should be told in these hubs and is not written yet: overdue promises first, then the longest
    owed. Of each thing what is most urgent, once."""
    found = [
        *_promises(hubs),
        *_checks(hubs),
        *_steps(hubs),
        *_reviews(hubs),
        *_decisions(hubs),
        *_common_ground(hubs),
        *_silences(hubs),
    ]
    found.sort(key=lambda owed: (not owed.is_overdue, owed.since, owed.about.pk))
    # A promise to tell people more is kept by telling them the step that they are owed: that is one thing to write.
    told: dict[tuple[type, int], Owed] = {}
    for owed in found:
        told.setdefault((type(owed.about), owed.about.pk), owed)
    return list(told.values())


def with_people(owed: Iterable[Owed]) -> list[Owed]:
    """Each with how many people it is owed to. As many queries for many as for one."""
    owed = list(owed)
    counted = count_people_behind(each.about for each in owed)
    return [
        Owed(each.kind, each.about, each.since, each.news, counted[type(each.about), each.about.pk])
        for each in owed
    ]


def _tied(thing: type[Change] | type[Topic], to: str = "pk") -> Q:
    """That anybody stands behind it, or may: a thread leads to it, or somebody wants it or voted on it."""
    field = "change" if thing is Change else "topic"
    links: list[Any] = [thing.voices.through, thing.themes.through]
    if thing is Change:
        links.append(Change.topics.through)
    tied = Q(pk__in=[])
    for link in links:
        tied |= Q(Exists(link.objects.filter(**{field: OuterRef(to)})))
    if thing is Topic:
        tied |= Q(Exists(Support.objects.filter(topic=OuterRef(to))))
        tied |= Q(Exists(Topic.taken_up.through.objects.filter(from_topic=OuterRef(to))))
        voted = Voter.objects.filter(conversation__topic=OuterRef(to), person__isnull=False)
        tied |= Q(Exists(voted))
    return tied


def _steps(hubs: Collection[int]) -> list[Owed]:
    latest = Step.objects.filter(change=OuterRef("change")).values("pk")[:1]
    untold = Step.objects.filter(change__hub__in=hubs, pk=Subquery(latest)).filter(
        _tied(Change, "change"), ~Exists(Update.objects.filter(step=OuterRef("pk")))
    )
    rows = untold.select_related("change__hub").order_by("on", "pk")[:AT_MOST]
    return [Owed(Kind.STEP, step.change, step.on, step.pk) for step in rows]


def _reviews(hubs: Collection[int]) -> list[Owed]:
    latest = Review.objects.filter(change=OuterRef("change")).values("pk")[:1]
    untold = Review.objects.filter(change__hub__in=hubs, pk=Subquery(latest)).filter(
        _tied(Change, "change"), ~Exists(Update.objects.filter(review=OuterRef("pk")))
    )
    rows = untold.select_related("change__hub").order_by("on", "pk")[:AT_MOST]
    return [Owed(Kind.REVIEW, review.change, review.on, review.pk) for review in rows]


def _decisions(hubs: Collection[int]) -> list[Owed]:
    latest = Decision.objects.filter(topic=OuterRef("topic")).values("pk")[:1]
    told = Update.objects.filter(decision=OuterRef("pk"))
    by_change = Update.objects.filter(change__topics=OuterRef("topic"), written_at__date__gte=OuterRef("on"))
    # Not written yet, but owed itself: one thing to write, not two.
    with_step = Step.objects.filter(change__topics=OuterRef("topic"), on__gte=OuterRef("on"), updates=None)
    ends_it = [TopicStage.DECIDED, TopicStage.PUT_ASIDE]
    untold = Decision.objects.filter(topic__hub__in=hubs, pk=Subquery(latest), stage__in=ends_it).filter(
        _tied(Topic, "topic"), ~Exists(told), ~Exists(by_change), ~Exists(with_step)
    )
    rows = untold.select_related("topic__hub").order_by("on", "pk")[:AT_MOST]
    return [Owed(Kind.DECISION, decision.topic, decision.on, decision.pk) for decision in rows]


def _common_ground(hubs: Collection[int]) -> list[Owed]:
    """What conversations came to, where somebody voted whom we know and nothing was told of the topic since."""
    voted = Voter.objects.filter(conversation=OuterRef("pk"), person__isnull=False)
    about = Q(topic=OuterRef("topic")) | Q(change__topics=OuterRef("topic"))
    told = Update.objects.filter(about, written_at__gte=OuterRef("closed_at"))
    frozen = Conversation.objects.filter(topic__hub__in=hubs, decision__isnull=False)
    untold = frozen.filter(Exists(voted), ~Exists(told)).order_by("closed_at", "pk")
    rows = untold.select_related("topic__hub", "decision")[:AT_MOST]
    return [
        Owed(Kind.COMMON_GROUND, each.topic, each.decision.on, each.decision.pk)
        for each in rows
        if each.decision is not None
    ]


def _promises(hubs: Collection[int]) -> list[Owed]:
    """Days named in updates that have passed, and nothing was written since."""
    same = Q(change=OuterRef("change")) | Q(topic=OuterRef("topic"))
    later = Update.objects.filter(same, Q(written_at__gt=OuterRef("written_at")))
    broken = Update.objects.filter(hub__in=hubs, following_on__lt=timezone.localdate()).filter(~Exists(later))
    rows = broken.select_related("change__hub", "topic__hub").order_by("following_on", "pk")[:AT_MOST]
    return [
        Owed(Kind.PROMISE, update.about, update.following_on, update.pk)
        for update in rows
        if update.following_on
    ]


def _checks(hubs: Collection[int]) -> list[Owed]:
    due = Change.objects.filter(hub__in=hubs, review_on__lt=timezone.localdate()).filter(_tied(Change))
    rows = due.select_related("hub").order_by("review_on", "pk")[:AT_MOST]
    return [Owed(Kind.CHECK, change, change.review_on) for change in rows if change.review_on]


def _silences(hubs: Collection[int]) -> list[Owed]:
    """What is still open, and nobody behind it has heard anything for as long as their hub set."""
    still_open = [TopicStage.OPEN, TopicStage.WORKING]
    here: QuerySet[Any] = Topic.objects.filter(hub__in=hubs).with_stage()
    topics = (
        here.filter(_tied(Topic), ~Exists(Change.topics.through.objects.filter(topic=OuterRef("pk"))))
        .filter(stage__in=still_open)
        .annotate(last=_last_word("topic", "raised_on", Decision.objects.filter(topic=OuterRef("pk"))))
    )
    made_here: QuerySet[Any] = Change.objects.filter(hub__in=hubs).with_stage()
    changes = made_here.filter(_tied(Change), stage__in=[ChangeStage.PLANNED, ChangeStage.AGREED]).annotate(
        last=_last_word("change", "stage_on", Step.objects.filter(change=OuterRef("pk")))
    )
    found: list[Owed] = []
    for known in (topics, changes):
        rows = known.filter(_longer_ago_than_set()).select_related("hub").order_by("last", "pk")[:AT_MOST]
        found += [Owed(Kind.WAITING, each, timezone.localtime(each.last).date()) for each in rows]
    return found


def _last_word(link: str, began: str, steps: QuerySet) -> Greatest:
    """When there was last anything to hear about it: an update, or else its latest decision or step."""
    told = Update.objects.filter(**{link: OuterRef("pk")}).order_by().values(link)
    latest = steps.order_by().values(link).annotate(last=Max("on")).values("last")
    as_time = DateTimeField()
    begin = ExpressionWrapper(F(began), output_field=as_time)
    return Greatest(
        begin,
        Coalesce(Subquery(latest, output_field=as_time), begin, output_field=as_time),
        Coalesce(Subquery(told.annotate(last=Max("written_at")).values("last")), begin, output_field=as_time),
    )


def _longer_ago_than_set() -> Q:
    set_months = [months for months, _label in Hub._meta.get_field("still_waiting_months").choices or ()]
    late = Q(pk__in=[])
    for months in set_months:
        late |= Q(hub__still_waiting_months=months, last__lt=months_ago(months))
    return late


# What is written and not heard yet


@dataclass(frozen=True)
class Unheard:
    """An update that somebody has not heard yet."""

    update: Update
    people: int
    since: dt.datetime


def unheard_in(hubs: Collection[int]) -> list[Unheard]:
    """Every update of these hubs that people still wait for, the longest first."""
    rows = (
        Feedback.objects.filter(update__hub__in=hubs, state__in=UNHEARD)
        .order_by()
        .values_list("update")
        .annotate(people=Count("pk"), since=Min("owed_at"))
        .order_by("since", "update")[:AT_MOST]
    )
    known = Update.objects.select_related("hub", "change", "topic").in_bulk([pk for pk, *_rest in rows])
    return [Unheard(known[pk], people, since) for pk, people, since in rows]


def leads_nowhere(hubs: Collection[int]) -> tuple[int, dt.date | None]:
    """How many voices of these hubs are in no theme and on no topic or change yet, and since when the oldest."""
    nowhere = (
        Voice.objects.filter(hub__in=hubs, disowned_at__isnull=True, withdrawn_at__isnull=True)
        .exclude(words="")
        .filter(
            ~Exists(Placement.objects.filter(voice=OuterRef("pk"))),
            ~Exists(Topic.voices.through.objects.filter(voice=OuterRef("pk"))),
            ~Exists(Change.voices.through.objects.filter(voice=OuterRef("pk"))),
        )
    )
    row = nowhere.aggregate(number=Count("pk"), since=Min("said_on"))
    return row["number"], row["since"]


# How long people waited


class _WholeDays(Func):
    """How many whole days lie between two times, reckoned by the database itself."""

    output_field = IntegerField()
    arity = 2

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "CAST(julianday(%(expressions)s) AS INTEGER)"
        return self.as_sql(compiler, connection, template=template, arg_joiner=") - julianday(", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "FLOOR(EXTRACT(EPOCH FROM (%(expressions)s)) / 86400)::integer"
        return self.as_sql(compiler, connection, template=template, arg_joiner=" - ", **context)


@dataclass(frozen=True)
class Wait:
    """How long the people waited who heard in one month in one hub: half of them no longer than `days`."""

    month: dt.date
    hub: int
    people: int
    days: int


def waits(hubs: Collection[int], months: int = 6) -> dict[tuple[dt.date, int], dict[int, int]]:
    """For the last months, by month and hub: after how many whole days how many people heard.

    The database counts; what comes back is one row for each number of days, whatever the number of people.
    """
    begins = _months(months)
    in_month = [
        When(heard_at__gte=begin, then=Value(place)) for place, begin in reversed(list(enumerate(begins)))
    ]
    rows = (
        Feedback.objects.filter(update__hub__in=hubs, heard_at__gte=begins[0])
        .annotate(
            month=Case(*in_month, output_field=IntegerField()),
            days=_WholeDays(F("heard_at"), F("owed_at")),
        )
        .order_by()
        .values_list("month", "update__hub", "days")
        .annotate(people=Count("pk"))
    )
    found: dict[tuple[dt.date, int], dict[int, int]] = defaultdict(dict)
    for month, hub, days, people in rows:
        found[begins[month].date(), hub][max(days, 0)] = people
    return dict(found)


def half_waited(*counted: dict[int, int]) -> int:
    """The number of days that half of the people waited no longer than: the lower median.

    counted: how many people waited so many days, once for each group taken together. Raises ValueError for nobody.
    """
    together: dict[int, int] = defaultdict(int)
    for each in counted:
        for days, people in each.items():
            together[days] += people
    if not together:
        raise statistics.StatisticsError("nobody waited")
    middle, passed = (sum(together.values()) + 1) // 2, 0
    for days in sorted(together):
        passed += together[days]
        if passed >= middle:
            return days
    raise AssertionError("the middle lies among them")


def _months(number: int) -> list[dt.datetime]:
    """When each of the last so many months began, the oldest first."""
    now = timezone.localtime()
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    begins = []
    for back in reversed(range(number)):
        year, month = divmod(first.year * 12 + first.month - 1 - back, 12)
        begins.append(timezone.make_aware(dt.datetime(year, month + 1, 1)))
    return begins


# Whether the loop is closed


@dataclass(frozen=True)
class Closed:
    """Of the people who were owed something, for how many the loop is closed."""

    people: int
    closed: int

    @property
    def share(self) -> int:
        """In whole hundredths, rounded down: not "100%" while one waits."""
        return 100 * self.closed // self.people if self.people else 0


def is_closed() -> Q:
    """Feedback whose loop is closed: the person said so; or they heard, and asked nothing for four weeks."""
    quiet = Q(answer__isnull=True, state=State.HEARD, heard_at__lt=timezone.now() - NO_QUESTION_FOR)
    return Q(answer__answered=True) | quiet


def closed_by(link: str, **which: object) -> dict[int, Closed]:
    """The share of closed loops by hub, change or topic.

    link: the path from feedback: "update__hub", "update__change" or "update__topic".
    which: which feedback, as for filter().
    """
    rows = (
        Feedback.objects.filter(person__erasure__isnull=True, **which)
        .exclude(**{f"{link}__isnull": True})
        .order_by()
        .values_list(link)
        .annotate(people=Count("pk"), closed=Count("pk", filter=is_closed()))
    )
    return {pk: Closed(people, closed) for pk, people, closed in rows}


def unanswered(hubs: Collection[int]) -> QuerySet[Answer]:
    """What people asked back, or said did not answer them, and nothing was told them about it since."""
    later = Feedback.objects.filter(
        Q(update__change=OuterRef("feedback__update__change"))
        | Q(update__topic=OuterRef("feedback__update__topic")),
        person=OuterRef("feedback__person"),
        owed_at__gt=OuterRef("at"),
    )
    asked = Answer.objects.filter(feedback__update__hub__in=hubs, feedback__person__erasure__isnull=True)
    return asked.exclude(answered=True).filter(~Exists(later))
