"""Who is told about a meeting and how: by email from here, and all others by a person, whose list this makes."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.agenda import calendar
from coproduce.agenda.models import Action, Invitation, Meeting
from coproduce.people.models import Mandate, Membership, Person, Way
from coproduce.people.permissions import may

TROUBLE = (smtplib.SMTPException, OSError)


class Unreachable(Exception):
    """The mail server can't be reached. Nothing was claimed, and nothing went."""


def members_of(meeting: Meeting) -> QuerySet[Person]:
    """The group whose meeting it is. Commissioners belong to a service."""
    here = Membership.objects.current().filter(person=OuterRef("pk"), hub=meeting.hub_id)
    return Person.objects.filter(
        Exists(here.exclude(role=Membership.Role.COMMISSIONER)), erasure__isnull=True
    )


# By email, from here


def by_email(meeting: Meeting) -> QuerySet[Way]:
    """The ways of those who like email best and were not told yet how the meeting stands now. That it is called off
    is told to those who were told that it takes place."""
    told = Invitation.objects.filter(meeting=meeting, person=OuterRef("person"))
    ways = Way.objects.best().filter(
        kind=Way.Kind.EMAIL, person__in=members_of(meeting).order_by().values("pk")
    )
    ways = ways.filter(~Exists(told.filter(sequence=meeting.sequence)))
    if meeting.is_cancelled:
        ways = ways.filter(Exists(told.filter(by_email=True)))
    return ways.select_related("person").order_by("pk")


def send_all(meeting_id: int) -> None:
    """Send what is still to be sent about a meeting. Safe to run twice, and by two workers at once.

    Raises Unreachable where it has to be tried again.
    """
    with mail_server() as connection:
        meeting = Meeting.objects.select_related("hub").get(pk=meeting_id)
        for way in by_email(meeting):
            claimed = _claim(meeting_id, way)
            if claimed is None:
                continue
            invitation, as_it_stands = claimed
            _send(connection, write_invitation(as_it_stands, way, invitation), invitation)


@transaction.atomic
def _claim(meeting_id: int, way: Way) -> tuple[Invitation, Meeting] | None:
    """Write down that it goes, before it goes. None where another worker has, or there is nothing to tell any more."""
    meeting = Meeting.objects.select_for_update(of=("self",)).select_related("hub").get(pk=meeting_id)
    if meeting.is_over and not meeting.is_cancelled:
        return None
    invitation, new = Invitation.objects.get_or_create(
        meeting=meeting, person=way.person, sequence=meeting.sequence
    )
    return (invitation, meeting) if new else None


def _send(connection: Any, email: EmailMessage, invitation: Invitation) -> None:
    email.connection = connection
    try:
        email.send()
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, ValueError) as refused:
        if _is_for_now(refused):
            invitation.delete()
            raise Unreachable(str(refused)) from refused
        Invitation.objects.filter(pk=invitation.pk).update(problem=str(refused)[:200] or "refused")
    except TROUBLE:
        return  # it may have gone: it stays without `gone_at`, and whoever leads sees that and asks
    else:
        Invitation.objects.filter(pk=invitation.pk).update(gone_at=timezone.now())


def _is_for_now(refused: Exception) -> bool:
    """4xx is "not now", 5xx is "never" (RFC 5321, 4.2.1)."""
    if isinstance(refused, smtplib.SMTPRecipientsRefused):
        return all(code < 500 for code, _text in refused.recipients.values())
    return isinstance(refused, smtplib.SMTPResponseException) and refused.smtp_code < 500


@contextmanager
def mail_server() -> Iterator[Any]:
    connection = get_connection()
    try:
        connection.open()
    except TROUBLE as trouble:
        raise Unreachable(str(trouble)) from trouble
    try:
        yield connection
    finally:
        connection.close()


