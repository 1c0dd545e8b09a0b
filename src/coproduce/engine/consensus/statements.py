"""Statements: what each group, and everybody, agrees or disagrees with, and how sure that is.

The measures are Polis's (`math/src/polismath/math/repness.clj`, `conversation.clj` and `stats.clj` of
compdemocracy/polis; Small et al. 2021). A and D are agreeing and disagreeing votes, P passes, S all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SURE = 1.2816
"""A z above this is called sure: nine times in ten, looked at from one side."""

MOST = 5
"""So many statements at most stand for a group, or for what everybody shares."""


UNSEEN = (0.5 * 0.5 * 9) ** 2
"""The `priority` of a statement that nobody has voted on."""


@dataclass(frozen=True)
class Statistics:
    """How G groups voted on M statements, each array [G, M].

    agree, disagree, seen: int64, votes; seen counts passes too.
    p_agree, p_disagree: (A + 1) / (S + 2), between 0 and 1.
    p_agree_z, p_disagree_z: 2 √(S + 1) ((A + 1) / (S + 1) − ½), how far from half, in standard deviations.
    more_agree, more_disagree: the group's probability by that of everybody else, above 0.
    more_agree_z, more_disagree_z: the two-proportion z test of the same, one added to all four counts; 0 where
        everybody in it and outside says the same.
    """

    agree: np.ndarray
    disagree: np.ndarray
    seen: np.ndarray
    p_agree: np.ndarray
    p_disagree: np.ndarray
    p_agree_z: np.ndarray
    p_disagree_z: np.ndarray
    more_agree: np.ndarray
    more_disagree: np.ndarray
    more_agree_z: np.ndarray
    more_disagree_z: np.ndarray


@dataclass(frozen=True)
class Pick:
    """A statement that stands for a group, or for what everybody shares.

    statement: its place, from 0. agrees: whether they agree with it, or disagree. votes: so many said so, of `seen`.
    p, z: how likely one is to say so, and how sure that this is more than half.
    more, more_z: by how much more than everybody else's, and how sure; None for what everybody shares.
    """

    statement: int
    agrees: bool
    votes: int
    seen: int
    p: float
    z: float
    more: float | None = None
    more_z: float | None = None


def statistics(tally: np.ndarray) -> Statistics:
    """tally: int[G, 3M], how many votes of each group are in each cell (`votes.Votes.tally_by`)."""
    groups = len(tally)
    disagree, _, agree = counts = (
        tally.reshape(groups, tally.shape[1] // 3, 3).transpose(2, 0, 1).astype(np.int64)
    )
    seen = counts.sum(axis=0)
    elsewhere = counts.sum(axis=1)[:, None] - counts
    seen_elsewhere = elsewhere.sum(axis=0)
    said: dict[str, np.ndarray] = {}
    for name, inside, outside in (("agree", agree, elsewhere[2]), ("disagree", disagree, elsewhere[0])):
        p = (inside + 1) / (seen + 2)
        said |= {
            f"p_{name}": p,
            f"p_{name}_z": 2 * np.sqrt(seen + 1) * ((inside + 1) / (seen + 1) - 0.5),
            f"more_{name}": p / ((outside + 1) / (seen_elsewhere + 2)),
            f"more_{name}_z": two_proportions(inside, seen, outside, seen_elsewhere),
        }
    return Statistics(agree=agree, disagree=disagree, seen=seen, **said)


def two_proportions(
    yes: np.ndarray, of: np.ndarray, other_yes: np.ndarray, other_of: np.ndarray
) -> np.ndarray:
    """The z of two proportions with one added to all four counts; 0 where both are the whole."""
    yes, of, other_yes, other_of = yes + 1, of + 1, other_yes + 1, other_of + 1
    both = (yes + other_yes) / (of + other_of)
    spread = np.sqrt(both * (1 - both) * (1 / of + 1 / other_of))
    return np.asarray(
        np.divide(yes / of - other_yes / other_of, spread, out=np.zeros_like(both), where=both != 1)
    )


def representative(found: Statistics, taken_out: np.ndarray) -> tuple[tuple[Pick, ...], ...]:
    """For each group up to five statements that stand for it, what it agrees with first.

    The best that the group agrees with leads, if there is one that says anything of it; then those of which it is
    sure that the group says so and says so more than others, by ratio × its z × probability × its z. Where none
    is sure, the one that tells the group best from others. Ties go to the lowest id.
    """
    return tuple(_of_group(found, group, ~taken_out) for group in range(len(found.seen)))


def _of_group(found: Statistics, group: int, open_: np.ndarray) -> tuple[Pick, ...]:
    pa, paz = found.p_agree[group], found.p_agree_z[group]
    ra, raz = found.more_agree[group], found.more_agree_z[group]
    pdz, rdz = found.p_disagree_z[group], found.more_disagree_z[group]
    if not open_.any():
        return ()
    head = _best_agreed(pa, paz, ra, raz, open_ & (found.agree[group] + found.disagree[group] > 0))
    sure = open_ & (((paz > SURE) & (raz > SURE)) | ((pdz > SURE) & (rdz > SURE)))
    if head is None and not sure.any():
        head = int(np.flatnonzero(open_)[np.argmax(np.maximum(raz, rdz)[open_])])
    agrees = raz > rdz
    weight = np.where(
        agrees, ra * raz * pa * paz, found.more_disagree[group] * rdz * found.p_disagree[group] * pdz
    )
    places = np.flatnonzero(sure)
    rest = places[np.argsort(-weight[places], kind="stable")]
    if head is None:
        head = int(rest[0])
    chosen = [head, *(int(place) for place in rest if place != head)][:MOST]
    return tuple(
        _pick(found, group, place, bool(agrees[place]))
        for place in sorted(chosen, key=lambda one: not agrees[one])
    )


def _best_agreed(
    pa: np.ndarray, paz: np.ndarray, ra: np.ndarray, raz: np.ndarray, open_: np.ndarray
) -> int | None:
    """Polis's walk for the statement that a group agrees with best: what is to be beaten depends on what leads."""
    best: int | None = None
    by_all, by_votes, more = (ra * raz * pa * paz).tolist(), (pa * paz).tolist(), ra.tolist()
    first = np.flatnonzero(open_ & ((paz > SURE) | ((ra > 1) & (pa > 0.5))))
    if len(first):
        best = int(first[0])
        for place in (np.flatnonzero(open_[best + 1 :]) + best + 1).tolist():
            by = by_all if more[best] > 1 else by_votes
            if by[place] > by[best]:
                best = place
    return best


