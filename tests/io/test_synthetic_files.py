import csv
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rendermodules.core.synthetic import SyntheticSettings, section_tiles, tile_image
from rendermodules.io.images import read_image
from rendermodules.io.synthetic_files import read_truth, write_synthetic_files

SETTINGS = SyntheticSettings(
    sections=2, rows=1, columns=2, tile_width=48, tile_height=32, channels=("EM", "DAPI"), first_z=3, folds=1
)


def positions(folder: Path) -> list[dict[str, str]]:
    with (folder / "positions.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(("suffix", "bit_depth"), [(".tif", 8), (".tif", 16), (".png", 16)])
def test_files_are_the_images_and_their_nominal_places(tmp_path: Path, suffix: str, bit_depth: int) -> None:
    settings = replace(SETTINGS, bit_depth=bit_depth)
    assert write_synthetic_files(settings, tmp_path, suffix) == 8
    rows = positions(tmp_path)
    pictures = [(tile, c) for z in settings.zvalues for tile in section_tiles(settings, z) for c in settings.channels]
    assert len(rows) == len(pictures)
    for row, (tile, channel) in zip(rows, pictures, strict=True):
        assert (row["tileId"], float(row["z"]), row["channel"]) == (tile.tile_id, tile.z, channel)
        assert (float(row["x"]), float(row["y"])) == (tile.nominal_x, tile.nominal_y)
        assert (int(row["row"]), int(row["col"])) == (tile.row, tile.column)
        assert row["file"].endswith(suffix)
        np.testing.assert_array_equal(read_image(tmp_path / row["file"]), tile_image(settings, tile, channel))


def test_truth_is_read_back(tmp_path: Path) -> None:
    write_synthetic_files(SETTINGS, tmp_path)
    settings, sections = read_truth(tmp_path)
    assert settings == SETTINGS
    assert sections == {z: section_tiles(SETTINGS, z) for z in SETTINGS.zvalues}


def test_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    class Stopped(Exception):
        pass

    def stops_after_three(function, pictures):
        for count, picture in enumerate(pictures):
            if count == 3:
                raise Stopped
            yield function(picture)

    with pytest.raises(Stopped):
        write_synthetic_files(SETTINGS, tmp_path, map_pictures=stops_after_three)
    assert not (tmp_path / "positions.csv").exists()
    images = sorted(tmp_path.rglob("*.tif"))
    assert len(images) == 3
    # one of those that are there is damaged
    images[1].write_bytes(b"")
    assert write_synthetic_files(SETTINGS, tmp_path) == 6
    assert len(positions(tmp_path)) == 8
    assert write_synthetic_files(SETTINGS, tmp_path) == 0


def test_files_do_not_depend_on_workers(tmp_path: Path) -> None:
    write_synthetic_files(SETTINGS, tmp_path / "one")
    with ThreadPoolExecutor(2) as workers:

        def in_workers(function, pictures):
            return workers.map(pickle.loads(pickle.dumps(function)), list(pictures)[::-1])

        write_synthetic_files(SETTINGS, tmp_path / "two", map_pictures=in_workers)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*"))
    assert len(files) == 10
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_other_data_set_in_the_folder_is_refused(tmp_path: Path) -> None:
    write_synthetic_files(SETTINGS, tmp_path)
    with pytest.raises(ValueError, match="other settings"):
        write_synthetic_files(replace(SETTINGS, seed=2), tmp_path)
    (tmp_path / "truth.json").write_text("{}")
    with pytest.raises(ValueError, match=r"truth\.json"):
        write_synthetic_files(SETTINGS, tmp_path)
