"""Vectors → groups of those that mean much the same, by the way that fits how many there are.

Every function here gives the same answer for the same rows in the same order; `find_themes` sees to the order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from coproduce.engine.themes.meaning import Progress, unit

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FEW = 300
"""Under this many texts Ward's method groups them; from here on, a graph of neighbours."""

EXACT = 20_000
"""Up to this many texts every pair is compared; above, each with those in the cells round it."""

CELLS = 3
"""So many cells times the square root of the number of texts."""

LOOKED_IN = 24
"""A text's neighbours are looked for in so many cells, its own and those nearest to it."""

MANY = 200_000
"""Above this many texts they are first gathered into micro-clusters."""

NEIGHBOURS = (5, 15)
"""How many neighbours a text has in the graph, at least and at most; a quarter of the square root in between."""

FINE = 3.0
"""How fine each try cuts the graph: the resolution of modularity (Reichardt and Bornholdt 2006)."""

TENTH = 10
"""How sure a theme is, is seen by leaving out one text in so many, each in turn."""

TRIES = 20
"""The consensus is made of so many tries; above `ENOUGH` texts, of half as many."""

ENOUGH = 30_000

BELONGS = 0.15
"""A text is in the theme that it was grouped into if at least this share of what is near it is too."""

ALSO = 0.35
"""A text is in another theme too, if at least this share of what is near it is."""

SHARP = 4
"""Cosines are taken to this power as weights, so that near neighbours count for more than far ones."""

MICRO = 2_000
"""So many micro-clusters at most."""

LEARNED_FROM = 20
"""Where the middles of micro-clusters are is learned from so many rows for each, if there are more."""

NEAR_MIDDLES = 4
"""A text's nearest micro-clusters, so many of them, tell how strongly it is in a group."""

_BLOCK = 4_096  # rows that are compared at once; sums are taken block by block, wherever a block is worked on
_AT_ONCE = 1 << 23  # cosines that are held at once
_SEED = 1


@dataclass(frozen=True)
class Grouping:
    """Rows in groups, and what tells how strongly they belong and how sure that is.

    main: int[n], the group of each row, from 0. near: csr[n, p], how near each row is to its nearest other rows,
    or micro-clusters, in shares of 1. theirs: int[p], the group of each of those. tries: groupings with a tenth
    left out: which rows were kept, and their groups.
    """

    main: np.ndarray
    near: csr_matrix
    theirs: np.ndarray
    tries: list[tuple[np.ndarray, np.ndarray]]

    def memberships(self) -> csr_matrix:
        """csr[k, n]: how strongly each row is in each group: the share of what is near it that is, 0 to 1."""
        from scipy.sparse import csr_matrix

        p, k = len(self.theirs), int(self.main.max(initial=-1)) + 1
        shares = (self.near @ csr_matrix((np.ones(p), (np.arange(p), self.theirs)), (p, k))).tocsr()
        rows = np.repeat(np.arange(shares.shape[0]), np.diff(shares.indptr))
        own = shares.indices == self.main[rows]
        shares.data[~((own & (shares.data >= BELONGS)) | (shares.data >= ALSO))] = 0
        shares.eliminate_zeros()
        return shares.T.tocsr()

    def sureness(self) -> np.ndarray:
        """float[k]: how much of each group remains, over the tries: its Jaccard overlap with the group most like it
        (Hennig 2007)."""
        from scipy.sparse import csr_matrix

        k = int(self.main.max(initial=-1)) + 1
        remains = np.zeros(k)
        for kept, after in self.tries:
            before = self.main[kept]
            sizes, theirs = np.bincount(before, minlength=k), np.bincount(after)
            both = csr_matrix((np.ones(len(before)), (before, after)), (k, len(theirs))).tocoo()
            best = np.zeros(k)
            np.maximum.at(best, both.row, both.data / (sizes[both.row] + theirs[both.col] - both.data))
            remains += best
        return remains / max(len(self.tries), 1)


def way_for(count: int) -> str:
    """The way that fits so many texts: "ward", "graph" or "micro-clusters"."""
    if count < FEW:
        return "ward"
    return "graph" if count <= MANY else "micro-clusters"


def group(points: np.ndarray, behind: np.ndarray, way: str, tell: Progress, dask: Any = None) -> Grouping:
    """Group rows that are all different.

    points: float32[n, d], unit vectors. behind: int[n], how often each was said. way: see `way_for`.
    """
    if way == "micro-clusters":
        return _by_micro_clusters(points, behind, tell, dask)
    n = len(points)
    root = np.sqrt(n)
    count = int(np.clip(root / 4, *NEIGHBOURS)) if way == "graph" else max(2, round(root / 1.5))
    places, cosines = neighbours(points, count)
    # What was said in the same words more than once is near itself, too.
    places = np.concatenate([np.arange(n)[:, None], places], axis=1)
    weights = np.concatenate([np.minimum(behind - 1, count)[:, None], weighed(cosines)], axis=1)
    tell("grouping", 0.0)
    if way == "graph":
        main, tries = consensus(graph_of(places, weights), tell)
    else:
        main, tries = consensus_of_ward(points, behind, max(2, round(root)))
    return Grouping(main, _shares(places, weights, n), main, tries)


