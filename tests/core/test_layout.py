import numpy as np
import pytest

from rendermodules.core.layout import (
    PlacedTiles,
    in_box,
    joined_tiles,
    layer_members,
    obscured,
    on_grid,
    order_ranks,
    outlines,
    placed_tiles,
    relative_positions,
    selected_tiles,
)
from rendermodules.core.sections import Section


def tiles_at(boxes, z=1.0, ids=None):
    boxes = np.asarray(boxes, dtype=float).reshape(-1, 4)
    ids = ids or [f"t{index:03d}" for index in range(len(boxes))]
    z = np.broadcast_to(np.asarray(z, dtype=float), len(boxes)).copy()
    return PlacedTiles(ids, [f"{value:.1f}" for value in z], z, boxes, np.full((len(boxes), 2), np.nan))


def moved(x, y):
    return {"type": "leaf", "className": "mpicbg.trakem2.transform.TranslationModel2D", "dataString": f"{x} {y}"}


def test_parts_become_one():
    first, second = tiles_at([[0, 0, 9, 9]], 1.0, ["a"]), tiles_at([[1, 1, 5, 5], [2, 2, 6, 6]], 2.0, ["b", "c"])
    both = joined_tiles([first, joined_tiles([]), second])
    assert (both.ids, both.groups, both.z.tolist()) == (["a", "b", "c"], ["1.0", "2.0", "2.0"], [1.0, 2.0, 2.0])
    assert both.boxes.tolist() == [[0, 0, 9, 9], [1, 1, 5, 5], [2, 2, 6, 6]]
    assert both.grid.shape == (3, 2)


def test_tiles_of_sections(tile_spec):
    first = tile_spec("a", 1.0, moved(5, 6))
    second = tile_spec("b", 2.5, moved(0, 0), layout={"sectionId": "2.5x", "imageCol": 3, "imageRow": 4})
    given = {**tile_spec("c", 2.5), "minX": 1.0, "minY": 2.0, "maxX": 3.0, "maxY": 4.0}
    tiles = placed_tiles([Section(1.0, [first]), Section(2.5, [second]), Section(2.5, [given]), Section(3.0, [])])
    assert tiles.ids == ["a", "b", "c"]
    assert tiles.groups == ["1.0", "2.5x", "2.5"]
    assert tiles.z.tolist() == [1.0, 2.5, 2.5]
    assert tiles.boxes.tolist() == [[5, 6, 25, 16], [0, 0, 20, 10], [1, 2, 3, 4]]
    assert tiles.grid[1].tolist() == [3, 4]
    assert np.isnan(tiles.grid[0]).all()
    assert [outline.bounds for outline in outlines([Section(1.0, [first])])] == [(5, 6, 25, 16)]


def test_no_tiles():
    tiles = placed_tiles([])
    assert len(tiles) == 0
    assert obscured(tiles).shape == (0,)
    assert layer_members(tiles.z) == {}


def test_grid_places(tile_spec):
    specs = [tile_spec(name, 1.0, layout={"imageCol": column, "imageRow": 2}) for name, column in (("a", 0), ("b", 1))]
    tiles = placed_tiles([Section(1.0, specs)])
    assert on_grid(tiles).boxes.tolist() == [[0, 20, 10, 30], [10, 20, 20, 30]]
    with pytest.raises(ValueError, match="1 tiles have no imageRow and imageCol, the first is c"):
        on_grid(placed_tiles([Section(1.0, [*specs, tile_spec("c", 1.0)])]))


def test_selection_and_box():
    tiles = tiles_at([[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]])
    chosen = in_box(tiles, [10, 5, 25, 6])
    assert chosen.tolist() == [True, True, False]
    assert selected_tiles(tiles, chosen).ids == ["t000", "t001"]
    assert selected_tiles(tiles, [2]).boxes.tolist() == [[40, 0, 50, 10]]


def test_obscured_tiles():
    boxes = [[0, 0, 10, 10], [0, 0, 6, 10], [4, 0, 10, 10], [20, 0, 30, 10], [20, 0, 30, 10], [0, 0, 10, 10]]
    z = [1, 1, 1, 1, 1, 2]
    # the first is covered by the next two together, the fourth by the fifth; another z covers nothing
    assert obscured(tiles_at(boxes, z)).tolist() == [True, False, False, True, False, False]
    # what is below does not cover: the greater id is on top
    assert obscured(tiles_at(boxes[:3], ids=["c", "b", "a"])).tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("q_low", "names"),
    [
        ((9, 3), ("LEFT", "RIGHT")),
        ((-9, 3), ("RIGHT", "LEFT")),
        ((3, 9), ("TOP", "BOTTOM")),
        ((3, -9), ("BOTTOM", "TOP")),
        ((5, 5), ("TOP", "BOTTOM")),
    ],
)
def test_relative_positions(q_low, names):
    assert relative_positions([[0, 0, 10, 10]], [[*q_low, 50, 50]]) == [names]


def test_layers_and_ranks():
    members = layer_members(np.array([3.0, 1.5, 3.0, 1.5]))
    assert {z: positions.tolist() for z, positions in members.items()} == {1.5: [1, 3], 3.0: [0, 2]}
    assert order_ranks(["2.0", "10.0", "2.0", "1.0"]).tolist() == [2, 1, 2, 0]
