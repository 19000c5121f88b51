"""Make the reduced images of a stack, and perhaps a stack that has them.

Level 1 has half of the width and height of an image, level 2 a quarter, and so on. Programs that draw or match at a
reduced scale read them instead of the full image. Images of all channels and masks are reduced, each once, 8 and 16 bit
as they are. Files that are there and whole are kept, so that a run that was stopped is simply started again.

With output_stack a copy of the stack is written whose tiles have the levels, in the same run; apply_mipmaps_to_render
does that alone. Where the files go is said by output_dir (a folder or s3://bucket/folder), or by path_find and
path_replace (raw/data by processed/downsampled_images), or they lie beside the images.
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rendermodules.core.mipmap_levels import with_mipmap_levels
from rendermodules.core.problems import Problems
from rendermodules.core.sections import Section
from rendermodules.io.mipmaps import MipmapWriting
from rendermodules.module import stacks
from rendermodules.module.fields import Float, Int, List, Str
from rendermodules.module.mipmaps import (
    MipmapNames,
    MipmapParameters,
    image_sources,
    mipmap_names,
    mipmap_writings,
    reduced_images,
)
from rendermodules.module.render_module import SectionMapModule, worker_connection
from rendermodules.module.schemas import (
    ChannelParameters,
    InputStackParameters,
    OutputParameters,
    PoolParameters,
    RenderParameters,
    StackWritingParameters,
)

# enough for many workers on a stack of one section; each reads the section's tiles, which is little beside its images
_UNITS = 16


class GenerateMipmapsParameters(
    RenderParameters, InputStackParameters, StackWritingParameters, PoolParameters, ChannelParameters, MipmapParameters
):
    """Which images are reduced, how, and where to."""

    output_stack = Str("stack to write whose tiles have the levels, may be the input stack; none is written by default")


class GenerateMipmapsOutput(OutputParameters):
    """What was made."""

    input_stack = Str("stack whose images were reduced", required=True)
    levels = List(Int, "levels that were made", required=True)
    image_count = Int("number of images and masks that have levels", required=True)
    written_count = Int("number of files that were written; the others were there", required=True)
    output_stack = Str("stack that was written, if one was")
    zValues = List(Float, "z of the sections whose images were reduced", required=True)
    tile_count = Int("number of tiles written")


def _reduced_images(
    unit: tuple[float, int],
    *,
    parameters: Mapping[str, Any],
    stack: str,
    parts: int,
    channels: Sequence[str] | None,
    writings: Mapping[str, Sequence[MipmapWriting]],
) -> dict[str, int]:
    """Make the levels of a part of the images of a section."""
    z, part = unit
    section = stacks.read_section(worker_connection(parameters), stack, z)
    sources = list(image_sources(section, channels))[part::parts]
    return {"images": len(sources), "written": reduced_images(sources, writings)}


class GenerateMipmaps(SectionMapModule):
    """Make the reduced images of a stack, and perhaps a stack that has them."""

    default_schema = GenerateMipmapsParameters
    default_output_schema = GenerateMipmapsOutput

    def section_task(self) -> Callable[[Section], Section]:
        names = mipmap_names(self.args)
        return functools.partial(with_mipmap_levels, levels_of=names.levels, channel_names=self.args["channels"])

    def run(self) -> dict[str, Any]:
        zs, names = self.zvalues(), mipmap_names(self.args)
        if self.args["path_find"] is not None:
            self._check_rule(zs, names)
        if self.dry_run:
            self.logger.info("would reduce the images of %d sections of %s", len(zs), self.args["input_stack"])
            return self._report(zs, names, [], {})
        with self.journal("images") as journal:
            made = self._make(zs, names, journal)
            summary = self.map_sections() if self.args["output_stack"] else {}
        return self._report(zs, names, made, summary)

    def _make(self, zs: Sequence[float], names: MipmapNames, journal: Any) -> list[dict[str, int]]:
        stack = self.args["input_stack"]
        parts = math.ceil(_UNITS / len(zs))
        work = functools.partial(
            _reduced_images,
            parameters=self.args["render"],
            stack=stack,
            parts=parts,
            channels=self.args["channels"],
            writings={role: mipmap_writings(self.args, names, role) for role in ("image", "mask")},
        )
        units = [(z, part) for z in zs for part in range(parts)]

        def describe(unit: tuple[float, int]) -> str:
            return f"images of section z={unit[0]} of {stack}, part {unit[1] + 1} of {parts}"

        return self.map(work, units, unit="parts of sections", describe=describe, journal=journal)

    def _check_rule(self, zs: Sequence[float], names: MipmapNames) -> None:
        """Raise an `InputError` that names the tiles whose images the rule of paths does not fit."""
        problems = Problems(f"stack {self.args['input_stack']}")
        for z in zs:
            section = stacks.read_section(self.render, self.args["input_stack"], z)
            for source, role, tile in image_sources(section, self.args["channels"]):
                names.check(source, role, f"z={z} {tile['tileId']}", problems)
        problems.raise_if_any()

    def _report(
        self, zs: Sequence[float], names: MipmapNames, made: Sequence[Mapping[str, int]], summary: Mapping[str, Any]
    ) -> dict[str, Any]:
        return self.output(
            {
                "input_stack": self.args["input_stack"],
                "levels": sorted(names.images),
                "image_count": sum(one["images"] for one in made),
                "written_count": sum(one["written"] for one in made),
                "output_stack": self.args["output_stack"],
                "zValues": zs,
                "tile_count": summary.get("tile_count"),
            }
        )


if __name__ == "__main__":
    raise SystemExit(GenerateMipmaps.main())
