"""The service described as an OpenAPI document, for programs that look for routes: ``GET /swagger.json``."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from rendermodules import __version__
from rendermodules.render_ws.coordinate_batches import Coordinates
from rendermodules.render_ws.models import (
    STATES,
    CanvasMatches,
    Cycle,
    HierarchicalData,
    MipmapPathBuilder,
    StackVersion,
    TrialParameters,
)
from rendermodules.render_ws.routing import PREFIX, M, Route, S
from rendermodules.render_ws.tile_specs import TileSpec

Schema = dict[str, Any]

NUMBER: Schema = {"type": "number"}
INTEGER: Schema = {"type": "integer"}
STRING: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}

PATH_TYPES: Mapping[str, Schema] = {
    **dict.fromkeys(("z", "x", "y", "scale", "minZ", "maxZ"), NUMBER),
    **dict.fromkeys(("width", "height", "level", "row", "column"), INTEGER),
    "state": {"type": "string", "enum": list(STATES)},
}
"""Types of the parts of paths; the others are text."""

_LAYERS: Mapping[str, Schema] = {"minZ": NUMBER, "maxZ": NUMBER}
_MERGED: Mapping[str, Schema] = {"mergeCollection": {"type": "array", "items": STRING}, "excludeMatchDetails": BOOLEAN}
_DRAWING: Mapping[str, Schema] = {
    **dict.fromkeys(("scale", "minIntensity", "maxIntensity"), NUMBER),
    **dict.fromkeys(("filter", "binaryMask", "excludeMask", "convertToGray", "fillWithNoise"), BOOLEAN),
    **dict.fromkeys(("filterListName", "channels"), STRING),
}
_TILE: Mapping[str, Schema] = {
    **dict.fromkeys(("x", "y", "width", "height"), INTEGER),
    **dict.fromkeys(("normalizeForMatching", "excludeAllTransforms"), BOOLEAN),
    **dict.fromkeys(
        ("excludeTransformsAfterLast", "excludeFirstTransformAndAllAfter"), {"type": "array", "items": STRING}
    ),
}
_MOST: Mapping[str, Schema] = {"maxTileSpecsToRender": INTEGER}

QUERIES: Sequence[tuple[str, Mapping[str, Schema]]] = (
    (r"GET .*/(zValues|sectionData|tileIds|resolvedTiles)$", _LAYERS),
    (r"GET .*/(tileIds|resolvedTiles)$", {"matchPattern": STRING}),
    (
        r"GET .*stack}/resolvedTiles$",
        {"groupId": STRING, **dict.fromkeys(("minX", "minY", "maxX", "maxY"), NUMBER)},
    ),
    (r"PUT .*/resolvedTiles$", {"deriveData": BOOLEAN}),
    (
        r"PUT .*/cloneTo/",
        {"z": {"type": "array", "items": NUMBER}, "toProject": STRING, "skipTransforms": BOOLEAN},
    ),
    (r"GET .*/matchCollection/", _MERGED),
    (r"GET .*/clusteredTileBoundsForCollection/", {"matchOwner": STRING}),
    (r"GET .*/mapped-to-stack/", {"toProject": STRING}),
    (r"GET .*/layoutFile$", {"format": {"type": "string", "enum": ["KARSH", "SCHEFFER"]}}),
    (r"PUT .*owner}/world-to-local-coordinates/", {"meshCellSize": NUMBER}),
    (r"GET .*(-image|render-parameters|largeDataTileSource.*|dvid.*/(jpg|png|tif))$", _DRAWING),
    (r"GET .*(-image|largeDataTileSource.*|dvid.*/(jpg|png|tif))$", _MOST),
    (r"GET .*tileId}/([a-z0-9]+-image|render-parameters)$", _TILE),
    (r"GET .*/withNeighbors/", {"widthFactor": NUMBER, "heightFactor": NUMBER}),
    (r"GET .*/small/", {"maxOverviewWidthAndHeight": INTEGER, "translateOrigin": BOOLEAN}),
)
"""Query parameters of the routes that match an expression."""

BODIES: Mapping[str, Any] = {
    f"POST {S}": StackVersion,
    f"PUT {S}/cloneTo/{{toStack}}": StackVersion,
    f"PUT {S}/stackId": dict[str, str],
    f"PUT {S}/cycle": Cycle,
    f"PUT {S}/resolutionValues": list[float],
    f"PUT {S}/mipmapPathBuilder": MipmapPathBuilder,
    f"PUT {S}/hierarchicalData": HierarchicalData,
    f"PUT {S}/resolvedTiles": TileSpec,
    f"PUT {S}/z/{{z}}/resolvedTiles": TileSpec,
    f"PUT {S}/tile-specs-with-ids": list[str],
    f"PUT {S}/z/{{z}}/tileIds": list[str],
    f"PUT {S}/section/{{sectionId}}/z": float,
    f"PUT {S}/z/{{z}}/world-to-local-coordinates": list[Coordinates],
    f"PUT {S}/world-to-local-coordinates": list[Coordinates],
    f"PUT {S}/z/{{z}}/local-to-world-coordinates": list[Coordinates],
    f"PUT {S}/local-to-world-coordinates": list[Coordinates],
    f"PUT {S}/z/{{z}}/tileIdsForCoordinates": list[Coordinates],
    f"PUT {S}/tileIdsForCoordinates": list[Coordinates],
    "PUT /owner/{owner}/local-to-world-coordinates/{x},{y}": TileSpec,
    "PUT /owner/{owner}/world-to-local-coordinates/{x},{y}": TileSpec,
    f"PUT {M}/matches": list[CanvasMatches],
    f"PUT {M}/collectionId": dict[str, str],
    "POST /owner/{owner}/matchTrial": TrialParameters,
    "PUT /owner/{owner}/validate-json/tile": TileSpec,
    "PUT /owner/{owner}/validate-json/tile-array": list[TileSpec],
}
"""Types of JSON bodies; tiles travel in an envelope, see `_request_body`. The others are objects."""


def openapi_document(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the OpenAPI 3.0 document of some routes."""
    kinds = list(dict.fromkeys(map(repr, BODIES.values())))
    by_name = {repr(kind): kind for kind in BODIES.values()}
    schemas, components = msgspec.json.schema_components(
        [by_name[kind] for kind in kinds], ref_template="#/components/schemas/{name}"
    )
    schema_of = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operation: dict[str, Any] = {
            "summary": (route.handler.__doc__ or "").strip().split("\n")[0],
            "operationId": re.sub(r"\W+", "_", f"{route.method} {route.path}").strip("_"),
            "parameters": [*_path_parameters(route), *_query_parameters(route)],
            "responses": _responses(route),
        }
        if route.consumes is not None:
            kind = repr(BODIES.get(f"{route.method} {route.path}"))
            operation["requestBody"] = _request_body(route, schema_of.get(kind, {"type": "object"}))
        paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.0.3",
        "info": {"title": "Render web service", "version": __version__},
        "paths": paths,
        "components": {"schemas": components},
    }


