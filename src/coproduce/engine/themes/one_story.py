"""One story → themes, term by term: too few texts to compare, but enough words to see which are its own."""

from __future__ import annotations

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.sparse import csr_matrix

from coproduce.engine.themes.meaning import Embedder, unit
from coproduce.engine.themes.words import KEPT_TERMS, Said, without_parts, zipf

MOST_TERMS = 200
"""So many of a story's own terms are grouped at most."""

COHERENT = 0.3
"""The terms of a theme are at least this alike, 0 to 1, in the mean of their pairs."""

MANY_TEXTS = 60
"""In a story of so many texts a theme is said in three of them at least; in a shorter one, in two."""

EVERYWHERE = 0.2
"""A term in a larger share of the texts is what the whole story is about, and sets no theme apart."""

MOST_THEMES = 30
"""A story is shown in so many themes at most, those with the most telling terms."""


def group_terms(
    said: Said, vectors: np.ndarray, embedder: Embedder | None
) -> tuple[csr_matrix, list[list[int]]]:
    """The themes of a story: csr[k, texts] how strongly a text is in each, and each theme's terms.

    said: the terms of the texts. vectors: float32[texts, d], what the texts mean.

    Terms are grouped by what they mean, and by the company they keep: the texts they stand in together, and
    what those texts mean. Ward's method makes a tree of them, and its largest branches of terms that are alike
    are the themes.
    """
    often = np.asarray(said.counts.sum(axis=0)).ravel()
    most = max(2, EVERYWHERE * len(vectors))
    ranked = [(column, score) for column, score in key_of_story(said) if often[column] <= most][:MOST_TERMS]
    if len(ranked) < 2:
        return csr_matrix((0, len(vectors))), []
    columns = [column for column, _ in ranked]
    scores = np.array([score for _, score in ranked])
    stands = said.counts[:, columns].toarray()
    about = unit(stands.T @ (vectors - vectors.mean(axis=0)))
    together = unit(stands.T)
    alike = (together @ together.T + np.clip(about @ about.T, 0, 1)) / 2
    if embedder is not None:
        meant = embedder.embed([said.names[column] for column in columns])
        alike = (alike + np.clip(meant @ meant.T, 0, 1)) / 2
    for at, column in enumerate(columns):  # a pair of words belongs with its words
        for part in said.stems[column].split(" ") if " " in said.stems[column] else ():
            for other in (o for o, c in enumerate(columns) if said.stems[c] == part):
                alike[at, other] = alike[other, at] = 1
    # Points whose products are these likenesses, since Ward's method wants points.
    values, axes = np.linalg.eigh((alike + alike.T).astype(float))
    tree = linkage(axes * np.sqrt(np.maximum(values, 0)), "ward")
    fewest = 3 if len(vectors) >= MANY_TEXTS else 2
    themes: list[tuple[float, list[int], np.ndarray]] = []
    for mine in _coherent(tree, alike):
        held = stands[:, mine] @ np.sqrt(scores[mine])
        members = np.flatnonzero(held)
        if len(members) < fewest:
            continue
        middle = unit((vectors[members] * held[members, None]).sum(axis=0))
        strong = np.zeros(len(vectors))
        strong[members] = 0.5 * held[members] / held.max() + 0.5 * np.clip(vectors[members] @ middle, 0, 1)
        shown = sorted(mine, key=lambda at: (often[columns[at]] < 2, at))  # what was said once comes last
        own = without_parts(said, [(columns[at], float(often[columns[at]])) for at in shown])[:KEPT_TERMS]
        themes.append((float(scores[mine].sum()), own, strong))
    themes = sorted(themes, key=lambda theme: (-theme[0], theme[1]))[:MOST_THEMES]
    members_of = np.array([strong for _, _, strong in themes]).reshape(-1, len(vectors))
    return csr_matrix(members_of), [own for _, own, _ in themes]


def _coherent(tree: np.ndarray, alike: np.ndarray) -> list[list[int]]:
    """The largest branches of a tree whose terms are alike enough. tree: as `linkage` gives it."""
    n = len(alike)
    branches = [[at] for at in range(n)]
    whole = [True] * n
    inside: list[float] = [0.0] * n
    parts: list[tuple[int, int]] = []
    for one, two in tree[:, :2].astype(int):
        parts.append((one, two))
        between = alike[np.ix_(branches[one], branches[two])].sum()
        branches.append([*branches[one], *branches[two]])
        inside.append(inside[one] + inside[two] + between)
        size = len(branches[-1])
        whole.append(inside[-1] >= COHERENT * size * (size - 1) / 2)
    found: list[list[int]] = []
    look = [len(branches) - 1]
    while look:
        at = look.pop()
        if whole[at]:
            found.append(sorted(branches[at]))
        else:
            look += parts[at - n]
    return sorted(found)


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
        if count > expected and (count > 1 or len(parts) == 1):
            likely = 2 * (count * np.log(count / expected) - (count - expected))
            found.append((column, float(np.sqrt(likely) * said.weights[column] * np.log1p(count))))
    return sorted(found, key=lambda each: (-each[1], said.stems[each[0]]))
