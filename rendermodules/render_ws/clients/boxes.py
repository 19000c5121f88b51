"""Layers as boxes of a fixed size, with coarser levels, for CATMAID."""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.box_pyramid import Cell, Image, Overview, label_image, parents_of, tiles_of_cells
from rendermodules.core.geometry import border_points
from rendermodules.core.sections import TileSpec
from rendermodules.core.transforms import tile_transform
from rendermodules.io.box_pyramid import BoxLayout, BoxPyramid, boxes_folder
from rendermodules.io.mipmaps import extension_of
from rendermodules.render_ws.clients.arguments import (
    Client,
    Rest,
    Takes,
    UsageError,
    a_number,
    flag,
    image_format,
    number,
    switch,
    text,
    unused,
    whole,
)
from rendermodules.render_ws.clients.drawing import FILTER_LIST_OPTION, layer_parameters, renderer
from rendermodules.render_ws.clients.placed_tiles import SIDES
from rendermodules.render_ws.clients.render_groups import GROUP_OPTIONS, of_this_group
from rendermodules.render_ws.clients.stacks import STACK_OPTIONS, Z_OPTIONS, RemoteStack, stack_of
from rendermodules.render_ws.rendering import Renderer
from rendermodules.render_ws.rendering.output import colours, gray

logger = logging.getLogger(__name__)

_GIGABYTE = 1e9
_MOST_LABELS = 65_535
# bounding boxes may miss a pixel of their tile
_MARGIN = 1.0


def _run(options: Any) -> None:
    _check(options)
    stack = stack_of(options)
    zs = stack.z_values(options)
    folder = boxes_folder(
        Path(options.rootDirectory),
        options.project,
        options.stack,
        options.width,
        options.height,
        labels=options.label,
    )
    method = "nearest" if options.label else "mean"
    layout = BoxLayout(folder, extension_of(options.format))
    pyramid = BoxPyramid(layout, options.width, options.height, options.maxLevel, method, options.forceGeneration)
    drawer = renderer(int(options.maxImageCacheGb * _GIGABYTE))
    for index, z in enumerate(zs, start=1):
        written = _write_layer(stack, z, pyramid, drawer, options)
        logger.info("%d of %d: z %s: %d boxes written below %s", index, len(zs), z, written, folder)


def _check(options: Any) -> None:
    if min(options.width, options.height) < 1 or options.maxLevel < 0:
        raise UsageError("--width and --height are at least 1, --maxLevel at least 0")
    if options.validateLabelsOnly:
        raise UsageError("--validateLabelsOnly has no stand-in")
    if options.label and extension_of(options.format) == "jpg":
        raise UsageError("--label needs --format png or tif: labels have 16 bit")


def _write_layer(stack: RemoteStack, z: float, pyramid: BoxPyramid, drawer: Renderer, options: Any) -> int:
    """Write the boxes of one layer that are this run's, and return how many files that were."""
    parameters = layer_parameters(stack, z, filter=options.doFilter, filterListName=options.filterListName)
    tiles = parameters["tileSpecs"]
    if options.sortByClusterGroupId:
        tiles.sort(key=lambda tile: str(tile.get("groupId") or ""))
    bounds = np.array([[tile[side] for side in SIDES] for tile in tiles])
    cells = list(tiles_of_cells(bounds, options.width, options.height))
    roots = set(of_this_group(parents_of(cells, options.maxLevel), options))
    own = [(row, column) for row, column in cells if (row >> options.maxLevel, column >> options.maxLevel) in roots]
    if options.explainPlan or not own:
        logger.info("z %s: %d tiles, %d boxes at level 0, %d of them in this run", z, len(tiles), len(cells), len(own))
        return 0
    drawing = _Drawing(parameters, bounds, drawer, options)
    written = pyramid.write_layer(z, own, drawing.labels if options.label else drawing.pixels)
    if options.createIGrid and options.renderGroup == 1:
        pyramid.write_empty(drawing.nothing())
        pyramid.write_grid(z, cells)
    size = options.maxOverviewWidthAndHeight
    if size and (written or not pyramid.layout.overview(z).is_file()):
        extent = stack.get("bounds")
        overview = Overview((extent["maxX"], extent["maxY"]), size)
        if not pyramid.write_overview(z, cells, overview):
            logger.info("z %s: the overview is left to the render group that ends last", z)
    return written


