"""Compute how far matched points lie apart in the world, for sections, tiles and pairs.

The tiles are taken where their transforms put them now; nothing is solved. Figures go to ``output_json``, tables (CSV)
and pictures (PNG) to ``output_directory``.
"""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from marshmallow import ValidationError, validates_schema

from rendermodules.core.residual_statistics import GroupStatistics
from rendermodules.core.sections import Section
from rendermodules.core.solve.matches import z_pairs
from rendermodules.core.stack_residuals import (
    StackResiduals,
    pattern_in_tiles,
    residual_motion,
    stack_residuals,
    tile_shapes,
)
from rendermodules.io.files import written_whole
from rendermodules.io.tables import write_table
from rendermodules.module.errors import RenderModuleError, SectionError
from rendermodules.module.fields import Bool, Float, Int, Json, List, OutputDir, Str
from rendermodules.module.render_module import RenderModule
from rendermodules.module.schemas import OutputParameters, PoolParameters
from rendermodules.module.solve_inputs import SolveInputs
from rendermodules.module.solve_parameters import SolveInputParameters

Row = dict[str, Any]

_PATTERN_CELLS = 16
_MOST_ARROWS = 4000


class ComputeResidualsParameters(SolveInputParameters, PoolParameters):
    """Parameters of compute_residuals."""

    num_local_transforms = Int(
        "how many of a tile's first transforms the coordinates of the matches have passed through; by default those "
        "that Render applies before it matches",
        minimum=0,
    )
    depths = List(Float, "distances in z that are looked at, 0 within sections", default=[0.0], minimum=0)
    min_points = Int("pairs with fewer points are left out", default=1, minimum=1)
    details = Str(
        "what output_json lists beside the sections; the tables have all",
        default="tiles",
        choices=["none", "tiles", "pairs"],
    )
    output_directory = OutputDir("folder for tables and pictures")
    figures = Bool("draw pictures, if there is an output_directory", default=True)
    max_residual = Float("the run fails when the root mean square residual of a section is greater, in px", minimum=0)

    @validates_schema
    def check_depths(self, data: Mapping[str, Any], **_: Any) -> None:
        """Refuse an empty list."""
        if not data["depths"]:
            raise ValidationError("an empty list looks at nothing", "depths")


class ComputeResidualsOutput(OutputParameters):
    """Result of compute_residuals; lengths in world pixels, angles in radians."""

    zValues = List(Float, "z of the sections looked at", required=True)
    sections = Json("figures of each pair of sections, which is one section for matches within it", required=True)
    tiles = Json("figures of each tile, for each pair of sections")
    pairs = Json("figures of each pair of tiles")
    files = List(Str, "tables and pictures written", required=True)


class ComputeResiduals(RenderModule):
    """Compute how far matched points lie apart in the world."""

    default_schema = ComputeResidualsParameters
    default_output_schema = ComputeResidualsOutput

    def input_files(self) -> list[str]:
        return [*(self.args["tile_files"] or ()), *(self.args["match_files"] or ())]

    def run(self) -> dict[str, Any]:
        """Look at every section and those above it, write tables and pictures, report and judge."""
        inputs = SolveInputs.of(self.args)
        inputs.pair_counts  # noqa: B018 - a collection that does not exist is told before anything is read
        zs = inputs.z_values(self.args)
        folder = None if self.dry_run else self.args["output_directory"]
        options = {name: self.args[name] for name in ("num_local_transforms", "min_points")}
        work = functools.partial(
            _section_residuals, inputs=inputs, options=options, folder=folder if self.args["figures"] else None
        )
        pairs = z_pairs(zs, self.args["depths"])
        describe = functools.partial(_description, source=self.args["input_stack"] or "the files")
        results = self.map(work, pairs, unit="pairs of sections", describe=describe, error=SectionError)
        rows = {name: [row for one in results for row in one[name]] for name in ("sections", "tiles", "pairs")}
        files = [file for one in results for file in one["figures"]]
        files += [] if folder is None else _written_tables(Path(folder), rows)
        listed = {"none": (), "tiles": ("tiles",), "pairs": ("tiles", "pairs")}[self.args["details"]]
        result = self.output(
            {"zValues": zs, "sections": rows["sections"], "files": files, **{name: rows[name] for name in listed}}
        )
        self._judge(rows["sections"])
        return result

    def _judge(self, sections: Sequence[Row]) -> None:
        bad = []
        for row in sections:
            place = f"z={row['z_p']}" + (f" and z={row['z_q']}" if row["z_q"] != row["z_p"] else "")
            if not row["points"]:
                self.logger.warning("%s: no matches", place)
                continue
            figures = (row["root_mean_square"], row["median"], row["percentile_95"], row["greatest"])
            self.logger.info("%s: residual %.3g px, median %.3g, 95 %% below %.3g, greatest %.3g", place, *figures)
            if self.args["max_residual"] is not None and row["root_mean_square"] > self.args["max_residual"]:
                bad.append(f"{place} ({row['root_mean_square']:.3g} px)")
        if bad:
            raise RenderModuleError(f"residuals of {len(bad)} sections are too great: {', '.join(bad[:10])}")


