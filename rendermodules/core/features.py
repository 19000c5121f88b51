"""Scale-invariant features with the parameters that Render's matching has.

OpenCV's SIFT always doubles its input and knows one size of descriptor. Here octaves begin and end where Render's
``SIFTminScale`` and ``SIFTmaxScale`` say, nothing is doubled, and descriptors have ``SIFTfdSize`` cells a side.
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from rendermodules.core import feature_kernels
from rendermodules.core.correlation import Floats, Image
from rendermodules.core.pointmatches import RelativePosition

_INITIAL_SIGMA = 1.6
_IMAGE_SIGMA = 0.5
_CONTRAST = 0.008
_EDGE_RATIO = 10.0
_DIRECTIONS = 8
_SAMPLES_PER_CELL = 4
_CELL_SIGMAS = 3.0
_SMALLEST_OCTAVE = 8
_SAMPLED_SIDE = 512
_RANGE = (0.1, 99.9)


@dataclass(frozen=True)
class SiftParameters:
    """Render's feature parameters without their prefix ``SIFT``.

    Attributes
    ----------
    fd_size : int
        Cells along each side of a descriptor; 4 is Lowe's, 8 covers twice the width.
    min_scale, max_scale : float
        Smallest and largest size of the octaves relative to the image, 0 to 1.
    steps : int
        Scales per octave.
    """

    fd_size: int
    min_scale: float
    max_scale: float
    steps: int

    def __post_init__(self) -> None:
        if self.fd_size < 1 or self.steps < 1:
            raise ValueError(f"fd_size {self.fd_size} and steps {self.steps} have to be at least 1")
        if not 0 <= self.min_scale <= self.max_scale <= 1:
            raise ValueError(
                f"min_scale {self.min_scale} and max_scale {self.max_scale} are not in order within 0 to 1"
            )

    @property
    def descriptor_length(self) -> int:
        """How many numbers a descriptor has."""
        return _DIRECTIONS * self.fd_size**2


@dataclass(frozen=True)
class Features:
    """Features of one image.

    Attributes
    ----------
    points : (n, 2) float array
        Columns x, y, in pixels. A point comes up repeatedly when it has several orientations.
    scales : (n,) float array
        Standard deviation of the blob, in pixels.
    orientations : (n,) float array
        Direction of the steepest ascent, in radians, from x towards y.
    descriptors : (n, 8 * fd_size**2) float32 array
        Square roots of shares of 1, so that the distance of two descriptors is the Hellinger distance.
    """

    points: NDArray[np.float64]
    scales: NDArray[np.float64]
    orientations: NDArray[np.float64]
    descriptors: Floats

    def __len__(self) -> int:
        return len(self.scales)


def sift_features(image: Image, parameters: SiftParameters, mask: Image | None = None) -> Features:
    """Return the features of a gray image.

    Parameters
    ----------
    image : (rows, columns) array
        Any type. Contrast is judged relative to 255 for 8 bit and to the range of nearly all pixels otherwise; pixels
        that are not finite count as masked.
    parameters : SiftParameters
        Size of descriptors and range of scales.
    mask : (rows, columns) array, optional
        Features on pixels where it is 0 are left out.

    Returns
    -------
    Features
        From the finest octave to the coarsest; none for an image without structure or of less than 8 pixels.
        Memory: about 50 bytes per pixel.

    Notes
    -----
    Java: mpicbg's FloatArray2DSIFT, whose octaves, scales and number of features these follow.

    References
    ----------
    .. [1] Lowe, "Distinctive image features from scale-invariant keypoints", International Journal of Computer Vision
       60 (2004). :DOI:`10.1023/B:VISI.0000029664.99615.94`
    .. [2] Arandjelović, Zisserman, "Three things everyone should know to improve object retrieval", IEEE Conference on
       Computer Vision and Pattern Recognition (2012), for the square roots. :DOI:`10.1109/CVPR.2012.6248018`
    """
    if image.ndim != 2:
        raise ValueError(f"features need a gray image, not one of shape {image.shape}")
    rows, columns = image.shape
    usable = np.isfinite(image)
    if mask is not None:
        usable &= mask != 0
    reduction, octaves = octave_range((rows, columns), parameters)
    parts = []
    if octaves:
        pixels = _normalised(image)
        size = (max(round(columns * reduction), 1), max(round(rows * reduction), 1))
        pixels = _reduced(pixels, size)
        parts = _features_of_octaves(pixels, octaves, parameters)
        parts = [(_enlarged(geometry, (columns / size[0], rows / size[1])), described) for geometry, described in parts]
    geometry = np.concatenate([part[0] for part in parts] + [np.empty((0, 4))])
    descriptors = np.concatenate(
        [part[1] for part in parts] + [np.empty((0, parameters.descriptor_length), np.float32)]
    )
    x, y = np.clip(np.rint(geometry[:, :2]).astype(int), 0, [columns - 1, rows - 1]).T
    kept = usable[y, x]
    geometry, descriptors = geometry[kept], descriptors[kept]
    return Features(geometry[:, :2], geometry[:, 2], geometry[:, 3], descriptors)


def clipped_features(
    image: Image, parameters: SiftParameters, box: NDArray[np.intp], mask: Image | None = None
) -> Features:
    """Return the features of a part of an image, in pixels of the whole.

    Parameters
    ----------
    image : (rows, columns) array
        Gray.
    parameters : SiftParameters
        Their scales are relative to the part.
    box : (2, 2) int array
        x, y of the part's first pixel and past its last.
    mask : (rows, columns) array, optional
        Features where it is 0 are left out.
    """
    (x, y), (past_x, past_y) = box
    part = np.s_[y:past_y, x:past_x]
    found = sift_features(image[part], parameters, None if mask is None else mask[part])
    return replace(found, points=found.points + box[0])


def facing_strip(
    shape: tuple[int, int], position: RelativePosition, clip_width: int | None, clip_height: int | None
) -> NDArray[np.intp]:
    """Return the part of a tile that faces its partner, as x, y of its first pixel and past its last.

    Parameters
    ----------
    shape : (rows, columns)
        Of the tile.
    position : str
        Where the tile lies in the pair: the strip of the "LEFT" one is at its right.
    clip_width, clip_height : int, optional
        Width of the strip of left and right, height of that of top and bottom tiles; all of the tile if absent.

    Notes
    -----
    Java: Render's ``clipWidth`` and ``clipHeight``.
    """
    rows, columns = shape
    first, past = np.zeros(2, dtype=np.intp), np.array([columns, rows], dtype=np.intp)
    axis = 0 if position in ("LEFT", "RIGHT") else 1
    clip = (clip_width, clip_height)[axis]
    if clip is not None and clip < past[axis]:
        if position in ("LEFT", "TOP"):
            first[axis] = past[axis] - clip
        else:
            past[axis] = clip
    return np.array([first, past])


def octave_range(shape: tuple[int, int], parameters: SiftParameters) -> tuple[float, int]:
    """Return by how much an image is scaled before the first octave, and how many octaves there are.

    Notes
    -----
    Java: the first octave has at most ``round(max_scale * longer side) - 1`` pixels, each next one half the side, and
    the last one more than ``int(min_scale * shorter side - 1)``.
    """
    shorter, longer = min(shape), max(shape)
    if shorter < 1:
        return 1.0, 0
    smallest = max(int(parameters.min_scale * shorter - 1), _SMALLEST_OCTAVE)
    reduction = min(1.0, (round(parameters.max_scale * longer) - 1) / longer)
    octaves = 0
    while shorter * reduction / 2**octaves > smallest:
        octaves += 1
    return reduction, octaves


def _normalised(image: Image) -> Floats:
    """Return the image with the range from black to white as 1; what is not finite is 0."""
    pixels = image.astype(np.float32)
    pixels[~np.isfinite(pixels)] = 0
    if image.dtype == np.uint8:
        return pixels / np.float32(255)
    # cameras of 16 bit use a part of their range, and have hot pixels
    sample = pixels[:: max(image.shape[0] // _SAMPLED_SIDE, 1), :: max(image.shape[1] // _SAMPLED_SIDE, 1)]
    black, white = np.percentile(sample, _RANGE) if sample.size else (0.0, 0.0)
    return pixels / np.float32(white - black) if white > black else pixels


def _reduced(pixels: Floats, size: tuple[int, int]) -> Floats:
    """Return the image at a smaller size (columns, rows), as blurred in its pixels as it was before."""
    rows, columns = pixels.shape
    if size == (columns, rows):
        return pixels
    step = np.array([columns / size[0], rows / size[1]])
    blur = _IMAGE_SIGMA * np.sqrt(np.maximum(step**2 - 1, 1e-6))
    pixels = cv2.GaussianBlur(pixels, (0, 0), float(blur[0]), sigmaY=float(blur[1]))
    matrix = np.array([[step[0], 0, (step[0] - 1) / 2], [0, step[1], (step[1] - 1) / 2]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(pixels, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)


def _enlarged(geometry: NDArray[np.float64], step: tuple[float, float]) -> NDArray[np.float64]:
    """Return columns x, y, scale, orientation of the reduced image in pixels of the original."""
    points = (geometry[:, :2] + 0.5) * step - 0.5
    return np.column_stack([points, geometry[:, 2] * step[0], geometry[:, 3]])


def _features_of_octaves(
    pixels: Floats, octaves: int, parameters: SiftParameters
) -> list[tuple[NDArray[np.float64], Floats]]:
    """Return (x, y, scale, orientation) and descriptors, octave by octave and level by level."""
    steps = parameters.steps
    # steps that lie closer together differ less
    contrast = _CONTRAST * (2 ** (1 / steps) - 1) / (2 ** (1 / 3) - 1)
    window, cells = _descriptor_window(parameters.fd_size)
    pixels = cv2.GaussianBlur(pixels, (0, 0), np.sqrt(_INITIAL_SIGMA**2 - _IMAGE_SIGMA**2))
    found = []
    for octave in range(octaves):
        levels = _levels(pixels, steps)
        extrema = feature_kernels.extrema(levels, contrast, _EDGE_RATIO)
        nearest = np.rint(extrema[:, 2]).astype(int)
        for level in range(steps + 2):
            chosen = extrema[nearest == level]
            if not len(chosen):
                continue
            chosen[:, 2] = _INITIAL_SIGMA * 2 ** (chosen[:, 2] / steps)
            magnitude, direction = cv2.cartToPolar(
                cv2.Sobel(levels[level], cv2.CV_32F, 1, 0, ksize=1), cv2.Sobel(levels[level], cv2.CV_32F, 0, 1, ksize=1)
            )
            oriented = feature_kernels.oriented(magnitude, direction, chosen)
            spacing = _CELL_SIGMAS / _SAMPLES_PER_CELL
            described = feature_kernels.described(magnitude, direction, oriented, spacing, window, cells)
            # the centre of pixel 0 of an octave is that of pixel 0 of the image
            found.append((oriented * [2**octave, 2**octave, 2**octave, 1], described))
        pixels = levels[steps][::2, ::2].copy()
    return found


def _levels(pixels: Floats, steps: int) -> Floats:
    """Return an octave: the image at steps + 3 blurs, each coarser by the same factor."""
    sigmas = _INITIAL_SIGMA * 2 ** (np.arange(steps + 3) / steps)
    levels = np.empty((steps + 3, *pixels.shape), dtype=np.float32)
    levels[0] = pixels
    for index in range(1, len(levels)):
        blur = float(np.sqrt(sigmas[index] ** 2 - sigmas[index - 1] ** 2))
        cv2.GaussianBlur(levels[index - 1], (0, 0), blur, dst=levels[index])
    return levels


def _descriptor_window(fd_size: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the weight of each sample (side, side), and where each line of samples lies, in cells (side,)."""
    side = _SAMPLES_PER_CELL * fd_size
    from_middle = np.arange(side) - (side - 1) / 2
    profile = np.exp(-(from_middle**2) / (2 * (side / 2) ** 2))
    return np.outer(profile, profile), (from_middle + side / 2) / _SAMPLES_PER_CELL - 0.5
