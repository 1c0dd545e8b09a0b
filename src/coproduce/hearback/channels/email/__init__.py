"""Telling people by email, through Django's email backend.

A far side that can't be reached at all leaves the email owed, to be tried again. One that refuses this address
makes it undeliverable. Anything else that goes wrong once sending has begun leaves it uncertain: it may have gone.
"""

from __future__ import annotations

import smtplib
from collections.abc import Iterable

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import gettext as _

from coproduce.hearback import sending
from coproduce.hearback.models import Feedback, Notice, their_words
from coproduce.hearback.reply import reply_path
from coproduce.people.models import Account, Way


def send_all(owed: Iterable[int], worker: str) -> bool:
    """Send the feedback with these ids, each claimed first. False if the far side could not be reached."""
    with_trouble = (smtplib.SMTPException, OSError)
    connection = get_connection()
    try:
        connection.open()
    except with_trouble:
        return False
    try:
        for feedback in sending.claim(owed, worker, Way.Kind.EMAIL):
            way = feedback.person.ways.best().filter(kind=Way.Kind.EMAIL).first()
            if way is None:  # they changed their mind since: owed again, their new way
                sending.not_sent(feedback, "")
                continue
            try:
                message = write(feedback, way.address, way.others_may_read)
                message.connection = connection
                message.send()
            except (
                smtplib.SMTPRecipientsRefused,
                smtplib.SMTPSenderRefused,
                UnicodeEncodeError,
                ValueError,
            ) as refused:
                sending.undeliverable(feedback, _reason(refused))
            except smtplib.SMTPServerDisconnected as gone:
                sending.uncertain(feedback, _reason(gone))
                connection.close()
                return False
            except with_trouble as trouble:
                sending.uncertain(feedback, _reason(trouble))
            else:
                sending.sent(feedback)
    finally:
        connection.close()
    return True


def send_notices(owed: Iterable[tuple[int, int]]) -> bool:
    """Tell trusted people, by (update, person), that there is something to pass on. False if it could not be reached.

    Each is claimed right before it goes, and only if a mandate stands at that moment.
    """
    with_trouble = (smtplib.SMTPException, OSError)
    connection = get_connection()
    try:
        connection.open()
    except with_trouble:
        return False
    try:
        for update, trusted in owed:
            claimed = sending.claim_notice(update, trusted)
            if claimed is None:
                continue
            notice, address = claimed
            try:
                message = write_notice(notice, address)
                message.connection = connection
                message.send()
            except (*with_trouble, ValueError) as trouble:  # it may have gone: it is not sent again
                if isinstance(trouble, smtplib.SMTPServerDisconnected):
                    return False
            else:
                sending.notice_sent(notice)
    finally:
        connection.close()
    return True


def write_notice(notice: Notice, address: str) -> EmailMessage:
    """It names nobody and says nothing of what it is about. To read more, one has to sign in."""
    return EmailMessage(
        subject=_("News for you from %(name)s") % {"name": settings.SENDER_NAME},
        body=render_to_string(
            "hearback/notice.txt", {"link": _address() + reverse("people:supporting"), "to": notice.trusted}
        ),
        to=[address],
        headers={"Message-ID": f"<notice-{notice.pk}@{settings.MESSAGE_DOMAIN}>"},
    )


def _address() -> str:
    return settings.ADDRESS or f"http://localhost:{settings.PORT}"


def write(feedback: Feedback, address: str, others_may_read: bool = False) -> EmailMultiAlternatives:
    """The email itself. Its subject, sender and headers say nothing about what it is about: a screen may be shared.

    Where others may read the inbox, all of it only says that there is news, and how to read it: not even a link
    that would open it.
    """
    here = _address()
    template = "hearback/news_only" if others_may_read else "hearback/email"
    context = {
        "feedback": feedback,
        "person": feedback.person,
        "update": feedback.update,
        "change": feedback.update.change,
        "hub": feedback.update.change.hub,
        "voices": their_words(feedback),
        "link": here + reply_path(feedback),
        "here": here,
        "sender": settings.SENDER_NAME,
        "signs_in": Account.objects.filter(person=feedback.person_id).exists(),
    }
    message = EmailMultiAlternatives(
        subject=_("News for you from %(name)s") % {"name": settings.SENDER_NAME},
        body=render_to_string(f"{template}.txt", context),
        to=[address],
        headers={"Message-ID": f"<feedback-{feedback.pk}.{feedback.tries}@{settings.MESSAGE_DOMAIN}>"},
    )
    message.attach_alternative(render_to_string(f"{template}.html", context), "text/html")
    return message


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(
            f"{code} {text.decode(errors='replace')}" for code, text in error.recipients.values()
        )
    return str(error) or type(error).__name__
