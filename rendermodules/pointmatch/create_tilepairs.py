"""Write files of tile pairs: which tiles are to be matched with each other.

Modes:

* ``circle``: Render's own rules and parameters. A neighbour's bounding box meets the circle around a tile's middle with
  xyNeighborFactor times its longer side as radius; in the same section, and in those up to zNeighborDistance above.
* ``row_col``: the same, but tiles lie on the grid of the microscope instead of in the world.
* ``overlap``: tiles whose outlines, bent borders included, share more than overlap_frac of the smaller one.
* ``z_break``: the same, only between sections on either side of break_z, for stacks that were aligned in two parts.
* ``cross_stack``: tiles of input_stack with those of target_stack at the same z.

A file holds at most max_pairs_per_file pairs; more go into parts ``_p000``, ``_p001`` ..., which all readers take
together.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from marshmallow import ValidationError, pre_load, validates_schema
from numpy.typing import NDArray

from rendermodules.core.problems import listed
from rendermodules.core.sections import Section
from rendermodules.io.json_files import read_json
from rendermodules.io.pair_files import Q_TEMPLATE, PairFile, render_parameters_template, write_pair_files
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.fields import Bool, Float, InputFile, Int, Json, List, OutputDir, OutputFile, Str
from rendermodules.module.matches import check_exists, group_ids, match_collection, pair_counts
from rendermodules.module.render_module import RenderModule
from rendermodules.module.schemas import (
    BoxParameters,
    InputStackParameters,
    OutputParameters,
    RenderParameters,
)
from rendermodules.module.tile_queries import tile_bounds

if TYPE_CHECKING:
    from rendermodules.core.layout import PlacedTiles
    from rendermodules.core.tile_pairs import NeighborPair, NeighborRules, TilePairs

OUTLINED = ("overlap", "z_break", "cross_stack")
"""Modes that look at the outlines of tiles."""

_EVERYWHERE = (-np.inf, -np.inf, np.inf, np.inf)


class _Placed(NamedTuple):
    """The tiles of a stack.

    Attributes
    ----------
    tiles : PlacedTiles
    outlines : (n,) array of polygons, optional
        Only for modes that look at them.
    dropped : dict of str to int
        How many tiles were left out, by reason.
    """

    tiles: "PlacedTiles"
    outlines: NDArray[np.object_] | None
    dropped: dict[str, int]


class CreateTilepairsParameters(RenderParameters, InputStackParameters, BoxParameters):
    """Which tiles are paired. Boxes and distances are world pixels; the box leaves out tiles that it does not meet."""

    mode = Str("which tiles are neighbours", default="circle", choices=["circle", "row_col", *OUTLINED])
    output_dir = OutputDir(
        "folder for the file, which is then called tile_pairs_STACK_z_MINZ_to_MAXZ_dist_DISTANCE.json"
    )
    tile_pair_file = OutputFile("the file itself, ending in .json, .json.gz or .zip, instead of output_dir")
    max_pairs_per_file = Int("more pairs go into further files", default=100_000, minimum=1)
    zNeighborDistance = Float("sections at most so far above in z are neighbours; 0 for montages", default=2, minimum=0)
    xyNeighborFactor = Float("circle: radius as part of the longer side of a tile", default=0.9, minimum=0)
    explicitRadius = Float("circle: the radius itself, instead of xyNeighborFactor", minimum=0)
    excludeCornerNeighbors = Bool("circle: leave out those of a section that only touch at a corner", default=True)
    excludeSameLayerNeighbors = Bool("leave out pairs of one z", default=False)
    excludeSameSectionNeighbors = Bool("circle: leave out pairs of one section id", default=False)
    excludeCompletelyObscuredTiles = Bool("leave out tiles that others of their z hide completely", default=True)
    excludeSameLayerPairsWithPosition = Str(
        "leave out pairs of one z of which a tile lies so", choices=["TOP", "BOTTOM", "LEFT", "RIGHT"]
    )
    excludePairsInMatchCollection = Str("leave out pairs that this match collection has already")
    existingMatchOwner = Str("owner of that collection; that of the connection by default")
    minExistingMatchCount = Int("leave out only those that have more matches than this", default=0, minimum=0)
    onlyIncludeTilesFromStack = Str("leave out tiles that this stack does not have")
    onlyIncludeTilesNearTileIdsJson = InputFile("file with a list of tile ids; only pairs with one of them are kept")
    overlap_frac = Float(
        "overlap, z_break, cross_stack: pairs share more than this part of the smaller tile",
        default=0.25,
        minimum=0,
        maximum=1,
    )
    min_overlap_area = Float("overlap, z_break: and more than this, in square pixels", default=0, minimum=0)
    break_z = Float("z_break: the last z below the break")
    target_stack = Str("cross_stack: the stack of the second tiles")
    principal_only = Bool("cross_stack: pair each tile only with the one that it shares most with", default=False)
    max_pairs = Int("keep only so many pairs, chosen at random, to try parameters on", minimum=1)
    seed = Int("of that choice", default=0, minimum=0)
    baseStack = Str("stack in which matching finds the tiles; input_stack by default")
    baseProject = Str("its project; that of the connection by default")
    baseOwner = Str("its owner; that of the connection by default")

    aliases: ClassVar[Mapping[str, str | None]] = {
        "tilepair_output": "tile_pair_file",
        "toJson": "tile_pair_file",
        "maxPairsPerFile": "max_pairs_per_file",
        "exclude_pairs_in_collection": "excludePairsInMatchCollection",
        **dict.fromkeys(("memGB", "radius", "queryParameters", "pool_size")),
    }

    @pre_load
    def accept_use_row_col_positions(self, data: Any, **_: Any) -> Any:
        """Return the data with Java's useRowColPositions as a mode."""
        if not isinstance(data, dict) or "useRowColPositions" not in data:
            return data
        rest = {key: value for key, value in data.items() if key != "useRowColPositions"}
        return {"mode": "row_col", **rest} if str(data["useRowColPositions"]).lower() in ("true", "1") else rest

    @validates_schema
    def check_mode(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what a mode lacks."""
        if data["mode"] == "z_break" and data.get("break_z") is None:
            raise ValidationError("mode z_break needs it", "break_z")
        if data["mode"] == "cross_stack" and data.get("target_stack") is None:
            raise ValidationError("mode cross_stack needs it", "target_stack")
        if data["mode"] == "row_col" and data["zNeighborDistance"]:
            raise ValidationError("has to be 0 for mode row_col: grids of sections have no place in common", "mode")

    @validates_schema
    def check_file(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse no place to write to, or two, and names that no reader knows."""
        file = data.get("tile_pair_file")
        if (data.get("output_dir") is None) == (file is None):
            raise ValidationError("give output_dir or tile_pair_file", "output_dir")
        if file is not None and not file.endswith((".json", ".json.gz", ".zip")):
            raise ValidationError("must end in .json, .json.gz or .zip", "tile_pair_file")


class CreateTilepairsOutput(OutputParameters):
    """What was written."""

    tile_pair_file = Str("the file, or the name that stands for its parts", required=True)
    files = List(Str, "the files", required=True)
    pair_count = Int("number of pairs", required=True)
    tile_count = Int("number of tiles that have a pair", required=True)
    tiles_without_pair = Int("number of tiles that were looked at and have none", required=True)
    dropped = Json("how many tiles and pairs were left out, by reason", required=True)
    zValues = List(Float, "z of the sections looked at", required=True)


class CreateTilepairs(RenderModule):
    """Write files of tile pairs, by Render's rules or by overlap, within a stack or between two."""

    default_schema = CreateTilepairsParameters
    default_output_schema = CreateTilepairsOutput

    def run(self) -> dict[str, Any]:
        from rendermodules.core import tile_pairs

        zs = self._z_values()
        cross_stack = self.args["mode"] == "cross_stack"
        if cross_stack:
            stacks.stack_metadata(self.render, self.args["target_stack"])
        placed = self._placed(self.args["input_stack"], zs)
        others = self._placed(self.args["target_stack"], zs, missing_ok=True) if cross_stack else placed
        pairs = self._chosen(placed, others, self._pairs(placed, others, zs))
        records = tile_pairs.neighbor_records(placed.tiles, pairs, others.tiles if cross_stack else None)
        file = self._file(zs)
        files = [] if self.dry_run else write_pair_files(file, self._content(records), self.args["max_pairs_per_file"])
        return self._report(zs, file, files, placed, others, pairs)

    def _z_values(self) -> list[float]:
        """Return the z to look at: those that are asked for, and of a single one those around it."""
        z, stack = self.args["z"], self.args["input_stack"]
        if z is None or self.args["mode"] == "cross_stack":
            return stacks.selected_z_values(self.render, stack, self.args)
        stacks.selected_z_values(self.render, stack, {"z": z})
        reach = self.args["zNeighborDistance"]
        return stacks.selected_z_values(self.render, stack, {"minZ": z - reach, "maxZ": z + reach})

    def _placed(self, stack: str, zs: Sequence[float], *, missing_ok: bool = False) -> "_Placed":
        """Return where the tiles of a stack lie, without those that are not asked for."""
        from rendermodules.core import layout

        outlined = self.args["mode"] in OUTLINED
        parts: list[PlacedTiles] = []
        polygons = [np.empty(0, dtype=object)]
        for z in zs:
            if outlined or self.args["mode"] == "row_col":
                section = stacks.read_section(self.render, stack, z, missing_ok=missing_ok)
            else:
                section = _section_of_bounds(z, tile_bounds(self.render, stack, z))
            parts.append(layout.placed_tiles([section]))
            if outlined:
                polygons.append(layout.outlines([section]))
        tiles = layout.joined_tiles(parts)
        kept, dropped = self._kept(tiles)
        tiles = layout.selected_tiles(tiles, kept)
        if self.args["mode"] == "row_col":
            tiles = layout.on_grid(tiles)
        return _Placed(tiles, np.concatenate(polygons)[kept] if outlined else None, dropped)

    def _kept(self, tiles: "PlacedTiles") -> tuple[NDArray[np.bool_], dict[str, int]]:
        """Return which tiles may be in a pair, and how many were left out by which parameter."""
        from rendermodules.core import layout

        kept = np.ones(len(tiles), dtype=bool)
        rules = {}
        box = [self.args[name] for name in ("minX", "minY", "maxX", "maxY")]
        if any(edge is not None for edge in box):
            edges = [far if edge is None else edge for edge, far in zip(box, _EVERYWHERE, strict=True)]
            rules["outside of the box"] = layout.in_box(tiles, edges)
        if self.args["onlyIncludeTilesFromStack"] is not None:
            there = set(stacks.tile_ids(self.render, self.args["onlyIncludeTilesFromStack"]))
            rules["not in onlyIncludeTilesFromStack"] = np.array([name in there for name in tiles.ids], dtype=bool)
        if self.args["excludeCompletelyObscuredTiles"] and self.args["mode"] != "row_col":
            rules["obscured tiles"] = ~layout.obscured(tiles)
        dropped = {}
        for reason, rule in rules.items():
            dropped[reason] = int((kept & ~rule).sum())
            kept &= rule
        return kept, dropped

    def _pairs(self, placed: "_Placed", others: "_Placed", zs: Sequence[float]) -> "TilePairs":
        """Return the pairs of neighbours."""
        from rendermodules.core import tile_pairs

        tiles, distance, enough = placed.tiles, self.args["zNeighborDistance"], self.args["overlap_frac"]
        if placed.outlines is None or others.outlines is None:
            return tile_pairs.neighbor_pairs(tiles, self._rules(), self._near(tiles))
        if self.args["mode"] == "cross_stack":
            return tile_pairs.cross_stack_pairs(
                tiles,
                placed.outlines,
                others.tiles,
                others.outlines,
                enough,
                principal_only=self.args["principal_only"],
            )
        if self.args["mode"] == "z_break":
            layers = tile_pairs.layers_across(zs, self.args["break_z"], distance)
        else:
            layers = tile_pairs.layers_within(zs, distance, same=not self.args["excludeSameLayerNeighbors"])
        return tile_pairs.overlapping_pairs(tiles, placed.outlines, layers, enough, self.args["min_overlap_area"])

    def _rules(self) -> "NeighborRules":
        from rendermodules.core import tile_pairs

        return tile_pairs.NeighborRules(
            xy_neighbor_factor=self.args["xyNeighborFactor"],
            explicit_radius=self.args["explicitRadius"],
            z_neighbor_distance=self.args["zNeighborDistance"],
            exclude_corner_neighbors=self.args["excludeCornerNeighbors"],
            exclude_same_layer_neighbors=self.args["excludeSameLayerNeighbors"],
            exclude_same_section_neighbors=self.args["excludeSameSectionNeighbors"],
        )

    def _near(self, tiles: "PlacedTiles") -> NDArray[np.bool_] | None:
        """Return which tiles a pair has to have one of; None for all."""
        file = self.args["onlyIncludeTilesNearTileIdsJson"]
        if file is None:
            return None
        wanted = read_json(file)
        if not isinstance(wanted, list):
            raise RenderModuleError(f"{file} is no list of tile ids")
        wanted = set(wanted)
        return np.array([name in wanted for name in tiles.ids], dtype=bool)

    def _chosen(self, placed: "_Placed", others: "_Placed", pairs: "TilePairs") -> "TilePairs":
        """Return those of the pairs that the other parameters leave."""
        from rendermodules.core import tile_pairs

        tiles = placed.tiles
        if self.args["mode"] != "cross_stack":
            near = self._near(tiles)
            if near is not None:
                pairs = tile_pairs.pairs_with(pairs, near, "not near onlyIncludeTilesNearTileIdsJson")
            if self.args["z"] is not None:
                pairs = tile_pairs.pairs_with(pairs, tiles.z == self.args["z"], "without a tile at z")
            if self.args["excludeSameLayerPairsWithPosition"] is not None:
                pairs = tile_pairs.without_positions(tiles, pairs, self.args["excludeSameLayerPairsWithPosition"])
        if self.args["excludePairsInMatchCollection"] is not None:
            pairs = self._without_matched(tiles, others.tiles, pairs)
        return tile_pairs.sampled_pairs(pairs, self.args["max_pairs"] or len(pairs), self.args["seed"])

    def _without_matched(self, tiles: "PlacedTiles", others: "PlacedTiles", pairs: "TilePairs") -> "TilePairs":
        from rendermodules.core import tile_pairs

        name, owner = self.args["excludePairsInMatchCollection"], self.args["existingMatchOwner"]
        collection = match_collection(self.render, name, owner)
        check_exists(collection)
        groups = {*tiles.groups, *others.groups}.intersection(group_ids(collection, "p"))
        counts = {frozenset((one.p_id, one.q_id)): one.match_count for one in pair_counts(collection, sorted(groups))}
        return tile_pairs.without_matched(tiles, pairs, counts, self.args["minExistingMatchCount"], others)

    def _file(self, zs: Sequence[float]) -> Path:
        if self.args["tile_pair_file"] is not None:
            return Path(self.args["tile_pair_file"])
        low, high, distance = (f"{number:.15g}" for number in (zs[0], zs[-1], self.args["zNeighborDistance"]))
        name = f"tile_pairs_{self.args['input_stack']}_z_{low}_to_{high}_dist_{distance}.json"
        return Path(self.args["output_dir"], name)

    def _content(self, records: "list[NeighborPair]") -> PairFile:
        """Return what the file says: where matching finds the tiles, and the pairs."""
        owner, project = (
            self.args[key] or self.args["render"][key[4:].lower()] for key in ("baseOwner", "baseProject")
        )
        template = render_parameters_template(owner, project, self.args["baseStack"] or self.args["input_stack"])
        more = {}
        if self.args["mode"] == "cross_stack":
            more[Q_TEMPLATE] = render_parameters_template(owner, project, self.args["target_stack"])
        return PairFile(template, records, more)

    def _report(
        self,
        zs: Sequence[float],
        file: Path,
        files: Sequence[Path],
        placed: _Placed,
        others: _Placed,
        pairs: "TilePairs",
    ) -> dict[str, Any]:
        dropped = {reason: count for reason, count in {**placed.dropped, **pairs.dropped}.items() if count}
        paired = len(np.union1d(pairs.p, pairs.q)) if others is placed else len(np.unique(pairs.p))
        self.logger.info(
            "%d pairs of %d of %d tiles; left out: %s",
            len(pairs),
            paired,
            len(placed.tiles),
            listed([f"{count} {reason}" for reason, count in dropped.items()]) or "nothing",
        )
        if not len(pairs):
            self.logger.warning("no pairs: %s", file)
        return self.output(
            {
                "tile_pair_file": file,
                "files": files,
                "pair_count": len(pairs),
                "tile_count": paired,
                "tiles_without_pair": len(placed.tiles) - paired,
                "dropped": dropped,
                "zValues": zs,
            }
        )


def _section_of_bounds(z: float, bounds: Sequence[Mapping[str, Any]]) -> Section:
    return Section(z, [{**one, "layout": {"sectionId": one["sectionId"]}} for one in bounds])


if __name__ == "__main__":
    raise SystemExit(CreateTilepairs.main())
