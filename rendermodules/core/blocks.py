"""Blocks of one image found again in another, to a few hundredths of a pixel.

A block is moved over the other image until the difference that its own gradient can explain is gone. Gain and offset
are fitted along, so that vignetting and exposure do not matter; what the fit leaves over tells how certain the place
is.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numba
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from rendermodules.core.correlation import Alignment, Floats, Image, informative, overlap_box
from rendermodules.core.estimation import inverted, transformed

_BLUR = 1.0
# residuals of blurred pixels repeat their neighbours': one in so many is independent
_PIXELS_PER_RESIDUAL = 4 * np.pi * _BLUR**2
_BORDER = 2
_SMALLEST_SIDE = 12
_SPLIT_SIDE = 24
_BLUR_REACH = 3
_INFORMATIVE_SHARE = 0.5
_ITERATIONS = 12
_CONVERGED = 0.02
_NEARLY_CONVERGED = 0.1
_NEIGHBOURS = 8
_OUTLYING = 4.0
_USUAL_SCATTER = 0.25

_OUTCOMES = ("found", "flat", "poorly determined", "outside", "drifted", "weak correlation", "not converged")
_FOUND, _FLAT, _POOR, _OUTSIDE, _DRIFTED, _WEAK, _UNSETTLED = range(len(_OUTCOMES))


@dataclass(frozen=True)
class BlockParameters:
    """How blocks are laid out and which are believed.

    Attributes
    ----------
    size : int
        Side of a block in pixels; less where the overlap is narrow.
    count : int
        About how many blocks an overlap gets.
    min_correlation : float
        Blocks that correlate less with their partner are dropped, 0 to 1.
    max_error : float
        Blocks whose place is less certain than this are dropped: one standard error, in pixels.
    max_drift : float
        Blocks that end farther from where the alignment had them are dropped, in pixels.
    """

    size: int
    count: int
    min_correlation: float
    max_error: float
    max_drift: float


@dataclass(frozen=True)
class MatchedBlocks:
    """Middles of blocks and their partners.

    Attributes
    ----------
    p, q : (n, 2) float arrays
        Columns x, y, in pixels of the first and the second image.
    correlations : (n,) float array
        Normalised correlation of each block with its partner.
    errors : (n,) float array
        Estimated standard error of each partner along its worse axis, in pixels.
    tried : int
        How many blocks the overlap has.
    found_part : float
        Part of the contrast of all blocks that is in those that were found, 0 to 1; empty blocks count for nothing.
    agreement : float
        How well all blocks with their contrast correlate with where they ended in the other image, as part of how well
        those do that were found. Low when much of what one image shows is missing in the other.
    dropped : dict of str to int
        How many of them went, by reason.
    """

    p: NDArray[np.float64]
    q: NDArray[np.float64]
    correlations: NDArray[np.float64]
    errors: NDArray[np.float64]
    tried: int
    found_part: float
    agreement: float
    dropped: dict[str, int]


def matched_blocks(
    p_image: Image,
    q_image: Image,
    alignment: Alignment,
    parameters: BlockParameters,
    p_mask: Image | None = None,
    q_mask: Image | None = None,
) -> MatchedBlocks:
    """Return blocks of ``p_image`` with their places in ``q_image``.

    Parameters
    ----------
    p_image, q_image : (rows, columns) arrays
        Gray images of any type; what is not finite counts as masked.
    alignment : Alignment
        Where p lies on q, to a pixel or two; it must have a matrix.
    parameters : BlockParameters
        Layout and limits.
    p_mask, q_mask : (rows, columns) arrays, optional
        Pixels where the mask is 0 are not used.

    Returns
    -------
    MatchedBlocks
        Possibly none. Memory: four times the overlap as float32.

    References
    ----------
    .. [1] Baker, Matthews, "Lucas-Kanade 20 years on: a unifying framework", International Journal of Computer Vision
       56 (2004). :DOI:`10.1023/B:VISI.0000011205.11775.fd`
    .. [2] Westerweel, Scarano, "Universal outlier detection for PIV data", Experiments in Fluids 39 (2005).
       :DOI:`10.1007/s00348-005-0016-6`
    """
    matrix = alignment.matrix
    if matrix is None:
        raise ValueError("images that are not aligned have no blocks to match")
    p_box = overlap_box(p_image.shape[:2], q_image.shape[:2], matrix, 0)
    q_box = overlap_box(q_image.shape[:2], p_image.shape[:2], inverted(matrix), parameters.max_drift)
    if (p_box[1] - p_box[0]).min() <= 2 * _BORDER or (q_box[1] - q_box[0]).min() <= 2 * _BORDER:
        return _no_blocks("overlap too narrow")
    p, p_valid = _blurred(p_image, p_mask, p_box)
    q, q_valid = _blurred(q_image, q_mask, q_box)
    onto_q = np.column_stack([matrix[:, :2], transformed(matrix, p_box[:1])[0] - q_box[0]])
    valid = _both_valid(p_valid, q_valid, onto_q)
    corners, shape, uninformative = _laid_out(valid, parameters)
    if not len(corners):
        return _no_blocks("overlap too narrow") if not uninformative else _no_blocks("uninformative", uninformative)
    centres = corners + (shape - 1) / 2
    _, nearest = cKDTree(alignment.centres).query(centres + p_box[0])
    starts = transformed(onto_q, centres) + alignment.offsets[nearest]
    limits = (parameters.min_correlation, parameters.max_drift)
    q_points, correlations, errors, sums, outcomes = _settled(
        p, q, valid, corners, shape, starts, matrix[:, :2], *limits
    )
    dropped = {"uninformative": uninformative}
    dropped |= {name: int((outcomes == code).sum()) for code, name in enumerate(_OUTCOMES) if code != _FOUND}
    certain = (outcomes == _FOUND) & (errors <= parameters.max_error)
    dropped["poorly determined"] += int((outcomes == _FOUND).sum() - certain.sum())
    kept = np.flatnonzero(certain)
    likely = ~_outlying(centres[kept], (q_points - transformed(onto_q, centres))[kept])
    dropped["unlike neighbours"] = int(len(kept) - likely.sum())
    kept = kept[likely]
    return MatchedBlocks(
        centres[kept] + p_box[0],
        q_points[kept] + q_box[0],
        correlations[kept],
        errors[kept],
        len(corners) + uninformative,
        float(sums[kept, 0].sum() / max(sums[:, 0].sum(), np.finfo(float).tiny)),
        _pooled_correlation(sums) / max(_pooled_correlation(sums[kept]), np.finfo(float).tiny),
        dropped,
    )


def _no_blocks(reason: str, count: int = 0) -> MatchedBlocks:
    nothing = np.empty((0, 2))
    return MatchedBlocks(nothing, nothing, np.empty(0), np.empty(0), count, 0.0, 0.0, {reason: max(count, 1)})


def _pooled_correlation(sums: NDArray[np.float64]) -> float:
    """Return the correlation of blocks taken together, from their sums tt, ss, st."""
    tt, ss, st = sums.sum(axis=0)
    return float(st / np.sqrt(tt * ss)) if tt > 0 and ss > 0 else 0.0


def _blurred(image: Image, mask: Image | None, box: NDArray[np.intp]) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the box of an image, blurred a little against noise, and which of its pixels are informative."""
    (x, y), (past_x, past_y) = box
    pixels, valid = informative(image[y:past_y, x:past_x], None if mask is None else mask[y:past_y, x:past_x])
    return cv2.GaussianBlur(pixels, (0, 0), _BLUR), valid


