"""How much matches of different kinds count: as much as they are exact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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


def balanced(
    problem: Problem, kinds: IntArray, stage: Stage, start: FloatArray
) -> tuple[Shaping, BoolArray, dict[int, float]]:
    """Return the result of a stage with the matches of each kind weighted by how exact they are.

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

    Returns
    -------
    Shaping, (m,) bool array, dict of int to float
        The result, the pairs that gave it, and the factor of the weights of each kind, 1 for the most exact one.

    Notes
    -----
    Weights are those of the inverse variance, found with the fit in turn: estimation of variance components, with the
    median residual of the pairs of a kind in place of their variance, since that forgives wrong pairs.

    References
    ----------
    .. [1] Helmert, "Die Ausgleichungsrechnung nach der Methode der kleinsten Quadrate", 2nd edition (1907).
    """
    members = {int(kind): kinds == kind for kind in np.unique(kinds[kinds != ALWAYS_KEPT])}
    factors = dict.fromkeys(members, 1.0)
    shaping, kept = stage(problem, start)
    if len(members) < 2:
        return shaping, kept, factors
    for _ in range(MOST_ROUNDS):
        found = _factors(pair_residuals(problem.moments, shaping.coefficients), members, kept)
        changes = [max(found[kind] / factors[kind], factors[kind] / found[kind]) for kind in members]
        if max(changes) <= STEADY_RATIO:
            break
        factors = found
        weighted = np.ones(len(kinds))
        for kind, chosen in members.items():
            weighted[chosen] = factors[kind]
        part = replace(problem, moments=problem.moments.scaled(weighted))
        shaping, kept = stage(part, shaping.coefficients[:, :, :3])
    return shaping, kept, factors


def _factors(residuals: FloatArray, members: dict[int, BoolArray], kept: BoolArray) -> dict[int, float]:
    scales = {}
    for kind, chosen in members.items():
        judged = residuals[chosen & kept] if np.any(chosen & kept) else residuals[chosen]
        scales[kind] = max(float(np.median(judged)), SMALLEST_RESIDUAL)
    least = min(scales.values())
    return {kind: (least / scale) ** 2 for kind, scale in scales.items()}
