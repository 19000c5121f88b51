"""Which tiles are neighbours, as files for matching clients."""

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.layout import PlacedTiles, in_box, obscured, on_grid, placed_tiles, selected_tiles
from rendermodules.core.tile_pairs import (
    NeighborRules,
    TilePairs,
    neighbor_pairs,
    neighbor_records,
    without_matched,
    without_positions,
)
from rendermodules.io.pair_files import PAIR_FILE_SUFFIXES, PairFile, render_parameters_template, write_pair_files
from rendermodules.io.tilespecs import read_tile_ids
from rendermodules.render_ws.clients.arguments import (
    Client,
    Option,
    UsageError,
    choice,
    flag,
    number,
    switch,
    text,
    whole,
)
from rendermodules.render_ws.clients.match_collections import RemoteCollection
from rendermodules.render_ws.clients.placed_tiles import SIDES, placed_tiles_of
from rendermodules.render_ws.clients.stacks import STACK_OPTIONS, Z_OPTIONS, RemoteStack, stack_of

logger = logging.getLogger(__name__)


def _run(options: Any) -> None:
    if options.useRowColPositions and options.zNeighborDistance:
        raise UsageError("--useRowColPositions needs --zNeighborDistance 0")
    stack = stack_of(options)
    tiles = _tiles(stack, options)
    rules = NeighborRules(
        xy_neighbor_factor=options.xyNeighborFactor,
        explicit_radius=options.explicitRadius,
        z_neighbor_distance=options.zNeighborDistance,
        exclude_corner_neighbors=options.excludeCornerNeighbors,
        exclude_same_layer_neighbors=options.excludeSameLayerNeighbors,
        exclude_same_section_neighbors=options.excludeSameSectionNeighbors,
    )
    pairs = neighbor_pairs(tiles, rules, _sources(tiles, options))
    if options.excludeSameLayerPairsWithPosition is not None:
        pairs = without_positions(tiles, pairs, options.excludeSameLayerPairsWithPosition)
    if options.excludePairsInMatchCollection is not None:
        counts = _match_counts(stack, tiles, options)
        pairs = without_matched(tiles, pairs, counts, options.minExistingMatchCount)
    _write(tiles, pairs, options)


def _tiles(stack: RemoteStack, options: Any) -> PlacedTiles:
    """Return the tiles that may be in a pair."""
    zs = stack.z_values(options)
    if options.useRowColPositions:
        tiles = on_grid(placed_tiles(stack.section(z) for z in zs))
    else:
        tiles = placed_tiles_of(stack, zs)
        sides = [getattr(options, side) for side in SIDES]
        if any(side is not None for side in sides):
            if None in sides:
                raise UsageError("give all of --minX, --minY, --maxX, --maxY, or none")
            tiles = selected_tiles(tiles, in_box(tiles, sides))
        if options.excludeCompletelyObscuredTiles:
            tiles = selected_tiles(tiles, ~obscured(tiles))
    if options.onlyIncludeTilesFromStack is not None:
        kept = stack.sibling(options.onlyIncludeTilesFromStack).tile_ids()
        tiles = selected_tiles(tiles, np.array([tile_id in kept for tile_id in tiles.ids], dtype=bool))
    logger.info("%d tiles in %d layers", len(tiles), len(zs))
    return tiles


def _sources(tiles: PlacedTiles, options: Any) -> NDArray[np.bool_] | None:
    """Return around which tiles neighbours are looked for; None for all."""
    if options.onlyIncludeTilesNearTileIdsJson is None:
        return None
    chosen = set(read_tile_ids(options.onlyIncludeTilesNearTileIdsJson))
    return np.array([tile_id in chosen for tile_id in tiles.ids], dtype=bool)


def _match_counts(stack: RemoteStack, tiles: PlacedTiles, options: Any) -> dict[frozenset[str], int]:
    owner = options.existingMatchOwner or stack.owner
    collection = RemoteCollection(stack.service, owner, options.excludePairsInMatchCollection)
    present = set(collection.p_group_ids())
    counts = {}
    for group in sorted(present & set(tiles.groups)):
        for pair in collection.p_group(group, details=False):
            counts[frozenset((pair["pId"], pair["qId"]))] = int(pair["matchCount"])
    return counts


def _write(tiles: PlacedTiles, pairs: TilePairs, options: Any) -> None:
    for reason, count in pairs.dropped.items():
        if count:
            logger.info("left out %d: %s", count, reason)
    template = render_parameters_template(
        options.baseOwner or options.owner, options.baseProject or options.project, options.baseStack or options.stack
    )
    content = PairFile(template, neighbor_records(tiles, pairs), {})
    files = write_pair_files(options.toJson, content, options.maxPairsPerFile)
    if not len(pairs):
        logger.warning("there are no pairs; %s says so", files[0])
    logger.info("%d pairs in %s", len(pairs), ", ".join(map(str, files)))


def _a_pair_file(word: str) -> str:
    if not word.endswith(PAIR_FILE_SUFFIXES):
        raise ValueError(f"a file that ends in {', '.join(PAIR_FILE_SUFFIXES)}")
    return word


CLIENT = Client(
    "Finds pairs of neighbouring tiles and writes them to a file, or numbered ones when they are many.",
    _run,
    (
        *STACK_OPTIONS,
        *Z_OPTIONS,
        text("baseOwner", "owner of the stack whose tiles are drawn; by default as the one that is read"),
        text("baseProject", "project of the stack whose tiles are drawn; by default as the one that is read"),
        text("baseStack", "stack whose tiles are drawn; by default the one that is read"),
        number("xyNeighborFactor", "radius of the search, as a multiple of the longer side of the tile", 0.9),
        number("explicitRadius", "radius of the search in world pixels"),
        flag("useRowColPositions", "look at rows and columns of the microscope instead of world coordinates"),
        number("zNeighborDistance", "how far above in z neighbours may lie", 2),
        switch("excludeCornerNeighbors", "leave out tiles of the same layer beyond a corner", True),
        switch("excludeCompletelyObscuredTiles", "leave out tiles that others cover", True),
        switch("excludeSameLayerNeighbors", "leave out pairs within a layer", False),
        switch("excludeSameSectionNeighbors", "leave out pairs within a section", False),
        choice(
            "excludeSameLayerPairsWithPosition",
            "leave out pairs within a layer that lie so",
            ("LEFT", "RIGHT", "TOP", "BOTTOM"),
        ),
        text("excludePairsInMatchCollection", "leave out pairs that this collection has"),
        text("existingMatchOwner", "owner of that collection; by default that of the stack"),
        whole("minExistingMatchCount", "leave them out only with more matches than this", 0),
        text("onlyIncludeTilesFromStack", "leave out tiles that this stack lacks"),
        text("onlyIncludeTilesNearTileIdsJson", "JSON list of tiles around which to look"),
        *(number(side, "limit of the box in which tiles lie, in world pixels") for side in SIDES),
        whole("maxPairsPerFile", "pairs in a file; more go to further ones", 100_000),
        Option("toJson", "file for the pairs: .json, .json.gz or .zip", _a_pair_file, required=True),
    ),
)
