import numpy as np

from rendermodules.core.synthetic.lattice import cube_hashes, noise, sites, uniforms


def test_what_lies_in_a_cube_does_not_depend_on_what_else_is_asked_for() -> None:
    wide = sites(5, 1, 10.0, (-100, -100, 200, 200), depth=3.0, reach=8.0)
    narrow = sites(5, 1, 10.0, (20, 30, 60, 50), depth=3.0, reach=8.0)
    assert 20 < len(narrow.x) < len(wide.x)
    assert set(narrow.hashes.tolist()) <= set(wide.hashes.tolist())
    assert set(zip(narrow.x, narrow.y, narrow.z, strict=True)) <= set(zip(wide.x, wide.y, wide.z, strict=True))


def test_purposes_and_seeds_are_independent() -> None:
    x = np.arange(1000)
    draws = [
        uniforms(cube_hashes(seed, stream, x, 0, 0), draw) for seed in (0, 1) for stream in (0, 1) for draw in (0, 1)
    ]
    correlations = np.corrcoef(draws) - np.eye(len(draws))
    assert np.abs(correlations).max() < 0.15


def test_numbers_are_even_and_uncorrelated_between_neighbours() -> None:
    x, y = np.meshgrid(np.arange(-100, 100), np.arange(-100, 100))
    values = uniforms(cube_hashes(3, 2, x, y, np.array(-7)), 0)
    assert abs(values.mean() - 0.5) < 0.01
    assert np.abs(np.histogram(values, 10, (0, 1))[0] / values.size - 0.1).max() < 0.01
    assert abs(np.corrcoef(values[:, 1:].ravel(), values[:, :-1].ravel())[0, 1]) < 0.02


def test_noise_is_the_same_for_every_box_and_covers_it() -> None:
    wide, narrow = (noise(1, 0, 10.0, box, depth=4.0, components=2) for box in ((-50, -50, 50, 50), (3, 3, 17, 29)))
    column, row = (round((a - b) / 10) for a, b in ((narrow.left, wide.left), (narrow.top, wide.top)))
    rows, columns, _ = narrow.values.shape
    np.testing.assert_array_equal(narrow.values, wide.values[row : row + rows, column : column + columns])
    assert narrow.left <= 3 - 10
    assert narrow.left + (columns - 1) * 10 >= 17 + 20


def test_noise_changes_slowly_with_depth_and_keeps_its_strength() -> None:
    planes = [noise(1, 0, 10.0, (0, 0, 2000, 2000), depth).values.ravel() for depth in (20.0, 21.0, 25.0, 40.0)]
    assert all(abs(plane.std() - 1) < 0.02 for plane in planes)
    assert np.corrcoef(planes)[0, 1] > 0.9
    assert abs(np.corrcoef(planes)[0, 3]) < 0.02
