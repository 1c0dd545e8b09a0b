"""What can be done with topics: raise, want, put in order, say what they grew from, decide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.agenda.models import (
    DECIDED_ON,
    STILL_OPEN,
    Decision,
    Stage,
    Support,
    Topic,
    who_may_be_spoken_for,
)
from coproduce.agenda.tasks import notice_what_hubs_share
from coproduce.people.actions import record
from coproduce.people.models import Hub, Person
from coproduce.people.permissions import NotAllowed, may, must
from coproduce.themes.models import KeyMessage, Theme
from coproduce.voices.models import Voice

LONGEST_TITLE = 200


@transaction.atomic
def raise_topic(
    by: Person,
    hub: Hub,
    title: str,
    why: str = "",
    themes: Iterable[Theme] = (),
    voices: Iterable[Voice] = (),
    person: Person | None = None,
) -> Topic:
    """Raise a topic; for `person`, who said so to `by`: to whom they trust, or on the phone to who knows them there.

    Whoever raises it wants it, and hears what becomes of it. Not who runs the group or keeps its words, for themselves:
    they raise what others said.
    """
    must(by, "raise a topic", hub)
    if not title.strip():
        raise ValidationError({"title": _("Give the topic a title.")})
    who = _spoken_for(by, hub, person)
    topic = Topic.objects.create(
        hub=hub,
        title=title.strip(),
        why=why.strip(),
        raised_by=who,
        written_by=None if who == by else by,
    )
    record(by, "raise", topic, hub)
    if who != by or not (may(by, "decide on a topic", hub) or may(by, "read everything said", hub)):
        Support.objects.create(topic=topic, person=who, through=topic.written_by)
    _ground(by, topic, list(themes), list(voices))
    notice_what_hubs_share.enqueue()
    return topic


def _spoken_for(by: Person, hub: Hub, person: Person | None) -> Person:
    """Whoever it is that wants something, `by` writing it down."""
    if person is None or person == by:
        return by
    if not who_may_be_spoken_for(by, [hub.pk]).filter(pk=person.pk).exists():
        raise NotAllowed("speak for somebody")
    return person


@transaction.atomic
def support(by: Person, topic: Topic, person: Person | None = None) -> Support:
    """I want this too; or `person` does, and `by` writes it down for them. Twice is once."""
    must(by, "support a topic", topic.hub_id)
    who = _spoken_for(by, topic.hub, person)
    wanted, new = Support.objects.get_or_create(
        topic=topic, person=who, defaults={"through": None if who == by else by}
    )
    if new:
        record(by, "support", topic, topic.hub_id)
    return wanted


@transaction.atomic
def take_back_support(by: Person, topic: Topic, person: Person | None = None) -> None:
    """They don't want it any more. What they were already told stays told."""
    who = _spoken_for(by, topic.hub, person)
    gone, _which = Support.objects.filter(topic=topic, person=who).delete()
    if gone:
        record(by, "take back support of", topic, topic.hub_id)


@transaction.atomic
def move(by: Person, topic: Topic, up: bool) -> None:
    """Put a topic one place up or down in the group's own order, among those of its stage that are from the same side:
    the group's own, or those that services asked for. At the end of the list nothing happens."""
    must(by, "decide on a topic", topic.hub_id)
    Hub.objects.select_for_update().get(pk=topic.hub_id)  # two people at once: one after the other
    known = Topic.objects.filter(hub=topic.hub_id).by_stage()
    this = known.get(pk=topic.pk)
    beside = [
        each.pk for each in known.filter(ask__isnull=not hasattr(this, "ask")) if each.stage == this.stage
    ]
    here = beside.index(topic.pk)
    there = here - 1 if up else here + 1
    if 0 <= there < len(beside):
        beside[here], beside[there] = beside[there], beside[here]
        for place, pk in enumerate(beside, 1):
            Topic.objects.filter(pk=pk).update(place=place)
        record(by, "move", topic, topic.hub_id, up=up)


