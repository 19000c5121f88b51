"""Render parameters: what is to be drawn, as Render's JSON, checked and completed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rendermodules.core.sections import TileSpec
from rendermodules.core.transforms import DEFAULT_MESH_CELL_SIZE


class RenderingError(ValueError):
    """Something that cannot be drawn; the message names what is wrong, and the tile where there is one."""


@dataclass(frozen=True)
class PathBuilder:
    """Where mipmaps are that tile specs do not list.

    Attributes
    ----------
    root : str
        Folder or URL of the mipmaps.
    levels : int
        The coarsest level that exists.
    extension : str
        Ending of the files.
    pattern : str, optional
        Regular expression with two groups, between which the level goes.
    """

    root: str
    levels: int
    extension: str
    pattern: str | None = None

    @classmethod
    def of(cls, spec: Mapping[str, Any] | None) -> "PathBuilder | None":
        """Return the builder of a ``mipmapPathBuilder``; None if there is none."""
        if not spec:
            return None
        if not isinstance(spec, Mapping):
            raise RenderingError(f"mipmapPathBuilder must be an object, not {spec!r}")
        levels = _number(spec, "numberOfLevels", 0)
        pattern = spec.get("imageMipmapPatternString")
        return cls(spec.get("rootPath") or "", int(levels), spec.get("extension") or "", pattern)


@dataclass(frozen=True)
class RenderParameters:
    """What is to be drawn. Names and defaults are Render's, in snake case.

    Attributes
    ----------
    x, y : float
        World position of the left and upper border, in world pixels.
    width, height : int
        Size in world pixels.
    scale : float
        Image pixels per world pixel.
    mesh_cell_size : float
        Side of the mesh cells in pixels of the tile images.
    min_mesh_cell_size : float
        Smallest side of a mesh cell in pixels of the result.
    min_intensity, max_intensity : float, optional
        Range shown black to white, instead of those of the tiles.
    channels : tuple of (str, float), optional
        Names and weights of the channels; the first channel of each tile if None, nothing at all if empty.
    tiles : list of dict
        Tile specs without references, in the order of drawing.
    """

    x: float = 0.0
    y: float = 0.0
    width: int = 256
    height: int = 256
    scale: float = 1.0
    mesh_cell_size: float = DEFAULT_MESH_CELL_SIZE
    min_mesh_cell_size: float = 0.0
    min_intensity: float | None = None
    max_intensity: float | None = None
    convert_to_gray: bool = False
    quality: float = 0.85
    skip_interpolation: bool = False
    binary_mask: bool = False
    exclude_mask: bool = False
    background: int | None = None
    fill_with_noise: bool = False
    channels: tuple[tuple[str, float], ...] | None = None
    filters: tuple[Mapping[str, Any], ...] = ()
    path_builder: PathBuilder | None = None
    tiles: tuple[TileSpec, ...] = ()

    @property
    def cell_size(self) -> float:
        """Side of the mesh cells in pixels of the tile images, both limits kept."""
        return max(self.mesh_cell_size, self.min_mesh_cell_size / self.scale)

    @property
    def has_background(self) -> bool:
        """Whether something is to be seen where no tile is."""
        return self.background is not None or self.fill_with_noise

    @property
    def canvas_size(self) -> tuple[int, int]:
        """Width and height that are drawn, rounded; up to one pixel more than is shown."""
        return int(self.width * self.scale + 0.5), int(self.height * self.scale + 0.5)

    @property
    def image_size(self) -> tuple[int, int]:
        """Width and height that are shown, rounded down."""
        return int(self.scale * self.width), int(self.scale * self.height)

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> "RenderParameters":
        """Return the parameters of Render's JSON; what it does not know is ignored, as Render does.

        Raises
        ------
        RenderingError
            A number is none or not positive where it must be, or the channels cannot be understood.
        """
        numbers: dict[str, Any] = {field: _number(spec, name, getattr(cls, field)) for name, field in _NUMBERS.items()}
        numbers |= {field: int(numbers[field]) for field in ("width", "height")}
        flags = {field: bool(spec.get(name)) for name, field in _FLAGS.items()}
        limits = {field: _number(spec, name, None) for name, field in _OPTIONAL.items()}
        background = _number(spec, "backgroundRGBColor", None)
        parameters = cls(
            **numbers,
            **flags,
            **limits,
            background=None if background is None else int(background),
            channels=parsed_channels(spec.get("channels")),
            filters=_filters(spec),
            path_builder=PathBuilder.of(spec.get("mipmapPathBuilder")),
            tiles=_objects(spec, "tileSpecs"),
        )
        if parameters.width <= 0 or parameters.height <= 0:
            raise RenderingError(f"width ({parameters.width}) and height ({parameters.height}) must be positive")
        if parameters.scale <= 0:
            raise RenderingError(f"scale ({parameters.scale}) must be positive")
        if parameters.mesh_cell_size <= 0:
            raise RenderingError(f"meshCellSize ({parameters.mesh_cell_size}) must be positive")
        return parameters


_NUMBERS = {
    "x": "x",
    "y": "y",
    "width": "width",
    "height": "height",
    "scale": "scale",
    "meshCellSize": "mesh_cell_size",
    "minMeshCellSize": "min_mesh_cell_size",
    "quality": "quality",
}
_FLAGS = {
    "convertToGray": "convert_to_gray",
    "skipInterpolation": "skip_interpolation",
    "binaryMask": "binary_mask",
    "excludeMask": "exclude_mask",
    "fillWithNoise": "fill_with_noise",
}
_OPTIONAL = {"minIntensity": "min_intensity", "maxIntensity": "max_intensity"}


def _number(spec: Mapping[str, Any], name: str, default: Any) -> Any:
    value = spec.get(name)
    if value is None:
        return default
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise RenderingError(f"{name} must be a number, not {value!r}") from None
    if not math.isfinite(number):
        raise RenderingError(f"{name} must be a finite number, not {value!r}")
    return number


def _objects(spec: Mapping[str, Any], name: str) -> tuple[dict[str, Any], ...]:
    objects = spec.get(name) or ()
    if not isinstance(objects, list | tuple) or not all(isinstance(part, Mapping) for part in objects):
        raise RenderingError(f"{name} must be a list of objects")
    return tuple(objects)


def parsed_channels(expression: str | None) -> tuple[tuple[str, float], ...] | None:
    """Return names and weights of a channel expression: ``A``, or ``A__0.7__B__0.3``.

    None stands for the first channel of each tile; an empty expression names no channel.

    Raises
    ------
    RenderingError
        A weight is missing, is no number, or all together are more than 1.
    """
    if expression is None:
        return None
    if not isinstance(expression, str):
        raise RenderingError(f"channels must be a text, not {expression!r}")
    parts = expression.split("__") if expression else []
    if len(parts) == 1:
        return ((parts[0], 1.0),)
    try:
        channels = tuple((name, float(weight)) for name, weight in zip(parts[::2], parts[1::2], strict=True))
    except ValueError:
        raise RenderingError(f"channels must be a name or name__weight__name__weight..., not {expression!r}") from None
    if sum(weight for _, weight in channels) > 1.0 + 1e-6:
        raise RenderingError(f"the weights of the channels {expression!r} are more than 1 together")
    return channels


def _filters(spec: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    if spec.get("filterSpecs") is None:
        return DEFAULT_FILTERS if spec.get("doFilter") else ()
    return _objects(spec, "filterSpecs")


def _filter(name: str, **parameters: object) -> Mapping[str, Any]:
    texts = {key: str(value).lower() for key, value in parameters.items()}
    return {"className": f"org.janelia.alignment.filter.{name}", "parameters": texts}


DEFAULT_FILTERS: tuple[Mapping[str, Any], ...] = (
    _filter("ValueToNoise", value=0.0, min=64.0, max=191.0),
    _filter("ValueToNoise", value=255.0, min=64.0, max=191.0),
    _filter("NormalizeLocalContrast", blockRadiusX=500, blockRadiusY=500, meanFactor=3.0, center=True, stretch=True),
)
"""What ``doFilter`` stands for."""
