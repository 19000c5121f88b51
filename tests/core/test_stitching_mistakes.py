import numpy as np
import pytest

from rendermodules.core.sections import Section
from rendermodules.core.stitching_mistakes import inconsistencies, neighbour_edges, outer_tiles
from rendermodules.core.transforms import Affine


@pytest.fixture
def grid(tile_spec):
    """Function that makes 3 rows and 4 columns of tiles that overlap by a tenth; ``moves`` go by number of tile."""

    def make(moves=None, angle=0.0):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        tiles = []
        for number in range(12):
            row, column = divmod(number, 4)
            place = turn @ [18.0 * column, 9.0 * row] + (moves or {}).get(number, (0.0, 0.0))
            tiles.append(tile_spec(f"t{number:02d}", 1.0, Affine(np.column_stack([turn, place])).spec()))
        return Section(1.0, tiles)

    return make


def test_neighbours_are_beside_and_not_beyond_a_corner(grid):
    edges = {tuple(edge) for edge in neighbour_edges(grid(), None).tolist()}
    assert len(edges) == 3 * 3 + 2 * 4
    assert (0, 1) in edges
    assert (0, 4) in edges
    assert (0, 5) not in edges
    assert len(neighbour_edges(grid(), 10.0)) == 8
    assert len(neighbour_edges(grid(), 100.0)) == 17 + 12


def test_a_tile_that_went_astray_is_alone(grid):
    found = inconsistencies(grid(), grid({5: (4.0, 3.0)}), 2.0)
    assert np.flatnonzero(~found.in_large_components(None)).tolist() == [5]
    wrong = found.moves > 2.0
    assert {tuple(edge) for edge in found.edges[wrong].tolist()} == {(1, 5), (4, 5), (5, 6), (5, 9)}
    np.testing.assert_allclose(found.moves[wrong], 5.0)
    assert found.in_large_components(1).all()


def test_parts_are_kept_from_a_size_on(grid):
    moved = dict.fromkeys((3, 7, 11), (0.0, 6.0))
    found = inconsistencies(grid(), grid(moved), 2.0)
    assert found.in_large_components(4).tolist() == [number not in moved for number in range(12)]
    assert found.in_large_components(3).all()


def test_a_section_that_was_turned_as_a_whole_is_right(grid):
    found = inconsistencies(grid(), grid({2: (0.0, 9.0)}, angle=0.5), 2.0)
    assert np.flatnonzero(~found.in_large_components(None)).tolist() == [2]
    assert found.moves.min() == pytest.approx(0.0, abs=1e-9)


def test_tiles_at_the_border(grid):
    assert np.flatnonzero(~outer_tiles(grid(), 4)).tolist() == [5, 6]
    assert np.flatnonzero(outer_tiles(grid(), 3)).tolist() == [0, 3, 8, 11]


@pytest.mark.parametrize("count", [0, 1])
def test_few_tiles(tile_spec, count):
    section = Section(1.0, [tile_spec("a", 1.0)][:count])
    found = inconsistencies(section, section, 1.0)
    assert found.in_large_components(None).tolist() == [True] * count
    assert outer_tiles(section, 1).tolist() == [True] * count
