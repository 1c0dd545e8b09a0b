"""Opinion groups: people's places → who thinks alike.

Two ways. `polis` follows the rules of Polis to the letter (`math/src/polismath/math/clusters.clj` and
`conversation.clj` of compdemocracy/polis, at 08e03eb): base clusters from the first hundred people who differ, group
clusters from the first base clusters, until no middle moves by 0.01, the mean silhouette of base clusters, each
counting once. Left out is what looks back at an earlier result (people once counted stay so, clusters start from the
last ones, another number of groups has to win four times); components are exact in place of a hundred power
iterations; people stand in the order of their ids; ties go to the first.

`exact` is ours: the same two steps, with starts that don't hang on who came first (k-means++, Arthur and Vassilvitskii
2007), every base cluster counting for as many people as stand there, and no group too small to be one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEAST_VOTES = 7
"""Who voted on at least so many statements is counted, or on all where there are fewer."""

FEWEST_PEOPLE = 15
"""Where fewer people are counted, those who voted most are counted too."""

BASE = 100
"""So many base clusters at most: groups are made of these, not of people one by one."""

MOST_GROUPS = 5

SMALLEST = 5
"""In the exact mode no opinion group has fewer people than this."""

STARTS = 12
"""In the exact mode k-means starts so many times; the tightest groups stand."""

_DRAWN = 2_048  # base clusters are found on so many people at most, spread over all; everybody then goes to the nearest
_ROUNDS = 6  # of k-means over those: base clusters only have to be small
_MOST_ROUNDS = 100  # of k-means over base clusters; it ends long before
_NEAR = 0.01  # Polis stops once no middle moves further than this
_AT_ONCE = 1 << 12


@dataclass(frozen=True)
class Grouping:
    """Who is in which group.

    labels: int8[n], from 0; in the exact mode the largest group is 0. middles: float[k, 2]. sizes: int64[k].
    silhouette: −1 to 1, how much nearer people are to their own group than to the next, 0 for one group.
    tried: for each number of groups that could be had, its silhouette.
    base: int[n], the base cluster of each; base_places: float[b, 2].
    """

    labels: np.ndarray
    middles: np.ndarray
    sizes: np.ndarray
    silhouette: float
    tried: dict[int, float]
    base: np.ndarray
    base_places: np.ndarray


def counted(counts: np.ndarray, statements: int) -> np.ndarray:
    """bool[P]: who is counted, as in Polis. counts: int[P], how many statements each voted on, of so many."""
    found = counts >= min(LEAST_VOTES, statements)
    if (missing := min(FEWEST_PEOPLE, len(counts)) - np.count_nonzero(found)) > 0:
        most = np.argsort(np.where(found, 0, -counts), kind="stable")
        found[most[:missing]] = True
    return found


def group(points: np.ndarray, *, mode: str, seed: int, smallest: int = SMALLEST) -> Grouping:
    """Opinion groups of people at points, float[n, 2], in the order of their ids.

    mode: "exact" or "polis". seed: of the exact mode's draws. smallest: in the exact mode no group has fewer people.
    Where nobody differs, or no group would be large enough, all are in one group.
    """
    if not len(points):
        nothing = np.empty(0, np.int64)
        return Grouping(
            nothing.astype(np.int8), np.empty((0, 2)), nothing, 0.0, {}, nothing, np.empty((0, 2))
        )
    if mode == "polis":
        base, places = _polis_base(points)
    else:
        base, places = _base(points, seed)
    weights = np.bincount(base, minlength=len(places))
    apart = np.hypot(places[:, None, 0] - places[None, :, 0], places[:, None, 1] - places[None, :, 1])
    tried: dict[int, float] = {}
    best = np.zeros(len(places), np.int64)
    if mode == "polis":
        candidates = {k: _polis_kmeans(places, k, 20, weights)[0] for k in _polis_numbers(len(places))}
        each = np.ones(len(places))
    else:
        candidates = _kmeans(places, weights, seed, smallest)
        each = weights.astype(float)
    for k, labels in candidates.items():
        tried[k] = silhouette(apart, labels, each)
        if tried[k] > max((tried[one] for one in tried if one != k), default=-np.inf):
            best = labels
    if mode != "polis":
        best = _largest_first(best, weights)
    labels = best[base]
    sizes = np.bincount(labels)
    middles = np.column_stack([np.bincount(labels, points[:, axis]) for axis in (0, 1)]) / sizes[:, None]
    return Grouping(
        labels.astype(np.int8), middles, sizes, max(tried.values(), default=0.0), tried, base, places
    )


def silhouette(apart: np.ndarray, labels: np.ndarray, weights: np.ndarray) -> float:
    """The mean silhouette (Rousseeuw 1987), −1 to 1, of points with weights: so many people stand at each.

    apart: float[b, b], distances. labels: int[b], every number from 0 in use. A person alone in a group has 0.
    """
    wide = int(labels.max()) + 1
    if wide == 1:
        return 0.0
    rows = np.arange(len(labels))
    member = np.zeros((len(labels), wide))
    member[rows, labels] = weights
    sums, whole = apart @ member, member.sum(axis=0)
    others = whole[labels] - 1
    own = sums[rows, labels] / np.maximum(others, 1)
    means = sums / whole
    means[rows, labels] = np.inf
    next_one = means.min(axis=1)
    larger = np.maximum(own, next_one)
    each = np.where((others > 0) & (larger > 0), (next_one - own) / np.where(larger > 0, larger, 1), 0.0)
    return float((each * weights).sum() / weights.sum())


# The exact mode


def _base(points: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """int[n], which base cluster, and float[b, 2], where these are: the mean of who is in each."""
    if len(points) <= _DRAWN:
        drawn = points
        distinct, which = np.unique(points[:, 0] + 1j * points[:, 1], return_inverse=True)
        if len(distinct) <= BASE:
            return which, np.column_stack([distinct.real, distinct.imag])
    else:
        drawn = points[np.arange(_DRAWN) * len(points) // _DRAWN]
    rng = np.random.default_rng(seed)
    middles = drawn[_spread(drawn, np.ones(len(drawn)), BASE, rng, 1)[0]]
    for _ in range(_ROUNDS):
        which = nearest(drawn, middles)
        middles = _means(drawn, which, middles)
    which = nearest(points, middles)
    used, which = np.unique(which, return_inverse=True)
    return which, _means(points, which, middles[used])


def nearest(points: np.ndarray, middles: np.ndarray) -> np.ndarray:
    """int[n]: which middle is nearest to each point; the first of those that are as near."""
    found = np.empty(len(points), np.int64)
    along, rest = -2 * middles.T, (middles**2).sum(axis=1)
    for at in range(0, len(points), _AT_ONCE):
        far = points[at : at + _AT_ONCE] @ along
        far += rest
        far.argmin(axis=1, out=found[at : at + _AT_ONCE])
    return found


def _means(points: np.ndarray, which: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    counts = np.bincount(which, minlength=len(otherwise))
    sums = [np.bincount(which, points[:, axis], len(otherwise)) for axis in (0, 1)]
    return np.where(counts[:, None] > 0, np.column_stack(sums) / np.maximum(counts, 1)[:, None], otherwise)


def _spread(
    points: np.ndarray, weights: np.ndarray, k: int, rng: np.random.Generator, starts: int
) -> np.ndarray:
    """int[s, k]: the places of k of the points, float[n, 2], for each of s starts, by k-means++."""
    found = np.empty((starts, k), np.int64)
    x, y = np.ascontiguousarray(points.T)
    far = np.full((starts, len(points)), np.inf)
    upto = np.broadcast_to(np.cumsum(weights), far.shape)
    for at, draws in enumerate(rng.random((k, starts))):
        if at:
            upto = np.cumsum(far * weights, axis=1)
        for start in range(starts):
            found[start, at] = np.searchsorted(upto[start], draws[start] * upto[start, -1], side="right")
        np.minimum(found[:, at], len(points) - 1, out=found[:, at])
        here = points[found[:, at]]
        away = (x - here[:, :1]) ** 2
        away += (y - here[:, 1:]) ** 2
        np.minimum(far, away, out=far)
    return found


def _kmeans(places: np.ndarray, weights: np.ndarray, seed: int, smallest: int) -> dict[int, np.ndarray]:
    """For each number of groups that can be had, int[b]: the tightest groups with enough people in each."""
    found: dict[int, np.ndarray] = {}
    rng = np.random.default_rng(seed)
    weight = weights.astype(float)
    for k in range(2, min(MOST_GROUPS, len(places)) + 1):
        labels, squares = _lloyd(places, weight, places[_spread(places, weight, k, rng, STARTS)])
        best = np.inf
        for one, loss in zip(labels, squares, strict=True):
            enough = np.bincount(one, weight, k).min() >= max(smallest, 1)
            if enough and loss < best * (1 - 1e-12):
                found[k], best = one, loss
    return found


def _lloyd(places: np.ndarray, weights: np.ndarray, middles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """K-means (Lloyd 1982) from all starts, float[s, k, 2], at once: int[s, b] and float[s] the sums of squares."""
    starts, k, _ = middles.shape
    offsets = np.arange(starts)[:, None] * k
    repeated = np.tile(weights, starts)
    across = [np.tile(weights * places[:, axis], starts) for axis in (0, 1)]
    labels = np.full((starts, len(places)), -1)
    for _ in range(_MOST_ROUNDS):
        far = places @ (-2 * middles.transpose(0, 2, 1))
        far += (middles**2).sum(axis=2)[:, None]
        now = far.argmin(axis=2)
        if (now == labels).all():
            break
        labels = now
        which = (now + offsets).ravel()
        whole = np.bincount(which, repeated, starts * k)
        sums = np.column_stack([np.bincount(which, one, starts * k) for one in across])
        means = sums / np.maximum(whole, 1)[:, None]
        middles = np.where((whole > 0)[:, None], means, middles.reshape(-1, 2)).reshape(starts, k, 2)
    away = places - np.take_along_axis(middles, labels[:, :, None], axis=1)
    return labels, (away**2).sum(axis=2) @ weights


def _largest_first(labels: np.ndarray, weights: np.ndarray) -> np.ndarray:
    sizes = np.bincount(labels, weights)
    place = np.empty(len(sizes), np.int64)
    place[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return place[labels]


# Polis's rules


def _polis_base(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return _polis_kmeans(points, BASE, 100, np.ones(len(points)))


def _polis_numbers(base: int) -> range:
    """Two groups, and one more for every twelve base clusters, up to five."""
    return range(2, min(MOST_GROUPS, 2 + base // 12) + 1)


def _polis_kmeans(
    points: np.ndarray, k: int, rounds: int, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """int[n], which, and the middles: k-means from the first k points that differ, until no middle moves far.

    A middle that nobody is near any more is left out, so there may be fewer than k.
    """
    _, firsts = np.unique(points[:, 0] + 1j * points[:, 1], return_index=True)
    middles = points[np.sort(firsts)[:k]]
    for _ in range(rounds + 1):
        used, which = np.unique(nearest(points, middles), return_inverse=True)
        before, whole = middles, np.bincount(which, weights, len(used))
        sums = [np.bincount(which, weights * points[:, axis], len(used)) for axis in (0, 1)]
        middles = np.column_stack(sums) / whole[:, None]
        one, two = (each[np.lexsort(each.T[::-1])] for each in (before, middles))
        if all(np.hypot(*(one[: len(two)] - two).T) < _NEAR):
            break
    return which, middles
