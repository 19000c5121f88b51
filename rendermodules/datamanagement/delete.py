"""Delete sections of stacks, or whole stacks.

Sections are chosen by z. A whole stack goes only if ``whole_stacks`` says so, and never one that is not named.
``dry_run`` says what would go. Stacks keep their state; one that loses its last section stays LOADING, because Render
has no COMPLETE stack without tiles. Sections that are not there are no error, so that a run that was killed can be
repeated; stacks that are not there are one.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import renderapi
from marshmallow import ValidationError, validates_schema

from rendermodules.core.problems import Problems, listed
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.fields import Bool, Json, List, Str
from rendermodules.module.render_module import RenderModule
from rendermodules.module.schemas import OutputParameters, RenderParameters, ZValueParameters

SELECTION = ("zValues", "z", "minZ", "maxZ")


class DeleteParameters(RenderParameters, ZValueParameters):
    """Parameters of delete."""

    stacks = List(Str, "stacks to delete, or to delete sections from", required=True)
    whole_stacks = Bool("delete the stacks themselves, with all that is in them", default=False)

    aliases: ClassVar[Mapping[str, str | None]] = {"stack": "stacks", "input_stack": "stacks", "section_z": "z"}

    @validates_schema
    def check_what(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse to guess what shall be deleted."""
        chosen = any(data.get(key) is not None for key in SELECTION)
        if chosen == data["whole_stacks"]:
            raise ValidationError("choose sections by z, or say whole_stacks", "whole_stacks")
        if not data["stacks"]:
            raise ValidationError("name the stacks", "stacks")


class DeleteOutput(OutputParameters):
    """What was deleted, or would be."""

    zValues = Json("name of each stack to the z of its sections that were deleted", required=True)
    deleted_stacks = List(Str, "stacks that were deleted as a whole", required=True)


class Delete(RenderModule):
    """Delete sections of stacks, or whole stacks."""

    default_schema = DeleteParameters
    default_output_schema = DeleteOutput

    def run(self) -> dict[str, Any]:
        states = self._states()
        whole = self.args["whole_stacks"]
        zs = {name: self._zs(name) for name in states}
        for name, chosen in zs.items():
            what = "the stack, " if whole else ""
            doing = "would delete" if self.dry_run else "deleting"
            self.logger.info("%s %s%d sections of %s: z %s", doing, what, len(chosen), name, listed(chosen))
            if self.dry_run:
                continue
            if whole:
                stacks.delete_stack(self.render, name)
            elif chosen:
                self._delete_sections(name, chosen, states[name])
        return self.output({"zValues": zs, "deleted_stacks": list(states) if whole else []})

    def _states(self) -> dict[str, str]:
        """Return the state of each stack; refuse, before anything is deleted, those that cannot change."""
        problems = Problems("stacks")
        states = {}
        for name in self.args["stacks"]:
            try:
                states[name] = stacks.stack_metadata(self.render, name)["state"]
            except RenderModuleError as error:
                problems.add(str(error), name)
                continue
            offline = states[name] == "OFFLINE" and not self.args["whole_stacks"]
            if states[name] == "READ_ONLY" or offline:
                problems.add(f"{states[name]}; set them COMPLETE to delete from them", name)
        problems.raise_if_any()
        return states

    def _zs(self, name: str) -> list[float]:
        """Return the z of the chosen sections that there are."""
        present = stacks.z_values(self.render, name)
        wanted = [self.args["z"]] if self.args["z"] is not None else self.args["zValues"] or []
        missing = sorted(set(wanted) - set(present))
        if missing:
            self.logger.warning("stack %s has no section at z %s", name, listed(missing))
        return [z for z in present if stacks.is_selected(z, self.args)]

    def _delete_sections(self, name: str, zs: list[float], state: str) -> None:
        stacks.set_state(self.render, name, "LOADING")
        for z in zs:
            renderapi.stack.delete_section(name, z, render=self.render)
        if not stacks.z_values(self.render, name):
            self.logger.warning("stack %s has no section left and stays LOADING", name)
        elif state == "COMPLETE":
            stacks.close_stack(self.render, name)


if __name__ == "__main__":
    raise SystemExit(Delete.main())
