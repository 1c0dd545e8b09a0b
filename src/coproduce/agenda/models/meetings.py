"""When the group meets: meetings with their agenda, who takes part how, and what calendars are told."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.formats import date_format
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from coproduce.agenda.models.asks import Ask
from coproduce.agenda.models.topics import Topic
from coproduce.people.models import Hub, Person
from coproduce.people.permissions import hubs_where

if TYPE_CHECKING:
    from coproduce.agenda.models.minutes import Minutes

EASY_LETTERS = "abcdefghjkmnpqrstuvwxyz"  # none that is taken for another when it is typed from a screen


def new_wall_key() -> str:
    """Nine letters, to be typed by hand: one of 1.8 million million."""
    return get_random_string(9, EASY_LETTERS)


def new_calendar_key() -> str:
    return get_random_string(43)


class MeetingQuerySet(models.QuerySet["Meeting"]):
    def visible_to(self, person: Person | None) -> MeetingQuerySet:
        """The group sees its meetings. Where people meet can give them away, so everybody else sees only those that
        were marked for them, and of those only what is marked: see `Meeting.is_inside`."""
        return self.filter(
            Q(hub__in=hubs_where(person, "read what the group may read"))
            | Q(outside__in=[Meeting.Outside.DAY, Meeting.Outside.PLACE])
        )

    def of_the_group(self, person: Person | None) -> MeetingQuerySet:
        """Those of the groups that this person belongs to: all there is to know about them."""
        return self.filter(hub__in=hubs_where(person, "read what the group may read"))

    def to_come(self) -> MeetingQuerySet:
        return self.filter(ends_at__gte=timezone.now()).order_by("starts_at", "pk")

    def past(self) -> MeetingQuerySet:
        return self.filter(ends_at__lt=timezone.now())


class Meeting(models.Model):
    """A day on which the group meets: where, how to get there or join from afar, lunch, and its agenda."""

    class Outside(models.TextChoices):
        """What people outside the group may see of it."""

        NOTHING = "nothing", _("Nothing")
        DAY = "day", _("The day and the time")
        PLACE = "place", _("The day, the time and the place")

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="meetings", verbose_name=_("hub"))
    name = models.CharField(_("name"), max_length=120, blank=True)
    starts_at = models.DateTimeField(_("begins"))
    ends_at = models.DateTimeField(_("ends"))
    place = models.CharField(_("where"), max_length=200, blank=True)
    getting_there = models.TextField(_("how to get there"), blank=True)
    from_afar = models.TextField(_("how to join from afar"), blank=True)
    lunch = models.CharField(_("food and drink"), max_length=200, blank=True)
    access = models.TextField(_("what makes it easier to come"), blank=True)
    outside = models.CharField(
        _("what people outside the group may see"),
        max_length=10,
        choices=Outside.choices,
        default=Outside.NOTHING,
    )
    others_came = models.PositiveSmallIntegerField(_("how many came whom nobody here knows"), default=0)
    made_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    # What calendars go by: a higher number replaces what they have. Raised when the time or the place changes.
    sequence = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(default=timezone.now)
    invited_at = models.DateTimeField(null=True, blank=True)  # from then on people hear of changes
    cancelled_at = models.DateTimeField(null=True, blank=True)
    why_cancelled = models.CharField(_("why"), max_length=200, blank=True)
    # The wall takes notes from whoever has its key, while it is open.
    wall_key = models.CharField(max_length=20, unique=True, default=new_wall_key)
    wall_opened_at = models.DateTimeField(null=True, blank=True)
    wall_closed_at = models.DateTimeField(null=True, blank=True)

    objects = MeetingQuerySet.as_manager()
    minutes: Minutes

    class Meta:
        ordering = ["-starts_at", "-pk"]
        indexes = [models.Index(fields=["hub", "starts_at"])]

    def __str__(self) -> str:
        return self.name or _t("Meeting on %(day)s") % {"day": date_format(self.on, "j F Y")}

    @property
    def on(self) -> dt.date:
        """The day, for people here."""
        return timezone.localdate(self.starts_at)

    @property
    def begins(self) -> dt.time:
        return timezone.localtime(self.starts_at).time()

    @property
    def ends(self) -> dt.time:
        return timezone.localtime(self.ends_at).time()

    @property
    def is_over(self) -> bool:
        return self.ends_at < timezone.now()

    @property
    def has_begun(self) -> bool:
        return self.on <= timezone.localdate()

    @property
    def is_cancelled(self) -> bool:
        return self.cancelled_at is not None

    @property
    def shows_place(self) -> bool:
        """Whether anybody may know the place."""
        return self.outside == self.Outside.PLACE

    def is_inside(self, person: Person | None) -> bool:
        """Whether this person belongs to the group, and so sees all of it."""
        return self.hub_id in hubs_where(person, "read what the group may read")

    @property
    def uid(self) -> str:
        """By which calendars know it again. It never changes."""
        return f"meeting-{self.pk}@{settings.MESSAGE_DOMAIN}"

    WALL_LASTS = dt.timedelta(hours=24)  # after the meeting; then it closes by itself

    @property
    def wall_is_open(self) -> bool:
        if self.wall_opened_at is None or self.wall_closed_at is not None or self.is_cancelled:
            return False
        return timezone.now() < max(self.ends_at, self.wall_opened_at) + self.WALL_LASTS

    @property
    def wall_key_said(self) -> str:
        """The key as people read and type it: "abc-def-ghj"."""
        return "-".join(self.wall_key[at : at + 3] for at in range(0, len(self.wall_key), 3))


class Item(models.Model):
    """One line of an agenda: a topic of the group, five minutes that a service asked for, or something else."""

    class Kind(models.TextChoices):
        TOPIC = "topic", _("A topic of ours")
        FIVE_MINUTES = "five minutes", _("Five minutes that a service asked for")
        OTHER = "other", _("Something else, like lunch")

    FIVE = 5  # minutes

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="items")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    topic = models.ForeignKey(Topic, models.CASCADE, null=True, blank=True, related_name="agenda_items")
    ask = models.ForeignKey(
        Ask, models.SET_NULL, null=True, blank=True, related_name="agenda_items"
    )  # that the group gave five minutes
    title = models.CharField(max_length=200, blank=True)
    minutes = models.PositiveSmallIntegerField(_("how many minutes"))
    position = models.PositiveIntegerField()
    talked = models.TextField(_("what we talked about"), blank=True)  # in the minutes of the meeting

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["meeting", "topic"], name="a_topic_once_on_an_agenda"),
            models.UniqueConstraint(fields=["ask"], name="an_ask_once_on_an_agenda"),
            models.CheckConstraint(
                condition=Q(ask__isnull=True) | Q(kind="five minutes"), name="an_ask_gets_five_minutes"
            ),
            models.CheckConstraint(
                condition=Q(kind="topic", topic__isnull=False)
                | (~Q(kind="topic") & Q(topic__isnull=True) & ~Q(title="")),
                name="an_item_is_about_something",
            ),
        ]

    def __str__(self) -> str:
        return self.topic.title if self.topic else self.title


class AttendanceQuerySet(models.QuerySet["Attendance"]):
    def took_part(self) -> AttendanceQuerySet:
        return self.exclude(how="")


class Attendance(models.Model):
    """One person and one meeting: what they need to take part, whether and how they did, whether minutes may name them.

    What somebody needs is for them and whoever leads the meeting to read, and for nobody else.
    """

    class How(models.TextChoices):
        CAME = "came", _("came")
        PHONE = "phone", _("joined by phone or screen")
        NOTE = "note", _("sent a note")

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="attendances")
    person = models.ForeignKey(Person, models.CASCADE, related_name="attendances")
    needs = models.TextField(_("what they need"), blank=True)
    how = models.CharField(_("how they took part"), max_length=10, choices=How.choices, blank=True)
    named = models.BooleanField(_("the minutes may say their name"), default=False)

    objects = AttendanceQuerySet.as_manager()

    class Meta:
        ordering = ["person__name", "pk"]
        constraints = [models.UniqueConstraint(fields=["meeting", "person"], name="one_attendance_a_person")]

    def __str__(self) -> str:
        return f"person {self.person_id} at meeting {self.meeting_id}"


class Invitation(models.Model):
    """That somebody is told about a meeting as it stood at one `sequence`: by email from here, or by a person.

    It is written before the email goes, so nobody gets it twice. One without `gone_at` may or may not have gone.
    """

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="invitations")
    person = models.ForeignKey(Person, models.CASCADE, related_name="+")
    sequence = models.PositiveIntegerField()
    by_email = models.BooleanField(default=True)
    claimed_at = models.DateTimeField(default=timezone.now)
    gone_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=200, blank=True)  # why it certainly did not go

    class Meta:
        ordering = ["claimed_at", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["meeting", "person", "sequence"], name="told_once_of_a_change")
        ]

    def __str__(self) -> str:
        return f"person {self.person_id} told of meeting {self.meeting_id}, {self.sequence}"


class CalendarLink(models.Model):
    """The secret address at which a person's own calendar reads when their hubs meet. A new one ends the old one."""

    person = models.OneToOneField(Person, models.CASCADE, related_name="calendar_link")
    key = models.CharField(max_length=60, unique=True, default=new_calendar_key)
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"calendar link {self.pk}"
