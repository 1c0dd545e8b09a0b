"""What it means: themes, and the voices that each is about."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import models
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coproduce.people.models import Hub, Person
from coproduce.people.permissions import hubs_where
from coproduce.voices.models import Voice


class ThemeQuerySet(models.QuerySet["Theme"]):
    def visible_to(self, person: Person | None) -> ThemeQuerySet:
        """Themes are the group's: everybody in the hub reads their names; their quotes are read by consent."""
        return self.filter(hub__in=hubs_where(person, "read what the group may read"))

    def standing(self) -> ThemeQuerySet:
        """Themes that were not merged into another."""
        return self.filter(merged_into__isnull=True)


class Theme(models.Model):
    """What many voices are about, shown by their quotes.

    Merging A into B sets A.merged_into and moves nothing: the voices stay where people put them, so it can be
    told, and undone, which came from where. B's voices are its own and those of every theme merged into it.
    """

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="themes", verbose_name=_("hub"))
    name = models.CharField(_("name"), max_length=160)
    about = models.TextField(_("what it says, in a sentence"), blank=True)
    made_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    merged_into = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="merged")
    voices = models.ManyToManyField(Voice, through="Placement", related_name="themes")

    objects = ThemeQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(merged_into=models.F("pk")), name="no_theme_is_merged_into_itself")
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


# The thread from voices to themes. Each room answers for its own stretch of it.


def with_merged(themes: Iterable[int]) -> set[int]:
    """These themes and all that was merged into them. One query for each level of merging."""
    all_themes = level = set(themes)
    while level:
        level = set(Theme.objects.filter(merged_into__in=level).values_list("pk", flat=True)) - all_themes
        all_themes = all_themes | level
    return all_themes


def lines_of_merging(themes: Iterable[int]) -> dict[int, list[int]]:
    """For each theme the way that merging took it: itself first, the theme that stands for it now last."""
    lines = {pk: [pk] for pk in themes}
    level = set(lines)
    while level:
        merged = dict(Theme.objects.filter(pk__in=level, merged_into__isnull=False).values_list("pk", "merged_into"))
        for line in lines.values():
            if line[-1] in merged:
                line.append(merged[line[-1]])
        level = set(merged.values())
    return lines


def voices_in(themes: Iterable[int]) -> QuerySet[Placement, dict[str, int]]:
    """The ids of the voices in these themes, merged ones included, for use in `voice id in (…)`."""
    return Placement.objects.filter(theme__in=with_merged(themes)).order_by().values("voice")


def voice_counts(themes: Iterable[int]) -> dict[int, int]:
    """How many voices each theme has, with what was merged into it."""
    wanted = list(themes)
    if with_merged(wanted) != set(wanted):
        return {pk: voices_in([pk]).distinct().count() for pk in wanted}
    rows = Placement.objects.filter(theme__in=wanted).order_by().values_list("theme").annotate(Count("pk"))
    return {pk: 0 for pk in wanted} | dict(rows)
