"""One folder for each way of telling somebody, behind one small interface: see Channel.

`email` (SMTP), `notify` (GOV.UK Notify: email, text message, letter) and `gateway` (text message over plain HTTP) send
by themselves; `here.py` says which of them this installation uses. `letter` makes a PDF that somebody posts, `card` one
to hand over, `wall` a notice for those nobody can name. Calls, face to face, trusted people and people's own pages
need nothing but the pages of this room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

from coproduce.hearback.models import Feedback, their_words
from coproduce.people.models import Way
from coproduce.voices.models import Voice


@dataclass(frozen=True)
class Message:
    """What goes to one person by one way. Its reference goes with it and is never used for another.

    also: what else is owed to them and goes together with it, each with the reference of its own attempt.
    """

    feedback: Feedback
    way: Way
    reference: str
    also: tuple[Message, ...] = ()

    @cached_property
    def voices(self) -> list[Voice]:
        """What they said that led there. None where others may read it."""
        return [] if self.way.others_may_read else their_words(self.feedback)


@dataclass(frozen=True)
class Sent:
    """The far side took it. `theirs`: what it calls the message, if anything."""

    theirs: str = ""


@dataclass(frozen=True)
class NotSent:
    """It certainly did not go, and may go at another time: it is owed again.

    `others_too`: nothing goes to anybody at the moment. `wait`: so many seconds, where the far side said so.
    """

    problem: str
    others_too: bool = False
    wait: float = 0


@dataclass(frozen=True)
class Refused:
    """The far side will never take it for this address: the next way has its turn."""

    problem: str


@dataclass(frozen=True)
class Uncertain:
    """It may or may not have gone: a person decides. Nothing more goes on this line, lest all become uncertain."""

    problem: str


Result = Sent | NotSent | Refused | Uncertain


class Unreachable(Exception):
    """The far side can't be reached at all. Nothing was sent."""


class Channel(Protocol):
    """A far side that takes messages of one kind."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> Way.Kind: ...

    def is_set_up(self) -> bool:
        """Whether this installation was told to use it."""

    def line(self) -> AbstractContextManager[Callable[[Message], Result]]:
        """An open line to the far side: a function that sends one message. Raises Unreachable."""


@runtime_checkable
class Says(Protocol):
    """A channel that also takes a few words which tell nothing that is owed: an answer, or a notice."""

    def say(self, address: str, words: str, reference: str) -> Result: ...


@runtime_checkable
class Asked(Protocol):
    """A channel whose far side also says afterwards what became of messages."""

    def what_became_of(self, references: Iterable[str]) -> dict[str, bool | None]:
        """For each of these references that the far side knows: it arrived, it did not, or (None) it is on its way.

        One it does not know is not in the answer: then nobody knows whether it went. Raises Unreachable.
        """
