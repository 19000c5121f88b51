"""Solve for the transforms of all tiles at once from the point matches between them.

A montage solves each section by itself; 3D solves all sections together. Tiles come from a stack or from files, matches
from any number of collections and files. How strongly tiles are held to their shape, whether they share a lens
distortion, and which pairs are wrong is found from the matches themselves unless parameters say it.

Matches are in pixels of a tile after its first few transforms (``num_local_transforms``). The solved transform, from
there to world pixels, takes the place of the last transform of each tile, or of all behind those, or goes behind all.
Parameters of BigFeta are understood too.

Without an output the solve is only reported. When it is worse than the limits allow, the exit status is 1 and the
output stack stays LOADING.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from marshmallow import ValidationError, validates_schema

from rendermodules.core.problems import listed
from rendermodules.core.sections import Section
from rendermodules.core.solve.options import SolveError
from rendermodules.core.solve.report import failure_report, limit_problems, report_line, solve_report
from rendermodules.core.solve.solved_transforms import SolvedTransforms, with_solved_transforms
from rendermodules.core.solve.stack_solve import StackSolve, solved_stack
from rendermodules.io.tilespecs import write_tilespecs
from rendermodules.module.errors import RenderModuleError, SectionError
from rendermodules.module.fields import Float, Int, Json, List, OutputFile, Str
from rendermodules.module.render_module import SectionMapModule, written_section
from rendermodules.module.schemas import OutputParameters, StackWritingParameters
from rendermodules.module.solve_inputs import SolveInputs, read_section, read_sections
from rendermodules.module.solve_parameters import SolveLimitParameters, SolveParameters, solve_limits, solve_request


class SolveTransformsParameters(SolveParameters, SolveLimitParameters, StackWritingParameters):
    """Parameters of solve_transforms."""

    output_stack = Str("stack to write; made when it does not exist; the input stack's name changes it in place")
    output_file = OutputFile("file for the tiles as Render's resolved tiles; packed by gzip when it ends in .gz")

    @validates_schema
    def check_output(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse two outputs."""
        if data.get("output_stack") and data.get("output_file"):
            raise ValidationError("give output_stack or output_file, not both", "output_file")


class SolveTransformsOutput(OutputParameters):
    """Result of solve_transforms."""

    output_stack = Str("stack that was written")
    output_file = Str("file that was written")
    zValues = List(Float, "z of the sections solved", required=True)
    tile_count = Int("number of tiles, without those that were dropped", required=True)
    solves = Json("what came of each solve: model, regularization, lenses, residuals, scales, dropped pairs, warnings")
    problems = List(Str, "in which ways solves do not keep to the limits", required=True)


class _Sink(NamedTuple):
    """What happens to a solved section."""

    inputs: SolveInputs
    target: str | None
    replace: bool
    keep: bool

    def result(self, section: Section) -> dict[str, Any]:
        """Write the section if it is to be written, and return what is known of it."""
        kept = {"section": section} if self.keep else {}
        if self.target is None:
            return {"zs": [section.z], "tile_count": len(section.tiles), **kept}
        return written_section(self.inputs.connection, self.target, section, replace=self.replace)


def _montage(
    z: float, *, inputs: SolveInputs, request: StackSolve, replace: bool, keep: bool = False, target: str | None = None
) -> dict[str, Any]:
    """Solve one section by itself; the worker's part of a montage."""
    section, table, found = read_section(inputs, z, request.rule)
    try:
        solved = solved_stack(table, found, request, inputs.anchors(table, request.rule))
    except SolveError as error:
        return {"zs": [], "tile_count": 0, "report": failure_report([z], str(error))}
    new = with_solved_transforms(section, solved.transforms)
    result = _Sink(inputs, target, replace, keep).result(new)
    return {**result, "report": solve_report(solved, request.options)}


def _with_transforms(
    item: tuple[float, SolvedTransforms],
    *,
    inputs: SolveInputs,
    replace: bool,
    keep: bool = False,
    target: str | None = None,
) -> dict[str, Any]:
    """Give the tiles of one section the transforms of a solve of many; the worker's part of it."""
    z, transforms = item
    return _Sink(inputs, target, replace, keep).result(with_solved_transforms(inputs.section(z), transforms))


