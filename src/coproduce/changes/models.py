"""What became different: changes, their steps, and the wording of a clause before and after."""

from __future__ import annotations

from django.db import models
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coproduce.agenda.models import Topic
from coproduce.people.models import Hub, Person
from coproduce.themes.models import Theme
from coproduce.voices.models import Voice


class Stage(models.TextChoices):
    PLANNED = "planned", _("Planned")
    AGREED = "agreed", _("Agreed")
    MADE = "made", _("Made")
    PROVEN = "proven", _("Proven")
    NOT_MADE = "not made", _("Not made")


class ChangeQuerySet(models.QuerySet["Change"]):
    def visible_to(self, person: Person | None) -> ChangeQuerySet:
        """Changes are public: anybody may walk the thread. The words on it are read by consent."""
        return self.all()

    def with_stage(self) -> ChangeQuerySet:
        """Each change with `stage` and `stage_on`: its latest step."""
        latest = Step.objects.filter(change=OuterRef("pk")).order_by("-on", "-pk")
        return self.annotate(
            stage=Subquery(latest.values("stage")[:1]), stage_on=Subquery(latest.values("on")[:1])
        )

    def latest_first(self) -> ChangeQuerySet:
        """By the day of their latest step."""
        return self.with_stage().order_by(F("stage_on").desc(nulls_last=True), "-pk")


class Change(models.Model):
    """Something that became, or did not become, different because of what people said.

    It stands on topics, and on themes and voices straight where no topic lies between.
    """

    class Kind(models.TextChoices):
        CLAUSE = "clause", _("Clause in a contract")
        SERVICE = "service", _("Service")
        POLICY = "policy", _("Policy")
        BUILDING = "building", _("Building")
        WEBSITE = "website", _("Website")
        TRAINING = "training", _("Training")
        OTHER = "other", _("Something else")

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="changes", verbose_name=_("hub"))
    title = models.CharField(_("what changes"), max_length=200)
    summary = models.TextField(_("in plain words"))
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    owner = models.ForeignKey(
        Person, models.SET_NULL, null=True, blank=True, related_name="owns", verbose_name=_("who sees to it")
    )
    review_on = models.DateField(_("when it is checked again"), null=True, blank=True)
    topics = models.ManyToManyField(
        Topic, related_name="changes", blank=True, db_table="changes_change_from_topic"
    )
    themes = models.ManyToManyField(
        Theme, related_name="changes", blank=True, db_table="changes_change_from_theme"
    )
    voices = models.ManyToManyField(
        Voice, related_name="changes", blank=True, db_table="changes_change_from_voice"
    )

    objects = ChangeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.title


class Step(models.Model):
    """How far a change has come, on a day; the latest one is where it stands. Not made has its reason."""

    change = models.ForeignKey(Change, models.CASCADE, related_name="steps")
    stage = models.CharField(_("how far it has come"), max_length=20, choices=Stage.choices)
    on = models.DateField(_("when"), default=timezone.localdate)
    note = models.TextField(_("what happened, or why not"), blank=True)
    recorded_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-on", "-pk"]
        indexes = [models.Index(fields=["change", "-on", "-id"])]

    def __str__(self) -> str:
        return f"{self.get_stage_display()}, {self.on}"


class Review(models.Model):
    """That somebody checked on a day whether a change really happens, and what they found. People are told."""

    change = models.ForeignKey(Change, models.CASCADE, related_name="reviews")
    on = models.DateField(_("when"), default=timezone.localdate)
    holds = models.BooleanField(_("does it really happen?"))
    found = models.TextField(_("what was found"))
    recorded_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-on", "-pk"]

    def __str__(self) -> str:
        return f"review {self.pk} of change {self.change_id}"


class Clause(models.Model):
    """The wording of a contract clause, before and after."""

    change = models.OneToOneField(Change, models.CASCADE, related_name="clause")
    contract = models.CharField(_("contract"), max_length=200)
    number = models.CharField(_("clause"), max_length=40, blank=True)
    before = models.TextField(_("wording before"), blank=True)
    after = models.TextField(_("wording after"))

    def __str__(self) -> str:
        return f"{self.contract}, {self.number}"
