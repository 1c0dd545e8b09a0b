"""What the group works on. One file for each noun."""

from coproduce.agenda.models.meetings import Attendance, CalendarLink, Invitation, Item, Meeting
from coproduce.agenda.models.minutes import Action, Agreement, Correction, Minutes
from coproduce.agenda.models.topics import Decision, Stage, Topic, TopicQuerySet, themes_of, voices_on
from coproduce.agenda.models.wall import Note, Pile

__all__ = [
    "Action",
    "Agreement",
    "Attendance",
    "CalendarLink",
    "Correction",
    "Decision",
    "Invitation",
    "Item",
    "Meeting",
    "Minutes",
    "Note",
    "Pile",
    "Stage",
    "Topic",
    "TopicQuerySet",
    "themes_of",
    "voices_on",
]
