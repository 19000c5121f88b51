"""Compare a stack made of synthetic images with where the tiles truly are.

Errors are root mean squares in pixels. ``section`` is the distance of the tiles from their true places after the best
rigid motion, ``seam`` how far apart two neighbours show one place, ``across`` the same for two consecutive sections.
In the frame ``section`` every section is judged by itself, as a montage is; in the frame ``world`` the sections are
judged together, with one rigid motion for all.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from rendermodules.core.synthetic import nominal_grids, placed_grids, solution_errors
from rendermodules.io.synthetic_files import read_truth
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.fields import Float, InputDir, Int, List, NestedList, Str
from rendermodules.module.render_module import RenderModule
from rendermodules.module.schemas import DefaultSchema, OutputParameters, RenderParameters


class EvaluateStackParameters(RenderParameters):
    """What is compared."""

    input_stack = Str("stack made of the images of truth_dir", required=True)
    truth_dir = InputDir("folder that create_synthetic_images has made", required=True)
    frame = Str(
        "judge each section by itself, or the sections together", default="section", choices=["section", "world"]
    )
    max_error = Float("the run fails when the error of a section, or across two, is greater, in pixels", minimum=0)


class SectionErrorsOutput(DefaultSchema):
    """Errors of a section in pixels."""

    z = Float("the section", required=True)
    before = Float("error of where the microscope believed the tiles")
    after = Float("error of where the stack has them")
    seam = Float("distance between where neighbours show the same place")
    across = Float("distance between where this section and the next show the same place")
    placed = Int("tiles that the stack has", required=True)
    tiles = Int("tiles that there are", required=True)


class EvaluateStackOutput(OutputParameters):
    """How exact the stack is."""

    sections = NestedList(SectionErrorsOutput, "errors of every section", required=True)
    zValues = List(Float, "z of the sections compared", required=True)


class EvaluateStack(RenderModule):
    """Compare a stack made of synthetic images with where the tiles truly are."""

    default_schema = EvaluateStackParameters
    default_output_schema = EvaluateStackOutput

    def run(self) -> dict[str, Any]:
        """Read the truth and the stack, compare, report."""
        _, truth = read_truth(self.args["truth_dir"])
        stack = self.args["input_stack"]
        sections = {z: stacks.read_section(self.render, stack, z, missing_ok=True) for z in truth}
        grids = {z: placed_grids(sections[z], tiles) for z, tiles in truth.items()}
        before = solution_errors(truth, {z: nominal_grids(tiles) for z, tiles in truth.items()}, self.args["frame"])
        after = solution_errors(truth, grids, self.args["frame"])
        across = {low: error for (low, _), error in after.across.items()}
        errors = [
            {
                "z": z,
                "before": before.section[z],
                "after": after.section[z],
                "seam": after.seam[z],
                "across": across.get(z),
                "placed": after.placed[z],
                "tiles": after.tiles[z],
            }
            for z in sorted(truth)
        ]
        for one in errors:
            self.logger.info(
                "z=%s: error before %.2f px, after %.3f px, seams %.3f px, to the next section %s, %d of %d tiles",
                *(one["z"], one["before"], one["after"], one["seam"]),
                "-" if one["across"] is None else f"{one['across']:.3f} px",
                *(one["placed"], one["tiles"]),
            )
        result = self.output({"sections": errors, "zValues": sorted(truth)})
        self._judge(errors)
        return result

    def _judge(self, sections: Sequence[Mapping[str, Any]]) -> None:
        limit = self.args["max_error"]
        if limit is None:
            return
        bad = [
            f"z={one['z']}"
            for one in sections
            if one["placed"] < one["tiles"] or not max(one["after"], one["across"] or 0.0) <= limit
        ]
        if bad:
            raise RenderModuleError(
                f"{len(bad)} sections miss tiles or are off by more than {limit} px: {', '.join(bad)}"
            )


if __name__ == "__main__":
    raise SystemExit(EvaluateStack.main())
