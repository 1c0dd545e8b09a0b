"""What this room adds to pages of earlier rooms, through their slots."""

from __future__ import annotations

from typing import Any

from django import template

from coproduce.agenda.models import Topic
from coproduce.consensus.models import Conversation
from coproduce.consensus.voting import conversations_for
from coproduce.people.models import Mandate
from coproduce.people.permissions import may

register = template.Library()


@register.inclusion_tag("consensus/_from_topic.html", takes_context=True)
def conversations_on(context: dict[str, Any], topic: Topic) -> dict[str, Any]:
    """Where people vote on a topic, as far as this reader may see it."""
    person = context["person"]
    return {
        "topic": topic,
        "conversations": list(Conversation.objects.visible_to(person).filter(topic=topic)),
        "may_open": may(person, "open a conversation", topic.hub_id),
    }


@register.inclusion_tag("consensus/_for_supported.html")
def votes_for(mandate: Mandate) -> dict[str, Any]:
    """Where somebody may vote through the trusted person who looks at the page."""
    return {"mandate": mandate, "conversations": list(conversations_for(mandate.person).running())}