def _both_valid(
    p_valid: NDArray[np.bool_], q_valid: NDArray[np.bool_], onto_q: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which pixels of p are valid and lie on valid ones of q, and none near by is not."""
    size = (p_valid.shape[1], p_valid.shape[0])
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    # beyond the border of q, which blocks keep away from anyway, counts as valid so that it is not grown into q
    q_valid_at_p = cv2.warpAffine(q_valid.astype(np.uint8), onto_q, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    both = (p_valid & (q_valid_at_p > 0)).astype(np.uint8)
    return cv2.erode(both, np.ones((2 * _BLUR_REACH + 1,) * 2, dtype=np.uint8)) > 0


def _laid_out(valid: NDArray[np.bool_], parameters: BlockParameters) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """Return first corners (n, 2) and sides x, y of evenly spread blocks, and how many were left out as uninformative.

    A narrow overlap is split into two lines of smaller blocks as long as these stay large enough: two lines fix how
    the images are turned against each other, one does not.
    """
    nothing = np.empty((0, 2), dtype=np.intp), np.zeros(2, dtype=np.intp), 0
    if not valid.any():
        return nothing
    shares = [valid.mean(axis=axis) for axis in (0, 1)]
    inside = [np.flatnonzero(share > 0.5 * share.max()) for share in shares]
    first = np.array([max(line[0], _BORDER) for line in inside])
    past = np.array(
        [min(line[-1] + 1, length - _BORDER) for line, length in zip(inside, valid.shape[::-1], strict=True)]
    )
    extent = past - first
    shape = np.minimum(parameters.size, np.maximum(extent // 2, np.minimum(extent, _SPLIT_SIDE)))
    if shape.min() < _SMALLEST_SIDE:
        return nothing
    spacing = np.sqrt(np.prod(extent - shape + 1.0) / parameters.count)
    counts = np.maximum(np.rint((extent - shape) / max(spacing, 1.0)).astype(int) + (extent > shape), 1)
    lines = [
        np.rint(np.linspace(start, end - side, count)).astype(np.intp)
        for start, end, side, count in zip(first, past, shape, counts, strict=True)
    ]
    corners = np.stack(np.meshgrid(*lines), axis=-1).reshape(-1, 2)
    sums = cv2.integral(valid.astype(np.uint8))
    (x, y), (past_x, past_y) = corners.T, (corners + shape).T
    inside_block = sums[past_y, past_x] - sums[y, past_x] - sums[past_y, x] + sums[y, x]
    good = inside_block >= _INFORMATIVE_SHARE * np.prod(shape)
    return corners[good], shape, int((~good).sum())


def _settled(
    p: Floats,
    q: Floats,
    valid: NDArray[np.bool_],
    corners: NDArray[np.intp],
    shape: NDArray[np.intp],
    starts: NDArray[np.float64],
    linear: NDArray[np.float64],
    min_correlation: float,
    max_drift: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.uint8]]:
    """Return places in q, correlations, standard errors, sums tt, ss, st, and outcomes of the blocks of p."""
    count = len(corners)
    places, correlations, errors = starts.copy(), np.zeros(count), np.full(count, np.inf)
    sums = np.zeros((count, 3))
    outcomes = np.zeros(count, dtype=np.uint8)
    _settle(
        p,
        q,
        valid,
        corners,
        shape,
        np.array(linear, dtype=float),
        min_correlation,
        max_drift,
        places,
        correlations,
        errors,
        sums,
        outcomes,
    )
    return places, correlations, errors * np.sqrt(_PIXELS_PER_RESIDUAL), sums, outcomes


def _kernel(function: Any) -> Any:
    return numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract"}, error_model="numpy")(function)


@_kernel
def _gradient_sums(p, valid, whole, x, y, width, height):  # type: ignore[no-untyped-def]
    """Return how many pixels of a block t are valid, and the centred sums tt, tu, tv, uu, uv, vv with its gradient."""
    t = u = v = tt = tu = tv = uu = uv = vv = 0.0
    n = 0
    for row in range(y, y + height):
        for column in range(x, x + width):
            if not (whole or valid[row, column]):
                continue
            n += 1
            value = float(p[row, column])
            along_x = 0.5 * (p[row, column + 1] - p[row, column - 1])
            along_y = 0.5 * (p[row + 1, column] - p[row - 1, column])
            t += value
            u += along_x
            v += along_y
            tt += value * value
            tu += value * along_x
            tv += value * along_y
            uu += along_x * along_x
            uv += along_x * along_y
            vv += along_y * along_y
    return n, tt - t * t / n, tu - t * u / n, tv - t * v / n, uu - u * u / n, uv - u * v / n, vv - v * v / n


@_kernel
def _partner_sums(p, q, valid, whole, n, x, y, width, height, linear, first_x, first_y):  # type: ignore[no-untyped-def]
    """Return the centred sums ss, st, su, sv of the block t, its gradient u, v and its partner s in q."""
    s = t = u = v = ss = st = su = sv = 0.0
    for i in range(height):
        row = y + i
        for j in range(width):
            column = x + j
            if not (whole or valid[row, column]):
                continue
            q_x = first_x + linear[0, 0] * j + linear[0, 1] * i
            q_y = first_y + linear[1, 0] * j + linear[1, 1] * i
            left, top = int(q_x), int(q_y)
            a, b = q_x - left, q_y - top
            upper = q[top, left] + a * (q[top, left + 1] - q[top, left])
            lower = q[top + 1, left] + a * (q[top + 1, left + 1] - q[top + 1, left])
            partner = upper + b * (lower - upper)
            value = float(p[row, column])
            along_x = 0.5 * (p[row, column + 1] - p[row, column - 1])
            along_y = 0.5 * (p[row + 1, column] - p[row - 1, column])
            s += partner
            t += value
            u += along_x
            v += along_y
            ss += partner * partner
            st += partner * value
            su += partner * along_x
            sv += partner * along_y
    return ss - s * s / n, st - s * t / n, su - s * u / n, sv - s * v / n


@_kernel
def _settle(  # type: ignore[no-untyped-def]
    p, q, valid, corners, shape, linear, min_correlation, max_drift, places, correlations, errors, sums, outcomes
):
    """Move each block's place in q to where the block's gradient explains no more of the difference.

    Block and gradient t, u, v, partner s: the least squares fit of ``s = gain * (t + dx * u + dy * v) + offset``.
    """
    width, height = shape[0], shape[1]
    half_x, half_y = 0.5 * (width - 1), 0.5 * (height - 1)
    reach_x = abs(linear[0, 0]) * half_x + abs(linear[0, 1]) * half_y
    reach_y = abs(linear[1, 0]) * half_x + abs(linear[1, 1]) * half_y
    back_x = linear[0, 0] * half_x + linear[0, 1] * half_y
    back_y = linear[1, 0] * half_x + linear[1, 1] * half_y
    for k in range(len(corners)):
        x, y = corners[k, 0], corners[k, 1]
        whole = valid[y : y + height, x : x + width].all()
        n, tt, tu, tv, uu, uv, vv = _gradient_sums(p, valid, whole, x, y, width, height)
        largest = 1e-5 * max(abs(p[y, x]), abs(p[y + height - 1, x + width - 1]), 1e-20)
        if tt <= n * largest * largest:
            outcomes[k] = _FLAT
            continue
        # gain and offset are fitted along, which takes from the gradient what looks like the block itself
        uu, uv, vv = uu - tu * tu / tt, uv - tu * tv / tt, vv - tv * tv / tt
        determinant = uu * vv - uv * uv
        if determinant <= 1e-4 * (uu + vv) * (uu + vv):
            outcomes[k] = _POOR
            continue
        start_x, start_y = places[k, 0], places[k, 1]
        place_x, place_y = start_x, start_y
        step = np.inf
        outcome = _UNSETTLED
        correlation = 0.0
        for _ in range(_ITERATIONS):
            if (
                place_x - reach_x < 0
                or place_y - reach_y < 0
                or place_x + reach_x >= q.shape[1] - 1
                or place_y + reach_y >= q.shape[0] - 1
            ):
                outcome = _OUTSIDE
                break
            if max(abs(place_x - start_x), abs(place_y - start_y)) > max_drift:
                outcome = _DRIFTED
                break
            ss, st, su, sv = _partner_sums(
                p, q, valid, whole, n, x, y, width, height, linear, place_x - back_x, place_y - back_y
            )
            sums[k, 0], sums[k, 1], sums[k, 2] = tt, ss, st
            if ss <= 0 or st <= 0:
                outcome = _WEAK
                break
            correlation = st / np.sqrt(ss * tt)
            gain = st / tt
            su, sv = (su - tu * gain) / gain, (sv - tv * gain) / gain
            dx, dy = (vv * su - uv * sv) / determinant, (uu * sv - uv * su) / determinant
            place_x -= linear[0, 0] * dx + linear[0, 1] * dy
            place_y -= linear[1, 0] * dx + linear[1, 1] * dy
            step = max(abs(dx), abs(dy))
            if step < _CONVERGED:
                outcome = _FOUND
                break
        if outcome == _UNSETTLED and step < _NEARLY_CONVERGED:
            outcome = _FOUND
        if outcome == _FOUND and correlation < min_correlation:
            outcome = _WEAK
        outcomes[k] = outcome
        if outcome == _FOUND:
            places[k, 0], places[k, 1] = place_x, place_y
            correlations[k] = correlation
            smallest = 0.5 * (uu + vv) - np.sqrt(0.25 * (uu - vv) * (uu - vv) + uv * uv)
            unexplained = tt * max(1 - correlation * correlation, 0.0) / n
            errors[k] = np.sqrt(unexplained / smallest) / correlation


def _outlying(points: NDArray[np.float64], displacements: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which displacements differ from their neighbours' median by far more than the neighbours do."""
    count = min(_NEIGHBOURS, len(points) - 1)
    if count < 2:
        return np.zeros(len(points), dtype=bool)
    _, nearest = cKDTree(points).query(points, k=count + 1)
    around = displacements[nearest[:, 1:]]
    middle = np.median(around, axis=1)
    scatter = np.median(np.linalg.norm(around - middle[:, None], axis=2), axis=1)
    off = np.linalg.norm(displacements - middle, axis=1)
    return np.asarray(off > _OUTLYING * (scatter + _USUAL_SCATTER))
