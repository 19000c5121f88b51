"""What modules that make or name image pyramids have in common: their parameters, and how levels are called."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from marshmallow import ValidationError, pre_load, validates_schema

from rendermodules.core.mipmap_levels import full_scale_levels
from rendermodules.core.problems import Problems
from rendermodules.core.pyramids import REDUCTIONS, level_size
from rendermodules.core.sections import Section, TileSpec
from rendermodules.io.images import ImageError, ImageSource, image_size
from rendermodules.io.mipmaps import (
    EXTENSIONS,
    LevelSuffix,
    MipmapNaming,
    MipmapWriting,
    RenderLayout,
    ReplacedPath,
    lossless_extension,
    write_mipmaps,
)
from rendermodules.io.paths import url_of_place
from rendermodules.module.fields import Bool, Float, Int, List, NestedList, Str
from rendermodules.module.schemas import DefaultSchema

_PIL_FILTERS = {"BOX": "mean", "NEAREST": "nearest", "BILINEAR": "bilinear", "HAMMING": "hamming", "BICUBIC": "bicubic"}
_BLOCK_FUNCTIONS = {"min": "minimum", "max": "maximum"}
_MADE_BY = ("method", "compression", "convert_to_8bit")


class MipmapNamingParameters(DefaultSchema):
    """Which levels there are, and where."""

    output_dir = Str("folder or URL for the levels; beside the images where neither it nor path_find is given")
    layout = Str(
        "names below output_dir. render: LEVEL/path/of/the/image.tif.png, as Render's path builder has them. "
        "suffix: image_mip01.png, all in one folder",
        default="render",
        choices=["render", "suffix"],
    )
    path_find = Str("part of the images' paths that is replaced by path_replace, such as raw/data; it must be in each")
    path_replace = Str("what path_find is replaced by, such as processed/downsampled_images")
    mask_dir = Str("folder or URL for the levels of masks, in Render's layout; by default as for the images")
    levels = Int(
        "number of levels; level 1 has half of the size, and images too small for a level lack it", default=6, minimum=1
    )
    mipmaplevels = List(Int, "levels to make instead of 1 to levels", minimum=1)
    imgformat = Str("format of the levels; masks are png where it is jpg", default="tif", choices=list(EXTENSIONS))

    aliases: ClassVar[Mapping[str, str | None]] = {
        "output_prefix": "output_dir",
        "mipmap_prefix": "output_dir",
        "mipmap_dir": "output_dir",
    }

    @validates_schema
    def check_rule(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse half a rule, and two rules."""
        if (data.get("path_find") is None) != (data.get("path_replace") is None):
            raise ValidationError("path_find and path_replace belong together", "path_find")
        if data.get("path_find") is not None and data.get("output_dir") is not None:
            raise ValidationError("give output_dir or path_find, not both", "output_dir")


class ReductionParameters(DefaultSchema):
    """How pixels become one; the two-part methods of before, PIL with a filter and block_reduce, are taken as well."""

    @pre_load
    def accept_methods(self, data: Any, **_: Any) -> Any:
        """Return the data with a two-part method as one."""
        if not isinstance(data, dict) or data.get("method") not in ("PIL", "block_reduce"):
            return data
        rest = {key: value for key, value in data.items() if key not in ("PIL_filter", "block_func", "ds_filter")}
        if data["method"] == "PIL":
            name = data.get("PIL_filter") or data.get("ds_filter") or "NEAREST"
            return {**rest, "method": _PIL_FILTERS.get(name, name.lower())}
        name = data.get("block_func") or "mean"
        return {**rest, "method": _BLOCK_FUNCTIONS.get(name, name)}


class MipmapSpecParameters(ReductionParameters):
    """How one level is made; what is not given is as for all."""

    level = Int("the level, from 1", required=True, minimum=1)
    imgformat = Str("format", choices=list(EXTENSIONS))
    compression = Str("compression of TIFF", choices=["none", "deflate", "lzw", "zstd"])
    method = Str("reduction", choices=REDUCTIONS)
    convert_to_8bit = Bool("levels of 16-bit images have 8 bit")

    aliases: ClassVar[Mapping[str, str | None]] = {"downsample_option": "method", "png_options": None}

    @pre_load
    def accept_compressions(self, data: Any, **_: Any) -> Any:
        """Return the data with the compressions of before, of which two are formats, as they are called here."""
        if not isinstance(data, dict) or data.get("compression") not in ("PNG", "JPEG", "LZW"):
            return data
        rest = {key: value for key, value in data.items() if key != "compression"}
        if data["compression"] == "LZW":
            return {**rest, "compression": "lzw"}
        return {"imgformat": data["compression"].lower(), **rest}


class MipmapParameters(MipmapNamingParameters, ReductionParameters):
    """How levels are made."""

    method = Str(
        "how four or more pixels become one, as averages unless said otherwise; masks always take the minimum",
        default="mean",
        choices=REDUCTIONS,
    )
    convert_to_8bit = Bool(
        "levels of 16-bit images have 8 bit, the upper byte; only for viewers, as Render shows all levels of a tile "
        "with one range of intensities",
        default=False,
    )
    compression = Str("compression of TIFF", default="none", choices=["none", "deflate", "lzw", "zstd"])
    quality = Float("quality of JPEG", default=0.85, minimum=0, maximum=1)
    mipmap_specs = NestedList(MipmapSpecParameters, "levels that are made otherwise, instead of levels")
    force_redo = Bool("make also those files again that are there, whole and newer than their image", default=False)

    aliases: ClassVar[Mapping[str, str | None]] = {
        "mipmapspecs": "mipmap_specs",
        "convertTo8bit": "convert_to_8bit",
    }


