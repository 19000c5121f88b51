"""Make a stack of the tiles in a box.

All tiles whose bounding boxes overlap the box (world pixels of the stack) and whose z is chosen come into the new
stack, whole and where they are. Sections without such a tile are left out.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from rendermodules.core.intensity_levels import with_intensities
from rendermodules.core.sections import Section
from rendermodules.core.subvolumes import section_in_box
from rendermodules.module.fields import Float
from rendermodules.module.render_module import SectionMapModule
from rendermodules.module.schemas import BoxParameters, SectionMapParameters


class CreateSubvolumeStackParameters(SectionMapParameters, BoxParameters):
    """Parameters of create_subvolume_stack."""

    minIntensity = Float("pixel value to show black from now on; that of the tiles by default")
    maxIntensity = Float("pixel value to show white from now on; that of the tiles by default")

    aliases: ClassVar[Mapping[str, str | None]] = {"scale": None, "directory": None}

    @validates_schema
    def check_output(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse to cut a stack down to a part of itself."""
        if data.get("input_stack") == data.get("output_stack"):
            raise ValidationError("a part of a stack needs a name of its own", "output_stack")


def _part(section: Section, *, box: Mapping[str, float | None], levels: tuple[float | None, float | None]) -> Section:
    return with_intensities(section_in_box(section, box), *levels, channel_names=None)


class CreateSubvolumeStack(SectionMapModule):
    """Make a stack of the tiles in a box."""

    default_schema = CreateSubvolumeStackParameters

    def section_task(self) -> Callable[..., Section]:
        box = {key: self.args[key] for key in ("minX", "minY", "maxX", "maxY")}
        levels = (self.args["minIntensity"], self.args["maxIntensity"])
        return functools.partial(_part, box=box, levels=levels)


if __name__ == "__main__":
    raise SystemExit(CreateSubvolumeStack.main())
