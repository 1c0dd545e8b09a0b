"""The result: who thinks alike, what everyone shares, and how sure that is."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from coproduce.engine.consensus import groups as grouping
from coproduce.engine.consensus import statements as measures
from coproduce.engine.consensus.groups import Grouping
from coproduce.engine.consensus.ids import place_of
from coproduce.engine.consensus.projection import Asked, Projection, project
from coproduce.engine.consensus.stability import Stability, stability
from coproduce.engine.consensus.statements import Pick, Statistics
from coproduce.engine.consensus.votes import Votes

VERSION = "1"
"""Of the numbers: another one where the same votes give others."""

MODES = ("exact", "polis")


@dataclass(frozen=True)
class Group:
    """People who vote alike. size: how many; middle: where, float[2]; stands_for: `statements.representative`."""

    number: int
    size: int
    middle: tuple[float, float]
    stands_for: tuple[Pick, ...]


@dataclass(frozen=True)
class Where:
    """Where one person is, for themselves only.

    x, y: their place. group: its number, or None where they are not counted yet. votes: on how many statements.
    counted: whether they voted enough to be in a group.
    """

    x: float
    y: float
    group: int | None
    votes: int
    counted: bool


class Result:
    """What the votes say. P people, M statements, G groups; every array in the order of the ids in `votes`.

    projection: `projection.Projection`. labels: int8[P], each person's group, −1 where they are not counted.
    groups: `Group`s, in order. grouping: `groups.Grouping` of those who are counted. statistics: arrays [G, M].
    common_ground: what every group agrees with, then what every group disagrees with. consensus: what most people say,
    whatever their group, agreed first. group_informed, group_informed_disagree: float[M].
    priority: float[M], which statement to show next; 0 for those taken out. taken_out: bool[M].
    """

    def __init__(
        self,
        votes: Asked,
        mode: str,
        moderated_out: Iterable[Hashable],
        seed: int,
        smallest: int,
        start: np.ndarray | None = None,
    ) -> None:
        if mode not in MODES:
            raise ValueError(f"The mode is {mode!r}, but there are only these: {', '.join(MODES)}.")
        self.votes, self.mode, self.seed, self.smallest = votes, mode, seed, smallest
        self.moderated_out = tuple(moderated_out)
        self.taken_out = np.zeros(len(votes.statements), bool)
        for one in self.moderated_out:
            if (place := place_of(votes.statements, one)) is not None:
                self.taken_out[place] = True
        self.projection: Projection = project(votes, self.taken_out, start)
        self.counted = grouping.counted(votes.counts, len(votes.statements))
        self.grouping: Grouping = grouping.group(
            self.projection.points[self.counted], mode=mode, seed=seed, smallest=smallest
        )
        self.labels = np.full(len(votes.participants), -1, np.int8)
        self.labels[self.counted] = self.grouping.labels
        by_group = votes.tally_by(self.labels, len(self.grouping.sizes))
        self.statistics: Statistics = measures.statistics(by_group)
        tally = votes.tally()
        self.consensus = measures.consensus(tally, self.taken_out)
        self.common_ground = measures.common_ground(self.statistics, tally, self.taken_out)
        self.group_informed, self.group_informed_disagree = measures.group_informed(self.statistics)
        self.priority = measures.priority(by_group.sum(axis=0), self.projection.extremity)
        self.priority[self.taken_out] = 0

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        return tuple(
            Group(number, int(size), (float(middle[0]), float(middle[1])), picks)
            for number, (size, middle, picks) in enumerate(
                zip(
                    self.grouping.sizes,
                    self.grouping.middles,
                    measures.representative(self.statistics, self.taken_out),
                    strict=True,
                )
            )
        )

    @cached_property
    def stability(self) -> Stability:
        """How often two people stay together when others are drawn: worked out when it is first asked for."""
        return stability(
            self.votes,
            self.taken_out,
            self.labels,
            self.projection.components,
            mode=self.mode,
            seed=self.seed,
            smallest=self.smallest,
        )

    def where_is(self, participant: Hashable) -> Where | None:
        """Where one person is; None where they have not voted."""
        place = place_of(self.votes.participants, participant)
        if place is None:
            return None
        label = int(self.labels[place])
        x, y = self.projection.points[place].tolist()
        return Where(x, y, None if label < 0 else label, int(self.votes.counts[place]), label >= 0)

    def update(self, more_votes: Votes) -> Result:
        """The result with votes that came since: the same numbers as from all of them at once, to 1e-9.

        Where somebody voted on a statement before, the later vote stands.
        """
        if not isinstance(self.votes, Votes):
            raise TypeError("Votes on a cluster are read anew with those that came since.")
        votes = self.votes.plus(more_votes)
        start = np.zeros((2, len(votes.statements)))
        start[:, np.isin(votes.statements, self.votes.statements)] = self.projection.components
        return Result(votes, self.mode, self.moderated_out, self.seed, self.smallest, start)

    def to_json(self, *, people: bool = False) -> str:
        """All of it as JSON: the names above, arrays as lists, statements by their ids.

        people: with a line for each person, where they are and in which group. For whoever may see that only.
        """
        return json.dumps(self._plain(people), ensure_ascii=False, allow_nan=False)

    def _plain(self, people: bool) -> dict[str, Any]:
        ids = self.votes.statements.tolist()
        plain: dict[str, Any] = {
            "version": VERSION,
            "mode": self.mode,
            "seed": self.seed,
            "smallest": self.smallest,
            "moderated_out": [one for one, out in zip(ids, self.taken_out.tolist(), strict=True) if out],
            "people": len(self.votes.participants),
            "counted": int(self.counted.sum()),
            "votes": len(self.votes),
            "silhouette": self.grouping.silhouette,
            "tried": {str(k): value for k, value in self.grouping.tried.items()},
            "stability": self.stability.plain(),
            "variances": self.projection.variances.tolist(),
            "groups": [
                {
                    "number": one.number,
                    "size": one.size,
                    "middle": one.middle,
                    "stands_for": [_pick(pick, ids) for pick in one.stands_for],
                }
                for one in self.groups
            ],
            "common_ground": [_pick(pick, ids) for pick in self.common_ground],
            "consensus": [_pick(pick, ids) for pick in self.consensus],
            "statements": [
                {
                    "id": one,
                    "mean": float(self.projection.mean[place]),
                    "components": self.projection.components[:, place].tolist(),
                    "place": self.projection.statements[place].tolist(),
                    "extremity": float(self.projection.extremity[place]),
                    "group_informed": float(self.group_informed[place]),
                    "group_informed_disagree": float(self.group_informed_disagree[place]),
                    "priority": float(self.priority[place]),
                    "by_group": [
                        {name: value[group, place].item() for name, value in vars(self.statistics).items()}
                        for group in range(len(self.grouping.sizes))
                    ],
                }
                for place, one in enumerate(ids)
            ],
        }
        if people:
            points, labels = self.projection.points.tolist(), self.labels.tolist()
            plain["participants"] = [
                {"id": one, "place": point, "group": None if label < 0 else label}
                for one, point, label in zip(self.votes.participants.tolist(), points, labels, strict=True)
            ]
        return plain


def _pick(pick: Pick, ids: list[Any]) -> dict[str, Any]:
    return vars(pick) | {"statement": ids[pick.statement]}


def analyse(
    votes: Asked,
    *,
    mode: str = "exact",
    moderated_out: Iterable[Hashable] = (),
    seed: int = 0,
    smallest: int = grouping.SMALLEST,
) -> Result:
    """Votes → opinion groups and common ground.

    mode: "exact", ours, or "polis", by the letter of its rules (`groups`). moderated_out: ids of statements that a
    curator took out; they count as a pass by everybody, and are never picked or shown. Ids that nobody voted on
    change nothing. seed: of the draws in the exact mode and of `stability`. smallest: in the exact mode, how many
    people a group has at least.

    Defined for every input: no votes (no groups), one person or one statement (one group), all the same vote (one
    group, everybody in the middle). Raises ValueError at another mode; votes that can't be read raise BadVotes
    before they get here.
    """
    return Result(votes, mode, moderated_out, seed, smallest)


def next_statement(
    result: Result,
    participant: Hashable,
    *,
    statements: Iterable[Hashable] | None = None,
    seen: Iterable[Hashable] = (),
    draw: float | None = None,
) -> Any:
    """The id of the statement to show to somebody next: one they have not voted on, or None when there is none left.

    statements: ids of all that may be shown, those that nobody has voted on yet among them; without it, all that were
    voted on. seen: ids they have been shown since, beside those they voted on. draw: a number from 0 to below 1, by
    which a statement is drawn, more likely the higher its priority, as Polis does. Without one, the highest priority;
    ties go to the lowest id.
    """
    if draw is not None and not 0 <= draw < 1:
        raise ValueError(f"The draw is {draw!r}. Give a number from 0 to below 1, or none.")
    votes = result.votes
    left = dict(zip(votes.statements.tolist(), result.priority.tolist(), strict=True))
    if statements is not None:
        left = {one: left.get(one, measures.UNSEEN) for one in sorted(set(statements))}  # type: ignore[type-var]
    for one in [*votes.statements[votes.of(participant)[0]].tolist(), *result.moderated_out, *seen]:
        left.pop(one, None)
    if not left:
        return None
    if draw is None:
        return max(left, key=left.__getitem__)
    upto = np.cumsum(list(left.values()))
    return list(left)[int(np.searchsorted(upto, draw * upto[-1], side="right"))]
