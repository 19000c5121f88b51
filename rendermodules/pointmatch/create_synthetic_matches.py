"""Make point matches of tiles that are in place already: a grid of points in what two tiles share.

So a montage that was made by other means, or by hand, becomes matches that can be solved together with others, and a
stack can be tied to one that it is registered to. Tiles are taken where input_stack (and target_stack, for the second
tiles of a pair file of two stacks) has them.
"""

import functools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from marshmallow import ValidationError, validates_schema

from rendermodules.core.pointmatches import PointMatches, point_matches
from rendermodules.core.problems import listed
from rendermodules.core.sections import TileSpec
from rendermodules.io.pair_files import existing_pair_files, read_pair_files
from rendermodules.module import matches, stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.fields import Float, Int, Json, List, Str
from rendermodules.module.matches import match_collection
from rendermodules.module.render_module import RenderModule, worker_connection
from rendermodules.module.schemas import (
    InputStackParameters,
    OutputCollectionParameters,
    OutputParameters,
    PoolParameters,
    RenderParameters,
)
from rendermodules.module.tile_queries import tiles_with_ids

if TYPE_CHECKING:
    from rendermodules.core.grid_matches import OutlinedTile

_PAIRS_PER_BATCH = 256


class CreateSyntheticMatchesParameters(
    RenderParameters, InputStackParameters, OutputCollectionParameters, PoolParameters
):
    """Between which tiles, and which points. Lengths are world pixels."""

    pairJson = List(Str, "files of tile pairs; by default all tiles of a section that overlap are paired")
    target_stack = Str("stack of the second tile of each pair; input_stack by default")
    overlap_frac = Float(
        "without pair files: tiles are paired that share more than this part of the smaller one; corners share little",
        default=0.03,
        minimum=0,
        maximum=1,
    )
    pattern = Str(
        "overlap: a grid in the world over what two tiles share. tile: a grid over the first tile of the pair, of "
        "which the points are taken that lie on the second",
        default="overlap",
        choices=["overlap", "tile"],
    )
    delta = Float("overlap: distance of neighbouring points, less in narrow strips", default=150.0, minimum=1)
    margin = Float("overlap: distance of the points from the border of what two tiles share", default=10.0, minimum=0)
    grid_size = Int("tile: points along each side of the first tile", default=8, minimum=2)
    min_matches = Int("pairs with fewer are left out", default=1, minimum=1)
    num_local_transforms = Int(
        "matches are in pixels of a tile after so many of its transforms; by default as Render matches", minimum=0
    )

    aliases: ClassVar[Mapping[str, str | None]] = {
        "tile_pair_file": "pairJson",
        "matchcollection": "output_collection",
        "matchCollection": "output_collection",
        "local_transforms": "num_local_transforms",
        "dataRoot": None,
    }

    @validates_schema
    def check_pairs(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse a second stack without pairs, and sections beside pairs."""
        if data.get("pairJson") is None:
            if data.get("target_stack") is not None:
                raise ValidationError("needs pairJson, such as create_tilepairs makes of two stacks", "target_stack")
        elif any(data.get(key) is not None for key in ("z", "minZ", "maxZ", "zValues")):
            raise ValidationError("the pair files say which sections", "pairJson")


class CreateSyntheticMatchesOutput(OutputParameters):
    """What was made."""

    output_collection = Str("match collection that was written", required=True)
    pairs_tried = Int("number of pairs", required=True)
    pairs_matched = Int("pairs with matches", required=True)
    match_count = Int("number of matches", required=True)
    dropped = Json("how many pairs were dropped, by reason", required=True)


class _Making(NamedTuple):
    """How matches are made, to be sent to workers."""

    connection: Mapping[str, Any]
    stacks: Sequence[str]
    collection: tuple[str, str]
    pattern: str
    delta: float
    margin: float
    grid_size: int
    min_matches: int
    num_local_transforms: int | None
    overlap_frac: float


class CreateSyntheticMatches(RenderModule):
    """Make grids of point matches between tiles that are in place already."""

    default_schema = CreateSyntheticMatchesParameters
    default_output_schema = CreateSyntheticMatchesOutput

    def input_files(self) -> list[Any]:
        return [file for name in self.args["pairJson"] or [] for file in existing_pair_files(name)]

    def run(self) -> dict[str, Any]:
        making = self._making()
        for stack in making.stacks:
            stacks.stack_metadata(self.render, stack)
        if self.args["pairJson"] is None:
            items: Sequence[Any] = stacks.selected_z_values(self.render, self.args["input_stack"], self.args)
            work: Any = functools.partial(_matched_section, making=making)
            describe: Any = functools.partial("section z={1} of {0}".format, self.args["input_stack"])
        else:
            records = read_pair_files(self.args["pairJson"]).pairs
            count = math.ceil(len(records) / _PAIRS_PER_BATCH)
            items = [(index, records[index * _PAIRS_PER_BATCH :][:_PAIRS_PER_BATCH]) for index in range(count)]
            work, describe = functools.partial(_matched_records, making=making), _description
        if self.dry_run:
            self.logger.info("would make matches of %d sections or batches of pairs", len(items))
            return self._report([])
        with self.journal() as journal:
            if not matches.exists(match_collection(self.render, *making.collection)):
                journal.forget(set(journal.results))
            results = self.map(work, items, unit="sections or batches", describe=describe, journal=journal)
        return self._report(results)

    def _making(self) -> _Making:
        target = match_collection(self.render, self.args["output_collection"], self.args["match_owner"])
        names = dict.fromkeys((self.args["input_stack"], self.args["target_stack"] or self.args["input_stack"]))
        own = {key: self.args[key] for key in _Making._fields if key in self.args}
        return _Making(
            connection=self.args["render"], stacks=list(names), collection=(target.name, target.owner), **own
        )

    def _report(self, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        dropped: Counter[str] = Counter()
        for result in results:
            dropped.update(result["dropped"])
        matched, points = (sum(result[key] for result in results) for key in ("matched", "match_count"))
        tried = matched + sum(dropped.values())
        self.logger.info(
            "%d of %d pairs have %d matches; dropped: %s",
            matched,
            tried,
            points,
            listed([f"{count} {reason}" for reason, count in dropped.items()]) or "none",
        )
        if not matched and not self.dry_run:
            raise RenderModuleError(f"no pair shares enough to have matches ({tried} pairs tried)")
        return self.output(
            {
                "output_collection": self.args["output_collection"],
                "pairs_tried": tried,
                "pairs_matched": matched,
                "match_count": points,
                "dropped": dropped,
            }
        )


def _description(item: tuple[int, Any]) -> str:
    return f"batch {item[0]} of pairs"


def _matched_section(z: float, *, making: _Making) -> dict[str, Any]:
    """Make the matches of a section's tiles that overlap; the worker's part."""
    from rendermodules.core.layout import outlines, placed_tiles
    from rendermodules.core.tile_pairs import neighbor_records, overlapping_pairs

    section = stacks.read_section(worker_connection(making.connection), making.stacks[0], z)
    tiles = placed_tiles([section])
    pairs = overlapping_pairs(tiles, outlines([section]), [(z, z)], making.overlap_frac)
    specs = {tile["tileId"]: tile for tile in section.tiles}
    return _written(neighbor_records(tiles, pairs), specs, making, section.transforms)


def _matched_records(item: tuple[int, Sequence[Mapping[str, Any]]], *, making: _Making) -> dict[str, Any]:
    """Make the matches of some pairs of a pair file; the worker's part."""
    render = worker_connection(making.connection)
    tiles: dict[str, TileSpec] = {}
    for stack in making.stacks:
        found = tiles_with_ids(render, stack, [record[side]["id"] for record in item[1] for side in ("p", "q")])
        both = listed(sorted(tiles.keys() & found.keys()))
        if both:
            raise RenderModuleError(f"tiles of the two stacks have the same id: {both}")
        tiles.update(found)
    return _written(item[1], tiles, making, None)


def _written(
    records: Sequence[Mapping[str, Any]],
    tiles: Mapping[str, TileSpec],
    making: _Making,
    shared: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Make and write the matches of some pairs."""
    from rendermodules.core.grid_matches import outlined
    from rendermodules.core.match_frames import match_frame

    dropped: Counter[str] = Counter()
    made: list[PointMatches] = []
    wanted = sorted({record[side]["id"] for record in records for side in ("p", "q")} & tiles.keys())
    placed = {name: outlined(match_frame(tiles[name], shared, making.num_local_transforms)) for name in wanted}
    for record in records:
        p, q = (placed.get(record[side]["id"]) for side in ("p", "q"))
        if p is None or q is None:
            dropped["tile not in the stack"] += 1
            continue
        one = point_matches(
            *((record[side]["groupId"], record[side]["id"]) for side in ("p", "q")), *_points(p, q, making)
        )
        if len(one) < making.min_matches:
            dropped["too little shared"] += 1
        else:
            made.append(one)
    target = match_collection(worker_connection(making.connection), *making.collection)
    matches.write_matches(target, made)
    return {"matched": len(made), "match_count": sum(map(len, made)), "dropped": dropped}


def _points(p: "OutlinedTile", q: "OutlinedTile", making: _Making) -> Any:
    from rendermodules.core.grid_matches import overlap_grid, tile_grid

    if making.pattern == "tile":
        return tile_grid(p, q, making.grid_size)
    return overlap_grid(p, q, making.delta, making.margin)


if __name__ == "__main__":
    raise SystemExit(CreateSyntheticMatches.main())
