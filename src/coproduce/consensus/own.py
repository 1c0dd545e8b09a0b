"""What this room holds of one person: to give it to them, and to take it out."""

from __future__ import annotations

from typing import Any

from django.db.models import Q

from coproduce.consensus.actions import let_go, want_anew
from coproduce.consensus.models import Conversation, Sheet, Statement, Vote, Voter
from coproduce.consensus.voting import drop_votes
from coproduce.people.models import Erasure, Person
from coproduce.voices.models import Voice


def export(person: Person) -> dict[str, Any]:
    """How they voted and how it came, the statements they wrote, and what they opened for the group."""
    votes = Vote.objects.filter(voter__person=person).standing()
    votes = votes.select_related("statement__conversation__topic", "recorded_by").order_by("at", "pk")
    return {
        "votes": [
            {
                "topic": vote.statement.conversation.topic.title,
                "statement": vote.statement.words,
                "vote": str(vote.get_choice_display()),
                "how": str(vote.get_way_display()),
                "at": vote.at,
            }
            for vote in votes
        ],
        "statements_written": [
            {
                "topic": one.conversation.topic.title,
                "words": one.words,
                "state": str(one.get_state_display()),
                "reason": one.reason,
                "at": one.written_at,
            }
            for one in Statement.objects.filter(written_by=person).select_related("conversation__topic")
        ],
        "conversations_opened": [
            {"topic": one.topic.title, "about": one.about, "at": one.opened_at}
            for one in Conversation.objects.filter(opened_by=person).select_related("topic")
        ],
    }


def erase(person: Person, choice: str) -> list[str]:
    """Their votes go, or stay with no name; so do the statements they wrote. What a group froze stays as it was."""
    written = Statement.objects.filter(written_by=person)
    if choice == Erasure.Choice.TAKE_OUT:
        for voter in Voter.objects.filter(person=person).select_related("conversation"):
            drop_votes(voter)
        said = Voice.objects.filter(Q(person=person) | Q(turn__speaker__person=person))
        let_go(said.values_list("pk", flat=True))
        want_anew(*set(written.values_list("conversation", flat=True)))
        written.update(words="", state=Statement.State.TAKEN_OUT, reason="")
        Conversation.objects.filter(opened_by=person).update(about="")
    Voter.objects.filter(person=person).update(person=None)
    written.update(written_by=None)
    # Why they refused somebody else's is part of the answer which that person is owed; that it was they is not.
    Statement.objects.filter(decided_by=person).update(decided_by=None)
    Vote.objects.filter(recorded_by=person).update(recorded_by=None)
    Conversation.objects.filter(opened_by=person).update(opened_by=None)
    Sheet.objects.filter(made_by=person).update(made_by=None)
    return []
