"""Work that people did in another tool, and what its things are here."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coproduce.people.models import Hub, Person
from coproduce.people.permissions import hubs_where
from coproduce.themes.models.themes import Theme
from coproduce.voices.models import Story, Voice


def brought_path(brought: Brought, name: str) -> str:
    """Files are kept under a name that says nothing about what is in them."""
    return f"brought/{uuid.uuid4().hex}"


class BroughtQuerySet(models.QuerySet["Brought"]):
    def visible_to(self, person: Person | None) -> BroughtQuerySet:
        """Whole stories are in it: it is for those who keep such stories and make sense of them."""
        keeps, sorts = hubs_where(person, "work on stories"), hubs_where(person, "make sense")
        return self.filter(hub__in=keeps & sorts)

    def waiting(self) -> BroughtQuerySet:
        return self.filter(taken_in_at__isnull=True)


class Brought(models.Model):
    """Work that somebody brought from another tool: its file, until all of it is taken in or put aside.

    What came in of it lives on as stories, quotes and themes, and the file is deleted.
    """

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="brought", verbose_name=_("hub"))
    file = models.FileField(_("file"), upload_to=brought_path)
    file_name = models.CharField(max_length=255, blank=True)
    brought_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    brought_at = models.DateTimeField(default=timezone.now)
    told_on = models.DateField(_("when the stories were told"), null=True, blank=True)  # said: take it in
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    came = models.JSONField(default=dict)  # how many stories, quotes and themes are new by it
    taken_in_at = models.DateTimeField(null=True, blank=True)

    objects = BroughtQuerySet.as_manager()

    class Meta:
        ordering = ["-brought_at", "-pk"]
        verbose_name_plural = "brought"

    def __str__(self) -> str:
        return f"work brought from elsewhere {self.pk}"


class Alias(models.Model):
    """The guid by which another tool knows a story, a theme or a quote of ours; with theme and quote both, that it
    put the one into the other. What was brought once is not brought again, whatever became of it here."""

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="+")
    guid = models.UUIDField()
    story = models.ForeignKey(Story, models.CASCADE, null=True, related_name="+")
    theme = models.ForeignKey(Theme, models.CASCADE, null=True, related_name="+")
    voice = models.ForeignKey(Voice, models.CASCADE, null=True, related_name="+")

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "aliases"
        constraints = [
            models.UniqueConstraint(fields=["hub", "guid"], name="one_alias_a_guid"),
            models.CheckConstraint(
                condition=Q(story__isnull=False, theme__isnull=True, voice__isnull=True)
                | Q(story__isnull=True, theme__isnull=False)
                | Q(story__isnull=True, voice__isnull=False),
                name="alias_of_something",
            ),
        ]

    def __str__(self) -> str:
        return f"alias {self.pk}"
