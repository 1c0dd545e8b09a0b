"""Votes → opinion groups and common ground.

People agree, disagree or pass on short statements. `analyse` shows who thinks alike, what each group says that
others don't, and what everybody shares; `next_statement` says what to ask somebody next. The method is Polis's, its
formulas named where they stand: who votes how (`votes`), places (`projection`), groups (`groups`), what they say
(`statements`), how sure that is (`stability`). The same votes give the same numbers, in whatever order they come.

    votes = Votes.from_csv("participants-votes.csv")
    result = analyse(votes)
    result.groups, result.consensus, result.stability
"""

from coproduce.engine.consensus.ids import BadVotes
from coproduce.engine.consensus.result import Group, Result, Where, analyse, next_statement
from coproduce.engine.consensus.stability import Stability
from coproduce.engine.consensus.statements import Pick, Statistics
from coproduce.engine.consensus.votes import Votes

__all__ = [
    "BadVotes",
    "Group",
    "Pick",
    "Result",
    "Stability",
    "Statistics",
    "Votes",
    "Where",
    "analyse",
    "next_statement",
]
