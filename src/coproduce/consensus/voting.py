"""Every way of voting. Each ends in one place, and what a page has acknowledged is in the database by then.

Who votes is a Voter. People are known; somebody with no account has a secret in their browser of which we keep a hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone
from django.utils.crypto import get_random_string, salted_hmac
from django.utils.translation import gettext as _

from coproduce.consensus.actions import must_run, want_anew
from coproduce.consensus.models import (
    Conversation,
    ConversationQuerySet,
    Reckoned,
    Sheet,
    Statement,
    Vote,
    Voter,
    Why,
    new_code,
    use_for,
)
from coproduce.people.actions import record
from coproduce.people.models import Mandate, Membership, Person
from coproduce.people.permissions import NotAllowed, may, must
from coproduce.voices.actions import receive, write_down
from coproduce.voices.models import Incoming, Voice, who_may_be_named

Way = Vote.Way


def new_secret() -> str:
    return get_random_string(32)


def hash_of(secret: str) -> str:
    """What we keep of a secret: from the installation's key, so that a stolen database opens nobody's votes."""
    return salted_hmac("coproduce.consensus.voter", secret, algorithm="sha256").hexdigest()


def voter_of(conversation: Conversation, person: Person | None, secret: str = "") -> Voter | None:
    """Whose votes these would be, if they have begun."""
    if person is not None:
        return Voter.objects.filter(conversation=conversation, person=person).first()
    return Voter.objects.filter(conversation=conversation, key=hash_of(secret)).first() if secret else None


# Themselves


@transaction.atomic
def vote(by: Person, conversation: Conversation, statement: Statement, choice: int) -> Voter:
    """Somebody who is signed in votes."""
    _must_take_part(by, conversation)
    voter = _begin(by, conversation, Way.SCREEN, person=by)
    cast(voter, {statement.pk: choice}, Way.SCREEN, None, seen_by=by)
    return voter


@transaction.atomic
def vote_by_link(secret: str, conversation: Conversation, statement: Statement, choice: int) -> Voter:
    """Somebody with no account votes. The link is the key."""
    if not conversation.by_link or not secret:
        raise NotAllowed("vote by the link")
    voter = _begin(None, conversation, Way.SCREEN, key=hash_of(secret))
    cast(voter, {statement.pk: choice}, Way.SCREEN, None, seen_by=None)
    return voter


def _must_take_part(by: Person, conversation: Conversation) -> None:
    if not conversation.by_link:
        must(by, "read what the group may read", conversation.topic.hub_id)


# Recorded for them


@transaction.atomic
def record_vote(
    by: Person, conversation: Conversation, person: Person, statement: Statement, choice: int
) -> Voter:
    """Somebody says on the phone what they think of a statement that was read out to them."""
    must(by, "record votes", conversation.topic.hub_id)
    if not who_may_vote(by, conversation).filter(pk=person.pk).exists():
        raise NotAllowed("record votes of somebody they do not know")
    voter = _begin(by, conversation, Way.PHONE, person=person)
    cast(voter, {statement.pk: choice}, Way.PHONE, by, seen_by=by)
    return voter


def who_may_vote(by: Person, conversation: Conversation) -> QuerySet[Person]:
    """Whom somebody may record votes for, beside whoever nobody knows: the people of the hub, but for themselves."""
    return who_may_be_named(by, conversation.topic.hub).exclude(pk=by.pk)


@transaction.atomic
def vote_for(
    by: Person, mandate: Mandate, conversation: Conversation, statement: Statement, choice: int
) -> Voter:
    """A trusted person votes as somebody told them, and says so by doing it."""
    held = Mandate.objects.standing("vote").select_for_update().filter(pk=mandate.pk, trusted=by).first()
    if held is None or not conversations_for(held.person).filter(pk=conversation.pk).exists():
        raise NotAllowed("vote for somebody")
    voter = _begin(by, conversation, Way.TRUSTED_PERSON, person=held.person)
    cast(voter, {statement.pk: choice}, Way.TRUSTED_PERSON, by, seen_by=held.person)
    return voter


def conversations_for(person: Person) -> ConversationQuerySet:
    """The conversations of the hubs that somebody belongs to."""
    hubs = Membership.objects.current().filter(person=person).order_by().values("hub")
    return Conversation.objects.filter(topic__hub__in=hubs).select_related("topic__hub")


@transaction.atomic
def make_sheet(by: Person, conversation: Conversation) -> Sheet:
    """A sheet with all statements that people vote on now. Where one was made with just these, that is it."""
    must(by, "record votes", conversation.topic.hub_id)
    must_run(_hold(conversation))
    seen = Statement.objects.in_sight(use_for(by, conversation.topic.hub_id)).filter(
        conversation=conversation
    )
    statements = list(seen.values_list("pk", flat=True))
    if not statements:
        raise ValidationError(_("There are no statements yet to print."))
    last = conversation.sheets.first()
    if last is not None and last.statements == statements:
        return last
    taken = set(conversation.sheets.values_list("code", flat=True))
    code = next(code for _try in range(100) if (code := new_code()) not in taken)
    sheet = Sheet.objects.create(conversation=conversation, code=code, statements=statements, made_by=by)
    record(by, "make a sheet of", conversation, conversation.topic.hub_id, sheet=sheet.pk)
    return sheet


@transaction.atomic
def type_in(
    by: Person,
    conversation: Conversation,
    choices: Mapping[int, int],
    key: str,
    person: Person | None = None,
) -> Voter:
    """A sheet of paper, or a line of a table. key: of this sheet; sent twice it is there once.

    With no person it gets a number, to be written on the sheet.
    """
    must(by, "record votes", conversation.topic.hub_id)
    if person is not None:
        if not who_may_vote(by, conversation).filter(pk=person.pk).exists():
            raise NotAllowed("record votes of somebody they do not know")
        voter = _begin(by, conversation, Way.PAPER, person=person)
    else:
        voter = _begin(by, conversation, Way.PAPER, key=hash_of(key))
        if voter.number is None:
            last = conversation.voters.aggregate(last=Max("number"))["last"] or 0
            voter.number = last + 1
            voter.save(update_fields=["number"])
    cast(voter, choices, Way.PAPER, by, seen_by=by)
    return voter


@transaction.atomic
def type_in_many(
    by: Person, conversation: Conversation, rows: Iterable[tuple[Mapping[int, int], str, Person | None]]
) -> list[Voter]:
    """A whole table: all of it or nothing."""
    return [type_in(by, conversation, choices, key, person) for choices, key, person in rows]


# Whose they are


@transaction.atomic
def make_mine(by: Person, conversation: Conversation, secret: str) -> Voter:
    """What somebody voted in this browser before they signed in becomes theirs. On what they voted on twice, the
    later vote stands."""
    _must_take_part(by, conversation)
    _hold(conversation)
    before = voter_of(conversation, None, secret)
    voter = _begin(by, conversation, Way.SCREEN, person=by)
    if before is None:
        return voter
    theirs = {vote.statement_id: vote for vote in voter.votes.filter(own=True)}
    for each in before.votes.filter(own=True):
        known = theirs.get(each.statement_id)
        if known is None or known.at < each.at:
            if known is not None:
                known.delete()
            Vote.objects.filter(pk=each.pk).update(voter=voter)
    before.statements.update(writer=None, written_by=by)
    before.delete()
    want_anew(conversation.pk)
    record(by, "make their own the votes in", conversation, conversation.topic.hub_id)
    return voter


@transaction.atomic
def take_out_votes(by: Person | None, conversation: Conversation, secret: str = "") -> None:
    """Somebody takes all their votes out of a conversation that still runs."""
    must_run(_hold(conversation))
    voter = voter_of(conversation, by, secret)
    if voter is None:
        return
    drop_votes(voter)
    record(by, "take their votes out of", conversation, conversation.topic.hub_id)


def drop_votes(voter: Voter) -> None:
    """The votes go, and what was found with them is found anew. It shows only together with what others change: else
    the difference would be how they had voted."""
    conversation, pk = voter.conversation_id, voter.pk
    for kept in Reckoned.objects.select_for_update().filter(conversation=conversation):
        kept.since_shown = sorted({*kept.since_shown, pk})
        kept.save(update_fields=["since_shown"])
    voter.delete()
    want_anew(conversation)


# Why


@transaction.atomic
def say_why(
    by: Person, conversation: Conversation, statement: Statement, words: str, uses: Iterable[str]
) -> Voice:
    """Why they see it that way: a voice of theirs, on the topic."""
    voice = write_down(by, conversation.topic.hub, words, Voice.Way.FORM, by, uses=uses)
    Why.objects.create(statement=statement, voice=voice)
    conversation.topic.voices.add(voice)
    return voice


@transaction.atomic
def say_why_by_link(
    conversation: Conversation, statement: Statement, words: str, uses: Iterable[str]
) -> Incoming:
    """The same from somebody with no account: whoever keeps what is said here reads it before anybody else."""
    if not conversation.by_link:
        raise NotAllowed("say why by the link")
    incoming = receive(conversation.topic.hub, words, "", "", uses, checked=False)
    Why.objects.create(statement=statement, incoming=incoming)
    return incoming


# All of them end here


def cast(
    voter: Voter, choices: Mapping[int, int], way: str, by: Person | None, seen_by: Person | None
) -> None:
    """Keep these votes, by statement. The last one of each kind stands.

    seen_by: who looked at the statements: only what they may see can be voted on.
    """
    conversation = voter.conversation
    if bad := [choice for choice in choices.values() if choice not in Vote.Choice.values]:
        raise ValueError(f"{bad[0]!r} is no vote: 1 agrees, -1 disagrees, 0 passes")
    use = use_for(seen_by, conversation.topic.hub_id)
    seen = Statement.objects.in_sight(use).filter(conversation=conversation).order_by("pk")
    voter.open_to_them = list(seen.values_list("pk", flat=True))
    if not choices.keys() <= set(voter.open_to_them):
        raise ValidationError(_("This statement was taken out just now. Go on with the next one."))
    now, own = timezone.now(), way == Way.SCREEN
    Vote.objects.bulk_create(
        (
            Vote(voter=voter, statement_id=pk, choice=choice, way=way, own=own, recorded_by=by, at=now)
            for pk, choice in choices.items()
        ),
        update_conflicts=True,
        unique_fields=["voter", "statement", "own"],
        update_fields=["choice", "way", "recorded_by", "at", "counted"],
    )


def _begin(
    by: Person | None, conversation: Conversation, way: str, person: Person | None = None, key: str = ""
) -> Voter:
    """The voter, new where they have not voted yet. That somebody began is on record; each vote is its own record."""
    held = _hold(conversation)
    must_run(held)
    whose = {"person": person} if person is not None else {"key": key}
    voter, new = Voter.objects.get_or_create(conversation=held, **whose)
    voter.conversation = held
    if new:
        record(by, f"begin to vote ({way}) in", conversation, conversation.topic.hub_id)
    return voter


def _hold(conversation: Conversation) -> Conversation:
    """As it stands now. It can't be closed until we are done; others may vote meanwhile."""
    held = Conversation.objects.select_for_update(of=("self",), no_key=True)
    return held.select_related("topic__hub").get(pk=conversation.pk)


def may_vote(person: Person | None, conversation: Conversation) -> bool:
    """Whether this reader may vote at all, while it runs."""
    if conversation.closed_at is not None:
        return False
    return conversation.by_link or may(person, "read what the group may read", conversation.topic.hub_id)
