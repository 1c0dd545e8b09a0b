"""Which public pages of this room carried what somebody said: statements made of it, and why people voted so."""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse

from coproduce.consensus.models import Statement, Why
from coproduce.voices.consent import carry, on_page, public_since


def carried(voices: Iterable[int]) -> None:
    """Write down, once each, the result pages that showed anybody these voices, or a statement made of one."""
    since = public_since(voices)
    at = ("statement__conversation__topic__title", "statement__conversation__key")
    voted_on = {"statement__state": Statement.State.ACCEPTED}
    made_of = Statement.voices.through.objects.filter(voice__in=since, **voted_on).values_list("voice", *at)
    why = Why.objects.filter(voice__in=since, **voted_on).values_list("voice", *at)
    carry(
        on_page(pk, title, reverse("consensus:result", args=[key]), since[pk])
        for pk, title, key in sorted({*made_of, *why})
    )
