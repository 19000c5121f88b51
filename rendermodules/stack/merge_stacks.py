"""Put the sections of several stacks, also of other projects, into one.

With z_mode keep, sections of the same z come together; with consecutive, all sections are numbered anew, one stack
after the other. Tile ids are unique in a stack: stacks that have the same ids are refused, unless ``duplicates`` says
whose tiles stay, or a ``suffix`` tells them apart. Shared transforms of the same id that are not the same are refused;
the ``suffix`` goes behind their ids too.
"""

import functools
import json
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import renderapi
from marshmallow import ValidationError, pre_load, validates_schema
from renderapi.render import Render

from rendermodules.core.identifiers import check_distinct, renumbered, with_suffixed_ids
from rendermodules.core.problems import listed
from rendermodules.core.stack_merging import (
    check_tile_ids,
    planned_z_values,
)
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError, SectionError
from rendermodules.module.fields import Float, Int, List, NestedList, Str
from rendermodules.module.journal import Journal
from rendermodules.module.provenance import stack_versions
from rendermodules.module.render_module import RenderModule, forget_lost_sections, worker_connection, written_section
from rendermodules.module.schemas import (
    OutputParameters,
    OutputStackParameters,
    PoolParameters,
    RenderParameters,
    SectionIdParameters,
    ZValueParameters,
)


class MergedStackParameters(ZValueParameters):
    """A stack to merge, and which of its sections."""

    stack = Str("stack to read", required=True)
    owner = Str("its owner; that of the connection by default")
    project = Str("its project; that of the connection by default")
    suffix = Str("put behind its tile ids and the ids of its shared transforms", default="")

    shorthand: ClassVar[str | None] = "stack"


