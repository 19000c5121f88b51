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
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, validates_schema

from rendermodules.core.solve.options import SolveError
from rendermodules.core.solve.report import failure_report, solve_report
from rendermodules.core.solve.solved_transforms import SolvedTransforms, with_solved_transforms
from rendermodules.core.solve.stack_solve import StackSolve, solved_stack
from rendermodules.module.fields import OutputFile, Str
from rendermodules.module.schemas import StackWritingParameters
from rendermodules.module.solve_inputs import SolveInputs, read_section, read_sections
from rendermodules.module.solve_module import SolveModule, SolveOutput, solved_section
from rendermodules.module.solve_parameters import SolveLimitParameters, SolveParameters, solve_request


class SolveTransformsParameters(SolveParameters, SolveLimitParameters, StackWritingParameters):
    """Parameters of solve_transforms."""

    output_stack = Str("stack to write; made when it does not exist; the input stack's name changes it in place")
    output_file = OutputFile("file for the tiles as Render's resolved tiles; packed by gzip when it ends in .gz")

    @validates_schema
    def check_output(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse two outputs."""
        if data.get("output_stack") and data.get("output_file"):
            raise ValidationError("give output_stack or output_file, not both", "output_file")


class SolveTransformsOutput(SolveOutput):
    """Result of solve_transforms."""

    output_file = Str("file that was written")


def _montage(z: float, *, inputs: SolveInputs, request: StackSolve, **writing: Any) -> dict[str, Any]:
    """Solve one section by itself; the worker's part of a montage."""
    section, table, found = read_section(inputs, z, request.rule)
    try:
        solved = solved_stack(table, found, request, inputs.anchors(table, request.rule))
    except SolveError as error:
        return {"zs": [], "tile_count": 0, "report": failure_report([z], str(error))}
    new = with_solved_transforms(section, solved.transforms)
    return {**solved_section(new, inputs.render, **writing), "report": solve_report(solved, request.options)}


def _with_transforms(item: tuple[float, SolvedTransforms], *, inputs: SolveInputs, **writing: Any) -> dict[str, Any]:
    """Give the tiles of one section the transforms of a solve of many; the worker's part of it."""
    z, transforms = item
    return solved_section(with_solved_transforms(inputs.section(z), transforms), inputs.render, **writing)


class SolveTransforms(SolveModule):
    """Solve for the transforms of all tiles from the point matches between them."""

    default_schema = SolveTransformsParameters
    default_output_schema = SolveTransformsOutput

    def input_files(self) -> list[str]:
        return [*(self.args["tile_files"] or ()), *(self.args["match_files"] or ())]

    @functools.cached_property
    def solve_inputs(self) -> SolveInputs:
        """Where tiles and matches are."""
        return SolveInputs.of(self.args)

    def inputs(self) -> dict[str, Any]:
        return {**super().inputs(), "match_collections": self.solve_inputs.pair_counts}

    def zvalues(self) -> list[float]:
        return self.solve_inputs.z_values(self.args)

    def run(self) -> dict[str, Any]:
        """Read, solve, write and report, one section after the other or all together."""
        if self.completed_replacement():
            return self.output(self.outcome(self.zvalues(), [], []))
        zs, request, inputs = self.zvalues(), solve_request(self.args), self.solve_inputs
        # a collection that does not exist is told before anything is written
        self.inputs()
        if self.args["solve_type"] == "montage":
            return self.solved(zs, zs, functools.partial(_montage, inputs=inputs, request=request))
        table, found = read_sections(self, inputs, zs, request.rule, request.depth.depths)
        solved = solved_stack(table, found, request, inputs.anchors(table, request.rule))
        items = [(z, solved.transforms.of_tiles(table.ids_of(z))) for z in zs]
        work = functools.partial(_with_transforms, inputs=inputs)
        return self.solved(zs, items, work, [solve_report(solved, request.options)])


if __name__ == "__main__":
    raise SystemExit(SolveTransforms.main())
