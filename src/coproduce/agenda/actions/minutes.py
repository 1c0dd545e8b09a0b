"""What can be done with what comes of a meeting: write down what was agreed and who does what, and the minutes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coproduce.agenda.actions.topics import decide
from coproduce.agenda.models import (
    Action,
    Agreement,
    Attendance,
    Correction,
    Item,
    Meeting,
    Minutes,
)
from coproduce.people.actions import record
from coproduce.people.models import Membership, Person
from coproduce.people.permissions import NotAllowed, may, must

OPEN_FOR = 14  # days, unless somebody says otherwise


# On the day


@transaction.atomic
def agree(by: Person, meeting: Meeting, words: str, item: Item | None = None, stage: str = "") -> Agreement:
    """Write down what was agreed. With a stage, it is a decision on the item's topic too, made on that day."""
    held = _to_lead(by, meeting)
    _must_not_stand(held)
    if not words.strip():
        raise ValidationError({"words": _("Write what we agreed.")})
    if not held.has_begun:
        raise ValidationError(_("The meeting is still to come."))
    if item is not None and item.meeting_id != held.pk:
        raise NotAllowed("agree on the agenda of another meeting")
    decision = None
    if stage:
        if item is None or item.topic is None:
            raise ValidationError({"stage": _("Choose the topic that this decides.")})
        decision = decide(by, item.topic, stage, words, held.on)
    agreement = Agreement.objects.create(
        meeting=held, item=item, words=words.strip(), decision=decision, recorded_by=by
    )
    record(by, "agree at", held, held.hub_id, agreement=agreement.pk)
    return agreement


@transaction.atomic
def take_agreement_back(by: Person, agreement: Agreement) -> None:
    """It was written down by mistake. What was decided on a topic by it goes too."""
    held = _to_lead(by, agreement.meeting)
    _must_not_stand(held)
    if agreement.decision:
        agreement.decision.delete()
    agreement.delete()
    record(by, "take back an agreement of", held, held.hub_id)


@transaction.atomic
def give_action(
    by: Person, meeting: Meeting, words: str, owner: Person, by_day: dt.date, item: Item | None = None
) -> Action:
    """Write down who does what by which day."""
    held = _to_lead(by, meeting)
    if not words.strip():
        raise ValidationError({"words": _("Write what has to be done.")})
    if by_day < held.on:
        raise ValidationError({"by_day": _("That day is before the meeting. Write a later one.")})
    if item is not None and item.meeting_id != held.pk:
        raise NotAllowed("give an action on the agenda of another meeting")
    here = Membership.objects.current().filter(person=owner, hub=held.hub_id)
    if owner.pk != by.pk and not here.exists():
        raise NotAllowed("give an action to somebody of another hub")
    action = Action.objects.create(
        meeting=held, item=item, words=words.strip(), owner=owner, by_day=by_day, recorded_by=by
    )
    record(by, "give", action, held.hub_id, owner=owner.pk)
    return action


@transaction.atomic
def finish(by: Person, action: Action, done: bool = True) -> None:
    """It is done, says whoever does it or leads; or it is not done after all."""
    held = Action.objects.select_for_update(of=("self",)).select_related("meeting").get(pk=action.pk)
    if by.pk != held.owner_id:
        must(by, "lead a meeting", held.meeting.hub_id)
    if done == (held.done_at is not None):
        return
    held.done_at, held.done_by = (timezone.now(), by) if done else (None, None)
    held.save(update_fields=["done_at", "done_by"])
    record(by, "finish" if done else "open again", held, held.meeting.hub_id)


# After it


@transaction.atomic
def draft_minutes(by: Person, meeting: Meeting) -> Minutes:
    """Begin the minutes with what is on record. Where they are there already, that is them, and nothing is changed."""
    held = _to_lead(by, meeting)
    if known := Minutes.objects.filter(meeting=held).first():
        return known
    if not held.has_begun or held.is_cancelled:
        raise ValidationError(_("There are minutes of a meeting once it has begun."))
    minutes = Minutes.objects.create(meeting=held, words=_in_short(held), written_by=by)
    for item in held.items.select_related("topic"):
        if not item.talked and (item.kind != Item.Kind.OTHER or item.notes.exists()):
            item.talked = _talked_about(item)
            item.save(update_fields=["talked"])
    record(by, "draft", minutes, held.hub_id)
    return minutes


