"""How often somebody may try. Kept in the cache, which all processes of an installation share."""

from __future__ import annotations

import time

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac


def who_knocks(request: HttpRequest) -> str:
    """The same for all that comes from one address, and not that address."""
    return get_adapter().get_client_ip(request)


def has_room(what: str, who: str, most: int, seconds: int) -> bool:
    """Take one of `most` places for this stretch of `seconds`; False if all are taken.

    Places are taken one by one with `add`, which only one can win: of many at once, never more than `most` get in.
    """
    stretch = int(time.time() // seconds)
    stem = salted_hmac("coproduce.limits", f"{what}:{who}:{stretch}", algorithm="sha256").hexdigest()[:40]
    places = [f"limit:{what}:{stem}:{place}" for place in range(most)]
    taken = cache.get_many(places)
    return any(cache.add(place, 1, seconds) for place in places if place not in taken)


def once(what: str, which: str, seconds: int) -> bool:
    """True the first time within `seconds`, False ever after, whoever asks at the same time."""
    key = salted_hmac("coproduce.once", f"{what}:{which}", algorithm="sha256").hexdigest()
    return bool(cache.add(f"once:{what}:{key}", 1, seconds))
