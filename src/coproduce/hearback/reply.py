"""The links in a message that let somebody act on it without signing in.

One reads and answers one piece of feedback, the other stops one way of reaching somebody. Each opens that and nothing
else, and is no more secret than the message it stands in. Looking changes nothing: what looks at every link in an
email before its reader does (a mail scanner) answers nothing and stops nothing.
"""

from __future__ import annotations

import re

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from coproduce.hearback.models import Feedback
from coproduce.people.models import Way

_signer = Signer(salt="hearback.reply")
_stop_signer = Signer(salt="hearback.stop")


def address_here() -> str:
    return settings.ADDRESS or f"http://localhost:{settings.PORT}"


def reply_path(feedback: Feedback) -> str:
    """The link that opens it. A draft has none yet, and shows where it will stand."""
    if feedback.pk is None:
        return "/reply/…/"
    return reverse("hearback:reply", args=[_signer.sign(str(feedback.pk))])


def reply_address(feedback: Feedback) -> str:
    """Where an answer to one email goes: our own address, marked so that we know again what it answers.

    The mark is "+" and what reply_path() signs, in letters and digits only: mail servers keep those as they are, and
    some fold their case. So it is lower case, and short (RFC 5321: 64 characters before the "@").
    """
    name, _at, domain = settings.REPLY_TO.partition("@")
    return f"{name}+{feedback.pk}-{_mark(feedback.pk)}@{domain}"


def feedback_at(address: str) -> int | None:
    """The number of the feedback that an address of ours is for, or None if it is not one of ours."""
    name, _at, domain = address.strip().lower().rpartition("@")
    ours, _at, here = settings.REPLY_TO.lower().partition("@")
    marked = re.fullmatch(rf"{re.escape(ours)}\+([0-9]{{1,18}})-([0-9a-f]{{20}})", name)
    if not settings.REPLY_TO or domain != here or marked is None:
        return None
    pk = int(marked[1])
    return pk if constant_time_compare(marked[2], _mark(pk)) else None


def _mark(pk: int) -> str:
    return salted_hmac("hearback.reply_address", str(pk), algorithm="sha256").hexdigest()[:20]


def feedback_of(token: str) -> Feedback | None:
    """The feedback that a link leads to, or None if the link is not one of ours."""
    pk = _number(_signer, token)
    known = Feedback.objects.filter(
        person__erasure__isnull=True
    )  # an old email opens nothing of theirs any more
    return (
        known.select_related("update__hub", "update__change", "update__topic", "person").filter(pk=pk).first()
    )


def stop_path(way: Way) -> str:
    if way.pk is None:
        return "/stop/…/"
    return reverse("hearback:stop", args=[_stop_signer.sign(str(way.pk))])


def way_of(token: str) -> Way | None:
    """The way that a link stops, or None if the link is not one of ours or the way is gone."""
    return Way.objects.select_related("person").filter(pk=_number(_stop_signer, token)).first()


def _number(signer: Signer, token: str) -> int:
    """The number that was signed, or 0, which nothing has."""
    try:
        return int(signer.unsign(token))
    except (BadSignature, ValueError):
        return 0
