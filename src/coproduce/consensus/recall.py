"""Which public pages of this room carried what somebody said: statements made of it, and what people answered why."""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse

from coproduce.consensus.models import Statement
from coproduce.voices.consent import carry, on_page, public_since


def carried(voices: Iterable[int]) -> None:
    """Write down, once each, the result pages that showed anybody a statement made of one of these voices."""
    since = public_since(voices)
    shown = Statement.voices.through.objects.filter(
        voice__in=since, statement__state=Statement.State.ACCEPTED
    ).values_list("voice", "statement__conversation__topic__title", "statement__conversation__key")
    carry(on_page(pk, title, reverse("consensus:result", args=[key]), since[pk]) for pk, title, key in shown)
