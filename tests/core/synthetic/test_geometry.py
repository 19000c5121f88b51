import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendermodules.core.synthetic import Fold, Lens, SectionTruth, SyntheticSettings, TileTruth, section_tiles
from rendermodules.core.synthetic.geometry import rotated

PIXELS = np.stack(np.meshgrid(np.linspace(0, 199, 23), np.linspace(0, 119, 19)), axis=-1).reshape(-1, 2)


def test_rotation_is_from_x_towards_y() -> None:
    np.testing.assert_allclose(rotated(np.array([[2.0, 1.0]]), 90, (1, 1)), [[1, 2]], atol=1e-12)


def test_each_of_many_tiles_has_its_own_rotation() -> None:
    points = np.random.default_rng(0).uniform(0, 100, (3, 5, 2))
    angles = np.array([10.0, -20.0, 170.0])
    together = rotated(points, angles, (7, 8))
    for row, angle in enumerate(angles):
        np.testing.assert_allclose(together[row], rotated(points[row], angle, (7, 8)))


def test_lens_moves_corners_by_what_it_says_and_the_centre_not_at_all() -> None:
    lens = Lens(201, 101, corner_shift=5)
    corner = np.array([[200.0, 100.0]])
    assert np.linalg.norm(lens.undistorted(corner) - corner) == pytest.approx(5)
    np.testing.assert_allclose(lens.undistorted(np.array([[100.0, 50.0]])), [[100, 50]])


@settings(max_examples=20, deadline=None)
@given(shift=st.floats(-8, 25))
def test_lens_is_inverted(shift: float) -> None:
    lens = Lens(200, 120, shift)
    np.testing.assert_allclose(lens.distorted(lens.undistorted(PIXELS)), PIXELS, atol=1e-9)


def test_fold_swallows_tissue_inside_of_its_band_only() -> None:
    fold = Fold(x=100, y=100, direction=0, length=1000, width=20, depth=50)
    points = np.array([[100.0, 80.0], [100.0, 100.0], [100.0, 120.0], [700.0, 120.0]])
    # 20 px above it nothing, in its middle half, 20 px below all; beyond its end nothing
    np.testing.assert_allclose(fold.unfolded(points), [[100, 80], [100, 125], [100, 170], [700, 120]])
    np.testing.assert_allclose(fold.cover(points), [0, 1, 0, 0])


@settings(max_examples=20, deadline=None)
@given(direction=st.floats(0, 180), depth=st.floats(0, 60), x=st.floats(0, 200), y=st.floats(0, 120))
def test_fold_is_inverted(direction: float, depth: float, x: float, y: float) -> None:
    fold = Fold(x, y, direction, length=150, width=12, depth=depth)
    np.testing.assert_allclose(fold.folded(fold.unfolded(PIXELS)), PIXELS, atol=1e-8)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**40), folds=st.integers(0, 2), lens_distortion=st.floats(-5, 10))
def test_tiles_map_to_the_world_and_back(seed: int, folds: int, lens_distortion: float) -> None:
    data_set = SyntheticSettings(
        seed=seed,
        sections=1,
        rows=1,
        columns=2,
        tile_width=200,
        tile_height=120,
        folds=folds,
        lens_distortion=lens_distortion,
        deformation=8,
        deformation_wavelength=1100,
        section_rotation=180,
        tile_rotation=5,
    )
    tile = section_tiles(data_set, 0)[1]
    np.testing.assert_allclose(tile.from_section(tile.to_section(PIXELS)), PIXELS, atol=1e-8)
    np.testing.assert_allclose(tile.from_world(tile.to_world(PIXELS)), PIXELS, atol=1e-7)


def test_tile_without_anything_is_only_moved() -> None:
    tile = TileTruth("t", SectionTruth(0.0), Lens(200, 120), 0, 0, nominal_x=0, nominal_y=0, x=10.5, y=-3.0)
    np.testing.assert_allclose(tile.to_world(PIXELS), PIXELS + (10.5, -3.0))


def test_motion_is_the_map_without_lens() -> None:
    tile = TileTruth("t", SectionTruth(0.0), Lens(200, 120), 0, 0, nominal_x=0, nominal_y=0, x=7.0, y=9.0, rotation=30)
    motion = np.array(tile.motion)
    np.testing.assert_allclose(PIXELS @ motion[:, :2].T + motion[:, 2], tile.to_section(PIXELS), atol=1e-10)
