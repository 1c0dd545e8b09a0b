"""What can be done with meetings: plan, change and call off, make the agenda, say who needs what and who came."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.agenda.models import Ask, Attendance, CalendarLink, Invitation, Item, Meeting, Topic
from coproduce.agenda.models.meetings import new_calendar_key
from coproduce.people.actions import record
from coproduce.people.models import Hub, Membership, Person
from coproduce.people.permissions import NotAllowed, may, must

LONGEST = dt.timedelta(hours=14)
TIMES = ("starts_at", "ends_at", "place")  # when one of them changes, calendars have to hear


@dataclass(frozen=True)
class Plan:
    """What is planned of a meeting: as its model has it."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    name: str = ""
    place: str = ""
    getting_there: str = ""
    from_afar: str = ""
    lunch: str = ""
    access: str = ""
    outside: str = Meeting.Outside.NOTHING

    def onto(self, meeting: Meeting) -> set[str]:
        """Write it onto a meeting. Returns the names of what became different."""
        if self.ends_at <= self.starts_at:
            raise ValidationError({"ends": _("It ends before it begins. Look at the two times again.")})
        if self.ends_at - self.starts_at > LONGEST:
            raise ValidationError({"ends": _("That is more than a day long. Look at the two times again.")})
        changed = set()
        for name, planned in vars(self).items():
            said = planned.strip() if isinstance(planned, str) else planned
            if getattr(meeting, name) != said:
                setattr(meeting, name, said)
                changed.add(name)
        return changed


@transaction.atomic
def plan_meeting(by: Person, hub: Hub, plan: Plan) -> Meeting:
    must(by, "lead a meeting", hub)
    meeting = Meeting(hub=hub, made_by=by)
    plan.onto(meeting)
    meeting.save()
    record(by, "plan", meeting, hub)
    return meeting


@transaction.atomic
def change_meeting(by: Person, meeting: Meeting, plan: Plan) -> set[str]:
    """Change what is planned. Where the time or the place changes, whoever was invited hears it, once."""
    held = _to_lead(by, meeting)
    if held.is_cancelled:
        raise ValidationError(_("This meeting is called off. Plan a new one."))
    changed = plan.onto(held)
    if not changed:
        return changed
    if changed & {*TIMES}:
        held.sequence += 1
    held.changed_at = timezone.now()
    held.save()
    record(by, "change", held, held.hub_id, changed=sorted(changed))
    if changed & {*TIMES}:
        _tell(held)
    return changed


@transaction.atomic
def cancel_meeting(by: Person, meeting: Meeting, why: str = "") -> None:
    """Call a meeting off. Its page stays and says so; calendars take it out."""
    held = _to_lead(by, meeting)
    if held.is_cancelled:
        return
    if held.is_over:
        raise ValidationError(_("This meeting is over. It can’t be called off any more."))
    held.cancelled_at = held.changed_at = timezone.now()
    held.why_cancelled = why.strip()
    held.sequence += 1
    held.save()
    record(by, "call off", held, held.hub_id)
    _tell(held)


# Who is told


@transaction.atomic
def send_invitations(by: Person, meeting: Meeting) -> None:
    """Let the worker tell everybody who likes email and was not told yet how the meeting stands now."""
    held = _to_lead(by, meeting)
    if held.is_over or held.is_cancelled:
        raise ValidationError(_("There is nothing to invite to any more."))
    held.invited_at = held.invited_at or timezone.now()
    held.save(update_fields=["invited_at"])
    record(by, "invite to", held, held.hub_id)
    _tell(held)


def _tell(meeting: Meeting) -> None:
    """In the transaction of what is to be told, so that both happen or neither."""
    from coproduce.agenda.tasks import tell_of_meeting

    if meeting.invited_at:
        tell_of_meeting.enqueue(meeting.pk)


@transaction.atomic
def told_in_person(by: Person, meeting: Meeting, person: Person, done: bool = True) -> None:
    """Tick off that somebody was told by phone, by letter or face to face; or take the tick away."""
    held = _to_lead(by, meeting)
    _must_belong(person, held)
    if done:
        now = timezone.now()
        Invitation.objects.update_or_create(
            meeting=held,
            person=person,
            sequence=held.sequence,
            defaults={"by_email": False, "gone_at": now},
        )
    else:
        held.invitations.filter(person=person, sequence=held.sequence, by_email=False).delete()
    record(by, "tell of", held, held.hub_id, person=person.pk, done=done)


@transaction.atomic
def renew_calendar_link(by: Person) -> CalendarLink:
    """A new secret address for their own calendar; the one of before opens nothing any more."""
    link, new = CalendarLink.objects.select_for_update().get_or_create(person=by)
    if not new:
        link.key, link.made_at = new_calendar_key(), timezone.now()
        link.save()
    record(by, "renew", link)
    return link


# The agenda


