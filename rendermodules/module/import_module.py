"""The base of modules that make stacks of files."""

import functools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rendermodules.core.acquisitions import (
    AcquiredImage,
    check_images,
    id_text,
    images_by_z,
    section_of_images,
    tiles_lacking_channels,
)
from rendermodules.core.mipmap_levels import with_mipmap_levels
from rendermodules.core.positions import ImageShape
from rendermodules.core.problems import Problems
from rendermodules.core.sections import Section
from rendermodules.io.files import write_bytes_whole
from rendermodules.io.image_folders import image_urls
from rendermodules.io.image_loaders import DEFAULT_LOADER
from rendermodules.io.image_shapes import check_masks, check_sizes, shapes_of_images
from rendermodules.io.images import ImageSource, copy_image
from rendermodules.io.paths import java_number, url_of_path
from rendermodules.module import stacks
from rendermodules.module.errors import SectionError
from rendermodules.module.fields import Bool, Float, Int, List, Nested, OutputDir, Str
from rendermodules.module.journal import Journal
from rendermodules.module.mipmaps import (
    MipmapNames,
    MipmapParameters,
    image_sources,
    mipmap_names,
    mipmap_writings,
    reduced_images,
)
from rendermodules.module.render_module import (
    RenderModule,
    forget_lost_sections,
    worker_connection,
    written_section,
)
from rendermodules.module.schemas import OutputParameters, PoolParameters, RenderParameters, StackWritingParameters


class ImportParameters(RenderParameters, StackWritingParameters, PoolParameters):
    """Files in, stacks out; `OutputStackParameters` names the stack where it is one."""

    delete_stack = Bool("remove the output stack first, instead of adding to it", default=False)


class ImageImportParameters(ImportParameters):
    """Images in, stacks out."""

    minIntensity = Float("value shown as black, where the input does not say it; 0 by default")
    maxIntensity = Float("value shown as white, where the input does not say it; by default the greatest of the type")
    image_sizes = Str(
        "how width, height and type are known. each: the header of every image is read. first: that of the first of "
        "each channel, and the others are only looked for, which is quicker on a slow file server. input: from the "
        "table or metadata; images are not looked for, as they may lie where only the Render server sees them",
        default="each",
        choices=["each", "first", "input"],
    )
    mask_file = Str("path or URL of a mask for all tiles, zero where they shall not be drawn")
    section_thickness = Float("thickness of a section in nm, for the resolution of a new stack along z", minimum=0)
    tilespec_directory = OutputDir("folder in which the tiles of each section are also written as JSON")
    mipmaps = Nested(
        MipmapParameters,
        "make reduced images too and write them into the tiles; parameters are those of generate_mipmaps",
    )


class ContainerImportParameters(ImageImportParameters):
    """Images that several lie together in one file."""

    extracted_directory = OutputDir(
        "folder into which images are copied as TIFF files of their own; a Java Render needs that for MRC and Zarr"
    )


class ImportOutput(OutputParameters):
    """What was imported."""

    output_stack = Str("stack that was written", required=True)
    zValues = List(Float, "z of the sections written", required=True)
    tile_count = Int("number of tiles written", required=True)


