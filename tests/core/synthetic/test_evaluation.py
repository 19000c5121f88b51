from dataclasses import replace

import numpy as np
import pytest

from rendermodules.core.synthetic import (
    SyntheticSettings,
    affine_grids,
    nominal_grids,
    section_tiles,
    solution_errors,
    true_grids,
)
from rendermodules.core.synthetic.evaluation import rigidly_fitted

SETTINGS = SyntheticSettings(
    sections=3, rows=3, columns=3, tile_width=200, tile_height=160, overlap=0.2, lens_distortion=3, deformation=4
)
SECTIONS = {z: section_tiles(SETTINGS, z) for z in SETTINGS.zvalues}


def turned(grids: np.ndarray, degrees: float, shift: tuple[float, float]) -> np.ndarray:
    angle = np.deg2rad(degrees)
    return grids @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) + shift


def test_truth_has_no_errors_in_any_gauge() -> None:
    montage = {z: turned(true_grids(SECTIONS[z], "section"), 40 + z, (1000, z)) for z in SECTIONS}
    errors = solution_errors(SECTIONS, montage)
    aligned = {z: turned(true_grids(SECTIONS[z], "world"), 130, (-500, 70)) for z in SECTIONS}
    world = solution_errors(SECTIONS, aligned, "world")
    assert errors.across == {}
    for values in (errors.section, errors.seam, world.section, world.seam, world.across):
        assert values
        assert max(values.values()) < 1e-9


def test_shift_of_one_tile_is_measured() -> None:
    grids = {z: true_grids(SECTIONS[z]) for z in SECTIONS}
    grids[1.0][4] += (3, 4)
    errors = solution_errors(SECTIONS, grids)
    assert errors.section[0] < 1e-9
    # eight of nine tiles are right: sqrt(25 / 9) less what the rigid motion takes away
    assert errors.section[1] == pytest.approx(5 * np.sqrt(8) / 9, rel=0.02)
    assert 2 < errors.seam[1] < 5


def test_seam_of_two_tiles_is_exactly_their_disagreement() -> None:
    pair = {0.0: section_tiles(replace(SETTINGS, rows=1, columns=2), 0)}
    grids = {0.0: true_grids(pair[0.0])}
    grids[0.0][1] += (3, 4)
    assert solution_errors(pair, grids).seam[0] == pytest.approx(5, rel=1e-3)


def test_shift_of_one_section_is_seen_across_and_not_in_seams() -> None:
    grids = {z: true_grids(SECTIONS[z], "world") for z in SECTIONS}
    grids[2.0] += (0, 6)
    errors = solution_errors(SECTIONS, grids, "world")
    assert errors.across[(0.0, 1.0)] < 1e-3
    assert errors.across[(1.0, 2.0)] == pytest.approx(6)
    assert max(errors.seam.values()) < 1e-3
    # one motion for all: two thirds are off by 2, one third by 4
    assert errors.section[2] == pytest.approx(4, rel=0.05)
    assert errors.section[0] == pytest.approx(2, rel=0.05)


def test_exact_affines_and_what_the_microscope_believes() -> None:
    plain = replace(SETTINGS, lens_distortion=0, stage_jitter=7)
    sections = {z: section_tiles(plain, z) for z in plain.zvalues}
    exact = {z: affine_grids([tile.motion for tile in tiles], tiles[0].lens) for z, tiles in sections.items()}
    assert max(solution_errors(sections, exact).section.values()) < 1e-9
    before = solution_errors(sections, {z: nominal_grids(tiles) for z, tiles in sections.items()})
    # jitter of +-7 px along both axes is 7 sqrt(2 / 3) in the mean, less the rigid motion
    assert 3 < min(before.section.values()) < max(before.section.values()) < 7
    assert min(before.seam.values()) > 5


def test_missing_tiles_are_counted_and_left_out() -> None:
    grids = {z: true_grids(SECTIONS[z]) for z in SECTIONS}
    grids[0.0][3] = np.nan
    grids[2.0][:] = np.nan
    for frame in ("section", "world"):
        errors = solution_errors(SECTIONS, grids, frame)
        assert errors.placed == {0.0: 8, 1.0: 9, 2.0: 0}
        assert errors.tiles == {0.0: 9, 1.0: 9, 2.0: 9}
        assert np.isnan(errors.section[2.0])
        assert np.isnan(errors.seam[2.0])
    assert solution_errors(SECTIONS, grids).section[0] < 1e-9


def test_solution_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"z=0\.0 .* 9 tiles"):
        solution_errors(SECTIONS, {})
    with pytest.raises(ValueError, match=r"z=1\.0"):
        solution_errors(SECTIONS, {z: true_grids(SECTIONS[z])[: 9 - int(z)] for z in SECTIONS})


def test_rigid_fit_never_mirrors() -> None:
    points = np.random.default_rng(0).normal(size=(50, 2))
    np.testing.assert_allclose(rigidly_fitted(turned(points, 77, (5, 6)), points), points, atol=1e-12)
    mirrored = points * (-1, 1)
    fitted = rigidly_fitted(mirrored, points)
    sides = [np.linalg.det(p[1:3] - p[0]) for p in (mirrored, fitted)]
    assert np.sign(sides[0]) == np.sign(sides[1])