def _path_parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"\{(\w+)\}", route.path):
        yield {"name": name, "in": "path", "required": True, "schema": PATH_TYPES.get(name, STRING)}


def _query_parameters(route: Route) -> Iterator[dict[str, Any]]:
    found: dict[str, Any] = {}
    for expression, names in QUERIES:
        if re.match(expression, f"{route.method} {route.path}"):
            found |= names
    for name, schema in found.items():
        yield {"name": name, "in": "query", "schema": schema}


def _request_body(route: Route, schema: dict[str, Any]) -> dict[str, Any]:
    if route.path.endswith("/resolvedTiles"):
        schema = {
            "type": "object",
            "properties": {
                "transformIdToSpecMap": {"type": "object", "additionalProperties": {"type": "object"}},
                "tileIdToSpecMap": {"type": "object", "additionalProperties": schema},
            },
            "required": ["tileIdToSpecMap"],
        }
    content = (route.consumes or "").split(";")[0]
    return {"required": True, "content": {content: {"schema": STRING if content == "text/plain" else schema}}}


def _responses(route: Route) -> dict[str, Any]:
    content: dict[str, Any] = {route.produces.split(";")[0]: {}}
    error = {"description": "an error; the text says which", "content": {"text/plain": {"schema": STRING}}}
    return {"200": {"description": "success", "content": content}, "default": error}
