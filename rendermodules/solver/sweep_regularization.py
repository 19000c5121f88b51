"""Try strengths of regularisation on montages or a whole stack, and say which the matches find likeliest.

Weak regularisation lets tiles deform until matches agree, and with BigFeta's kind lets everything shrink; strong
regularisation keeps them as they are held. A solve chooses by itself (``learnt``); a sweep shows what other strengths
would do to residuals, scales and shears. Nothing is written but tables and pictures.

``regularization`` is in matched points per square pixel of departure, as for solve_transforms. With ``degree_factors``
it is BigFeta's default_lambda, and ``shift_factors`` are its translation factors to try.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from marshmallow import ValidationError, validates_schema

from rendermodules.core.solve.match_table import MatchTable
from rendermodules.core.solve.options import SolveError
from rendermodules.core.solve.stack_matches import stack_matches
from rendermodules.core.solve.stack_solve import StackSolve
from rendermodules.core.solve.sweep import swept_strengths
from rendermodules.core.solve.tile_table import TileTable, tile_set_of
from rendermodules.io.files import written_whole
from rendermodules.io.tables import write_table
from rendermodules.module.errors import RenderModuleError, SectionError
from rendermodules.module.fields import Bool, Float, Int, Json, List, OutputDir, Str
from rendermodules.module.render_module import RenderModule
from rendermodules.module.schemas import OutputParameters
from rendermodules.module.solve_inputs import SolveInputs, read_section, read_sections
from rendermodules.module.solve_parameters import SolveParameters, solve_request

Row = dict[str, Any]


class SweepRegularizationParameters(SolveParameters):
    """Parameters of sweep_regularization."""

    regularizations = List(Float, "strengths to try; by default count of them from least to greatest", minimum=1e-300)
    least = Float("least strength to try", default=1e-3, minimum=1e-300)
    greatest = Float("greatest strength to try", default=1e7, minimum=1e-300)
    count = Int("how many strengths, in equal steps of their logarithm", default=21, minimum=1)
    shift_factors = List(Float, "with degree_factors: factors of the shift to try, instead of the first of these")
    max_scale_spread = List(
        Float,
        "strengths are acceptable at which the scales of tiles spread by no more than this along x and along y "
        "(standard deviation, outliers left out)",
        default=[0.005, 0.007],
    )
    min_scale = Float("and at which the mean scale against what it was is no less", default=0.9, minimum=0)
    max_scale = Float("and no greater", default=1.1, minimum=0)
    output_directory = OutputDir("folder for tables and pictures")
    figures = Bool("draw pictures, if there is an output_directory", default=True)

    @validates_schema
    def check_sweep(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse ranges and lists that make no sense."""
        if data["least"] > data["greatest"]:
            raise ValidationError("is more than greatest", "least")
        if len(data["max_scale_spread"]) != 2:
            raise ValidationError("must be two numbers, along x and along y", "max_scale_spread")
        if data.get("shift_factors") is not None and data.get("degree_factors") is None:
            raise ValidationError("go with degree_factors", "shift_factors")


class SweepRegularizationOutput(OutputParameters):
    """Result of sweep_regularization."""

    sweeps = Json(
        "for each section, or for all together: learnt (what a solve chooses), likeliest (of those tried), acceptable "
        "(least residual first), singular (too weak to hold the tiles), rows (what came of each), weights (factors "
        "that matches got by their distance in z for being more or less exact than others)",
        required=True,
    )
    files = List(Str, "tables and pictures written", required=True)


class SweepRegularization(RenderModule):
    """Try strengths of regularisation and say which the matches find likeliest."""

    default_schema = SweepRegularizationParameters
    default_output_schema = SweepRegularizationOutput

    def input_files(self) -> list[str]:
        return [*(self.args["tile_files"] or ()), *(self.args["match_files"] or ())]

    def run(self) -> dict[str, Any]:
        """Read, solve at every strength, report."""
        inputs, request = SolveInputs.of(self.args), solve_request(self.args)
        inputs.pair_counts  # noqa: B018 - a collection that does not exist is told before anything is read
        zs = inputs.z_values(self.args)
        work = functools.partial(_swept, request=request, grid=self._grid(), limits=self._limits())
        if self.args["solve_type"] == "montage":
            task = functools.partial(_swept_section, inputs=inputs, work=work)
            describe = functools.partial("section z={1} of {0}".format, self.args["input_stack"] or "the files")
            sweeps = self.map(task, zs, unit="sections", describe=describe, error=SectionError)
        else:
            sweeps = [work(*read_sections(self, inputs, zs, request.rule, request.depth.depths))]
        for one in sweeps:
            self._tell(one)
        files = [] if self.dry_run else [file for one in sweeps for file in self._written(one)]
        result = self.output({"sweeps": sweeps, "files": files})
        failed = [one for one in sweeps if "failed" in one]
        if failed:
            raise RenderModuleError("; ".join(f"z={one['zValues'][0]}: {one['failed']}" for one in failed[:10]))
        return result

    def _grid(self) -> list[tuple[float | None, float]]:
        """Return the shift factors and strengths to try."""
        strengths = self.args["regularizations"]
        if strengths is None:
            strengths = np.geomspace(self.args["least"], self.args["greatest"], self.args["count"]).tolist()
        return [(shift, strength) for shift in self.args["shift_factors"] or [None] for strength in strengths]

    def _limits(self) -> tuple[float, ...]:
        return (*self.args["max_scale_spread"], self.args["min_scale"], self.args["max_scale"])

    def _tell(self, sweep: Mapping[str, Any]) -> None:
        if "failed" not in sweep:
            zs, likeliest = sweep["zValues"], sweep["likeliest"]
            shown = "none" if likeliest is None else f"{likeliest['regularization']:.3g}"
            self.logger.info(
                "z=%s%s: a solve chooses %s; of those tried %s is the likeliest, and %d are acceptable",
                *(zs[0], f" to {zs[-1]}" if len(zs) > 1 else ""),
                f"{sweep['learnt']:.3g}",
                *(shown, len(sweep["acceptable"])),
            )

    def _written(self, sweep: Mapping[str, Any]) -> Iterator[str]:
        """Write the table and the picture of a sweep; give the files."""
        folder = self.args["output_directory"]
        if folder is None or "failed" in sweep:
            return
        zs = sweep["zValues"]
        name = f"sweep_z{zs[0]:g}" + (f"_to_z{zs[-1]:g}" if len(zs) > 1 else "")
        table = Path(folder) / f"{name}.csv"
        write_table(table, sweep["rows"])
        yield str(table)
        if self.args["figures"]:
            picture = Path(folder) / f"{name}.png"
            _draw(picture, sweep)
            yield str(picture)


