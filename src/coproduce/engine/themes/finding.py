"""How `find_themes` goes about it: put in order, compare, group, see what lasts, name, choose quotes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from coproduce.engine.themes import (
    ALSO,
    BELONGS,
    FEWEST,
    LSA,
    ONE_STORY,
    Embedder,
    Progress,
    Theme,
    Themes,
    default_embedder,
    grouping,
    one_story,
)
from coproduce.engine.themes.meaning import unit
from coproduce.engine.themes.words import Said, heard, key_terms, label, said, words

LEAVE_OUT = 10
"""How sure a theme is, is seen by leaving out one text in so many."""

TRIES = {20_000: 10, 100_000: 5}
"""Up to so many texts, how many tenths are left out in turn; two of them beyond."""

RELEVANT = (8, 60)
"""Quotes that stand for a theme are rather of so many words."""

REPEATED_IN = 3
"""A line that is said in so many stories, and in a fifth of them all, is an interviewer's."""


def find(
    texts: Sequence[str],
    sources: Sequence[Hashable] | None,
    speakers_asked: Sequence[bool] | None,
    embedder: Embedder | None,
    vectors: np.ndarray | None,
    progress: Progress | None,
    dask: Any,
) -> Themes:
    tell = progress or (lambda _what, _share: None)
    aside = np.array(speakers_asked, dtype=bool) if speakers_asked is not None else np.zeros(len(texts), bool)
    if sources is not None:
        aside |= repeated(texts, sources)
    speaking = [at for at, text in enumerate(texts) if not aside[at] and words(text)]
    # What is said twice in the same words is grouped once. The order is by the words themselves.
    places: dict[str, list[int]] = defaultdict(list)
    for at in speaking:
        places[texts[at]].append(at)
    single = sorted(places)
    behind = np.array([len(places[text]) for text in single], dtype=int)
    embedder = embedder or default_embedder()
    if vectors is not None:
        points = np.ascontiguousarray(vectors[[places[text][0] for text in single]], dtype=np.float32)
        meaning = embedder.name if embedder else LSA
    else:
        points, meaning = embed(single, embedder, progress)
    terms = said(single, behind)

    one = sources is not None and len({sources[at] for at in speaking}) == 1
    way = _way(len(single), one)
    tell("comparing", 0.0)
    if way == "terms":
        groups, own = one_story.group_terms(terms, points, embedder)
        sure = _sureness_of_terms(terms, points, embedder, groups, tell)
    else:
        grouped = _Grouped.of(points, behind, way, dask, tell)
        groups, sure = grouped.memberships(), grouped.sureness(tell)
        kept = np.flatnonzero(
            np.asarray((groups > 0) @ behind).ravel() >= max(2, min(FEWEST, len(speaking) // 3))
        )
        groups, sure = groups[kept], sure[kept]
        own = key_terms(terms, groups.multiply(behind[None, :]).tocsr())
    tell("naming", 0.0)

    themes: list[Theme] = []
    for at in range(groups.shape[0]):
        row = slice(groups.indptr[at], groups.indptr[at + 1])
        mine, strong = groups.indices[row], np.clip(groups.data[row], 0, 1)
        order = np.lexsort((mine, -strong))
        mine, strong = mine[order], strong[order]
        quotes = quotes_for(mine, strong, points, [single[each] for each in mine])
        members = [place for each in mine for place in places[single[each]]]
        named = tuple(terms.names[column] for column in own[at])
        themes.append(
            Theme(
                label=label(named) or _first_words(single[quotes[0]]),
                terms=named,
                members=np.array(members, dtype=int),
                strengths=np.repeat(strong, behind[mine]),
                quotes=tuple(places[single[each]][0] for each in quotes),
                sureness=float(sure[at]),
            )
        )
        tell("naming", (at + 1) / groups.shape[0])
    if way != "terms":
        themes.sort(key=lambda theme: (-len(theme.members), theme.terms, texts[theme.quotes[0]]))
    grouped_texts = np.zeros(len(texts), bool)
    for theme in themes:
        grouped_texts[theme.members] = True
    return Themes(
        themes=tuple(themes),
        none_yet=np.flatnonzero(~grouped_texts & ~aside),
        set_aside=np.flatnonzero(aside),
        way=way,
        meaning=meaning,
    )


def embed(
    texts: Sequence[str], embedder: Embedder | None, progress: Progress | None
) -> tuple[np.ndarray, str]:
    """The texts' unit vectors, and what they were made with: the embedder, or LSA where there is none."""
    if embedder is not None:
        return embedder.embed(texts, progress), embedder.name
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer

    if not texts:
        return np.empty((0, 1), np.float32), LSA
    counts = TfidfVectorizer(
        analyzer=lambda text: [word.stem for word in words(text)] or [text.casefold()], sublinear_tf=True
    ).fit_transform(texts)
    dimensions = min(100, counts.shape[1] - 1, len(texts) - 1)
    if dimensions < 2:
        return unit(np.ones((len(texts), 1), np.float32)), LSA
    return unit(TruncatedSVD(dimensions, random_state=0).fit_transform(counts)), LSA


def repeated(texts: Sequence[str], sources: Sequence[Hashable]) -> np.ndarray:
    """bool[n]: whether a text is a line that somebody says story after story, to the word but for fillers."""
    stories: dict[str, set[Hashable]] = defaultdict(set)
    lines = [" ".join(re.findall(r"\w+", heard(text).casefold())) for text in texts]
    for line, source in zip(lines, sources, strict=True):
        stories[line].add(source)
    many = max(REPEATED_IN, len(set(sources)) / 5)
    return np.array([len(stories[line]) >= many and line.count(" ") >= 3 for line in lines], dtype=bool)


def _way(count: int, one: bool) -> str:
    if one and count <= ONE_STORY:
        return "terms"
    if count < grouping.FEW:
        return "ward"
    return "graph" if count <= grouping.MANY else "micro-clusters"


@dataclass
class _Grouped:
    """Texts in groups, with all that tells how strongly they belong and how sure that is.

    main: int[n], the group of each text. near: csr[n, p], how near each text is to its nearest other texts, or
    micro-clusters; rows sum to 1. theirs: int[p], the group of each of those. again: groups some of the texts
    anew, as if there were no others.
    """

    main: np.ndarray
    near: csr_matrix
    theirs: np.ndarray
    again: Callable[[np.ndarray], np.ndarray]

    @staticmethod
    def of(points: np.ndarray, behind: np.ndarray, way: str, dask: Any, tell: Progress) -> _Grouped:
        n = len(points)
        if way == "micro-clusters":

            def gather(kept: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
                rows = points if len(kept) == n else points[kept]
                where, middles = grouping.micro_clusters(rows, min(grouping.MICRO, len(rows)), dask=dask)
                sizes = np.maximum(np.bincount(where, minlength=len(middles)), 1e-6)
                return where, middles, grouping.ward(middles, sizes, round(2 * np.cbrt(len(rows))))

            def among_many(kept: np.ndarray) -> np.ndarray:
                where, _, theirs = gather(kept)
                return theirs[where]

            where, middles, theirs = gather(np.arange(n))
            tell("grouping", 0.0)
            places, cosines = grouping.nearest_middles(points, middles, grouping.NEAR_MIDDLES)
            return _Grouped(
                theirs[where], _shares(places, _weights(cosines), len(middles)), theirs, among_many
            )

        count = grouping.NEIGHBOURS if n >= grouping.FEW else max(2, round(np.sqrt(n) / 1.5))
        places, cosines = grouping.neighbours(points, count)
        # What was said in the same words more than once is near itself, too.
        places = np.concatenate([np.arange(n)[:, None], places], axis=1)
        weights = np.concatenate([np.minimum(behind - 1, count)[:, None], _weights(cosines)], axis=1)
        tell("grouping", 0.0)
        if way == "ward":

            def again(kept: np.ndarray) -> np.ndarray:
                return grouping.ward(points[kept], behind[kept], max(2, round(np.sqrt(len(kept)))))
        else:
            graph = grouping.graph_of(places, weights)

            def again(kept: np.ndarray) -> np.ndarray:
                return grouping.louvain(graph if len(kept) == n else graph[kept][:, kept])

        main = again(np.arange(n))
        return _Grouped(main, _shares(places, weights, n), main, again)

    def memberships(self) -> csr_matrix:
        """csr[k, n]: how strongly each text is in each group: the share of what is near it that is."""
        k = int(self.main.max(initial=-1)) + 1
        member = csr_matrix(
            (np.ones(len(self.theirs)), (np.arange(len(self.theirs)), self.theirs)), (len(self.theirs), k)
        )
        shares = (self.near @ member).tocsr()
        rows = np.repeat(np.arange(shares.shape[0]), np.diff(shares.indptr))
        own = shares.indices == self.main[rows]
        shares.data[~((own & (shares.data >= BELONGS)) | (shares.data >= ALSO))] = 0
        shares.eliminate_zeros()
        return shares.T.tocsr()

    def sureness(self, tell: Progress) -> np.ndarray:
        """float[k]: for each group the mean of how much of it remains (Jaccard; Hennig 2007) in the most like."""
        n, k = len(self.main), int(self.main.max(initial=-1)) + 1
        tries = next((tries for most, tries in TRIES.items() if n <= most), 2)
        turn = np.random.default_rng(0).permutation(n) % LEAVE_OUT
        remains = np.zeros(k)
        for left in range(tries):
            tell("checking", left / tries)
            kept = np.flatnonzero(turn != left)
            remains += _best_overlap(self.main[kept], self.again(kept), k)
        return remains / tries


def _weights(cosines: np.ndarray) -> np.ndarray:
    return np.maximum(cosines.astype(float), 0.01) ** grouping.SHARP


def _shares(places: np.ndarray, weights: np.ndarray, many: int) -> csr_matrix:
    """csr[n, many]: what is near each row, by how near it is, in shares of 1."""
    weights = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)
    n, count = places.shape
    return csr_matrix((weights.ravel(), places.ravel(), np.arange(n + 1) * count), (n, many))


def _best_overlap(before: np.ndarray, after: np.ndarray, k: int) -> np.ndarray:
    """float[k]: of each group before, the largest Jaccard overlap with a group after."""
    both = csr_matrix((np.ones(len(before)), (before, after)), (k, int(after.max(initial=-1)) + 1))
    one, two = np.bincount(before, minlength=k), np.bincount(after)
    overlap = both.tocoo()
    share = overlap.data / (one[overlap.row] + two[overlap.col] - overlap.data)
    best = np.zeros(k)
    np.maximum.at(best, overlap.row, share)
    return best


def _sureness_of_terms(
    terms: Said, points: np.ndarray, embedder: Embedder | None, groups: csr_matrix, tell: Progress
) -> np.ndarray:
    n, k = points.shape[0], groups.shape[0]
    turn = np.random.default_rng(0).permutation(n) % LEAVE_OUT
    remains = np.zeros(k)
    held = groups.toarray() > 0
    for left in range(LEAVE_OUT):
        tell("checking", left / LEAVE_OUT)
        kept = np.flatnonzero(turn != left)
        fewer = Said(terms.counts[kept], terms.names, terms.stems, terms.weights)
        after = one_story.group_terms(fewer, points[kept], embedder)[0].toarray() > 0
        for at in range(k):
            mine = held[at, kept]
            remains[at] += max(
                ((mine & other).sum() / max((mine | other).sum(), 1) for other in after), default=0
            )
    return remains / LEAVE_OUT


def quotes_for(mine: np.ndarray, strong: np.ndarray, points: np.ndarray, texts: Sequence[str]) -> list[int]:
    """Three to five of a theme's texts that stand for it and differ from one another.

    mine: int[m], its texts, the strongest first; strong: float[m]; texts: their words. By maximal marginal
    relevance (Carbonell and Goldstein 1998), with less for very short and very long ones.
    """
    most = 5 if len(mine) >= 30 else 4 if len(mine) >= 12 else 3
    among = np.arange(min(len(mine), 500))
    vectors = points[mine[among]]
    middle = unit((vectors * strong[among, None]).sum(axis=0))
    lengths = np.array([len(texts[int(at)].split()) for at in among])
    fits = np.where(
        lengths < RELEVANT[0], lengths / RELEVANT[0], np.minimum(1, RELEVANT[1] / np.maximum(lengths, 1))
    )
    stands = (vectors @ middle + strong[among] / 2) * (0.5 + 0.5 * fits)
    chosen: list[int] = []
    echo = np.zeros(len(among))
    while len(chosen) < min(most, len(among)):
        score = stands - 0.7 * echo
        score[chosen] = -np.inf
        best = int(np.argmax(score))
        chosen.append(best)
        echo = np.maximum(echo, vectors @ vectors[best])
    return [int(mine[at]) for at in chosen]


def _first_words(text: str) -> str:
    """A label for a theme without a term of its own: how its first quote begins."""
    first = heard(text).split()
    return " ".join(first[:6]) + ("…" if len(first) > 6 else "")
