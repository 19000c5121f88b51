"""The base of modules that make new images for the tiles of a stack."""

import functools
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rendermodules.core.image_owners import ImageOwner, with_image_owners
from rendermodules.core.mipmap_levels import full_scale_level
from rendermodules.core.problems import Problems
from rendermodules.core.sections import Section, TileSpec
from rendermodules.io.files import write_bytes_whole
from rendermodules.io.images import Image, ImageError, ImageSource, image_size
from rendermodules.io.processed_images import ImageProcessing, write_processed_image
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError, SectionError
from rendermodules.module.fields import Bool, OutputDir, Str
from rendermodules.module.json_values import plain_json
from rendermodules.module.mipmaps import image_sources
from rendermodules.module.render_module import SectionMapModule, worker_connection
from rendermodules.module.schemas import SectionMapParameters

RECORD = "made_by.json"
"""File in the folder of new images that says what they were made by, so that no folder has images of two kinds."""

# enough for many workers on a stack of one section; each reads the section's tiles, which is little beside its images
_UNITS = 64


class TileImageParameters(SectionMapParameters):
    """A stack in, new images for its tiles, a stack out."""

    output_directory = OutputDir("folder for the new images; they have the paths of the old ones in it", required=True)
    compression = Str("of the new TIFF files; none by default", choices=["deflate", "lzw", "zstd"])
    redo = Bool("make images again that are there; otherwise whole ones that are not older are kept", default=False)


class ImageTask(NamedTuple):
    """What is made of the images of tiles.

    Attributes
    ----------
    image : callable
        From an image to one of the same size; a function of a module, or a `functools.partial` of one.
    mask : callable or None
        The same for masks; None keeps them.
    source : callable or None
        From the URL of a tile's image to that of the image to process instead.
    """

    image: Callable[[Image], Image]
    mask: Callable[[Image], Image] | None = None
    source: Callable[[str], str] | None = None


class TileImageModule(SectionMapModule):
    """New images for the tiles of a stack, in 8 and 16 bit; the coarser levels of their pyramids are left out.

    The author writes `image_task`, and `section_task` if more than the images changes.
    """

    default_schema = TileImageParameters

    def image_task(self) -> ImageTask:
        """Return what is made of images. The author writes it."""
        raise TypeError(f"{type(self).__name__} has no image_task method")

    def section_task(self) -> Callable[..., Section]:
        """Return the function that puts the new images into a section."""
        return functools.partial(_with_new_images, making=self._making())

    def run(self) -> dict[str, Any]:
        """Make the images, then write the stack."""
        if not self.dry_run and not self.is_half_done():
            self._record()
            self._make_images()
        return super().run()

    def is_half_done(self) -> bool:
        """Return whether an earlier run in place was killed when its images and its copy of the stack were whole."""
        stack = self.args["input_stack"]
        return bool(self.args["output_stack"] == stack and stacks.is_half_replaced(self.render, [stack]))

    def _making(self) -> "_Making":
        task = self.image_task()
        options = {key: self.args[key] for key in ("compression", "redo")}
        folder = self.args["output_directory"]
        processings = {"image": ImageProcessing(folder, task.image, **options)}
        if task.mask is not None:
            processings["mask"] = ImageProcessing(folder, task.mask, **options)
        return _Making(processings, self.args.get("channels"), task.source)

    def _record(self) -> None:
        """Refuse a folder with images that were made in another way."""
        task = self.image_task()
        made = {"image": _description(task.image), "source": _description(task.source)}
        record = plain_json({"module": self.name, **made})
        file = Path(self.args["output_directory"]) / RECORD
        if file.exists() and not self.args["redo"] and json.loads(file.read_bytes()) != record:
            raise RenderModuleError(
                f"{file.parent} has images that were made in another way, see {file}; choose another "
                "output_directory, or redo them"
            )
        write_bytes_whole(file, json.dumps(record, indent=2).encode() + b"\n")

    def _make_images(self) -> None:
        stack, zs = self.args["input_stack"], self.zvalues()
        parts = math.ceil(_UNITS / len(zs))
        work = functools.partial(
            _made_images, parameters=self.args["render"], stack=stack, parts=parts, making=self._making()
        )
        units = [(z, part) for z in zs for part in range(parts)]

        def describe(unit: tuple[float, int]) -> str:
            return f"images of section z={unit[0]} of {stack}, part {unit[1] + 1} of {parts}"

        results = self.map(work, units, unit="parts of sections", describe=describe, error=SectionError)
        written = sum(result["written"] for result in results)
        self.logger.info("wrote %d images to %s", written, self.args["output_directory"])
        problems = Problems(f"images of stack {stack}")
        for result in results:
            for kind, place in result["problems"]:
                problems.add(kind, place)
        problems.raise_if_any()


def _description(function: Any) -> Any:
    """Return what a function does, for people and for comparison: its name, or that and what a partial gives it."""
    if isinstance(function, functools.partial):
        return {"function": function.func.__qualname__, **function.keywords}
    return function and function.__qualname__


class _Making(NamedTuple):
    """How the images of a section are made."""

    processings: Mapping[str, ImageProcessing]
    channels: Sequence[str] | None
    source: Callable[[str], str] | None

    def origin(self, source: ImageSource, role: str) -> ImageSource:
        """Return what is to be processed instead of the image or mask of a tile."""
        return ImageSource(self.source(source.url)) if self.source and role == "image" else source


def _made_images(
    unit: tuple[float, int], *, parameters: Mapping[str, Any], stack: str, parts: int, making: _Making
) -> dict[str, Any]:
    """Make a part of the images of a section; return how many files were written, and what is wrong with others."""
    z, part = unit
    section = stacks.read_section(worker_connection(parameters), stack, z)
    sources = [one for one in image_sources(section, making.channels) if one[1] in making.processings]
    problems: list[tuple[str, str]] = []
    written = 0
    for source, role, tile in sources[part::parts]:
        place = f"z={z} {tile['tileId']}"
        try:
            origin = making.origin(source, role)
            size = image_size(origin)
            if size == (tile["width"], tile["height"]):
                written += write_processed_image(origin, making.processings[role])
            else:
                problems.append(("not as large as the tile", f"{place} ({origin.url}: {size})"))
        except (ImageError, ValueError) as error:
            problems.append(("cannot be processed", f"{place} ({error})"))
    return {"written": written, "problems": problems}


def _with_new_images(section: Section, *, making: _Making) -> Section:
    def changed(tile: TileSpec, owner: ImageOwner) -> ImageOwner:
        old = full_scale_level(owner, tile)
        kept = {} if "mask" in making.processings else {key: old[key] for key in old if key.startswith("mask")}
        new = {f"{role}Url": _new_url(old, role, making) for role in making.processings}
        level = {**kept, **{key: url for key, url in new.items() if url}}
        # a path builder would find coarser levels that belong to the old image
        return {
            **{key: value for key, value in owner.items() if key != "mipmapPathBuilder"},
            "mipmapLevels": {"0": level},
        }

    return with_image_owners(section, changed, making.channels)


def _new_url(level: Mapping[str, Any], role: str, making: _Making) -> str | None:
    source = ImageSource.of_level(level, role)
    if source is None:
        return None
    if source.url.startswith("mask:"):
        raise ValueError(f"the mask {source.url} is computed when it is drawn; make an image of it first")
    return making.processings[role].url(making.origin(source, role))
