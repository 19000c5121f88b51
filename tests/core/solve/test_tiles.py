"""Whole solves, against the truth."""

import copy
from dataclasses import fields, replace

import numpy as np
import pytest

from rendermodules.core.connectivity import pairs_within
from rendermodules.core.solve.matches import PairMatches, concatenated
from rendermodules.core.solve.options import Anchors, SolveError, SolveOptions, tile_set
from rendermodules.core.solve.tiles import solved_tiles

NO_MATCHES = PairMatches(
    np.empty((0, 2), dtype=np.int64), np.zeros(1, dtype=np.int64), np.empty((0, 2)), np.empty((0, 2)), np.empty(0)
)


def solved(made, **options):
    return solved_tiles(made.tiles, made.matches, SolveOptions(**options))


@pytest.mark.parametrize("model", ["rigid", "similarity", "affine", "polynomial", "thin_plate_spline"])
def test_rigid_truth_is_recovered_by_every_model_that_holds_it(montage, model):
    made = montage()
    solution = solved(made, model=model, control_grid=(3, 3))
    section, seam = made.errors(solution)
    assert section < 0.15
    assert seam < 0.12
    assert solution.warnings == []
    assert solution.statistics.residual_rms == pytest.approx(0.2 * 2, rel=0.1)
    assert solution.statistics.precision < 1e-10


def test_translations(montage):
    made = montage(rotation=0.0)
    section, seam = made.errors(solved(made, model="translation"))
    assert section < 0.1
    assert seam < 0.1


def test_rotations_leave_places_alone(montage):
    made = montage(rotation=5.0)
    solution = solved(made, model="rotation")
    angles = np.arctan2(solution.matrices[:, 1, 0], solution.matrices[:, 0, 0])
    truth = np.radians([tile.rotation for tile in made.truth])
    np.testing.assert_allclose(angles - angles.mean(), truth - truth.mean(), atol=2e-3)
    centres = solution.matrices[:, :, :2] @ np.array([512.0, 512.0]) + solution.matrices[:, :, 2]
    np.testing.assert_allclose(centres, made.tiles.priors[:, :, 2] + 512.0, atol=1e-9)


@pytest.mark.parametrize("copies", [1, 20])
def test_common_errors_of_pairs_are_no_deformation_however_many_points_they_have(montage, copies):
    made = montage(noise=0.02)
    random = np.random.default_rng(0)
    matches, points = made.matches, []
    for start, stop in zip(matches.offsets[:-1], matches.offsets[1:], strict=True):
        arms = matches.points_q[start:stop] - matches.points_q[start:stop].mean(axis=0)
        # each pair is sheared and grown a little in its own way, as interpolation does
        points.append(matches.points_q[start:stop] + arms @ random.normal(0, 3e-5, (2, 2)))
    many = concatenated([replace(matches, points_q=np.concatenate(points))] * copies)
    solution = solved_tiles(made.tiles, many, SolveOptions(model="affine"))
    stretched = np.linalg.svd(solution.matrices[:, :, :2], compute_uv=False)
    assert np.abs(stretched - 1).max() < 1e-5


def test_a_shared_lens_closes_the_seams_and_keeps_the_geometry(montage):
    made = montage(lens=4.0)
    without = made.errors(solved(made, model="rigid"))
    section, seam = made.errors(solved(made, model="rigid", lens="auto"))
    assert without[1] > 0.4
    assert seam < 0.15
    assert section < 0.25


def test_wrong_pairs_are_rejected_and_named(montage):
    wrong = [3, 22]
    clean, made = montage(), montage().with_wrong_pairs(wrong)
    solution = solved(made, model="affine")
    given = np.sort(made.matches.pairs[wrong], axis=1).tolist()
    assert sorted(solution.pairs[solution.rejected].tolist()) == sorted(given)
    good = ~solution.rejected
    clean_residuals = solved(clean, model="affine").pair_residuals
    assert solution.pair_residuals[good].mean() < 1.1 * clean_residuals.mean()
    assert any("2 of 49 pairs contradict" in warning for warning in solution.warnings)
    assert made.errors(solution)[1] < 0.15


