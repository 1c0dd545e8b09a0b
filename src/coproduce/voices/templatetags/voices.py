"""What this room adds to pages of earlier rooms, through their slots."""

from __future__ import annotations

from typing import Any

from django import template

from coproduce.people.models import Mandate
from coproduce.voices.models import Voice

register = template.Library()


@register.inclusion_tag("voices/_said_through.html", takes_context=True)
def said_through(context: dict[str, Any], mandate: Mandate) -> dict[str, Any]:
    """What somebody said through the trusted person who looks at the page, latest first."""
    said = Voice.objects.visible_to(context["person"]).filter(
        person=mandate.person_id, through=mandate.trusted_id, disowned_at__isnull=True
    )
    return {"mandate": mandate, "said": said[:20], "waits": context.get("waits")}
