"""What this room holds of one person: to give it to them, and to take it out."""

from __future__ import annotations

from typing import Any

from coproduce.agenda import own_meetings
from coproduce.agenda.models import Ask, BiggerVoice, Decision, Support, Topic, TopicMeaning
from coproduce.people.models import Account, Erasure, Person, Way


def export(person: Person) -> dict[str, Any]:
    """The topics they raised and want, the decisions they wrote down for the group, what they asked of one."""
    return {
        "topics": [
            {
                "number": topic.pk,
                "title": topic.title,
                "why": topic.why,
                "hub": topic.hub.name,
                "raised_on": topic.raised_on,
            }
            for topic in Topic.objects.filter(raised_by=person).select_related("hub").order_by("pk")
        ],
        "decisions_written_down": [
            {"number": decision.pk, "topic": decision.topic.title, "on": decision.on}
            for decision in Decision.objects.filter(recorded_by=person).select_related("topic")
        ],
        "topics_they_want": [
            {"number": wanted.topic_id, "title": wanted.topic.title, "since": wanted.at}
            for wanted in Support.objects.filter(person=person).select_related("topic")
        ],
        "asked_of_groups": [
            {
                "number": ask.pk,
                "name": ask.name,
                "email": ask.email,
                "organisation": ask.organisation,
                "wants": ask.wants,
                "why": ask.why,
                "decided": ask.decided,
                "pays": ask.pays,
                "will_do": ask.will_do,
                "asked_at": ask.sent_at,
            }
            for ask in Ask.objects.filter(email__in=_mailboxes_of(person))
        ],
        **own_meetings.export(person),
    }


def _mailboxes_of(person: Person) -> list[str]:
    """The addresses that are theirs: a service's ask has no account, and its address may be one of these."""
    ways = person.ways.filter(kind=Way.Kind.EMAIL).values_list("address", flat=True)
    accounts = Account.objects.filter(person=person).values_list("email", flat=True)
    return sorted({address.strip().lower() for address in [*ways, *accounts]} - {""})


def erase(person: Person, choice: str) -> list[str]:
    """Why a topic matters to them is theirs and goes. So does its title, unless the group has taken it up."""
    if choice == Erasure.Choice.TAKE_OUT:
        for topic in Topic.objects.filter(raised_by=person):
            topic.why = ""
            if not _taken_up(topic, person):
                topic.title = "Taken out at their wish"
            topic.save(update_fields=["title", "why"])
            TopicMeaning.objects.filter(topic=topic).delete()
            BiggerVoice.objects.to_take_up().filter(topics=topic).delete()  # the machine looks again
    Topic.objects.filter(raised_by=person).update(raised_by=None)
    Topic.objects.filter(written_by=person).update(written_by=None)
    Support.objects.filter(person=person).update(person=None, through=None)
    Support.objects.filter(through=person).update(through=None)
    Decision.objects.filter(recorded_by=person).update(recorded_by=None)
    Ask.objects.filter(answered_by=person).update(answered_by=None)
    # What a service asks is the service's. Who wrote it, and how to reach them, goes.
    Ask.objects.filter(email__in=_mailboxes_of(person)).update(name="", email="")
    BiggerVoice.objects.filter(refused_by=person).update(refused_by=None)
    own_meetings.erase(person, choice)
    return []


def _taken_up(topic: Topic, person: Person) -> bool:
    """Whether anything but their own words stands on the topic, also from later rooms. What a machine thinks of it
    does not count, nor that they want it themselves."""
    if topic.themes.exists() or topic.voices.exclude(person=person).exists():
        return True
    for relation in topic._meta.related_objects:
        by = relation.related_model
        if isinstance(by, str) or getattr(by, "only_what_a_machine_thinks", False):
            continue
        rows = by._default_manager.filter(**{relation.field.name: topic})
        if by is Support:
            rows = rows.exclude(person=person)
        if rows.exists():
            return True
    return False
