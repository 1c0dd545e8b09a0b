"""What calendars are told (RFC 5545, RFC 5546): the feed of a person's hubs, and invitations that go by email.

A calendar shows its lines on a locked screen, and a phone may be shared. So an event is called "Meeting" and nothing
more, and a place whose name gives somebody away is left out: whoever follows the link reads it after signing in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from email.utils import parseaddr

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vCalAddress, vDuration

from coproduce.agenda.models import Meeting
from coproduce.people.sensitive import sensitive_words

LOOK_AGAIN = dt.timedelta(hours=4)  # how often calendars are asked to read the feed


def address_of(meeting: Meeting) -> str:
    here = settings.ADDRESS or f"http://localhost:{settings.PORT}"
    return here + reverse("agenda:meeting", args=[meeting.pk])


def feed(meetings: Iterable[Meeting]) -> bytes:
    """All these meetings, to be read again and again. One that is called off says so."""
    calendar = _calendar("PUBLISH")
    calendar.add("x-wr-calname", _("Meetings"))
    calendar.add("refresh-interval", vDuration(LOOK_AGAIN), parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", vDuration(LOOK_AGAIN))
    for meeting in meetings:
        calendar.add_component(_event(meeting))
    return bytes(calendar.to_ical())


def invitation(meeting: Meeting, address: str) -> tuple[str, bytes]:
    """The invitation for one person and its method: REQUEST, which a higher sequence replaces, or CANCEL.

    It names nobody else who is invited.
    """
    method = "CANCEL" if meeting.is_cancelled else "REQUEST"
    calendar, event = _calendar(method), _event(meeting)
    organizer = vCalAddress(f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}")
    organizer.params["CN"] = settings.SENDER_NAME
    event.add("organizer", organizer)
    attendee = vCalAddress(f"mailto:{address}")
    attendee.params["RSVP"] = "FALSE"
    event.add("attendee", attendee)
    calendar.add_component(event)
    return method, bytes(calendar.to_ical())


def _calendar(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//Coproduce//Coproduce//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    return calendar


def _event(meeting: Meeting) -> Event:
    event = Event()
    event.add("uid", meeting.uid)
    event.add("sequence", meeting.sequence)
    event.add("dtstamp", meeting.changed_at.astimezone(dt.UTC))
    event.add("last-modified", meeting.changed_at.astimezone(dt.UTC))
    event.add("dtstart", meeting.starts_at.astimezone(dt.UTC))
    event.add("dtend", meeting.ends_at.astimezone(dt.UTC))
    event.add("summary", _("Meeting, %(name)s") % {"name": settings.SENDER_NAME})
    event.add("status", "CANCELLED" if meeting.is_cancelled else "CONFIRMED")
    event.add("class", "PRIVATE")
    event.add("url", address_of(meeting))
    event.add("description", _("Sign in to read more: %(link)s") % {"link": address_of(meeting)})
    if place := neutral_place(meeting):
        event.add("location", place)
    return event


def neutral_place(meeting: Meeting) -> str:
    """The place, unless its name gives somebody away."""
    return "" if sensitive_words(meeting.place) else meeting.place