def _in_short(meeting: Meeting) -> str:
    """The first sentences. Numbers only: names stand where their rows are, so that they go when those go."""
    here = meeting.attendances.filter(how=Attendance.How.CAME).count() + meeting.others_came
    afar = meeting.attendances.filter(how__in=[Attendance.How.PHONE, Attendance.How.NOTE]).count()
    said = [
        ngettext("%(n)d person came.", "%(n)d people came.", here) % {"n": here},
        ngettext("%(n)d took part from afar.", "%(n)d took part from afar.", afar) % {"n": afar}
        if afar
        else "",
    ]
    notes = meeting.notes.count()
    if notes:
        said.append(ngettext("There is %(n)d note.", "There are %(n)d notes.", notes) % {"n": notes})
    if meeting.lunch:
        said.append(_("We ate together."))
    return " ".join(filter(None, said))


def _talked_about(item: Item) -> str:
    notes, agreed, done = item.notes.count(), item.agreements.count(), item.actions.count()
    said = [_("We talked about this.")]
    if notes:
        said.append(ngettext("%(n)d note is about it.", "%(n)d notes are about it.", notes) % {"n": notes})
    if not agreed and not done:
        said.append(_("We agreed nothing yet."))
    return " ".join(said)


@transaction.atomic
def write_minutes(by: Person, minutes: Minutes, words: str, talked: Mapping[int, str]) -> None:
    """Say it in one's own words: in short, and item by item (by their numbers)."""
    held = _to_lead(by, minutes.meeting)
    _must_not_stand(held)
    minutes.words, minutes.written_by = words.strip(), by
    minutes.save(update_fields=["words", "written_by"])
    for item in held.items.filter(pk__in=list(talked)):
        item.talked = talked[item.pk].strip()
        item.save(update_fields=["talked"])
    record(by, "write", minutes, held.hub_id)


@transaction.atomic
def open_minutes(by: Person, minutes: Minutes, until: dt.date) -> None:
    """Let the group read them, and those who were there put them right until a day. Then they stand."""
    held = _to_lead(by, minutes.meeting)
    _must_not_stand(held)
    if until < timezone.localdate():
        raise ValidationError({"until": _("That day is past. Give people some days to read them.")})
    minutes.opened_at = minutes.opened_at or timezone.now()
    minutes.open_until = until
    minutes.save(update_fields=["opened_at", "open_until"])
    record(by, "open", minutes, held.hub_id)


@transaction.atomic
def correct(by: Person, minutes: Minutes, words: str) -> Correction:
    """Somebody who was there says what is not right."""
    minutes.refresh_from_db()
    hub = minutes.meeting.hub_id
    if not was_there(by, minutes.meeting) and not may(by, "lead a meeting", hub):
        raise NotAllowed("put minutes right")
    must(by, "read what the group may read", hub)
    if not words.strip():
        raise ValidationError({"words": _("Write what is not right, and how it was.")})
    if not minutes.is_open:
        raise ValidationError(_("These minutes are not open any more. Say it at the next meeting."))
    correction = Correction.objects.create(minutes=minutes, person=by, words=words.strip())
    record(by, "correct", minutes, hub, correction=correction.pk)
    return correction


def was_there(person: Person, meeting: Meeting) -> bool:
    return meeting.attendances.took_part().filter(person=person).exists()


@transaction.atomic
def settle(by: Person, correction: Correction, taken: bool, answer: str = "") -> None:
    """Take a correction (and change the minutes), or leave them as they are and say why."""
    held = _to_lead(by, correction.minutes.meeting)
    if not taken and not answer.strip():
        raise ValidationError({"answer": _("Say why it stays as it is. They asked.")})
    correction.outcome = Correction.Outcome.TAKEN if taken else Correction.Outcome.ANSWERED
    correction.answer = answer.strip()
    correction.settled_by, correction.settled_at = by, timezone.now()
    correction.save()
    record(by, "settle a correction of", correction.minutes, held.hub_id, correction=correction.pk)


def _must_not_stand(meeting: Meeting) -> None:
    minutes = Minutes.objects.filter(meeting=meeting).first()
    if minutes and minutes.stand:
        raise ValidationError(_("The minutes of this meeting stand. Say it at the next meeting."))


def _to_lead(by: Person, meeting: Meeting) -> Meeting:
    must(by, "lead a meeting", meeting.hub_id)
    return Meeting.objects.select_for_update().get(pk=meeting.pk)
