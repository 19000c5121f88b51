"""Draw point matches: how many each pair of tiles has, or where each of them leads, in the world of a stack.

``counts`` draws a line between the middles of two tiles, coloured by how many matches they have: holes in a montage
and sections that hang together by a thread are seen at once. ``quiver`` draws an arrow from each point of one section
to its partner in the other, over the pictures of both if overlay_scale says so: an alignment that went astray shows as
arrows that differ from their neighbours. A figure is made for each section and each two sections up to dz apart.
"""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.pointmatches import PointMatches, swapped
from rendermodules.core.problems import listed
from rendermodules.module import matches, stacks
from rendermodules.module.fields import Float, Int, Json, List, OutputDir, Str
from rendermodules.module.figures import FORMATS, new_figure, write_figure
from rendermodules.module.images import box_image
from rendermodules.module.match_tiles import match_frames
from rendermodules.module.matches import match_collection
from rendermodules.module.render_module import RenderModule, worker_connection
from rendermodules.module.schemas import (
    InputCollectionParameters,
    InputStackParameters,
    OutputParameters,
    PoolParameters,
    RenderParameters,
)
from rendermodules.module.tile_queries import section_ids, tile_bounds

if TYPE_CHECKING:
    from rendermodules.core.match_frames import MatchFrame

Floats = NDArray[np.float64]

_LONG_SIDE_INCHES = 10.0
_DPI = 150
_ROOM = 0.02


class PlotPointMatchesParameters(RenderParameters, InputStackParameters, InputCollectionParameters, PoolParameters):
    """What is drawn."""

    kind = Str(
        "counts: lines between tiles. quiver: arrows between points", default="counts", choices=["counts", "quiver"]
    )
    figure_dir = OutputDir("folder for the figures, which are called by kind and z", required=True)
    format = Str("kind of file", default="png", choices=FORMATS)
    dz = Float("draw sections with those at most so far above, too; 0 draws each section alone", default=0.0, minimum=0)
    max_count = Int("counts: so many matches have the last colour; the most that a pair has by default", minimum=1)
    max_arrows = Int("quiver: of more matches in a figure so many are drawn, chosen at random", default=5000, minimum=1)
    arrow_scale = Float(
        "quiver: length of the arrows, 1 leads from point to point; more shows small residuals", default=1.0
    )
    overlay_scale = Float(
        "quiver: draw the first section red and the other green under the arrows, at so many pixels per world pixel",
        minimum=1e-6,
        maximum=1,
    )
    num_local_transforms = Int("transforms of a tile that matches contain; by default as Render matches", minimum=0)

    aliases: ClassVar[Mapping[str, str | None]] = {"figdir": "figure_dir"}


class PlotPointMatchesOutput(OutputParameters):
    """What was drawn."""

    files = List(Str, "the figures", required=True)
    without_matches = Json("z of the sections, alone or as pairs, that have no matches and so no figure", required=True)


class _Drawing(NamedTuple):
    """How figures are drawn, to be sent to workers."""

    connection: Mapping[str, Any]
    stack: str
    collection: tuple[str, str]
    num_local_transforms: int | None
    sections: Mapping[float, Sequence[str]]
    kind: str
    folder: str
    format: str
    max_count: int | None
    max_arrows: int
    arrow_scale: float
    overlay_scale: float | None

    def path(self, pair: tuple[float, float]) -> Path:
        """Return the file of the figure of two sections, or of one with itself."""
        low, high = (f"{z:05.0f}" if z.is_integer() else f"{z:.15g}" for z in pair)
        name = low if low == high else f"{low}_to_{high}"
        return Path(self.folder, f"{self.kind}_{name}.{self.format}")


class PlotPointMatches(RenderModule):
    """Draw point matches: counts between tiles, or arrows between points, per section or across."""

    default_schema = PlotPointMatchesParameters
    default_output_schema = PlotPointMatchesOutput

    def run(self) -> dict[str, Any]:
        drawing = self._drawing()
        pairs = self._pairs()
        self.logger.info("%d sections and pairs of sections to draw", len(pairs))
        if self.dry_run:
            return self.output({"files": [], "without_matches": []})
        work = functools.partial(_drawn, drawing=drawing)
        with self.journal() as journal:
            done = {_description(pair) for pair in pairs if not drawing.path(pair).exists()}
            journal.forget({name for name in done if journal.results.get(name)})
            results = self.map(work, pairs, unit="figures", describe=_description, journal=journal)
        without = [pair for pair, drawn in zip(pairs, results, strict=True) if not drawn]
        self.logger.info(
            "%d figures in %s; without matches: z %s",
            len(pairs) - len(without),
            drawing.folder,
            listed([_description(pair) for pair in without]) or "none",
        )
        files = [drawing.path(pair) for pair, drawn in zip(pairs, results, strict=True) if drawn]
        return self.output({"files": files, "without_matches": [list(dict.fromkeys(pair)) for pair in without]})

    def _drawing(self) -> _Drawing:
        collection = match_collection(self.render, self.args["input_collection"], self.args["match_owner"])
        matches.check_exists(collection)
        # a missing library is told before the work
        new_figure(1, 1)
        same = {key: self.args[key] for key in _Drawing._fields if key in self.args}
        return _Drawing(
            connection=self.args["render"],
            stack=self.args["input_stack"],
            collection=(collection.name, collection.owner),
            sections=section_ids(self.render, self.args["input_stack"]),
            folder=self.args["figure_dir"],
            **same,
        )

    def _pairs(self) -> list[tuple[float, float]]:
        zs = stacks.selected_z_values(self.render, self.args["input_stack"], self.args)
        return [(low, high) for low in zs for high in zs if 0 <= high - low <= self.args["dz"]]


