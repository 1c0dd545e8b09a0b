"""Telling people by email, through Django's email backend.

A far side that can't be reached at all leaves the email owed, to be tried again. One that refuses this address
makes it go by the next way. Anything else that goes wrong once sending has begun leaves it uncertain: it may have gone.
"""

from __future__ import annotations

import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from coproduce.hearback.channels import Message, NotSent, Refused, Result, Sent, Uncertain, Unreachable
from coproduce.hearback.news import News, news_in, terms_in
from coproduce.hearback.reply import address_here, reply_address, stop_path
from coproduce.people.models import Account, Way

TROUBLE = (smtplib.SMTPException, OSError)


class Smtp:
    name = "SMTP"
    kind = Way.Kind.EMAIL

    def is_set_up(self) -> bool:
        return True  # where no mail server is set, emails become files

    @contextmanager
    def line(self) -> Iterator[Callable[[Message], Result]]:
        connection = get_connection()
        try:
            connection.open()
        except TROUBLE as trouble:
            raise Unreachable(_reason(trouble)) from trouble
        try:
            yield lambda message: self._send(connection, message)
        finally:
            connection.close()

    def _send(self, connection: Any, message: Message) -> Result:
        return _deliver(connection, lambda: write(message))

    def say(self, address: str, words: str, reference: str) -> Result:
        connection = get_connection()
        try:
            connection.open()
        except TROUBLE as trouble:
            return NotSent(_reason(trouble), others_too=True)
        headers = {
            "Message-ID": f"<{reference}@{settings.MESSAGE_DOMAIN}>",
            "Auto-Submitted": "auto-generated",
        }
        try:
            return _deliver(
                connection,
                lambda: EmailMessage(subject=subject(), body=words, to=[address], headers=headers),
            )
        finally:
            connection.close()


def subject() -> str:
    """The subject of every email: it says nothing of what it is about."""
    return _("News for you from %(name)s") % {"name": settings.SENDER_NAME}


def _deliver(connection: Any, write: Callable[[], EmailMessage]) -> Result:
    try:
        email = write()
        email.connection = connection
        email.send()
    except (UnicodeEncodeError, ValueError) as not_an_address:
        return Refused(_reason(not_an_address))
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as answered:
        return _meaning(answered)
    except TROUBLE as trouble:
        return Uncertain(_reason(trouble))
    return Sent()


def _meaning(answered: smtplib.SMTPResponseException | smtplib.SMTPRecipientsRefused) -> Result:
    """What an answer in numbers means: 4xx is "not now", 5xx is "never" (RFC 5321, 4.2.1). Either way it did not go.

    Whoever is not taken as the sender gets nothing to anybody, except where only this message is too large (552).
    """
    if isinstance(answered, smtplib.SMTPRecipientsRefused):
        code, everybody = max(code for code, _text in answered.recipients.values()), False
    else:
        code, everybody = answered.smtp_code, isinstance(answered, smtplib.SMTPSenderRefused)
    if code == 421 or (everybody and code != 552):
        return NotSent(_reason(answered), others_too=True)
    return Refused(_reason(answered)) if code >= 500 else NotSent(_reason(answered))


def write(message: Message) -> EmailMultiAlternatives:
    """The email itself. Its subject, sender and headers say nothing about what it is about: a screen may be shared.

    Where others may read the inbox, all of it only says that there is news, and how to read it: not even a link
    that would open it. One tap on "stop these emails" is enough (RFC 8058).
    """
    content = what_it_says(message)
    stop = address_here() + stop_path(message.way)
    email = EmailMultiAlternatives(
        subject=content.subject,
        body=content.text,
        to=[message.way.address],
        reply_to=[reply_address(message.feedback)] if settings.REPLY_TO else None,
        headers={
            "Message-ID": f"<{message.reference}@{settings.MESSAGE_DOMAIN}>",
            "List-Unsubscribe": f"<{stop}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
    )
    email.attach_alternative(content.html, "text/html")
    return email


@dataclass(frozen=True)
class Content:
    subject: str
    text: str
    html: str


def what_it_says(message: Message) -> Content:
    """The email as its reader sees it, whoever carries it."""
    return content_of(message.way, news_in(message))


def content_of(way: Way, news: list[News]) -> Content:
    """An email this way with this news in it."""
    person = news[0].feedback.person
    template = "hearback/news_only" if way.others_may_read else "hearback/email"
    here = address_here()
    context = {
        "person": person,
        "news": news,
        "terms": [] if way.others_may_read else terms_in(news),
        "hub": news[0].update.hub,
        "stop": here + stop_path(way),
        "here": here,
        "sender": settings.SENDER_NAME,
        "signs_in": way.others_may_read and Account.objects.filter(person=person).exists(),
        "may_reply": bool(settings.REPLY_TO),
    }
    return Content(
        subject=subject(),
        text=render_to_string(f"{template}.txt", context),
        html=render_to_string(f"{template}.html", context),
    )


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(
            f"{code} {text.decode(errors='replace')}" for code, text in error.recipients.values()
        )
    return str(error) or type(error).__name__
