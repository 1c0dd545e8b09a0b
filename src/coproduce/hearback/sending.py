"""What whoever sends does with feedback: claim it, send it, record what became of it.

A row is claimed before anything leaves, and what became of it is recorded straight after. Nobody acts here but
workers and far sides; what a person decides stands in actions.py.
"""

from __future__ import annotations

import datetime as dt
import smtplib
from collections.abc import Iterable
from dataclasses import replace

from django.conf import settings
from django.core.mail import get_connection
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from coproduce.hearback.channels import (
    Channel,
    Message,
    NotSent,
    Refused,
    Sent,
    Uncertain,
    Unreachable,
    email,
)
from coproduce.hearback.channels.here import sent_by_machine
from coproduce.hearback.models import (
    Attempt,
    Feedback,
    FeedbackQuerySet,
    Notice,
    State,
    owed_notices,
)
from coproduce.people.models import Person, Way
from coproduce.voices.consent import carry
from coproduce.voices.models import Carried, Voice

Outcome = Attempt.Outcome
TRY_AGAIN_AFTER = dt.timedelta(
    minutes=5
)  # doubled with each time that one message could not go: 21 hours in all
TRIES = 8
TOGETHER = 10  # things in one message, at most: who is owed more gets another
DISTURBING = (Way.Kind.TEXT, Way.Kind.PHONE)  # ways that keep quiet hours
_OWED_AGAIN = {"state": State.OWED, "claimed_by": "", "claimed_at": None, "went_by": None}


def to_send(kind: str) -> FeedbackQuerySet:
    """What may go by this kind of way at this moment, the longest owed first."""
    owed = Feedback.objects.owed_by(kind).due()
    if kind in DISTURBING:
        owed = owed.not_in_quiet_hours()
    return owed.order_by("owed_at", "pk")


def send_all(channel: Channel, owed: Iterable[int], worker: str) -> dt.timedelta | None:
    """Send the feedback with these ids, each claimed first. Returns how long to wait with the rest, if at all."""
    try:
        with channel.line() as send:
            for pk in owed:
                if wait := too_fast(channel.kind):
                    return wait
                message = claim(pk, worker, channel.kind)
                if message is None:
                    continue
                result = send(message)
                if isinstance(result, Sent):
                    sent(message, result.theirs)
                elif isinstance(result, Refused):
                    refused(message, result.problem)
                elif isinstance(result, Uncertain):
                    uncertain(message, result.problem)
                    return TRY_AGAIN_AFTER
                elif isinstance(result, NotSent):
                    not_sent(message, result.problem, this_one=not result.others_too)
                    if result.others_too:
                        return dt.timedelta(seconds=result.wait) or TRY_AGAIN_AFTER
    except Unreachable:
        return TRY_AGAIN_AFTER
    return None


def too_fast(kind: str) -> dt.timedelta | None:
    """How long to wait, where as many have gone by this kind as this installation sends in that time (SEND_RATE).

    Counted over short stretches, so that they are spread, and over what all workers sent. What a clock that was
    turned back has put into the future does not count.
    """
    rate = settings.SEND_RATE.get(kind)  # a minute
    if not rate:
        return None
    stretch, now = dt.timedelta(seconds=max(6, 60 / rate)), timezone.now()
    lately = Attempt.objects.filter(kind=kind, by=None, went_with=None, at__gt=now - stretch, at__lte=now)
    return stretch if lately.count() >= rate * stretch.total_seconds() / 60 else None


# One message


@transaction.atomic
def claim(pk: int, worker: str, kind: str) -> Message | None:
    """Claim one feedback for one worker and one way, and with it whatever else is to go to that person this way now.

    None if it does not go that way any more, or somebody else has it. What is asked here stands in the row itself or
    is asked once more, so that of two who try at once one gets it. Each feedback stays a row with an attempt of its
    own; what the far side says of the first holds for those that went with it.
    """
    first = _claim(pk, worker, kind)
    if first is None:
        return None
    if not Feedback.objects.filter(person=first.feedback.person_id, state=State.OWED).exists():
        return first  # nearly everybody: one look at an index
    others = to_send(kind).filter(person=first.feedback.person_id)
    also = []
    for other in others.exclude(pk=pk).values_list("pk", flat=True)[: TOGETHER - 1]:
        claimed = _claim(other, worker, kind, first)
        if claimed is not None:
            also.append(claimed)
    return replace(first, also=tuple(also))


