"""Filters of images, as Render and ImageJ define them.

Every filter takes an image, ``(rows, columns)`` of uint8, uint16 or float, or ``(rows, columns, 3)`` of uint8, and
returns a new one of the same shape and type; colours are filtered each alone.
"""

from rendermodules.core.filters.clahe import contrast_limited
from rendermodules.core.filters.histogram import histogram_equalized
from rendermodules.core.filters.local_contrast import local_contrast_normalized
from rendermodules.core.filters.noise import value_replaced_by_noise
from rendermodules.core.filters.rank import RANK_TYPES, rank_filtered
from rendermodules.core.filters.rolling_ball import rolling_ball_subtracted

__all__ = [
    "RANK_TYPES",
    "contrast_limited",
    "histogram_equalized",
    "local_contrast_normalized",
    "rank_filtered",
    "rolling_ball_subtracted",
    "value_replaced_by_noise",
]
