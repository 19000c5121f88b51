"""Make a stack with one small picture of each section of a montage: the scapes on which sections are aligned roughly.

Render draws every section as a whole at a small scale. The pictures are kept where Render's own section client keeps
them, image_directory/PROJECT/STACK/sections_at_SCALE/000/0/Z.tif, and used again while they are newer than the stack.
The tiles of the new stack are as large as the pictures, or with apply_scale as large as the sections; with apply_offset
they lie where the sections do, else at 0, 0.
"""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from marshmallow import ValidationError, pre_load, validates_schema

from rendermodules.core.scapes import Canvas, canvas_of_section, new_z_of_scapes, scape_prefix, scape_tile
from rendermodules.core.sections import Section
from rendermodules.io.files import write_bytes_whole
from rendermodules.io.images import ImageError, read_image, write_image
from rendermodules.io.paths import url_of_path
from rendermodules.io.section_paths import section_image_path
from rendermodules.module import stacks
from rendermodules.module.fields import Bool, Float, Int, OutputDir, OutputFile, Str
from rendermodules.module.images import box_image
from rendermodules.module.render_module import SectionMapModule, worker_connection
from rendermodules.module.schemas import SectionMapParameters


class MakeMontageScapesStackParameters(SectionMapParameters):
    """How sections are drawn, and where their pictures lie in the new stack."""

    image_directory = OutputDir("folder for the pictures", required=True)
    scale = Float("pixels of the picture per world pixel, such as 0.05", required=True, minimum=1e-6, maximum=1.0)
    imgformat = Str("format of the pictures", default="tif", choices=["tif", "png", "jpg"])
    channel = Str("channel to draw; by default the stack's own or the first")
    dtype = Str(
        "uint8 spreads intensities over 0 to 255, uint16 keeps them", default="uint8", choices=["uint8", "uint16"]
    )
    minIntensity = Float("intensity that becomes 0 in 8 bit; that of the tiles by default")
    maxIntensity = Float("intensity that becomes 255 in 8 bit; that of the tiles by default")
    doFilter = Bool("even out the images' contrast by Render's filters", default=True)
    filterListName = Str("list of filters of the Render server to use instead of its own")
    fillWithNoise = Bool("noise instead of black where there is no tile", default=False)
    z_mode = Str(
        "z of the new tiles. keep: as in the montage. offset: the first is new_z_start, gaps stay. consecutive: "
        "new_z_start and on without gaps",
        default="keep",
        choices=["keep", "offset", "consecutive"],
    )
    new_z_start = Float("z of the first new tile where z_mode is not keep", default=0.0, minimum=0.0)
    apply_scale = Bool("tiles are as large in the world as the sections, not as the pictures", default=False)
    apply_offset = Bool("tiles lie where the sections lie, not at 0, 0", default=False)
    uuid_prefix = Bool("put a mark of the section and the scale before the ids of the tiles", default=True)
    uuid_length = Int("number of hexadecimal digits of the mark", default=10, minimum=1, maximum=64)
    numsectionsfile = OutputFile("file to write the number of sections into")
    force_redo = Bool("draw also the pictures that are there", default=False)

    aliases: ClassVar[Mapping[str, str | None]] = {
        "montage_stack": "input_stack",
        "pool_size_materialize": "pool_size",
        "memGB_materialize": None,
        "remap_section_ids": None,
        "level": None,
    }

    @pre_load
    def accept_set_new_z(self, data: Any, **_: Any) -> Any:
        """Return the data with ``set_new_z`` as a ``z_mode``."""
        if not isinstance(data, dict) or "set_new_z" not in data:
            return data
        rest = {key: value for key, value in data.items() if key != "set_new_z"}
        return {"z_mode": "offset" if data["set_new_z"] in (True, "true", "True") else "keep", **rest}

    @validates_schema
    def check_stacks(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse to put scapes among the tiles that they show."""
        if data.get("input_stack") == data.get("output_stack"):
            raise ValidationError("must be another stack than the montage", "output_stack")


def _scape(
    section: Section, *, parameters: Mapping[str, Any], new_z: Mapping[float, float], drawn_since: float
) -> Section:
    """Return the section that has the scape of a section as its only tile; draws its picture."""
    render, scale = parameters["render"], parameters["scale"]
    canvas = canvas_of_section(section)
    if min(canvas.picture_size(scale)) < 1:
        raise ValueError(f"at scale {scale} the section, {canvas.width} x {canvas.height}, has no pixel")
    path = section_image_path(
        parameters["image_directory"],
        render["project"],
        parameters["input_stack"],
        scale,
        section.z,
        parameters["imgformat"],
    ).absolute()
    if parameters["force_redo"] or not _is_drawn(path, canvas.picture_size(scale), drawn_since):
        write_image(path, _picture(section, canvas, parameters))
    identity = {"stack": parameters["input_stack"], "z": section.z, "scale": scale, "project": render["project"]}
    prefix = scape_prefix(identity, parameters["uuid_length"]) if parameters["uuid_prefix"] else ""
    first = (section.tiles[0].get("channels") or section.tiles)[0]
    tile = scape_tile(
        section,
        new_z[section.z],
        url_of_path(path),
        canvas,
        scale,
        apply_scale=parameters["apply_scale"],
        apply_offset=parameters["apply_offset"],
        intensities=(0.0, 255.0)
        if parameters["dtype"] == "uint8"
        else (first.get("minIntensity") or 0.0, first.get("maxIntensity") or 65535.0),
        prefix=prefix,
    )
    return Section(new_z[section.z], [tile])


def _picture(section: Section, canvas: Canvas, parameters: Mapping[str, Any]) -> Any:
    return box_image(
        worker_connection(parameters["render"]),
        parameters["input_stack"],
        section.z,
        canvas.x,
        canvas.y,
        canvas.width,
        canvas.height,
        scale=parameters["scale"],
        dtype=parameters["dtype"],
        channel=parameters["channel"],
        min_intensity=parameters["minIntensity"],
        max_intensity=parameters["maxIntensity"],
        filtered=parameters["doFilter"],
        filter_list_name=parameters["filterListName"],
        fill_with_noise=parameters["fillWithNoise"],
    )


def _is_drawn(path: Path, size: tuple[int, int], since: float) -> bool:
    """Return whether a picture is there, whole, of its size, and newer than the stack (seconds since 1970)."""
    try:
        return path.stat().st_mtime > since and read_image(path).shape[1::-1] == size
    except (FileNotFoundError, ImageError):
        return False


class MakeMontageScapesStack(SectionMapModule):
    """Make a stack of small pictures of whole sections, on which they are aligned roughly."""

    default_schema = MakeMontageScapesStackParameters

    def section_task(self) -> Callable[[Section], Section]:
        zs = self.zvalues()
        return functools.partial(
            _scape,
            parameters=self.args,
            new_z=new_z_of_scapes(zs, self.args["z_mode"], self.args["new_z_start"]),
            drawn_since=stacks.modification_time(self.render, self.args["input_stack"]),
        )

    def stack_version(self) -> dict[str, Any]:
        if self.args["apply_scale"]:
            return {}
        # pixels of the pictures are larger than those of the montage
        version = stacks.stack_metadata(self.render, self.args["input_stack"]).get("currentVersion") or {}
        sizes = {name: version.get(name) for name in ("stackResolutionX", "stackResolutionY")}
        return {name: size / self.args["scale"] for name, size in sizes.items() if size is not None}

    def run(self) -> dict[str, Any]:
        summary = self.map_sections()
        if self.args["numsectionsfile"] and not self.dry_run:
            write_bytes_whole(self.args["numsectionsfile"], str(len(summary["zValues"])).encode())
        return self.output(summary)


if __name__ == "__main__":
    raise SystemExit(MakeMontageScapesStack.main())