@pytest.mark.parametrize("model", ["rigid", "affine"])
def test_a_tile_all_of_whose_pairs_are_wrong_moves_with_its_neighbours(montage, model):
    made = montage()
    corner = np.flatnonzero((made.matches.pairs == 0).any(axis=1)).tolist()
    assert len(corner) == 2
    solution = solved(made.with_wrong_pairs(corner, 120.0), model=model)
    assert np.flatnonzero(solution.isolated).tolist() == [0]
    # the stage errs by up to 12 pixels
    assert np.abs(solution.matrices[0] - made.tiles.priors[0])[:, 2].max() < 12


@pytest.mark.parametrize("model", ["translation", "rigid", "affine"])
def test_tiles_that_lose_all_others_by_rejected_pairs_lie_where_their_prior_is(montage, model):
    made = montage(rotation=0.0)
    pair = [28, 29]
    crossing = np.flatnonzero(np.isin(made.matches.pairs, pair).sum(axis=1) == 1).tolist()
    assert len(crossing) == 3
    solution = solved(made.with_wrong_pairs(crossing, 120.0), model=model)
    assert np.bincount(solution.component).tolist() == [28, 2]
    off = (solution.matrices - made.tiles.priors)[pair] @ [512.0, 512.0, 1.0]
    np.testing.assert_allclose(off.mean(axis=0), 0, atol=0.01)


def test_without_robustness_wrong_pairs_pull(montage):
    solution = solved(montage().with_wrong_pairs([3]), model="rigid", robust=False)
    assert not solution.rejected.any()
    assert solution.statistics.residual_rms > 5


@pytest.mark.parametrize("start", ["auto", "pairs"])
def test_turns_of_any_size_are_found(montage, start):
    made = montage()
    angles = np.random.default_rng(0).uniform(-3, 3, len(made.tiles))
    cosine, sine = np.cos(angles), np.sin(angles)
    turns = np.stack([np.stack([cosine, -sine], axis=1), np.stack([sine, cosine], axis=1)], axis=1)
    centre = np.array([512.0, 512.0])
    shifts = made.tiles.priors[:, :, 2] + centre - turns @ centre
    made = replace(made, tiles=replace(made.tiles, priors=np.concatenate([turns, shifts[:, :, None]], axis=2)))
    assert made.errors(solved(made, model="rigid", start=start))[0] < 0.15


def test_loose_components_lie_where_their_prior_is(montage):
    made = montage()
    columns = np.array([tile.column for tile in made.truth])
    left = columns[made.matches.pairs] < 3
    matches = made.matches.subset(left[:, 0] == left[:, 1])
    solution = solved_tiles(made.tiles, matches, SolveOptions(model="rigid"))
    assert np.unique(solution.component).tolist() == [0, 1]
    assert any("2 components, the largest of 15 tiles" in warning for warning in solution.warnings)
    off = solution.matrices[:, :, 2] - made.tiles.priors[:, :, 2]
    assert np.abs(off[columns < 3].mean(axis=0)).max() < 3
    assert np.abs(off[columns >= 3].mean(axis=0)).max() < 3


@pytest.mark.parametrize("isolated", ["prior", "neighbors"])
def test_tiles_without_matches(montage, isolated):
    made = montage()
    moved = replace(made.tiles, priors=made.tiles.priors + [[[0, 0, 0], [0, 0, 0]]])
    matches = made.matches.subset((made.matches.pairs != 14).all(axis=1))
    anchors = Anchors(np.array([0]), moved.priors[:1] + [[[0, 0, 500.0], [0, 0, 0]]], np.array([1e3]))
    solution = solved_tiles(moved, matches, SolveOptions(model="rigid", isolated=isolated), anchors)
    assert np.flatnonzero(solution.isolated).tolist() == [14]
    assert any("1 of 30 tiles have no matches, the first is tile 14" in warning for warning in solution.warnings)
    shift = solution.matrices[14, 0, 2] - made.tiles.priors[14, 0, 2]
    assert shift == pytest.approx(0 if isolated == "prior" else 500, abs=30)


