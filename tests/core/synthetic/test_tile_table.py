from dataclasses import replace

import numpy as np
import pytest

from rendermodules.core.synthetic import SyntheticSettings, section_tiles
from rendermodules.core.synthetic.tile_table import TileTable, grid_pixels, overlapping_pairs

SETTINGS = SyntheticSettings(rows=3, columns=4, tile_width=200, tile_height=120, lens_distortion=4, tile_rotation=3)


def test_table_maps_as_its_tiles_do() -> None:
    tiles = section_tiles(SETTINGS, 1)
    table = TileTable.of(tiles)
    pixels = np.random.default_rng(0).uniform(0, 119, (len(tiles), 7, 2))
    placed = table.to_section(pixels)
    for row, tile in enumerate(tiles):
        np.testing.assert_allclose(placed[row], tile.to_section(pixels[row]), atol=1e-9)
    np.testing.assert_allclose(table.from_section(placed), pixels, atol=1e-8)
    chosen = np.array([5, 2, 5])
    np.testing.assert_allclose(table.to_section(pixels[chosen], chosen), placed[chosen])


def test_boxes_hold_their_tiles() -> None:
    tiles = section_tiles(SETTINGS, 0)
    table = TileTable.of(tiles)
    for tile, box, world in zip(tiles, table.boxes, table.world_boxes, strict=True):
        corners = grid_pixels(tile.lens, 2)
        for points, found in ((tile.to_section(corners), box), (tile.to_world(corners), world)):
            assert (points >= found[:2] - 1e-9).all()
            assert (points <= found[2:] + 1e-9).all()


def test_tiles_of_several_sections_are_refused() -> None:
    tiles = section_tiles(SETTINGS, 0)
    with pytest.raises(ValueError, match="different sections"):
        TileTable.of([tiles[0], section_tiles(SETTINGS, 1)[0]])
    with pytest.raises(ValueError, match="lenses"):
        TileTable.of([tiles[0], replace(tiles[1], lens=replace(tiles[1].lens, corner_shift=0.0))])
    with pytest.raises(ValueError, match="no tiles"):
        TileTable.of([])


def test_overlapping_pairs_are_those_of_all_pairs() -> None:
    random = np.random.default_rng(4)
    low = random.uniform(0, 100, (60, 2))
    boxes = np.hstack([low, low + random.uniform(1, 30, (60, 2))])

    def overlap(a: np.ndarray, b: np.ndarray) -> bool:
        return bool((np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]) > 5).all())

    within = [[i, j] for i in range(60) for j in range(i + 1, 60) if overlap(boxes[i], boxes[j])]
    assert overlapping_pairs(boxes, smallest=5).tolist() == within
    between = [[i, j] for i in range(20) for j in range(40) if overlap(boxes[i], boxes[20 + j])]
    assert overlapping_pairs(boxes[:20], boxes[20:], smallest=5).tolist() == between
    assert overlapping_pairs(boxes[:0], boxes).shape == (0, 2)
