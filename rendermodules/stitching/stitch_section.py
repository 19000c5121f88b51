"""Stitch the tiles of sections: find pairs, match them, solve, and say how good it is, in one call.

Tiles whose outlines overlap are matched by their images and solved by themselves for each section; matches stay in
memory unless ``output_collection`` names a collection for them. It does what pointmatch.create_tilepairs,
pointmatch.generate_point_matches and solver.solve_transforms do one after the other, with the same parameters.

Whether the tiles share a lens distortion, and how far they may deform, is found from the matches. Sections are finished
one by one, and a run that was killed goes on with the next. When a section is worse than the limits allow, the exit
status is 1 and the output stack stays LOADING.
"""

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from marshmallow import ValidationError, validates_schema

from rendermodules.core.problems import listed
from rendermodules.core.sections import Section
from rendermodules.core.solve.options import SolveError
from rendermodules.core.solve.stack_solve import StackSolve
from rendermodules.module import matches, stacks
from rendermodules.module.executors import map_items
from rendermodules.module.fields import Float, Str
from rendermodules.module.matching import (
    MatchingOptions,
    MatchingParameters,
    matched_batch,
    matching_options,
    matching_workers,
)
from rendermodules.module.render_module import worker_connection
from rendermodules.module.schemas import MatchOwnerParameters, SectionMapParameters
from rendermodules.module.solve_module import SolveModule, SolveOutput, solved_section
from rendermodules.module.solve_parameters import (
    SolveFrameParameters,
    SolveLimitParameters,
    SolveModelParameters,
    UnmatchedTileParameters,
    solve_request,
)

if TYPE_CHECKING:
    from rendermodules.core.tile_matching import CanvasPair, PairOutcome

_PAIRS_PER_BATCH = 8


