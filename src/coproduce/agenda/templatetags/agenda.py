"""What this room adds to pages of earlier rooms, through their slots."""

from __future__ import annotations

from typing import Any

from django import template

from coproduce.agenda.minutes_pages import decided_at
from coproduce.agenda.models import Action, Meeting, Stage, Topic
from coproduce.people.models import Mandate
from coproduce.people.permissions import hubs_where, may
from coproduce.themes.models import KeyMessage

register = template.Library()


KINDS = {Stage.WORKING: "talking", Stage.DECIDED: "done", Stage.CHANGED: "done"}


@register.inclusion_tag("components/tag.html")
def topic_stage(topic: Topic) -> dict[str, str]:
    """Where a topic stands, as a tag. Needs Topic.objects.with_stage()."""
    stage = Stage(topic.stage)
    return {"words": str(stage.label), "kind": KINDS.get(stage, "neutral")}


@register.inclusion_tag("agenda/_raise_for.html", takes_context=True)
def raise_for(context: dict[str, Any], mandate: Mandate) -> dict[str, Any]:
    """The way to raise a topic for somebody who takes part through the reader."""
    return {"mandate": mandate, "may_raise": bool(hubs_where(context["person"], "raise a topic"))}


@register.inclusion_tag("agenda/_from_message.html", takes_context=True)
def topic_from(context: dict[str, Any], message: KeyMessage) -> dict[str, Any]:
    """The topic that was raised from a key message, or the button that raises it. One query for a page."""
    request, person = context["request"], context["person"]
    known = request.__dict__.get("_topics_from_messages")
    if known is None:
        raised = Topic.objects.visible_to(person).filter(
            key_message__in=KeyMessage.objects.visible_to(person)
        )
        known = {message: topic for topic, message in raised.order_by("-pk").values_list("pk", "key_message")}
        request.__dict__["_topics_from_messages"] = known
    return {
        "message": message,
        "topic": known.get(message.pk),
        "may_raise": message.agreed_on and may(person, "raise a topic", message.hub_id),
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("agenda/_topic_meetings.html", takes_context=True)
def meetings_on(context: dict[str, Any], topic: Topic) -> dict[str, Any]:
    """The meetings that had a topic on their agenda, for those whose meetings they are. Two queries."""
    return {"rows": decided_at([topic.pk], context["person"])}


@register.inclusion_tag("agenda/_my_meetings.html", takes_context=True)
def my_meetings(context: dict[str, Any]) -> dict[str, Any]:
    """What the reader said they would do, and their next meeting."""
    person = context["person"]
    coming = Meeting.objects.of_the_group(person).to_come().filter(cancelled_at=None)
    return {
        "to_do": list(Action.objects.open().filter(owner=person)),
        "next": coming.filter(hub__memberships__person=person, hub__memberships__until=None).first(),
        "csrf_token": context.get("csrf_token"),
    }