def _claim(pk: int, worker: str, kind: str, with_first: Message | None = None) -> Message | None:
    feedback = (
        Feedback.objects.filter(pk=pk, state=State.OWED)
        .select_related("update__hub", "update__change__owner", "update__topic", "person", "next_way")
        .first()
    )
    if feedback is None:
        return None
    way = feedback.way
    stopped = feedback.update.stopped_at or (way and way.stopped_at)
    if way is None or way.kind != kind or stopped:  # somebody changed their mind since
        return None
    if with_first is not None and way != with_first.way:
        return None
    claimed = {
        "state": State.SENDING,
        "claimed_by": worker,
        "claimed_at": timezone.now(),
        "went_by": kind,
        "tries": feedback.tries + 1,
    }
    still = Feedback.objects.filter(pk=pk, state=State.OWED, letters=None, next_way=feedback.next_way_id)
    if not still.filter(tries=feedback.tries).update(**claimed):
        return None
    for name, value in claimed.items():
        setattr(feedback, name, value)
    reference = f"feedback-{pk}.{feedback.tries}.{get_random_string(10)}"
    Attempt.objects.create(
        feedback=feedback,
        way=way,
        kind=kind,
        reference=reference,
        at=feedback.claimed_at or timezone.now(),
        went_with=Attempt.objects.get(reference=with_first.reference) if with_first else None,
    )
    return Message(feedback, way, reference)


@transaction.atomic
def sent(message: Message, theirs: str = "") -> None:
    """The far side took it. If it has said meanwhile that it did not arrive after all, that holds."""
    for each in _each(message):
        _carried_to_them(each)
        if _open(each.reference).update(outcome=Outcome.TAKEN, theirs=theirs):
            _claimed(each).update(state=State.SENT, sent_at=timezone.now(), problem="")
            continue
        already = Attempt.objects.filter(reference=each.reference)
        already.update(theirs=theirs)
        outcome = already.values_list("outcome", flat=True).get()
        if outcome == Outcome.ARRIVED:
            _claimed(each).update(state=State.SENT, sent_at=timezone.now(), problem="")
        elif _claimed(each).exists():
            _did_not_arrive(each.feedback, each.feedback.problem)


@transaction.atomic
def refused(message: Message, problem: str) -> None:
    """The far side will never take it for this address: the next way has its turn."""
    for each in _each(message):
        _open(each.reference).update(outcome=Outcome.NOT_ARRIVED)
        if _claimed(each).exists():
            _did_not_arrive(each.feedback, problem)


@transaction.atomic
def not_sent(message: Message, problem: str, this_one: bool = False) -> None:
    """It certainly did not go: it is owed again. `this_one`: others could go, so it waits a while, and not for ever."""
    for each in _each(message):
        _not_sent(each, problem, this_one)


def _not_sent(message: Message, problem: str, this_one: bool) -> None:
    _open(message.reference).update(outcome=Outcome.NOT_SENT)
    not_before = None
    if this_one:
        tried = Attempt.objects.filter(feedback=message.feedback, way=message.way, outcome=Outcome.NOT_SENT)
        if (times := tried.count()) >= TRIES:
            Attempt.objects.filter(reference=message.reference).update(outcome=Outcome.NOT_ARRIVED)
            if _claimed(message).exists():
                _did_not_arrive(message.feedback, problem)
            return
        not_before = timezone.now() + TRY_AGAIN_AFTER * 2 ** (times - 1)
    _claimed(message).update(**_OWED_AGAIN | {"problem": problem[:500], "not_before": not_before})


@transaction.atomic
def uncertain(message: Message, problem: str) -> None:
    for each in _each(message):
        _carried_to_them(each)  # it may have gone
        _open(each.reference).update(outcome=Outcome.UNCERTAIN)
        _claimed(each).update(state=State.UNCERTAIN, problem=problem[:500])


