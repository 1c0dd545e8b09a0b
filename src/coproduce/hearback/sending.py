"""What whoever sends does with feedback: claim it, send it, record what became of it.

A row is claimed before anything leaves, and what became of it is recorded straight after. Nobody acts here but
workers and far sides; what a person decides stands in actions.py.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from coproduce.hearback.channels import (
    Channel,
    Message,
    Refused,
    Result,
    Sent,
    Uncertain,
    Unreachable,
)
from coproduce.hearback.channels.here import sent_by_machine
from coproduce.hearback.models import (
    Attempt,
    Feedback,
    FeedbackQuerySet,
    State,
    Update,
    with_quotes,
    with_their_words,
)
from coproduce.people.models import Person, Way
from coproduce.voices.consent import carry
from coproduce.voices.models import Carried, Voice

Outcome = Attempt.Outcome
TRY_AGAIN_AFTER = dt.timedelta(
    minutes=5
)  # doubled with each time that one message could not go: 21 hours in all
TRIES = 8
AT_ONCE = 100  # messages claimed together, at most
HOLD_FOR = (
    2.0  # seconds: then what of them has not gone is owed again, lest a slow far side holds it from others
)
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
    owed = iter(owed)
    try:
        with channel.line() as send:
            while (allowed := allowed_now(channel.kind)) and (some := list(islice(owed, allowed))):
                if wait := _send_these(send, claim(some, worker, channel.kind)):
                    return wait
    except Unreachable:
        return TRY_AGAIN_AFTER
    return None if allowed else _stretch(settings.SEND_RATE[channel.kind])


def _send_these(send: Callable[[Message], Result], messages: list[Message]) -> dt.timedelta | None:
    """Send what was claimed together, for as long as a claim is held. Returns how long to wait with others, if so."""
    until = time.monotonic() + HOLD_FOR
    took: Took | None = None
    wait = None
    try:
        for message in messages:
            begun, took = begin(message, took), None
            if not begun:
                continue
            result = send(message)
            if isinstance(result, Sent):
                took = (message, result)
            elif isinstance(result, Refused):
                refused(message, result.problem)
            elif isinstance(result, Uncertain):
                uncertain(message, result.problem)
                wait = TRY_AGAIN_AFTER
                break
            else:
                not_sent(message, result.problem, this_one=not result.others_too)
                if result.others_too:
                    wait = dt.timedelta(seconds=result.wait) or TRY_AGAIN_AFTER
                    break
            if time.monotonic() > until:
                break
    except (
        Exception
    ):  # a mistake of ours about one message: it is uncertain, and the others are not held for it
        finish(messages, took)
        raise
    finish(messages, took)
    return wait


def allowed_now(kind: str) -> int:
    """How many to claim now: none where as many have gone by this kind as may go in that time (SEND_RATE, a minute).

    Counted over short stretches, so that they are spread, and over what all workers sent; a part of what is left, as
    others count at the same time. What a clock that was turned back has put into the future does not count.
    """
    rate = settings.SEND_RATE.get(kind)
    if not rate:
        return AT_ONCE
    stretch, now = _stretch(rate), timezone.now()
    lately = Attempt.objects.filter(kind=kind, by=None, went_with=None, at__gt=now - stretch, at__lte=now)
    left = rate * stretch.total_seconds() / 60 - lately.count()
    return min(AT_ONCE, max(1, int(left / 4))) if left > 0 else 0


def _stretch(rate: float) -> dt.timedelta:
    return dt.timedelta(seconds=max(6, 60 / rate))


# From the claim to the record. Some are claimed together, in one transaction, and what became of them is written down
# together in another. In between, one statement for each message notes that the one before it was taken and
# that this one is now on the line. So whoever clears up after a dead worker knows of each: gone, not begun, or the one
# of which nobody knows.


@transaction.atomic
def claim(pks: Iterable[int], worker: str, kind: str) -> list[Message]:
    """Claim these for one worker and one way, and with each whatever else is to go to that person this way now.

    Not what does not go that way any more, nor what somebody else has: it is asked of rows that are held, so that of
    two who try at once one gets it. Each feedback stays a row with an attempt of its own; what the far side says of
    the first holds for those that went with it. Nothing has left yet: see begin().
    """
    people = Feedback.objects.filter(pk__in=list(pks)).values("person")
    rows = to_send(kind).filter(person__in=people).select_related("person", "next_way")
    together: dict[int, list[Feedback]] = {}
    for feedback in rows.prefetch_related("person__ways").select_for_update(of=("self",), skip_locked=True):
        theirs = together.setdefault(feedback.person_id, [])
        way = feedback.way
        if way and way.kind == kind and len(theirs) < TOGETHER and (not theirs or theirs[0].way == way):
            theirs.append(feedback)
    claimed = [feedback for theirs in together.values() for feedback in theirs]
    at_once = {"state": State.SENDING, "claimed_by": worker, "claimed_at": timezone.now(), "went_by": kind}
    for feedback in claimed:
        feedback.tries += 1
        for name, value in at_once.items():
            setattr(feedback, name, value)
    Feedback.objects.filter(pk__in=[feedback.pk for feedback in claimed]).update(
        **at_once, tries=F("tries") + 1
    )
    messages = _messages(claimed)
    firsts = {each.feedback.pk: _attempt(each) for each in messages}
    Attempt.objects.bulk_create(firsts.values())
    Attempt.objects.bulk_create(
        _attempt(other, firsts[each.feedback.pk]) for each in messages for other in each.also
    )
    return messages


def _messages(claimed: list[Feedback]) -> list[Message]:
    """One message to each person, with everything that is needed to write it fetched for all of them together."""
    known = Update.objects.select_related("hub", "change__owner", "topic")
    updates = known.in_bulk({feedback.update_id for feedback in claimed})
    for feedback in claimed:
        feedback.update = updates[feedback.update_id]
    by_person: dict[int, list[Message]] = {}
    for feedback in with_their_words(with_quotes(claimed)):
        way = feedback.way
        assert way is not None  # asked when it was claimed
        reference = f"feedback-{feedback.pk}.{feedback.tries}.{get_random_string(10)}"
        by_person.setdefault(feedback.person_id, []).append(Message(feedback, way, reference))
    return [replace(first, also=tuple(also)) for first, *also in by_person.values()]


def _attempt(message: Message, with_first: Attempt | None = None) -> Attempt:
    feedback = message.feedback
    at, kind = feedback.claimed_at or timezone.now(), feedback.went_by or ""
    return Attempt(
        feedback=feedback,
        way=message.way,
        kind=kind,
        reference=message.reference,
        at=at,
        outcome=Outcome.READY,
        went_with=with_first,
    )


Took = tuple[Message, Sent]  # a message, and what the far side said when it took it


def begin(message: Message, took: Took | None = None) -> bool:
    """Note that this goes now, and that the one before was taken. False: it is not to go any more, and must not.

    Every message waits for this to be on disk; so it is one statement, written out, and a transaction by itself. Its
    conditions are what may have changed since the claim: somebody stopped the update or the way, was told some other
    way, was erased; or this worker was taken for dead.
    """
    before = _references(took[0]) if took else []
    if took and took[1].theirs:
        _note(*took)
        before = []
    now = _references(message)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_ATTEMPT} SET outcome = CASE WHEN outcome = %s THEN %s ELSE %s END "  # nosec B608 - names are our own
            f"WHERE (reference IN ({_marks(before)}) AND outcome IN (%s, %s)) "
            f"OR (reference IN ({_marks(now)}) AND outcome = %s AND EXISTS ("
            f"SELECT 1 FROM {_FEEDBACK} JOIN {_UPDATE} ON {_UPDATE}.id = {_FEEDBACK}.update_id "
            f"JOIN {_WAY} ON {_WAY}.id = {_ATTEMPT}.way_id WHERE {_FEEDBACK}.id = {_ATTEMPT}.feedback_id "
            f"AND {_FEEDBACK}.state = %s AND {_FEEDBACK}.claimed_by = %s "
            f"AND {_UPDATE}.stopped_at IS NULL AND {_WAY}.stopped_at IS NULL))",
            [
                *(Outcome.READY, Outcome.BEGUN, Outcome.TAKEN),
                *(*before, Outcome.BEGUN, Outcome.UNCERTAIN),
                *(*now, Outcome.READY, State.SENDING, message.feedback.claimed_by),
            ],
        )
        if cursor.rowcount == len(before) + len(now):
            return True
    begun = Attempt.objects.filter(reference__in=now, outcome=Outcome.BEGUN)
    if begun.count() == len(now):  # a receipt of the one before was faster than we
        return True
    begun.update(
        outcome=Outcome.READY
    )  # a part of it is not to go: the rest is owed again, and is written anew
    return False


def _note(message: Message, taken: Sent) -> None:
    """The far side took it. What it has said meanwhile of whether it arrived holds."""
    attempts = Attempt.objects.filter(reference__in=_references(message))
    unknown = Q(outcome__in=[Outcome.BEGUN, Outcome.UNCERTAIN])
    attempts.update(
        theirs=taken.theirs, outcome=Case(When(unknown, Value(Outcome.TAKEN.value)), default=F("outcome"))
    )


def _references(message: Message) -> list[str]:
    return [each.reference for each in _each(message)]


def _marks(values: list[str]) -> str:
    """A place for each value in a list of SQL; of none, one that nothing is equal to."""
    return ", ".join(["%s"] * len(values)) or "NULL"


_ATTEMPT, _FEEDBACK, _UPDATE, _WAY = (each._meta.db_table for each in (Attempt, Feedback, Update, Way))


@transaction.atomic
def finish(messages: Iterable[Message], took: Took | None = None) -> int:
    """Write down what became of what was claimed together. `took`: of the last one. Returns how many are uncertain.

    What was not begun is owed again. What was begun, and nobody noted how it ended, may or may not have gone.
    """
    if took:
        _note(*took)
    claimed = {each.reference: each for message in messages for each in _each(message)}
    went, unsure, untouched = [], [], []
    for attempt in Attempt.objects.select_for_update().filter(reference__in=list(claimed)).order_by("pk"):
        message = claimed[attempt.reference]
        if attempt.outcome in (Outcome.TAKEN, Outcome.ARRIVED):
            went.append(message)
        elif attempt.outcome in (Outcome.BEGUN, Outcome.UNCERTAIN):
            unsure.append(message)
        elif attempt.outcome == Outcome.READY:
            untouched.append(message)
        elif attempt.outcome == Outcome.NOT_ARRIVED and _claimed([message]).exists():
            _did_not_arrive(
                message.feedback, message.feedback.problem
            )  # it said so before we wrote that it went
    _claimed(went).update(state=State.SENT, sent_at=timezone.now(), problem="")
    Attempt.objects.filter(reference__in=[each.reference for each in unsure]).update(
        outcome=Outcome.UNCERTAIN
    )
    left = _claimed(unsure).update(state=State.UNCERTAIN)
    _claimed(untouched).update(**_OWED_AGAIN | {"tries": F("tries") - 1})
    Attempt.objects.filter(reference__in=[each.reference for each in untouched]).delete()
    _carried_to_them([*went, *unsure])
    return left


@transaction.atomic
def refused(message: Message, problem: str) -> None:
    """The far side will never take it for this address: the next way has its turn."""
    for each in _each(message):
        _open(each.reference).update(outcome=Outcome.NOT_ARRIVED)
        if _claimed([each]).exists():
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
            if _claimed([message]).exists():
                _did_not_arrive(message.feedback, problem)
            return
        not_before = timezone.now() + TRY_AGAIN_AFTER * 2 ** (times - 1)
    _claimed([message]).update(**_OWED_AGAIN | {"problem": problem[:500], "not_before": not_before})


@transaction.atomic
def uncertain(message: Message, problem: str) -> None:
    together = _each(message)
    _carried_to_them(together)  # it may have gone
    for each in together:
        _open(each.reference).update(outcome=Outcome.UNCERTAIN)
    _claimed(together).update(state=State.UNCERTAIN, problem=problem[:500])


def _each(message: Message) -> list[Message]:
    """It, and what went together with it."""
    return [message, *message.also]


def _carried_to_them(messages: Iterable[Message]) -> None:
    went = [
        message for message in messages if message.way.kind != Way.Kind.TEXT
    ]  # that carries none of their words
    kinds = {Way.Kind.LETTER: Carried.Kind.LETTER}
    carried_to_them(
        (each.feedback, kinds.get(Way.Kind(each.way.kind), Carried.Kind.EMAIL), each.voices) for each in went
    )


def carried_to_them(told: Iterable[tuple[Feedback, str, list[Voice]]]) -> None:
    """Write down that messages carried somebody's own words to them. No name: words may become nameless."""
    carry(
        Carried(
            voice=voice,
            kind=kind,
            where=feedback.update.title,
            path=feedback.update.about_path,
            who_has_it=_("whoever said it"),
        )
        for feedback, kind, voices in told
        for voice in voices
    )