@dataclass(frozen=True)
class MipmapNames:
    """How the levels of images and of masks are called.

    Attributes
    ----------
    images, masks : dict of int to MipmapNaming
        By level.
    """

    images: Mapping[int, MipmapNaming]
    masks: Mapping[int, MipmapNaming]

    def levels(self, tile: TileSpec, full_scale: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
        """Return the levels of an image of a tile as they stand in its spec; those it is too small for are left out."""
        levels: dict[int, dict[str, Any]] = {}
        for role, names in (("image", self.images), ("mask", self.masks)):
            source = ImageSource.of_level(full_scale, role)
            for level, naming in names.items() if source else ():
                if source and min(level_size(int(tile["width"]), int(tile["height"]), level)) > 0:
                    levels.setdefault(level, {})[f"{role}Url"] = _level_url(source, level, naming)
        return levels

    def check(self, source: ImageSource, role: str, place: str, problems: Problems) -> None:
        """Note an image, or a mask, whose path the rule of names does not fit."""
        for naming in list((self.images if role == "image" else self.masks).values())[:1]:
            try:
                naming.url(source, 1)
            except ValueError as error:
                problems.add(f"the rule of paths does not fit the {role}", f"{place} ({error})")


def _level_url(source: ImageSource, level: int, naming: MipmapNaming) -> str:
    # masks that are computed have levels of their own
    return f"{source.url}&level={level}" if _is_computed(source) else naming.url(source, level)


def _is_computed(source: ImageSource) -> bool:
    """Return whether a mask is computed and has no file."""
    return source.url.startswith("mask:")


def mipmap_names(parameters: Mapping[str, Any]) -> MipmapNames:
    """Return how levels are called, of parameters as in `MipmapNamingParameters`."""
    formats = {level: spec.get("imgformat") or parameters["imgformat"] for level, spec in _specs(parameters).items()}
    masks = parameters["mask_dir"]
    return MipmapNames(
        {level: _naming(parameters, image_format) for level, image_format in formats.items()},
        {
            level: RenderLayout(url_of_place(masks), lossless_extension(image_format))
            if masks
            else _naming(parameters, lossless_extension(image_format))
            for level, image_format in formats.items()
        },
    )


def _specs(parameters: Mapping[str, Any]) -> dict[int, Mapping[str, Any]]:
    if parameters.get("mipmap_specs"):
        return {spec["level"]: spec for spec in parameters["mipmap_specs"]}
    return {level: {} for level in parameters["mipmaplevels"] or range(1, parameters["levels"] + 1)}


def _naming(parameters: Mapping[str, Any], image_format: str) -> MipmapNaming:
    if parameters["path_find"] is not None:
        return ReplacedPath(parameters["path_find"], parameters["path_replace"], image_format)
    folder = parameters["output_dir"]
    if folder and parameters["layout"] == "render":
        return RenderLayout(url_of_place(folder), image_format)
    return LevelSuffix(url_of_place(folder) if folder else None, image_format)


def mipmap_writings(parameters: Mapping[str, Any], names: MipmapNames, role: str) -> list[MipmapWriting]:
    """Return how the levels of images, or of masks, are made, of parameters as in `MipmapParameters`.

    Levels that are made alike are made together, of an image that is read once.
    """
    namings = names.images if role == "image" else names.masks
    alike: dict[tuple[Any, ...], list[int]] = {}
    for level, spec in _specs(parameters).items():
        given = {key: parameters[key] if spec.get(key) is None else spec[key] for key in _MADE_BY}
        if role == "mask":
            given.update(method="minimum", convert_to_8bit=False)
        alike.setdefault((namings[level], *given.values()), []).append(level)
    return [
        MipmapWriting(
            naming,
            sorted(levels),
            method,
            parameters["quality"],
            None if compression == "none" else compression,
            to_8_bit,
            parameters["force_redo"],
        )
        for (naming, method, compression, to_8_bit), levels in alike.items()
    ]


def image_sources(section: Section, channels: Sequence[str] | None) -> Iterator[tuple[ImageSource, str, TileSpec]]:
    """Yield the full-scale images and masks that have files, each once, with ``image`` or ``mask`` and its first tile.

    Parameters
    ----------
    section : Section
    channels : list of str or None
        Only those of these channels; None takes all.
    """
    seen: set[ImageSource] = set()
    for tile, level in full_scale_levels(section, channels):
        for role in ("image", "mask"):
            source = ImageSource.of_level(level, role)
            if source and source not in seen and not _is_computed(source):
                seen.add(source)
                yield source, role, tile


def reduced_images(
    sources: Iterable[tuple[ImageSource, str, TileSpec]], writings: Mapping[str, Sequence[MipmapWriting]]
) -> int:
    """Make the levels of images and return how many files were written; the others were there.

    Parameters
    ----------
    sources : iterable
        As of `image_sources`.
    writings : dict
        How ``image`` and ``mask`` are reduced, see `mipmap_writings`.

    Raises
    ------
    InputError
        Images cannot be reduced, or are not as large as their tile; all are named.
    """
    problems = Problems("images")
    written = 0
    for source, role, tile in sources:
        try:
            size = image_size(source)
            if size == (tile["width"], tile["height"]):
                written += sum(len(write_mipmaps(source, writing).written) for writing in writings[role])
            else:
                problems.add("not as large as the tile", f"{tile['tileId']} ({source.url}: {size})")
        except ImageError as error:
            problems.add("cannot be reduced", f"{tile['tileId']} ({error})")
    problems.raise_if_any()
    return written
