"""What can be done with topics: raise, say what they grew from, decide."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.agenda.models import Decision, Stage, Topic
from coproduce.people.actions import record
from coproduce.people.models import Hub, Person
from coproduce.people.permissions import NotAllowed, must
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
) -> Topic:
    must(by, "raise a topic", hub)
    if not title.strip():
        raise ValidationError(_("Give the topic a title."))
    topic = Topic.objects.create(hub=hub, title=title.strip(), why=why.strip(), raised_by=by)
    record(by, "raise", topic, hub)
    ground(by, topic, themes, voices)
    return topic


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
    themes, voices = list(themes), list(voices)
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
    return decision


@transaction.atomic
def open_again(by: Person, topic: Topic) -> Decision | None:
    """Somebody whom it was told to says that what was decided did not put it right: it is open again.

    Part of taking their answer: whoever calls it has asked whether `by` may give it. Only what was decided opens again:
    None where it is open already, or was put aside for a reason.
    """
    if Topic.objects.with_stage().get(pk=topic.pk).stage != Stage.DECIDED:
        return None
    words = _("Somebody who stands behind it says that it is not put right yet.")
    decision = Decision.objects.create(topic=topic, stage=Stage.OPEN, words=words)
    record(by, "open again", topic, topic.hub_id)
    return decision


def _must_see(seen: int, wanted: list[Theme] | list[Voice]) -> None:
    if seen < len({thing.pk for thing in wanted}):
        raise NotAllowed("tie what they may not see")
