import json

import marshmallow
import numpy as np
import pytest
import tifffile

from rendermodules.module.errors import RenderModuleError
from rendermodules.synthetic import CreateSyntheticImages

SMALL = {"sections": 1, "rows": 1, "columns": 2, "tile_width": 64, "tile_height": 48, "bit_depth": 16}


def images(folder):
    return {path.relative_to(folder): tifffile.imread(path) for path in sorted(folder.rglob("*.tif"))}


def test_the_number_of_workers_changes_nothing(tmp_path):
    one = CreateSyntheticImages(input_data={**SMALL, "output_dir": str(tmp_path / "one")}).run()
    CreateSyntheticImages(input_data={**SMALL, "output_dir": str(tmp_path / "two"), "pool_size": 2}).run()
    first, second = images(tmp_path / "one"), images(tmp_path / "two")
    assert one["image_count"] == len(first) == 2
    assert all(np.array_equal(image, second[path]) for path, image in first.items())
    assert json.loads((tmp_path / "one" / "truth.json").read_text())


def test_a_dry_run_makes_nothing(tmp_path):
    result = CreateSyntheticImages(input_data={**SMALL, "output_dir": str(tmp_path / "one"), "dry_run": True}).run()
    assert result["image_count"] == 2
    assert not list(tmp_path.iterdir())


def test_a_folder_with_other_data_is_left_alone(tmp_path):
    data = {**SMALL, "output_dir": str(tmp_path / "one")}
    CreateSyntheticImages(input_data=data).run()
    before = images(tmp_path / "one")
    with pytest.raises(RenderModuleError, match="other settings"):
        CreateSyntheticImages(input_data={**data, "seed": 9}).run()
    assert all(np.array_equal(image, before[path]) for path, image in images(tmp_path / "one").items())


def test_impossible_settings_are_bad_parameters(tmp_path):
    with pytest.raises(marshmallow.ValidationError, match="overlap"):
        CreateSyntheticImages(input_data={**SMALL, "output_dir": str(tmp_path), "overlap": 2.0})
