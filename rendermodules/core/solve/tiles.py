"""Transforms of all tiles at once from the matches between them.

A solve turns, places and shapes. Turns come from the matches where the prior's are far off. Placing moves tiles as
they are, by translations or rigid motions, finds the lens that they share, and rejects pairs that contradict the
others. Shaping lets tiles depart from there, by affines, polynomials or splines, as far as the matches support it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.linalg import LinAlgError

from rendermodules.core.connectivity import component_labels, pair_counts, pairs_within
from rendermodules.core.solve.arrays import BoolArray, FloatArray, IntArray
from rendermodules.core.solve.balance import Balanced, balanced
from rendermodules.core.solve.bases import Basis, polynomial_basis, spline_basis
from rendermodules.core.solve.lens import Lens
from rendermodules.core.solve.lens_fit import fitted_lens
from rendermodules.core.solve.matches import CheckedMatches, PairMatches, checked_matches, concatenated, z_distances
from rendermodules.core.solve.moments import TileFrames, pair_moments
from rendermodules.core.solve.motions import Motions
from rendermodules.core.solve.options import NO_ANCHORS, Anchors, NoMatchesError, SolveError, SolveOptions, TileSet
from rendermodules.core.solve.placement import CORNERS, coefficients_of, moved_with_neighbours
from rendermodules.core.solve.quality import shape_warnings, statistics
from rendermodules.core.solve.reweighting import ALWAYS_KEPT, Reweighting, pair_residuals
from rendermodules.core.solve.solution import Solution
from rendermodules.core.solve.stages import Problem, Shaping, prior_motions, staged


def solved_tiles(
    tiles: TileSet,
    matches: PairMatches,
    options: SolveOptions,
    anchors: Anchors = NO_ANCHORS,
    start: FloatArray | None = None,
) -> Solution:
    """Return the transforms that bring matched points of all tiles together.

    Parameters
    ----------
    tiles : TileSet
        Tiles with their prior.
    matches : PairMatches
        Matches between them, with the weights that they shall have.
    options : SolveOptions
        Model, gauge and regularisation.
    anchors : Anchors
        Places where some tiles are wished to be.
    start : (t, 2, 3) float array, optional
        Affines to begin from in place of the prior, such as those of an earlier solve. They save time only.

    Returns
    -------
    Solution
        Nothing given is changed; the same input gives the same output.

    Raises
    ------
    NoMatchesError
        There are several tiles, and no match that can be used.
    SolveError
        There are no tiles; or the regularisation that was asked for does not hold the tiles.
    """
    made = preparation(tiles, matches, options, anchors, start)
    try:
        result = balanced_stages(made, options)
    except LinAlgError as error:
        advice = "" if options.regularization is None else "; a greater regularization holds them"
        raise SolveError(f"{error}{advice}") from error
    solution = _solution(tiles, made, result.shaping, result.kept, options)
    return replace(solution, balance=made.by_distance(result.factors))


def balanced_stages(made: Preparation, options: SolveOptions) -> Balanced:
    """Return what becomes of the tiles, with matches weighted by how exact they are if the options say so."""

    def stage(problem: Problem, begin: FloatArray) -> tuple[Shaping, BoolArray]:
        return staged(problem, prior_motions(begin), made.basis, options)

    kinds = made.kinds if options.balances else np.full_like(made.kinds, ALWAYS_KEPT)
    return balanced(made.problem, kinds, stage, made.motions.coefficients)


@dataclass(frozen=True)
class Preparation:
    """What is computed before anything is solved but the lenses.

    Attributes
    ----------
    checked : CheckedMatches
        What became of the matches.
    problem : Problem
        Tiles, anchors and matches in the coordinates of the solve.
    motions : Motions
        Where the tiles begin.
    basis : Basis
        Of the model.
    lenses : dict of int to Lens
        By lens group, those that were found.
    distances : (k,) float array
        In z, of the pairs that there are.
    kinds : (m,) int array
        Index of the distance of each pair of the problem; ``ALWAYS_KEPT`` for anchors and pairs of two fixed tiles.
    """

    checked: CheckedMatches
    problem: Problem
    motions: Motions
    basis: Basis
    lenses: dict[int, Lens]
    distances: FloatArray
    kinds: IntArray

    def by_distance(self, factors: dict[int, float]) -> dict[float, float]:
        """Return factors of kinds by their distance in z."""
        return {float(self.distances[kind]): factor for kind, factor in factors.items()}


def preparation(
    tiles: TileSet,
    matches: PairMatches,
    options: SolveOptions,
    anchors: Anchors = NO_ANCHORS,
    start: FloatArray | None = None,
) -> Preparation:
    """Return what a solve begins with; parameters and errors are those of `solved_tiles`."""
    if not len(tiles):
        raise SolveError("there are no tiles to solve")
    checked = checked_matches(matches, len(tiles), options.minimum_points, options.maximum_points, options.seed)
    if len(tiles) > 1 and not len(checked.matches.pairs):
        raise NoMatchesError(f"no matches that a solve can use: {dropped_text(checked, len(matches.pairs))}")
    distances, kinds = _pair_kinds(tiles, checked.matches.pairs)
    everything, pairs = _with_anchors(tiles, checked.matches, anchors)
    frames = _frames(everything)
    prior = coefficients_of(everything.priors, frames)
    begin = prior.copy()
    if start is not None:
        begin[: len(tiles)] = coefficients_of(start, replace(frames, centres=frames.centres[: len(tiles)]))
    lenses = _lenses(tiles, checked.matches, kinds, frames, begin[: len(tiles)], options)
    basis = _basis(everything, frames, options)
    moments = pair_moments(_through_lenses(pairs, everything.lens_groups, lenses), frames, basis.values, basis.size)
    kinds = np.concatenate([kinds, np.full(len(anchors.tiles), ALWAYS_KEPT)])
    problem = Problem(
        moments, frames, prior, everything.sizes, everything.fixed, Reweighting(kinds) if options.robust else None
    )
    return Preparation(checked, problem, prior_motions(begin), basis, lenses, distances, kinds)


def dropped_text(checked: CheckedMatches, given: int) -> str:
    """Return how many pairs were given and why which were dropped, in words."""
    reasons = [f"{len(indices)} {reason}" for reason, indices in checked.dropped.items()]
    reasons += [f"{count} points: {reason}" for reason, count in checked.points_dropped.items()]
    return f"{given} pairs given" + (", dropped " + ", ".join(reasons) if reasons else "")


def _frames(tiles: TileSet) -> TileFrames:
    half_diagonal = float(np.linalg.norm(tiles.sizes, axis=1).max(initial=2.0)) / 2.0
    return TileFrames(tiles.sizes / 2.0, half_diagonal)


def _basis(tiles: TileSet, frames: TileFrames, options: SolveOptions) -> Basis:
    if options.model == "polynomial":
        return polynomial_basis(options.polynomial_order)
    if options.model == "thin_plate_spline":
        width, height = tiles.sizes.max(axis=0) / frames.scale
        return spline_basis(width, height, *options.control_grid)
    return polynomial_basis(1)


def _pair_kinds(tiles: TileSet, pairs: IntArray) -> tuple[FloatArray, IntArray]:
    """Return the distances in z that there are, and the kind (m,) of pairs: all of a distance are judged together.

    Pairs of two tiles that stay decide nothing, and are not what others are judged by.
    """
    distances, kinds = np.unique(z_distances(tiles.sections, pairs), return_inverse=True)
    return distances, np.where(pairs_within(tiles.fixed, pairs), ALWAYS_KEPT, kinds.astype(np.int64))


def _with_anchors(tiles: TileSet, matches: PairMatches, anchors: Anchors) -> tuple[TileSet, PairMatches]:
    """Return the tiles and matches with a fixed tile at each anchor's target, matched at its corners."""
    wished = anchors.tiles
    if not len(wished):
        return tiles, matches
    together = TileSet(
        np.concatenate([tiles.priors, anchors.targets]),
        np.concatenate([tiles.sizes, tiles.sizes[wished]]),
        np.concatenate([tiles.sections, tiles.sections[wished]]),
        np.concatenate([tiles.fixed, np.ones(len(wished), dtype=bool)]),
        np.concatenate([tiles.lens_groups, tiles.lens_groups[wished]]),
    )
    corners = ((CORNERS + 0.5) * tiles.sizes[wished][:, None, :]).reshape(-1, 2)
    pairs = np.stack([wished, len(tiles) + np.arange(len(wished))], axis=1)
    offsets = np.arange(len(wished) + 1) * len(CORNERS)
    weights = np.repeat(anchors.weights / len(CORNERS), len(CORNERS))
    return together, concatenated([matches, PairMatches(pairs, offsets, corners, corners, weights)])


