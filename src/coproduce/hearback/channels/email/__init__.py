"""Telling people by email, through Django's email backend.

A far side that can't be reached at all leaves the email owed, to be tried again. One that refuses this address
makes it undeliverable. Anything else that goes wrong once sending has begun leaves it uncertain: it may have gone.
"""

from __future__ import annotations

import smtplib
from collections.abc import Iterable

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from coproduce.hearback import actions
from coproduce.hearback.models import Feedback
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
        for feedback in actions.claim(owed, worker, Way.Kind.EMAIL):
            way = feedback.person.ways.filter(preferred=True, kind=Way.Kind.EMAIL).first()
            if way is None:  # they changed their mind since: owed again, their new way
                actions.not_sent(feedback, "")
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
                actions.undeliverable(feedback, _reason(refused))
            except smtplib.SMTPServerDisconnected as gone:
                actions.uncertain(feedback, _reason(gone))
                connection.close()
                return False
            except with_trouble as trouble:
                actions.uncertain(feedback, _reason(trouble))
            else:
                actions.sent(feedback)
    finally:
        connection.close()
    return True


def write(feedback: Feedback, address: str, others_may_read: bool = False) -> EmailMultiAlternatives:
    """The email itself. Its subject, sender and headers say nothing about what it is about: a screen may be shared.

    Where others may read the inbox, all of it only says that there is news, and how to read it: not even a link
    that would open it.
    """
    here = settings.ADDRESS or f"http://localhost:{settings.PORT}"
    template = "hearback/news_only" if others_may_read else "hearback/email"
    context = {
        "feedback": feedback,
        "person": feedback.person,
        "update": feedback.update,
        "change": feedback.update.change,
        "hub": feedback.update.change.hub,
        "voices": actions.their_words(feedback),
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
