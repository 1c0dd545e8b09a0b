"""Which public pages carried somebody's words because a topic or a change stands on them."""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse

from coproduce.changes.thread import ahead_of
from coproduce.voices.consent import carry, on_page, public_since


def carried(voices: Iterable[int]) -> None:
    """Write down, once each, the pages of topics and changes that showed these voices to anybody.

    It follows from consent and thread, so nothing is written when somebody looks at a page. What is taken off a
    change later is written down just before that.
    """
    since = public_since(voices)
    carry(
        on_page(pk, title, path, since[pk])
        for pk, ahead in ahead_of(since).items()
        for title, path in [
            *((topic.title, reverse("agenda:topic", args=[topic.pk])) for topic in ahead.topics),
            *((change.title, reverse("changes:change", args=[change.pk])) for change in ahead.changes),
        ]
    )
