"""What meetings, walls and minutes hold of one person: to give it to them, and to take it out. See own.py."""

from __future__ import annotations

from typing import Any

from django.db.models import F

from coproduce.agenda.models import (
    Action,
    Agreement,
    Attendance,
    CalendarLink,
    Correction,
    Invitation,
    Meeting,
    Minutes,
    Note,
)
from coproduce.people.models import Erasure, Person


def export(person: Person) -> dict[str, Any]:
    """The meetings they took part in and what they needed, what they said they would do, and what they put right."""
    link = CalendarLink.objects.filter(person=person).first()
    attendances = Attendance.objects.filter(person=person).select_related("meeting")
    return {
        "meetings": [
            {
                "on": each.meeting.on,
                "meeting": str(each.meeting),
                "took_part": str(each.get_how_display()) if each.how else None,
                "needed": each.needs,
                "minutes_may_name_them": each.named,
            }
            for each in attendances.order_by("meeting__starts_at", "pk")
        ],
        "notes_on_walls": [
            {"voice": note.voice_id, "meeting": str(note.meeting), "how": str(note.get_how_display())}
            for note in Note.objects.filter(voice__person=person).select_related("meeting").order_by("pk")
        ],
        "told_of_meetings": [
            {"meeting": str(each.meeting), "by_email": each.by_email, "at": each.gone_at}
            for each in Invitation.objects.filter(person=person).select_related("meeting")
        ],
        "what_they_do": [
            {"words": each.words, "by": each.by_day, "done_at": each.done_at, "reminded_at": each.reminded_at}
            for each in Action.objects.filter(owner=person)
        ],
        "put_right_in_minutes": [
            {"words": each.words, "at": each.at, "became": each.outcome or None, "answer": each.answer}
            for each in Correction.objects.filter(person=person)
        ],
        "calendar_link_made_at": link.made_at if link else None,
        "meetings_planned": [
            {"number": meeting.pk, "on": meeting.on}
            for meeting in Meeting.objects.filter(made_by=person).order_by("pk")
        ],
        "minutes_written": [
            {"meeting": each.meeting_id} for each in Minutes.objects.filter(written_by=person)
        ],
        "agreed_written_down": [
            {"words": each.words, "meeting": each.meeting_id}
            for each in Agreement.objects.filter(recorded_by=person)
        ],
    }


def erase(person: Person, choice: str) -> None:
    """That somebody was there still counts, and nobody can tell who. Their notes are voices: their room takes them out.

    What the group wrote in its minutes and agreed is the group's and stays.
    """
    for attendance in Attendance.objects.filter(person=person).exclude(how=""):
        Meeting.objects.filter(pk=attendance.meeting_id).update(others_came=F("others_came") + 1)
    Attendance.objects.filter(person=person).delete()
    Invitation.objects.filter(person=person).delete()
    CalendarLink.objects.filter(person=person).delete()
    # What they typed as a name before it turned out who they are is gone since; another's is not theirs.
    Note.objects.filter(voice__person=person).update(name="")
    if choice == Erasure.Choice.TAKE_OUT:
        Correction.objects.filter(person=person).delete()
        Action.objects.filter(owner=person).delete()  # what they said they would do is about them
    for model, fields in PEOPLE.items():
        for field in fields:
            model._default_manager.filter(**{field: person}).update(**{field: None})


PEOPLE: dict[Any, tuple[str, ...]] = {  # who did what: it stays done, and nobody can tell by whom
    Meeting: ("made_by",),
    Note: ("taken_off_by",),
    Agreement: ("recorded_by",),
    Action: ("owner", "recorded_by", "done_by"),
    Minutes: ("written_by",),
    Correction: ("person", "settled_by"),
}
