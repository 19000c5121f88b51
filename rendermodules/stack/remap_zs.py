"""Give the sections of a stack other z values, other section ids, or both.

A list of new z values, one for each section; the same offset for all; a squeeze to consecutive whole numbers; or the
same z again, to rewrite the section ids alone. In place (``output_stack`` is the input's name) sections may change
places with one another: a copy is written, which takes the stack's place when it is whole.

Tile ids stay. Where the output stack already holds a tile of an id, at whatever z, the new one replaces it.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from rendermodules.core.identifiers import check_distinct, new_z_values, renumbered
from rendermodules.core.problems import listed
from rendermodules.core.sections import Section
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.fields import Float, List, Str
from rendermodules.module.render_module import SectionMapModule
from rendermodules.module.schemas import SectionIdParameters, SectionMapParameters


class RemapZsParameters(SectionMapParameters, SectionIdParameters):
    """Parameters of remap_zs."""

    mode = Str(
        "list: new_zValues; offset: z + offset; squeeze: first_z, first_z + 1 ... by ascending z; identity: z stays, "
        "for the section ids alone",
        default="list",
        choices=["list", "offset", "squeeze", "identity"],
    )
    new_zValues = List(Float, "for mode list: the new z of each of zValues in their order, else of all by ascending z")
    offset = Float("for mode offset: what is added to each z", default=0.0)
    first_z = Float("for mode squeeze: the new z of the first section", default=0.0)
    aliases: ClassVar[Mapping[str, str | None]] = {"output_directory": None}

    @validates_schema
    def check_mode(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what would change nothing, and a list that is not used."""
        if (data.get("mode") == "list") != (data.get("new_zValues") is not None):
            raise ValidationError("is for mode list, and mode list needs it", "new_zValues")
        if data.get("mode") == "identity" and not data.get("remap_sectionId"):
            raise ValidationError("mode identity changes section ids only, so it needs remap_sectionId", "mode")


def _remapped(section: Section, *, new_zs: dict[float, float], section_id_format: str | None) -> Section:
    z = new_zs[section.z]
    return renumbered(section, z, section_id_format.format(z=z) if section_id_format else None)


class RemapZs(SectionMapModule):
    """Give the sections of a stack other z values, other section ids, or both."""

    default_schema = RemapZsParameters

    def section_task(self) -> Callable[..., Section]:
        # pairs are made in the order of the parameters, not in that of z
        zs = self.args["zValues"] or self.zvalues()
        section_id_format = self.args["sectionId_format"] if self.args["remap_sectionId"] else None
        check_distinct(dict(enumerate(zs)), "z in zValues")
        new_zs = new_z_values(
            zs,
            self.args["mode"],
            new_zs=self.args["new_zValues"],
            offset=self.args["offset"],
            first_z=self.args["first_z"],
        )
        if section_id_format:
            check_distinct({z: section_id_format.format(z=z) for z in new_zs.values()}, "section id")
        self._check_free(new_zs)
        return functools.partial(_remapped, new_zs=new_zs, section_id_format=section_id_format)

    def _check_free(self, new_zs: dict[float, float]) -> None:
        """Refuse to mix renumbered sections with those of the same stack that stay."""
        stack = self.args["input_stack"]
        if self.args["output_stack"] != stack or self.args["overwrite_zlayer"]:
            return
        staying = set(stacks.z_values(self.render, stack)) - new_zs.keys()
        taken = sorted(staying.intersection(new_zs.values()))
        if taken:
            raise RenderModuleError(
                f"stack {stack} already has sections at the new z {listed(taken)}, which are not renumbered; "
                "overwrite_zlayer removes them"
            )


if __name__ == "__main__":
    raise SystemExit(RemapZs.main())
