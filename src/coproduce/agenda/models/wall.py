"""The wall of a meeting: notes, each of them a voice, and the piles that people lay them in."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coproduce.agenda.models.meetings import Item, Meeting
from coproduce.people.models import Person
from coproduce.themes.models import Theme
from coproduce.voices.models import Use, Voice

MOST = 1000  # characters of a note; about ten lines on a big screen


class Pile(models.Model):
    """Notes that people laid together, and what they call them."""

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="piles")
    name = models.CharField(_("what it is called"), max_length=120)
    theme = models.ForeignKey(Theme, models.SET_NULL, null=True, blank=True, related_name="+")  # made of it

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name


class NoteQuerySet(models.QuerySet["Note"]):
    def for_the_room(self) -> NoteQuerySet:
        """What everybody in the room may see on the screen now: what the group may read, and nobody took off."""
        allowed = Voice.objects.for_use(Use.GROUP)
        return self.filter(voice__in=allowed.order_by().values("pk"), taken_off_at__isnull=True)


class Note(models.Model):
    """A note on the wall of a meeting. Its words are a voice, with its consent.

    One that is taken off the screen stays a voice and can go on again.
    """

    class How(models.TextChoices):
        PHONE = "phone", _("written on a phone")
        SPOKEN = "spoken", _("said out loud")
        PAPER = "paper", _("written on paper")

    meeting = models.ForeignKey(Meeting, models.CASCADE, related_name="notes")
    voice = models.OneToOneField(Voice, models.CASCADE, related_name="note")
    how = models.CharField(max_length=10, choices=How.choices)
    # What somebody without an account calls themselves. Nobody checks it, so it is no person; it goes when it
    # turns out who they are.
    name = models.CharField(max_length=60, blank=True)
    item = models.ForeignKey(Item, models.SET_NULL, null=True, blank=True, related_name="notes")
    pile = models.ForeignKey(Pile, models.SET_NULL, null=True, blank=True, related_name="notes")
    token = models.CharField(max_length=40)  # of the form it came on: sent twice, it is one note
    at = models.DateTimeField(default=timezone.now)
    taken_off_at = models.DateTimeField(null=True, blank=True)
    taken_off_by = models.ForeignKey(Person, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = NoteQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [models.UniqueConstraint(fields=["meeting", "token"], name="a_note_comes_once")]
        indexes = [models.Index(fields=["meeting", "at"])]

    def __str__(self) -> str:
        return f"note {self.pk}"

    @property
    def who(self) -> str:
        """Who said it, as far as the reader may know for whom `notes_for` was asked; "" where nobody does."""
        if self.voice.person_id is None:
            return self.name if self.voice.withdrawn_at is None else ""
        return self.voice.who_known if self.voice.names_who else ""


def notes_for(meeting: Meeting, reader: Person, for_the_group: bool = False) -> list[Note]:
    """The notes that this reader may read, oldest first, each with its voice as they get it. Two queries.

    for_the_group: only those that the whole group may read, whoever asks.
    """
    readable = Voice.objects.for_reading(reader).filter(note__meeting=meeting).exclude(words="")
    if for_the_group:
        readable = readable.for_use(Use.GROUP)
    voices = {voice.pk: voice for voice in readable}
    notes = [
        note
        for note in meeting.notes.select_related("pile", "item__topic").order_by("pk")
        if note.voice_id in voices
    ]
    for note in notes:
        note.voice = voices[note.voice_id]
    return notes