class MergeStacksParameters(RenderParameters, OutputStackParameters, PoolParameters, SectionIdParameters):
    """Parameters of merge_stacks."""

    stacks = NestedList(MergedStackParameters, "stacks to merge, in order; a mere name is a whole stack", required=True)
    z_mode = Str(
        "keep: sections have the z that they had; consecutive: first_z, first_z + 1 ... through all stacks",
        default="keep",
        choices=["keep", "consecutive"],
    )
    first_z = Float("for z_mode consecutive: the new z of the first section", default=0.0)
    z_set = Str(
        "union: all sections; intersection: those whose z all stacks have",
        default="union",
        choices=["union", "intersection"],
    )
    duplicates = Str(
        "tiles of the same id in several stacks: refuse; first or last: those of the first or last such stack stay",
        default="refuse",
        choices=["refuse", "first", "last"],
    )
    metadata_from = Str("which of the stacks gives a new stack its resolution and the like; the first by default")

    aliases: ClassVar[Mapping[str, str | None]] = {"input_stacks": "stacks", "output_directory": None}

    # hooks run in the order of their names: this one before the defaults are filled in
    @pre_load
    def accept_former_keys(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the data with what former modules took as entries of ``stacks``."""
        return _with_entries(data)

    @validates_schema
    def check_stacks(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse an empty list, and metadata of a stack that is not in it."""
        names = [entry["stack"] for entry in data["stacks"]]
        if not names:
            raise ValidationError("name the stacks to merge", "stacks")
        if data.get("metadata_from") not in (None, *names):
            raise ValidationError(f"is none of the stacks {listed(names)}", "metadata_from")


def _with_entries(data: Mapping[str, Any]) -> dict[str, Any]:
    changed = dict(data)
    if "stack1" in changed and "stack2" in changed:
        _warn("stack1 and stack2 are now entries of stacks")
        changed.setdefault("stacks", [changed.pop("stack1"), changed.pop("stack2")])
    if "z_intersection" in changed:
        _warn("z_intersection is now z_set")
        changed.setdefault("z_set", "intersection" if changed.pop("z_intersection") else "union")
    if "adjust_z" in changed:
        _warn("adjust_z is now z_mode")
        changed.setdefault("z_mode", "consecutive" if changed.pop("adjust_z") else "keep")
    if "output_project" in changed:
        _warn("output_project is now the project of the connection")
        changed["render"] = {**changed.get("render", {}), "project": changed.pop("output_project")}
    limits = {new: changed.pop(old) for old, new in (("zmin", "minZ"), ("zmax", "maxZ")) if old in changed}
    entries, projects = _parts(changed.get("stacks")), _parts(changed.pop("input_projects", None))
    if isinstance(entries, list) and (limits or projects):
        projects = projects or [None] * len(entries)
        if len(projects) != len(entries):
            raise ValidationError(f"names {len(projects)} projects for {len(entries)} stacks", "input_projects")
        changed["stacks"] = [
            {**limits, **({"project": project} if project else {}), **({"stack": one} if isinstance(one, str) else one)}
            for one, project in zip(entries, projects, strict=True)
        ]
    return changed


def _parts(value: Any) -> Any:
    """Return a text with commas as the list of its parts."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _warn(message: str) -> None:
    warnings.warn(message, FutureWarning, stacklevel=2)


class MergeStacksOutput(OutputParameters):
    """What was merged."""

    output_stack = Str("stack that was written", required=True)
    zValues = List(Float, "z of the sections written", required=True)
    tile_count = Int("number of tiles written, with those that others of the same id replaced", required=True)


class _Copy(NamedTuple):
    """A section to copy: which of the stacks it comes from, its z and its new z."""

    stack: int
    z: float
    new_z: float


class MergeStacks(RenderModule):
    """Put the sections of several stacks, also of other projects, into one."""

    default_schema = MergeStacksParameters
    default_output_schema = MergeStacksOutput

    def run(self) -> dict[str, Any]:
        entries, target = self.args["stacks"], self.args["output_stack"]
        self._check_output()
        copies = self._copies()
        if self.args["duplicates"] == "refuse":
            check_tile_ids(
                (_label(entry), self._tile_ids(entry, own)) for entry, own in zip(entries, copies, strict=True)
            )
        if self.dry_run:
            self.logger.info("would write %d sections to %s", sum(map(len, copies)), target)
            return self._report([])
        with self.journal() as journal:
            self._forget_lost_sections(journal)
            with self.written_stack(target, **self._metadata()) as written:
                results = self._copied(copies, written, journal)
        self.logger.info("wrote %d sections of %d stacks to %s", len(results), len(entries), target)
        return self._report(results)

    @functools.cached_property
    def _inputs(self) -> dict[str, Any]:
        return {
            _label(entry): stack_versions(self._connection(entry), [entry["stack"]]) for entry in self.args["stacks"]
        }

    def _parameters(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of the connection on which a stack is read."""
        given = {key: entry[key] for key in ("owner", "project") if entry[key]}
        return {**self.args["render"], **given}

    def _connection(self, entry: Mapping[str, Any]) -> Render:
        return worker_connection(self._parameters(entry))

    def _check_output(self) -> None:
        own = self._parameters({"owner": None, "project": None})
        for entry in self.args["stacks"]:
            if entry["stack"] == self.args["output_stack"] and self._parameters(entry) == own:
                raise RenderModuleError(f"{entry['stack']} is read, so it cannot be the output; merge into a new stack")

    def _copies(self) -> list[list[_Copy]]:
        """Return what is to be copied from each stack."""
        zs = [stacks.selected_z_values(self._connection(entry), entry["stack"], entry) for entry in self.args["stacks"]]
        plan = planned_z_values(zs, z_mode=self.args["z_mode"], z_set=self.args["z_set"], first_z=self.args["first_z"])
        if not any(plan):
            raise RenderModuleError("no z is in all stacks, so nothing is left to merge")
        if self.args["remap_sectionId"]:
            new_zs = {new_z for pairs in plan for _, new_z in pairs}
            check_distinct({z: self.args["sectionId_format"].format(z=z) for z in sorted(new_zs)}, "section id")
        return [[_Copy(index, *pair) for pair in pairs] for index, pairs in enumerate(plan)]

    def _tile_ids(self, entry: Mapping[str, Any], copies: Sequence[_Copy]) -> Iterator[str]:
        render, stack = self._connection(entry), entry["stack"]
        for low, high in stacks.z_ranges(render, stack, [copy.z for copy in copies]):
            for tile_id in stacks.tile_ids(render, stack, low, high):
                yield f"{tile_id}{entry['suffix']}"

    def _metadata(self) -> dict[str, Any]:
        """Return what a new stack takes from the stack that it is to take it from."""
        entries = self.args["stacks"]
        found = {_label(entry): self._stack_metadata(entry) for entry in entries}
        if len({json.dumps(metadata, sort_keys=True) for metadata in found.values()}) > 1:
            self.logger.warning("the stacks differ in resolution or the like: %s", found)
        chosen = self.args["metadata_from"]
        return next(found[_label(entry)] for entry in entries if chosen in (None, entry["stack"]))

    def _stack_metadata(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        return stacks.copied_metadata(stacks.stack_metadata(self._connection(entry), entry["stack"]))

    def _copied(self, copies: Sequence[Sequence[_Copy]], target: str, journal: Journal) -> list[dict[str, Any]]:
        """Copy one stack after the other: a tile that comes again replaces the one of its id, so the order decides."""
        entries = self.args["stacks"]
        if self.args["overwrite_zlayer"]:
            self._remove_sections(copies, target, journal)
        work = functools.partial(
            _copied_section,
            sources=[(self._parameters(entry), entry["stack"], entry["suffix"]) for entry in entries],
            parameters=self.args["render"],
            target=target,
            section_id_format=self.args["sectionId_format"] if self.args["remap_sectionId"] else None,
        )
        results: list[dict[str, Any]] = []
        order = range(len(entries))
        for index in reversed(order) if self.args["duplicates"] == "first" else order:
            describe = functools.partial(_description, entries[index])
            results += self.map(
                work, copies[index], unit="sections", describe=describe, error=SectionError, journal=journal
            )
        return results

    def _forget_lost_sections(self, journal: Journal) -> None:
        """Do again what is no longer there, and where the order decides, all that a killed run has done."""
        done = set(journal.results)
        forget_lost_sections(self.render, self.args["output_stack"], journal, done)
        if self.args["duplicates"] != "refuse" and done != journal.results.keys():
            journal.forget(set(journal.results))

    def _remove_sections(self, copies: Sequence[Sequence[_Copy]], target: str, journal: Journal) -> None:
        written = {z for result in journal.results.values() for z in result["zs"]}
        for z in sorted({copy.new_z for own in copies for copy in own} - written):
            renderapi.stack.delete_section(target, z, render=self.render)

    def _report(self, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return self.output(
            {
                "output_stack": self.args["output_stack"],
                "zValues": sorted({z for result in results for z in result["zs"]}),
                "tile_count": sum(result["tile_count"] for result in results),
            }
        )


def _label(entry: Mapping[str, Any]) -> str:
    return "/".join(entry[key] for key in ("owner", "project", "stack") if entry[key])


def _description(entry: Mapping[str, Any], copy: _Copy) -> str:
    moved = "" if copy.new_z == copy.z else f" to z={copy.new_z}"
    return f"section z={copy.z} of {_label(entry)}{moved}"


def _copied_section(
    copy: _Copy,
    *,
    sources: Sequence[tuple[dict[str, Any], str, str]],
    parameters: Mapping[str, Any],
    target: str,
    section_id_format: str | None,
) -> dict[str, Any]:
    """Copy one section; the worker's part."""
    source_parameters, stack, suffix = sources[copy.stack]
    section = stacks.read_section(worker_connection(source_parameters), stack, copy.z)
    section = renumbered(section, copy.new_z, section_id_format.format(z=copy.new_z) if section_id_format else None)
    section = with_suffixed_ids(section, suffix) if suffix else section
    render = worker_connection(parameters)
    differing = stacks.differing_transforms(render, target, section.transforms)
    if differing:
        raise RenderModuleError(f"stack {target} has other shared transforms of the ids {listed(differing)}")
    return written_section(render, target, section, replace=False)


if __name__ == "__main__":
    raise SystemExit(MergeStacks.main())
