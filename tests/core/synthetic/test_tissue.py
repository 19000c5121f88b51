import numpy as np
import pytest

from rendermodules.core.synthetic.stains import stained
from rendermodules.core.synthetic.tissue import BIN_EDGE, TissuePlane
from rendermodules.core.synthetic.tissue_kernels import (
    MEMBRANE_REACH,
    Discs,
    Grid,
    bins_of,
    cells_at,
    disc_bins,
    displaced,
    nearest_discs,
)

BLUR = 1.7


@pytest.fixture(scope="module")
def plane():
    return TissuePlane(9, 12.0, (-200, 100, 100, 300), BLUR)


@pytest.fixture(scope="module")
def points():
    return np.random.default_rng(0).uniform((-200, 100), (100, 300), (2000, 2))


@pytest.mark.parametrize("channel", ["EM", "DAPI", "PSD95"])
def test_brightness_belongs_to_the_point_not_to_the_box(plane, points, channel: str) -> None:
    inside = (np.abs(points - (-50, 200)) <= (40, 30)).all(axis=1)
    small = TissuePlane(9, 12.0, (-90, 170, -10, 230), BLUR)
    np.testing.assert_array_equal(
        stained(plane, channel, points, BLUR)[inside], stained(small, channel, points[inside], BLUR)
    )


@pytest.mark.parametrize("channel", ["EM", "DAPI", "PSD95"])
def test_brightness_is_between_black_and_white(plane, points, channel: str) -> None:
    values = stained(plane, channel, points, BLUR)
    assert values.dtype == np.float32
    assert values.min() > -0.2
    assert values.max() < 1.6
    assert values.std() > 0.01


def test_cells_are_those_of_all_seeds(plane, points) -> None:
    """The lists of candidates lose no seed that matters."""
    moved = displaced(plane.winding, points)
    owners, edges = cells_at(plane.cells, bins_of(plane.grid, moved), moved)
    seeds, groups = plane.cells.seeds, plane.cells.groups
    powers = np.square(moved[:, np.newaxis] - seeds[:, :2]).sum(axis=2) + seeds[:, 3]
    np.testing.assert_array_equal(owners, powers.argmin(axis=1))
    assert ((edges >= 0) & (edges <= MEMBRANE_REACH)).all()
    # a point on a membrane is as near to a seed of another cell as to its own
    rival = np.where(groups == groups[owners][:, np.newaxis], np.inf, powers).min(axis=1)
    near = edges < 0.5
    assert near.any()
    assert (np.sqrt(rival[near]) - np.sqrt(np.maximum(powers.min(axis=1)[near], 0)) < 20).all()


def test_bins_are_at_the_same_places_for_every_box(plane) -> None:
    assert plane.grid.left % BIN_EDGE == 0
    assert plane.grid.top % BIN_EDGE == 0


def test_neighbouring_planes_are_alike_and_distant_ones_are_not(points) -> None:
    box = (-200, 100, 100, 300)
    values = [stained(TissuePlane(9, depth, box), "EM", points, BLUR) for depth in (0.0, 6.0, 600.0)]
    correlations = np.corrcoef(values)
    assert correlations[0, 1] > 0.3
    assert abs(correlations[0, 2]) < 0.1


def test_disc_distance_and_group() -> None:
    shapes = np.array([[50.0, 50.0, 1.0, 0.0, 20.0, 10.0], [50.0, 50.0, 1.0, 0.0, 10.0, 10.0]])
    grid = Grid(0.0, 0.0, 32.0, 4, 4)
    discs = Discs(shapes, np.array([3, 4]), np.zeros((2, 2)), 15.0, *disc_bins(shapes, grid, 15.0))
    points = np.array([[75.0, 50.0], [50.0, 62.0], [50.0, 62.0], [120.0, 120.0]])
    found, distance, along = nearest_discs(discs, bins_of(grid, points), points, np.array([3, 3, -1, 3]))
    np.testing.assert_array_equal(found, [0, 0, 0, -1])
    np.testing.assert_allclose(distance[:3], [5, 2, 2], atol=0.5)
    np.testing.assert_allclose(along[:3], [25, 0, 0])
