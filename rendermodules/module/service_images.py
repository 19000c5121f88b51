"""Images of tiles that the Render service draws, as they are matched."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np
import orjson
from numpy.typing import NDArray
from renderapi.render import Render, format_baseurl

from rendermodules.core.geometry import border_points
from rendermodules.core.match_frames import MatchFrame
from rendermodules.core.sections import TileSpec
from rendermodules.core.tile_matching import TileImage
from rendermodules.io.image_cache import BytesBoundedCache
from rendermodules.io.images import ImageError
from rendermodules.io.tile_images import TileImageOptions, fine_mesh_cell_size, pyramid_of_channel
from rendermodules.module.render_module import worker_connection

_POINTS_PER_SIDE = 32
_OF_THE_WORLD = ("minX", "minY", "maxX", "maxY")


class ServiceTileImages:
    """Gives images of tiles from the Render service in 8 bit, and keeps them as long as they fit.

    Parameters
    ----------
    connection : dict
        To the service, as in ``RenderClientParameters``.
    options : TileImageOptions
    max_bytes : int
        What the kept images may take.
    """

    def __init__(self, connection: Mapping[str, Any], options: TileImageOptions, max_bytes: int) -> None:
        self.options = options
        self._connection = connection
        self._kept: BytesBoundedCache[TileImage] = BytesBoundedCache(max_bytes)

    def __call__(self, tile: TileSpec, frame: MatchFrame) -> TileImage:
        """Return the image of a tile.

        Raises
        ------
        ImageError
            Render refuses to draw it; the message names the tile and says why.
        """
        body = orjson.dumps(self._render_parameters(tile, frame))
        return self._kept.value(body, lambda: self._drawn(tile, frame, body), lambda image: image.nbytes)

    def _render_parameters(self, tile: TileSpec, frame: MatchFrame) -> dict[str, Any]:
        (x, y), (past_x, past_y) = _box(frame)
        spec = {key: value for key, value in tile.items() if key not in _OF_THE_WORLD}
        if tile.get("channels"):
            # Render draws the first
            spec["channels"] = [pyramid_of_channel(tile, self.options.channel)]
        return {
            "x": float(x),
            "y": float(y),
            "width": int(past_x - x),
            "height": int(past_y - y),
            "scale": self.options.scale,
            "meshCellSize": fine_mesh_cell_size(frame),
            "excludeMask": not self.options.masked,
            "doFilter": self.options.filtered,
            "tileSpecs": [{**spec, "transforms": {"type": "list", "specList": frame.local_specs}}],
        }

    def _drawn(self, tile: TileSpec, frame: MatchFrame, body: bytes) -> TileImage:
        render: Render = worker_connection(self._connection)
        url = f"{format_baseurl(render.DEFAULT_HOST, render.DEFAULT_PORT)}/owner/{quote(render.DEFAULT_OWNER, safe='')}"
        response = render.session.put(
            f"{url}/png-image", data=body, headers={"Content-Type": "application/json", "Accept": "image/png"}
        )
        if response.status_code >= 400:
            reason = f"{response.status_code}: {response.text[:300].strip()}"
            raise ImageError(f"tile {tile['tileId']}: Render did not draw it, {reason}")
        picture = cv2.imdecode(np.frombuffer(response.content, np.uint8), cv2.IMREAD_UNCHANGED)
        if picture is None:
            raise ImageError(f"tile {tile['tileId']}: what Render drew is no PNG image")
        pixels = picture if picture.ndim == 2 else np.ascontiguousarray(picture[..., 0])
        mask = _covered(frame, pixels.shape, self.options.scale)
        if picture.ndim == 3 and picture.shape[2] == 4:
            mask &= np.where(picture[..., 3] == 255, 255, 0).astype(np.uint8)
        (x, y), _ = _box(frame)
        step = 1 / self.options.scale
        to_frame = np.array([[step, 0.0, x], [0.0, step, y]])
        return TileImage(pixels, mask, to_frame, body)


def _box(frame: MatchFrame) -> NDArray[np.float64]:
    """Return low and high corner of what is drawn, whole pixels of the frame."""
    return np.array([np.floor(frame.box[0]), np.ceil(frame.box[1])])


def _covered(frame: MatchFrame, shape: tuple[int, int], scale: float) -> NDArray[np.uint8]:
    """Return where the tile lies on the picture; beyond it Render leaves black."""
    border = frame.local.apply(border_points(frame.width, frame.height, _POINTS_PER_SIDE))
    corners = np.rint((border - _box(frame)[0]) * scale).astype(np.int32)
    covered = np.zeros(shape, dtype=np.uint8)
    cv2.fillPoly(covered, [corners], 255)
    # of the outermost pixels some are drawn half or not at all
    return cv2.erode(covered, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0).astype(np.uint8)
