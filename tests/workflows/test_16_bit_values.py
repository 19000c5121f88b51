"""Images of 16 bit keep their values to the bit through every module that does not mean to change them.

Whatever a module does to a stack of random images, its output is drawn by the service and compared with arrays. Each
module of dataimport, stack and tile has a function of its name here.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

from rendermodules.core.pyramids import reduced
from rendermodules.core.sections import Section
from rendermodules.io.images import read_image, write_image
from rendermodules.io.paths import url_of_path
from rendermodules.module import stacks
from rendermodules.module.catalogue import find_module, modules
from rendermodules.module.images import box_image

WIDTH, HEIGHT = 24, 16
ZS = (0.5, 2.0)
CHANNELS = ("DAPI", "GFP")
FRAMES = (0, 1)

CHANGING = {"tile.filter_tiles"}
"""Modules whose purpose is to change values."""


def pixels(z, frame, channel):
    """Return the image of a tile: all grey values but 0, which stands for no tile."""
    seed = (int(10 * z), frame, CHANNELS.index(channel))
    return np.random.default_rng(seed).integers(1, 65536, (HEIGHT, WIDTH), dtype=np.uint16)


def picture(z, channel="DAPI"):
    """Return a section: its tiles side by side."""
    return np.hstack([pixels(z, frame, channel) for frame in FRAMES])


class Laboratory:
    """A folder with images and the stacks that are made of them."""

    def __init__(self, folder: Path, render, parameters) -> None:
        self.folder = folder
        self.render = render
        self.parameters = parameters

    def image(self, z, frame, channel):
        """Return the path of the image of a tile, which is written when it is first asked for."""
        path = self.folder / f"images ü/{channel}_z{z}_F{frame:04d}.tif"
        if not path.exists():
            write_image(path, pixels(z, frame, channel))
        return path

    def tile(self, z, frame, channels, tile_id):
        levels = {name: {"0": {"imageUrl": url_of_path(self.image(z, frame, name))}} for name in CHANNELS}
        range_16_bit = {"minIntensity": 0.0, "maxIntensity": 65535.0}
        affine = {"className": "mpicbg.trakem2.transform.AffineModel2D", "dataString": f"1 0 0 1 {WIDTH * frame} 0"}
        return {
            "tileId": tile_id,
            "z": z,
            "width": WIDTH,
            "height": HEIGHT,
            **range_16_bit,
            "layout": {"sectionId": f"{z}", "imageRow": 0, "imageCol": frame},
            "mipmapLevels": levels[channels[0]],
            "channels": [{"name": name, **range_16_bit, "mipmapLevels": levels[name]} for name in channels],
            "transforms": {"type": "list", "specList": [{"type": "leaf", **affine}]},
        }

    def write(self, stack, zs=ZS, channels=CHANNELS):
        with stacks.written_stack(self.render, stack, version={}, close=True):
            for z in zs:
                tiles = [self.tile(z, frame, channels, f"{stack}_{z}_{frame}") for frame in FRAMES]
                stacks.write_section(self.render, stack, Section(z, tiles))

    def run(self, module, **parameters):
        connection = {"render": self.parameters} if module != "dataimport.create_mipmaps" else {}
        return find_module(module).load()(input_data={**connection, **parameters}).run()

    def check(self, stack, z, expected, channel=None, corner=(0, 0)):
        """Check what a stack shows right and below of a corner."""
        rows, columns = expected.shape
        found = box_image(self.render, stack, z, *corner, columns, rows, dtype="uint16", channel=channel)
        np.testing.assert_array_equal(found, expected)

    def check_all(self, stack, zs=ZS, channels=CHANNELS):
        """Check that a stack shows what was acquired; ``zs`` are its z in the order of the acquired ones."""
        assert stacks.z_values(self.render, stack) == sorted(zs)
        for z, source_z in zip(zs, ZS, strict=True):
            for channel in channels:
                self.check(stack, z, picture(source_z, channel), channel)


def import_image_directory(lab):
    lines = ["file,x,y,z,channel"]
    for z in ZS:
        for frame in FRAMES:
            for channel in CHANNELS:
                lines.append(f"{lab.image(z, frame, channel).name},{WIDTH * frame},0,{z},{channel}")
    (lab.folder / "positions.csv").write_text("\n".join(lines))
    folder = str(lab.image(ZS[0], 0, "DAPI").parent)
    table = str(lab.folder / "positions.csv")
    lab.run(
        "dataimport.import_image_directory",
        positions_file=table,
        image_directory=folder,
        tile_id="z{z}_{x}",
        output_stack="new",
    )
    lab.check_all("new")


def import_statetable(lab):
    lines = ["ribbon,section,ch_name,frame,full_path,z,tileID,a00,a01,a02,a10,a11,a12"]
    for section, z in enumerate(ZS):
        for frame in FRAMES:
            for channel in CHANNELS:
                path = lab.image(z, frame, channel)
                place = f"1,0,{WIDTH * frame},0,1,0"
                lines.append(f"0,{section},{channel},{frame},{path},{z},{path.stem},{place}")
    table = lab.folder / "state.csv"
    table.write_text("\n".join(lines), encoding="utf-8")
    lab.run("dataimport.import_statetable", statetable_files=[str(table)], multichannel=True)
    lab.check_all("ACQSession0")
    lab.run("dataimport.import_statetable", statetable_files=[str(table)])
    for channel in CHANNELS:
        lab.check(f"ACQ_{channel}", ZS[1], picture(ZS[1], channel))


def generate_EM_tilespecs_from_metafile(lab):  # noqa: N802 - the name of the module
    data = []
    for frame in FRAMES:
        stage = {"stage_pos": [WIDTH * frame, 0], "pixel_size_x_move": 1.0, "pixel_size_y_move": 1.0, "angle": 0.0}
        meta = {**stage, "raster_pos": [frame, 0]}
        data.append({"img_path": lab.image(ZS[0], frame, "DAPI").name, "img_meta": meta})
    calibration = {"highmag": {"x_nm_per_pix": 4.0}}
    metadata = {"calibration": calibration, "camera_info": {"width": WIDTH, "height": HEIGHT}}
    file = lab.folder / "images ü/_metadata_20260101120000.json"
    file.write_text(json.dumps([{"metadata": metadata}, {"data": data}]))
    lab.run("dataimport.generate_EM_tilespecs_from_metafile", metafile=str(file), z=ZS[0], output_stack="new")
    lab.check("new", ZS[0], picture(ZS[0]))


def import_ome(lab):
    for number, z in enumerate(ZS):
        for frame in FRAMES:
            planes = [pixels(z, frame, channel) for channel in CHANNELS]
            metadata = {
                "axes": "CYX",
                "PhysicalSizeX": 1.0,
                "PhysicalSizeY": 1.0,
                "Channel": {"Name": list(CHANNELS)},
                "Plane": {"PositionX": [WIDTH * frame] * 2, "PositionY": [0] * 2},
            }
            path = lab.folder / f"S{number}_F{frame}.ome.tif"
            tifffile.imwrite(path, planes, photometric="minisblack", metadata=metadata)
    files = {"ome_files": [str(lab.folder / "*.ome.tif")], "section_pattern": r"S(?P<section>\d+)_"}
    extracted = str(lab.folder / "planes")
    for stack, more in (("new", {}), ("extracted", {"extracted_directory": extracted})):
        lab.run("dataimport.import_ome", **files, output_stack=stack, **more)
        lab.check_all(stack, [0.0, 1.0])


def import_serialem(lab):
    lines = ["PixelSpacing = 10", ""]
    for frame in FRAMES:
        lines += [f"[Image = {lab.image(ZS[0], frame, 'DAPI').name}]", f"PieceCoordinates = {WIDTH * frame} 0 0", ""]
    file = lab.folder / "images ü/montage.idoc"
    file.write_text("\n".join(lines))
    lab.run("dataimport.import_serialem", metadata_files=[str(file)], output_stack="new")
    lab.check("new", 0.0, picture(ZS[0]))


def import_tilespecs(lab):
    tiles = [lab.tile(z, frame, CHANNELS, f"{z}_{frame}") for z in ZS for frame in FRAMES]
    file = lab.folder / "tiles.json"
    file.write_text(json.dumps(tiles))
    lab.run("dataimport.import_tilespecs", tilespec_files=[str(file)], output_stack="new")
    lab.check_all("new")


def check_mipmaps(lab, stack):
    """Check that a stack has levels whose values are the averages of 16 bit."""
    lab.check_all(stack)
    for z in ZS:
        for tile, frame in zip(stacks.read_section(lab.render, stack, z).tiles, FRAMES, strict=True):
            for channel in tile["channels"]:
                expected = pixels(z, frame, channel["name"])
                for level in ("1", "2"):
                    expected = reduced(expected)
                    np.testing.assert_array_equal(read_image(channel["mipmapLevels"][level]["imageUrl"]), expected)


def generate_mipmaps(lab):
    lab.write("raw")
    folder = str(lab.folder / "mipmaps")
    lab.run("dataimport.generate_mipmaps", input_stack="raw", output_stack="new", output_dir=folder, levels=2)
    check_mipmaps(lab, "new")


def apply_mipmaps_to_render(lab):
    lab.write("raw")
    names = {"output_dir": str(lab.folder / "mipmaps"), "levels": 2, "imgformat": "png"}
    lab.run("dataimport.generate_mipmaps", input_stack="raw", **names)
    lab.run("dataimport.apply_mipmaps_to_render", input_stack="raw", output_stack="new", check_images=True, **names)
    check_mipmaps(lab, "new")


def create_mipmaps(lab):
    image = pixels(ZS[0], 0, "DAPI")
    path = lab.image(ZS[0], 0, "DAPI")
    for image_format in ("tif", "png"):
        made = lab.run("dataimport.create_mipmaps", input_images=[str(path)], imgformat=image_format, levels=2)
        (levels,) = made["mipmaps"].values()
        np.testing.assert_array_equal(read_image(levels["2"]), reduced(reduced(image)))


def make_montage_scapes_stack(lab):
    lab.write("raw")
    lab.run(
        "dataimport.make_montage_scapes_stack",
        input_stack="raw",
        output_stack="new",
        image_directory=str(lab.folder / "scapes"),
        scale=1.0,
        dtype="uint16",
        doFilter=False,
        channel="GFP",
    )
    for z in ZS:
        lab.check("new", z, picture(z, "GFP"))


def apply_mask_to_stack(lab):
    lab.write("raw")
    mask = np.full((HEIGHT, WIDTH), 255, np.uint8)
    mask[:, :5] = 0
    write_image(lab.folder / "mask.png", mask)
    lab.run("stack.apply_mask_to_stack", input_stack="raw", output_stack="new", mask_file=str(lab.folder / "mask.png"))
    for channel in CHANNELS:
        lab.check("new", ZS[0], np.where(np.hstack([mask, mask]), picture(ZS[0], channel), 0), channel)


def apply_transform_to_stack(lab):
    lab.write("raw")
    lab.run("stack.apply_transform_to_stack", input_stack="raw", output_stack="new", B0=-100, B1=30)
    lab.check("new", ZS[1], picture(ZS[1], "GFP"), "GFP", corner=(-100, 30))


def consolidate_transforms(lab):
    lab.write("raw")
    lab.run("stack.apply_transform_to_stack", input_stack="raw", output_stack="raw", B0=7, transformId="shift")
    lab.run("stack.consolidate_transforms", input_stack="raw", output_stack="new")
    lab.check("new", ZS[1], picture(ZS[1], "GFP"), "GFP", corner=(7, 0))


def create_subvolume_stack(lab):
    lab.write("raw")
    lab.run("stack.create_subvolume_stack", input_stack="raw", output_stack="new", minX=0, minY=0, maxX=WIDTH, maxY=9)
    for z in ZS:
        lab.check("new", z, pixels(z, 0, "GFP"), "GFP")


def edit_image_pyramids(lab):
    lab.write("raw")
    folder = lab.image(ZS[0], 0, "DAPI").parent
    folder.rename(lab.folder / "archive")
    operations = [{"operation": "redirect", "directory": str(lab.folder / "archive")}]
    lab.run("stack.edit_image_pyramids", input_stack="raw", output_stack="new", operations=operations)
    lab.check_all("new")


def manage_stack(lab):
    lab.write("raw")
    lab.run("stack.manage_stack", stacks=["raw"], stackResolutionX=100.0, defaultChannel="GFP", state="READ_ONLY")
    lab.check_all("raw")
    lab.check("raw", ZS[0], picture(ZS[0], "GFP"))


def merge_channels(lab):
    for channel in CHANNELS:
        lab.write(channel, channels=[channel])
    lab.run("stack.merge_channels", input_stack="GFP", channel_stacks=[{"stack": "DAPI"}], output_stack="new")
    lab.check_all("new")


def merge_stacks(lab):
    for stack, z in zip("ab", ZS, strict=True):
        lab.write(stack, zs=[z])
    lab.run("stack.merge_stacks", stacks=[{"stack": "a"}, {"stack": "b"}], output_stack="new")
    lab.check_all("new")


def remap_zs(lab):
    lab.write("raw")
    lab.run("stack.remap_zs", input_stack="raw", output_stack="raw", new_zValues=[2.0, 0.5])
    lab.check_all("raw", [2.0, 0.5])


def set_stack_levels(lab):
    lab.write("raw")
    lab.run("stack.set_stack_levels", input_stack="raw", output_stack="new", minIntensity=1000, maxIntensity=2000)
    lab.check_all("new")
    lab.run("stack.set_stack_levels", input_stack="raw", output_stack="raw", mode="percentile")
    lab.check_all("raw")


def swap_zs(lab):
    lab.write("first")
    lab.write("second", channels=["GFP"])
    lab.run("stack.swap_zs", source_stacks=["first"], target_stacks=["second"], zValues=[ZS[0]])
    lab.check_all("second", channels=["GFP"])
    for z, channel in zip(ZS, ("DAPI", "GFP"), strict=True):
        lab.check("second", z, picture(z, channel))


def flip_tiles(lab):
    lab.write("raw")
    folder = str(lab.folder / "flipped")
    lab.run("tile.flip_tiles", input_stack="raw", output_stack="new", output_directory=folder, axis="horizontal")
    # turned about the middle of an untransformed tile
    for channel in CHANNELS:
        lab.check("new", ZS[0], picture(ZS[0], channel)[:, ::-1], channel, corner=(-WIDTH, 0))


def mask_filled_borders(lab):
    filled = pixels(ZS[0], 0, "DAPI")
    filled[:3] = 0
    write_image(lab.image(ZS[0], 0, "DAPI"), filled)
    lab.write("raw")
    masks = {"mask_dir": str(lab.folder / "masks"), "margin": 0}
    lab.run("tile.mask_filled_borders", input_stack="raw", output_stack="new", **masks)
    lab.check("new", ZS[0], np.hstack([filled, pixels(ZS[0], 1, "DAPI")]))
    lab.check("new", ZS[1], picture(ZS[1], "GFP"), "GFP")


@pytest.mark.parametrize(
    "name",
    [entry.path for entry in modules() if entry.area in ("dataimport", "stack", "tile") and entry.path not in CHANGING],
)
def test_values_are_kept(name, tmp_path, render, render_parameters):
    globals()[name.partition(".")[2]](Laboratory(tmp_path, render, render_parameters))
