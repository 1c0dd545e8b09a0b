"""Vectors → groups of those that mean much the same, by the way that fits how many there are.

Every function here gives the same answer for the same rows in the same order; `find_themes` sees to the order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from coproduce.engine.themes.meaning import unit

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

FEW = 300
"""Under this many texts Ward's method groups them; from here on, a graph of neighbours."""

EXACT = 10_000
"""Up to this many texts every pair is compared; above, neighbours are found by HNSW."""

MANY = 200_000
"""Above this many texts they are first gathered into micro-clusters."""

NEIGHBOURS = 15
"""How many neighbours a text has in the graph."""

RESOLUTION = 2.0
"""How fine the graph is cut: the resolution of modularity (Reichardt and Bornholdt 2006)."""

SHARP = 4
"""Cosines are taken to this power as weights, so that near neighbours count for more than far ones."""

MICRO = 2_000
"""So many micro-clusters at most."""

NEAR_MIDDLES = 4
"""A text's nearest micro-clusters, so many of them, tell how strongly it is in a group."""

_BLOCK = 4_096  # rows that are compared at once; sums are taken block by block, wherever a block is worked on
_SEED = 1


def neighbours(vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Each row's nearest other rows, nearest first: int[n, k] and float32[n, k] cosines, k = min(count, n - 1).

    Up to `EXACT` rows all are compared. Above, by hierarchical navigable small worlds (Malkov and Yashunin
    2018, arXiv:1603.09320) on one thread, which finds nearly all of them.
    """
    count = min(count, len(vectors) - 1)
    if count <= 0:
        return np.empty((len(vectors), 0), int), np.empty((len(vectors), 0), np.float32)
    if len(vectors) > EXACT:
        return _small_worlds(vectors, count)
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


def _small_worlds(vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    from voyager import Index, Space

    index = Index(Space.InnerProduct, vectors.shape[1], M=12, ef_construction=100, random_seed=_SEED)
    index.add_items(vectors, num_threads=1)
    places, _ = index.query(vectors, k=count + 1, num_threads=1, query_ef=60)
    places = places.astype(int)
    own = places == np.arange(len(vectors))[:, None]
    own[~own.any(axis=1), -1] = True  # a text that does not find itself among its nearest
    places = places[~own].reshape(len(vectors), count)
    cosines = _cosines(vectors, places)
    order = np.lexsort((places, -cosines))
    return np.take_along_axis(places, order, axis=1), np.take_along_axis(cosines, order, axis=1)


def _cosines(vectors: np.ndarray, places: np.ndarray) -> np.ndarray:
    found = np.empty(places.shape, np.float32)
    for begins in range(0, len(vectors), 1024):
        block = slice(begins, begins + 1024)
        found[block] = np.einsum("nd,nkd->nk", vectors[block], vectors[places[block]])
    return found


def graph_of(places: np.ndarray, weights: np.ndarray) -> csr_matrix:
    """The graph of neighbours, csr float[n, n], symmetric. places: int[n, k]; weights: float[n, k], 0 and up."""
    from scipy.sparse import csr_matrix

    n, count = places.shape
    one_way = csr_matrix((weights.ravel(), places.ravel(), np.arange(n + 1) * count), (n, n))
    one_way.eliminate_zeros()
    return one_way.maximum(one_way.T).tocsr()


def louvain(graph: csr_matrix, resolution: float = RESOLUTION) -> np.ndarray:
    """int[n]: the community of each row, numbered from 0 (Blondel et al. 2008, arXiv:0803.0476)."""
    from sknetwork.clustering import Louvain

    found = Louvain(resolution=resolution, random_state=_SEED, shuffle_nodes=False).fit_predict(graph)
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


def micro_clusters(
    vectors: np.ndarray, count: int, rounds: int = 5, dask: Any = None
) -> tuple[np.ndarray, np.ndarray]:
    """Gather rows round so many middles: int[n] which, and float[count, d] the middles (Lloyd 1982).

    dask: a `distributed.Client` whose workers share the blocks; the answer is the same to the last bit, since
    the same blocks are summed in the same order.
    """
    from threadpoolctl import threadpool_limits

    blocks = [vectors[at : at + _BLOCK] for at in range(0, len(vectors), _BLOCK)]
    over: Callable[..., list[Any]]
    if dask is None:
        over = lambda work, middles: [work(block, middles) for block in blocks]  # noqa: E731
    else:
        held = dask.scatter(blocks)
        over = lambda work, middles: dask.gather(  # noqa: E731
            dask.map(work, held, middles=dask.scatter(middles, broadcast=True), pure=False)
        )
    with threadpool_limits(1):
        draw = np.random.default_rng(_SEED).choice(len(vectors), count, replace=False)
        middles = vectors[np.sort(draw)].astype(np.float32)
        for _ in range(rounds):
            sums = np.zeros((count, vectors.shape[1]))
            for block_sums in over(_sum_block, middles):
                sums += block_sums
            empty = ~sums.any(axis=1)
            sums[empty] = middles[empty]
            middles = unit(sums)
        return np.concatenate(over(_place_block, middles)), middles


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
