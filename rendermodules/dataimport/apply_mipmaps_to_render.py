"""Write a stack whose tiles have the levels that generate_mipmaps has made, or that another program made by its rules.

The parameters that name the files are those of generate_mipmaps. Levels that a tile has are kept, unless they are
named. With mode mipmapPathBuilder tiles stay as they are, and the stack tells Render how its levels are called; it
needs output_dir with Render's layout.
"""

import functools
from collections.abc import Callable
from typing import Any

from marshmallow import ValidationError, validates_schema

from rendermodules.core.mipmap_levels import full_scale_levels, with_mipmap_levels
from rendermodules.core.problems import Problems
from rendermodules.core.sections import Section
from rendermodules.io.image_folders import missing_images
from rendermodules.io.mipmaps import extension_of
from rendermodules.io.paths import url_of_place
from rendermodules.module import stacks
from rendermodules.module.fields import Bool, Float, List, Str
from rendermodules.module.mipmaps import MipmapNames, MipmapNamingParameters, mipmap_names
from rendermodules.module.render_module import SectionMapModule
from rendermodules.module.schemas import ChannelParameters, SectionMapOutput, SectionMapParameters


class ApplyMipmapsToRenderParameters(SectionMapParameters, ChannelParameters, MipmapNamingParameters):
    """Which levels tiles get."""

    mode = Str(
        "tilespec: levels are written into the tiles; mipmapPathBuilder: the stack says how they are called",
        default="tilespec",
        choices=["tilespec", "mipmapPathBuilder"],
    )
    check_images = Bool("look whether the levels exist; those of a section that do not stop the run", default=False)
    validate = Bool("compare the tile ids of both stacks at the end", default=False)

    @validates_schema
    def check_builder(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse names that Render's path builder does not make."""
        if data.get("mode") != "mipmapPathBuilder":
            return
        if (
            not data.get("output_dir")
            or data.get("layout") == "suffix"
            or data.get("mipmaplevels")
            or data.get("mask_dir")
        ):
            raise ValidationError("a mipmapPathBuilder needs output_dir in Render's layout, and levels from 1", "mode")
        if data.get("channels") is not None:
            raise ValidationError("a mipmapPathBuilder is for all channels", "channels")


class ApplyMipmapsToRenderOutput(SectionMapOutput):
    """What was written."""

    missing_ts_zs = List(Float, "z at which validate found other tile ids than in the input stack", required=True)


def _with_levels(section: Section, *, names: MipmapNames, channels: list[str] | None, check: bool) -> Section:
    """Return the section with its levels set; raise an `InputError` that names all levels that are not there."""
    if check:
        owners = {
            url: tile["tileId"]
            for tile, full_scale in full_scale_levels(section, channels)
            for level in names.levels(tile, full_scale).values()
            for url in level.values()
            if not url.startswith("mask:")
        }
        problems = Problems("levels")
        for url in sorted(missing_images(owners)):
            problems.add("the image does not exist", f"{owners[url]} ({url})")
        problems.raise_if_any()
    return with_mipmap_levels(section, names.levels, channels)


_STACKS = ("input_stack", "output_stack")


def _unchanged(section: Section) -> Section:
    return section


class ApplyMipmapsToRender(SectionMapModule):
    """Write a stack whose tiles have levels of which the files are there."""

    default_schema = ApplyMipmapsToRenderParameters
    default_output_schema = ApplyMipmapsToRenderOutput

    def section_task(self) -> Callable[[Section], Section]:
        if self.args["mode"] == "mipmapPathBuilder":
            return _unchanged
        return functools.partial(
            _with_levels,
            names=mipmap_names(self.args),
            channels=self.args["channels"],
            check=self.args["check_images"],
        )

    def run(self) -> dict[str, Any]:
        summary = self.map_sections()
        if self.args["mode"] == "mipmapPathBuilder" and not self.dry_run:
            builder = {
                "rootPath": url_of_place(self.args["output_dir"]),
                "numberOfLevels": self.args["levels"],
                "extension": extension_of(self.args["imgformat"]),
            }
            stacks.set_mipmap_path_builder(self.render, self.args["output_stack"], builder)
        return self.output({**summary, "missing_ts_zs": self._differing(summary["zValues"])})

    def _differing(self, zs: list[float]) -> list[float]:
        """Return the z at which both stacks do not have the same tile ids; none if that is not asked."""
        return [z for z in zs if self.args["validate"] and len({self._tile_ids(name, z) for name in _STACKS}) > 1]

    def _tile_ids(self, name: str, z: float) -> frozenset[str]:
        return frozenset(tile["tileId"] for tile in stacks.read_section(self.render, self.args[name], z).tiles)


if __name__ == "__main__":
    raise SystemExit(ApplyMipmapsToRender.main())
