"""The sheet to vote on paper, and the table to fill in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from coproduce.consensus.models import Conversation, Sheet, Statement
from coproduce.engine.exchange import tables
from coproduce.people.paper import to_pdf

HERE = Path(__file__).parent


def sheet(conversation: Conversation, made: Sheet, words: Mapping[int, str]) -> bytes:
    """A tagged PDF. words: of those that are still voted on; of what was taken out since only the number stands."""
    told = {
        "topic": conversation.topic.title,
        "about": conversation.about,
        "hub": conversation.topic.hub.name,
        "code": made.code,
        "statements": [words.get(pk, "") for pk in made.statements],
    }
    return to_pdf(HERE / "sheet.typ", {"sheet": json.dumps(told)})


def empty_table(statements: Sequence[Statement], excel: bool) -> bytes:
    """A line for each person, a column for each statement, headed by its number and its words."""
    columns = ("name", *(f"{one.pk}. {one.words}" for one in statements))
    if excel:
        return tables.to_excel([tables.Sheet("Votes", columns, (), (24, *(28 for _one in statements)))])
    return tables.to_csv(columns, [])