def without_a_tenth(n: int, times: int) -> Iterator[np.ndarray]:
    """So many times nine tenths of the rows, in order; every ten times each row is left out once."""
    chance = np.random.default_rng(_SEED)
    for at in range(times):
        if at % TENTH == 0:
            turn = chance.permutation(n) % TENTH
        yield np.flatnonzero(turn != at % TENTH)


def weighed(cosines: np.ndarray) -> np.ndarray:
    """How much neighbours count, 0 to 1: their cosines to the power of `SHARP`."""
    return np.asarray(np.maximum(cosines.astype(float), 0.01) ** SHARP)


def _shares(places: np.ndarray, weights: np.ndarray, many: int) -> csr_matrix:
    """csr[n, many]: what is near each row, by how near it is, in shares of 1."""
    from scipy.sparse import csr_matrix

    weights = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    n, count = places.shape
    return csr_matrix((weights.ravel(), places.ravel(), np.arange(n + 1) * count), (n, many))


def neighbours(vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Each row's nearest other rows, nearest first: int[n, k] and float32[n, k] cosines, k = min(count, n - 1).

    Up to `EXACT` rows all are compared. Above, rows are gathered into cells, and each is compared with those of the
    cells nearest to its own (an inverted file, Jégou et al. 2011, with the vectors as they are). On 100,000 sentence
    vectors that finds 99 in 100 of them, in a third of the time of hierarchical navigable small worlds: whole blocks
    are multiplied at once.
    """
    count = min(count, len(vectors) - 1)
    if count <= 0:
        return np.empty((len(vectors), 0), int), np.empty((len(vectors), 0), np.float32)
    if len(vectors) > EXACT:
        return _in_cells(vectors, count)
    places = np.empty((len(vectors), count), int)
    cosines = np.empty((len(vectors), count), np.float32)
    for begins in range(0, len(vectors), 1024):
        block = slice(begins, begins + 1024)
        near = vectors[block] @ vectors.T
        rows = np.arange(len(near))
        near[rows, rows + begins] = -np.inf
        among = np.sort(np.argpartition(-near, count - 1, axis=1)[:, :count], axis=1)
        found = np.take_along_axis(near, among, axis=1)
        order = np.argsort(-found, axis=1, kind="stable")
        places[block] = np.take_along_axis(among, order, axis=1)
        cosines[block] = np.take_along_axis(found, order, axis=1)
    return places, cosines


def _in_cells(vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    n = len(vectors)
    cells = round(CELLS * np.sqrt(n))
    where, middles = micro_clusters(vectors, cells, rounds=3)
    order = np.argsort(where, kind="stable")  # the rows of each cell side by side
    sizes = np.bincount(where, minlength=cells)
    begins = np.concatenate([[0], np.cumsum(sizes)])
    apart = -(middles @ middles.T)
    np.fill_diagonal(apart, -np.inf)  # a cell comes before all others that are near it
    places = np.empty((n, count), int)
    cosines = np.empty((n, count), np.float32)
    for cell in np.flatnonzero(sizes):
        near = np.argsort(apart[cell], kind="stable")
        enough = int(np.searchsorted(np.cumsum(sizes[near]), count + 1)) + 1
        near = near[: max(LOOKED_IN, enough)]
        among = np.concatenate([order[begins[each] : begins[each + 1]] for each in near])
        theirs = vectors[among]
        step = max(1, _AT_ONCE // len(among))
        for first in range(0, sizes[cell], step):
            rows = among[first : min(first + step, sizes[cell])]
            alike = theirs[first : first + len(rows)] @ theirs.T
            alike[np.arange(len(rows)), np.arange(len(rows)) + first] = -np.inf
            best = np.argpartition(-alike, count - 1, axis=1)[:, :count]
            found, they = np.take_along_axis(alike, best, axis=1), among[best]
            by = np.lexsort((they, -found))
            places[rows] = np.take_along_axis(they, by, axis=1)
            cosines[rows] = np.take_along_axis(found, by, axis=1)
    return places, cosines


def graph_of(places: np.ndarray, weights: np.ndarray) -> csr_matrix:
    """The graph of neighbours, csr float[n, n], symmetric. places: int[n, k]; weights: float[n, k], 0 and up."""
    from scipy.sparse import csr_matrix

    n, count = places.shape
    one_way = csr_matrix((weights.ravel(), places.ravel(), np.arange(n + 1) * count), (n, n))
    one_way.eliminate_zeros()
    return one_way.maximum(one_way.T).tocsr()


def consensus(graph: csr_matrix, tell: Progress) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """int[n]: the community of each row on which many tries agree; and the tries.

    Each try is Louvain's method (Blondel et al. 2008, arXiv:0803.0476) with a tenth of the rows left out. Then an
    edge weighs what it did, times the square of how often its ends came together, and Louvain cuts that graph (after
    Lancichinetti and Fortunato 2012, arXiv:1203.6093).
    """
    from scipy.sparse import csr_matrix, triu

    n = graph.shape[0]
    edges = triu(graph).tocoo()
    together, seen = np.zeros(edges.nnz), np.zeros(edges.nnz)
    times = TRIES if n <= ENOUGH else TRIES // 2
    tries: list[tuple[np.ndarray, np.ndarray]] = []
    for kept in without_a_tenth(n, times):
        tell("grouping", len(tries) / times)
        found = louvain(graph[kept][:, kept], FINE, len(tries))
        tries.append((kept, found))
        where = np.full(n, -1)
        where[kept] = found
        both = (where[edges.row] >= 0) & (where[edges.col] >= 0)
        seen += both
        together += both & (where[edges.row] == where[edges.col])
    weights = edges.data * (together / np.maximum(seen, 1)) ** 2
    half = csr_matrix((weights, (edges.row, edges.col)), graph.shape)
    half.eliminate_zeros()
    return louvain(half.maximum(half.T).tocsr(), 1.0, 0), tries


def consensus_of_ward(
    points: np.ndarray, behind: np.ndarray, groups: int
) -> tuple[np.ndarray, list[tuple[np.ndarray, np.ndarray]]]:
    """int[n]: the group of each row on which many tries agree; and the tries.

    Each try is Ward's method with a tenth of the rows left out. Then rows are as far apart as they seldom came
    together, and average linkage cuts them (evidence accumulation, Fred and Jain 2005).
    """
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    n = len(points)
    if n <= TENTH:
        main = ward(points, behind, groups)
        return main, [(kept, ward(points[kept], behind[kept], groups)) for kept in without_a_tenth(n, TENTH)]
    together, seen = np.zeros((n, n)), np.zeros((n, n))
    tries: list[tuple[np.ndarray, np.ndarray]] = []
    for kept in without_a_tenth(n, TRIES):
        found = ward(points[kept], behind[kept], groups)
        tries.append((kept, found))
        seen[np.ix_(kept, kept)] += 1
        together[np.ix_(kept, kept)] += found[:, None] == found[None, :]
    apart = 1 - together / np.maximum(seen, 1)
    np.fill_diagonal(apart, 0)
    tree = linkage(squareform(apart, checks=False), "average")
    return fcluster(tree, groups, "maxclust").astype(int) - 1, tries


def louvain(graph: csr_matrix, resolution: float, seed: int) -> np.ndarray:
    """int[n]: the community of each row, numbered from 0. seed: what the order of going through them hangs on."""
    from sknetwork.clustering import Louvain

    found = Louvain(resolution=resolution, random_state=seed, shuffle_nodes=True).fit_predict(graph)
    return np.asarray(found, dtype=int)


def ward(centres: np.ndarray, sizes: np.ndarray, groups: int) -> np.ndarray:
    """int[m]: the group of each point, by Ward's method (1963), cut into so many groups.

    centres: float[m, d]; sizes: float[m], above 0, how many rows stand at each. By nearest-neighbour chains
    (Murtagh 1983), which no library does for points of different weight.
    """
    m = len(centres)
    if m <= groups:
        return np.arange(m)
    centres, sizes = centres.astype(float).copy(), sizes.astype(float).copy()
    squares = (centres**2).sum(axis=1)
    apart = np.maximum(squares[:, None] + squares[None, :] - 2 * centres @ centres.T, 0)
    apart *= sizes[:, None] * sizes[None, :] / (sizes[:, None] + sizes[None, :])
    np.fill_diagonal(apart, np.inf)
    alive = np.ones(m, bool)
    chain: list[int] = []
    merges: list[tuple[float, int, int]] = []
    while len(merges) < m - 1:
        if not chain:
            chain = [int(np.argmax(alive))]
        while True:
            last = chain[-1]
            near = int(np.argmin(apart[last]))
            if len(chain) > 1 and apart[last, chain[-2]] <= apart[last, near]:
                near = chain[-2]
            if len(chain) > 1 and near == chain[-2]:
                break
            chain.append(near)
        one, two = chain.pop(), chain.pop()
        cost = apart[one, two]
        merges.append((cost, one, two))
        # Lance and Williams' formula for Ward's method; `one` goes on as both.
        whole = sizes[one] + sizes[two]
        new = ((sizes[one] + sizes) * apart[one] + (sizes[two] + sizes) * apart[two] - sizes * cost) / (
            whole + sizes
        )
        new[~alive] = np.inf
        new[[one, two]] = np.inf
        apart[one] = apart[:, one] = new
        apart[two] = apart[:, two] = np.inf
        alive[two] = False
        sizes[one] = whole
    return _cut(m, sorted(merges, key=lambda each: each[0]), groups)


def _cut(m: int, merges: list[tuple[float, int, int]], groups: int) -> np.ndarray:
    parent = list(range(m))

    def top(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    for _, one, two in merges[: m - groups]:
        parent[top(two)] = top(one)
    return np.unique([top(at) for at in range(m)], return_inverse=True)[1]


def _by_micro_clusters(points: np.ndarray, behind: np.ndarray, tell: Progress, dask: Any) -> Grouping:
    def gather(kept: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows = points if len(kept) == len(points) else points[kept]
        where, middles = micro_clusters(rows, min(MICRO, len(rows)), dask=dask)
        sizes = np.maximum(np.bincount(where, weights=behind[kept], minlength=len(middles)), 1e-6)
        return where, middles, ward(middles, sizes, round(2 * np.cbrt(len(rows))))

    where, middles, theirs = gather(np.arange(len(points)))
    tell("grouping", 0.0)
    tries: list[tuple[np.ndarray, np.ndarray]] = []
    for kept in without_a_tenth(len(points), 2):
        tell("checking", len(tries) / 2)
        some, _, their = gather(kept)
        tries.append((kept, their[some]))
    places, cosines = nearest_middles(points, middles, NEAR_MIDDLES)
    return Grouping(theirs[where], _shares(places, weighed(cosines), len(middles)), theirs, tries)


def micro_clusters(
    vectors: np.ndarray, count: int, rounds: int = 5, dask: Any = None
) -> tuple[np.ndarray, np.ndarray]:
    """Gather rows round so many middles: int[n] which, and float[count, d] the middles (Lloyd 1982).

    The middles are found among `LEARNED_FROM` rows for each, spread evenly over all; then every row goes to one.

    dask: a `distributed.Client` whose workers share the blocks; the answer is the same to the last bit, since
    the same blocks are summed in the same order.
    """
    from threadpoolctl import threadpool_limits

    def dealt(rows: np.ndarray) -> list[Any]:
        blocks = [rows[at : at + _BLOCK] for at in range(0, len(rows), _BLOCK)]
        return blocks if dask is None else list(dask.scatter(blocks, hash=False))

    def over(work: Callable[..., Any], blocks: list[Any], middles: np.ndarray) -> list[Any]:
        if dask is None:
            return [work(block, middles) for block in blocks]
        there = dask.scatter(middles, broadcast=True, hash=False)
        return list(dask.gather(dask.map(work, blocks, middles=there, pure=False)))

    some = vectors
    if len(vectors) > LEARNED_FROM * count:
        some = vectors[np.linspace(0, len(vectors) - 1, LEARNED_FROM * count).astype(int)]
    with threadpool_limits(1):
        draw = np.random.default_rng(_SEED).choice(len(some), count, replace=False)
        middles = some[np.sort(draw)].astype(np.float32)
        learned_from = dealt(some)
        for _ in range(rounds):
            sums = np.zeros((count, vectors.shape[1]))
            for block_sums in over(_sum_block, learned_from, middles):
                sums += block_sums
            empty = ~sums.any(axis=1)
            sums[empty] = middles[empty]
            middles = unit(sums)
        return np.concatenate(over(_place_block, dealt(vectors), middles)), middles


def nearest_middles(vectors: np.ndarray, middles: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """For each row the places of the nearest middles, nearest first, and the cosines: int and float32[n, count]."""
    places = np.empty((len(vectors), min(count, len(middles))), int)
    cosines = np.empty(places.shape, np.float32)
    for begins in range(0, len(vectors), _BLOCK):
        block = slice(begins, begins + _BLOCK)
        near = vectors[block] @ middles.T
        places[block] = np.argsort(-near, axis=1, kind="stable")[:, : places.shape[1]]
        cosines[block] = np.take_along_axis(near, places[block], axis=1)
    return places, cosines


def _place_block(block: np.ndarray, middles: np.ndarray) -> np.ndarray:
    return np.asarray((block @ middles.T).argmax(axis=1))


def _sum_block(block: np.ndarray, middles: np.ndarray) -> np.ndarray:
    from scipy.sparse import csr_matrix
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        places = _place_block(block, middles)
        member = csr_matrix(
            (np.ones(len(block)), (places, np.arange(len(block)))), (len(middles), len(block))
        )
        return np.asarray(member @ block.astype(float))
