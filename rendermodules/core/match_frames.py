"""The frame of point matches: between the image of a tile and the world.

Matches are in pixels of a tile after the first few of its transforms, its *local* ones, such as a lens correction.
The others place it in the world, and change with every alignment. Nothing in a match tells how many are local, so that
everybody who finds, maps or uses matches has to count the same way: along the flattened list of transforms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.estimation import EstimationError, composed, fitted_model, inverted
from rendermodules.core.sections import TileSpec, TransformSpec, transform_list
from rendermodules.core.transforms import (
    NotInvertibleError,
    SharedTransforms,
    TransformError,
    TransformList,
    flattened,
    parsed_transform,
)

LENS_LABEL = "lens"
"""Label of the transforms that correct a lens."""

_MOST_WITHOUT_LENS = 2
_POINTS_PER_SIDE = 8
_GRID_SIDE = 9
_SHARED_MARGIN = 0.1
_FEWEST_SHARED = 9


@dataclass(frozen=True)
class MatchFrame:
    """How the frame of a tile's matches lies between its image and the world.

    Attributes
    ----------
    width, height : float
        Size of the tile's image in pixels.
    local : TransformList
        From pixels of the image to the frame.
    placing : TransformList
        From the frame to the world.
    local_specs : list of dict
        The transforms of ``local``, flattened, as Render's JSON.
    """

    width: float
    height: float
    local: TransformList
    placing: TransformList
    local_specs: list[TransformSpec]

    @property
    def num_local_transforms(self) -> int:
        """How many transforms lead from the image to the frame."""
        return len(self.local_specs)

    @property
    def is_placed(self) -> bool:
        """Whether any transform leads from the frame to the world."""
        return bool(self.placing.parts)

    @property
    def box(self) -> NDArray[np.float64]:
        """Where the image lies in the frame, (2, 2): x, y of its low and its high corner."""
        # loads shapely, which those who only count transforms do not need
        from rendermodules.core.geometry import border_points

        border = self.local.apply(border_points(self.width, self.height, _POINTS_PER_SIDE))
        return np.array([border.min(axis=0), border.max(axis=0)])


def match_frame(
    tile: TileSpec, shared: SharedTransforms | None = None, num_local_transforms: int | None = None
) -> MatchFrame:
    """Return the frame of a tile's matches.

    Parameters
    ----------
    tile : dict
        A tile spec with ``width`` and ``height``.
    shared : mapping of str to dict, optional
        The shared transforms that it may refer to.
    num_local_transforms : int, optional
        How many of its transforms, lists and references taken apart, are local; 0 is the raw image. By default those
        of `transforms_for_matching`.

    Raises
    ------
    TransformError
        A transform cannot be understood, or the tile has fewer; the message names the tile.
    """
    try:
        specs = flattened(transform_list(tile), shared)
        count = len(transforms_for_matching(specs)) if num_local_transforms is None else num_local_transforms
        if count > len(specs):
            raise TransformError(f"has {len(specs)} transforms, of which {count} cannot be local")
        local, placing = (TransformList(map(parsed_transform, part)) for part in (specs[:count], specs[count:]))
    except TransformError as error:
        raise TransformError(f"tile {tile.get('tileId')}: {error}") from None
    return MatchFrame(float(tile["width"]), float(tile["height"]), local, placing, specs[:count])


def expected_place(p: MatchFrame, q: MatchFrame) -> NDArray[np.float64] | None:
    """Return where the frame of one tile lies in that of another, as both are placed in the world.

    Parameters
    ----------
    p, q : MatchFrame
        Of the two tiles.

    Returns
    -------
    (2, 3) float array or None
        From pixels of p to pixels of q: exact for affines, otherwise the affine that fits best where p lies on q. None
        when neither tile is placed by any transform, or the way from the world into q cannot be found.
    """
    if not p.is_placed and not q.is_placed:
        return None
    p_affine, q_affine = p.placing.affine, q.placing.affine
    try:
        if p_affine is not None and q_affine is not None:
            return composed(p_affine, inverted(q_affine))
        low, high = p.box
        steps = np.linspace(0, 1, _GRID_SIDE)
        grid = low + np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2) * (high - low)
        on_q = q.placing.inverse(p.placing.apply(grid))
        margin = _SHARED_MARGIN * (q.box[1] - q.box[0])
        shared = ((on_q >= q.box[0] - margin) & (on_q <= q.box[1] + margin)).all(axis=1)
        chosen = shared if shared.sum() >= _FEWEST_SHARED else np.ones(len(grid), dtype=bool)
        return fitted_model(grid[chosen], on_q[chosen], "AFFINE")
    except (NotInvertibleError, EstimationError):
        return None


def transforms_for_matching(specs: Sequence[TransformSpec]) -> list[TransformSpec]:
    """Return the transforms of a flat list that Render applies to a tile before it is matched.

    Up to the last one labelled ``lens``; without any, all but the last, and at most two.

    Notes
    -----
    Java: ``normalizeForMatching``.
    """
    lens = max((index + 1 for index, spec in enumerate(specs) if LENS_LABEL in transform_labels(spec)), default=0)
    return list(specs[:lens]) if lens else list(specs[:-1][:_MOST_WITHOUT_LENS])


def transform_labels(spec: Mapping[str, Any]) -> set[str]:
    """Return the labels of a transform."""
    return set((spec.get("metaData") or {}).get("labels") or ())
