"""What the group works on: topics, who wants them, what they grew from, and what the group decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coproduce.people.models import Hub, Mandate, Membership, Person
from coproduce.people.permissions import hubs_where
from coproduce.themes.models import KeyMessage, Theme, voices_in
from coproduce.voices.models import Voice


class Stage(models.TextChoices):
    OPEN = "open", _("Open")
    WORKING = "working", _("Being worked on")
    DECIDED = "decided", _("Decided")
    CHANGED = "changed", _("Changed")  # nobody decides that: a change on it is made
    PUT_ASIDE = "put aside", _("Put aside")


DECIDED_ON = [stage for stage in Stage if stage != Stage.CHANGED]
STILL_OPEN = [Stage.OPEN, Stage.WORKING]


class Origin(models.TextChoices):
    """Where a topic is from. All but the last are the group's own."""

    MEMBER = "member", _("raised by people in the group")
    THEME = "theme", _("grown from what many people said")
    HUBS = "hubs", _("taken up from other hubs")
    ASK = "ask", _("asked for by services")


class TopicQuerySet(models.QuerySet["Topic"]):
    def visible_to(self, person: Person | None) -> TopicQuerySet:
        """What the group works on is for everybody to see; what people said on it is read by consent."""
        return self.all()

    def with_stage(self) -> TopicQuerySet:
        """Each topic with `stage`; and `decided`, the words of the latest decision.

        The stage is where the latest decision left it, or open. Where a change on it is made, it is changed, until the
        group opens it again, goes on with it or puts it aside.
        """
        latest = Decision.objects.filter(topic=OuterRef("pk")).order_by("-on", "-pk")
        later = Q(made_on__gt=F("decided_on"))
        changed = (
            Q(decided_stage__isnull=True)
            | Q(decided_stage=Stage.DECIDED)
            | Q(decided_stage=Stage.WORKING, made_on=F("decided_on"))
            | later
        )
        return self.annotate(
            decided_stage=Subquery(latest.values("stage")[:1]),
            decided_on=Subquery(latest.values("on")[:1]),
            made_on=Subquery(_changes_made().filter(topics=OuterRef("pk")).values("stage_on")[:1]),
            stage=Case(
                When(Q(made_on__isnull=False) & changed, then=Value(Stage.CHANGED.value)),
                default=Coalesce(F("decided_stage"), Value(Stage.OPEN.value)),
                output_field=models.CharField(),
            ),
            decided=Coalesce(
                Subquery(latest.values("words")[:1]), Value(""), output_field=models.TextField()
            ),
        )

    def still_open(self) -> TopicQuerySet:
        """Each topic with its stage, of those that are open or being worked on."""
        staged: Any = self.with_stage()
        still: TopicQuerySet = staged.filter(stage__in=STILL_OPEN)
        return still

    def by_stage(self) -> TopicQuerySet:
        """Each topic with its stage, what is being worked on first and what was put aside last.

        Within a stage the group's own come before what services asked for, in the order in which the group put them;
        what it has not put anywhere yet comes last, the newest first.
        """
        order = [Stage.WORKING, Stage.OPEN, Stage.DECIDED, Stage.CHANGED, Stage.PUT_ASIDE]
        places = [When(stage=stage, then=Value(place)) for place, stage in enumerate(order)]
        asked_for = Case(When(ask__isnull=False, then=Value(1)), default=Value(0))
        return self.with_stage().order_by(
            Case(*places), asked_for, F("place").asc(nulls_last=True), "-raised_on", "-pk"
        )

    def with_origin(self) -> TopicQuerySet:
        """Each topic with `origin`: an ask, whatever else it stands on; a theme only where no hub raised it."""
        below = Topic.taken_up.through.objects.filter(from_topic=OuterRef("pk"))
        grown = Topic.themes.through.objects.filter(topic=OuterRef("pk"))
        return self.annotate(
            origin=Case(
                When(ask__isnull=False, then=Value(Origin.ASK.value)),
                When(Exists(below), then=Value(Origin.HUBS.value)),
                When(Q(key_message__isnull=False) | Exists(grown), then=Value(Origin.THEME.value)),
                default=Value(Origin.MEMBER.value),
                output_field=models.CharField(),
            )
        )


