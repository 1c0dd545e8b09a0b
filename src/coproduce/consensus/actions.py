"""What can be done with conversations and their statements: open, write, decide, join, take out, freeze.

Voting stands in voting.py.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.agenda.actions.topics import decide
from coproduce.agenda.models import Topic
from coproduce.consensus.models import LONGEST, Conversation, Reckoned, Statement, Voter
from coproduce.consensus.reckoning import reckon
from coproduce.people.actions import record
from coproduce.people.models import Person
from coproduce.people.permissions import NotAllowed, may, must
from coproduce.voices.models import Use, Voice

# The conversation


@transaction.atomic
def open_conversation(by: Person, topic: Topic, about: str = "", by_link: bool = False) -> Conversation:
    """Ask people to vote on statements about a topic. by_link: anybody with the link may, without an account."""
    must(by, "open a conversation", topic.hub_id)
    conversation = Conversation.objects.create(
        topic=topic, about=about.strip(), by_link=by_link, opened_by=by
    )
    record(by, "open", conversation, topic.hub_id, by_link=by_link)
    return conversation


@transaction.atomic
def set_link(by: Person, conversation: Conversation, by_link: bool) -> None:
    """Say whether anybody with the link may vote. What was voted so far counts all the same."""
    must(by, "open a conversation", conversation.topic.hub_id)
    Conversation.objects.filter(pk=conversation.pk).update(by_link=by_link)
    record(by, "set the link of", conversation, conversation.topic.hub_id, by_link=by_link)


def freeze(by: Person, conversation: Conversation, stage: str, words: str) -> Conversation:
    """Close the voting and write down what people agree on as the group's answer on the topic.

    Everybody who voted is owed it from then on. What was found stays as it is, whatever happens later.
    """
    must(by, "decide on a topic", conversation.topic.hub_id)
    if not words.strip():
        raise ValidationError({"words": _("Write what people agree on, in the group’s own words.")})
    with transaction.atomic():
        held = _held(conversation)
        if held.closed_at is None:
            Conversation.objects.filter(pk=held.pk).update(closed_at=timezone.now())
            want_anew(held.pk)
    # Nobody can vote any more, so what is found now is all of it. If it stops here, it can be frozen again.
    reckon(conversation)
    with transaction.atomic():
        held = _held(conversation)
        if held.decision_id:
            raise ValidationError(_("This is frozen already."))
        held.decision = decide(by, held.topic, stage, words)
        held.save(update_fields=["decision"])
        record(by, "freeze", held, held.topic.hub_id)
    return held


def _held(conversation: Conversation) -> Conversation:
    """As it stands now, and nobody else's until we are done."""
    held = Conversation.objects.select_for_update(of=("self",)).select_related("topic__hub")
    return held.get(pk=conversation.pk)


def want_anew(*conversations: int) -> None:
    """What was found is to be found again from all votes: statements or votes were taken out, or came back."""
    Reckoned.objects.filter(conversation__in=conversations).update(wanted=F("wanted") + 1, votes=b"")


# Statements


@transaction.atomic
def write_statement(
    by: Person, conversation: Conversation, words: str, voices: Iterable[Voice] = ()
) -> Statement:
    """Whoever curates writes a statement, from voices or by themselves: people vote on it at once.

    A member's waits for a curator. From a voice it is only made by who curates, and only of what consent opens.
    """
    voices = list(voices)
    curates = may(by, "curate statements", conversation.topic.hub_id)
    if not curates:
        must(by, "read what the group may read", conversation.topic.hub_id)
    if voices and not curates:
        raise NotAllowed("curate statements")
    must_run(conversation)
    readable = Voice.objects.for_use(Use.GROUP) & Voice.objects.visible_to(by)
    if readable.filter(pk__in=[voice.pk for voice in voices]).count() < len({voice.pk for voice in voices}):
        raise NotAllowed("write a statement from what they may not see")
    statement = _written(conversation, words)
    statement.written_by = by
    if curates:
        statement.state, statement.decided_by = Statement.State.ACCEPTED, by
        statement.decided_at = timezone.now()
    statement.save()
    statement.voices.add(*voices)
    record(by, "write", statement, conversation.topic.hub_id, voices=[voice.pk for voice in voices])
    return statement


@transaction.atomic
def add_by_link(voter: Voter, conversation: Conversation, words: str) -> Statement:
    """Somebody who votes with no account adds a statement. It waits for a curator, as a member's does."""
    if voter.person_id is not None or voter.conversation_id != conversation.pk or not conversation.by_link:
        raise NotAllowed("add a statement by the link")
    must_run(conversation)
    statement = _written(conversation, words)
    statement.writer = voter
    statement.save()
    record(None, "write", statement, conversation.topic.hub_id)
    return statement


def _written(conversation: Conversation, words: str) -> Statement:
    words = " ".join(words.split())
    if not words:
        raise ValidationError({"words": _("Write a statement: one short sentence.")})
    if len(words) > LONGEST:
        raise ValidationError(
            {
                "words": _(
                    "That is %(n)d letters long. Make it %(most)d or fewer: one thing in one sentence."
                )
                % {"n": len(words), "most": LONGEST}
            }
        )
    same = conversation.statements.filter(words__iexact=words)
    if same.filter(state__in=[Statement.State.ACCEPTED, Statement.State.WAITING]).exists():
        raise ValidationError(
            {"words": _("Somebody has said this already, in these words. Vote on that one.")}
        )
    return Statement(conversation=conversation, words=words)


