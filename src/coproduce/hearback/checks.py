"""What whoever runs an installation is told: about the name of the sender, and what a text message costs with it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from coproduce.hearback.channels.here import sent_by_machine
from coproduce.hearback.models import Feedback
from coproduce.hearback.reply import address_here, reply_path
from coproduce.hearback.text import parts, with_link
from coproduce.people.models import Way
from coproduce.people.sensitive import sensitive_words


@register
def sender_is_neutral(**_kwargs: Any) -> list[CheckMessage]:
    words = sensitive_words(settings.DEFAULT_FROM_EMAIL.replace(".", " ").replace("@", " "))
    if not words:
        return []
    return [
        Warning(
            f"EMAIL_FROM says “{', '.join(words)}”. It stands on every message, and a phone may be shared.",
            hint="Choose a name and an address that say nothing about the people you write to.",
            id="hearback.W001",
        )
    ]


@register
def texts_are_one_part(**_kwargs: Any) -> list[CheckMessage]:
    """A text with the usual link, as it goes out here. Each part is paid for."""
    if Way.Kind.TEXT not in sent_by_machine():
        return []
    number = parts(with_link(address_here() + reply_path(Feedback(pk=9_999_999))))
    if number == 1:
        return []
    return [
        Warning(
            f"A text message takes {number} parts here, and each is paid for.",
            hint="A shorter name in EMAIL_FROM or a shorter COPRODUCE_ADDRESS makes it one.",
            id="hearback.W002",
        )
    ]


@register
def ways_to_send_are_known(**_kwargs: Any) -> list[CheckMessage]:
    """A rate for a way that nothing is sent by is a slip of the pen."""
    unknown = set(settings.SEND_RATE) - {Way.Kind.EMAIL, Way.Kind.TEXT, Way.Kind.LETTER}
    return [
        Error(
            f"SEND_RATE has a rate for “{way}”.",
            hint="It can have one for email, text and letter, like email=600,text=60.",
            id="hearback.E001",
        )
        for way in sorted(unknown)
    ]
