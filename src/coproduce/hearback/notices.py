"""Word to trusted people that there is something to pass on, each by the way that suits them.

It says that there is news, and no more: not for whom nor of what. An email or a text goes by machine; whoever likes a
call, a letter or to be told face to face is on the list of people to tell. Who looks on their page sees it there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.hearback.channels import NotSent, Sent, letter
from coproduce.hearback.channels.here import by_hand, said_by, sent_by_machine
from coproduce.hearback.models import Feedback, Notice
from coproduce.hearback.reply import address_here
from coproduce.hearback.sending import DISTURBING
from coproduce.hearback.text import news_only, plain
from coproduce.people.actions import record
from coproduce.people.models import Hub, Mandate, Person, Way
from coproduce.people.permissions import NotAllowed, hubs_where, must

ON_LIST = {Way.Kind.PHONE: (Way.Kind.PHONE,), Way.Kind.FACE_TO_FACE: (Way.Kind.FACE_TO_FACE, Way.Kind.LETTER)}


def by_machine() -> list[str]:
    return [str(kind) for kind in sent_by_machine() if kind in (Way.Kind.EMAIL, Way.Kind.TEXT)]


def owed_notices(
    kinds: Collection[str] | None = None,
    update: int | None = None,
    trusted: int | None = None,
    hubs: Collection[int] | None = None,
) -> list[tuple[int, int]]:
    """The (update, trusted person) of each notice to give now; of those, only for this update, person or hubs.

    That is whoever likes one of these ways best (by default those that a machine sends), has something to pass on
    under a mandate that stands, and got no word about it. Not a text at a time when they want none.
    """
    kinds = by_machine() if kinds is None else kinds
    likes = Way.objects.best().filter(person=OuterRef("trusted"), kind__in=kinds)
    held = Mandate.objects.standing("hear").filter(Exists(likes))
    if trusted is not None:
        held = held.filter(trusted=trusted)
    owed = Feedback.objects.owed_by(Way.Kind.TRUSTED_PERSON).filter(person__in=held.values("person"))
    if update is not None:
        owed = owed.filter(update=update)
    if hubs is not None:
        owed = owed.filter(update__hub__in=hubs)
    through: dict[int, list[int]] = {}
    for person, by in held.filter(person__in=owed.values("person")).values_list("person", "trusted"):
        through.setdefault(person, []).append(by)
    pairs = {
        (of, by): hub
        for of, hub, person in owed.values_list("update", "update__hub", "person")
        for by in through.get(person, ())
    }
    told = Notice.objects.filter(update__in={of for of, _by in pairs}, why=Notice.Why.PASS_ON)
    for known in told.values_list("update", "trusted"):
        pairs.pop(known, None)
    rest = _in_quiet_hours(set(pairs.items())) if set(kinds) & set(DISTURBING) else set()
    return sorted(set(pairs) - rest)


def _in_quiet_hours(pairs: Collection[tuple[tuple[int, int], int]]) -> set[tuple[int, int]]:
    """Of these, whose trusted person, or else whose hub, wants no texts and calls at this time of the day."""
    people = (
        Person.objects.filter(pk__in={by for (_of, by), _hub in pairs}).prefetch_related("ways").in_bulk()
    )
    hubs = Hub.objects.in_bulk({hub for _pair, hub in pairs})
    now = timezone.localtime().time()
    quiet = set()
    for (of, by), hub in pairs:
        person, way = people[by], people[by].preferred_way
        whose: Person | Hub = hubs[hub] if person.quiet_from is None else person
        start, end = whose.quiet_from, whose.quiet_until
        if way is None or way.kind not in DISTURBING or start is None or end is None:
            continue
        if (start < end and start <= now < end) or (start > end and (now >= start or now < end)):
            quiet.add((of, by))
    return quiet


# By machine


def claim_notice(update: int, trusted: int) -> tuple[Notice, Way] | None:
    """The notice about one update to one trusted person, and by which way, if it is still to go at this moment."""
    with transaction.atomic():
        way = (
            Way.objects.best().filter(person=trusted, kind__in=by_machine()).select_related("person").first()
        )
        if way is None or not owed_notices(update=update, trusted=trusted):
            return None
        notice, new = Notice.objects.get_or_create(update_id=update, trusted_id=trusted)
        return (notice, way) if new else None


def send_notices(owed: Iterable[tuple[int, int]]) -> bool:
    """Tell trusted people, by (update, person), that there is something to pass on. False if nothing goes just now.

    Each is claimed right before it goes, and only if a mandate stands at that moment. What may have gone is not sent
    again; what certainly did not go is given back.
    """
    for update, trusted in owed:
        claimed = claim_notice(update, trusted)
        if claimed is None:
            continue
        notice, way = claimed
        words = words_of_text(way) if way.kind == Way.Kind.TEXT else words_of_email(way.person)
        result = said_by(way.kind, way.address, words, f"notice-{notice.pk}")
        if isinstance(result, Sent):
            Notice.objects.filter(pk=notice.pk).update(sent_at=timezone.now())
        elif isinstance(result, NotSent):
            notice.delete()
            return False
    return True


def _link() -> str:
    return address_here() + reverse("people:supporting")


def words_of_email(trusted: Person) -> str:
    """It names nobody and says nothing of what it is about. To read more, one has to sign in."""
    return render_to_string("hearback/notice.txt", {"link": _link(), "to": trusted})


def words_of_text(way: Way) -> str:
    """As neutral as every text; where others may read the phone there is no link."""
    if way.others_may_read:
        return news_only()
    told = _("News for you from %(name)s. Sign in to read it: %(link)s")
    return plain(told % {"name": settings.SENDER_NAME, "link": _link()})


# By somebody who tells them


@transaction.atomic
def print_letter(by: Person, trusted: Person) -> bytes:
    """A letter to a trusted person, as PDF: that there is something to pass on, and no more."""
    if trusted not in to_tell(by, Way.Kind.FACE_TO_FACE):
        raise NotAllowed("tell people")
    record(by, "print a notice for", trusted)
    return letter.on_paper([letter.notice_to(trusted)], settings.SENDER_NAME)


def to_tell(by: Person, way: str) -> QuerySet[Person]:
    """The trusted people who are to be told by this list of work that there is something to pass on."""
    hubs = hubs_where(by, "tell people")
    kinds = {str(kind) for each in ON_LIST[Way.Kind(way)] for kind in _hand(each)}
    pairs = owed_notices(kinds, hubs=hubs) if kinds else []
    people = Person.objects.visible_to(by).filter(pk__in={trusted for _update, trusted in pairs})
    return people.prefetch_related("ways", "mandates__trusted__account").order_by("name", "pk")


def _hand(kind: Way.Kind) -> list[str]:
    return [str(kind)] if kind == Way.Kind.LETTER else by_hand(kind)


@transaction.atomic
def told(by: Person, trusted: Person) -> None:
    """Somebody told a trusted person that there is something to pass on. Telling twice changes nothing."""
    hubs = hubs_where(by, "tell people")
    kinds = [kind for kind in Way.Kind.values if kind not in by_machine()]
    for update, _trusted in owed_notices(kinds, trusted=trusted.pk, hubs=hubs):
        notice, new = Notice.objects.get_or_create(
            update_id=update, trusted=trusted, defaults={"sent_at": timezone.now()}
        )
        if new:
            must(by, "tell people", notice.update.hub_id)
            record(by, "tell of news to pass on", notice.update, notice.update.hub_id)
