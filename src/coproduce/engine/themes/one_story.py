"""One story → themes, term by term: too few texts to compare, but enough words to see which are its own."""

from __future__ import annotations

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse import csr_matrix
from scipy.spatial.distance import squareform

from coproduce.engine.themes.meaning import Embedder, unit
from coproduce.engine.themes.words import Said, zipf

MOST_TERMS = 80
"""So many of a story's own terms are grouped at most."""


def group_terms(
    said: Said, vectors: np.ndarray, embedder: Embedder | None
) -> tuple[csr_matrix, list[list[int]]]:
    """The themes of a story: csr[k, texts] how strongly a text is in each, and each theme's terms.

    said: the terms of the texts. vectors: float32[texts, d], what the texts mean.

    Terms are grouped by the company they keep: the statements they stand in together, what those statements
    mean, and what the terms mean themselves.
    """
    ranked = key_of_story(said)[:MOST_TERMS]
    if len(ranked) < 2:
        return csr_matrix((0, said.counts.shape[0])), []
    columns = [column for column, _ in ranked]
    stands = said.counts[:, columns].toarray()
    about = unit(stands.T @ (vectors - vectors.mean(axis=0)))
    alike = [_cosines(stands.T), np.clip(about @ about.T, 0, 1)]
    if embedder is not None:
        meant = embedder.embed([said.names[column] for column in columns])
        alike.append(np.clip(meant @ meant.T, 0, 1))
    apart = np.clip(1 - np.mean(alike, axis=0), 0, 1)
    np.fill_diagonal(apart, 0)
    tree = linkage(squareform(apart, checks=False), "average")
    count = max(2, round(np.sqrt(said.counts.shape[0]) * 1.5))
    groups = fcluster(tree, min(len(columns), count), "maxclust") - 1
    scores = np.array([score for _, score in ranked])
    themes: list[tuple[float, list[int], np.ndarray]] = []
    for group in range(groups.max() + 1):
        mine = np.flatnonzero(groups == group)
        held = stands[:, mine] @ np.sqrt(scores[mine])
        members = np.flatnonzero(held)
        if len(members) < 2:
            continue
        middle = unit((vectors[members] * held[members, None]).sum(axis=0))
        strong = np.zeros(len(vectors))
        strong[members] = 0.5 * held[members] / held.max() + 0.5 * np.clip(vectors[members] @ middle, 0, 1)
        themes.append((float(scores[mine].sum()), [columns[at] for at in mine], strong))
    themes.sort(key=lambda theme: (-theme[0], theme[1]))
    return csr_matrix(np.array([strong for _, _, strong in themes]).reshape(-1, len(vectors))), [
        own for _, own, _ in themes
    ]


def key_of_story(said: Said) -> list[tuple[int, float]]:
    """The columns of `said` that are key to the story, with how much, the most first.

    By log-likelihood against English at large (Dunning 1993; Rayson and Garside 2000), times what a term says
    by being rare; a pair of words is as rare as its rarer word, a tenth as often.
    """
    often = np.asarray(said.counts.sum(axis=0)).ravel()
    spoken = 40 * said.counts.shape[0]
    found = []
    for column, (name, count) in enumerate(zip(said.names, often, strict=True)):
        parts = name.casefold().split()
        common = min(zipf(part) for part in parts) - (1 if len(parts) > 1 else 0)
        expected = spoken * 10 ** (max(common, 1.0) - 9)
        if count > expected:
            likely = 2 * (count * np.log(count / expected) - (count - expected))
            found.append((column, float(np.sqrt(likely) * said.weights[column] * np.log1p(count))))
    return sorted(found, key=lambda each: (-each[1], said.stems[each[0]]))


def _cosines(rows: np.ndarray) -> np.ndarray:
    rows = unit(rows)
    return np.asarray(rows @ rows.T)
