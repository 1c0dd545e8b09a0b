"""What whoever sends does with feedback: claim it, send it, record what became of it.

A row is claimed before anything leaves, and what became of it is recorded straight after. Nobody acts here but
workers; what a person decides stands in actions.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.hearback.models import Feedback, Notice, State, owed_notices, their_words
from coproduce.people.models import Way
from coproduce.voices.consent import carry
from coproduce.voices.models import Carried


def claim(owed: Iterable[int], worker: str, kind: str) -> Iterator[Feedback]:
    """Claim feedback row by row for one worker and one way. A row somebody else took meanwhile is passed over."""
    for pk in owed:
        now = timezone.now()
        taken = Feedback.objects.filter(pk=pk, state=State.OWED).update(
            state=State.SENDING, claimed_by=worker, claimed_at=now, went_by=kind, tries=F("tries") + 1
        )
        if taken:
            yield Feedback.objects.select_related("update__change__hub", "person").get(pk=pk)


@transaction.atomic
def sent(feedback: Feedback) -> None:
    carried_to_them(feedback, Carried.Kind.EMAIL)
    _after_claim(feedback, state=State.SENT, sent_at=timezone.now(), problem="")


def undeliverable(feedback: Feedback, problem: str) -> None:
    _after_claim(feedback, state=State.UNDELIVERABLE, problem=problem[:500])


def not_sent(feedback: Feedback, problem: str) -> None:
    """It certainly did not go (the far side could not be reached at all): it is owed again."""
    _after_claim(
        feedback, state=State.OWED, claimed_by="", claimed_at=None, went_by=None, problem=problem[:500]
    )


@transaction.atomic
def uncertain(feedback: Feedback, problem: str) -> None:
    carried_to_them(feedback, Carried.Kind.EMAIL)  # it may have gone
    _after_claim(feedback, state=State.UNCERTAIN, problem=problem[:500])


def carried_to_them(feedback: Feedback, kind: str) -> None:
    """Write down that a message carried somebody's own words to them. No name: words may become nameless."""
    carry(
        Carried(
            voice=voice,
            kind=kind,
            where=feedback.update.title,
            path=reverse("changes:change", args=[feedback.update.change_id]),
            who_has_it=_("whoever said it"),
        )
        for voice in their_words(feedback)
    )


def _after_claim(feedback: Feedback, **fields: object) -> None:
    """Record what became of a claim, if the claim is still this worker's."""
    Feedback.objects.filter(pk=feedback.pk, state=State.SENDING, claimed_by=feedback.claimed_by).update(
        **fields
    )


def claimants() -> set[str]:
    """The workers that have claimed feedback and not yet recorded what became of it."""
    return set(Feedback.objects.filter(state=State.SENDING).order_by().values_list("claimed_by", flat=True))


def give_up_claims(dead: Iterable[str]) -> int:
    """What dead workers had claimed may or may not have gone: a person decides. Returns how many."""
    return Feedback.objects.filter(state=State.SENDING, claimed_by__in=list(dead)).update(
        state=State.UNCERTAIN
    )


def claim_notice(update: int, trusted: int) -> tuple[Notice, str] | None:
    """The notice about one update to one trusted person, and the address, if it is still to go at this moment."""
    with transaction.atomic():
        way = Way.objects.best().filter(person=trusted, kind=Way.Kind.EMAIL).first()
        if way is None or not owed_notices(update, trusted):
            return None
        notice, new = Notice.objects.get_or_create(update_id=update, trusted_id=trusted)
        return (notice, way.address) if new else None


def notice_sent(notice: Notice) -> None:
    Notice.objects.filter(pk=notice.pk).update(sent_at=timezone.now())


def not_sure_since_restored() -> int:
    """After a backup was put back: an email owed when it was made may have gone since. Returns how many."""
    owed = Feedback.objects.owed_by(Way.Kind.EMAIL).values("pk")
    unsure = Feedback.objects.filter(Q(pk__in=owed) | Q(state=State.SENDING))
    return unsure.update(state=State.UNCERTAIN, went_by=Way.Kind.EMAIL)
