"""Render parameters: the JSON that says which tiles to draw where, and how."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from rendermodules.core.match_frames import transform_labels, transforms_for_matching
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import InvalidRequest
from rendermodules.render_ws.models import MipmapPathBuilder
from rendermodules.render_ws.store.stacks import Stack

DEFAULT_MESH_CELL_SIZE = 64.0

_FILTER = "org.janelia.alignment.filter"

NAMED_FILTER_LISTS: Mapping[str, Sequence[Mapping[str, Any]]] = {
    "default": (
        {"className": f"{_FILTER}.ValueToNoise", "parameters": {"value": "0.0", "min": "64.0", "max": "191.0"}},
        {"className": f"{_FILTER}.ValueToNoise", "parameters": {"value": "255.0", "min": "64.0", "max": "191.0"}},
        {
            "className": f"{_FILTER}.NormalizeLocalContrast",
            "parameters": {
                "blockRadiusX": "500",
                "blockRadiusY": "500",
                "meanFactor": "3.0",
                "center": "true",
                "stretch": "true",
            },
        },
    ),
    "simpleTest": (
        {
            "className": f"{_FILTER}.CLAHE",
            "parameters": {"fast": "true", "blockRadius": "500", "bins": "256", "slope": "2.5"},
        },
    ),
}
"""Filters that a client may ask for by ``filterListName``."""


def render_parameters(
    box: tuple[float, float, int, int],
    scale: float,
    tiles: Iterable[Any],
    options: Mapping[str, Any],
) -> dict[str, Any]:
    """Return render parameters, members in Render's order.

    Parameters
    ----------
    box : tuple
        x, y, width, height of the canvas in world pixels.
    scale : float
        Pixels of the image per world pixel.
    tiles : iterable
        Tile specs in drawing order, dicts or JSON as bytes.
    options : mapping
        Members other than the defaults; None leaves one out.
    """
    x, y, width, height = box
    members = {
        "meshCellSize": DEFAULT_MESH_CELL_SIZE,
        "minMeshCellSize": 0.0,
        "x": float(x),
        "y": float(y),
        "width": width,
        "height": height,
        "scale": scale,
        "areaOffset": False,
        "minIntensity": None,
        "maxIntensity": None,
        "convertToGray": False,
        "quality": 0.85,
        "numberOfThreads": 1,
        "skipInterpolation": False,
        "binaryMask": False,
        "excludeMask": False,
        "doFilter": False,
        "filterSpecs": None,
        "addWarpFieldDebugOverlay": False,
        "fillWithNoise": False,
        "channels": None,
        "mipmapPathBuilder": None,
        **options,
        "tileSpecs": list(tiles),
        "minBoundsMeshCellSize": DEFAULT_MESH_CELL_SIZE,
    }
    return {name: value for name, value in members.items() if value is not None}


def asked_options(call: Call, stack: Stack) -> dict[str, Any]:
    """Return the members of render parameters that a query and the stack set.

    Raises
    ------
    InvalidRequest
        An unknown filter list, or channel weights that make no average.
    """
    options: dict[str, Any] = {
        "minIntensity": call.query_number("minIntensity"),
        "maxIntensity": call.query_number("maxIntensity"),
        "convertToGray": bool(call.flag("convertToGray")),
        "binaryMask": bool(call.flag("binaryMask")),
        "excludeMask": bool(call.flag("excludeMask")),
        "doFilter": bool(call.flag("filter")),
        "filterSpecs": _filter_specs(call.text("filterListName")),
        "fillWithNoise": bool(call.flag("fillWithNoise")),
        "channels": call.text("channels"),
        "mipmapPathBuilder": _builder(stack.version.mipmapPathBuilder),
    }
    if options["channels"] is None:
        options["channels"] = stack.version.defaultChannel
    require_weights(options["channels"])
    return options


def require_weights(channels: str | None) -> None:
    """Raise `InvalidRequest` when the weights of a channel expression are no numbers or add up to more than 1."""
    parts = (channels or "").split("__")
    if len(parts) < 2:
        return
    weights: dict[str, float] = {}
    for name, text in zip(parts[::2], parts[1::2], strict=False):
        try:
            weight = float(text)
        except ValueError as error:
            raise InvalidRequest(f"Channel {name} weight {text!r} is not a number.") from error
        if not weight >= 0 or sum(weights.values()) + weight > 1 + 1e-9:
            current = ", ".join(f"{name}={weight}" for name, weight in weights.items())
            raise InvalidRequest(
                f"Channel {name} weight {weight} is too large.  The sum of all weights must be less than or equal "
                f"to 1.0.  Current weights are: {{{current}}}"
            )
        weights[name] = weight


def excluded_transforms(call: Call, specs: Sequence[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Return the transforms that are left when a query excludes some of ``specs``, a flat list; None when it does not.

    Features are matched in images of tiles before they were placed: ``normalizeForMatching`` keeps the lens
    correction, or without one takes the last transform away and keeps at most two.

    ``numLocalTransforms`` keeps so many from the start; Java Render does not know it.

    ``excludeAllTransforms=false`` is the same as its absence, except in strict mode: there it keeps all
    transforms even if ``normalizeForMatching`` asks for their removal, as in Java Render.
    """
    count = None if call.strict else call.query_integer("numLocalTransforms")
    if count is not None:
        return list(specs[: max(count, 0)])
    exclude_all = call.flag("excludeAllTransforms")
    after_last, first_and_after = (
        set(call.texts("excludeTransformsAfterLast")),
        set(call.texts("excludeFirstTransformAndAllAfter")),
    )
    by_label = exclude_all or after_last or first_and_after or (call.strict and exclude_all is not None)
    if by_label:
        if exclude_all:
            return []
        end = len(specs)
        if after_last:
            end = max((index + 1 for index in range(end) if transform_labels(specs[index]) & after_last), default=end)
        kept = list(specs[:end])
        if first_and_after:
            end = min((index for index in range(end) if transform_labels(kept[index]) & first_and_after), default=end)
        return kept[:end]
    if not call.flag("normalizeForMatching"):
        return None
    return transforms_for_matching(specs)


def _builder(builder: MipmapPathBuilder | None) -> dict[str, Any] | None:
    members: dict[str, Any] = msgspec.to_builtins(builder)
    return members


def _filter_specs(name: str | None) -> Sequence[Mapping[str, Any]] | None:
    if name is None:
        return None
    if name not in NAMED_FILTER_LISTS:
        raise InvalidRequest(f"Filter list with name '{name}' not found.")
    return NAMED_FILTER_LISTS[name]
