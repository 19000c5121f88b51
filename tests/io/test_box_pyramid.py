from pathlib import Path

import numpy as np
import pytest

from rendermodules.core.box_pyramid import Overview
from rendermodules.io.box_pyramid import BoxLayout, BoxPyramid, boxes_folder
from rendermodules.io.images import read_image


@pytest.fixture
def pyramid(tmp_path):
    return BoxPyramid(BoxLayout(tmp_path / "8x4", "png"), 8, 4, max_level=2)


CELLS = [(0, 0), (0, 1), (3, 3), (4, 0)]


def draw(cell):
    return np.full((4, 8), 10 * cell[0] + cell[1] + 1, np.uint8)


def files_below(folder):
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*.png"))


def test_paths_are_catmaids():
    folder = boxes_folder(Path("/r"), "p", "s", 1024, 512)
    layout = BoxLayout(folder, "jpg")
    assert layout.box(2, 20.0, (3, 4)) == Path("/r/p/s/1024x512/2/20/3/4.jpg")
    assert layout.box(0, 20.5, (0, 0)) == Path("/r/p/s/1024x512/0/20.5/0/0.jpg")
    assert layout.overview(20.0) == Path("/r/p/s/1024x512/small/20.jpg")
    assert layout.grid(20.0) == Path("/r/p/s/1024x512/0/iGrid/20.0.iGrid")
    assert boxes_folder(Path("/r"), "p", "s", 8, 8, labels=True).name == "8x8-label"


def test_all_levels_are_written_and_kept(pyramid):
    assert pyramid.write_layer(1.0, CELLS, draw) == 4 + 3 + 2
    folder = pyramid.layout.folder
    level_0 = [f"0/1/{row}/{column}.png" for row, column in CELLS]
    assert files_below(folder) == sorted(
        [*level_0, "1/1/0/0.png", "1/1/1/1.png", "1/1/2/0.png", "2/1/0/0.png", "2/1/1/0.png"]
    )
    parent = read_image(folder / "1/1/0/0.png")
    assert (parent[:2, :4] == 1).all()
    assert (parent[:2, 4:] == 2).all()
    assert (parent[2:] == 0).all()
    assert pyramid.write_layer(1.0, CELLS, draw) == 0


def test_what_is_missing_is_made_with_all_above_it(pyramid):
    pyramid.write_layer(1.0, CELLS, draw)
    folder = pyramid.layout.folder
    (folder / "0/1/0/1.png").unlink()
    drawn = []

    def draw_brighter(cell):
        drawn.append(cell)
        return draw(cell) + np.uint8(100)

    assert pyramid.write_layer(1.0, CELLS, draw_brighter) == 3
    assert drawn == [(0, 1)]
    parent, grandparent = read_image(folder / "1/1/0/0.png"), read_image(folder / "2/1/0/0.png")
    assert parent[0, 4] == 102
    assert grandparent[0, 2] == 102
    redone = BoxPyramid(pyramid.layout, 8, 4, 2, redo=True)
    assert redone.write_layer(1.0, CELLS, draw) == 9


def test_a_failure_leaves_whole_files_and_is_taken_up(pyramid):
    def fail(cell):
        if cell == (3, 3):
            raise OSError("no image")
        return draw(cell)

    with pytest.raises(OSError, match="no image"):
        pyramid.write_layer(1.0, CELLS, fail)
    assert files_below(pyramid.layout.folder) == ["0/1/0/0.png", "0/1/0/1.png", "1/1/0/0.png"]
    assert pyramid.write_layer(1.0, CELLS, draw) == 6


def test_overview_and_list(pyramid):
    cells = [(0, 0), (0, 1), (1, 0)]
    assert not pyramid.write_overview(2.0, cells, Overview((16, 8), 8))
    pyramid.write_layer(2.0, cells, draw)
    assert pyramid.write_overview(2.0, cells, Overview((16, 8), 8))
    overview = read_image(pyramid.layout.overview(2.0))
    assert overview.shape == (4, 8)
    assert overview[0, [0, 7]].tolist() == [1, 2]
    pyramid.write_empty(np.zeros((4, 8), np.uint8))
    pyramid.write_grid(2.0, cells)
    lines = pyramid.layout.grid(2.0).read_text().splitlines()
    assert lines[:2] == ["Columns: 2", "Rows: 2"]
    folder = pyramid.layout.folder
    assert lines[2:] == [*(str(folder / f"0/2/{r}/{c}.png") for r, c in cells), str(folder / "empty.png")]
    assert all(Path(line).is_file() for line in lines[2:])
