"""Keep the point matches that lie in a region: polygons of sections, one polygon, a box, or the masks of tiles.

A match is kept when its point in one tile and that in the other both lie inside, each in the region of its own section.
Polygons and boxes are in world pixels of input_stack, masks in pixels of the tiles. Of several regions that are given a
point has to be in all. Sections and tiles without a region have no limits.
"""

import functools
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
from marshmallow import ValidationError, validates_schema
from numpy.typing import NDArray

from rendermodules.core.pointmatches import PointMatches, selected, with_weights
from rendermodules.core.sections import TileSpec
from rendermodules.module.fields import Bool, InputDir, Int, Json, Str
from rendermodules.module.match_module import (
    MappedMatches,
    MatchMapModule,
    MatchMapOutput,
    MatchMapParameters,
    MatchTask,
    PairSelection,
)
from rendermodules.module.render_module import worker_connection
from rendermodules.module.schemas import BoxParameters, InputStackParameters
from rendermodules.module.tile_queries import tiles_with_ids, z_of_sections

if TYPE_CHECKING:
    from rendermodules.core.match_frames import MatchFrame


class FilterMatchesByPolygonParameters(MatchMapParameters, InputStackParameters, BoxParameters):
    """Which region, and what becomes of matches outside."""

    polygon_dir = InputDir("folder of GeoJSON files, one for each section, as create_section_polygons makes them")
    polygon = Json("one GeoJSON polygon for all sections")
    masks = Bool("points must lie where the masks of the tiles are not 0", default=False)
    action = Str(
        "what becomes of matches outside: drop, or zero_weight. reset gives all weight 1 again and needs no region",
        default="drop",
        choices=["drop", "zero_weight", "reset"],
    )
    reset_weights = Bool("zero_weight: give those inside weight 1 instead of the one that they have", default=False)
    num_local_transforms = Int("transforms of a tile that matches contain; by default as Render matches", minimum=0)

    aliases: ClassVar[Mapping[str, str | None]] = {
        "targetmatchcollection": "output_collection",
        "target_matchcollection": "output_collection",
    }

    @validates_schema
    def check_region(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse no region."""
        box = [data.get(name) for name in ("minX", "minY", "maxX", "maxY")]
        given = [data.get("polygon_dir"), data.get("polygon"), data["masks"] or None, *box]
        if data["action"] != "reset" and all(one is None for one in given):
            raise ValidationError("give polygon_dir, polygon, a box or masks", "polygon_dir")


class FilterMatchesByPolygonOutput(MatchMapOutput):
    """What was written."""


class _Region(NamedTuple):
    """Where points are kept, to be sent to workers."""

    connection: Mapping[str, Any]
    stack: str
    num_local_transforms: int | None
    polygons: Mapping[float, Any]
    everywhere: Any
    box: list[float] | None
    masks: bool
    z_of_section: Mapping[str, float]
    action: str
    reset_weights: bool


class FilterMatchesByPolygon(MatchMapModule):
    """Keep the point matches inside of polygons, a box or the masks of tiles."""

    default_schema = FilterMatchesByPolygonParameters
    default_output_schema = FilterMatchesByPolygonOutput

    @functools.cached_property
    def z_of_section(self) -> dict[str, float]:
        """The z of the chosen sections, by their ids."""
        return z_of_sections(self.render, self.args["input_stack"], self.args)

    def input_files(self) -> list[Path]:
        folder = self.args["polygon_dir"]
        return [] if folder is None else sorted(Path(folder).glob("*.json"))

    def selection(self) -> PairSelection:
        return PairSelection(frozenset(self.z_of_section))

    def match_task(self) -> MatchTask:
        from rendermodules.io.polygons import parsed_polygon, read_section_polygons

        folder, polygon = self.args["polygon_dir"], self.args["polygon"]
        edges = [self.args[name] for name in ("minX", "minY", "maxX", "maxY")]
        far = (-np.inf, -np.inf, np.inf, np.inf)
        box = [limit if edge is None else edge for edge, limit in zip(edges, far, strict=True)]
        region = _Region(
            self.args["render"],
            self.args["input_stack"],
            self.args["num_local_transforms"],
            {} if folder is None else read_section_polygons(folder),
            None if polygon is None else parsed_polygon(polygon, "polygon"),
            None if all(edge is None for edge in edges) else box,
            self.args["masks"],
            self.z_of_section,
            self.args["action"],
            self.args["reset_weights"],
        )
        return functools.partial(_filtered, region=region)


def _filtered(found: list[PointMatches], *, region: _Region) -> MappedMatches:
    """Return the matches of a section, without those outside or with these at weight 0."""
    from rendermodules.core.match_frames import match_frame

    if region.action == "reset":
        return MappedMatches([with_weights(one, 1.0) for one in found])
    ids = [name for one in found for name in (one.p_tile_id, one.q_tile_id)]
    tiles = tiles_with_ids(worker_connection(region.connection), region.stack, ids)
    frames = {name: match_frame(tiles[name], None, region.num_local_transforms) for name in tiles}
    masks = _Masks(tiles) if region.masks else None
    dropped: Counter[str] = Counter()
    kept = []
    for one in found:
        if one.p_tile_id not in tiles or one.q_tile_id not in tiles:
            dropped["pairs: tile not in the stack"] += 1
            continue
        inside = np.ones(len(one), dtype=bool)
        for group, name, points in (
            (one.p_group_id, one.p_tile_id, one.p),
            (one.q_group_id, one.q_tile_id, one.q),
        ):
            inside &= _inside(points, frames[name], region.z_of_section[group], region)
            if masks is not None:
                inside &= masks.visible(name, frames[name].local.inverse(points))
        dropped["matches: outside"] += int((~inside).sum())
        dropped["pairs: all outside"] += not inside.any()
        if region.action == "drop":
            kept.append(selected(one, inside))
        else:
            kept.append(with_weights(one, np.where(inside, 1.0 if region.reset_weights else one.weights, 0.0)))
    return MappedMatches(kept, dropped)


def _inside(points: NDArray[np.float64], frame: "MatchFrame", z: float, region: _Region) -> NDArray[np.bool_]:
    """Return which points of a tile lie in the polygons and the box."""
    import shapely

    world = frame.placing.apply(points)
    inside = np.ones(len(points), dtype=bool)
    for polygon in (region.everywhere, region.polygons.get(z)):
        if polygon is not None:
            shapely.prepare(polygon)
            inside &= shapely.contains_xy(polygon, world)
    if region.box is not None:
        low, high = np.reshape(region.box, (2, 2))
        inside &= ((world >= low) & (world <= high)).all(axis=1)
    return inside


class _Masks:
    """The masks of tiles, each read once."""

    def __init__(self, tiles: Mapping[str, TileSpec]) -> None:
        self._tiles = tiles
        self._read: dict[str, Any] = {}

    def visible(self, name: str, pixels: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return where a tile is visible, at places x, y of its image; nowhere outside of it."""
        tile = self._tiles[name]
        size = np.array([tile["width"], tile["height"]])
        visible: NDArray[np.bool_] = np.all((pixels > -0.5) & (pixels < size - 0.5), axis=1)
        if name not in self._read:
            self._read[name] = _mask(tile)
        mask = self._read[name]
        if mask is not None:
            x, y = np.clip(np.rint(pixels).astype(int), 0, np.array(mask.shape[::-1]) - 1).T
            visible &= mask[y, x] > 0
        return visible


def _mask(tile: TileSpec) -> Any:
    """Return the full-scale mask of a tile; None if it has none."""
    from rendermodules.io.images import ImageSource, read_image
    from rendermodules.io.tile_images import as_gray, pyramid_of_channel

    level = (pyramid_of_channel(tile, None).get("mipmapLevels") or {}).get("0") or {}
    source = ImageSource.of_level(level, "mask")
    return None if source is None else as_gray(read_image(source))


if __name__ == "__main__":
    raise SystemExit(FilterMatchesByPolygon.main())
