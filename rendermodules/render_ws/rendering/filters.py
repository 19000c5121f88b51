"""Filter specs of render parameters: Java class names and texts to filters and numbers."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from rendermodules.core import filters

Image = NDArray[Any]

PACKAGE = "org.janelia.alignment.filter."


class FilterError(ValueError):
    """A filter spec that cannot be understood."""


class _Values:
    """The parameters of one filter, read by name.

    Radii are in pixels of the full-scale image and come as pixels of the mipmap.
    """

    def __init__(self, spec: Mapping[str, Any], level: int, seed: int) -> None:
        self.seed = seed
        self.name = str(spec.get("className"))
        self._texts: Mapping[str, Any] = spec.get("parameters") or {}
        self._factor = 1.0 / (1 << level)

    def number(self, name: str) -> float:
        """Return a number."""
        if self._texts.get(name) is None:
            raise FilterError(f"the filter {self.name} has no parameter {name!r}")
        try:
            return float(self._texts[name])
        except ValueError:
            raise FilterError(f"the parameter {name} of {self.name} is no number: {self._texts[name]!r}") from None

    def radius(self, name: str) -> int:
        """Return a radius, rounded."""
        return math.floor(self.number(name) * self._factor + 0.5)

    def flag(self, name: str) -> bool:
        """Return whether a parameter is ``true``."""
        if self._texts.get(name) is None:
            raise FilterError(f"the filter {self.name} has no parameter {name!r}")
        return str(self._texts[name]).lower() == "true"


def _local_contrast(image: Image, values: _Values, low: float, high: float) -> Image:
    radii = values.radius("blockRadiusX"), values.radius("blockRadiusY")
    how = values.flag("center"), values.flag("stretch")
    return filters.local_contrast_normalized(image, *radii, values.number("meanFactor"), *how, low, high)


def _clahe(image: Image, values: _Values, low: float, high: float) -> Image:
    bins = int(values.number("bins"))
    if bins < 1:
        raise FilterError(f"bins of {values.name} must be positive")
    radius = values.radius("blockRadius")
    return filters.contrast_limited(image, values.flag("fast"), radius, bins, values.number("slope"), low, high)


def _equalize(image: Image, values: _Values, low: float, high: float) -> Image:
    return filters.histogram_equalized(image)


def _rank(image: Image, values: _Values, low: float, high: float) -> Image:
    number = int(values.number("filterType"))
    if not 0 <= number < len(filters.RANK_TYPES):
        raise FilterError(f"filterType of {values.name} must be 0 to {len(filters.RANK_TYPES) - 1}, not {number}")
    return filters.rank_filtered(image, values.radius("radius"), filters.RANK_TYPES[number])


def _rolling_ball(image: Image, values: _Values, low: float, high: float) -> Image:
    return filters.rolling_ball_subtracted(image, values.radius("radius"))


def _noise(image: Image, values: _Values, low: float, high: float) -> Image:
    limits = values.number("min"), values.number("max")
    return filters.value_replaced_by_noise(image, values.number("value"), *limits, values.seed)


FILTERS: Mapping[str, Callable[[Image, _Values, float, float], Image]] = {
    "NormalizeLocalContrast": _local_contrast,
    "CLAHE": _clahe,
    "EqualizeHistogram": _equalize,
    "Rank": _rank,
    "RollingBallSubtraction": _rolling_ball,
    "ValueToNoise": _noise,
}
"""Filter of each Java class, named without its package."""


def filtered(
    image: Image, specs: Sequence[Mapping[str, Any]], level: int, low: float, high: float, seed: int = 0
) -> Image:
    """Return an image with filters applied one after the other.

    Parameters
    ----------
    image : array
        A mipmap of a tile.
    specs : sequence of dict
        Render's ``filterSpecs``.
    level : int
        Mipmap level; radii are of the full-scale image.
    low, high : float
        Range of the tile.
    seed : int, default: 0
        Of noise. Images that are compared need different ones: noise that they share would pass for tissue.

    Raises
    ------
    FilterError
        A class is not known, or a parameter is missing.
    """
    for index, spec in enumerate(specs):
        values = _Values(spec, level, seed + index)
        name = values.name.removeprefix(PACKAGE)
        if name not in FILTERS:
            raise FilterError(f"the filter {values.name} is not known, only {', '.join(FILTERS)}")
        image = FILTERS[name](image, values, low, high)
    return image
