"""Positions of tiles as text, for programs that know nothing of Render (Java: RenderDataService)."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import orjson

from rendermodules.io.paths import java_number
from rendermodules.render_ws.answers import TEXT, Answer, text_answer
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import InvalidRequest, UnparsableParameter
from rendermodules.render_ws.routes.render_data import selected_tiles
from rendermodules.render_ws.routing import Routes, S
from rendermodules.render_ws.store.stacks import Stack
from rendermodules.render_ws.store.tiles import Selection

routes = Routes()

_UNQUOTED = "~!$&'()*+,;=:@"

_AFFINE = "mpicbg.trakem2.transform.AffineModel2D"
_POLYNOMIAL = "mpicbg.trakem2.transform.PolynomialTransform2D"


@routes.get(f"{S}/layoutFile", produces=TEXT)
def stack_layout(call: Call) -> Answer:
    """Answer the positions of all tiles."""
    return _layout(call, Selection())


@routes.get(f"{S}/z/{{z}}/layoutFile", produces=TEXT)
def layer_layout(call: Call) -> Answer:
    """Answer the positions of the tiles of a layer."""
    return _layout(call, Selection(z=call.number("z")))


@routes.get(f"{S}/zRange/{{minZ}},{{maxZ}}/layoutFile", produces=TEXT)
def range_layout(call: Call) -> Answer:
    """Answer the positions of the tiles of some layers."""
    return _layout(call, Selection(minimum_z=call.number("minZ"), maximum_z=call.number("maxZ")))


def _layout(call: Call, selection: Selection) -> Answer:
    kind = call.text("format") or "KARSH"
    if kind not in ("KARSH", "SCHEFFER"):
        raise UnparsableParameter(f"format must be KARSH or SCHEFFER, but it is {kind[:100]!r}")
    with call.reading_stack() as (database, stack):
        specs = [orjson.loads(tile.document) for tile in selected_tiles(call, database, stack, selection)]
    if not specs:
        return text_answer("")
    if kind == "KARSH":
        specs.sort(key=lambda spec: (spec["z"], spec["minY"], spec["minX"]))
        owner, project, name = map(quote, stack.id)
        address = f"{call.base_url}/owner/{owner}/project/{project}/stack/{name}"
        return text_answer("".join(_karsh_line(spec, address) for spec in specs))
    specs.sort(key=lambda spec: (spec["z"], spec["tileId"]))
    return text_answer(_box_line(stack) + "".join(map(_scheffer_line, specs)))


def _karsh_line(spec: dict[str, Any], address: str) -> str:
    layout = spec.get("layout") or {}
    affine = _affine(spec)
    numbers: Sequence[str | None] | None = _texts(affine) if affine else _polynomial(spec)
    if numbers is None:
        numbers = ["1.0", "0.0", _number(layout.get("stageX")), "0.0", "1.0", _number(layout.get("stageY"))]
    fields = [
        layout.get("sectionId"),
        spec["tileId"],
        *numbers,
        layout.get("imageCol"),
        layout.get("imageRow"),
        layout.get("camera"),
        _image_path(spec),
        layout.get("temca"),
        _number(layout.get("rotation")),
        _number(spec["z"]),
        f"{address}/tile/{quote(spec['tileId'], safe=_UNQUOTED)}/render-parameters",
    ]
    return "\t".join("null" if field is None else str(field) for field in fields) + "\n"


def _scheffer_line(spec: dict[str, Any]) -> str:
    affine = _affine(spec)
    numbers = " ".join(_texts(affine)) if affine else "null"
    width, height = (int(spec.get(side) or 0) for side in ("width", "height"))
    return f"TRANSFORM '{_image_path(spec)}' {numbers} {width} {height}\n"


def _box_line(stack: Stack) -> str:
    if stack.stats is None:
        raise InvalidRequest(f"Stats for {stack.id} have not been stored; set its state to COMPLETE")
    box = orjson.loads(stack.stats)["stackBounds"]
    sides = (box["minX"], box["minY"], box["maxX"] - box["minX"], box["maxY"] - box["minY"])
    return f"BBOX {' '.join(map(java_number, sides))}\n"


def _last_transform(spec: dict[str, Any]) -> dict[str, Any]:
    transforms: list[dict[str, Any]] = spec["transforms"].get("specList") or [{}]
    return transforms[-1]


def _affine(spec: dict[str, Any]) -> list[float] | None:
    """Return the last transform in the order of rows, when it is an affine."""
    last = _last_transform(spec)
    if last.get("className") != _AFFINE:
        return None
    m00, m10, m01, m11, m02, m12 = map(float, last["dataString"].split())
    return [m00, m01, m02, m10, m11, m12]


def _polynomial(spec: dict[str, Any]) -> list[str] | None:
    last = _last_transform(spec)
    if last.get("className") != _POLYNOMIAL:
        return None
    numbers = last["dataString"].split()
    return [str(len(numbers)), *numbers]


def _texts(numbers: list[float]) -> list[str]:
    return [java_number(number) for number in numbers]


def _number(value: float | None) -> str | None:
    return None if value is None else java_number(value)


def _image_path(spec: dict[str, Any]) -> str | None:
    levels = spec.get("mipmapLevels") or next(iter(spec.get("channels") or [{}])).get("mipmapLevels") or {}
    first = levels.get(min(levels, key=int)) if levels else None
    url = (first or {}).get("imageUrl")
    if url is None:
        return None
    _, scheme, path = str(url).partition("file:")
    return "/" + path.lstrip("/") if scheme and not _ else str(url)
