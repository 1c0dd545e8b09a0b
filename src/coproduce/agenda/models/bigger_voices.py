"""A bigger voice: what several hubs raise, noticed by the software, taken up by the hub above them."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from coproduce.agenda.models.topics import Topic
from coproduce.people.models import Hub, Person


class TopicMeaning(models.Model):
    """A topic as numbers: the vector of its title and why, by which the machine compares it with others.

    words_sum says of which words it is, so that a topic that was reworded is read again.
    """

    topic = models.OneToOneField(Topic, models.CASCADE, primary_key=True, related_name="meaning")
    embedder = models.CharField(max_length=100)
    words_sum = models.CharField(max_length=64)
    vector = models.BinaryField()  # float16, little-endian

    only_what_a_machine_thinks = True  # see own.py

    def __str__(self) -> str:
        return f"meaning of topic {self.topic_id}"


class BiggerVoiceQuerySet(models.QuerySet["BiggerVoice"]):
    def visible_to(self, person: Person | None) -> BiggerVoiceQuerySet:
        """Topics are for everybody to see, and so is that several hubs raise the same."""
        return self.filter(refused_at__isnull=True)

    def to_take_up(self) -> BiggerVoiceQuerySet:
        return self.filter(taken_up_as__isnull=True, refused_at__isnull=True)


class BiggerVoice(models.Model):
    """That topics of several hubs are about the same, as the machine noticed.

    People decide: the hub above takes it up as one topic of its own, or says that these are different things.
    """

    hub = models.ForeignKey(
        Hub, models.CASCADE, related_name="bigger_voices"
    )  # the nearest above all of them
    topics = models.ManyToManyField(Topic, related_name="bigger_voices", db_table="agenda_bigger_voice_topic")
    noticed_at = models.DateTimeField(default=timezone.now)
    taken_up_as = models.ForeignKey(Topic, models.SET_NULL, null=True, related_name="+")
    refused_at = models.DateTimeField(null=True)  # these are different things, somebody said
    refused_by = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="+")

    objects = BiggerVoiceQuerySet.as_manager()
    only_what_a_machine_thinks = True

    class Meta:
        ordering = ["-noticed_at", "-pk"]

    def __str__(self) -> str:
        return f"bigger voice {self.pk}"