def _pick(found: Statistics, group: int, place: int, agrees: bool) -> Pick:
    name = "agree" if agrees else "disagree"
    at = group, place
    return Pick(
        statement=place,
        agrees=agrees,
        votes=int(getattr(found, name)[at]),
        seen=int(found.seen[at]),
        p=float(getattr(found, f"p_{name}")[at]),
        z=float(getattr(found, f"p_{name}_z")[at]),
        more=float(getattr(found, f"more_{name}")[at]),
        more_z=float(getattr(found, f"more_{name}_z")[at]),
    )


def consensus(tally: np.ndarray, taken_out: np.ndarray) -> tuple[Pick, ...]:
    """What everybody who voted agrees with, then what they disagree with, up to five of each, strongest first.

    tally: int[3M], all votes. Chosen where the probability is above a half and that is sure, by probability × z.
    """
    everybody = statistics(tally[None])
    found: list[Pick] = []
    for name in ("agree", "disagree"):
        p, z = getattr(everybody, f"p_{name}")[0], getattr(everybody, f"p_{name}_z")[0]
        places = np.flatnonzero((p > 0.5) & (z > SURE) & ~taken_out)
        best = places[np.argsort(-(p * z)[places], kind="stable")][:MOST].tolist()
        found += [_of_everybody(everybody, place, name) for place in best]
    return tuple(found)


def common_ground(found: Statistics, tally: np.ndarray, taken_out: np.ndarray) -> tuple[Pick, ...]:
    """What every group agrees with, then what every group disagrees with, by `group_informed`, strongest first.

    A statement is common ground where of each group it is sure that more than half say so. tally: int[3M], all votes,
    from which each pick's own figures are. Without groups there is none.
    """
    everybody = statistics(tally[None])
    picks: list[Pick] = []
    for name, together in zip(("agree", "disagree"), group_informed(found), strict=True):
        if len(found.seen):
            places = np.flatnonzero((getattr(found, f"p_{name}_z") > SURE).all(axis=0) & ~taken_out)
            order = places[np.argsort(-together[places], kind="stable")].tolist()
            picks += [_of_everybody(everybody, place, name) for place in order]
    return tuple(picks)


def _of_everybody(everybody: Statistics, place: int, name: str) -> Pick:
    votes, seen = int(getattr(everybody, name)[0, place]), int(everybody.seen[0, place])
    p, z = (float(getattr(everybody, each)[0, place]) for each in (f"p_{name}", f"p_{name}_z"))
    return Pick(place, name == "agree", votes, seen, p, z)


def group_informed(found: Statistics) -> tuple[np.ndarray, np.ndarray]:
    """float[M] for agreeing and for disagreeing: the product over groups of their probabilities, 0 to 1.

    High only where every group says so, however small the group (Small et al. 2021).
    """
    return found.p_agree.prod(axis=0), found.p_disagree.prod(axis=0)


def priority(tally: np.ndarray, extremity: np.ndarray) -> np.ndarray:
    """float[M], above 0: how much it would tell if more people voted on each statement.

    [(1 − (P + 1)/(S + 2)) (E + 1) (A + 1)/(S + 2) (1 + 8 · 2^(−S/5))]², over those counted: tally int[3M], E the
    extremity float[M]. New statements, those that set people apart, and those that people don't pass on come first.
    """
    _, passes, agree = tally.reshape(-1, 3).T
    seen = tally.reshape(-1, 3).sum(axis=1)
    engaged = 1 - (passes + 1) / (seen + 2)
    return np.asarray(
        (engaged * (extremity + 1) * (agree + 1) / (seen + 2) * (1 + 8 * 2.0 ** (-seen / 5))) ** 2
    )
