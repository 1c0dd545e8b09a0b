"""A theme, and which voices people put in it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coproduce.people.models import Hub, Person
from coproduce.people.permissions import hubs_where
from coproduce.voices.models import Voice


class ThemeQuerySet(models.QuerySet["Theme"]):
    def visible_to(self, person: Person | None) -> ThemeQuerySet:
        """Themes are the group's: everybody in the hub reads their names, and their quotes by consent."""
        return self.filter(hub__in=hubs_where(person, "read what the group may read"))

    def standing(self) -> ThemeQuerySet:
        """Themes that were not merged into another and not discarded."""
        return self.filter(merged_into__isnull=True, discarded_at__isnull=True)

    def discarded(self) -> ThemeQuerySet:
        return self.filter(discarded_at__isnull=False)


class Theme(models.Model):
    """What many voices are about, shown by their quotes.

    Merging A into B sets A.merged_into and moves nothing: the voices stay where people put them, so it can be
    told, and undone, which came from where. B's voices are its own and those of every theme merged into it.
    Discarding moves nothing either: its voices count as being in no theme until somebody takes it back.

    The machine writes no row here. What it thinks stands in ProposedTheme and Proposal until people decide.
    """

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="themes", verbose_name=_("hub"))
    name = models.CharField(_("name"), max_length=160)
    about = models.TextField(_("what it says, in a sentence"), blank=True)
    made_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged")
    confirmed_at = models.DateTimeField(null=True, blank=True)  # people said: yes, this is a theme of ours
    confirmed_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    discarded_at = models.DateTimeField(null=True, blank=True)
    discarded_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")
    terms = models.JSONField(default=list, blank=True)  # the words that made the machine think so
    voices = models.ManyToManyField(Voice, through="Placement", related_name="themes")

    objects = ThemeQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(merged_into=F("pk")), name="no_theme_is_merged_into_itself")
        ]

    def __str__(self) -> str:
        return self.name


class Placement(models.Model):
    """A voice in a theme, with who put it there."""

    theme = models.ForeignKey(Theme, models.CASCADE, related_name="placements")
    voice = models.ForeignKey(Voice, models.CASCADE, related_name="placements")
    placed_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    placed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["theme", "voice"], name="a_voice_once_in_a_theme")]

    def __str__(self) -> str:
        return f"voice {self.voice_id} in theme {self.theme_id}"
