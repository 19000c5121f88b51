from dataclasses import replace

import numpy as np

from rendermodules.core.sections import channels, image_levels
from rendermodules.core.synthetic import SyntheticSettings, section_specs, section_tiles
from rendermodules.core.transforms.specs import tile_transform

SETTINGS = SyntheticSettings(rows=2, columns=3, tile_width=300, tile_height=200, lens_distortion=5, tile_rotation=4)
PIXELS = np.random.default_rng(0).uniform(0, 199, (50, 2))


def test_true_specs_map_as_the_truth_does() -> None:
    section = section_specs(SETTINGS, 1, "true")
    assert list(section.transforms) == ["synthetic_lens"]
    for spec, tile in zip(section.tiles, section_tiles(SETTINGS, 1), strict=True):
        placed = tile_transform(spec, section.transforms).apply(PIXELS)
        np.testing.assert_allclose(placed, tile.to_section(PIXELS), atol=1e-8)


def test_nominal_specs_are_where_the_microscope_believes() -> None:
    section = section_specs(SETTINGS, 0)
    assert section.transforms == {}
    spec, tile = section.tiles[-1], section_tiles(SETTINGS, 0)[-1]
    assert tile.nominal_x == 540
    np.testing.assert_allclose(tile_transform(spec).apply(PIXELS), PIXELS + (540, 180))
    assert spec["tileId"] == tile.tile_id
    assert (spec["z"], spec["layout"]["sectionId"]) == (0.0, "0.0")
    assert (spec["layout"]["imageRow"], spec["layout"]["imageCol"]) == (1, 2)


def test_one_channel_is_the_tile_and_several_are_its_channels() -> None:
    one = section_specs(SETTINGS, 0).tiles[0]
    assert "channels" not in one
    assert [level for level, _ in image_levels(one)] == [0]
    several = section_specs(replace(SETTINGS, channels=("DAPI", "PSD95"), bit_depth=16), 0).tiles[0]
    assert [channel["name"] for channel in channels(several)] == ["DAPI", "PSD95"]
    assert channels(several)[1]["maxIntensity"] == 65535.0


def test_image_urls_are_the_callers() -> None:
    section = section_specs(
        SETTINGS, 0, image_url=lambda tile, channel: f"file:/x/{channel}/{tile.row}_{tile.column}.png"
    )
    assert section.tiles[4]["mipmapLevels"]["0"]["imageUrl"] == "file:/x/EM/1_1.png"


def test_tile_ids_are_unique_in_a_stack() -> None:
    big = SyntheticSettings(sections=3, rows=12, columns=11)
    names = [spec["tileId"] for z in big.zvalues for spec in section_specs(big, z).tiles]
    assert len(set(names)) == 396