def test_fixed_tiles_stay_and_anchors_pull(montage):
    made = montage()
    fixed = np.zeros(len(made.tiles), dtype=bool)
    fixed[8] = True
    tiles = replace(made.tiles, fixed=fixed)
    for model in ("rigid", "affine"):
        solution = solved_tiles(tiles, made.matches, SolveOptions(model=model))
        np.testing.assert_allclose(solution.matrices[8], made.tiles.priors[8], atol=1e-9)
        assert solution.statistics.residual_rms < 0.5

    target = made.tiles.priors[[0, 29]] + [[[0, 0, 40.0], [0, 0, -25.0]]]
    anchors = Anchors(np.array([0, 29]), target, np.array([100.0, 100.0]))
    solution = solved_tiles(made.tiles, made.matches, SolveOptions(model="rigid"), anchors)
    assert len(solution.matrices) == 30
    assert len(solution.pair_residuals) == 49
    shift = (solution.matrices - made.tiles.priors)[:, :, 2].mean(axis=0)
    np.testing.assert_allclose(shift, [40, -25], atol=14)


def test_pairs_with_fixed_tiles_on_both_sides(montage):
    made = montage(rows=1, columns=3)
    tiles = replace(made.tiles, fixed=np.array([True, True, False]))
    solution = solved_tiles(tiles, made.matches, SolveOptions(model="rigid"))
    np.testing.assert_allclose(solution.matrices[:2], made.tiles.priors[:2])
    everything = replace(made.tiles, fixed=np.ones(3, dtype=bool))
    np.testing.assert_allclose(
        solved_tiles(everything, made.matches, SolveOptions(model="affine")).matrices, made.tiles.priors
    )


def test_pairs_of_fixed_tiles_do_not_judge_the_others(montage):
    made = montage()
    fixed = np.arange(30) < 18
    # where the microscope believes them: off by far more than the matches
    solution = solved_tiles(replace(made.tiles, fixed=fixed), made.with_wrong_pairs([48]).matches, SolveOptions())
    both = fixed[solution.pairs].all(axis=1)
    assert np.median(solution.pair_residuals[both]) > 5
    assert not solution.rejected[both].any()
    assert solution.rejected[48]
    without = made.matches.subset(~pairs_within(fixed, made.matches.pairs))
    for lens in ("none", "auto", "radial"):
        options = SolveOptions(lens=lens, robust=False)
        given = [solved_tiles(replace(made.tiles, fixed=fixed), one, options) for one in (made.matches, without)]
        np.testing.assert_allclose(given[0].matrices[~fixed], given[1].matrices[~fixed], atol=1e-6)


@pytest.mark.parametrize("lens", ["none", "auto", "radial"])
def test_a_few_tiles_beside_very_many_that_stay(montage, monkeypatch, lens):
    made = montage(rows=8, columns=8)
    monkeypatch.setattr("rendermodules.core.solve.stages.SAMPLE_TILES", 9)
    monkeypatch.setattr("rendermodules.core.solve.lens_fit.SAMPLE_TILES", 9)
    fixed = np.arange(64) < 61
    solution = solved_tiles(replace(made.tiles, fixed=fixed), made.matches, SolveOptions(lens=lens))
    assert np.array_equal(solution.matrices[fixed], made.tiles.priors[fixed])
    assert not np.allclose(solution.matrices[~fixed], made.tiles.priors[~fixed], atol=1.0)


def test_same_input_same_output_and_nothing_is_changed(montage):
    made = montage().with_wrong_pairs([3])
    before = copy.deepcopy(made)
    options = SolveOptions(model="affine", lens="auto", maximum_points=10)
    first, second = (solved_tiles(made.tiles, made.matches, options) for _ in range(2))
    assert np.array_equal(first.coefficients, second.coefficients)
    for part in ("tiles", "matches"):
        for field in fields(getattr(made, part)):
            assert np.array_equal(getattr(getattr(made, part), field.name), getattr(getattr(before, part), field.name))


def test_order_and_orientation_of_pairs_change_nothing(montage):
    made = montage()
    solution = solved(made, model="affine")
    random = np.random.default_rng(0)
    order = random.permutation(len(made.matches.pairs))
    parts = []
    for index in order:
        part = made.matches.subset(np.arange(len(order)) == index)
        if random.random() < 0.5:
            part = replace(part, pairs=part.pairs[:, ::-1], points_p=part.points_q, points_q=part.points_p)
        parts.append(part)
    again = solved_tiles(made.tiles, concatenated(parts), SolveOptions(model="affine"))
    np.testing.assert_allclose(again.coefficients, solution.coefficients, atol=1e-6)


def test_start_saves_nothing_but_time(montage):
    made = montage()
    solution = solved(made, model="rigid")
    again = solved_tiles(made.tiles, made.matches, SolveOptions(model="rigid"), start=solution.matrices)
    np.testing.assert_allclose(again.coefficients, solution.coefficients, atol=1e-4)