class ImportModule(RenderModule):
    """Files in, sections of a stack out. The author writes `run`, with `write_sections` in it."""

    default_schema = ImportParameters
    default_output_schema = ImportOutput

    def write_sections(
        self,
        stack: str,
        items: Sequence[Any],
        sections_of: Callable[[Any], Iterable[Section]],
        *,
        journal: Journal,
        describe: Callable[[Any], str],
        unit: str = "sections",
        **version: Any,
    ) -> list[dict[str, Any]]:
        """Write the sections that each item becomes into a stack, by the workers that the parameters ask for.

        Parameters
        ----------
        stack : str
            Stack to write; made when it does not exist, removed before when ``delete_stack`` says so.
        items : list
            What the sections are made of; no two make tiles of one z. They are sent to workers.
        sections_of : callable
            From an item to its sections; a function of a module, or a `functools.partial` of one.
        journal : Journal
            Journal of the run, see `journal`.
        describe : callable
            The item in words, unique in the run.
        unit : str, default: "sections"
            What the items are, plural.
        **version
            Fields of Render's StackVersion for a new stack, such as ``stackResolutionX``.

        Returns
        -------
        list of dict
            ``zs`` and ``tile_count`` of each item.
        """
        if self.dry_run:
            self.logger.info("would write %d %s to %s", len(items), unit, stack)
            return []
        forget_lost_sections(self.render, stack, journal, {describe(item) for item in items})
        if self.args["delete_stack"] and not any(describe(item) in journal.results for item in items):
            stacks.delete_stack(self.render, stack)
        with self.written_stack(stack, **version) as target:
            work = functools.partial(
                _imported_sections,
                parameters=self.args["render"],
                target=target,
                sections_of=sections_of,
                replace=self.args["overwrite_zlayer"],
            )
            results = self.map(work, items, unit=unit, describe=describe, error=SectionError, journal=journal)
        zs = {z for result in results for z in result["zs"]}
        self.logger.info("wrote %d sections, %d tiles, to %s", len(zs), _tile_count(results), stack)
        return results

    def report(self, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the module's output of what `write_sections` returned."""
        return self.output({"output_stack": self.args["output_stack"], **self.summary(results)})

    def summary(self, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return z values and number of tiles of what `write_sections` returned."""
        return {"zValues": sorted({z for result in results for z in result["zs"]}), "tile_count": _tile_count(results)}


class ImageImportModule(ImportModule):
    """Acquired images in, sections of a stack out.

    The author writes `run`, with `complete` and `import_images` in it.
    """

    default_schema = ImageImportParameters

    def mask_urls(self, count: int) -> list[str | None]:
        """Return the mask of every one of so many images that the parameters ask for."""
        mask = self.args["mask_file"]
        return [image_urls([mask], str(Path.cwd()))[0] if mask else None] * count

    def shapes(
        self,
        problems: Problems,
        sources: Sequence[ImageSource],
        places: Sequence[str],
        channels: Sequence[str | None],
        sizes: Sequence[tuple[int, int] | None],
    ) -> list[ImageShape]:
        """Return size and type of images.

        Parameters
        ----------
        problems : Problems
            Where images are noted that are missing or unreadable, which have size 0, or of another size than the
            input says.
        sources : list of ImageSource
            The images.
        places, channels : list of str
            Where the input names them, and their channels.
        sizes : list of (int, int) or None
            Width and height that the input says, None where it says nothing.
        """
        if self.args["image_sizes"] == "input":
            for size, place in zip(sizes, places, strict=True):
                if size is None:
                    problems.add("the input does not say width and height", place)
            return [ImageShape(*(size or (0, 0)), 255.0) for size in sizes]
        shapes = shapes_of_images(sources, places, channels, problems, each=self.args["image_sizes"] == "each")
        check_sizes(shapes, sizes, places, problems)
        return shapes

    def complete(self, images: Sequence[AcquiredImage], problems: Problems, folder: str) -> None:
        """Give images, whose ``url`` is a name in ``folder``, their URL, and what else is not known yet.

        That is size and type, see `shapes`, which notes ``problems``, the intensities shown as black and white, and
        the mask.
        """
        urls = image_urls([image.url for image in images], folder)
        sizes = [(image.width, image.height) if image.width else None for image in images]
        places = [image.place for image in images]
        sources = [_source(image, url) for image, url in zip(images, urls, strict=True)]
        shapes = self.shapes(problems, sources, places, [image.channel for image in images], sizes)
        black, white = self.args["minIntensity"], self.args["maxIntensity"]
        for image, url, shape, mask in zip(images, urls, shapes, self.mask_urls(len(images)), strict=True):
            image.url = url
            image.width, image.height = shape.width, shape.height
            image.min_intensity = _first_of(image.min_intensity, black, 0.0)
            image.max_intensity = _first_of(image.max_intensity, white, shape.white)
            image.mask_url = image.mask_url or mask

    def extract(self, images: Sequence[AcquiredImage], folder: str) -> None:
        """Copy images into TIFF files of their own, named by tile and channel, and take those instead.

        Files that are finished stay.
        """
        targets = [Path(folder).absolute() / f"{_file_stem(image)}.tif" for image in images]
        work = [(_source(image, image.url), target) for image, target in zip(images, targets, strict=True)]
        if not self.dry_run:
            self.map(_extracted, work, unit="images", describe=lambda item: f"copy of {item[0].url} to {item[1].name}")
        for image, target in zip(images, targets, strict=True):
            image.url, image.loader_type, image.slice_number = url_of_path(target), None, None

    def check_images(self, images: Sequence[AcquiredImage], problems: Problems) -> None:
        """Raise an `InputError` if images cannot be tiles of a stack, or masks do not fit; all of them are named.

        ``problems`` are what is wrong with the input so far.
        """
        check_images(images, problems)
        sizes = [(image.width, image.height) for image in images]
        if self.args["image_sizes"] != "input":
            check_masks([image.mask_url for image in images], sizes, [image.place for image in images], problems)
        if self.args["mipmaps"]:
            names = mipmap_names(self.args["mipmaps"])
            for image in images:
                _check_rule(names, image, problems)
        problems.raise_if_any()

    def import_images(
        self, images: Sequence[AcquiredImage], problems: Problems, *, first_channel: str | None = None
    ) -> dict[str, Any]:
        """Write images that are found fit into the output stack and return the module's output.

        See `check_images` and `write_images`; the pixels of the layout are those of the world.
        """
        self.check_images(images, problems)
        with self.journal() as journal:
            results = self.write_images(
                self.args["output_stack"],
                images,
                journal=journal,
                pixelsize=images[0].layout.get("pixelsize"),
                first_channel=first_channel,
            )
        return self.report(results)

    def write_images(
        self,
        stack: str,
        images: Sequence[AcquiredImage],
        *,
        journal: Journal,
        pixelsize: float | None,
        first_channel: str | None = None,
    ) -> list[dict[str, Any]]:
        """Write the tiles that images make into a stack, a section at a time.

        Parameters
        ----------
        stack : str
            Stack to write.
        images : list of AcquiredImage
            The images, which `check_images` has found fit.
        journal : Journal
            Journal of the run.
        pixelsize : float or None
            Of the world, in nm, for the resolution of a new stack.
        first_channel : str, optional
            See `section_of_images`.
        """
        lacking, count = tiles_lacking_channels(images)
        if lacking:
            self.logger.warning("%d of %d tiles for %s lack channels that others have", lacking, count, stack)
        return self.write_sections(
            stack,
            images_by_z(images),
            functools.partial(
                _section_of_images,
                first_channel=first_channel,
                folder=self.args["tilespec_directory"],
                name=stack,
                mipmaps=self.args["mipmaps"],
            ),
            journal=journal,
            describe=functools.partial(_section_name, stack=stack),
            stackResolutionX=pixelsize,
            stackResolutionY=pixelsize,
            stackResolutionZ=self.args["section_thickness"],
        )


def _first_of(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _file_stem(image: AcquiredImage) -> str:
    return id_text(image.tile_id if image.channel is None else f"{image.tile_id}_{image.channel}")


def _extracted(item: tuple[ImageSource, Path]) -> bool:
    return copy_image(*item)


def _section_name(group: tuple[float, Any], *, stack: str) -> str:
    return f"section z={group[0]} of {stack}"


def _source(image: AcquiredImage, url: str) -> ImageSource:
    return ImageSource(url, image.loader_type or DEFAULT_LOADER, image.slice_number)


def _check_rule(names: MipmapNames, image: AcquiredImage, problems: Problems) -> None:
    names.check(_source(image, image.url), "image", image.place, problems)
    if image.mask_url:
        names.check(ImageSource(image.mask_url), "mask", image.place, problems)


def _section_of_images(
    group: tuple[float, list[AcquiredImage]],
    *,
    first_channel: str | None,
    folder: str | None,
    name: str,
    mipmaps: Mapping[str, Any] | None,
) -> list[Section]:
    z, images = group
    section = section_of_images(images, first_channel)
    if mipmaps:
        names = mipmap_names(mipmaps)
        writings = {role: mipmap_writings(mipmaps, names, role) for role in ("image", "mask")}
        reduced_images(image_sources(section, None), writings)
        section = with_mipmap_levels(section, names.levels, None)
    if folder:
        write_bytes_whole(Path(folder) / f"{name}_z{java_number(z)}.json", json.dumps(section.tiles, indent=1).encode())
    return [section]


def _imported_sections(
    item: Any,
    *,
    parameters: Mapping[str, Any],
    target: str,
    sections_of: Callable[[Any], Iterable[Section]],
    replace: bool,
) -> dict[str, Any]:
    render = worker_connection(parameters)
    written = [written_section(render, target, section, replace=replace) for section in sections_of(item)]
    return {"zs": sorted({z for one in written for z in one["zs"]}), "tile_count": _tile_count(written)}


def _tile_count(results: Sequence[Mapping[str, Any]]) -> int:
    return sum(result["tile_count"] for result in results)
