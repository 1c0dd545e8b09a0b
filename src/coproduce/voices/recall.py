"""Which public pages of this room carried somebody's words."""

from __future__ import annotations

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext as _

from coproduce.voices.consent import carry, on_page, public_since


def carried(voices: Iterable[int]) -> None:
    """Write down, once each, the page of every voice that anybody may read or could once."""
    carry(
        on_page(pk, _("What people said"), reverse("voices:voice", args=[pk]), since)
        for pk, since in public_since(voices).items()
    )