def _open(reference: str) -> QuerySet[Attempt]:
    """The attempt, while nobody knows what became of it."""
    return Attempt.objects.filter(reference=reference, outcome__in=[Outcome.BEGUN, Outcome.UNCERTAIN])


def _claimed(messages: list[Message]) -> QuerySet[Feedback]:
    """Their feedback, as far as the claim is still this worker's."""
    still = Q(pk__in=[])
    for worker in {each.feedback.claimed_by for each in messages}:
        theirs = [each.feedback.pk for each in messages if each.feedback.claimed_by == worker]
        still |= Q(pk__in=theirs, claimed_by=worker)
    return Feedback.objects.filter(still, state=State.SENDING)


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


# Workers that died, backups


def claimants() -> set[str]:
    """The workers that have claimed feedback and not yet recorded what became of it."""
    return set(Feedback.objects.filter(state=State.SENDING).order_by().values_list("claimed_by", flat=True))


@transaction.atomic
def give_up_claims(dead: Iterable[str]) -> int:
    """Write down what became of what dead workers had claimed: see finish(). Returns how many are uncertain."""
    left = Feedback.objects.filter(state=State.SENDING, claimed_by__in=list(dead))
    attempts: dict[int, Attempt] = {}
    for attempt in Attempt.objects.filter(feedback__in=left, by=None).select_related("way").order_by("pk"):
        attempts[attempt.feedback_id] = attempt  # the last is the one that was claimed
    found = left.select_related("person", "update__hub", "update__change", "update__topic")
    messages = []
    for feedback in with_their_words(found):
        attempt = attempts[feedback.pk]
        messages.append(Message(feedback, attempt.way or Way(kind=attempt.kind), attempt.reference))
    return finish(messages)


def not_sure_since_restored() -> int:
    """After a backup was put back: what was owed when it was made may have gone since. Returns how many."""
    unsure = 0
    for kind in sent_by_machine():
        owed = Feedback.objects.owed_by(kind).values("pk")
        unsure += Feedback.objects.filter(pk__in=owed).update(state=State.UNCERTAIN, went_by=kind)
    return unsure + Feedback.objects.filter(state=State.SENDING).update(state=State.UNCERTAIN)
