"""What services are sent about their asks, each once: the link that confirms an address, and the group's answer.

An email that the mail server can't be reached for, or that it does not want now, stays owed. One whose address is
refused is left for a person, who sees that on the page of the ask. Anything else that goes wrong once sending has
begun leaves it unsure: it may have gone, so it is never silently sent again.
"""

from __future__ import annotations

import smtplib
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.agenda.models import AskEmail, link_of

AT_ONCE = 200  # then other work has its turn


def send_what_is_owed() -> bool:
    """Send what is owed, the longest owed first. False where something is left that can't go now."""
    owed = list(AskEmail.objects.filter(claimed_at__isnull=True).values_list("pk", flat=True)[:AT_ONCE])
    if not owed:
        return True
    connection = get_connection()
    try:
        connection.open()
    except (smtplib.SMTPException, OSError):
        return False
    try:
        left = [pk for pk in owed if not _send(connection, pk)]
    finally:
        connection.close()
    return not left and len(owed) < AT_ONCE


def _send(connection: Any, pk: int) -> bool:
    """Claim one, send it, and write down what came of it. False where it is still owed."""
    owed = AskEmail.objects.filter(pk=pk)
    if not owed.filter(claimed_at__isnull=True).update(claimed_at=timezone.now()):
        return True  # somebody else has it
    known = owed.select_related("ask__hub").first()
    if known is None:
        return True
    if not known.ask.email:
        owed.update(problem=_("The address was taken out at somebody’s wish."))
        return True
    message = write(known)
    message.connection = connection
    try:
        message.send()
    except (UnicodeEncodeError, ValueError) as not_an_address:
        owed.update(problem=str(not_an_address)[:300])
    except smtplib.SMTPRecipientsRefused as refused:
        [(code, text), *_more] = refused.recipients.values()
        return _refused(pk, code, text)
    except smtplib.SMTPResponseException as refused:
        return _refused(pk, refused.smtp_code, refused.smtp_error)
    except (smtplib.SMTPException, OSError):
        return True  # it may have gone: claimed, and nobody sends it again but a person
    else:
        owed.update(sent_at=timezone.now())
    return True


def _refused(pk: int, code: int, text: bytes | str) -> bool:
    """4xx is "not now", 5xx is "never" (RFC 5321, 4.2.1). Either way it did not go."""
    owed = AskEmail.objects.filter(pk=pk)
    if code < 500:
        owed.update(claimed_at=None)
        return False
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    owed.update(problem=f"{code} {said}"[:300])
    return True


def write(owed: AskEmail) -> EmailMessage:
    """The email itself. Its subject and headers say nothing about what it is about."""
    asked = owed.ask
    here = settings.ADDRESS or f"http://localhost:{settings.PORT}"
    confirms = owed.what == AskEmail.What.CONFIRM
    subject = _("Please confirm your address, for %(name)s") if confirms else _("News for you from %(name)s")
    return EmailMessage(
        subject=subject % {"name": settings.SENDER_NAME},
        body=render_to_string(
            "agenda/email_confirm.txt" if confirms else "agenda/email_answer.txt",
            {"ask": asked, "link": here + link_of(asked)},
        ),
        to=[asked.email],
        headers={
            "Message-ID": f"<ask-{owed.pk}-{asked.pk}@{settings.MESSAGE_DOMAIN}>",
            "Auto-Submitted": "auto-generated",
        },
    )