def must_run(conversation: Conversation) -> None:
    if conversation.closed_at is not None:
        raise ValidationError(_("This is closed. Nobody can vote on it any more."))


@transaction.atomic
def take_back_statement(by: Person | None, statement: Statement, voter: Voter | None = None) -> None:
    """Whoever wrote it takes it back: its words are gone, and its votes count for nothing. For who has no account,
    `voter` is who they are in their browser. What came of a voice is taken back with the voice."""
    held = _held_statement(statement)
    own = by is not None and held.written_by_id == by.pk
    if not own and (voter is None or held.writer_id != voter.pk):
        raise NotAllowed("take back a statement of somebody else")
    must_run(held.conversation)
    if held.votes.exists():
        want_anew(held.conversation_id)
    held.words, held.state, held.reason = "", Statement.State.TAKEN_OUT, _("Whoever wrote it took it back.")
    held.save(update_fields=["words", "state", "reason"])
    record(by, "take back", held, held.conversation.topic.hub_id)


@transaction.atomic
def accept(by: Person, statement: Statement) -> None:
    """People vote on it from now on; also on one that was refused or taken out before."""
    held = _to_decide(by, statement)
    if not held.words:
        raise ValidationError(_("Its words were taken back. Write it anew first."))
    _decide(by, held, Statement.State.ACCEPTED, "")


@transaction.atomic
def refuse(by: Person, statement: Statement, reason: str) -> None:
    """It is not voted on. Whoever wrote it reads why."""
    held = _to_decide(by, statement)
    _decide(by, held, Statement.State.REFUSED, _reason(reason))


@transaction.atomic
def join(by: Person, statement: Statement, to: Statement) -> None:
    """It says what another one says already. The other is voted on, and whoever wrote this one sees it."""
    held = _to_decide(by, statement)
    other = Statement.objects.get(pk=to.pk)
    if other.pk == held.pk or other.conversation_id != held.conversation_id:
        raise NotAllowed("join a statement to one that is elsewhere")
    if other.state != Statement.State.ACCEPTED:
        raise ValidationError(_("People don’t vote on that one. Choose one that they vote on."))
    held.joined_to = other
    _decide(by, held, Statement.State.JOINED, "")


@transaction.atomic
def take_out(by: Person, statement: Statement, reason: str) -> None:
    """People vote on it no more, and the votes it has count for nothing. It can be put back."""
    held = _to_decide(by, statement)
    _decide(by, held, Statement.State.TAKEN_OUT, _reason(reason))


@transaction.atomic
def write_anew(by: Person, statement: Statement, words: str) -> Statement:
    """A curator writes, in words of their own, what said something that was taken back. A new statement, with no voice
    behind it and no votes yet: nobody voted on these words."""
    held = _to_decide(by, statement)
    if held.state != Statement.State.WORDLESS:
        raise ValidationError(_("Nobody took these words back."))
    fresh = write_statement(by, held.conversation, words)
    held.joined_to = fresh
    _decide(by, held, Statement.State.TAKEN_OUT, _("It was written anew."))
    return fresh


def _to_decide(by: Person, statement: Statement) -> Statement:
    held = _held_statement(statement)
    must(by, "curate statements", held.conversation.topic.hub_id)
    must_run(held.conversation)
    return held


def _held_statement(statement: Statement) -> Statement:
    all_ = Statement.objects.select_for_update(of=("self",)).select_related("conversation__topic__hub")
    return all_.get(pk=statement.pk)


def _reason(reason: str) -> str:
    if not reason.strip():
        raise ValidationError({"reason": _("Write why, so that whoever wrote it can read it.")})
    return reason.strip()


def _decide(by: Person, held: Statement, state: str, reason: str) -> None:
    if Statement.State.ACCEPTED in (held.state, state) and held.votes.exists():
        want_anew(held.conversation_id)
    held.state, held.reason, held.decided_by, held.decided_at = state, reason, by, timezone.now()
    if state != Statement.State.JOINED and state != Statement.State.TAKEN_OUT:
        held.joined_to = None
    held.save()
    record(by, f"decide on ({state})", held, held.conversation.topic.hub_id)


# When words are taken back


def let_go(voices: Iterable[int]) -> None:
    """These voices' words are gone. What was made of them goes too, until a curator writes it anew.

    Part of taking words back, which site/ gathers; whoever calls it has asked whether that may be done.
    """
    stood = Statement.objects.filter(voices__in=list(voices))
    conversations = set(stood.values_list("conversation", flat=True))
    ids = set(stood.values_list("pk", flat=True))
    Statement.objects.filter(pk__in=ids).update(words="")
    still = [Statement.State.ACCEPTED, Statement.State.WAITING]
    Statement.objects.filter(pk__in=ids, state__in=still).update(state=Statement.State.WORDLESS)
    want_anew(*conversations)