def _swept_section(z: float, *, inputs: SolveInputs, work: functools.partial[dict[str, Any]]) -> dict[str, Any]:
    """Try all strengths on one section; the worker's part."""
    _, table, found = read_section(inputs, z, work.keywords["request"].rule)
    return work(table, found)


def _swept(
    table: TileTable,
    found: MatchTable,
    *,
    request: StackSolve,
    grid: Sequence[tuple[float | None, float]],
    limits: tuple[float, ...],
) -> dict[str, Any]:
    """Return what came of all strengths, for each shift factor."""
    zs = sorted(set(table.z.tolist()))
    tiles = tile_set_of(table, request.options.lens, request.fixed_zs, request.fixed_ids)
    matches = stack_matches(found, table, request.depth).matches
    rows: list[Row] = []
    singular: list[Row] = []
    learnt, weights = None, []
    for shift in dict.fromkeys(shift for shift, _ in grid):
        options = request.options
        if shift is not None and options.degree_factors is not None:
            options = replace(options, degree_factors=(shift, *options.degree_factors[1:]))
        try:
            sweep = swept_strengths(tiles, matches, options, [strength for one, strength in grid if one == shift])
        except SolveError as error:
            return {"zValues": zs, "failed": str(error)}
        factor = {} if shift is None else {"shift_factor": shift}
        rows += [{**factor, **_row(asdict(one), limits)} for one in sweep.rows]
        singular += [{**factor, "regularization": strength} for strength in sweep.singular]
        learnt = learnt or sweep.learnt
        weights = [{"distance": distance, "weight": weight} for distance, weight in sweep.balance.items()]
    acceptable = sorted((row for row in rows if row["acceptable"]), key=lambda row: row["residual"])
    return {
        "zValues": zs,
        "learnt": learnt,
        "weights": weights,
        "likeliest": min(rows, key=lambda row: row["score"], default=None),
        "acceptable": acceptable,
        "singular": singular,
        "rows": rows,
    }


def _row(one: Row, limits: tuple[float, ...]) -> Row:
    spread_x, spread_y, least, greatest = limits
    narrow = one["scale_x_spread"] <= spread_x and one["scale_y_spread"] <= spread_y
    strength = one.pop("strength")
    return {"regularization": strength, **one, "acceptable": narrow and least <= one["scale_mean"] <= greatest}


def _draw(file: Path, sweep: Mapping[str, Any]) -> None:
    """Draw residual, spread of scales and score by strength."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise RenderModuleError(
            "pictures need matplotlib: pip install 'rendermodules[plots]', or figures false"
        ) from None
    figure = Figure(figsize=(9, 9), layout="constrained")
    panels = figure.subplots(3, 1, sharex=True)
    factors = dict.fromkeys(row.get("shift_factor") for row in sweep["rows"])
    for factor in factors:
        rows = [row for row in sweep["rows"] if row.get("shift_factor") == factor]
        strengths = [row["regularization"] for row in rows]
        label = None if factor is None else f"shift factor {factor:g}"
        panels[0].plot(strengths, [row["residual"] for row in rows], "o-", label=label)
        panels[1].plot(strengths, [max(row["scale_x_spread"], row["scale_y_spread"]) for row in rows], "o-")
        panels[2].plot(strengths, [row["score"] for row in rows], "o-")
    for panel, name in zip(panels, ("residual in px", "spread of scales", "score (least is likeliest)"), strict=True):
        panel.set(ylabel=name, xscale="log")
        panel.axvline(sweep["learnt"], color="0.6", linestyle="--")
    panels[2].set(xlabel="regularization (dashed: what a solve chooses)")
    if len(factors) > 1:
        panels[0].legend()
    with written_whole(file) as temporary:
        figure.savefig(temporary, dpi=100)


if __name__ == "__main__":
    raise SystemExit(SweepRegularization.main())