@transaction.atomic
def put_on_agenda(
    by: Person,
    meeting: Meeting,
    kind: str,
    minutes: int,
    topic: Topic | None = None,
    title: str = "",
    ask: Ask | None = None,
) -> Item:
    """Put one more thing on the agenda. What is the group's own goes before what services want five minutes for.

    ask: that the group gave five minutes. It is on one agenda at a time.
    """
    held = _to_lead(by, meeting)
    _must_not_be_over(held)
    if ask is not None:
        if not Ask.objects.to_place().filter(pk=ask.pk, hub=held.hub_id).exists():
            raise ValidationError(_("It is on an agenda already, or the group gave it no five minutes."))
        kind, title = Item.Kind.FIVE_MINUTES, ask.said_at
    if kind == Item.Kind.TOPIC:
        if topic is None or topic.hub_id != held.hub_id:
            raise ValidationError({"topic": _("Choose a topic that this group works on.")})
        if known := held.items.filter(topic=topic).first():
            return known
    elif not title.strip():
        raise ValidationError({"title": _("Write what it is about.")})
    last = held.items.aggregate(last=Max("position"))["last"] or 0
    position = last + 1
    if kind != Item.Kind.FIVE_MINUTES:
        first = held.items.filter(kind=Item.Kind.FIVE_MINUTES).order_by("position").first()
        if first:
            position = first.position
            held.items.filter(position__gte=position).update(position=F("position") + 1)
    item = Item.objects.create(
        meeting=held,
        kind=kind,
        topic=topic if kind == Item.Kind.TOPIC else None,
        ask=ask,
        title="" if kind == Item.Kind.TOPIC else title.strip(),
        minutes=Item.FIVE if kind == Item.Kind.FIVE_MINUTES else minutes,
        position=position,
    )
    record(by, "put on the agenda of", held, held.hub_id, item=item.pk)
    return item


@transaction.atomic
def move_item(by: Person, item: Item, up: bool) -> None:
    """Let an item and its neighbour change places. At the end of the list nothing happens."""
    held = _to_lead(by, item.meeting)
    _must_not_be_over(held)
    items = list(held.items.all())
    at = next((place for place, each in enumerate(items) if each.pk == item.pk), None)
    other = None if at is None else at - 1 if up else at + 1
    if at is None or other is None or not 0 <= other < len(items):
        return
    items[at], items[other] = items[other], items[at]
    for place, each in enumerate(items, start=1):
        each.position = place
    Item.objects.bulk_update(items, ["position"])
    record(by, "order the agenda of", held, held.hub_id)


@transaction.atomic
def give_time(by: Person, item: Item, minutes: int) -> None:
    held = _to_lead(by, item.meeting)
    _must_not_be_over(held)
    item.minutes = minutes
    item.save(update_fields=["minutes"])
    record(by, "order the agenda of", held, held.hub_id)


@transaction.atomic
def take_off_agenda(by: Person, item: Item) -> None:
    held = _to_lead(by, item.meeting)
    if item.notes.exists() or item.agreements.exists() or item.actions.exists():
        raise ValidationError(_("Something was said or agreed on it, so it stays on the agenda."))
    item.delete()
    record(by, "take off the agenda of", held, held.hub_id)


# Who takes part, and how


@transaction.atomic
def say_needs(by: Person, meeting: Meeting, needs: str) -> None:
    """Say what one needs to take part. Only whoever leads the meeting reads it."""
    must(by, "read what the group may read", meeting.hub_id)
    held = Meeting.objects.select_for_update().get(pk=meeting.pk)
    if held.is_over or held.is_cancelled:
        raise ValidationError(_("This meeting is over. Say it for the next one."))
    _keep(held, by, needs=needs.strip())
    record(by, "say needs for", held, held.hub_id)


@transaction.atomic
def note_who_came(by: Person, meeting: Meeting, person: Person, how: str) -> None:
    """Write down that somebody came, joined by phone or sent a note; "" takes it away again."""
    held = _to_lead(by, meeting)
    _must_belong(person, held)
    if not held.has_begun:
        raise ValidationError(_("The meeting is still to come. Write down who came on the day."))
    _keep(held, person, how=Attendance.How(how) if how else "")
    record(by, "note who came to", held, held.hub_id, person=person.pk, how=how)


@transaction.atomic
def count_others(by: Person, meeting: Meeting, number: int) -> None:
    """How many came whom nobody here knows."""
    held = _to_lead(by, meeting)
    if not 0 <= number <= 9_999:
        raise ValidationError({"number": _("Write a number, like 3.")})
    held.others_came = number
    held.save(update_fields=["others_came"])
    record(by, "note who came to", held, held.hub_id, others=number)


@transaction.atomic
def name_in_minutes(by: Person, meeting: Meeting, person: Person, named: bool) -> None:
    """Whether the minutes may say that this person was there: theirs to say, or to tell whoever leads."""
    if by.pk != person.pk:
        must(by, "lead a meeting", meeting.hub_id)
    attendance = Attendance.objects.filter(meeting=meeting, person=person).exclude(how="").first()
    if attendance is None:
        raise ValidationError(_("First write down how they took part."))
    attendance.named = named
    attendance.save(update_fields=["named"])
    record(by, "name in the minutes of", meeting, meeting.hub_id, person=person.pk, named=named)


def _keep(meeting: Meeting, person: Person, **said: str) -> None:
    """Nothing is kept of somebody who needs nothing and was not there."""
    attendance, _new = Attendance.objects.update_or_create(meeting=meeting, person=person, defaults=said)
    if not attendance.how and attendance.named:
        Attendance.objects.filter(pk=attendance.pk).update(named=False)
    if not attendance.how and not attendance.needs:
        attendance.delete()


def _must_belong(person: Person, meeting: Meeting) -> None:
    """People of the hub; and who may lead its meetings from the hub above."""
    here = Membership.objects.current().filter(person=person, hub=meeting.hub_id)
    if not here.exists() and not may(person, "lead a meeting", meeting.hub_id):
        raise NotAllowed("write down somebody of another hub")


def _must_not_be_over(meeting: Meeting) -> None:
    if meeting.is_cancelled:
        raise ValidationError(_("This meeting is called off."))
    if meeting.is_over:
        raise ValidationError(_("This meeting is over. Its agenda stays as it was."))


def _to_lead(by: Person, meeting: Meeting) -> Meeting:
    """As it stands now, and nobody else's until we are done."""
    must(by, "lead a meeting", meeting.hub_id)
    return Meeting.objects.select_for_update().get(pk=meeting.pk)
