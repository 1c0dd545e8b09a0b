"""A conversation with three statements, and a function that lets many strangers vote in two camps."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from coproduce.agenda.actions.topics import raise_topic
from coproduce.consensus import actions, voting
from coproduce.consensus.models import Conversation, Statement
from coproduce.consensus.reckoning import reckon

WORDS = ("A bench is a place to rest.", "Put the money into buses first.", "Ask us before you build.")


@pytest.fixture
def topic(lee, town):
    return raise_topic(lee, town, "Put the benches back", "Nobody can sit down")


@pytest.fixture
def conversation(amina, topic) -> Conversation:
    return actions.open_conversation(amina, topic, "What do we want at the bus station?", by_link=True)


@pytest.fixture
def statements(amina, conversation) -> list[Statement]:
    return [actions.write_statement(amina, conversation, words) for words in WORDS]


@pytest.fixture
def camps(conversation, statements) -> Callable[..., None]:
    """Let so many strangers vote: all agree with the last statement; of the first two each camp agrees with one."""

    def vote(first: int, second: int, begin: int = 0) -> None:
        for number in range(first + second):
            side = 1 if number < first else -1
            for statement, choice in zip(statements, (side, -side, 1), strict=True):
                voting.vote_by_link(f"secret {begin + number}", conversation, statement, choice)
        assert reckon(conversation)

    return vote