def _section_residuals(
    zs: tuple[float, float], *, inputs: SolveInputs, options: Mapping[str, Any], folder: str | None
) -> dict[str, Any]:
    """Return the figures of the matches within a section, or of one with another; the worker's part."""
    sections = [inputs.section(z) for z in dict.fromkeys(zs)]
    found = inputs.matches_between(sections)
    residuals = stack_residuals(sections, found, depths=[zs[1] - zs[0]], **options)
    figures = []
    if folder is not None and len(residuals.residuals):
        file = Path(folder) / f"residuals_{'_'.join(f'z{section.z:g}' for section in sections)}.png"
        _draw(file, residuals, sections)
        figures.append(str(file))
    return {
        "sections": [_section_row(zs, residuals)],
        "tiles": _tile_rows(zs, residuals),
        "pairs": _pair_rows(zs, residuals),
        "figures": figures,
    }


def _figures(statistics: GroupStatistics, place: int) -> Row:
    names = ("mean", "median", "percentile_95", "greatest", "root_mean_square")
    count = int(statistics.count[place])
    values = {name: float(getattr(statistics, name)[place]) if count else None for name in names}
    return {"points": count, **values}


def _section_row(zs: tuple[float, float], found: StackResiduals) -> Row:
    matches = found.found.matches
    motion = residual_motion(found.positions, found.residuals, matches.weights)
    figures = _figures(found.statistics.everything, 0)
    return {
        "z_p": zs[0],
        "z_q": zs[1],
        "tile_count": len(found.table),
        "unmatched_tile_count": int((found.statistics.tiles.count == 0).sum()),
        "pair_count": len(matches.pairs),
        **figures,
        "shift_x": float(motion.shift[0]),
        "shift_y": float(motion.shift[1]),
        "rotation": motion.rotation,
        "growth": motion.growth,
        "left_out": {reason: len(pairs) for reason, pairs in sorted(found.found.left_out.items())},
    }


def _tile_rows(zs: tuple[float, float], found: StackResiduals) -> list[Row]:
    shapes = tile_shapes(found.table)
    return [
        {
            "tileId": tile_id,
            "z_p": zs[0],
            "z_q": zs[1],
            **_figures(found.statistics.tiles, place),
            **{name: float(getattr(shapes, name)[place]) for name in ("scale_x", "scale_y", "rotation", "shear")},
        }
        for place, tile_id in enumerate(found.table.ids)
    ]


def _pair_rows(zs: tuple[float, float], found: StackResiduals) -> list[Row]:
    ids = found.table.ids
    return [
        {"p": ids[p], "q": ids[q], "z_p": zs[0], "z_q": zs[1], **_figures(found.statistics.pairs, place)}
        for place, (p, q) in enumerate(found.found.matches.pairs.tolist())
    ]


