"""The examples of this area run as they stand, on what a synthetic microscope has left behind."""

import gzip
import json
from pathlib import Path

import pytest
import tifffile

from rendermodules.core.synthetic import SyntheticSettings, section_specs, section_tiles, tile_image
from rendermodules.io.images import write_image
from rendermodules.module import stacks
from rendermodules.module.catalogue import find_module
from rendermodules.module.connection import connect

EXAMPLES = Path(__file__).parents[2] / "example_json" / "dataimport"
SETTINGS = SyntheticSettings(
    sections=2, rows=1, columns=2, tile_width=96, tile_height=64, channels=("DAPI", "GFP"), bit_depth=16
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Folder to run in, with the files of every kind of microscope and the stacks that the examples read."""
    monkeypatch.chdir(tmp_path)
    tiles = [tile for z in SETTINGS.zvalues for tile in section_tiles(SETTINGS, z)]
    for tile in tiles:
        for channel in SETTINGS.channels:
            write_image(tmp_path / "images" / f"{tile.tile_id}_{channel}.tif", tile_image(SETTINGS, tile, channel))
    write_positions(tiles)
    write_state_tables(tiles)
    write_metafile(tiles[:2])
    write_ome(tiles)
    write_idocs(tiles)
    write_resolved_tiles()
    return tmp_path


def rows(tiles):
    for tile in tiles:
        for channel in SETTINGS.channels:
            yield tile, channel, f"{tile.tile_id}_{channel}.tif"


def write_positions(tiles):
    lines = ["file,x,y,z,channel"]
    lines += [f"{name},{tile.nominal_x},{tile.nominal_y},{tile.z},{channel}" for tile, channel, name in rows(tiles)]
    Path("positions.csv").write_text("\n".join(lines))


def write_state_tables(tiles):
    head = "ribbon,section,session,ch_name,zstack,frame,full_path,z,tileID,a00,a01,a02,a10,a11,a12"
    for ribbon, z in enumerate(SETTINGS.zvalues):
        lines = [head]
        for tile, channel, name in rows(tile for tile in tiles if tile.z == z):
            place = f"1,0,{tile.nominal_x},0,1,{tile.nominal_y}"
            lines.append(f"{ribbon},0,1,{channel},0,{tile.column},images/{name},{z},{tile.tile_id}_{channel},{place}")
        Path(f"statetable_ribbon{ribbon}.csv").write_text("\n".join(lines))


def write_metafile(tiles):
    data = []
    for tile in tiles:
        name = f"{tile.tile_id}.tif"
        write_image(Path("montage") / name, tile_image(SETTINGS, tile, "DAPI"))
        stage = {"stage_pos": [tile.nominal_x, tile.nominal_y], "pixel_size_x_move": 1.0, "pixel_size_y_move": 1.0}
        data.append({"img_path": name, "img_meta": {**stage, "angle": 0.0, "raster_pos": [tile.column, tile.row]}})
    metadata = {"calibration": {"highmag": {"x_nm_per_pix": 4.0}}, "camera_info": {"width": 96, "height": 64}}
    text = json.dumps([{"metadata": metadata}, {"data": data}])
    Path("montage/_metadata_20260101120000.json").write_text(text)


def write_ome(tiles):
    for tile in tiles:
        planes = [tile_image(SETTINGS, tile, channel) for channel in SETTINGS.channels]
        place = {"PositionX": [tile.nominal_x] * 2, "PositionY": [tile.nominal_y] * 2}
        metadata = {
            "axes": "CYX",
            "PhysicalSizeX": 1.0,
            "PhysicalSizeY": 1.0,
            "Channel": {"Name": list(SETTINGS.channels)},
            "Plane": place,
        }
        path = f"S{tile.z:.0f}_{tile.tile_id}.ome.tif"
        tifffile.imwrite(path, planes, photometric="minisblack", metadata=metadata)


def write_idocs(tiles):
    for number, z in enumerate(SETTINGS.zvalues, start=1):
        lines = ["PixelSpacing = 10", ""]
        for tile, channel, name in rows(tile for tile in tiles if tile.z == z):
            if channel == "DAPI":
                Path(name).write_bytes((Path("images") / name).read_bytes())
                lines += [f"[Image = {name}]", f"PieceCoordinates = {tile.nominal_x:.0f} {-tile.nominal_y:.0f} 0", ""]
        Path(f"montage_{number:03d}.idoc").write_text("\n".join(lines))


def write_resolved_tiles():
    section = section_specs(
        SETTINGS, SETTINGS.zvalues[0], "true", lambda tile, channel: f"file:///old_server/{tile.tile_id}_{channel}.tif"
    )
    resolved = {
        "tileIdToSpecMap": {tile["tileId"]: tile for tile in section.tiles},
        "transformIdToSpecMap": section.transforms,
    }
    Path("resolved_tiles.json.gz").write_bytes(gzip.compress(json.dumps(resolved).encode()))


def run(name):
    example = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return find_module(f"dataimport.{name}").load()(input_data=example).run()


@pytest.mark.parametrize(
    ("name", "stack", "tile_count"),
    [
        ("import_image_directory", "raw", 4),
        ("generate_EM_tilespecs_from_metafile", "raw", 2),
        ("import_statetable", "ACQSession1", 4),
        ("import_ome", "raw", 4),
        ("import_serialem", "raw", 4),
        ("import_tilespecs", "montage", 2),
    ],
)
def test_importers(folder, name, stack, tile_count):
    run(name)
    render = connect({"host": "render.db", "owner": "demo", "project": "example"})
    sections = [stacks.read_section(render, stack, z) for z in stacks.z_values(render, stack)]
    assert sum(len(section.tiles) for section in sections) == tile_count
    assert stacks.stack_metadata(render, stack)["state"] == "COMPLETE"


def test_mipmaps(folder):
    run("import_image_directory")
    assert run("generate_mipmaps")["written_count"] == 8 * 3
    assert run("apply_mipmaps_to_render")["tile_count"] == 4
    assert run("create_mipmaps")["written_count"] == 8 * 3


def test_scapes(folder):
    render = connect({"host": "render.db", "owner": "demo", "project": "example"})
    stacks.open_stack(render, "montage", {})
    url = (folder / "images").as_uri()
    for z in SETTINGS.zvalues:
        section = section_specs(SETTINGS, z, "true", lambda tile, channel: f"{url}/{tile.tile_id}_{channel}.tif")
        stacks.write_section(render, "montage", section)
    stacks.close_stack(render, "montage")
    assert run("make_montage_scapes_stack")["tile_count"] == 2


def test_every_example_is_run():
    text = Path(__file__).read_text(encoding="utf-8")
    assert not [path.stem for path in EXAMPLES.glob("*.json") if f'"{path.stem}"' not in text]