class StitchSectionParameters(
    SectionMapParameters,
    MatchingParameters,
    MatchOwnerParameters,
    SolveModelParameters,
    SolveFrameParameters,
    UnmatchedTileParameters,
    SolveLimitParameters,
):
    """Parameters of stitch_section."""

    min_overlap = Float(
        "tiles are matched that share more than this part of the smaller one, where they lie", default=0.015, minimum=0
    )
    output_collection = Str("match collection in which the matches are kept too; made when it does not exist")

    @validates_schema
    def check_filter(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse matches that are of parts of tiles."""
        if data["matchFilter"] == "CONSENSUS_SETS":
            raise ValidationError("gives parts of tiles ids of their own, which no stack has", "matchFilter")


class StitchSectionOutput(SolveOutput):
    """Result of stitch_section; each of ``solves`` has, as ``matching``, what came of the pairs."""


def _stitched(
    z: float,
    *,
    connection: Mapping[str, Any],
    stack: str,
    min_overlap: float,
    matching: MatchingOptions,
    collection: tuple[str, str] | None,
    request: StackSolve,
    threads: int,
    **writing: Any,
) -> dict[str, Any]:
    """Stitch one section; the worker's part."""
    from rendermodules.core.solve.match_table import match_table
    from rendermodules.core.solve.report import failure_report, solve_report
    from rendermodules.core.solve.solved_transforms import with_solved_transforms
    from rendermodules.core.solve.stack_solve import solved_stack
    from rendermodules.core.solve.tile_table import tile_table

    section = stacks.read_section(worker_connection(connection), stack, z)
    outcomes = _matched(section, _pairs(section, min_overlap), matching, connection, threads)
    found = [record for one in outcomes for record in one.matches]
    if collection is not None and writing["target"] is not None:
        matches.write_matches(matches.match_collection(worker_connection(connection), *collection), found)
    try:
        solved = solved_stack(tile_table(section, request.rule), match_table(found), request)
    except SolveError as error:
        report = failure_report([z], str(error))
        return {"zs": [], "tile_count": 0, "report": {**report, "matching": _summary(outcomes)}}
    report = {**solve_report(solved, request.options), "matching": _summary(outcomes)}
    new = with_solved_transforms(section, solved.transforms)
    return {**solved_section(new, connection, **writing), "report": report}


def _pairs(section: Section, min_overlap: float) -> "list[CanvasPair]":
    """Return the pairs of tiles that overlap, as they lie."""
    from rendermodules.core.layout import outlines, placed_tiles
    from rendermodules.core.tile_matching import canvas_pairs
    from rendermodules.core.tile_pairs import neighbor_records, overlapping_pairs

    tiles = placed_tiles([section])
    found = overlapping_pairs(tiles, outlines([section]), [(section.z, section.z)], min_overlap)
    return canvas_pairs(neighbor_records(tiles, found))[0]


def _matched(
    section: Section,
    pairs: "Sequence[CanvasPair]",
    options: MatchingOptions,
    connection: Mapping[str, Any],
    threads: int,
) -> "list[PairOutcome]":
    """Return what comes of the pairs, in their order."""
    tiles = {tile["tileId"]: tile for tile in section.tiles}
    batches = [pairs[start : start + _PAIRS_PER_BATCH] for start in range(0, len(pairs), _PAIRS_PER_BATCH)]
    task = functools.partial(
        matched_batch, tiles=tiles, options=options, connection=connection, shared=section.transforms
    )
    pool = {"pool_size": threads, "pool_kind": "threads"}
    parts = map_items(task, batches, pool, describe=lambda batch: f"pairs from {batch[0].p.id} and {batch[0].q.id} on")
    return [outcome for part in parts for outcome in part.outcomes]


def _summary(outcomes: "Sequence[PairOutcome]") -> dict[str, Any]:
    """Return what came of the pairs in plain values."""
    from rendermodules.core.tile_matching import UNREADABLE

    dropped: dict[str, list[list[str]]] = {}
    for one in outcomes:
        if not one.matches:
            dropped.setdefault(one.kind, []).append([one.pair.p.id, one.pair.q.id])
    return {
        "pair_count": len(outcomes),
        "matched_pair_count": sum(bool(one.matches) for one in outcomes),
        "match_count": sum(len(record) for one in outcomes for record in one.matches),
        "methods": dict(Counter(one.method for one in outcomes if one.matches)),
        "dropped": [
            {"reason": reason, "count": len(pairs), "pairs": pairs} for reason, pairs in sorted(dropped.items())
        ],
        "unreadable": sorted({str(one.reason) for one in outcomes if one.kind == UNREADABLE}),
    }


def _strange(matching: Mapping[str, Any], tile_count: int) -> list[str]:
    """Return what the positions of the tiles seem to be, where nothing matches."""
    if tile_count < 2 or matching["matched_pair_count"]:
        return []
    if not matching["pair_count"]:
        return ["no tiles overlap where they lie; are their positions in pixels of the images?"]
    return ["no tiles that overlap match; are the images turned or mirrored against the positions?"]


class StitchSection(SolveModule):
    """Stitch the tiles of sections, from images to transforms, in one call."""

    default_schema = StitchSectionParameters
    default_output_schema = StitchSectionOutput

    def run(self) -> dict[str, Any]:
        """Stitch every section."""
        if self.completed_replacement():
            return self.output(self.outcome(self.zvalues(), [], []))
        zs, name = self.zvalues(), self.args["output_collection"]
        owner = self.args["match_owner"] or self.render.DEFAULT_OWNER
        work = functools.partial(
            _stitched,
            connection=self.args["render"],
            stack=self.args["input_stack"],
            min_overlap=self.args["min_overlap"],
            matching=matching_options(self.args),
            collection=None if name is None else (name, owner),
            request=solve_request(self.args),
            # workers are processes for sections, and threads within them where there are more workers than sections
            threads=max(1, self.args["pool_size"] // len(zs)),
        )
        with matching_workers():
            return self.solved(zs, zs, work)

    def outcome(
        self, zs: Sequence[float], reports: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Return the result of the module; images that cannot be read are problems too."""
        outcome = super().outcome(zs, reports, results)
        unreadable = sorted({text for report in outcome["solves"] for text in report["matching"]["unreadable"]})
        strange = [
            f"z={report['zValues'][0]}: {text}"
            for report in outcome["solves"]
            for text in _strange(report["matching"], report.get("tile_count", 0))
        ]
        return {**outcome, "problems": [*outcome["problems"], *strange, *unreadable]}

    def line(self, report: Mapping[str, Any]) -> str:
        """Return what came of the pairs and of the solve in a few words."""
        matching = report["matching"]
        dropped = [f"{one['count']} {one['reason']}" for one in matching["dropped"]]
        pairs = f"{matching['matched_pair_count']} of {matching['pair_count']} pairs of tiles that overlap match"
        return f"{pairs}{f' (not: {listed(dropped)})' if dropped else ''}; {super().line(report)}"


if __name__ == "__main__":
    raise SystemExit(StitchSection.main())