def _description(pair: tuple[float, float]) -> str:
    return f"{pair[0]}" if pair[0] == pair[1] else f"{pair[0]} to {pair[1]}"


def _drawn(pair: tuple[float, float], *, drawing: _Drawing) -> bool:
    """Draw the figure of two sections, or of one; return whether there was anything to draw. The worker's part."""
    render = worker_connection(drawing.connection)
    collection = match_collection(render, *drawing.collection)
    groups = [drawing.sections.get(z, []) for z in pair]
    found: dict[tuple[str, ...], PointMatches] = {}
    for low in groups[0]:
        for high in groups[1]:
            for one in matches.matches_between_groups(collection, low, high):
                found[one.pair] = one if one.p_group_id == low else swapped(one)
    frames = match_frames(found.values(), drawing.connection, drawing.stack, drawing.num_local_transforms)
    known = [one for one in found.values() if one.p_tile_id in frames and one.q_tile_id in frames and len(one)]
    if not known:
        return False
    box = _box(render, drawing.stack, pair)
    figure = _figure(box)
    axes = figure.subplots()
    draw = _draw_counts if drawing.kind == "counts" else _draw_arrows
    if drawing.overlay_scale is not None and drawing.kind == "quiver":
        axes.imshow(_overlay(render, drawing, pair, box), extent=(box[0], box[2], box[3], box[1]))
    draw(figure, axes, known, frames, drawing)
    axes.set(xlim=(box[0], box[2]), ylim=(box[3], box[1]), aspect="equal", xlabel="x in pixels", ylabel="y in pixels")
    axes.set_title(
        f"{drawing.collection[0]}, z {_description(pair)}: {sum(map(len, known))} matches of {len(known)} pairs"
    )
    write_figure(figure, drawing.path(pair), _DPI)
    return True


def _box(render: Any, stack: str, pair: tuple[float, float]) -> Floats:
    """Return minX, minY, maxX, maxY of sections in the world, with a little room."""
    bounds = [one for z in dict.fromkeys(pair) for one in tile_bounds(render, stack, z)]
    low = np.array([[one["minX"], one["minY"]] for one in bounds]).min(axis=0)
    high = np.array([[one["maxX"], one["maxY"]] for one in bounds]).max(axis=0)
    room = _ROOM * (high - low).max()
    return np.concatenate([low - room, high + room])


def _figure(box: Floats) -> Any:
    width, height = box[2:] - box[:2]
    size = _LONG_SIDE_INCHES * np.array([width, height]) / max(width, height)
    return new_figure(*np.maximum(size, _LONG_SIDE_INCHES / 4) + 1)


def _overlay(render: Any, drawing: _Drawing, pair: tuple[float, float], box: Floats) -> NDArray[np.uint8]:
    """Return the picture of the first section in red and that of the second in green."""
    x, y, past_x, past_y = (float(edge) for edge in box)
    size = int(past_x - x), int(past_y - y)
    red, green = (box_image(render, drawing.stack, z, x, y, *size, scale=drawing.overlay_scale or 1.0) for z in pair)
    return np.stack([red, green, np.zeros_like(red)], axis=-1)


def _draw_counts(
    figure: Any, axes: Any, found: Sequence[PointMatches], frames: "Mapping[str, MatchFrame]", drawing: _Drawing
) -> None:
    from matplotlib.collections import LineCollection

    def middle(name: str) -> Floats:
        frame = frames[name]
        point: Floats = frame.placing.apply(frame.local.apply([[frame.width / 2, frame.height / 2]]))[0]
        return point

    lines = [(middle(one.p_tile_id), middle(one.q_tile_id)) for one in found]
    counts = np.array([int((one.weights > 0).sum()) for one in found])
    collection = LineCollection(lines, array=counts, cmap="viridis", linewidths=2)
    collection.set_clim(0, drawing.max_count or max(counts.max(), 1))
    axes.add_collection(collection)
    axes.plot(*np.concatenate(lines).T, ".", color="black", markersize=3)
    figure.colorbar(collection, ax=axes, label="matches of weight above 0")


def _draw_arrows(
    figure: Any, axes: Any, found: Sequence[PointMatches], frames: "Mapping[str, MatchFrame]", drawing: _Drawing
) -> None:
    p = np.concatenate([frames[one.p_tile_id].placing.apply(one.p) for one in found])
    q = np.concatenate([frames[one.q_tile_id].placing.apply(one.q) for one in found])
    if len(p) > drawing.max_arrows:
        chosen = np.sort(np.random.default_rng(0).choice(len(p), drawing.max_arrows, replace=False))
        p, q = p[chosen], q[chosen]
    step = (q - p) * drawing.arrow_scale
    axes.plot(*p.T, ".", color="magenta", markersize=2)
    axes.quiver(*p.T, *step.T, angles="xy", scale_units="xy", scale=1, width=0.0015, color="tab:blue")


if __name__ == "__main__":
    raise SystemExit(PlotPointMatches.main())