class _Drawing:
    """Draws boxes of one layer, each with the tiles that it needs."""

    def __init__(
        self, parameters: Mapping[str, Any], bounds: NDArray[np.float64], drawer: Renderer, options: Any
    ) -> None:
        self._width, self._height = options.width, options.height
        self._parameters = {
            **parameters,
            "scale": 1.0,
            "width": self._width,
            "height": self._height,
            "skipInterpolation": options.skipInterpolation,
            "binaryMask": options.binaryMask,
        }
        self._tiles: list[TileSpec] = parameters["tileSpecs"]
        self._members = tiles_of_cells(bounds, self._width, self._height, _MARGIN)
        self._drawer = drawer
        self._output: Callable[[Any], Image] = gray if options.convertToGray else colours
        self._outlines: dict[int, NDArray[np.float64]] = {}

    def pixels(self, cell: Cell) -> Image:
        """Return the image of a box."""
        tiles = [self._tiles[index] for index in self._members[cell]]
        row, column = cell
        place = {"x": float(column * self._width), "y": float(row * self._height), "tileSpecs": tiles}
        return self._output(self._drawer.render({**self._parameters, **place}))

    def labels(self, cell: Cell) -> Image:
        """Return the image of a box in which each tile of the layer has a value of its own."""
        members = self._members[cell].tolist()
        origin = cell[0] * self._height, cell[1] * self._width
        labels = [index % _MOST_LABELS + 1 for index in members]
        return label_image([self._outline(index) for index in members], labels, origin, self._width, self._height)

    def nothing(self) -> Image:
        """Return the image of a box without tiles."""
        return self._output(self._drawer.render({**self._parameters, "x": 0.0, "y": 0.0, "tileSpecs": []}))

    def _outline(self, index: int) -> NDArray[np.float64]:
        if index not in self._outlines:
            tile = self._tiles[index]
            border = border_points(float(tile["width"]), float(tile["height"]), points_per_side=8)
            self._outlines[index] = tile_transform(tile).apply(border)
        return self._outlines[index]


CLIENT = Client(
    "Draws layers into boxes, ROOT/PROJECT/STACK/WIDTHxHEIGHT/LEVEL/Z/ROW/COLUMN.FORMAT.",
    _run,
    (
        *STACK_OPTIONS,
        *Z_OPTIONS,
        text("rootDirectory", "folder for the boxes", required=True),
        whole("width", "width of a box in pixels", required=True),
        whole("height", "height of a box in pixels", required=True),
        whole("maxLevel", "coarsest level; each has half of the scale of the one before", 0),
        image_format("png"),
        whole("maxOverviewWidthAndHeight", "longer side of the overview of each layer; none by default"),
        switch("convertToGray", "write gray images", True),
        flag("doFilter", "filter the tiles"),
        FILTER_LIST_OPTION,
        flag("skipInterpolation", "take the nearest pixel"),
        flag("binaryMask", "masks hide or show, nothing between"),
        flag("label", "give each tile of a layer one value of its own, in 16 bit, instead of its image"),
        flag("createIGrid", "write lists of the boxes of each layer"),
        flag("forceGeneration", "write files again that are there"),
        flag("sortByClusterGroupId", "draw tiles in the order of their groupId"),
        flag("explainPlan", "tell how many boxes there are, and draw none"),
        flag("validateLabelsOnly", "has no stand-in"),
        number("maxImageCacheGb", "gigabytes of tile images that are kept", 1.0),
        unused("cleanUpPriorRun", Takes.PERHAPS_TRUTH),
        *GROUP_OPTIONS,
    ),
    Rest("z", "z of the layers, as --z", a_number, required=False),
)
