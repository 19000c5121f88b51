"""The tiles of point matches: from the pixels in which matches are to the world."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from rendermodules.core.pointmatches import PointMatches
from rendermodules.module.render_module import worker_connection
from rendermodules.module.tile_queries import tiles_with_ids

if TYPE_CHECKING:
    from rendermodules.core.match_frames import MatchFrame


def match_frames(
    matches: Iterable[PointMatches], connection: Mapping[str, Any], stack: str, num_local_transforms: int | None
) -> "dict[str, MatchFrame]":
    """Return the frames of the tiles of matches by tile id; tiles that the stack does not have are left out.

    Parameters
    ----------
    matches : iterable of PointMatches
    connection : dict
        To Render, as a worker gets it.
    stack : str
        The stack with the tiles.
    num_local_transforms : int, optional
        See `rendermodules.core.match_frames.match_frame`.
    """
    from rendermodules.core.match_frames import match_frame

    ids = {tile_id for one in matches for tile_id in (one.p_tile_id, one.q_tile_id)}
    tiles = tiles_with_ids(worker_connection(connection), stack, ids)
    return {name: match_frame(tiles[name], None, num_local_transforms) for name in tiles}