@transaction.atomic
def raise_from(by: Person, message: KeyMessage) -> Topic:
    """Make a topic of a key message that the group agreed on: it says the same, and stands on the same theme and
    quotes. Where there is one already, that is it."""
    must(by, "raise a topic", message.hub_id)
    held = KeyMessage.objects.select_for_update().select_related("theme", "hub").get(pk=message.pk)
    if known := held.topics.order_by("pk").first():
        return known
    if held.agreed_on is None:
        raise ValidationError(_("The group has not agreed on this key message yet."))
    long = len(held.words) > LONGEST_TITLE
    title = f"{held.words[: LONGEST_TITLE - 1]}…" if long else held.words
    quotes = Voice.objects.visible_to(by).filter(stood_on__key_message=held)
    topic = raise_topic(by, held.hub, title, held.words if long else "", [held.theme], quotes)
    topic.key_message = held
    topic.save(update_fields=["key_message"])
    return topic


@transaction.atomic
def ground(by: Person, topic: Topic, themes: Iterable[Theme] = (), voices: Iterable[Voice] = ()) -> None:
    """Say what the topic grew from. Only what the person may see can be tied."""
    if by.pk != topic.raised_by_id:
        must(by, "tie the thread", topic.hub_id)
    _ground(by, topic, list(themes), list(voices))


def _ground(by: Person, topic: Topic, themes: list[Theme], voices: list[Voice]) -> None:
    _must_see(Theme.objects.visible_to(by).filter(pk__in=[theme.pk for theme in themes]).count(), themes)
    _must_see(Voice.objects.visible_to(by).filter(pk__in=[voice.pk for voice in voices]).count(), voices)
    topic.themes.add(*themes)
    topic.voices.add(*voices)
    if themes or voices:
        record(
            by,
            "ground",
            topic,
            topic.hub_id,
            themes=[theme.pk for theme in themes],
            voices=[voice.pk for voice in voices],
        )


@transaction.atomic
def untie(by: Person, topic: Topic, thing: Theme | Voice) -> None:
    """Take a theme or voice off the topic again. What people were already told stays told."""
    if by.pk != topic.raised_by_id:
        must(by, "tie the thread", topic.hub_id)
    if isinstance(thing, Theme):
        topic.themes.remove(thing)
    else:
        topic.voices.remove(thing)
    record(by, "untie", topic, topic.hub_id, **{type(thing).__name__.lower(): thing.pk})


@transaction.atomic
def decide(by: Person, topic: Topic, stage: str, words: str = "", on: dt.date | None = None) -> Decision:
    """Record what the group decided. Putting a topic aside needs the reason: somebody raised it."""
    must(by, "decide on a topic", topic.hub_id)
    if stage not in DECIDED_ON:
        raise ValidationError({"stage": _("Say where it stands now.")})
    if stage == Stage.PUT_ASIDE and not words.strip():
        raise ValidationError(
            {"words": _("Say why the group put it aside, so that whoever raised it can hear.")}
        )
    if on and on > timezone.localdate():
        raise ValidationError({"on": _("That day is still to come. Write the day the group decided.")})
    decision = Decision.objects.create(
        topic=topic, stage=stage, words=words.strip(), on=on or timezone.localdate(), recorded_by=by
    )
    record(by, "decide on", topic, topic.hub_id, stage=str(stage))
    notice_what_hubs_share.enqueue()
    return decision


@transaction.atomic
def open_again(by: Person, topic: Topic) -> Decision | None:
    """Somebody whom it was told to says that what was decided did not put it right: it is open again.

    Part of taking their answer: whoever calls it has asked whether `by` may give it. Only what was decided opens again:
    None where it is open already, or was put aside for a reason.
    """
    if Topic.objects.with_stage().get(pk=topic.pk).stage in (*STILL_OPEN, Stage.PUT_ASIDE):
        return None
    words = _("Somebody who stands behind it says that it is not put right yet.")
    decision = Decision.objects.create(topic=topic, stage=Stage.OPEN, words=words)
    record(by, "open again", topic, topic.hub_id)
    return decision


def _must_see(seen: int, wanted: list[Theme] | list[Voice]) -> None:
    if seen < len({thing.pk for thing in wanted}):
        raise NotAllowed("tie what they may not see")