def _written_tables(folder: Path, rows: Mapping[str, Sequence[Row]]) -> list[str]:
    """Write a table of sections, of tiles and of pairs; return the files."""
    flat = {**rows, "sections": [{**row, "left_out": sum(row["left_out"].values())} for row in rows["sections"]]}
    files = []
    for name, own in flat.items():
        file = folder / f"{name}.csv"
        write_table(file, own)
        files.append(str(file))
    return files


def _description(zs: tuple[float, float], source: str) -> str:
    return f"section z={zs[0]} of {source}" + (f" with z={zs[1]}" if zs[1] != zs[0] else "")


def _draw(file: Path, found: StackResiduals, sections: Sequence[Section]) -> None:
    """Draw tiles by their residual, residuals as arrows, their pattern in tiles, and their distribution."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise RenderModuleError(
            "pictures need matplotlib: pip install 'rendermodules[plots]', or figures false"
        ) from None
    figure = Figure(figsize=(13, 11), layout="constrained")
    panels = figure.subplots(2, 2).ravel()
    names = " and ".join(f"z={section.z:g}" for section in sections)
    everything = found.statistics.everything
    figure.suptitle(f"{names}: {len(found.residuals)} matches, residual {everything.root_mean_square[0]:.3g} px")
    _draw_tiles(panels[0], found)
    _draw_arrows(panels[1], found)
    _draw_pattern(panels[2], found)
    lengths = np.linalg.norm(found.residuals, axis=1)
    panels[3].hist(lengths, bins=60, range=(0, float(np.percentile(lengths, 99.5)) or 1.0))
    panels[3].set(title="distribution, without the largest 0.5 %", xlabel="residual in px", ylabel="matches")
    with written_whole(file) as temporary:
        figure.savefig(temporary, dpi=100)


def _draw_tiles(panel: Any, found: StackResiduals) -> None:
    from matplotlib.collections import PolyCollection

    corners = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]) * found.table.sizes[:, None, :]
    priors = found.table.priors
    outlines = corners @ priors[:, :, :2].transpose(0, 2, 1) + priors[:, None, :, 2]
    values = found.statistics.tiles.root_mean_square
    known = np.ma.masked_invalid(values)
    tiles = PolyCollection(list(outlines), array=known, edgecolors="0.3", linewidths=0.5, alpha=0.7)
    tiles.set_clim(0, float(np.nanpercentile(values, 98)) or 1.0)
    panel.add_collection(tiles)
    panel.figure.colorbar(tiles, ax=panel, label="px")
    _frame(panel, outlines.reshape(-1, 2), "residual of tiles (without colour: no matches)")


def _draw_arrows(panel: Any, found: StackResiduals) -> None:
    step = max(1, -(-len(found.residuals) // _MOST_ARROWS))
    at, off = found.positions[::step], found.residuals[::step]
    lengths = np.linalg.norm(off, axis=1)
    arrows = panel.quiver(*at.T, *off.T, lengths, angles="xy", cmap="viridis", width=0.002)
    arrows.set_clim(0, float(np.percentile(lengths, 98)) or 1.0)
    panel.figure.colorbar(arrows, ax=panel, label="px")
    _frame(panel, found.positions, "residuals in the world (arrows enlarged)")


def _draw_pattern(panel: Any, found: StackResiduals) -> None:
    pattern = pattern_in_tiles(found, _PATTERN_CELLS)
    low, high = pattern.box[:2], pattern.box[2:]
    middles = low + (np.stack(np.meshgrid(*(np.arange(_PATTERN_CELLS) + 0.5,) * 2), axis=-1)) / _PATTERN_CELLS * (
        high - low
    )
    filled = pattern.counts > 0
    off = pattern.means[filled]
    lengths = np.linalg.norm(off, axis=1)
    arrows = panel.quiver(*middles[filled].T, *off.T, lengths, angles="xy", cmap="viridis")
    panel.figure.colorbar(arrows, ax=panel, label="px")
    _frame(panel, np.array([low, high]), "mean residual by place in the tile (arrows enlarged)")


def _frame(panel: Any, points: Any, title: str) -> None:
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    panel.set(title=title, xlim=(left, right), ylim=(bottom, top), aspect="equal")


if __name__ == "__main__":
    raise SystemExit(ComputeResiduals.main())
