"""What the group works on: topics, what they grew from, and what the group decided."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coproduce.people.models import Hub, Person
from coproduce.themes.models import KeyMessage, Theme, voices_in
from coproduce.voices.models import Voice


class Stage(models.TextChoices):
    OPEN = "open", _("Open")
    WORKING = "working", _("Being worked on")
    DECIDED = "decided", _("Decided")
    PUT_ASIDE = "put aside", _("Put aside")


class TopicQuerySet(models.QuerySet["Topic"]):
    def visible_to(self, person: Person | None) -> TopicQuerySet:
        """What the group works on is for everybody to see; what people said on it is read by consent."""
        return self.all()

    def with_stage(self) -> TopicQuerySet:
        """Each topic with `stage`, where the latest decision left it, or open; and `decided`, its words."""
        latest = Decision.objects.filter(topic=OuterRef("pk")).order_by("-on", "-pk")
        return self.annotate(
            stage=Coalesce(Subquery(latest.values("stage")[:1]), models.Value(Stage.OPEN.value)),
            decided=Coalesce(
                Subquery(latest.values("words")[:1]), models.Value(""), output_field=models.TextField()
            ),
        )

    def by_stage(self) -> TopicQuerySet:
        """Each topic with its stage: what is being worked on first, what was put aside last."""
        order = [Stage.WORKING, Stage.OPEN, Stage.DECIDED, Stage.PUT_ASIDE]
        places = [models.When(stage=stage, then=models.Value(place)) for place, stage in enumerate(order)]
        return self.with_stage().order_by(models.Case(*places), "-raised_on", "-pk")


class Topic(models.Model):
    """Something the group works on: from themes, from voices, or from scratch."""

    hub = models.ForeignKey(Hub, models.CASCADE, related_name="topics", verbose_name=_("hub"))
    title = models.CharField(_("title"), max_length=200)
    why = models.TextField(_("why it matters"), blank=True)
    raised_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")
    raised_on = models.DateField(default=timezone.localdate)
    themes = models.ManyToManyField(
        Theme, related_name="topics", blank=True, db_table="agenda_topic_from_theme"
    )
    voices = models.ManyToManyField(
        Voice, related_name="topics", blank=True, db_table="agenda_topic_from_voice"
    )
    key_message = models.ForeignKey(
        KeyMessage, models.SET_NULL, null=True, blank=True, related_name="topics"
    )  # that it says, where it was raised from one

    objects = TopicQuerySet.as_manager()
    stage: str  # with_stage() fetches it

    class Meta:
        ordering = ["-raised_on", "-pk"]

    def __str__(self) -> str:
        return self.title


class Decision(models.Model):
    """What the group decided on a topic, in its own words. The latest one says where the topic stands."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="decisions")
    stage = models.CharField(_("what the group decided"), max_length=20, choices=Stage.choices)
    words = models.TextField(_("in the group's own words"), blank=True)
    on = models.DateField(_("when"), default=timezone.localdate)
    recorded_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-on", "-pk"]

    def __str__(self) -> str:
        return f"{self.get_stage_display()}, {self.on}"


# The thread from voices to topics.


def themes_of(topics: Iterable[int]) -> QuerySet[Theme]:
    """The themes that these topics grew from."""
    return Theme.objects.filter(topics__in=list(topics)).distinct()


def voices_on(topics: Iterable[int]) -> QuerySet[Voice, Any]:
    """The ids of the voices that stand behind these topics, straight or through a theme."""
    topics = list(topics)
    straight = Topic.voices.through.objects.filter(topic__in=topics).values("voice")
    through_themes = voices_in(themes_of(topics).order_by().values_list("pk", flat=True))
    return Voice.objects.filter(pk__in=straight.union(through_themes)).order_by().values("pk")
