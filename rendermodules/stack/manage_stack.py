"""Set what is said about stacks (resolution, notes, cycle, default channel), and their states.

What is not given stays. Render takes new metadata as a new version of a stack, which is LOADING: a stack that was
COMPLETE is set COMPLETE again. All stacks of a project are changed only if ``all_stacks`` says so. The state OFFLINE
makes Render forget the tiles of a stack, so it needs ``drop_tiles`` too.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from rendermodules.core.problems import Problems
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.fields import Bool, Float, Int, Json, List, Str
from rendermodules.module.render_module import RenderModule
from rendermodules.module.schemas import OutputParameters, RenderParameters

VERSION_FIELDS = (
    "stackResolutionX",
    "stackResolutionY",
    "stackResolutionZ",
    "cycleNumber",
    "cycleStepNumber",
    "defaultChannel",
    "versionNotes",
)


class ManageStackParameters(RenderParameters):
    """Parameters of manage_stack."""

    stacks = List(Str, "stacks to change")
    all_stacks = Bool("change every stack of the project, instead of stacks", default=False)
    copy_from = Str("stack whose resolution, cycle, mipmap paths and default channel the others take")
    stackResolutionX = Float("size of a pixel along x in nm", minimum=0)
    stackResolutionY = Float("size of a pixel along y in nm", minimum=0)
    stackResolutionZ = Float("distance of sections in nm", minimum=0)
    cycleNumber = Int("number of the processing cycle")
    cycleStepNumber = Int("number of the step in its cycle")
    defaultChannel = Str("channel that is shown where nobody asks for another")
    versionNotes = Str("text about this version of the stack")
    state = Str(
        "state to set: COMPLETE, LOADING (for writing), READ_ONLY, or OFFLINE (without tiles)",
        choices=["LOADING", "COMPLETE", "READ_ONLY", "OFFLINE"],
    )
    drop_tiles = Bool("allow state OFFLINE, in which Render forgets the tiles of the stacks", default=False)

    aliases: ClassVar[Mapping[str, str | None]] = {
        "stack": "stacks",
        "input_stack": "copy_from",
        "output_stack": "stacks",
    }

    @validates_schema
    def check_stacks(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse no stack, and all stacks by mistake."""
        if bool(data.get("stacks")) == data["all_stacks"]:
            raise ValidationError("name the stacks to change, or say all_stacks", "stacks")

    @validates_schema
    def check_changes(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what changes nothing, and what loses tiles without saying so."""
        if all(data.get(key) is None for key in (*VERSION_FIELDS, "copy_from", "state")):
            raise ValidationError("says nothing to change; give a state, a resolution ...", "stacks")
        if data.get("state") == "OFFLINE" and not data["drop_tiles"]:
            raise ValidationError("in this state Render forgets the tiles; drop_tiles allows it", "state")


class ManageStackOutput(OutputParameters):
    """What stacks are like now."""

    stacks = Json("name of each stack to its state and version", required=True)


class ManageStack(RenderModule):
    """Set what is said about stacks, and their states."""

    default_schema = ManageStackParameters
    default_output_schema = ManageStackOutput

    def run(self) -> dict[str, Any]:
        changes, state = self._changes(), self.args["state"]
        names = stacks.stack_names(self.render) if self.args["all_stacks"] else self.args["stacks"]
        self._check(names, changes)
        for name in names if not self.dry_run else []:
            if changes:
                stacks.set_version_fields(self.render, name, changes)
            if state:
                stacks.set_state(self.render, name, state)
        self.logger.info("%s %s: %s", "would change" if self.dry_run else "changed", ", ".join(names), changes or state)
        return self.output({"stacks": {name: self._description(name) for name in names}})

    def _changes(self) -> dict[str, Any]:
        source = self.args["copy_from"]
        copied = stacks.copied_metadata(stacks.stack_metadata(self.render, source)) if source else {}
        given = {key: self.args[key] for key in VERSION_FIELDS if self.args[key] is not None}
        return {**copied, **given}

    def _check(self, names: list[str], changes: Mapping[str, Any]) -> None:
        """Refuse, before anything is changed, stacks that do not exist or cannot change."""
        problems = Problems("stacks")
        for name in names:
            try:
                state = stacks.stack_metadata(self.render, name)["state"]
            except RenderModuleError as error:
                problems.add(str(error), name)
                continue
            if changes and state in ("READ_ONLY", "OFFLINE"):
                problems.add(f"{state}, so that only their state can change", name)
        problems.raise_if_any()

    def _description(self, name: str) -> dict[str, Any]:
        metadata = stacks.stack_metadata(self.render, name)
        return {"state": metadata["state"], "version": metadata.get("currentVersion")}


if __name__ == "__main__":
    raise SystemExit(ManageStack.main())
