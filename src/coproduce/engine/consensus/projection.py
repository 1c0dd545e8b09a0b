"""Projection: everybody's votes → a place for each person and each statement, in two dimensions.

The method is Polis's: a vote that was not cast counts as the mean of those that were; two principal components; a
person's place is stretched by how little they voted (Small, Bjorkegren, Erkkilä, Shaw and Megill 2021, "Polis:
Scaling deliberation by mapping high dimensional opinion spaces", Recerca 26(2)). What was not cast is 0 once the
mean is taken away, so the whole matrix of people by statements is never made.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from coproduce.engine.consensus.votes import Votes

_FEW = 24  # so few statements are compared with one another outright: Lanczos has no room there
_NOTHING = 1e-12  # a component with less of the first one's variance than this is rounding, and left out
_EXACT = 1e-12  # what is left over of an eigenvector, by the first eigenvalue
_STEPS = 40
_LIKE = 1 - 1e-6  # entries of a component that are as large as one another


Times = Callable[[np.ndarray], np.ndarray]


class Asked(Protocol):
    """What is asked of votes, wherever they are kept: `votes.Votes` says what each gives."""

    participants: np.ndarray
    statements: np.ndarray

    def __len__(self) -> int: ...
    @property
    def counts(self) -> np.ndarray: ...
    def tally(self) -> np.ndarray: ...
    def sums(self, tables: np.ndarray) -> np.ndarray: ...
    def pull(self, table: np.ndarray) -> np.ndarray: ...
    def tally_by(self, labels: np.ndarray, groups: int) -> np.ndarray: ...
    def rows(self, places: np.ndarray) -> Votes: ...
    def of(self, participant: Hashable) -> tuple[np.ndarray, np.ndarray]: ...


@dataclass(frozen=True)
class Projection:
    """Where people and statements are. P people, M statements.

    mean: float[M], the mean vote on each statement, −1 to 1; 0 where it was taken out or nobody voted.
    components: float[2, M], of length 1, or all 0 where votes don't differ in so many ways. Each one's largest entry
        is positive, the first of those that are as large.
    variances: float[2], the sum over people of their squares along each component.
    points: float[P, 2], where people are. statements: float[M, 2], where somebody would be who agrees with this
        statement and has cast no other vote. extremity: float[M], how far that is from the middle.
    """

    mean: np.ndarray
    components: np.ndarray
    variances: np.ndarray
    points: np.ndarray
    statements: np.ndarray
    extremity: np.ndarray


def project(votes: Asked, taken_out: np.ndarray, start: np.ndarray | None = None) -> Projection:
    """Place everybody.

    taken_out: bool[M], the statements that count as a pass by everybody.
    start: float[2, M], components that are near, from which fewer steps are needed. They change nothing else.

    A person at x = Σ (v − μ) c over their votes v, times √(M / max(n, 1)): M is how many statements have votes,
    n how many of them the person voted on, those taken out among them for everybody, as in Polis.
    """
    wide = len(votes.statements)
    tally = votes.tally().reshape(wide, 3)
    cast = tally.sum(axis=1)
    mean = np.where(taken_out, 0.0, (tally[:, 2] - tally[:, 0]) / np.maximum(cast, 1))
    centred = (np.array([-1.0, 0.0, 1.0]) - mean[:, None]) * ~taken_out[:, None]
    variances, components = _components(votes, centred, float((centred**2 * tally).sum()), start)
    tables = np.column_stack([(centred * one[:, None]).ravel() for one in components])
    known = np.count_nonzero(cast)
    if taken_out.any():
        here = np.repeat(~taken_out, 3).astype(float)
        sums = votes.sums(np.column_stack([tables, here]))
        points, counts = sums[:, :2], sums[:, 2] + np.count_nonzero(taken_out & (cast > 0))
    else:
        points, counts = votes.sums(tables), votes.counts
    points *= np.sqrt(known / np.maximum(counts, 1))[:, None]
    statements = (np.sqrt(known) * (1 - mean) * components).T
    statements[cast == 0] = 0
    return Projection(mean, components, variances, points, statements, np.hypot(*statements.T))


def _components(
    votes: Asked, centred: np.ndarray, whole: float, start: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """The two largest eigenvalues of XᵀX, float[2], and their vectors, float[2, M]. centred: float[M, 3]."""
    wide = len(centred)
    variances, components = np.zeros(2), np.zeros((2, wide))
    if not whole > 0:
        return variances, components

    def times(column: np.ndarray) -> np.ndarray:
        pulled = votes.pull((centred * column.reshape(-1, 1)).ravel())
        return np.asarray((centred * pulled.reshape(-1, 3)).sum(axis=1))

    if wide <= _FEW:
        square = np.column_stack([times(column) for column in np.eye(wide)])
        values, vectors = np.linalg.eigh((square + square.T) / 2)
        found, along = values[::-1][:2], vectors.T[::-1][:2]
    else:
        near = start is not None and start.any(axis=1).all() and _nearby(times, start)
        found, along = near or _lanczos(times, wide)
    for at, (value, vector) in enumerate(zip(found, along, strict=True)):
        if value > _NOTHING * max(found[0], 0):
            sizes = np.abs(vector)
            variances[at] = value
            components[at] = vector * np.sign(vector[np.argmax(sizes >= _LIKE * sizes.max())])
    return variances, components


def _lanczos(times: Times, wide: int) -> tuple[np.ndarray, np.ndarray]:
    """By the implicitly restarted Lanczos method (Lehoucq, Sorensen and Yang 1998, ARPACK), as SciPy has it."""
    from scipy.sparse.linalg import LinearOperator, eigsh

    first = np.random.default_rng(0).standard_normal(wide)  # the same each time, so that the result is too
    square = LinearOperator((wide, wide), matvec=times, dtype=float)
    values, vectors = eigsh(square, k=2, which="LA", v0=first, tol=_EXACT, ncv=min(12, wide))
    order = np.argsort(-values, kind="stable")
    return values[order], vectors.T[order]


def _nearby(times: Times, start: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """By Lanczos (1950) without restarts, from vectors that are near: about half the steps; None if it needs many.

    ARPACK can't make use of them: it looks at what it has only after a round of steps.
    """
    first = start.sum(axis=0)
    # A little of everything, so that what is new is not missed.
    first += 1e-4 * np.random.default_rng(0).standard_normal(len(first)) / np.sqrt(len(first))
    basis = np.empty((_STEPS, len(first)))
    basis[0] = first / np.linalg.norm(first)
    square = np.zeros((_STEPS, _STEPS))
    for step in range(_STEPS - 1):
        known = basis[: step + 1]
        pulled = times(known[-1])
        for _ in range(2):  # twice is enough to stand at right angles to all before
            part = known @ pulled
            pulled = pulled - part @ known
            square[step, step] += part[-1]
        size = np.linalg.norm(pulled)
        values, vectors = np.linalg.eigh(square[: step + 1, : step + 1])
        if step > 2 and size * np.abs(vectors[-1, -2:]).max() <= _EXACT * values[-1]:
            return values[:-3:-1], vectors.T[:-3:-1] @ known
        if not size > _NOTHING * values[-1]:
            return None
        square[step, step + 1] = square[step + 1, step] = size
        basis[step + 1] = pulled / size
    return None
