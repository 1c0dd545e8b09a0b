"""What it means: themes, and the voices that each is about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
    Window,
)
from django.db.models.functions import DenseRank
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coproduce.people.models import Hub, Person
from coproduce.people.permissions import hubs_where
from coproduce.voices.models import Voice, VoiceQuerySet


class ThemeQuerySet(models.QuerySet["Theme"]):
    def visible_to(self, person: Person | None) -> ThemeQuerySet:
        """Themes are the group's: everybody in the hub reads their names, and their quotes by consent."""
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
        merged = _merged_into(pk__in=level)
        for line in lines.values():
            if line[-1] in merged:
                line.append(merged[line[-1]])
        level = set(merged.values())
    return lines


def _merged_into(**which: Any) -> dict[int, int]:
    pairs = (
        Theme.objects.filter(merged_into__isnull=False, **which).order_by().values_list("pk", "merged_into")
    )
    return {pk: into for pk, into in pairs if into is not None}


def voices_in(themes: Iterable[int]) -> QuerySet[Placement, Any]:
    """The ids of the voices in these themes, merged ones included, for use in `voice id in (…)`."""
    return Placement.objects.filter(theme__in=with_merged(themes)).order_by().values("voice")


def families(themes: Iterable[int]) -> dict[int, set[int]]:
    """For each theme itself and all that was merged into it. One query for each level of merging."""
    found = {pk: {pk} for pk in themes}
    holds: dict[int, set[int]] = {pk: {pk} for pk in found}  # theme → which of the wanted it belongs to
    level = set(found)
    while level:
        merged = _merged_into(merged_into__in=level)
        level = set()
        for pk, into in merged.items():
            belongs = holds[into] - holds.get(pk, set())
            if belongs:
                holds[pk] = holds.get(pk, set()) | belongs
                level.add(pk)
                for wanted in belongs:
                    found[wanted].add(pk)
    return found


def voice_counts(themes: Iterable[int]) -> dict[int, int]:
    """How many voices each theme has, merged ones included. As many queries for many as for one."""
    family = families(themes)
    alone = [pk for pk, members in family.items() if len(members) == 1]
    together = {member for members in family.values() if len(members) > 1 for member in members}
    rows = Placement.objects.filter(theme__in=alone).order_by().values_list("theme").annotate(Count("pk"))
    placed: dict[int, set[int]] = {}
    for theme, voice in Placement.objects.filter(theme__in=together).order_by().values_list("theme", "voice"):
        placed.setdefault(theme, set()).add(voice)
    return {
        pk: len(set().union(*(placed.get(member, ()) for member in members)))
        for pk, members in family.items()
    } | dict(rows)


def some_voices(themes: Iterable[int], person: Person | None, each: int = 3) -> dict[int, list[Voice]]:
    """For each theme the newest few of its voices that this person may read."""
    family = families(themes)
    stands_for = {member: pk for pk, members in family.items() for member in members}
    if not stands_for:
        return {}
    merged = [When(theme=member, then=Value(pk)) for member, pk in stands_for.items() if member != pk]
    newest = (
        Placement.objects.filter(theme__in=stands_for, voice__in=Voice.objects.visible_to(person))
        .annotate(stands=Case(*merged, default=F("theme"), output_field=BigIntegerField()))
        # A voice that two merged themes share is one: dense ranks count it once.
        .annotate(rank=Window(DenseRank(), partition_by=F("stands"), order_by=F("voice").desc()))
        .filter(rank__lte=each)
        .order_by("stands", "-voice")
        .values_list("stands", "voice")
    )
    pairs = list(dict.fromkeys(newest))
    known = Voice.objects.for_reading(person).in_bulk({voice for _theme, voice in pairs})
    shown: dict[int, list[Voice]] = {pk: [] for pk in family}
    for theme, voice in pairs:
        if voice in known:
            shown[theme].append(known[voice])
    return shown


def came_with(theme: Theme, voices: Iterable[int]) -> dict[int, Theme]:
    """For each of the voices that stands in the theme only by a merge, the theme it came with."""
    members = with_merged([theme.pk])
    rows = (
        Placement.objects.filter(theme__in=members, voice__in=list(voices))
        .select_related("theme")
        .order_by("pk")
    )
    own = {row.voice_id for row in rows if row.theme_id == theme.pk}
    return {row.voice_id: row.theme for row in rows if row.voice_id not in own}


def in_no_theme(person: Person | None) -> VoiceQuerySet:
    """Voices in no theme, of the hubs where this person makes sense: what they could still put in one."""
    return (
        Voice.objects.for_reading(person)
        .exclude(words="")
        .filter(
            ~Exists(Placement.objects.filter(voice=OuterRef("pk"))), hub__in=hubs_where(person, "make sense")
        )
    )
