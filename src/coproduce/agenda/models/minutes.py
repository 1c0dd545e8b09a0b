"""What came of a meeting: what was agreed, who does what by when, and the minutes, which people can put right."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coproduce.agenda.models.meetings import Item, Meeting
from coproduce.agenda.models.topics import Decision
from coproduce.people.models import Person
from coproduce.people.permissions import hubs_where


class Agreement(models.Model):
    """Something that was agreed at a meeting; on a topic, it may be a decision as well."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="agreements")
    item = models.ForeignKey(Item, models.SET_NULL, null=True, blank=True, related_name="agreements")
    words = models.TextField(_("what we agreed"))
    decision = models.ForeignKey(
        Decision, models.SET_NULL, null=True, blank=True, related_name="agreed_at_meeting"
    )
    recorded_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"agreement {self.pk}"


class ActionQuerySet(models.QuerySet["Action"]):
    def visible_to(self, person: Person | None) -> ActionQuerySet:
        """The group knows who does what; and whoever does it."""
        if person is None:
            return self.none()
        group = hubs_where(person, "read what the group may read")
        return self.filter(Q(owner=person) | Q(meeting__hub__in=group))

    def open(self) -> ActionQuerySet:
        return self.filter(done_at__isnull=True)


class Action(models.Model):
    """Something that somebody does by a day, as was agreed at a meeting."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="actions")
    item = models.ForeignKey(Item, models.SET_NULL, null=True, blank=True, related_name="actions")
    words = models.CharField(_("what they do"), max_length=300)
    owner = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="actions")
    by_day = models.DateField(_("by when"))
    recorded_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    reminded_at = models.DateTimeField(null=True, blank=True)  # written before the reminder goes
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = ActionQuerySet.as_manager()

    class Meta:
        ordering = ["by_day", "pk"]
        indexes = [models.Index(fields=["by_day"], condition=Q(done_at=None), name="actions_to_do")]

    def __str__(self) -> str:
        return self.words

    @property
    def is_late(self) -> bool:
        return self.done_at is None and self.by_day < timezone.localdate()


class Minutes(models.Model):
    """What the group keeps of a meeting, in plain words.

    Who came, notes, what was agreed and who does what are not copied: they stand in their own rows, so the minutes
    follow when somebody takes words back. Here stands what somebody writes around them; on an item, `Item.talked`.
    """

    meeting = models.OneToOneField(Meeting, models.CASCADE, related_name="minutes")
    words = models.TextField(_("in a few sentences"), blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)  # from then on the group reads them
    open_until = models.DateField(_("open for putting right until"), null=True, blank=True)
    written_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name_plural = "minutes"

    def __str__(self) -> str:
        return f"minutes of meeting {self.meeting_id}"

    @property
    def is_open(self) -> bool:
        """Whether those who were there can still put them right."""
        if self.opened_at is None or self.open_until is None:
            return False
        return timezone.localdate() <= self.open_until

    @property
    def stand(self) -> bool:
        """The day is past, and everything that people wanted put right is taken or answered."""
        return self.opened_at is not None and not self.is_open and not self.corrections.waiting().exists()


class CorrectionQuerySet(models.QuerySet["Correction"]):
    def waiting(self) -> CorrectionQuerySet:
        return self.filter(outcome="")


class Correction(models.Model):
    """What somebody who was there wants put right in the minutes, and what became of it. The group sees both."""

    class Outcome(models.TextChoices):
        TAKEN = "taken", _("put right")
        ANSWERED = "answered", _("left as it is")

    minutes = models.ForeignKey(Minutes, models.CASCADE, related_name="corrections")
    person = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    words = models.TextField(_("what is not right"))
    at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    answer = models.TextField(_("the answer"), blank=True)
    settled_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"correction {self.pk}"
