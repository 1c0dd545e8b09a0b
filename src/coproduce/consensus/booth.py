"""Where somebody votes, one statement at a time: themselves, on the phone with who writes it down, or through the
person they trust. The page is the same; what it says and who is on record differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from coproduce.consensus.models import Conversation, Statement, Vote, Voter, use_for
from coproduce.consensus.reckoning import next_of
from coproduce.people.models import Person


@dataclass(frozen=True)
class Booth:
    """One voter's place to vote. seen_by: who looks at the statements; None is a visitor. name: of whom one votes for,
    where it is not oneself. cast: the verb, with a statement and a choice. url: of this page."""

    conversation: Conversation
    voter: Voter | None
    seen_by: Person | None
    url: str
    cast: Callable[[Statement, int], Voter]
    name: str = ""
    by_phone: bool = False

    @property
    def own(self) -> bool:
        return not self.name

    def buttons(self) -> list[tuple[str, str]]:
        if self.own:
            return [("agree", _("I agree")), ("disagree", _("I disagree")), ("pass", _("Pass"))]
        return [("agree", _("They agree")), ("disagree", _("They disagree")), ("pass", _("They pass"))]


@dataclass(frozen=True)
class Turn:
    """What the page shows: the statement to vote on, or None when there is none left; what was said last; how far."""

    statement: Statement | None
    last: Statement | None
    last_choice: str
    done: int
    of: int

    @property
    def number(self) -> int:
        return min(self.done + 1, self.of)


def turn_of(booth: Booth, asked: str = "", after: str = "") -> Turn:
    """asked: the id of a statement to vote on again. after: the id of the one that was voted on just now."""
    open_: list[int] | None = booth.voter.__dict__.get("open_to_them") if booth.voter else None
    if open_ is None:
        here = booth.conversation.statements.in_sight(use_for(booth.seen_by, booth.conversation.topic.hub_id))
        open_ = list(here.order_by("pk").values_list("pk", flat=True))
    voted: dict[int, int] = {}
    if booth.voter is not None:
        # What was recorded for somebody they may still vote on themselves, and that stands before it.
        theirs = booth.voter.votes.filter(own=True) if booth.own else booth.voter.votes.all().standing()
        voted = dict(theirs.values_list("statement", "choice"))
    known = set(open_)
    if asked.isdecimal() and int(asked) in known:
        chosen: int | None = int(asked)
    else:
        chosen = next_of(booth.conversation, booth.voter, open_, known & voted.keys())
    last = int(after) if after.isdecimal() and int(after) in known & voted.keys() else None
    found = Statement.objects.in_bulk([pk for pk in (chosen, last) if pk is not None])
    return Turn(
        found.get(chosen) if chosen is not None else None,
        found.get(last) if last is not None else None,
        str(Vote.Choice(voted[last]).label) if last is not None else "",
        len(known & voted.keys()),
        len(open_),
    )
