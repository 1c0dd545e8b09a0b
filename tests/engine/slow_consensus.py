"""The published formulas, written out one number at a time, to hold the engine against. Slow, and meant to be.

Sources: Small, Bjorkegren, Erkkilä, Shaw and Megill 2021 (Recerca 26(2)); `math/src/polismath/math` of
compdemocracy/polis for the rules of choosing and grouping.
"""

from __future__ import annotations

import math

import numpy as np

Given = dict[tuple[int, int], int]  # participant, statement → the last vote


def projected(given: Given, out: set[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Points, statements, mean and the three largest singular values squared, with the dense matrix and a full SVD."""
    people = {one: place for place, one in enumerate(sorted({p for p, _ in given}))}
    statements = {one: place for place, one in enumerate(sorted({s for _, s in given}))}
    matrix = np.full((len(people), len(statements)), np.nan)
    for (person, statement), vote in given.items():
        matrix[people[person], statements[statement]] = vote
    for statement, place in statements.items():
        if statement in out:
            matrix[:, place] = 0
    mean = np.array([np.mean([one for one in column if not np.isnan(one)]) for column in matrix.T])
    centred = np.where(np.isnan(matrix), mean, matrix) - mean
    _, sizes, along = np.linalg.svd(centred, full_matrices=False)
    sizes = np.append(sizes, [0, 0])[:3]
    along = along[:2] * (sizes[: len(along[:2]), None] ** 2 > 1e-12 * sizes[0] ** 2)
    along = np.vstack([along, np.zeros((2 - len(along), len(statements)))])
    points = []
    for row, before in zip(centred, matrix, strict=True):
        n = np.count_nonzero(~np.isnan(before))
        points.append(along @ row * math.sqrt(len(statements) / max(n, 1)))
    spots = [
        math.sqrt(len(statements)) * (1 - mean[place]) * along[:, place] for place in range(len(statements))
    ]
    return np.array(points), np.array(spots), mean, sizes**2


def measured(given: Given, group_of: dict[int, int], groups: int) -> dict[tuple[int, int], dict[str, float]]:
    """For each group and statement, everything that `statements.Statistics` has."""
    statements = sorted({s for _, s in given})
    found = {}
    for group in range(groups):
        for statement in statements:
            inside = [v for (p, s), v in given.items() if s == statement and group_of.get(p) == group]
            outside = [
                v for (p, s), v in given.items() if s == statement and p in group_of and group_of[p] != group
            ]
            figures: dict[str, float] = {"seen": len(inside)}
            for name, vote in (("agree", 1), ("disagree", -1)):
                n, ns, m, ms = inside.count(vote), len(inside), outside.count(vote), len(outside)
                p = (n + 1) / (ns + 2)
                both = (n + 1 + m + 1) / (ns + 1 + ms + 1)
                z = 0.0
                if both != 1:
                    spread = math.sqrt(both * (1 - both) * (1 / (ns + 1) + 1 / (ms + 1)))
                    z = ((n + 1) / (ns + 1) - (m + 1) / (ms + 1)) / spread
                figures |= {
                    name: n,
                    f"p_{name}": p,
                    f"p_{name}_z": 2 * math.sqrt(ns + 1) * ((n + 1) / (ns + 1) - 0.5),
                    f"more_{name}": p / ((m + 1) / (ms + 2)),
                    f"more_{name}_z": z,
                }
            found[group, statement] = figures
    return found


def chosen(
    figures: dict[tuple[int, int], dict[str, float]], group: int, out: set[int]
) -> list[tuple[int, bool]]:
    """What stands for a group: statement and whether they agree, by Polis's walk over statements in order."""
    rows = [(s, row) for (g, s), row in sorted(figures.items()) if g == group and s not in out]
    best_agree = best_any = None
    sure = []
    for statement, row in rows:
        agree_sure = row["p_agree_z"] > 1.2816 and row["more_agree_z"] > 1.2816
        disagree_sure = row["p_disagree_z"] > 1.2816 and row["more_disagree_z"] > 1.2816
        if agree_sure or disagree_sure:
            sure.append((statement, row))
        if row["agree"] or row["disagree"]:
            if best_agree is None:
                better = row["p_agree_z"] > 1.2816 or (row["more_agree"] > 1 and row["p_agree"] > 0.5)
            elif best_agree[1]["more_agree"] > 1:
                names = ("more_agree", "more_agree_z", "p_agree", "p_agree_z")
                better = product(row, names) > product(best_agree[1], names)
            else:
                names = ("p_agree", "p_agree_z")
                better = product(row, names) > product(best_agree[1], names)
            if better:
                best_agree = (statement, row)
        test = max(row["more_agree_z"], row["more_disagree_z"])
        if best_any is None or test > max(best_any[1]["more_agree_z"], best_any[1]["more_disagree_z"]):
            best_any = (statement, row)
    sure.sort(key=lambda one: -weight(one[1]))
    head = [best_agree] if best_agree else ([] if sure else [best_any] if best_any else [])
    picked = (head + [one for one in sure if not head or one[0] != head[0][0]])[:5]
    ends = [(statement, agrees(row)) for statement, row in picked]
    return [one for one in ends if one[1]] + [one for one in ends if not one[1]]


def agrees(row: dict[str, float]) -> bool:
    return row["more_agree_z"] > row["more_disagree_z"]


def weight(row: dict[str, float]) -> float:
    name = "agree" if agrees(row) else "disagree"
    return product(row, (f"more_{name}", f"more_{name}_z", f"p_{name}", f"p_{name}_z"))


def product(row: dict[str, float], names: tuple[str, ...]) -> float:
    found = 1.0
    for name in names:
        found *= row[name]
    return found


def priority(given: Given, people: set[int], statement: int, extremity: float) -> float:
    votes = [v for (p, s), v in given.items() if s == statement and p in people]
    a, p, s = votes.count(1), votes.count(0), len(votes)
    whole = (1 - (p + 1) / (s + 2)) * (extremity + 1) * ((a + 1) / (s + 2)) * (1 + 8 * 2 ** (-s / 5))
    return whole**2


def polis_kmeans(
    points: list[tuple[float, float]], weights: list[float], k: int, rounds: int
) -> list[set[int]]:
    """Who is with whom, by Polis's k-means: first k points that differ, until no middle moves by 0.01."""
    middles: list[tuple[float, float]] = []
    for point in points:
        if point not in middles and len(middles) < k:
            middles.append(point)
    while True:
        members: list[list[int]] = [[] for _ in middles]
        for at, point in enumerate(points):
            far = [(point[0] - x) ** 2 + (point[1] - y) ** 2 for x, y in middles]
            members[far.index(min(far))].append(at)
        members = [one for one in members if one]
        new = [
            tuple(
                sum(weights[at] * points[at][axis] for at in one) / sum(weights[at] for at in one)
                for axis in (0, 1)
            )
            for one in members
        ]
        still = all(
            math.dist(one, two) < 0.01 for one, two in zip(sorted(middles), sorted(new), strict=False)
        )
        if still or rounds == 0:
            return [set(one) for one in members]
        middles, rounds = new, rounds - 1
