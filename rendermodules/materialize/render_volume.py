"""Draw the sections of stacks into files: TIFF, PNG, JPEG, or one OME-Zarr volume per stack.

Any box at any scale, in 8 or 16 bit, one channel after the other. Boxes are world
pixels of the stack. Big sections are drawn in blocks, so memory does not grow with
their size (except for PNG and JPEG, which are written in one piece). Finished files
are kept: a run that was killed goes on where it stopped.
"""

import functools
import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import renderapi
from marshmallow import ValidationError, validates_schema
from numpy.typing import NDArray

from rendermodules.core.intensity_levels import shown_range, with_intensities
from rendermodules.module import stacks
from rendermodules.module.connection import connect
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.fields import Float, Int, List, OutputDir, Str
from rendermodules.module.images import box_image
from rendermodules.module.render_module import RenderModule
from rendermodules.module.schemas import (
    BoxParameters,
    ChannelParameters,
    OutputParameters,
    PoolParameters,
    RenderParameters,
    ZValueParameters,
)

_MAX_PIXELS_IN_ONE_PIECE = 2**30


class RenderVolumeParameters(RenderParameters, ZValueParameters, BoxParameters, ChannelParameters, PoolParameters):
    """Parameters of the volume."""

    input_stacks = List(Str, "stacks to draw; they must be COMPLETE", required=True)
    volume_dir = OutputDir("folder for the files", required=True)
    format = Str("kind of file", default="tif", choices=["tif", "png", "jpg", "ome_zarr"])
    name_template = Str(
        "path of a file in volume_dir, without suffix: {stack}, {channel}, {name} (the channel, or else the stack), "
        "{z}, {index} (0, 1, 2 ...) with Python's formats. OME-Zarr volumes are called by their stack",
        default="{name}/{name}_{z:06g}",
    )
    scale = Float("pixels of the file per world pixel", default=1.0, minimum=1e-6)
    dtype = Str("uint8 maps intensities to 0 to 255, uint16 keeps them", default="uint8", choices=["uint8", "uint16"])
    minIntensity = Float(
        "intensity that becomes 0 in 8 bit, and is shown black by viewers; that of the tiles by default"
    )
    maxIntensity = Float("intensity that becomes 255, and that viewers show white; that of the tiles by default")
    skip = Int("draw every n-th section only", default=1, minimum=1)
    block_size = Int("edge of the blocks in which a section is drawn, in pixels of the file", default=2048, minimum=256)

    aliases: ClassVar[dict[str, str]] = dict.fromkeys(("stack", "stacks", "input_stack"), "input_stacks")

    @validates_schema
    def check_block_size(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse blocks that no TIFF can have as tiles."""
        if data["block_size"] % 16:
            raise ValidationError("must be a multiple of 16", "block_size")

    @validates_schema
    def check_depth(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse 16 bit in a format that has only 8."""
        if data["format"] == "jpg" and data["dtype"] == "uint16":
            raise ValidationError("jpg holds 8 bit only; choose tif, png or ome_zarr for uint16", "format")


class RenderVolumeOutput(OutputParameters):
    """What was drawn."""

    files = List(Str, "the files or volumes", required=True)
    box = List(Float, "minX, minY, maxX, maxY of the drawing in world pixels", required=True)
    zValues = List(Float, "z of the sections drawn", required=True)


class _Picture(NamedTuple):
    """One picture to draw: a channel of a section."""

    stack: str
    channel: str | None
    channel_index: int
    z: float
    place: int

    def __str__(self) -> str:
        return f"z={self.z} of {self.stack}" + (f", {self.channel}" if self.channel else "")


class RenderVolume(RenderModule):
    """Draw the sections of stacks as TIFF, PNG or JPEG files or OME-Zarr volumes."""

    default_schema = RenderVolumeParameters
    default_output_schema = RenderVolumeOutput

    def run(self) -> dict[str, Any]:
        """Draw every channel of every section of every stack."""
        box = self._box()
        rows, columns = _picture_size(box, self.args["scale"])
        pictures = list(self._pictures())
        files = {picture: _path(picture, self.args) for picture in pictures}
        result = {
            "files": sorted({str(file) for file in files.values()}),
            "box": box,
            "zValues": sorted({picture.z for picture in pictures}),
        }
        self.logger.info("%d pictures of %d by %d pixels", len(pictures), columns, rows)
        self._check(pictures, files, rows, columns)
        if not self.dry_run:
            self._draw_all(pictures, files, box)
            self.logger.info("they are in %s", self.args["volume_dir"])
        return self.output(result)

    def _box(self) -> list[float]:
        """Return minX, minY, maxX, maxY in world pixels: as asked for, else of all the stacks."""
        wanted = [self.args[name] for name in ("minX", "minY", "maxX", "maxY")]
        if None not in wanted:
            return wanted
        bounds = [stack_bounds(self.render, stack) for stack in self.args["input_stacks"]]
        around = [choose(b[n] for b in bounds) for n, choose in zip(_EDGES, (min, min, max, max), strict=True)]
        return [a if w is None else w for w, a in zip(wanted, around, strict=True)]

    def _pictures(self) -> Iterator[_Picture]:
        for stack in self.args["input_stacks"]:
            zs = stacks.selected_z_values(self.render, stack, self.args)[:: self.args["skip"]]
            for channel_index, channel in enumerate(self.args["channels"] or [None]):
                for place, z in enumerate(zs):
                    yield _Picture(stack, channel, channel_index, z, place)

    def _check(self, pictures: list[_Picture], files: Mapping[_Picture, Path], rows: int, columns: int) -> None:
        for stack in self.args["input_stacks"] if self.args["channels"] else ():
            check_channels(self.render, stack, self.args["channels"])
        if not rows or not columns:
            raise RenderModuleError(f"at scale {self.args['scale']} the box has no pixel")
        if self.args["format"] != "ome_zarr" and len(set(files.values())) < len(pictures):
            raise RenderModuleError(f"name_template {self.args['name_template']} gives several pictures one name")
        if self.args["format"] in ("png", "jpg") and rows * columns > _MAX_PIXELS_IN_ONE_PIECE:
            raise RenderModuleError(f"{columns} by {rows} pixels are too many for {self.args['format']}; choose tif")

    def _draw_all(self, pictures: list[_Picture], files: Mapping[_Picture, Path], box: list[float]) -> None:
        volumes = set(files.values()) if self.args["format"] == "ome_zarr" else set()
        with self.journal() as journal:
            gone = {str(p) for p, file in files.items() if not (_unfinished(file) if volumes else file).exists()}
            journal.forget(gone)
            if volumes and not journal.results:
                self._create_volumes(pictures, box)
            task = functools.partial(_draw, parameters=self.args, box=box)
            self.map(task, pictures, unit="pictures", journal=journal)
            for volume in volumes:
                shutil.rmtree(volume, ignore_errors=True)
                _unfinished(volume).rename(volume)

    def _create_volumes(self, pictures: list[_Picture], box: list[float]) -> None:
        from rendermodules.io.ome_zarr import VolumeLayout, create_volume

        rows, columns = _picture_size(box, self.args["scale"])
        for stack in self.args["input_stacks"]:
            zs = sorted({picture.z for picture in pictures if picture.stack == stack})
            version = stacks.stack_metadata(self.render, stack)["currentVersion"]
            resolution = [version.get(f"stackResolution{axis}") or 1.0 for axis in "ZYX"]
            steps = np.diff(zs) if len(zs) > 1 else np.ones(1)
            thickness = float(np.median(steps))
            if np.ptp(steps) > 1e-6 * thickness:
                self.logger.warning(
                    "the sections of %s are %g to %g apart, but a volume has one distance: %g",
                    stack, steps.min(), steps.max(), thickness,
                )  # fmt: skip
            scale = self.args["scale"]
            names = tuple(self.args["channels"] or [stack])
            layout = VolumeLayout(
                shape=(len(names), len(zs), rows, columns),
                dtype=self.args["dtype"],
                voxel_size=(resolution[0] * thickness, resolution[1] / scale, resolution[2] / scale),
                origin=(resolution[0] * zs[0], resolution[1] * box[1], resolution[2] * box[0]),
                channels=names,
                name=stack,
                windows=self._windows(stack, zs[0]),
            )
            path = _unfinished(_path(_Picture(stack, None, 0, zs[0], 0), self.args))
            shutil.rmtree(path, ignore_errors=True)
            create_volume(path, layout)

    def _windows(self, stack: str, z: float) -> tuple[tuple[float, float], ...]:
        """Return the intensities that viewers are to show black and white, of each channel."""
        channels = self.args["channels"] or [None]
        if self.args["dtype"] == "uint8":
            return ((0.0, 255.0),) * len(channels)
        levels = self.args["minIntensity"], self.args["maxIntensity"]
        section = with_intensities(stacks.read_section(self.render, stack, z), *levels, None)
        return tuple(shown_range(section, channel) for channel in channels)


_EDGES = ("minX", "minY", "maxX", "maxY")


def stack_bounds(render: renderapi.render.Render, stack: str) -> dict[str, float]:
    """Return the bounds of a stack in world pixels."""
    if stacks.stack_metadata(render, stack)["state"] == "LOADING":
        raise RenderModuleError(f"stack {stack} is LOADING and has no bounds yet; set it COMPLETE or give a box")
    bounds: dict[str, float] = renderapi.stack.get_stack_bounds(stack, render=render)
    return bounds


def check_channels(render: renderapi.render.Render, stack: str, channels: Sequence[str]) -> None:
    """Refuse channels that no tile of a stack has; they would be drawn black."""
    there = (stacks.stack_metadata(render, stack).get("stats") or {}).get("channelNames")
    missing = [] if there is None else [channel for channel in channels if channel not in there]
    if missing:
        known = f"there are {', '.join(there)}" if there else "its tiles have one without a name"
        raise RenderModuleError(f"stack {stack} has no channel {', '.join(missing)}; {known}")


def _picture_size(box: list[float], scale: float) -> tuple[int, int]:
    return int((box[3] - box[1]) * scale), int((box[2] - box[0]) * scale)


def _path(picture: _Picture, parameters: Mapping[str, Any]) -> Path:
    folder = Path(parameters["volume_dir"])
    if parameters["format"] == "ome_zarr":
        return folder / f"{picture.stack}.ome.zarr"
    try:
        name = parameters["name_template"].format(
            stack=picture.stack,
            channel=picture.channel,
            name=picture.channel or picture.stack,
            z=picture.z,
            index=picture.place,
        )
    except (KeyError, ValueError, IndexError) as error:
        raise RenderModuleError(f"name_template {parameters['name_template']} cannot be used: {error}") from None
    return folder / f"{name}.{parameters['format']}"


def _unfinished(volume: Path) -> Path:
    return volume.with_name(f".{volume.name}.unfinished")


def _draw(picture: _Picture, *, parameters: Mapping[str, Any], box: list[float]) -> None:
    """Draw one picture into its file or its plane of a volume; the worker's part."""
    render = connect(parameters["render"])
    rows, columns = _picture_size(box, parameters["scale"])
    block = functools.partial(_block, render, picture, parameters, box)
    path = _path(picture, parameters)
    if parameters["format"] == "ome_zarr":
        from rendermodules.io.ome_zarr import write_plane

        write_plane(_unfinished(path), picture.channel_index, picture.place, block)
        return
    if parameters["format"] == "tif":
        from rendermodules.io.tiled_tiff import write_tiled_tiff

        write_tiled_tiff(path, (rows, columns), parameters["dtype"], parameters["block_size"], block)
    else:
        from rendermodules.io.images import write_image

        write_image(path, block(0, 0, rows, columns))


def _block(
    render: renderapi.render.Render,
    picture: _Picture,
    parameters: Mapping[str, Any],
    box: list[float],
    top: int,
    left: int,
    rows: int,
    columns: int,
) -> NDArray[Any]:
    """Return a part of a picture, asked of Render in squares of at most ``block_size``."""
    scale, size = parameters["scale"], parameters["block_size"]
    part = np.zeros((rows, columns), parameters["dtype"])
    for y in range(0, rows, size):
        for x in range(0, columns, size):
            height, width = min(size, rows - y), min(size, columns - x)
            drawn = box_image(
                render,
                picture.stack,
                picture.z,
                box[0] + (left + x) / scale,
                box[1] + (top + y) / scale,
                # Render cuts the size of a picture off to whole pixels
                math.ceil((width + 0.5) / scale),
                math.ceil((height + 0.5) / scale),
                scale=scale,
                dtype=parameters["dtype"],
                channel=picture.channel,
                min_intensity=parameters["minIntensity"],
                max_intensity=parameters["maxIntensity"],
            )
            part[y : y + height, x : x + width] = drawn[:height, :width]
    return part


if __name__ == "__main__":
    raise SystemExit(RenderVolume.main())
