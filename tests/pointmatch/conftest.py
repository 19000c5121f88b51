"""Synthetic sections with images, in an embedded store, and what their matches should be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rendermodules.core.synthetic import SyntheticSettings, section_specs, section_tiles, tile_image
from rendermodules.io.images import write_image
from rendermodules.io.paths import url_of_path


@pytest.fixture(scope="session")
def pictured(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Function that writes the images of synthetic sections once, and gives sections of tiles that refer to them."""
    made: dict[SyntheticSettings, Path] = {}

    def sections(settings: SyntheticSettings, placement: str = "nominal") -> list[Any]:
        if settings not in made:
            folder = made[settings] = tmp_path_factory.mktemp("images")
            for z in settings.zvalues:
                for tile in section_tiles(settings, z):
                    for channel in settings.channels:
                        write_image(folder / f"{tile.tile_id}_{channel}.tif", tile_image(settings, tile, channel))

        def url(tile: Any, channel: str) -> str:
            return url_of_path(made[settings] / f"{tile.tile_id}_{channel}.tif")

        return [section_specs(settings, z, placement, url) for z in settings.zvalues]

    return sections


@pytest.fixture(scope="session")
def true_errors() -> Callable[..., np.ndarray]:
    """Function that gives how far matches in raw pixels are off the truth, in pixels of q."""

    def errors(settings: SyntheticSettings, matches: list[Any]) -> np.ndarray:
        tiles = {tile.tile_id: tile for z in settings.zvalues for tile in section_tiles(settings, z)}
        off = [
            np.linalg.norm(one.q - tiles[one.q_id].from_world(tiles[one.p_id].to_world(one.p)), axis=1)
            for one in matches
        ]
        return np.concatenate(off)

    return errors