def _each(message: Message) -> list[Message]:
    """It, and what went together with it."""
    return [message, *message.also]


def _carried_to_them(message: Message) -> None:
    if message.way.kind != Way.Kind.TEXT:  # a text carries none of their words
        letter = message.way.kind == Way.Kind.LETTER
        kind = Carried.Kind.LETTER if letter else Carried.Kind.EMAIL
        carried_to_them(message.feedback, kind, message.voices)


def carried_to_them(feedback: Feedback, kind: str, voices: list[Voice]) -> None:
    """Write down that a message carried somebody's own words to them. No name: words may become nameless."""
    carry(
        Carried(
            voice=voice,
            kind=kind,
            where=feedback.update.title,
            path=feedback.update.about_path,
            who_has_it=_("whoever said it"),
        )
        for voice in voices
    )


def _open(reference: str) -> QuerySet[Attempt]:
    """The attempt, while nobody knows what became of it."""
    return Attempt.objects.filter(reference=reference, outcome__in=[Outcome.BEGUN, Outcome.UNCERTAIN])


def _claimed(message: Message) -> QuerySet[Feedback]:
    """The feedback, if the claim is still this worker's."""
    mine = message.feedback
    return Feedback.objects.filter(pk=mine.pk, state=State.SENDING, claimed_by=mine.claimed_by)


# It did not arrive: the next way that they gave has its turn, then a human


def _did_not_arrive(feedback: Feedback, problem: str) -> None:
    following = _following(feedback)
    if following is None:
        Feedback.objects.filter(pk=feedback.pk).update(state=State.UNDELIVERABLE, problem=problem[:500])
        return
    Feedback.objects.filter(pk=feedback.pk).update(
        **_OWED_AGAIN | {"next_way": following, "not_before": None, "problem": problem[:500]}
    )


def _following(feedback: Feedback) -> Way | None:
    """The next way to try. Their page is none: it waits there anyway, and nobody would see that they never look."""
    failed = feedback.attempts.filter(outcome=Outcome.NOT_ARRIVED, way__isnull=False).values("way")
    ways = Way.objects.leading().filter(person=feedback.person_id).exclude(kind=Way.Kind.PAGE)
    return ways.exclude(pk__in=failed).order_by("-preferred", "pk").first()


def did_not_reach_them(feedback: Feedback, by: Person, problem: str = "") -> None:
    """Somebody found that this way does not lead to them (the number is not theirs): part of what they do."""
    way = feedback.way
    kind = way.kind if way else Way.Kind.FACE_TO_FACE
    Attempt.objects.create(feedback=feedback, way=way, kind=kind, by=by, outcome=Outcome.NOT_ARRIVED)
    _did_not_arrive(feedback, problem)


# What far sides say afterwards


@transaction.atomic
def arrived(reference: str) -> bool:
    """The far side says that it arrived. Returns whether the reference is one of ours; twice is once."""
    attempts = _attempts_of(reference)
    for attempt in attempts:
        if attempt.outcome in (Outcome.BEGUN, Outcome.TAKEN, Outcome.UNCERTAIN):
            _set(attempt, Outcome.ARRIVED)
            if attempt.feedback.state == State.UNCERTAIN and _is_the_last(attempt):
                _went(attempt)
    return bool(attempts)


@transaction.atomic
def bounced(reference: str, reason: str) -> bool:
    """The far side says, at once or days later, that it did not arrive: the next way has its turn, then a human.

    Returns whether the reference is one of ours; twice is once. What was told some other way since is left alone.
    """
    attempts = _attempts_of(reference)
    for attempt in attempts:
        if attempt.outcome in (Outcome.BEGUN, Outcome.TAKEN, Outcome.ARRIVED, Outcome.UNCERTAIN):
            _set(attempt, Outcome.NOT_ARRIVED)
            if attempt.feedback.state in (State.SENT, State.UNCERTAIN) and _is_the_last(attempt):
                _did_not_arrive(attempt.feedback, reason)
    return bool(attempts)


