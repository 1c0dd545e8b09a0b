"""What people write back: taken as the answer it is, or left for a person who says what it belongs to.

What comes in is held to be an answer only where it shows something that nobody else could know: the marked address
that our email asked answers to, the number of that email, or, for a text, the phone that ours went to. A sender's
address alone proves nothing (anybody can write any), so that is a suggestion for whoever looks.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from functools import partial

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.engine.inbox import Enclosed, Received, wants_it_to_stop, yes_or_no
from coproduce.hearback import actions, enclosed, sending
from coproduce.hearback.models import Attempt, Feedback, Reply
from coproduce.hearback.reply import feedback_at
from coproduce.hearback.tasks import deliver, say_back
from coproduce.people.actions import record, stop_way
from coproduce.people.models import Hub, Membership, Person, Way
from coproduce.people.permissions import NotAllowed, hubs_where
from coproduce.voices.actions import write_down
from coproduce.voices.models import Voice

LATELY = dt.timedelta(days=90)  # a text answers the last one that went to that phone, if it is no older


def take_email(received: Received) -> Reply | None:
    """Take in one email. None for what says that something did not arrive, and for what a machine answered.

    Taking it twice takes it once.
    """
    if received.bounce is not None:
        if received.bounce.failed:
            for number in received.bounce.answers:
                sending.bounced(_reference(number), received.bounce.reason)
        return None
    if received.automatic or not (received.words or received.enclosed):
        return None
    number = (
        received.number
        or hashlib.sha256(f"{received.sender}{received.at}{received.text}".encode()).hexdigest()
    )
    feedback = _feedback_marked(received.to) or _feedback_answered(received.answers)
    return _take(
        Way.Kind.EMAIL,
        number,
        received.sender,
        received.text,
        received.words,
        received.at,
        feedback,
        feedback.person
        if feedback
        else _only(Way.objects.filter(kind=Way.Kind.EMAIL, address__iexact=received.sender)),
        received.enclosed,
    )


def take_text(number: str, sender: str, words: str, at: dt.datetime | None = None) -> Reply | None:
    """Take in one text message. number: what its carrier calls it. Taking it twice takes it once."""
    words = words.replace("\x00", "").strip()
    if not words:
        return None
    person = _only(_ways_to(sender))
    if wants_it_to_stop(words) and (ways := list(_ways_to(sender).filter(kind=Way.Kind.TEXT))):
        return _stop(Way.Kind.TEXT, number or words, sender, words, at, ways)
    feedback = None
    if person is not None:
        went = Feedback.objects.filter(person=person, sent_at__gt=timezone.now() - LATELY)
        feedback = went.filter(went_by=Way.Kind.TEXT).order_by("-sent_at", "-pk").first()
    return _take(Way.Kind.TEXT, number or words, sender, words, words, at, feedback, person)


def _take(
    came_by: str,
    number: str,
    sender: str,
    original: str,
    words: str,
    at: dt.datetime | None,
    feedback: Feedback | None,
    person: Person | None,
    files: list[Enclosed] | None = None,
) -> Reply:
    if feedback and came_by == Way.Kind.EMAIL and wants_it_to_stop(words):
        went = feedback.attempts.filter(kind=Way.Kind.EMAIL, way__isnull=False).values("way")
        return _stop(came_by, number, sender, words, at, list(Way.objects.filter(pk__in=went)))
    with transaction.atomic():
        hub = feedback.update.hub if feedback else _hub_of(person)
        reply, new = _once(came_by, number, sender, original, words, at, person, hub)
        if not new:
            return reply
        record(None, "receive", reply, reply.hub_id)
        enclosed.keep(reply, files or [])
        if feedback is not None:
            _answer(feedback.person, reply, feedback)
            if enclosed.not_kept(reply).exists():
                say_back.enqueue(reply.pk)
    return reply


def _once(
    came_by: str,
    number: str,
    sender: str,
    original: str,
    words: str,
    at: dt.datetime | None,
    person: Person | None,
    hub: Hub | None,
) -> tuple[Reply, bool]:
    """The reply with this number, and whether it is new."""
    now = timezone.now()
    return Reply.objects.get_or_create(
        number=hashlib.sha256(f"{came_by} {number}".encode()).hexdigest(),
        defaults={
            "came_by": came_by,
            "sender": sender[:320],
            "original": original,
            "words": words,
            "at": min(at or now, now),
            "person": person,
            "hub": hub,
        },
    )


@transaction.atomic
def _stop(
    came_by: str, number: str, sender: str, words: str, at: dt.datetime | None, ways: list[Way]
) -> Reply:
    """They want no more this way: none comes, and what is owed goes by the next way they gave. That is said back.

    It is all one whose phone it is where two share one: whoever holds it wants no more on it.
    """
    people = {way.person_id: way.person for way in ways}
    person = next(iter(people.values())) if len(people) == 1 else None
    reply, new = _once(came_by, number, sender, words, words, at, person, _hub_of(person))
    if not new:
        return reply
    reply.outcome = Reply.Outcome.STOPPED
    reply.save(update_fields=["outcome"])
    record(None, "receive", reply, reply.hub_id)
    for way in ways:
        stop_way(way.person, way)
    deliver.enqueue()
    if came_by == Way.Kind.TEXT:
        say_back.enqueue(reply.pk)
    return reply


def _answer(by: Person, reply: Reply, feedback: Feedback) -> None:
    """It is what they answer to this feedback. Where it says yes or no and nothing else, there is no new voice."""
    said = yes_or_no(reply.words)
    before = getattr(feedback, "answer", None)
    given = actions.answer(
        by,
        feedback,
        said if said is not None or before is None else before.answered,
        "" if said is not None else reply.words,
        said_on=timezone.localdate(reply.at),
    )
    reply.feedback, reply.person, reply.hub = feedback, feedback.person, feedback.update.hub
    reply.voice = given.voice if said is None else None
    reply.outcome = Reply.Outcome.TAKEN
    reply.save()


def _feedback_marked(addresses: list[str]) -> Feedback | None:
    for address in addresses:
        if pk := feedback_at(address):
            return _known().filter(pk=pk).first()
    return None


def _feedback_answered(numbers: list[str]) -> Feedback | None:
    references = [_reference(number) for number in numbers]
    for reference in filter(None, references):
        attempt = Attempt.objects.filter(reference=reference).values("feedback")
        if feedback := _known().filter(pk__in=attempt).first():
            return feedback
    return None


def _known() -> QuerySet[Feedback]:
    """Feedback that may still be answered: nobody who was erased is answered for."""
    known = Feedback.objects.filter(person__erasure__isnull=True)
    return known.select_related("person", "answer", "update__hub", "update__change", "update__topic")


def _reference(number: str) -> str:
    """Our reference in a Message-ID of ours, or ""."""
    name, _at, domain = number.partition("@")
    return name if domain.lower() == settings.MESSAGE_DOMAIN.lower() and name.startswith("feedback-") else ""


def _ways_to(phone: str) -> QuerySet[Way]:
    """The ways that lead to this phone, however its number was written: 07700 900123 is +44 7700 900123."""
    digits = re.sub(r"\D", "", phone)[-10:]
    if len(digits) < 10:
        return Way.objects.none()
    return Way.objects.filter(
        kind__in=[Way.Kind.TEXT, Way.Kind.PHONE], address__regex=r"[^0-9]*".join(digits)
    )


def _only(ways: QuerySet[Way]) -> Person | None:
    """Whose these ways are, where they are all one person's: a shared phone says nothing."""
    people = set(ways.order_by().values_list("person", flat=True)[:50])
    return Person.objects.get(pk=people.pop()) if len(people) == 1 else None


