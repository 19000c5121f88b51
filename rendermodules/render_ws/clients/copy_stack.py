"""Layers of a stack into another, all of their tiles or some."""

import logging
from collections.abc import Callable
from typing import Any

from rendermodules.core.sections import (
    Section,
    TileSpec,
    TransformSpec,
    transform_list,
    with_transform_appended,
    with_transform_list,
)
from rendermodules.core.transforms import Affine
from rendermodules.io.tilespecs import read_tile_ids
from rendermodules.render_ws.clients.arguments import Client, Option, flag, many, number, text
from rendermodules.render_ws.clients.stacks import SERVICE_OPTIONS, Z_OPTIONS, RemoteStack, z_text
from rendermodules.render_ws.errors import ServiceError
from rendermodules.render_ws.remote import RemoteService

logger = logging.getLogger(__name__)


def _run(options: Any) -> None:
    source = RemoteStack(RemoteService(options.baseDataUrl), options.owner, options.project, options.fromStack)
    target = source.sibling(options.toStack, options.toProject, options.toOwner)
    if target.path == source.path:
        raise ServiceError(f"{source} cannot be copied onto itself")
    is_kept = _chosen_ids(options)
    to_origin = _shift_to_origin(source) if options.moveToOrigin else None
    zs = source.z_values(options)
    target.open(source)
    emptied: set[float] = set()
    for index, z in enumerate(zs, start=1):
        others = [_ids_at(source.sibling(name), z) for name in options.excludeTileIdsMissingFromStacks]
        section = source.section(z)
        tiles = [tile for tile in section.tiles if is_kept(tile["tileId"])]
        tiles = [tile for tile in tiles if all(tile["tileId"] in ids for ids in others)]
        section = _changed(Section(z, tiles, section.transforms), to_origin, options)
        if not options.keepExisting:
            for new_z in {z + (options.addToZ or 0.0), *(tile["z"] for tile in section.tiles)} - emptied:
                target.delete_layer(new_z)
                emptied.add(new_z)
        target.put(section.tiles, section.transforms)
        logger.info("%d of %d: z %s: %d tiles into %s", index, len(zs), z, len(section.tiles), target)
    if options.completeToStackAfterCopy:
        target.set_state("COMPLETE")


def _chosen_ids(options: Any) -> Callable[[str], bool]:
    """Return a function that tells whether a tile is copied."""
    excluded = set(options.excludedTileIds)
    if options.excludedTileIdsJson is not None:
        excluded.update(read_tile_ids(options.excludedTileIdsJson))
    included = None if options.includedTileIdsJson is None else set(read_tile_ids(options.includedTileIdsJson))
    return lambda tile_id: tile_id not in excluded and (included is None or tile_id in included)


def _ids_at(stack: RemoteStack, z: float) -> set[str]:
    return {box["tileId"] for box in stack.tile_bounds(z)}


def _shift_to_origin(stack: RemoteStack) -> TransformSpec | None:
    """Return the transform that takes the low corner of a stack to (0, 0); None if it is there."""
    bounds = [stack.get("z", z_text(z), "bounds") for z in stack.z_values()]
    x, y = (min(box[side] for box in bounds) for side in ("minX", "minY"))
    if x == 0 and y == 0:
        return None
    return Affine([[1, 0, -x], [0, 1, -y]]).spec(f"{stack.name}_moved_to_origin")


def _changed(section: Section, to_origin: TransformSpec | None, options: Any) -> Section:
    tiles = section.tiles
    if options.replaceLastTransformWithStage:
        tiles = [_at_stage_position(tile) for tile in tiles]
    if options.splitMergedSections and len({_section_id(tile) for tile in tiles}) > 1:
        tiles = [{**tile, "z": _z_of_section(tile)} for tile in tiles]
    if options.addToZ:
        tiles = [{**tile, "z": tile["z"] + options.addToZ} for tile in tiles]
    changed = Section(section.z, tiles, section.transforms)
    return changed if to_origin is None else with_transform_appended(changed, to_origin)


def _at_stage_position(tile: TileSpec) -> TileSpec:
    layout = tile.get("layout") or {}
    if layout.get("stageX") is None or layout.get("stageY") is None:
        raise ServiceError(f"tile {tile['tileId']} has no stageX and stageY")
    stage = Affine([[1, 0, layout["stageX"]], [0, 1, layout["stageY"]]]).spec()
    return with_transform_list(tile, [*transform_list(tile)[:-1], stage])


def _section_id(tile: TileSpec) -> str | None:
    return (tile.get("layout") or {}).get("sectionId")


def _z_of_section(tile: TileSpec) -> float:
    try:
        return float(_section_id(tile) or "")
    except ValueError:
        raise ServiceError(f"tile {tile['tileId']}: its sectionId {_section_id(tile)!r} is no z") from None


_OPTIONS: tuple[Option, ...] = (
    *SERVICE_OPTIONS,
    text("project", "project of the stack that is read", required=True),
    text("fromStack", "stack that is read", required=True),
    text("toOwner", "owner of the stack that is written; by default the same"),
    text("toProject", "project of the stack that is written; by default the same"),
    text("toStack", "stack that is written", required=True),
    *Z_OPTIONS,
    flag("moveToOrigin", "move the tiles so that the stack begins at (0, 0)"),
    flag("keepExisting", "keep what the layers that are written hold already"),
    many("excludedTileIds", "tiles that are not copied"),
    text("excludedTileIdsJson", "JSON list of tiles that are not copied"),
    text("includedTileIdsJson", "JSON list of the only tiles that are copied"),
    many("excludeTileIdsMissingFromStacks", "copy only tiles that all of these stacks have in the same layer"),
    flag("replaceLastTransformWithStage", "put tiles where the microscope says, instead of their last transform"),
    number("addToZ", "what is added to z"),
    flag("splitMergedSections", "give sections that share a layer the z that their ids say"),
    flag("completeToStackAfterCopy", "set the stack COMPLETE, which is left LOADING otherwise"),
)

CLIENT = Client("Copies layers of a stack into another, all of their tiles or some.", _run, _OPTIONS)