def test_matches_across_sections_are_judged_apart(montage):
    low = montage(noise=0.1)
    count = len(low.tiles)
    both = tile_set(
        np.concatenate([low.tiles.priors] * 2),
        np.concatenate([low.tiles.sizes] * 2),
        np.repeat([0.0, 1.0], count),
    )
    points = np.random.default_rng(0).uniform(0, 1024, (count * 10, 2))
    truth = np.array([tile.motion for tile in low.truth])
    noise = np.random.default_rng(1).normal(0, 4, points.shape)
    across = PairMatches(
        np.stack([np.arange(count), count + np.arange(count)], axis=1),
        np.arange(count + 1) * 10,
        points,
        points + noise,
        np.full(len(points), 0.1),
    )
    above = replace(low.matches, pairs=low.matches.pairs + count)
    solution = solved_tiles(both, concatenated([low.matches, above, across]), SolveOptions(model="rigid"))
    assert not solution.rejected.any()
    assert len(truth) == count


def test_one_tile_stays():
    solution = solved_tiles(tile_set(np.eye(2, 3)[None] * 2, np.full((1, 2), 10.0)), NO_MATCHES, SolveOptions())
    np.testing.assert_allclose(solution.matrices[0], np.eye(2, 3) * 2)
    assert solution.isolated.tolist() == [True]


def test_no_tiles():
    with pytest.raises(SolveError, match="no tiles"):
        solved_tiles(tile_set(np.empty((0, 2, 3)), np.empty((0, 2))), NO_MATCHES, SolveOptions())


def test_no_matches_at_all(montage):
    with pytest.raises(SolveError, match="0 pairs given"):
        solved_tiles(montage().tiles, NO_MATCHES, SolveOptions())


def test_matches_of_other_tiles_only(montage):
    made = montage()
    strange = replace(made.matches, pairs=made.matches.pairs + 1000)
    with pytest.raises(SolveError, match="49 pairs given, dropped 49 unknown tile"):
        solved_tiles(made.tiles, strange, SolveOptions())


def test_bad_points_are_reported_and_do_not_spread(montage):
    made = montage()
    points = made.matches.points_p.copy()
    points[::50] = np.nan
    solution = solved_tiles(made.tiles, replace(made.matches, points_p=points), SolveOptions(model="affine"))
    assert np.isfinite(solution.coefficients).all()
    assert any("coordinates not finite" in warning for warning in solution.warnings)


@pytest.mark.parametrize("model", ["rigid", "affine", "polynomial", "thin_plate_spline"])
def test_single_points_per_pair(montage, model):
    made = montage()
    first = np.zeros(len(made.matches.weights), dtype=bool)
    first[made.matches.offsets[:-1]] = True
    few = PairMatches(
        made.matches.pairs,
        np.arange(len(made.matches.pairs) + 1),
        made.matches.points_p[first],
        made.matches.points_q[first],
        made.matches.weights[first],
    )
    solution = solved_tiles(made.tiles, few, SolveOptions(model=model, control_grid=(3, 3)))
    assert np.isfinite(solution.coefficients).all()
    assert solution.statistics.scale_mean == pytest.approx(1, abs=0.01)


def test_weak_regularisation_of_pixels_is_warned_of(montage):
    made = montage(noise=3.0)
    solution = solved(
        made, model="affine", regularization=1e-6, degree_factors=(1e-9, 1.0), robust=False, start="prior"
    )
    assert any("collapsed" in warning for warning in solution.warnings)


def test_regularisation_that_holds_nothing_is_refused(montage):
    with pytest.raises(SolveError, match="not positive definite.* a greater regularization"):
        solved(montage(), model="affine", regularization=1.0, degree_factors=(0.0, 0.0), robust=False)


def test_wrong_number_of_degree_factors(montage):
    with pytest.raises(ValueError, match="3 degree factors"):
        solved(montage(), model="affine", regularization=1.0, degree_factors=(0.0, 0.0, 1.0))


def test_tiles_of_one_lens_have_one_size(montage):
    made = montage()
    sizes = made.tiles.sizes.copy()
    sizes[0] = 2000
    with pytest.raises(SolveError, match="lens group 0 have different sizes"):
        solved_tiles(replace(made.tiles, sizes=sizes), made.matches, SolveOptions(lens="radial"))
