"""Pictures that Render draws, as arrays."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from renderapi.render import Render

from rendermodules.core.depths import luminance
from rendermodules.module.stacks import check_answer, stack_url


def box_image(
    render: Render,
    stack: str,
    z: float,
    x: float,
    y: float,
    width: int,
    height: int,
    *,
    scale: float = 1.0,
    dtype: str = "uint8",
    channel: str | None = None,
    min_intensity: float | None = None,
    max_intensity: float | None = None,
    filtered: bool = False,
    filter_list_name: str | None = None,
    fill_with_noise: bool = False,
) -> NDArray[Any]:
    """Return what a stack shows in a box, in grey.

    Unlike ``renderapi.image.get_bb_image`` it keeps the fraction of z and raises when Render refuses.

    Parameters
    ----------
    render : Render
        Connection.
    stack : str
        The stack.
    z : float
        The section.
    x, y : float
        Left and upper edge of the box in world pixels.
    width, height : int
        Its size in world pixels.
    scale : float, default: 1.0
        Pixels of the picture per world pixel.
    dtype : {"uint8", "uint16"}
        8 bit: grey values between the minimum and the maximum intensity are spread over 0 to 255.
        16 bit: the values of the images.
    channel : str, optional
        A channel's name; by default the stack's default or the first.
    min_intensity, max_intensity : float, optional
        By default those of the tiles. Without effect on 16 bit.
    filtered : bool, default: False
        Even out the images' contrast by Render's own filters, or those of the list that is named.
    filter_list_name : str, optional
        List of filters of the Render server.
    fill_with_noise : bool, default: False
        Noise instead of 0 where there is no tile.

    Returns
    -------
    (rows, columns) array
        ``int(height * scale)`` by ``int(width * scale)``; 0 where there is no tile. Of colour images the mean of
        red, green and blue.
    """
    route = "tiff16-image" if dtype == "uint16" else "tiff-image"
    url = stack_url(render, stack, f"/z/{float(z)!r}/box/{x},{y},{width},{height},{scale!r}/{route}")
    query: dict[str, Any] = {
        "channels": channel,
        "minIntensity": min_intensity,
        "maxIntensity": max_intensity,
        "filter": "true" if filtered else None,
        "filterListName": filter_list_name,
        "fillWithNoise": "true" if fill_with_noise else None,
    }
    response = render.session.get(url, params={key: value for key, value in query.items() if value is not None})
    check_answer(response, f"{stack} at z={z}", doing="drawing")
    import tifffile

    picture = tifffile.imread(io.BytesIO(response.content))
    return np.ascontiguousarray(_grey(picture)).astype(dtype, copy=False)


def _grey(picture: NDArray[Any]) -> NDArray[Any]:
    # the route of 8 bit answers in colours even where the images have none
    if picture.ndim == 2 or all(np.array_equal(picture[..., 0], picture[..., colour]) for colour in (1, 2)):
        return picture if picture.ndim == 2 else picture[..., 0]
    return luminance(picture)
