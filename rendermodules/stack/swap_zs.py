"""Let two stacks exchange sections.

For instance after a section was acquired again: the new one goes into the stack that is used, the old one into the
stack of what was put aside. Each of ``source_stacks`` exchanges sections with the stack at the same place of
``target_stacks``. Both stacks are written as copies, and these take the places of all stacks at the end: a run that was
killed leaves them as they were, or is completed by starting it again.
"""

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from rendermodules.core.identifiers import repeated
from rendermodules.core.problems import Problems, listed
from rendermodules.module import stacks
from rendermodules.module.errors import SectionError
from rendermodules.module.fields import Bool, Json, List, Str
from rendermodules.module.journal import Journal
from rendermodules.module.render_module import RenderModule, forget_lost_sections, worker_connection, written_section
from rendermodules.module.schemas import OutputParameters, PoolParameters, RenderParameters

# not those of a change in place, so that what this module left half done is told from what another has
STAGED, REPLACED = "_rendermodules_swap", "_rendermodules_before_swap"


class SwapZsParameters(RenderParameters, PoolParameters):
    """Parameters of swap_zs."""

    source_stacks = List(Str, "stacks of one side", required=True)
    target_stacks = List(Str, "stacks of the other side, as many and in the same order", required=True)
    zValues = Json(
        "z of the sections to exchange: a list for all pairs of stacks, or a list of lists, one for each pair"
    )
    complete_source_stack = Bool("leave the source stacks COMPLETE; otherwise LOADING", default=True)
    complete_target_stack = Bool("leave the target stacks COMPLETE; otherwise LOADING", default=True)
    delete_source_stack = Bool("delete the source stacks at the end", default=False)

    aliases: ClassVar[Mapping[str, str | None]] = {"source_stack": "source_stacks", "target_stack": "target_stacks"}

    @validates_schema
    def check_pairs(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse stacks that have no partner, or several."""
        sources, targets = data["source_stacks"], data["target_stacks"]
        if not sources or len(sources) != len(targets):
            message = f"{len(sources)} source stacks cannot exchange sections with {len(targets)} target stacks"
            raise ValidationError(message, "source_stacks")
        several = repeated([*sources, *targets])
        if several:
            raise ValidationError(f"stacks can be in one pair only: {listed(several)}", "source_stacks")

    @validates_schema
    def check_z_values(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what is neither a list of numbers nor one such list for each pair."""
        given = data.get("zValues")
        if given is None:
            return
        nested = isinstance(given, list) and all(isinstance(one, list) for one in given)
        numbers = [z for one in given for z in one] if nested else given
        if not numbers or not isinstance(numbers, list) or not all(type(z) in (int, float) for z in numbers):
            raise ValidationError("must be a list of z, or one for each pair of stacks", "zValues")
        if nested and len(given) != len(data["source_stacks"]):
            message = f"has {len(given)} lists for {len(data['source_stacks'])} pairs of stacks"
            raise ValidationError(message, "zValues")


class SwapZsOutput(OutputParameters):
    """What was exchanged."""

    source_stacks = List(Str, "stacks of one side", required=True)
    target_stacks = List(Str, "stacks of the other side", required=True)
    swapped_zvalues = Json("the z exchanged, a list for each pair of stacks", required=True)


class SwapZs(RenderModule):
    """Let two stacks exchange sections."""

    default_schema = SwapZsParameters
    default_output_schema = SwapZsOutput

    def run(self) -> dict[str, Any]:
        pairs = list(zip(self.args["source_stacks"], self.args["target_stacks"], strict=True))
        names = [name for pair in pairs for name in pair]
        if stacks.is_half_replaced(self.render, names, replaced=REPLACED):
            self.logger.info("an earlier run was killed when its copies were complete; putting them in place")
        else:
            zs = self._z_values(pairs)
            self._check(pairs, zs)
            if self.dry_run:
                self.logger.info("would exchange the sections z %s of %s", zs, pairs)
                return self._report(zs)
            with self.journal() as journal:
                for (source, target), chosen in zip(pairs, zs, strict=True):
                    self._stage(source, target, chosen, journal)
                    self._stage(target, source, chosen, journal)
        stacks.put_in_place(self.render, names, staged=STAGED, replaced=REPLACED)
        # the stacks still have the same z in common
        zs = self._z_values(pairs)
        self._set_states()
        self.logger.info("exchanged the sections z %s of %s", zs, pairs)
        return self._report(zs)

    def _z_values(self, pairs: Sequence[tuple[str, str]]) -> list[list[float]]:
        """Return the z to exchange for each pair: those that are given, or all that both stacks have."""
        given = self.args["zValues"]
        nested = given is not None and isinstance(given[0], list)
        problems = Problems("sections that are not in both stacks")
        result = []
        for index, (source, target) in enumerate(pairs):
            common = set(stacks.z_values(self.render, source)) & set(stacks.z_values(self.render, target))
            wanted = common if given is None else {float(z) for z in (given[index] if nested else given)}
            if not common:
                problems.add(f"{source} and {target}", "none is")
            for z in sorted(wanted - common):
                problems.add(f"{source} and {target}", f"z={z}")
            result.append(sorted(wanted))
        problems.raise_if_any()
        return result

    def _check(self, pairs: Sequence[tuple[str, str]], zs: Sequence[Sequence[float]]) -> None:
        """Refuse, before anything is written, what would mix stacks up."""
        problems = Problems("sections cannot be exchanged")
        for (source, target), chosen in zip(pairs, zs, strict=True):
            for stack, other in ((source, target), (target, source)):
                state = stacks.stack_metadata(self.render, stack)["state"]
                if state in ("READ_ONLY", "OFFLINE"):
                    problems.add(f"{state}, set it COMPLETE first", stack)
                self._check_tile_ids(stack, other, chosen, problems)
                self._check_transforms(stack, other, chosen, problems)
        problems.raise_if_any()

    def _check_tile_ids(self, stack: str, other: str, zs: Sequence[float], problems: Problems) -> None:
        own = set(stacks.tile_ids(self.render, stack))
        for first_z, last_z in stacks.z_ranges(self.render, other, zs):
            for tile_id in stacks.tile_ids(self.render, other, first_z, last_z):
                if tile_id in own:
                    problems.add(f"tiles of {other} whose ids {stack} has too", tile_id)

    def _check_transforms(self, stack: str, other: str, zs: Sequence[float], problems: Problems) -> None:
        differing: set[str] = set()
        for z in zs:
            transforms = stacks.read_section(self.render, other, z).transforms
            differing.update(stacks.differing_transforms(self.render, stack, transforms))
        # those that only the sections which go refer to are free
        staying = set(stacks.z_values(self.render, stack)).difference(zs) if differing else set()
        for z in sorted(staying):
            for name in differing & stacks.read_section(self.render, stack, z).transforms.keys():
                problems.add(f"shared transforms of {other} that are others in {stack}", f"{name} at z={z}")

    def _stage(self, stack: str, other: str, zs: Sequence[float], journal: Journal) -> None:
        """Write a copy of a stack that has the sections of the other one at ``zs``."""
        staged = f"{stack}{STAGED}"
        describe = functools.partial("section z={1} of {0}".format, other)
        forget_lost_sections(self.render, staged, journal, {describe(z) for z in zs})
        if not any(describe(z) in journal.results for z in zs):
            stacks.delete_stack(self.render, staged)
            notes = {"versionNotes": json.dumps(self.provenance())}
            stacks.stage_copy(self.render, stack, staged, zs, notes)
        work = functools.partial(_copied_section, parameters=self.args["render"], source=other, target=staged)
        self.map(work, zs, unit="sections", describe=describe, error=SectionError, journal=journal)
        stacks.close_stack(self.render, staged)

    def _set_states(self) -> None:
        for side, deleted in (("source", self.args["delete_source_stack"]), ("target", False)):
            for name in self.args[f"{side}_stacks"]:
                if deleted:
                    stacks.delete_stack(self.render, name)
                elif not self.args[f"complete_{side}_stack"]:
                    stacks.set_state(self.render, name, "LOADING")

    def _report(self, zs: Sequence[Sequence[float]]) -> dict[str, Any]:
        names = {key: self.args[key] for key in ("source_stacks", "target_stacks")}
        return self.output({**names, "swapped_zvalues": zs})


def _copied_section(z: float, *, parameters: Mapping[str, Any], source: str, target: str) -> dict[str, Any]:
    render = worker_connection(parameters)
    return written_section(render, target, stacks.read_section(render, source, z), replace=False)


if __name__ == "__main__":
    raise SystemExit(SwapZs.main())
