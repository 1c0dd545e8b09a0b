"""Somebody says that what was said to be done is not: whoever sees to it hears by email, once for each update.

The email says that there is something to see, and no more: neither who said it nor what it is about.
"""

from __future__ import annotations

from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from coproduce.hearback.channels import Sent
from coproduce.hearback.channels.here import said_by
from coproduce.hearback.models import Answer, Notice, Update
from coproduce.hearback.reply import address_here
from coproduce.people.models import Person, Way


def open_questions(hubs: frozenset[int], owner: Person) -> list[Update]:
    """Updates of which somebody says that it is not put right, of these hubs or seen to by this person, and about
    which nothing was written since. Latest first."""
    said = Answer.objects.filter(not_fixed=True).order_by().values("feedback__update")
    known = Update.objects.filter(pk__in=said).select_related(
        "hub", "change__owner", "topic", "step__recorded_by", "review__recorded_by", "decision__recorded_by"
    )
    latest: dict[tuple[int | None, int | None], Update] = {}
    for update in known.order_by("-written_at", "-pk"):
        latest.setdefault((update.change_id, update.topic_id), update)
    mine = [each for each in latest.values() if each.hub_id in hubs or each.seen_to_by == owner]
    told_since = {
        each.pk
        for each in mine
        if Update.objects.filter(
            change=each.change_id, topic=each.topic_id, written_at__gt=each.written_at
        ).exists()
    }
    return [each for each in mine if each.pk not in told_since]


def tell(update: Update) -> bool:
    """Send the notice to whoever sees to it, the first time only. Returns whether anything was sent.

    It is written before it goes: so nobody gets it twice, and one who hears it of ten people gets one email. Where
    the mail server can't be reached nothing else is lost: it stands on their page first of all.
    """
    with transaction.atomic():
        claimed = _claim(update)
    if claimed is None:
        return False
    notice, address = claimed
    result = said_by(Way.Kind.EMAIL, address, words_for(notice.trusted), f"notice-{notice.pk}")
    if isinstance(result, Sent):
        Notice.objects.filter(pk=notice.pk).update(sent_at=timezone.now())
    return isinstance(result, Sent)


def _claim(update: Update) -> tuple[Notice, str] | None:
    owner = update.seen_to_by
    if owner is None:
        return None
    way = owner.ways.filter(kind=Way.Kind.EMAIL, stopped_at=None).order_by("-preferred", "pk").first()
    if way is None:
        return None
    notice, new = Notice.objects.get_or_create(update=update, trusted=owner, why=Notice.Why.NOT_FIXED)
    return (notice, way.address) if new else None


def words_for(owner: Person) -> str:
    return render_to_string(
        "hearback/not_fixed.txt",
        {"link": address_here() + reverse("hearback:who_has_heard"), "to": owner},
    )