def write_invitation(meeting: Meeting, way: Way, invitation: Invitation) -> EmailMessage:
    """The email. Its outside says nothing about whom it is for or what it is about. Where others may read the inbox,
    it only says that there is news: no day, no place, and nothing for a calendar."""
    email = EmailMultiAlternatives(
        subject=_subject(meeting, way),
        to=[way.address],
        headers={
            "Message-ID": f"<invitation-{invitation.pk}@{settings.MESSAGE_DOMAIN}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    context = {
        "to": way.person,
        "meeting": meeting,
        "items": list(meeting.items.select_related("topic")),
        "changed": meeting.sequence > 0,
        "link": calendar.address_of(meeting),
        "sender": settings.SENDER_NAME,
        "signs_in": hasattr(way.person, "account"),
    }
    if way.others_may_read:
        email.body = render_to_string("agenda/mail/news_only.txt", context)
        return email
    template = "called_off" if meeting.is_cancelled else "invitation"
    email.body = render_to_string(f"agenda/mail/{template}.txt", context)
    method, ics = calendar.invitation(meeting, way.address)
    email.attach_alternative(ics.decode(), f"text/calendar; method={method}")
    return email


def _subject(meeting: Meeting, way: Way) -> str:
    if way.others_may_read:
        said = _("News for you from %(name)s")
    elif meeting.is_cancelled:
        said = _("A meeting is called off, from %(name)s")
    elif meeting.sequence:
        said = _("A meeting has changed, from %(name)s")
    else:
        said = _("An invitation from %(name)s")
    return said % {"name": settings.SENDER_NAME}


# By a person


@dataclass(frozen=True)
class ToTell:
    """Somebody of the group, as the reader may know them, and how they like to be told, if the reader may know that.
    `through`: whom they trust, where that is the way. `told`: how the meeting stands now is known to them."""

    person: Person
    name: str
    way: Way | None
    through: str
    invitation: Invitation | None

    @property
    def is_told(self) -> bool:
        return self.invitation is not None and self.invitation.gone_at is not None

    @property
    def is_unclear(self) -> bool:
        """An email went off, or did not: nobody knows."""
        return self.invitation is not None and self.invitation.gone_at is None and not self.invitation.problem

    @property
    def by_email(self) -> bool:
        return self.way is not None and self.way.kind == Way.Kind.EMAIL

    @property
    def reads_here(self) -> bool:
        return self.way is not None and self.way.kind == Way.Kind.PAGE


def everybody(meeting: Meeting, reader: Person) -> list[ToTell]:
    """The whole group, each with how they are told. Four queries, however many they are."""
    known = list(
        members_of(meeting)
        .named_for(reader)  # type: ignore[attr-defined]
        .order_by("name", "pk")
        .prefetch_related("ways", Prefetch("mandates", Mandate.objects.select_related("trusted__account")))
    )
    looked_after = may(reader, "look after people", meeting.hub_id)
    told = {each.person_id: each for each in meeting.invitations.filter(sequence=meeting.sequence)}
    rows = []
    for person in known:
        way, through = person.preferred_way if looked_after else None, ""
        if way and way.kind == Way.Kind.TRUSTED_PERSON:
            through = next(
                (each.trusted.name for each in person.mandates.all() if each.hear and each.stands), ""
            )
        rows.append(ToTell(person, person.shown, way, through, told.get(person.pk)))
    return rows


# Reminders of what somebody does by a day


def remind(action: Action, connection: Any) -> bool:
    """Tell whoever does it that its day is near, by email if that is their way, once. Returns whether it went."""
    way = action.owner and Way.objects.best().filter(person=action.owner, kind=Way.Kind.EMAIL).first()
    if (
        not Action.objects.filter(pk=action.pk, reminded_at=None).update(reminded_at=timezone.now())
        or not way
    ):
        return False
    email = write_reminder(action, way)
    email.connection = connection
    try:
        email.send()
    except (*TROUBLE, ValueError):
        return False  # it may have gone; it stands on their page as well
    return True


def write_reminder(action: Action, way: Way) -> EmailMessage:
    """It does not say what is to be done: only that there is something, and where it stands."""
    here = settings.ADDRESS or f"http://localhost:{settings.PORT}"
    template = "news_only" if way.others_may_read else "reminder"
    context = {
        "to": way.person,
        "action": action,
        "link": here + reverse("agenda:my_actions"),
        "sender": settings.SENDER_NAME,
        "signs_in": hasattr(way.person, "account"),
    }
    return EmailMessage(
        subject=_("News for you from %(name)s") % {"name": settings.SENDER_NAME},
        body=render_to_string(f"agenda/mail/{template}.txt", context),
        to=[way.address],
        headers={
            "Message-ID": f"<action-{action.pk}@{settings.MESSAGE_DOMAIN}>",
            "Auto-Submitted": "auto-generated",
        },
    )
