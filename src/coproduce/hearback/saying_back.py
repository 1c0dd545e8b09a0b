"""A few words back to somebody who wrote to us: that no more comes this way, or that a file could not be kept.

Claimed before it goes, so that it is never said twice: after a crash in between it may not have been said at all.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.hearback import sending
from coproduce.hearback.channels import NotSent, Result
from coproduce.hearback.channels.here import said_by
from coproduce.hearback.enclosed import not_kept
from coproduce.hearback.models import Reply
from coproduce.hearback.text import plain
from coproduce.people.models import Way


def say(reply: Reply) -> dt.timedelta | None:
    """Say it. Returns how long to wait with it where nothing can go at the moment."""
    if not Reply.objects.filter(pk=reply.pk, said_back_at=None).update(said_back_at=timezone.now()):
        return None
    result = _by_text(reply) if reply.came_by == Way.Kind.TEXT else _by_email(reply)
    if not isinstance(result, NotSent):  # it went, or may have gone, or never will
        return None
    Reply.objects.filter(pk=reply.pk).update(said_back_at=None)
    return sending.TRY_AGAIN_AFTER


def words_of_stop() -> str:
    """It is neutral, as every text is: a phone may be shared."""
    told = _("No more texts will come to this phone from %(name)s. If you want them again, ask us.")
    return plain(told % {"name": settings.SENDER_NAME})


def _by_text(reply: Reply) -> Result | None:
    return said_by(Way.Kind.TEXT, reply.sender, words_of_stop(), f"reply-{reply.pk}")


def _by_email(reply: Reply) -> Result | None:
    """Only to an address that the person gave: anybody can write any as the sender."""
    theirs = Way.objects.leading().filter(person=reply.person_id, kind=Way.Kind.EMAIL)
    way = theirs.filter(address__iexact=reply.sender).first()
    if way is None or not not_kept(reply).exists():
        return None
    return said_by(Way.Kind.EMAIL, way.address, words_of_not_kept(reply, way), f"reply-{reply.pk}")


def words_of_not_kept(reply: Reply, way: Way) -> str:
    """Where others may read their email, it does not even say that they wrote."""
    return render_to_string(
        "hearback/not_kept.txt",
        {
            "person": way.person,
            "number": not_kept(reply).count(),
            "others_may_read": way.others_may_read,
            "sender": settings.SENDER_NAME,
        },
    )
