"""What the machine thinks, apart from what people decided: meanings, what it looked through, what it proposes."""

from __future__ import annotations

import hashlib

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coproduce.people.models import Hub, Person
from coproduce.people.permissions import hubs_where
from coproduce.themes.models.themes import Placement, Theme
from coproduce.voices.models import Voice


def sum_of(words: str) -> str:
    """Tells whether words have changed, without being them."""
    return hashlib.sha256(words.encode()).hexdigest()[:32]


class Meaning(models.Model):
    """A voice as numbers by which the machine tells what is alike. Good only for the words it was made of."""

    voice = models.OneToOneField(Voice, models.CASCADE, related_name="meaning", primary_key=True)
    embedder = models.CharField(max_length=120)
    words_sum = models.CharField(max_length=32)  # sum_of() the words
    vector = models.BinaryField()  # float16, little-endian, of length one
    masked_sum = models.CharField(max_length=32, blank=True)  # the same of the words as they leave the group,
    masked_vector = models.BinaryField(null=True)  # where those are others
    made_at = models.DateTimeField(default=timezone.now)

    only_what_a_machine_thinks = True  # so a quote can still be unmarked

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"meaning of voice {self.pk}"

    def is_of(self, words: str, masked: str) -> bool:
        """Whether it was made of these words, and of these as they leave the group."""
        return (self.words_sum, self.masked_sum) == (sum_of(words), sum_of(masked) if masked else "")


class FindingQuerySet(models.QuerySet["Finding"]):
    def visible_to(self, person: Person | None) -> FindingQuerySet:
        return self.filter(hub__in=hubs_where(person, "make sense"))


class Finding(models.Model):
    """One time that the machine looks for themes in what was said in a hub, and how far it has come."""

    class Step(models.TextChoices):
        WAITING = "waiting", _("Waiting for its turn")
        READING = "reading", _("Reading what people said")
        GROUPING = "grouping", _("Looking for what is alike")
        DONE = "done", _("Done")
        FAILED = "failed", _("It did not work")

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="findings")
    asked_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    step = models.CharField(max_length=20, choices=Step.choices, default=Step.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    way = models.CharField(max_length=40, blank=True)  # how it grouped, and by which embedder
    meaning = models.CharField(max_length=120, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = FindingQuerySet.as_manager()

    class Meta:
        ordering = ["-asked_at", "-pk"]

    def __str__(self) -> str:
        return f"finding {self.pk}"

    @property
    def is_over(self) -> bool:
        return self.finished_at is not None


class ProposedThemeQuerySet(models.QuerySet["ProposedTheme"]):
    def visible_to(self, person: Person | None) -> ProposedThemeQuerySet:
        """What the machine thinks is for those who make sense of it, and who may read all that it is made of: its
        key terms are their words. The group reads what people decided."""
        beyond = Proposal.objects.filter(proposed=OuterRef("pk")).exclude(
            voice__hub__in=hubs_where(person, "read everything said")
        )
        return self.filter(~Exists(beyond), hub__in=hubs_where(person, "make sense"))

    def open(self) -> ProposedThemeQuerySet:
        return self.filter(became__isnull=True, refused_at__isnull=True)


class ProposedTheme(models.Model):
    """Voices that the machine thinks are about the same. People make a theme of them, or say that it is none."""

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="proposed_themes")
    label = models.CharField(max_length=160)  # its key terms; people give it a name
    terms = models.JSONField(default=list)
    sureness = models.FloatField(default=0)  # 0 to 1: what remains of it when a tenth is left out
    made_at = models.DateTimeField(default=timezone.now)
    became = models.ForeignKey(Theme, models.SET_NULL, null=True, blank=True, related_name="proposed_as")
    refused_at = models.DateTimeField(null=True, blank=True)
    refused_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = ProposedThemeQuerySet.as_manager()

    class Meta:
        ordering = ["-sureness", "pk"]

    def __str__(self) -> str:
        return self.label


class ProposalQuerySet(models.QuerySet["Proposal"]):
    def visible_to(self, person: Person | None) -> ProposalQuerySet:
        readable = hubs_where(person, "read everything said")
        sorts = hubs_where(person, "make sense")
        return self.filter(Q(theme__hub__in=sorts) | Q(proposed__hub__in=sorts), voice__hub__in=readable)

    def open(self) -> ProposalQuerySet:
        """Those that nobody has decided on: not refused, and the voice is not in the theme by now."""
        there = Placement.objects.filter(theme=OuterRef("theme"), voice=OuterRef("voice"))
        return self.filter(~Exists(there), refused_at__isnull=True).exclude(voice__words="")


class Proposal(models.Model):
    """That the machine thinks a voice belongs in a theme, or in a proposed one. A refused one is not made again."""

    voice = models.ForeignKey(Voice, models.CASCADE, related_name="proposals")
    theme = models.ForeignKey(Theme, models.CASCADE, null=True, blank=True, related_name="proposals")
    proposed = models.ForeignKey(
        ProposedTheme, models.CASCADE, null=True, blank=True, related_name="proposals"
    )
    strength = models.FloatField()  # 0 to 1
    stands_for_it = models.BooleanField(default=False)  # one of the few that show a proposed theme
    made_at = models.DateTimeField(default=timezone.now)
    refused_at = models.DateTimeField(null=True, blank=True)
    refused_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = ProposalQuerySet.as_manager()
    only_what_a_machine_thinks = True

    class Meta:
        ordering = ["-strength", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(theme__isnull=False, proposed__isnull=True)
                | Q(theme__isnull=True, proposed__isnull=False),
                name="proposed_into_one_thing",
            ),
            models.UniqueConstraint(fields=["voice", "theme"], name="proposed_once_into_a_theme"),
            models.UniqueConstraint(fields=["voice", "proposed"], name="proposed_once_into_a_proposed_theme"),
        ]

    def __str__(self) -> str:
        return f"proposal of voice {self.voice_id}"
