"""The links in a message that let somebody act on it without signing in.

One reads and answers one piece of feedback, the other stops one way of reaching somebody. Each opens that and nothing
else, and is no more secret than the message it stands in. Looking changes nothing: what looks at every link in an
email before its reader does (a mail scanner) answers nothing and stops nothing.
"""

from __future__ import annotations

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from coproduce.hearback.models import Feedback
from coproduce.people.models import Way

_signer = Signer(salt="hearback.reply")
_stop_signer = Signer(salt="hearback.stop")


def address_here() -> str:
    return settings.ADDRESS or f"http://localhost:{settings.PORT}"


def reply_path(feedback: Feedback) -> str:
    return reverse("hearback:reply", args=[_signer.sign(str(feedback.pk))])


def feedback_of(token: str) -> Feedback | None:
    """The feedback that a link leads to, or None if the link is not one of ours."""
    pk = _number(_signer, token)
    known = Feedback.objects.filter(
        person__erasure__isnull=True
    )  # an old email opens nothing of theirs any more
    return known.select_related("update__change__hub", "person").filter(pk=pk).first()


def stop_path(way: Way) -> str:
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
