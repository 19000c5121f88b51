"""Give all tiles of a stack the same mask, which hides where it is 0.

The mask is an 8-bit image of the size of the tiles' images. Tiles with image pyramids get it at every level: smaller
masks are written to ``mask_dir``, each pixel the minimum of those that it stands for, so that what is hidden stays
hidden. Sections that are not chosen are copied without it, unless ``clone_rest`` says no.
"""

import functools
import math
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import pre_load

from rendermodules.core.masks import check_tile_size, levels_of, with_masks
from rendermodules.core.sections import Section
from rendermodules.module import stacks
from rendermodules.module.fields import Bool, InputFile, OutputDir
from rendermodules.module.render_module import SectionMapModule
from rendermodules.module.schemas import ChannelParameters, SectionMapParameters


class ApplyMaskToStackParameters(SectionMapParameters, ChannelParameters):
    """Parameters of apply_mask_to_stack."""

    mask_file = InputFile("image of the size of the tiles, 0 where they are hidden and 255 elsewhere", required=True)
    mask_dir = OutputDir("folder for the smaller masks of image pyramids; that of mask_file by default")
    clone_rest = Bool("copy the sections that are not chosen to the output stack as they are", default=True)

    # hooks run in the order of their names: this one before the other old keys are renamed
    @pre_load
    def accept_a_former_range(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the data with ``minz`` and ``maxz``, itself excluded and -1 for no limits, as minZ and maxZ."""
        if not {"minz", "maxz"} & data.keys():
            return data
        warnings.warn("minz and maxz are now minZ and maxZ, which is itself included", FutureWarning, stacklevel=2)
        low, high = (float(data.get(key, -1)) for key in ("minz", "maxz"))
        limits = {"minZ": low, "maxZ": math.nextafter(high, -math.inf)} if min(low, high) >= 0 else {}
        return {**limits, **{key: value for key, value in data.items() if key not in ("minz", "maxz")}}


def _masked(
    section: Section, *, mask_file: str, mask_dir: str | None, channels: list[str] | None, selection: Mapping[str, Any]
) -> Section:
    if not stacks.is_selected(section.z, selection):
        return section
    from rendermodules.io.mask_files import mask_urls

    check_tile_size(section, *_size(mask_file))
    return with_masks(section, mask_urls(mask_file, mask_dir, levels_of(section)), channels)


def _size(mask_file: str) -> tuple[int, int]:
    from rendermodules.io.images import image_size

    return image_size(mask_file)


class ApplyMaskToStack(SectionMapModule):
    """Give all tiles of a stack the same mask."""

    default_schema = ApplyMaskToStackParameters

    def input_files(self) -> list[str]:
        return [self.args["mask_file"]]

    def zvalues(self) -> list[float]:
        chosen = super().zvalues()
        in_place = self.args["input_stack"] == self.args["output_stack"]
        if in_place or not self.args["clone_rest"]:
            return chosen
        return stacks.z_values(self.render, self.args["input_stack"])

    def section_task(self) -> Callable[..., Section]:
        # a file that is no image is told before anything is written
        _size(self.args["mask_file"])
        return functools.partial(
            _masked,
            mask_file=self.args["mask_file"],
            mask_dir=self.args["mask_dir"],
            channels=self.args["channels"],
            selection={key: self.args[key] for key in ("zValues", "z", "minZ", "maxZ")},
        )


if __name__ == "__main__":
    raise SystemExit(ApplyMaskToStack.main())