def _hub_of(person: Person | None) -> Hub | None:
    held = (
        Membership.objects.current().filter(person=person).select_related("hub").first() if person else None
    )
    return held.hub if held else None


# A person says what it belongs to


@transaction.atomic
def match(by: Person, reply: Reply, person: Person) -> Voice | None:
    """Somebody knows who wrote it. It answers what they were told last; where they were told nothing, it is a voice."""
    held = _held(by, reply)
    if not Person.objects.visible_to(by).filter(pk=person.pk).exists():
        raise NotAllowed("match an answer to somebody they may not see")
    told = _known().filter(person=person, update__hub__in=hubs_where(by, "tell people"))
    feedback = told.order_by("-sent_at", "-owed_at", "-pk").first()
    if feedback is not None:
        _answer(by, held, feedback)
    else:
        hub = held.hub or _hub_of(person)
        if hub is None:
            raise ValidationError({"person": _("They are in no hub. Give them a role first.")})
        if held.words:  # it may have been a picture and no word
            held.voice = write_down(by, hub, held.words, Voice.Way.EMAIL, person, timezone.localdate(held.at))
        held.person, held.hub, held.outcome = person, hub, Reply.Outcome.TAKEN
    held.taken_by = by
    held.save()
    record(by, "match", held, held.hub_id)
    return held.voice


@transaction.atomic
def put_aside(by: Person, reply: Reply) -> None:
    """It is no answer to us. It is forgotten after three months."""
    held = _held(by, reply)
    held.outcome, held.taken_by = Reply.Outcome.PUT_ASIDE, by
    held.save(update_fields=["outcome", "taken_by"])
    record(by, "put aside", held, held.hub_id)


def _held(by: Person, reply: Reply) -> Reply:
    if not Reply.objects.visible_to(by).filter(pk=reply.pk).exists():
        raise NotAllowed("tell people")
    held = Reply.objects.select_for_update().get(pk=reply.pk)
    if held.outcome:
        raise ValidationError(_("Somebody has done this already."))
    return held


def forget_what_was_put_aside() -> int:
    """What was put aside long enough ago goes, and nothing of it stays."""
    old = Reply.objects.filter(outcome=Reply.Outcome.PUT_ASIDE, at__lt=timezone.now() - Reply.KEPT_ASIDE)
    return _delete(old)


def drop_of_voices(voices: set[int]) -> None:
    """Somebody took words back: what they came as goes as well. Whoever calls it asked whether that may be done."""
    _delete(Reply.objects.filter(voice__in=voices))


@transaction.atomic
def _delete(replies: QuerySet[Reply]) -> int:
    """These, and the files that came with them. Returns how many."""
    files = enclosed.files_of(replies)
    _rows, by_kind = replies.delete()
    for name in files:
        transaction.on_commit(partial(default_storage.delete, name))
    return by_kind.get("hearback.Reply", 0)
