"""How `find_themes` goes about it: put in order, compare, group, see what lasts, name, choose quotes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix

from coproduce.engine.themes import (
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
from coproduce.engine.themes.words import Said, heard, key_terms, label, said, says_something

LSA_DIMENSIONS = 100
LSA_SHARE = 0.3
LONG_TEXT = 25
"""Where texts mostly have so many words, which words they share counts too, by this share of the whole."""

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
    # What is said twice in the same words is grouped once. The order is by the words themselves.
    places: dict[str, list[int]] = defaultdict(list)
    for at in np.flatnonzero(~aside).tolist():
        places[texts[at]].append(at)
    single = sorted(text for text in places if says_something(text))
    speaking = [at for text in single for at in places[text]]
    behind = np.array([len(places[text]) for text in single], dtype=int)
    embedder = embedder or default_embedder()
    if vectors is not None:
        points = np.ascontiguousarray(vectors[[places[text][0] for text in single]], dtype=np.float32)
        meaning = embedder.name if embedder else LSA
    else:
        points, meaning = embed(single, embedder, progress)
    one = sources is not None and len({sources[at] for at in speaking}) == 1
    way = "terms" if one and len(single) <= ONE_STORY else grouping.way_for(len(single))
    terms = said(single, behind, least=1 if way == "terms" else 2)
    tell("comparing", 0.0)
    if way == "terms":
        groups, own = one_story.group_terms(terms, points, embedder)
        sure = _sureness_of_terms(terms, points, embedder, groups, tell)
    else:
        beside = points
        if meaning != LSA and np.median([text.count(" ") + 1 for text in single] or [0]) >= LONG_TEXT:
            beside = np.hstack([points * np.sqrt(1 - LSA_SHARE), lsa(terms) * np.sqrt(LSA_SHARE)])
        grouped = grouping.group(beside.astype(np.float32), behind, way, tell, dask)
        groups, sure = grouped.memberships(), grouped.sureness()
        kept = np.flatnonzero(
            np.asarray((groups > 0) @ behind).ravel() >= max(2, min(FEWEST, len(speaking) // 3))
        )
        groups, sure = groups[kept], sure[kept]
        own = key_terms(terms, groups, behind)
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
    texts: Sequence[str], embedder: Embedder | None, progress: Progress | None = None
) -> tuple[np.ndarray, str]:
    """The texts' unit vectors, and what they were made with: the embedder, or LSA where there is none."""
    if embedder is not None:
        return embedder.embed(texts, progress), embedder.name
    return lsa(said(texts, np.ones(len(texts)))), LSA


def lsa(said: Said) -> np.ndarray:
    """float32[n, d]: unit vectors by latent semantic analysis (Deerwester et al. 1990) of the texts' terms."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfTransformer

    dimensions = min(LSA_DIMENSIONS, min(said.counts.shape) - 1)
    if dimensions < 2:
        return unit(np.ones((said.counts.shape[0], 1)))
    weighed = TfidfTransformer().fit_transform(said.counts)
    return unit(TruncatedSVD(dimensions, random_state=0).fit_transform(weighed))


def repeated(texts: Sequence[str], sources: Sequence[Hashable]) -> np.ndarray:
    """bool[n]: whether a text is a line that somebody says story after story, to the word but for fillers."""
    stories: dict[str, set[Hashable]] = defaultdict(set)
    lines = [" ".join(re.findall(r"\w+", heard(text).casefold())) for text in texts]
    for line, source in zip(lines, sources, strict=True):
        stories[line].add(source)
    many = max(REPEATED_IN, len(set(sources)) / 5)
    return np.array([len(stories[line]) >= many and line.count(" ") >= 3 for line in lines], dtype=bool)


def _sureness_of_terms(
    terms: Said, points: np.ndarray, embedder: Embedder | None, groups: csr_matrix, tell: Progress
) -> np.ndarray:
    n, k = points.shape[0], groups.shape[0]
    remains = np.zeros(k)
    held = groups.toarray() > 0
    tries = list(grouping.without_a_tenth(n, grouping.TENTH))
    for done, kept in enumerate(tries):
        tell("checking", done / len(tries))
        fewer = Said(terms.counts[kept], terms.names, terms.stems, terms.weights)
        after = one_story.group_terms(fewer, points[kept], embedder)[0].toarray() > 0
        for at in range(k):
            mine = held[at, kept]
            remains[at] += max(
                ((mine & other).sum() / max((mine | other).sum(), 1) for other in after), default=0
            )
    return remains / len(tries)


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
