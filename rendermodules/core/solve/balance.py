"""How much matches of different kinds count: as much as they are exact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from rendermodules.core.solve.arrays import BoolArray, FloatArray, IntArray
from rendermodules.core.solve.reweighting import ALWAYS_KEPT, pair_residuals
from rendermodules.core.solve.stages import Problem, Shaping

MOST_ROUNDS = 6
"""Times that the factors are found anew."""

STEADY_RATIO = 1.25
"""Factors are settled when none changes by more than this."""

SMALLEST_RESIDUAL = 0.02
"""Pixels. Smaller residuals tell of few matches rather than of exact ones."""

Stage = Callable[[Problem, FloatArray], tuple[Shaping, BoolArray]]
"""From a problem and coefficients to start from to the result and the pairs that gave it."""


@dataclass(frozen=True)
class Balanced:
    """A stage with matches weighted by how exact they are.

    Attributes
    ----------
    problem : Problem
        Tiles and matches with their new weights.
    start : (t, 2, 3) float array
        Coefficients that the last round started from.
    shaping : Shaping
        Its result.
    kept : (m,) bool array
        The pairs that gave it.
    factors : dict of int to float
        The factor of the weights of each kind, 1 for the most exact one.
    """

    problem: Problem
    start: FloatArray
    shaping: Shaping
    kept: BoolArray
    factors: dict[int, float]


def balanced(problem: Problem, kinds: IntArray, stage: Stage, start: FloatArray) -> Balanced:
    """Return a stage with the matches of each kind weighted by how exact they are.

    Matches within a section are often a hundred times as exact as those across sections, where tissue differs. Counted
    alike, the many rough ones would tear the seams that the exact ones close.

    Parameters
    ----------
    problem : Problem
        Tiles and matches.
    kinds : (m,) int array
        Kind of each pair; those of ``ALWAYS_KEPT`` keep their weight.
    stage : callable
        What is solved.
    start : (t, 2, 3) float array
        Coefficients to start from.

    Notes
    -----
    Weights are those of the inverse variance, found with the fit in turn: estimation of variance components, with the
    median residual of the pairs of a kind in place of their variance, since that forgives wrong pairs. Every round
    starts from the tiles of the one before, in their shapes: rough matches bend the tiles of a section alike, and the
    exact ones then close what seams that has opened.

    References
    ----------
    .. [1] Helmert, "Die Ausgleichungsrechnung nach der Methode der kleinsten Quadrate", 2nd edition (1907).
    """
    members = {int(kind): kinds == kind for kind in np.unique(kinds[kinds != ALWAYS_KEPT])}
    result = Balanced(problem, start, *stage(problem, start), dict.fromkeys(members, 1.0))
    if len(members) < 2:
        return result
    for _ in range(MOST_ROUNDS):
        found = _factors(pair_residuals(problem.moments, result.shaping.coefficients), members, result.kept)
        changes = [max(found[kind] / result.factors[kind], result.factors[kind] / found[kind]) for kind in members]
        if max(changes) <= STEADY_RATIO:
            break
        weighted = np.ones(len(kinds))
        for kind, chosen in members.items():
            weighted[chosen] = found[kind]
        part = replace(problem, moments=problem.moments.scaled(weighted))
        begin = result.shaping.coefficients[:, :, :3]
        result = Balanced(part, begin, *stage(part, begin), found)
    return result


def _factors(residuals: FloatArray, members: dict[int, BoolArray], kept: BoolArray) -> dict[int, float]:
    scales = {}
    for kind, chosen in members.items():
        judged = residuals[chosen & kept] if np.any(chosen & kept) else residuals[chosen]
        scales[kind] = max(float(np.median(judged)), SMALLEST_RESIDUAL)
    least = min(scales.values())
    return {kind: (least / scale) ** 2 for kind, scale in scales.items()}
