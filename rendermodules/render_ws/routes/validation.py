"""Checks of JSON that a client is about to send (Java: SpecValidationService)."""

from collections.abc import Callable
from typing import Any

from rendermodules.render_ws.answers import TEXT, Answer, text_answer
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import InvalidRequest
from rendermodules.render_ws.models import decoded
from rendermodules.render_ws.routing import Routes

routes = Routes()

_SPEC = "org.janelia.alignment.spec"

Documents = dict[str, Any] | list[dict[str, Any]]


@routes.put("/owner/{owner}/validate-json/tile", produces=TEXT)
def tile(call: Call) -> Answer:
    """Answer whether the body is a tile spec that can be rendered."""
    return _checked(call, f"{_SPEC}.TileSpec instance", dict[str, Any], _require_tile, lambda tile: tile.get("tileId"))


@routes.put("/owner/{owner}/validate-json/tile-array", produces=TEXT)
def tiles(call: Call) -> Answer:
    """Answer whether the body is a list of tile specs that can be rendered."""

    def check(call: Call, tiles: list[dict[str, Any]]) -> None:
        for tile in tiles:
            _require_tile(call, tile)

    name = f"array of {_SPEC}.TileSpec instances"
    return _checked(call, name, list[dict[str, Any]], check, lambda tiles: f"array of {len(tiles)} tile specifications")


@routes.put("/owner/{owner}/validate-json/transform", produces=TEXT)
def transform(call: Call) -> Answer:
    """Answer whether the body is a transform that can be understood."""
    name = f"{_SPEC}.TransformSpec instance"
    return _checked(call, name, dict[str, Any], _require_transform, _transform_text)


@routes.put("/owner/{owner}/validate-json/transform-array", produces=TEXT)
def transforms(call: Call) -> Answer:
    """Answer whether the body is a list of transforms that can be understood."""

    def check(call: Call, specs: list[dict[str, Any]]) -> None:
        for spec in specs:
            _require_transform(call, spec)

    name = f"array of {_SPEC}.TransformSpec instances"
    return _checked(
        call, name, list[dict[str, Any]], check, lambda specs: f"array of {len(specs)} transform specifications"
    )


@routes.put("/owner/{owner}/validate-json/render", produces=TEXT)
def parameters(call: Call) -> Answer:
    """Answer whether the body is render parameters that can be drawn."""

    def check(call: Call, parameters: dict[str, Any]) -> None:
        for tile in parameters.get("tileSpecs") or ():
            _require_tile(call, tile)

    def text(parameters: dict[str, Any]) -> str:
        tiles, width, height = (parameters.get(name) for name in ("tileSpecs", "width", "height"))
        return f"{{tileSpecs=[{len(tiles or ())} items], width={width}, height={height}}}"

    return _checked(call, "org.janelia.alignment.RenderParameters instance", dict[str, Any], check, text)


def _checked(
    call: Call, name: str, type: Any, check: Callable[[Call, Any], None], text: Callable[[Any], str | None]
) -> Answer:
    try:
        value = decoded(call.body, type)
        check(call, value)
    except InvalidRequest as error:
        raise InvalidRequest(f"Failed to parse {name} from JSON text.  Specific error is: {error}\n") from error
    return text_answer(f"Successfully parsed {name} from JSON text.  Parsed value is: {text(value)}.\n")


def _require_tile(call: Call, tile: dict[str, Any]) -> None:
    from rendermodules.render_ws.validation import require_valid_tile

    require_valid_tile(tile, call.read_policy)


def _require_transform(call: Call, spec: dict[str, Any]) -> None:
    from rendermodules.render_ws.validation import require_valid_transform

    require_valid_transform(spec)


def _transform_text(spec: dict[str, Any]) -> str:
    kind = spec.get("type", "leaf")
    names = {"leaf": "LeafTransformSpec", "list": "ListTransformSpec", "ref": "ReferenceTransformSpec"}
    return f"{_SPEC}.{names.get(kind, 'InterpolatedTransformSpec')}@{abs(hash(str(spec))) & 0xFFFFFFF:x}"