def _changes_made() -> QuerySet[Any]:
    """Changes that are made or proven, the latest first. They stand in a later room, so the way there is the link
    that it makes to topics."""
    changes: Any = Topic._meta.get_field("changes").related_model
    made: QuerySet[Any] = changes.objects.with_stage().filter(stage__in=["made", "proven"])
    return made.order_by("-stage_on")


class Topic(models.Model):
    """Something the group works on: from themes, from voices, or from scratch."""

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="topics", verbose_name=_("hub"))
    title = models.CharField(_("title"), max_length=200)
    why = models.TextField(_("why it matters"), blank=True)
    # Nobody where a service asked for it, or a hub took it up from those below.
    raised_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    raised_on = models.DateField(default=timezone.localdate)
    written_by = models.ForeignKey(
        Person, models.SET_NULL, null=True, related_name="+"
    )  # for who raised it: whom they trust, or who was on the phone
    place = models.PositiveIntegerField(null=True)  # in the group's own order, among those of its stage
    taken_up = models.ManyToManyField(
        "self", symmetrical=False, related_name="taken_up_in", db_table="agenda_topic_taken_up"
    )  # topics of hubs below
    themes = models.ManyToManyField(
        Theme, related_name="topics", blank=True, db_table="agenda_topic_from_theme"
    )
    voices = models.ManyToManyField(
        Voice, related_name="topics", blank=True, db_table="agenda_topic_from_voice"
    )
    key_message = models.ForeignKey(
        KeyMessage, models.SET_NULL, null=True, blank=True, related_name="topics"
    )  # that it says, where it was raised from one

    objects = TopicQuerySet.as_manager()
    stage: str  # with_stage() fetches it
    origin: str  # and with_origin() this

    class Meta:
        ordering = ["-raised_on", "-pk"]

    def __str__(self) -> str:
        return self.title