def _lenses(
    tiles: TileSet,
    matches: PairMatches,
    kinds: IntArray,
    frames: TileFrames,
    begin: FloatArray,
    options: SolveOptions,
) -> dict[int, Lens]:
    if options.lens == "none":
        return {}
    lenses = {}
    for group in np.unique(tiles.lens_groups[tiles.lens_groups >= 0]):
        members = tiles.lens_groups == group
        if len(np.unique(tiles.sizes[members], axis=0)) > 1:
            raise SolveError(f"tiles of lens group {group} have different sizes; a lens is of one camera")
        inside = pairs_within(members, matches.pairs)
        part, start = matches.subset(inside), prior_motions(begin)
        lens = fitted_lens(part, kinds[inside], frames, start, tiles.fixed, options.lens)
        if lens is not None:
            lenses[int(group)] = lens
    return lenses


def _through_lenses(matches: PairMatches, groups: IntArray, lenses: dict[int, Lens]) -> PairMatches:
    points = [matches.points_p.copy(), matches.points_q.copy()]
    of_point = groups[matches.pairs[matches.pair_of_point]]
    for group, lens in lenses.items():
        for side in range(2):
            members = of_point[:, side] == group
            points[side][members] = lens.applied(points[side][members])
    return replace(matches, points_p=points[0], points_q=points[1])


