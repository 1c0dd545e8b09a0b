"""Terms and their explanations, which the group owns, and the words that somebody asked about."""

from __future__ import annotations

from django.db import models
from django.db.models import Max, Q, Sum
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coproduce.people.models import Hub, Person
from coproduce.people.permissions import hubs_where


class TermQuerySet(models.QuerySet["Term"]):
    def visible_to(self, person: Person | None) -> TermQuerySet:
        """What the group agreed on is for everybody to read. A proposal is for who wrote it and who decides."""
        agreed = Q(agreed_at__isnull=False)
        if person is None:
            return self.filter(agreed)
        return self.filter(agreed | Q(written_by=person) | Q(hub__in=hubs_where(person, "explain words")))

    def agreed(self) -> TermQuerySet:
        return self.filter(agreed_at__isnull=False)

    def proposed(self) -> TermQuerySet:
        return self.filter(agreed_at__isnull=True)

    def that_hold_in(self, hub: Hub) -> TermQuerySet:
        """What is agreed in this hub and in those above it; a hub's own explanation goes before theirs."""
        above = [hub.path[:end] for end in range(hub.steplen, len(hub.path) + 1, hub.steplen)]
        return self.agreed().filter(hub__path__in=above).order_by("-hub__depth", Lower("word"), "pk")


class Term(models.Model):
    """A piece of jargon with a plain explanation."""

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="terms", verbose_name=_("hub"))
    word = models.CharField(_("word"), max_length=80)
    also = models.CharField(_("other ways of writing it"), max_length=300, blank=True)  # with commas between
    explanation = models.TextField(_("what it means"))
    example = models.TextField(_("an example"), blank=True)
    picture = models.FileField(upload_to="words", blank=True)
    picture_shows = models.CharField(_("what the picture shows"), max_length=200, blank=True)
    written_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    written_at = models.DateTimeField(default=timezone.now)
    agreed_at = models.DateTimeField(null=True)  # until then it is a proposal

    objects = TermQuerySet.as_manager()

    class Meta:
        ordering = [Lower("word"), "pk"]
        constraints = [
            models.UniqueConstraint(
                Lower("word"), "hub", condition=Q(agreed_at__isnull=False), name="one_explanation_a_word"
            )
        ]

    def __str__(self) -> str:
        return self.word

    @property
    def is_agreed(self) -> bool:
        return self.agreed_at is not None

    @property
    def other_forms(self) -> tuple[str, ...]:
        return tuple(form for each in self.also.split(",") if (form := each.strip()))

    @property
    def forms(self) -> set[str]:
        """The word and its other forms, in small letters."""
        return {form.casefold() for form in (self.word, *self.other_forms)}


class QuestionQuerySet(models.QuerySet["Question"]):
    def visible_to(self, person: Person | None) -> QuestionQuerySet:
        """Whoever may say what a word means sees which words are asked about."""
        return self.filter(hub__in=hubs_where(person, "say what a word means"))

    def by_word(self) -> models.QuerySet:
        """Each word of a hub once: {hub, hub__name, word, times, last}, those asked most first."""
        return (
            self.values("hub", "hub__name", "word")
            .annotate(times=Sum("times_asked"), last=Max("day"))
            .order_by("-times", "word", "hub")
        )


class Question(models.Model):
    """That somebody asked what a word means: which, on what kind of page, on what day. Never who, nor when that day."""

    class Where(models.TextChoices):
        WORDS = "words", _("in the list of words")
        TOPIC = "topic", _("on a topic")
        CHANGE = "change", _("on a change")
        UPDATE = "update", _("in news")
        LETTER = "letter", _("in a letter")

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="questions")
    word = models.CharField(max_length=60)
    where = models.CharField(max_length=10, choices=Where.choices, default=Where.WORDS)
    day = models.DateField(default=timezone.localdate)
    times_asked = models.PositiveIntegerField(default=1)

    objects = QuestionQuerySet.as_manager()

    class Meta:
        ordering = ["-day", "word"]
        constraints = [
            models.UniqueConstraint(
                fields=["hub", "word", "where", "day"], name="one_row_a_word_a_place_a_day"
            )
        ]

    def __str__(self) -> str:
        return self.word
