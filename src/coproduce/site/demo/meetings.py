"""The meetings of the demo town: one that was, with its minutes; today's, with its wall open; and one to come."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from coproduce.agenda.actions import meetings, minutes, wall
from coproduce.agenda.models import Item, Meeting, Note
from coproduce.people.models import Person
from coproduce.voices.models import Use, Voice

if TYPE_CHECKING:
    from coproduce.site.demo import _Town


def build(town: _Town) -> None:
    for told in town.told["meeting"]:
        _meeting(town, told, town.people[told["lead"]])


def _meeting(town: _Town, told: dict[str, Any], lead: Person) -> None:
    texts = ("name", "place", "getting_there", "from_afar", "lunch", "access", "outside")
    on = town.day(told["on"])
    begins, ends = (_moment(on, told[name]) for name in ("begins", "ends"))
    # An agenda is made before the meeting. So it is planned for tomorrow, and then put on its day.
    tomorrow = timezone.now() + dt.timedelta(days=1)
    plan = meetings.Plan(tomorrow, tomorrow + (ends - begins), **{name: told[name] for name in texts})
    meeting = meetings.plan_meeting(lead, town.hubs[told["hub"]], plan)
    items = [_item(town, lead, meeting, each) for each in told["agenda"]]
    for need in told["needs"]:
        meetings.say_needs(town.people[need["person"]], meeting, need["words"])
    Meeting.objects.filter(pk=meeting.pk).update(starts_at=begins, ends_at=ends)
    meeting.refresh_from_db()
    for came in told["came"]:
        person = town.people[came["person"]]
        meetings.note_who_came(lead, meeting, person, came["how"])
        meetings.name_in_minutes(person, meeting, person, came["named"])
    if told["others"]:
        meetings.count_others(lead, meeting, told["others"])
    if told["notes"]:
        _wall(town, lead, meeting, items, told)
    if "agreed" in told:
        _what_came_of_it(town, lead, meeting, items, told)


def _moment(on: dt.date, at: dt.time) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(on, at))


def _item(town: _Town, lead: Person, meeting: Meeting, told: dict[str, Any]) -> Item:
    kind = Item.Kind.TOPIC if "topic" in told else Item.Kind.OTHER
    if told.get("five"):
        kind = Item.Kind.FIVE_MINUTES
    topic = town.topics[told["topic"]] if "topic" in told else None
    minutes_long = told.get("minutes", Item.FIVE)
    return meetings.put_on_agenda(lead, meeting, kind, minutes_long, topic, told.get("title", ""))


def _wall(town: _Town, lead: Person, meeting: Meeting, items: list[Item], told: dict[str, Any]) -> None:
    Meeting.objects.filter(pk=meeting.pk).update(ends_at=timezone.now())  # so that its wall takes notes
    wall.open_wall(lead, meeting)
    piles: dict[str, list[Note]] = {}
    for each in told["notes"]:
        item, person = items[each["on"]], town.people.get(each.get("person", ""))
        if each["how"] == Note.How.PHONE:
            note = wall.write_note(meeting, each["words"], [Use.GROUP], wall.new_token(), item)
        else:
            note = wall.write_down_note(
                lead, meeting, each["words"], each["how"], wall.new_token(), item, person
            )
        if "pile" in each:
            piles.setdefault(each["pile"], []).append(note)
    Voice.objects.filter(note__meeting=meeting).update(said_on=town.day(told["on"]))
    for name, notes in piles.items():
        wall.lay_together(lead, meeting, notes, name=name)
    if not told.get("wall"):
        wall.close_wall(lead, meeting)
    Meeting.objects.filter(pk=meeting.pk).update(ends_at=_moment(town.day(told["on"]), told["ends"]))
    meeting.refresh_from_db()


def _what_came_of_it(
    town: _Town, lead: Person, meeting: Meeting, items: list[Item], told: dict[str, Any]
) -> None:
    for each in told["agreed"]:
        minutes.agree(lead, meeting, each["words"], items[each["on"]])
    for each in told["actions"]:
        action = minutes.give_action(
            lead,
            meeting,
            each["words"],
            town.people[each["person"]],
            town.day(each["by"]),
            items[each["on"]],
        )
        if each["done"]:
            minutes.finish(town.people[each["person"]], action)
    drafted = minutes.draft_minutes(lead, meeting)
    minutes.open_minutes(lead, drafted, town.day(told["open_until"]))
    said = told["correction"]
    correction = minutes.correct(town.people[said["person"]], drafted, said["words"])
    minutes.settle(lead, correction, True, said["answer"])
