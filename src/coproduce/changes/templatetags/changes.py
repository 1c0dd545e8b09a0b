"""How a change stands, in every page that shows one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.agenda.models import Topic
from coproduce.changes.models import Change, Stage, Step
from coproduce.glossary.templatetags.glossary import explained
from coproduce.people.templatetags.plain import said_when

register = template.Library()

KINDS = {Stage.MADE: "done", Stage.PROVEN: "done", Stage.NOT_MADE: "waiting"}


@register.inclusion_tag("components/tag.html")
def stage_tag(change: Change) -> dict[str, str]:
    """Where a change stands, as a tag. Needs Change.objects.with_stage()."""
    stage = Stage(change.stage)  # type: ignore[attr-defined]
    return {"words": f"{stage.label} · {said_when(change.stage_on)}", "kind": KINDS.get(stage, "talking")}  # type: ignore[attr-defined]


@register.inclusion_tag("components/trail.html", takes_context=True)
def step_trail(context: template.Context, change: Change, steps: Iterable[Step]) -> dict[str, Any]:
    """The steps of a change in the order in which they happened, and what comes next."""
    taken = [
        step | {"words": explained(context, step["words"], change.hub, inline=True)}
        for step in stages_of(steps)
    ]
    return {"steps": [*taken, *next_of(change)]}


def stages_of(steps: Iterable[Step]) -> list[dict[str, Any]]:
    return [
        {
            "what": f"{step.get_stage_display()}, {said_when(step.on)}",
            "words": step.note,
        }
        for step in sorted(steps, key=lambda step: (step.on, step.pk))
    ]


def next_of(change: Change) -> list[dict[str, Any]]:
    """That somebody will check, if a day for it is set and still to come."""
    if change.review_on is None or change.review_on < timezone.localdate():
        return []
    words = _("We check %(when)s.") % {"when": said_when(change.review_on)}
    return [{"what": _("Next: is it really happening?"), "words": words, "next": True}]


@register.inclusion_tag("changes/_from_topic.html")
def changes_from(topic: Topic) -> dict[str, Any]:
    """The changes that a topic led to."""
    return {"changes": Change.objects.filter(topics=topic).with_stage()}
