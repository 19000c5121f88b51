"""Change where the images and masks of tiles are looked for, and which levels of their pyramids are used.

A list of operations, one after the other, on all channels or some:

* ``replace``: a regular expression and what to put in its place, on the URLs as they are stored (percent-encoded);
* ``redirect``: the same file names in another folder;
* ``keep_levels``: from ``first_level`` to ``last_level``, all others dropped;
* ``set_mask``: a mask for all images, or none.

An operation that changes nothing in a section is refused, because a pattern is soon misspelt; ``optional`` allows it.
Images are not touched, and not looked for.
"""

import functools
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from marshmallow import ValidationError, pre_load, validates_schema

from rendermodules.core.image_owners import ImageOwner, with_image_owners, with_levels
from rendermodules.core.image_urls import urls_of_tile
from rendermodules.core.sections import Section, TileSpec
from rendermodules.io.paths import file_name, joined_url, url_of_place
from rendermodules.module.fields import Bool, Int, List, NestedList, Str
from rendermodules.module.render_module import SectionMapModule
from rendermodules.module.schemas import ChannelParameters, DefaultSchema, SectionMapParameters

Operation = Mapping[str, Any]
Level = dict[str, Any]


class ImageOperationParameters(DefaultSchema):
    """One operation."""

    operation = Str("what to do", required=True, choices=["replace", "redirect", "keep_levels", "set_mask"])
    levels = List(Int, "for replace, redirect and set_mask: pyramid levels to change; all by default")
    targets = List(Str, "for replace and redirect: image, mask or both", default=["image"], choices=["image", "mask"])
    find = Str("for replace: regular expression that is looked for in a URL")
    replace = Str("for replace: what is put in its place, with \\1, \\2 for groups", default="")
    directory = Str("for redirect: folder or URL where the files are")
    first_level = Int("for keep_levels: the finest level to keep", default=0, minimum=0)
    last_level = Int("for keep_levels: the coarsest level to keep; by default the coarsest that there is", minimum=0)
    mask = Str("for set_mask: path or URL of the mask; masks are removed by default")
    optional = Bool("allow that nothing changes in a section", default=False)

    @validates_schema
    def check_operation(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse an operation that lacks what it needs."""
        needed = {"replace": "find", "redirect": "directory"}.get(data["operation"])
        if needed and not data.get(needed):
            raise ValidationError(f"{data['operation']} needs it", needed)
        try:
            re.compile(data.get("find") or "")
        except re.error as error:
            raise ValidationError(f"is no regular expression: {error}", "find") from None
        if data.get("last_level") is not None and data["last_level"] < data["first_level"]:
            raise ValidationError("is less than first_level", "last_level")


class EditImagePyramidsParameters(SectionMapParameters, ChannelParameters):
    """Parameters of edit_image_pyramids."""

    operations = NestedList(ImageOperationParameters, "what to do, in this order", required=True)

    # hooks run in the order of their names: this one before the defaults are filled in
    @pre_load
    def accept_former_keys(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the data with what former modules took as operations."""
        changed = dict(data)
        operations: list[dict[str, Any]] = []
        if "regex_find" in changed:
            find, replacement = changed.pop("regex_find"), changed.pop("regex_replace", "")
            operations.append({"operation": "replace", "find": find, "replace": replacement, "levels": [0]})
        for entry in changed.pop("new_mipmap_directories", []):
            operations.append(
                {"operation": "redirect", "directory": entry["directory"], "levels": [entry["level"]], "optional": True}
            )
        if "level_to_retain" in changed:
            level = changed.pop("level_to_retain")
            operations.append({"operation": "keep_levels", "first_level": level, "last_level": level, "optional": True})
        if operations:
            warnings.warn("regex_find and the like are now operations", FutureWarning, stacklevel=2)
            changed.setdefault("operations", operations)
        return changed


def _edited(section: Section, *, operations: Sequence[Operation], channels: Sequence[str] | None) -> Section:
    for operation in operations:
        edited = _EDITS[operation["operation"]](section, operation, channels)
        if edited == section and section.tiles and not operation["optional"]:
            example = next(urls_of_tile(section.tiles[0]), "no image")
            what = f"{operation['operation']} {operation['find'] or operation['directory'] or ''}".rstrip()
            raise ValueError(f"{what} changes nothing here; the first tile has {example}")
        section = edited
    return section


def _with_changed_urls(
    section: Section, operation: Operation, channels: Sequence[str] | None, change: Callable[[str], str]
) -> Section:
    keys = [f"{target}Url" for target in operation["targets"]]

    def changed(level: int, image: Level) -> Level:
        if operation["levels"] is not None and level not in operation["levels"]:
            return image
        return {**image, **{key: change(image[key]) for key in keys if image.get(key)}}

    return with_image_owners(section, lambda _, owner: with_levels(owner, changed), channels)


def _replaced(section: Section, operation: Operation, channels: Sequence[str] | None) -> Section:
    expression, text = re.compile(operation["find"]), operation["replace"]
    return _with_changed_urls(section, operation, channels, lambda url: expression.sub(text, url))


def _redirected(section: Section, operation: Operation, channels: Sequence[str] | None) -> Section:
    folder = url_of_place(operation["directory"])
    return _with_changed_urls(section, operation, channels, lambda url: joined_url(folder, file_name(url)))


def _with_kept_levels(section: Section, operation: Operation, channels: Sequence[str] | None) -> Section:
    first, last = operation["first_level"], operation["last_level"]

    def is_kept(level: int) -> bool:
        return first <= level and (last is None or level <= last)

    def with_kept(tile: TileSpec, owner: ImageOwner) -> ImageOwner:
        changed = with_levels(owner, lambda level, image: image if is_kept(level) else None)
        if not changed["mipmapLevels"] and owner.get("mipmapLevels"):
            raise ValueError(
                f"nothing would be left of tile {tile['tileId']}, which has levels {[*owner['mipmapLevels']]}"
            )
        # a path builder would find the levels again that are dropped here
        return {key: value for key, value in changed.items() if key != "mipmapPathBuilder"}

    return with_image_owners(section, with_kept, channels)


def _with_mask(section: Section, operation: Operation, channels: Sequence[str] | None) -> Section:
    mask = {"maskUrl": url_of_place(operation["mask"])} if operation["mask"] else {}

    def masked(level: int, image: Level) -> Level:
        if operation["levels"] is not None and level not in operation["levels"]:
            return image
        return {**{key: value for key, value in image.items() if not key.startswith("mask")}, **mask}

    return with_image_owners(section, lambda _, owner: with_levels(owner, masked), channels)


_EDITS = {
    "replace": _replaced,
    "redirect": _redirected,
    "keep_levels": _with_kept_levels,
    "set_mask": _with_mask,
}


class EditImagePyramids(SectionMapModule):
    """Change where images and masks are looked for, and which pyramid levels are used."""

    default_schema = EditImagePyramidsParameters

    def section_task(self) -> Callable[..., Section]:
        return functools.partial(_edited, operations=self.args["operations"], channels=self.args["channels"])


if __name__ == "__main__":
    raise SystemExit(EditImagePyramids.main())