class SolveTransforms(SectionMapModule):
    """Solve for the transforms of all tiles from the point matches between them."""

    default_schema = SolveTransformsParameters
    default_output_schema = SolveTransformsOutput

    def input_files(self) -> list[str]:
        return [*(self.args["tile_files"] or ()), *(self.args["match_files"] or ())]

    @functools.cached_property
    def solve_inputs(self) -> SolveInputs:
        return SolveInputs.of(self.args)

    def inputs(self) -> dict[str, Any]:
        return {**super().inputs(), "match_collections": self.solve_inputs.pair_counts}

    def zvalues(self) -> list[float]:
        return self.solve_inputs.z_values(self.args)

    def run(self) -> dict[str, Any]:
        """Read, solve, write and report, one section after the other or all together."""
        if self.completed_replacement():
            return self.output(self._outcome(self.zvalues(), [], []))
        zs, request, inputs = self.zvalues(), solve_request(self.args), self.solve_inputs
        common = {"inputs": inputs, "replace": self.args["overwrite_zlayer"]}
        # a collection that does not exist is told before anything is written
        self.inputs()
        if self.args["solve_type"] == "montage":
            return self._written(zs, zs, functools.partial(_montage, request=request, **common), [])
        table, found = read_sections(self, inputs, zs, request.rule)
        solved = solved_stack(table, found, request, inputs.anchors(table, request.rule))
        report = solve_report(solved, request.options)
        items = [(z, solved.transforms.of_tiles(table.ids_of(z))) for z in zs]
        return self._written(zs, items, functools.partial(_with_transforms, **common), [report])

    def _written(
        self, zs: Sequence[float], items: Sequence[Any], work: Callable[..., Any], reports: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """Write the sections where they shall go; return the result of the module."""
        source, target, file = (self.args[name] for name in ("input_stack", "output_stack", "output_file"))
        describe = functools.partial(_description, source=source or "the files")
        outcome = functools.partial(self._outcome, zs, reports)

        def accept(results: Sequence[Mapping[str, Any]]) -> None:
            self._judge(outcome(results))

        if target is not None and not self.dry_run:
            results = self.write_sections(zs, items, work, describe, in_place=source == target, accept=accept)
            return self.output(outcome(results))
        keep = file is not None and not self.dry_run
        results = self.map(
            functools.partial(work, keep=keep), items, unit="sections", describe=describe, error=SectionError
        )
        accept(results)
        if keep:
            write_tilespecs(Path(file), [result["section"] for result in results])
        return self.output(outcome(results))

    def _outcome(
        self, zs: Sequence[float], reports: Sequence[dict[str, Any]], results: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        reports = reports or [result["report"] for result in results]
        limits = solve_limits(self.args)
        problems = [f"{place}: {text}" for place, report in _places(reports) for text in limit_problems(report, limits)]
        return {
            **{name: self.args[name] for name in ("output_stack", "output_file")},
            "zValues": zs,
            "tile_count": sum(result["tile_count"] for result in results),
            "solves": reports,
            "problems": problems,
        }

    def _judge(self, outcome: Mapping[str, Any]) -> None:
        """Say what came of the solves; when they do not keep to the limits, write the result and fail."""
        for place, report in _places(outcome["solves"]):
            self.logger.info("%s: %s", place, report_line(report))
            for warning in report["warnings"]:
                self.logger.warning("%s: %s", place, warning)
        if outcome["problems"]:
            self.output(outcome)
            raise RenderModuleError(listed(outcome["problems"], 10))


def _description(item: Any, source: str) -> str:
    return f"section z={item[0] if isinstance(item, tuple) else item} of {source}"


def _places(reports: Sequence[Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return reports with the sections that they are of in words."""
    return [
        (f"z={zs[0]}" if len(zs) == 1 else f"{len(zs)} sections from z={zs[0]}", report)
        for report in reports
        for zs in [report["zValues"]]
    ]


if __name__ == "__main__":
    raise SystemExit(SolveTransforms.main())