@transaction.atomic
def taken(reference: str) -> bool:
    """The far side says that it has it and does not know more yet. Returns whether the reference is one of ours."""
    attempts = _attempts_of(reference)
    for attempt in attempts:
        if attempt.outcome == Outcome.UNCERTAIN:
            _set(attempt, Outcome.TAKEN)
            if attempt.feedback.state == State.UNCERTAIN and _is_the_last(attempt):
                _went(attempt)
    return bool(attempts)


def _attempts_of(reference: str) -> list[Attempt]:
    """The attempt and those that went together with it, each with its feedback, all held while this is written."""
    if not reference:  # where a person tried, there is none
        return []
    known = Q(reference=reference) | Q(went_with__reference=reference)
    pks = Attempt.objects.filter(known).values_list("pk", flat=True)
    found = list(Attempt.objects.select_for_update().filter(pk__in=list(pks)).order_by("pk"))
    for attempt in found:
        attempt.feedback = Feedback.objects.select_for_update().get(pk=attempt.feedback_id)
    return found


def _set(attempt: Attempt, outcome: str) -> None:
    Attempt.objects.filter(pk=attempt.pk).update(outcome=outcome)


def _is_the_last(attempt: Attempt) -> bool:
    return not Attempt.objects.filter(feedback=attempt.feedback_id, pk__gt=attempt.pk).exists()


def _went(attempt: Attempt) -> None:
    Feedback.objects.filter(pk=attempt.feedback_id).update(state=State.SENT, sent_at=attempt.at, problem="")


# Workers that died, trusted people, backups


def claimants() -> set[str]:
    """The workers that have claimed feedback and not yet recorded what became of it."""
    return set(Feedback.objects.filter(state=State.SENDING).order_by().values_list("claimed_by", flat=True))


@transaction.atomic
def give_up_claims(dead: Iterable[str]) -> int:
    """What dead workers had claimed may or may not have gone: a person decides. Returns how many."""
    left = Feedback.objects.filter(state=State.SENDING, claimed_by__in=list(dead))
    Attempt.objects.filter(outcome=Outcome.BEGUN, feedback__in=left.values("pk")).update(
        outcome=Outcome.UNCERTAIN
    )
    return left.update(state=State.UNCERTAIN)


def claim_notice(update: int, trusted: int) -> tuple[Notice, str] | None:
    """The notice about one update to one trusted person, and the address, if it is still to go at this moment."""
    with transaction.atomic():
        way = Way.objects.best().filter(person=trusted, kind=Way.Kind.EMAIL).first()
        if way is None or not owed_notices(update, trusted):
            return None
        notice, new = Notice.objects.get_or_create(update_id=update, trusted_id=trusted)
        return (notice, way.address) if new else None


def send_notices(owed: Iterable[tuple[int, int]]) -> bool:
    """Tell trusted people, by (update, person), that there is something to pass on. False if it could not be reached.

    Each is claimed right before it goes, and only if a mandate stands at that moment.
    """
    connection = get_connection()
    try:
        connection.open()
    except email.TROUBLE:
        return False
    try:
        for update, trusted in owed:
            claimed = claim_notice(update, trusted)
            if claimed is None:
                continue
            notice, address = claimed
            try:
                message = email.write_notice(notice, address)
                message.connection = connection
                message.send()
            except (*email.TROUBLE, ValueError) as trouble:  # it may have gone: it is not sent again
                if isinstance(trouble, smtplib.SMTPServerDisconnected):
                    return False
            else:
                notice_sent(notice)
    finally:
        connection.close()
    return True


def notice_sent(notice: Notice) -> None:
    Notice.objects.filter(pk=notice.pk).update(sent_at=timezone.now())


def not_sure_since_restored() -> int:
    """After a backup was put back: what was owed when it was made may have gone since. Returns how many."""
    unsure = 0
    for kind in sent_by_machine():
        owed = Feedback.objects.owed_by(kind).values("pk")
        unsure += Feedback.objects.filter(pk__in=owed).update(state=State.UNCERTAIN, went_by=kind)
    return unsure + Feedback.objects.filter(state=State.SENDING).update(state=State.UNCERTAIN)
