"""Find tiles that stitching has put into wrong places, and write the stack without them.

With ``prestitched_stack``, the same tiles before they were stitched: neighbours that have moved against each other by
more than ``distance_threshold`` do not hang together, and only the largest part of each section that hangs together is
kept. A rotation of the section as a whole is no mistake. Tiles of the prestitched stack that the stitched one lacks are
reported.

With ``min_neighbors``: tiles with fewer neighbours, those at the border, are dropped as well.
"""

import functools
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from marshmallow import ValidationError, validates_schema

from rendermodules.core.sections import Section
from rendermodules.core.stitching_mistakes import inconsistencies, outer_tiles
from rendermodules.module import stacks
from rendermodules.module.errors import SectionError
from rendermodules.module.fields import Float, Int, Json, Str
from rendermodules.module.render_module import SectionMapModule, worker_connection, written_section
from rendermodules.module.schemas import SectionMapOutput, SectionMapParameters


class DetectStitchingMistakesParameters(SectionMapParameters):
    """Parameters of detect_stitching_mistakes."""

    input_stack = Str("stitched stack", required=True)
    prestitched_stack = Str("stack with the same tiles before they were stitched")
    output_stack = Str("stack to write, without the tiles that are dropped; nothing is written by default")
    distance_threshold = Float(
        "neighbours may have moved against each other by so many world pixels", default=50.0, minimum=0
    )
    edge_threshold = Float(
        "tiles are neighbours when they overlap and their middles are no farther apart, in world pixels; by default "
        "all that overlap but those beyond a corner",
        minimum=0,
    )
    min_component_size = Int("also keep further parts of a section of at least so many tiles", minimum=1)
    min_neighbors = Int("drop tiles with fewer neighbours, such as 4 for those at the border", minimum=0)

    aliases: ClassVar[Mapping[str, str | None]] = {
        "poststitchedStack": "input_stack",
        "poststitched_stack": "input_stack",
        "prestitchedStack": "prestitched_stack",
        "jsonDirectory": None,
    }

    @validates_schema
    def check_tests(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse to look for nothing."""
        if data.get("prestitched_stack") is None and data.get("min_neighbors") is None:
            raise ValidationError("give prestitched_stack, or min_neighbors, or both", "prestitched_stack")


class DetectStitchingMistakesOutput(SectionMapOutput):
    """Result of detect_stitching_mistakes."""

    output_stack = Str("stack that was written")
    sections = Json(
        "for each z: tile_count; dropped (tile ids by reason); missing (tiles that the stitched stack lacks); "
        "component_sizes; wrong_pairs (p, q and by how many pixels they have moved against each other)",
        required=True,
    )


class DetectStitchingMistakes(SectionMapModule):
    """Find tiles that stitching has put into wrong places."""

    default_schema = DetectStitchingMistakesParameters
    default_output_schema = DetectStitchingMistakesOutput
    also_reads = ("prestitched_stack",)

    def run(self) -> dict[str, Any]:
        """Judge every section, write what is kept, and report."""
        target = self.args["output_stack"]
        if self.completed_replacement():
            zs = stacks.z_values(self.render, target)
            written = [{"zs": zs, "tile_count": len(stacks.tile_ids(self.render, target))}]
            return self.output({**self._summary(zs, written), "sections": []})
        zs = self.zvalues()
        names = ("distance_threshold", "edge_threshold", "min_component_size", "min_neighbors")
        work = functools.partial(
            _judged_section,
            parameters=self.args["render"],
            source=self.args["input_stack"],
            before=self.args["prestitched_stack"],
            options={name: self.args[name] for name in names},
            replace=self.args["overwrite_zlayer"],
        )
        describe = functools.partial("section z={1} of {0}".format, self.args["input_stack"])
        for further in self.further_stacks():
            stacks.stack_metadata(self.render, further)
        if target is None or self.dry_run:
            task = functools.partial(work, target=None)
            results = self.map(task, zs, unit="sections", describe=describe, error=SectionError)
        else:
            in_place = target in (self.args["input_stack"], self.args["prestitched_stack"])
            results = self.write_sections(zs, zs, work, describe, in_place=in_place)
        for result in results:
            self._tell(result["judged"])
        return self.output({**self._summary(zs, results), "sections": [result["judged"] for result in results]})

    def _tell(self, judged: Mapping[str, Any]) -> None:
        for reason, tiles in judged["dropped"].items():
            self.logger.warning("z=%s: %d of %d tiles %s", judged["z"], len(tiles), judged["tile_count"], reason)
        if judged["missing"]:
            self.logger.warning("z=%s: the stitched stack lacks %d tiles", judged["z"], len(judged["missing"]))


def _judged_section(
    z: float,
    *,
    parameters: Mapping[str, Any],
    source: str,
    before: str | None,
    options: Mapping[str, Any],
    replace: bool,
    target: str | None,
) -> dict[str, Any]:
    """Judge one section and write what is kept; the worker's part."""
    render = worker_connection(parameters)
    section = stacks.read_section(render, source, z)
    old = None if before is None else stacks.read_section(render, before, z, missing_ok=True)
    judged = _judgement(section, old, **options)
    gone = {name for names in judged["dropped"].values() for name in names}
    kept = Section(z, [tile for tile in section.tiles if tile["tileId"] not in gone], section.transforms)
    written = {"zs": [z] if kept.tiles else [], "tile_count": len(kept.tiles)}
    if target is not None:
        written = written_section(render, target, kept, replace=replace)
    return {**written, "judged": judged}


def _judgement(
    section: Section,
    before: Section | None,
    distance_threshold: float,
    edge_threshold: float | None,
    min_component_size: int | None,
    min_neighbors: int | None,
) -> dict[str, Any]:
    """Return what is wrong with a section."""
    judged: dict[str, Any] = {"z": section.z, "tile_count": len(section.tiles), "dropped": {}, "missing": []}
    if before is not None:
        old = {tile["tileId"]: tile for tile in before.tiles}
        here = [tile for tile in section.tiles if tile["tileId"] in old]
        names = [tile["tileId"] for tile in here]
        judged["missing"] = sorted(old.keys() - set(names))
        unknown = sorted(tile["tileId"] for tile in section.tiles if tile["tileId"] not in old)
        pair = (
            Section(section.z, [old[name] for name in names], before.transforms),
            Section(section.z, here, section.transforms),
        )
        found = inconsistencies(*pair, distance_threshold, edge_threshold)
        kept = found.in_large_components(min_component_size)
        judged["component_sizes"] = sorted(np.bincount(found.component).tolist(), reverse=True)
        wrong = np.flatnonzero(found.moves > distance_threshold)
        judged["wrong_pairs"] = [
            {"p": names[p], "q": names[q], "distance": float(distance)}
            for (p, q), distance in zip(found.edges[wrong].tolist(), found.moves[wrong], strict=True)
        ]
        _drop(
            judged,
            "moved in another way than the others",
            [name for name, stays in zip(names, kept, strict=True) if not stays],
        )
        _drop(judged, "are not in the prestitched stack", unknown)
    if min_neighbors is not None:
        outer = outer_tiles(section, min_neighbors, edge_threshold)
        _drop(
            judged, "are at the border", [tile["tileId"] for tile, out in zip(section.tiles, outer, strict=True) if out]
        )
    return judged


def _drop(judged: dict[str, Any], reason: str, names: list[str]) -> None:
    if names:
        judged["dropped"][reason] = names


if __name__ == "__main__":
    raise SystemExit(DetectStitchingMistakes.main())