def _solution(tiles: TileSet, made: Preparation, shaping: Shaping, kept: BoolArray, options: SolveOptions) -> Solution:
    checked, problem = made.checked, made.problem
    count, pairs = len(tiles), checked.matches.pairs
    kept = kept[: len(pairs)]
    used = pair_counts(count, pairs[kept]) > 0
    coefficients = shaping.coefficients.copy()
    everywhere = np.zeros_like(coefficients)
    everywhere[:, :, :3] = problem.prior
    lost = ~used & ~tiles.fixed
    coefficients[:count][~used] = everywhere[:count][~used]
    coefficients = coefficients[:count]
    if options.isolated == "neighbors" and lost.any():
        known = np.where(lost, True, ~used)
        coefficients[lost] = moved_with_neighbours(coefficients, problem.prior[:count], tiles.sections, known)[lost]
    if not np.isfinite(coefficients).all():
        raise SolveError("the system has no finite solution: the matches are too few or too alike")
    moments = problem.moments.subset(np.arange(len(pairs)))
    labels = component_labels(count, pairs[kept])
    component = np.full(count, -1)
    component[used] = np.unique(labels[used], return_inverse=True)[1]
    frames = replace(problem.frames, centres=problem.frames.centres[:count])
    figures = statistics(moments.subset(kept), coefficients, problem.prior[:count], shaping.precision)
    return Solution(
        coefficients,
        frames,
        made.basis,
        tiles.lens_groups,
        made.lenses,
        component,
        pairs,
        pair_residuals(moments, coefficients),
        ~kept,
        checked,
        shaping.strength,
        figures,
        _warnings(tiles, coefficients, problem.prior[:count], component, checked, ~kept),
    )


def _warnings(
    tiles: TileSet,
    coefficients: FloatArray,
    prior: FloatArray,
    component: IntArray,
    checked: CheckedMatches,
    rejected: BoolArray,
) -> list[str]:
    warnings = shape_warnings(coefficients[:, :, 1:3], prior[:, :, 1:3])
    isolated = np.flatnonzero(component < 0)
    if len(isolated):
        warnings.append(f"{len(isolated)} of {len(component)} tiles have no matches, the first is tile {isolated[0]}")
    components = component.max(initial=-1) + 1
    loose = np.setdiff1d(np.arange(components), component[tiles.fixed])
    if components > 1 and len(loose):
        largest = np.bincount(component[component >= 0]).max()
        warnings.append(
            f"matches join the tiles in {components} components, the largest of {largest} tiles; "
            f"{len(loose)} of them lie where their prior puts them"
        )
    if rejected.any():
        warnings.append(f"{int(rejected.sum())} of {len(rejected)} pairs contradict the others and were rejected")
    if checked.dropped or checked.points_dropped:
        warnings.append(dropped_text(checked, len(checked.source)))
    return warnings
