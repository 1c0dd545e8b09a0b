"""The link in a message that lets somebody read and answer one piece of feedback without signing in.

It opens that one piece and nothing else, and it is no more secret than the message it stands in.
"""

from __future__ import annotations

from django.core.signing import BadSignature, Signer
from django.urls import reverse

from coproduce.hearback.models import Feedback

_signer = Signer(salt="hearback.reply")


def reply_path(feedback: Feedback) -> str:
    return reverse("hearback:reply", args=[_signer.sign(str(feedback.pk))])


def feedback_of(token: str) -> Feedback | None:
    """The feedback that a link leads to, or None if the link is not one of ours."""
    try:
        pk = int(_signer.unsign(token))
    except (BadSignature, ValueError):
        return None
    known = Feedback.objects.filter(
        person__erasure__isnull=True
    )  # an old email opens nothing of theirs any more
    return known.select_related("update__change__hub", "person").filter(pk=pk).first()
