"""What whoever runs an installation is told: a sender name must not give people away either."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from coproduce.hearback.sensitive import sensitive_words


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
