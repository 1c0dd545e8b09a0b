"""What can be done with changes: record one, say how far it has come, tie it to the words behind it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.agenda.models import Topic
from coproduce.changes.models import Change, Clause, Review, Stage, Step
from coproduce.changes.recall import carried
from coproduce.changes.thread import voices_behind
from coproduce.people.actions import record
from coproduce.people.models import Hub, Person
from coproduce.people.permissions import NotAllowed, must
from coproduce.themes.models import Theme
from coproduce.voices.models import Voice


@transaction.atomic
def record_change(
    by: Person,
    hub: Hub,
    title: str,
    summary: str,
    kind: str,
    stage: str = Stage.PLANNED,
    on: dt.date | None = None,
    note: str = "",
    owner: Person | None = None,
    review_on: dt.date | None = None,
    topics: Iterable[Topic] = (),
) -> Change:
    must(by, "record a change", hub)
    change = Change.objects.create(
        hub=hub, title=title, summary=summary, kind=kind, owner=owner or by, review_on=review_on
    )
    record(by, "record", change, hub)
    take_step(by, change, stage, on, note)
    change.topics.add(*topics)
    return change


@transaction.atomic
def word_clause(by: Person, change: Change, contract: str, number: str, before: str, after: str) -> Clause:
    """Set the wording of a clause, before and after."""
    must(by, "record a change", change.hub_id)
    if not contract.strip() or not after.strip():
        raise ValidationError(_("A clause needs the name of its contract and its new wording."))
    clause, _new = Clause.objects.update_or_create(
        change=change, defaults={"contract": contract, "number": number, "before": before, "after": after}
    )
    record(by, "word the clause of", change, change.hub_id)
    return clause


@transaction.atomic
def take_step(by: Person, change: Change, stage: str, on: dt.date | None = None, note: str = "") -> Step:
    """Say how far a change has come. That it was not made needs its reason: people will be told."""
    must(by, "record a change", change.hub_id)
    if stage == Stage.NOT_MADE and not note.strip():
        raise ValidationError(_("Say why it was not made. The people behind it will hear the reason."))
    step = Step.objects.create(
        change=change, stage=stage, on=on or timezone.localdate(), note=note.strip(), recorded_by=by
    )
    record(by, "take a step of", change, change.hub_id, stage=str(stage))
    return step


@transaction.atomic
def review(
    by: Person,
    change: Change,
    holds: bool,
    found: str,
    on: dt.date | None = None,
    again_on: dt.date | None = None,
) -> Review:
    """Say what was found when the change was checked again, and when it is checked next, if ever."""
    must(by, "record a change", change.hub_id)
    if not found.strip():
        raise ValidationError({"found": _("Say what you found. The people behind it will hear it.")})
    if again_on and again_on <= timezone.localdate():
        raise ValidationError({"again_on": _("That day is over. Write a day to come, or none.")})
    reviewed = Review.objects.create(
        change=change, holds=holds, found=found.strip(), on=on or timezone.localdate(), recorded_by=by
    )
    Change.objects.filter(pk=change.pk).update(review_on=again_on)
    record(by, "review", change, change.hub_id, holds=holds)
    return reviewed


@transaction.atomic
def tie(
    by: Person,
    change: Change,
    topics: Iterable[Topic] = (),
    themes: Iterable[Theme] = (),
    voices: Iterable[Voice] = (),
) -> None:
    """Tie a change to what it stands on. Only what the person may see can be tied."""
    must(by, "tie the thread", change.hub_id)
    chosen: dict[str, tuple[models.QuerySet[Any], Iterable[models.Model]]] = {
        "topics": (Topic.objects.visible_to(by), topics),
        "themes": (Theme.objects.visible_to(by), themes),
        "voices": (Voice.objects.visible_to(by), voices),
    }
    tied = {}
    for kind, (visible, things) in chosen.items():
        wanted = sorted({thing.pk for thing in things})
        if visible.filter(pk__in=wanted).count() < len(wanted):
            raise NotAllowed("tie what they may not see")
        if wanted:
            getattr(change, kind).add(*wanted)
            tied[kind] = wanted
    if tied:
        record(by, "tie", change, change.hub_id, **tied)


@transaction.atomic
def untie(by: Person, change: Change, thing: models.Model) -> None:
    """Take a topic, theme or voice off the change again. What people were already told stays told."""
    must(by, "tie the thread", change.hub_id)
    kind = {Topic: "topics", Theme: "themes", Voice: "voices"}[type(thing)]
    carried(
        voices_behind(change).order_by().values_list("pk", flat=True)
    )  # the page has shown them until now
    getattr(change, kind).remove(thing)
    record(by, "untie", change, change.hub_id, **{kind: [thing.pk]})
