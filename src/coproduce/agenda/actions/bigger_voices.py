"""What becomes of what several hubs raise: the machine notices, people decide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.agenda.models import BiggerVoice, Topic, TopicMeaning, topics_above
from coproduce.people.actions import record
from coproduce.people.models import Person
from coproduce.people.permissions import must


@dataclass(frozen=True)
class Noticed:
    """Topics that are about the same, and the nearest hub above all of them."""

    hub: int
    topics: frozenset[int]


@transaction.atomic
def keep_meanings(meanings: Iterable[TopicMeaning]) -> None:
    """Keep the vectors of topics; of one that was reworded, the new one. A topic may have gone while it was read."""
    meanings = list(meanings)
    here = set(Topic.objects.filter(pk__in=[each.topic_id for each in meanings]).values_list("pk", flat=True))
    TopicMeaning.objects.bulk_create(
        [each for each in meanings if each.topic_id in here],
        update_conflicts=True,
        unique_fields=["topic"],
        update_fields=["embedder", "words_sum", "vector"],
    )


@transaction.atomic
def keep_noticed(noticed: Iterable[Noticed]) -> None:
    """Keep what the machine notices now, in place of what it noticed before. What people decided on stays, and what
    they said are different things is not brought up again."""
    decided = BiggerVoice.objects.filter(refused_at__isnull=False).prefetch_related("topics")
    refused = [_topics_of(each) for each in decided]
    wanted = {each.topics: each.hub for each in noticed if not any(each.topics <= those for those in refused)}
    for known in BiggerVoice.objects.to_take_up().select_for_update().prefetch_related("topics"):
        if wanted.get(_topics_of(known)) == known.hub_id:
            del wanted[_topics_of(known)]
        else:
            known.delete()
    here = set(Topic.objects.filter(pk__in=frozenset[int]().union(*wanted)).values_list("pk", flat=True))
    for topics, hub in wanted.items():
        if topics <= here:
            BiggerVoice.objects.create(hub_id=hub).topics.add(*topics)


def _topics_of(known: BiggerVoice) -> frozenset[int]:
    return frozenset(topic.pk for topic in known.topics.all())


@transaction.atomic
def take_up(by: Person, known: BiggerVoice, title: str, why: str = "") -> Topic:
    """The hub above works on it: as a topic of its own, raised from those below. Where one of them is its own already,
    the others are taken up into that.

    Each stays where it is, with its own voices. What becomes of it is owed to everybody in their own hub.
    """
    must(by, "decide on a topic", known.hub_id)
    held = BiggerVoice.objects.select_for_update().get(pk=known.pk)
    if held.refused_at or held.taken_up_as_id:
        raise ValidationError(_("Somebody has decided on this already."))
    topics = list(held.topics.all())
    topic = next((each for each in topics if each.hub_id == held.hub_id), None)
    if topic is None:
        if not title.strip():
            raise ValidationError({"title": _("Give the topic a title.")})
        topic = Topic.objects.create(hub_id=held.hub_id, title=title.strip(), why=why.strip())
        record(by, "raise", topic, held.hub_id)
    above = topics_above([topic.pk])[topic.pk]
    below = [each for each in topics if each.hub_id != held.hub_id and each.pk not in above]
    topic.taken_up.add(*below)
    held.taken_up_as = topic
    held.save(update_fields=["taken_up_as"])
    record(by, "take up", topic, held.hub_id, topics=sorted(each.pk for each in below))
    return topic


@transaction.atomic
def refuse(by: Person, known: BiggerVoice) -> None:
    """These are different things, says who would take it up. The machine does not bring it up again."""
    must(by, "decide on a topic", known.hub_id)
    if BiggerVoice.objects.to_take_up().filter(pk=known.pk).update(refused_at=timezone.now(), refused_by=by):
        record(by, "refuse", known, known.hub_id)
