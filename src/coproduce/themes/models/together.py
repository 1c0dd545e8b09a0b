"""What people agreed on, together: sense-making sessions, who came, what became of each theme, key messages."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coproduce.people.models import Hub, Person
from coproduce.people.permissions import hubs_where
from coproduce.themes.models.themes import Theme
from coproduce.voices.models import Story, Use, Voice


class SenseMakingQuerySet(models.QuerySet["SenseMaking"]):
    def visible_to(self, person: Person | None) -> SenseMakingQuerySet:
        """A session and what came of it are the group's."""
        return self.filter(hub__in=hubs_where(person, "read what the group may read"))


class SenseMaking(models.Model):
    """A session in which those who told the stories say whether the themes are right."""

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="sense_makings", verbose_name=_("hub"))
    name = models.CharField(_("name"), max_length=160)
    on = models.DateField(_("day"))
    place = models.CharField(_("time and place"), max_length=200, blank=True)
    stories = models.ManyToManyField(Story, related_name="sense_makings", blank=True)
    themes = models.ManyToManyField(Theme, related_name="sense_makings", blank=True)
    made_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)

    objects = SenseMakingQuerySet.as_manager()

    class Meta:
        ordering = ["-on", "-pk"]

    def __str__(self) -> str:
        return self.name


class Invited(models.Model):
    """That somebody is invited to a session: when they were told, and whether they came."""

    session = models.ForeignKey(SenseMaking, models.CASCADE, related_name="invited")
    person = models.ForeignKey(Person, models.CASCADE, related_name="invited_to")
    told_at = models.DateTimeField(null=True, blank=True)
    came = models.BooleanField(default=False)

    class Meta:
        ordering = ["person__name", "pk"]
        constraints = [models.UniqueConstraint(fields=["session", "person"], name="invited_once")]

    def __str__(self) -> str:
        return f"person {self.person_id} invited to session {self.session_id}"


class Outcome(models.Model):
    """What the people at a session said about one theme."""

    class Kind(models.TextChoices):
        AGREED = "agreed", _("Agreed")
        RENAMED = "renamed", _("Renamed")
        REFUSED = "refused", _("Refused")

    session = models.ForeignKey(SenseMaking, models.CASCADE, related_name="outcomes")
    theme = models.ForeignKey(Theme, models.CASCADE, related_name="outcomes")
    kind = models.CharField(_("what they said"), max_length=20, choices=Kind.choices)
    name_before = models.CharField(max_length=160, blank=True)  # where it was renamed
    note = models.TextField(_("in their own words"), blank=True)
    recorded_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["recorded_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["session", "theme"], name="one_outcome_a_theme")]

    def __str__(self) -> str:
        return f"{self.kind}: theme {self.theme_id} at session {self.session_id}"


class KeyMessageQuerySet(models.QuerySet["KeyMessage"]):
    def visible_to(self, person: Person | None) -> KeyMessageQuerySet:
        """A key message is the group's; its quotes are read by consent."""
        return self.filter(hub__in=hubs_where(person, "read what the group may read"))

    def agreed(self) -> KeyMessageQuerySet:
        return self.filter(agreed_on__isnull=False)


class KeyMessage(models.Model):
    """One sentence that the group agrees a theme says, standing on named quotes."""

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="key_messages", verbose_name=_("hub"))
    theme = models.ForeignKey(Theme, models.CASCADE, related_name="key_messages")
    words = models.CharField(_("what it says, in one sentence"), max_length=300)
    use = models.CharField(_("who it is for"), max_length=20, choices=Use.choices, default=Use.GROUP)
    quotes = models.ManyToManyField(Voice, through="KeyMessageQuote", related_name="key_messages")
    agreed_on = models.DateField(_("when the group agreed"), null=True, blank=True)
    agreed_at = models.ForeignKey(
        SenseMaking, models.SET_NULL, null=True, blank=True, related_name="key_messages"
    )  # the session, where it was at one
    made_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)

    objects = KeyMessageQuerySet.as_manager()

    class Meta:
        ordering = ["theme__name", "pk"]

    def __str__(self) -> str:
        return self.words


class KeyMessageQuote(models.Model):
    """A quote that a key message stands on. It was allowed for the message's use when it was chosen; whether it
    still is, ask `for_use()`."""

    key_message = models.ForeignKey(KeyMessage, models.CASCADE, related_name="stands_on")
    voice = models.ForeignKey(Voice, models.CASCADE, related_name="stood_on")
    chosen_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    chosen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["key_message", "voice"], name="a_quote_once_a_message")
        ]

    def __str__(self) -> str:
        return f"voice {self.voice_id} under key message {self.key_message_id}"