class Decision(models.Model):
    """What the group decided on a topic, in its own words. The latest one says where the topic stands."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="decisions")
    stage = models.CharField(
        _("what the group decided"),
        max_length=20,
        choices=[(stage.value, stage.label) for stage in DECIDED_ON],
    )
    words = models.TextField(_("in the group's own words"), blank=True)
    on = models.DateField(_("when"), default=timezone.localdate)
    recorded_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-on", "-pk"]

    def __str__(self) -> str:
        return f"{self.get_stage_display()}, {self.on}"


class SupportQuerySet(models.QuerySet["Support"]):
    def visible_to(self, person: Person | None) -> SupportQuerySet:
        """Who wants a topic is seen by themselves, by whom they trust to speak for them, and by who looks after them.

        How many want it is said through people/counts.py.
        """
        if person is None:
            return self.none()
        through = Mandate.objects.standing("speak").filter(trusted=person, person=OuterRef("person"))
        looked_after = Q(
            topic__hub__in=hubs_where(person, "look after people"),
            person__in=Person.objects.visible_to(person),
        )
        return self.filter(Q(person=person) | Q(Exists(through)) | looked_after)


class Support(models.Model):
    """That somebody wants a topic too. Who raised it is the first. They stand behind it, and hear what becomes of it.

    Of somebody who was erased the row stays without them, so that "7 people want this" stays true.
    """

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="support")
    person = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="supports_topics")
    through = models.ForeignKey(
        Person, models.SET_NULL, null=True, related_name="+"
    )  # who wrote it down for them
    at = models.DateTimeField(default=timezone.now)

    objects = SupportQuerySet.as_manager()

    class Meta:
        ordering = ["at", "pk"]
        verbose_name_plural = "support"
        constraints = [models.UniqueConstraint(fields=["topic", "person"], name="one_support_a_person")]

    def __str__(self) -> str:
        return f"support {self.pk} of topic {self.topic_id}"


def who_may_be_spoken_for(by: Person, hubs: Collection[int]) -> QuerySet[Person]:
    """For whom `by` may raise and support topics in one of these hubs, but for themselves: who trusts them to speak;
    and, for who keeps the words or looks after the people of a hub, anybody in it."""
    knows = hubs_where(by, "read everything said") | hubs_where(by, "look after people")
    trusts = Mandate.objects.standing("speak").filter(trusted=by, person=OuterRef("pk"))
    here = Membership.objects.current().filter(person=OuterRef("pk"), hub__in=hubs)
    known = Q(Q(known_through__isnull=True), Exists(here.filter(hub__in=knows)))
    both = known | (Q(Exists(trusts)) & Q(Exists(here)))
    return Person.objects.filter(both, erasure__isnull=True).exclude(pk=by.pk)


def how_many_want(topics: Iterable[int]) -> dict[int, int]:
    """How many people want each of these topics, 0 where nobody does. One query."""
    topics = list(topics)
    rows = Support.objects.filter(topic__in=topics).order_by().values_list("topic").annotate(Count("pk"))
    return dict.fromkeys(topics, 0) | dict(rows)


@dataclass(frozen=True)
class OfOurOwn:
    """How much of what the group works on is its own."""

    rows: list[tuple[Origin, int]]  # every origin, with how many topics

    @property
    def all(self) -> int:
        return sum(number for _origin, number in self.rows)

    @property
    def own(self) -> int:
        return sum(number for origin, number in self.rows if origin != Origin.ASK)

    @property
    def percent(self) -> int:
        """Rounded down, so that "100" is said only of all."""
        return 100 * self.own // self.all if self.all else 0


def of_our_own(topics: TopicQuerySet) -> OfOurOwn:
    """Counted over these topics. One query."""
    found: Any = topics.with_origin()
    rows = dict(found.order_by().values_list("origin").annotate(Count("pk")))
    return OfOurOwn([(origin, rows.get(origin.value, 0)) for origin in Origin])


# The thread from voices to topics.


def topics_below(topics: Iterable[int]) -> dict[int, set[int]]:
    """For each of these topics itself and all that were taken up into it, from hubs below and those below them."""
    return _follow(topics, "from_topic", "to_topic")


def topics_above(topics: Iterable[int]) -> dict[int, set[int]]:
    """For each of these topics itself and all that it was taken up into."""
    return _follow(topics, "to_topic", "from_topic")


def with_those_below(topics: Iterable[int]) -> set[int]:
    return set[int]().union(*topics_below(topics).values())


def _follow(topics: Iterable[int], begin: str, end: str) -> dict[int, set[int]]:
    """One query for each level of the tree of hubs, and one more that finds nothing."""
    known = set(topics)
    reached = {topic: {topic} for topic in known}
    ends: dict[int, set[int]] = {topic: {topic} for topic in known}  # from where one goes on
    while any(ends.values()):
        links: defaultdict[int, set[int]] = defaultdict(set)
        rows = Topic.taken_up.through.objects.filter(**{f"{begin}__in": set[int]().union(*ends.values())})
        for here, there in rows.values_list(begin, end):
            links[here].add(there)
        for topic in known:
            ends[topic] = set[int]().union(*(links[each] for each in ends[topic])) - reached[topic]
            reached[topic] |= ends[topic]
    return reached


def themes_of(topics: Iterable[int]) -> QuerySet[Theme]:
    """The themes that these topics grew from."""
    return Theme.objects.filter(topics__in=list(topics)).distinct()


def voices_on(topics: Iterable[int]) -> QuerySet[Voice, Any]:
    """The ids of the voices that stand behind these topics, straight, through a theme, or through a topic below."""
    topics = with_those_below(topics)
    straight = Topic.voices.through.objects.filter(topic__in=topics).values("voice")
    through_themes = voices_in(themes_of(topics).order_by().values_list("pk", flat=True))
    return Voice.objects.filter(pk__in=straight.union(through_themes)).order_by().values("pk")


def supporters_of(topics: Iterable[int]) -> QuerySet[Support, Any]:
    """The ids of the people who want these topics, and no others below."""
    return Support.objects.filter(topic__in=list(topics), person__isnull=False).order_by().values("person")
