"""Displacements between two overlapping images by correlation: sections first, then many small blocks.

Reduced sections of the overlap are compared by phase correlation, which finds the place wherever it is within the
search radius. Sections that agree give a rigid motion. From there a grid of small blocks at full resolution is
refined by least squares to a few hundredths of a pixel. Every step judges its results by the normalised correlation
of the pixels themselves, which neither gain, offset nor vignetting change, and counts what it drops.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from rendermodules.core.consensus import ConsensusParameters, filtered_candidates
from rendermodules.core.estimation import PlanarModel, composed, inverted, transformed

Image = NDArray[Any]
"""A gray image of any type, (rows, columns)."""

Floats = NDArray[Any]
"""Numbers as float32; OpenCV's type hints know no narrower type."""

_SHORT_SIDE = 48
_SECTION_SIDE = 128
_LARGEST_REDUCTION = 4
_FLATTENING_RADIUS = 8
_CANDIDATE_PEAKS = 4
_PEAK_RADIUS = 3
_LOBE_RADIUS = 4
_SMALLEST_WINDOWED_PART = 0.1
_AMBIGUOUS = 0.8
_SMALLEST_VALID_PART = 0.1
_LARGEST_SINE = 0.1
_FILLED_SIDE = 7
# flattening leaves structures of about so many pixels that go together
_STRUCTURE = 12.0
# standard deviations above what is there by chance: of a section, and of all that agree
_NOTABLE = 3.0
_SIGNIFICANT = 4.5
_DISTINCT = 11.0


@dataclass(frozen=True)
class Alignment:
    """Where one image lies on another, roughly.

    Attributes
    ----------
    matrix : (2, 3) float array, optional
        From the first image's pixels to the second's: the expected motion with a rigid correction. Absent when
        nothing reliable was found.
    centres : (n, 2) float array
        Middles of the sections that agree, x, y in the first image.
    offsets : (n, 2) float array
        By how much each section's own partner is off the matrix, in pixels of the second image.
    correlation : float
        Median normalised correlation of the sections that agree; 0 without any.
    dropped : dict of str to int
        How many sections went, by reason.
    """

    matrix: NDArray[np.float64] | None
    centres: NDArray[np.float64]
    offsets: NDArray[np.float64]
    correlation: float
    dropped: dict[str, int]


def overlap_box(
    p_shape: tuple[int, int], q_shape: tuple[int, int], matrix: NDArray[np.float64], margin: float
) -> NDArray[np.intp]:
    """Return the box of the first image's pixels that the second covers, as x, y of its first and past its last pixel.

    Parameters
    ----------
    p_shape, q_shape : (rows, columns)
        Sizes of the two images.
    matrix : (2, 3) float array
        From the first image's pixels to the second's.
    margin : float
        By how many pixels the box is grown on each side, or shrunk when negative; it ends with the first image.

    Returns
    -------
    (2, 2) int array
        Empty (last not above first) when the images do not overlap.
    """
    rows, columns = q_shape
    corners = np.array([[0, 0], [columns - 1, 0], [0, rows - 1], [columns - 1, rows - 1]], dtype=float)
    in_p = transformed(inverted(matrix), corners)
    first = np.maximum(np.ceil(in_p.min(axis=0) - margin - 1e-9), 0)
    past = np.minimum(np.floor(in_p.max(axis=0) + margin + 1e-9) + 1, [p_shape[1], p_shape[0]])
    return np.array([first, np.maximum(past, first)]).astype(np.intp)


def aligned(
    p_image: Image,
    q_image: Image,
    expected: NDArray[np.float64],
    search_radius: float,
    min_correlation: float,
    p_mask: Image | None = None,
    q_mask: Image | None = None,
) -> Alignment:
    """Return where ``p_image`` lies on ``q_image``, searched around the expected place.

    Parameters
    ----------
    p_image, q_image : (rows, columns) arrays
        Gray images of any type; what is not finite counts as masked.
    expected : (2, 3) float array
        From pixels of p to pixels of q, as the stage or an earlier alignment tells.
    search_radius : float
        How far the expected place may be off along x and y, in pixels.
    min_correlation : float
        Sections that correlate less are dropped, 0 to 1; so are small ones that correlate no better than by chance.
    p_mask, q_mask : (rows, columns) arrays, optional
        Pixels where the mask is 0 are not used.

    Returns
    -------
    Alignment
        Without a matrix when the images do not overlap, nothing correlates, or sections disagree.

    References
    ----------
    .. [1] Kuglin, Hines, "The phase correlation image alignment method", IEEE Conference on Cybernetics and Society
       (1975).
    .. [2] Preibisch, Saalfeld, Tomancak, "Globally optimal stitching of tiled 3D microscopic image acquisitions",
       Bioinformatics 25 (2009), for judging peaks by the correlation of the pixels.
       :DOI:`10.1093/bioinformatics/btp184`
    """
    box = overlap_box(p_image.shape[:2], q_image.shape[:2], expected, search_radius)
    size = box[1] - box[0]
    if size.min() < 8:
        return _not_aligned({"no overlap": 1})
    reduction = int(np.clip(2 ** np.floor(np.log2(max(size.min() / _SHORT_SIDE, 1))), 1, _LARGEST_REDUCTION))
    p, p_valid, p_to_image = _reduced(p_image, p_mask, box, reduction)
    q_box = overlap_box(q_image.shape[:2], p_image.shape[:2], inverted(expected), search_radius + 2 * reduction)
    if (q_box[1] - q_box[0]).min() < reduction:
        return _not_aligned({"no overlap": 1})
    q, q_valid, q_to_image = _reduced(q_image, q_mask, q_box, reduction)
    onto_q = composed(composed(p_to_image, expected), inverted(q_to_image))
    q, q_valid = _resampled(q, onto_q, p.shape), _resampled(q_valid, onto_q, p.shape)
    p, q = _flattened(p, p_valid), _flattened(q, q_valid)

    radius = min(int(np.ceil(search_radius / reduction)) + 1, max(p.shape) - 1)
    sections = _found_sections(p, p_valid > 0.99, q, q_valid > 0.99, radius, min_correlation)
    p_points = transformed(p_to_image, sections.centres)
    q_points = transformed(expected, transformed(p_to_image, sections.centres + sections.displacements))
    return _agreed(p_points, q_points, expected, sections, 3.0 * reduction)


def _not_aligned(dropped: dict[str, int]) -> Alignment:
    return Alignment(None, np.empty((0, 2)), np.empty((0, 2)), 0.0, dropped)


def _reduced(
    image: Image, mask: Image | None, box: NDArray[np.intp], reduction: int
) -> tuple[Floats, Floats, NDArray[np.float64]]:
    """Return the box of an image at 1 / reduction, how much of each pixel is valid, and the way back to the image."""
    (x, y), (width, height) = box[0], (box[1] - box[0]) // reduction
    crop = np.s_[y : y + height * reduction, x : x + width * reduction]
    pixels, valid = informative(image[crop], None if mask is None else mask[crop])
    size = (int(width), int(height))
    to_image = np.array([[reduction, 0, x + (reduction - 1) / 2], [0, reduction, y + (reduction - 1) / 2]])
    if reduction > 1:
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    part = cv2.resize(valid.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return pixels, part, to_image


def informative(image: Image, mask: Image | None) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the image as float32, and which of its pixels can tell anything.

    Not finite ones (set to 0), masked ones, and those of larger places of one value, such as filled borders, cannot.
    """
    pixels = image.astype(np.float32)
    finite = np.isfinite(pixels)
    pixels[~finite] = 0
    comparable = image if image.dtype == np.uint8 and image.size else pixels
    around = np.ones((3, 3), dtype=np.uint8)
    constant = cv2.dilate(comparable, around) == cv2.erode(comparable, around)
    # dark lines that touch black here and there are content, and their edges the best part of it
    large = np.ones((_FILLED_SIDE, _FILLED_SIDE), dtype=np.uint8)
    filled = cv2.morphologyEx(constant.astype(np.uint8), cv2.MORPH_OPEN, large)
    valid = finite & (filled == 0)
    if mask is not None:
        valid &= mask != 0
    return pixels, valid


def _resampled(image: Floats, matrix: NDArray[np.float64], shape: tuple[int, ...]) -> Floats:
    """Return ``image`` at the places to which ``matrix`` takes the pixels of an image of that shape; 0 outside."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, matrix, (shape[1], shape[0]), flags=flags, borderMode=cv2.BORDER_CONSTANT)


def _flattened(image: Floats, valid: Floats) -> Floats:
    """Return the image with its local mean at 0 and its local contrast at about 1; 0 where it is not valid."""
    side = 2 * _FLATTENING_RADIUS + 1

    def local_mean(values: Floats) -> Floats:
        return cv2.blur(values, (side, side), borderType=cv2.BORDER_REFLECT)

    share = np.maximum(local_mean(valid), 1e-3)
    detail = (image - local_mean(image * valid) / share) * valid
    # running sums leave traces below 0
    contrast = np.sqrt(np.maximum(local_mean(detail * detail), 0) / share)
    # a floor keeps the noise of empty places from being blown up to the contrast of the rest
    floor = 0.1 * np.sqrt(np.square(detail).sum() / max(valid.sum(), 1)) + 1e-6
    flattened: Floats = detail / (contrast + floor)
    return flattened


class _Sections(NamedTuple):
    """Where sections of one image were found in another, in reduced pixels.

    Attributes
    ----------
    centres, displacements : (n, 2) float arrays
        Middles of the sections and by how much they are off there, columns x, y.
    correlations, evidence : (n,) float arrays
        Normalised correlations, and by how many standard deviations these are above chance.
    dropped : dict of str to int
        How many sections went, by reason.
    """

    centres: NDArray[np.float64]
    displacements: NDArray[np.float64]
    correlations: NDArray[np.float64]
    evidence: NDArray[np.float64]
    dropped: dict[str, int]


def _found_sections(
    p: Floats, p_valid: NDArray[np.bool_], q: Floats, q_valid: NDArray[np.bool_], radius: int, min_correlation: float
) -> _Sections:
    """Return the sections that have a place of their own; all in reduced pixels."""
    side = max(_SECTION_SIDE, 2 * radius)
    rows, columns = (min(length, side) for length in p.shape)
    corners = [(row, column) for row in _starts(p.shape[0], rows) for column in _starts(p.shape[1], columns)]
    centres, displacements, correlations, evidence = [], [], [], []
    dropped = {"flat": 0, "weak correlation": 0, "ambiguous": 0}
    for row, column in corners:
        part = np.s_[row : row + rows, column : column + columns]
        if min(p_valid[part].mean(), q_valid[part].mean()) < _SMALLEST_VALID_PART or not (
            p[part].any() and q[part].any()
        ):
            dropped["flat"] += 1
            continue
        candidates = candidate_displacements(p[part], q[part], radius, _CANDIDATE_PEAKS)
        scores = [
            _correlation(p[part], p_valid[part], q[part], q_valid[part], displacement)
            for displacement in np.rint(candidates.displacements)
        ]
        found, above_chance = np.array(scores).T
        best = found.argmax()
        if found[best] < min_correlation or above_chance[best] < _NOTABLE:
            dropped["weak correlation"] += 1
        elif _is_ambiguous(candidates, found, above_chance):
            dropped["ambiguous"] += 1
        else:
            centres.append((column + (columns - 1) / 2, row + (rows - 1) / 2))
            displacements.append(candidates.displacements[best])
            correlations.append(found[best])
            evidence.append(above_chance[best])
    return _Sections(
        np.array(centres).reshape(-1, 2),
        np.array(displacements).reshape(-1, 2),
        np.array(correlations),
        np.array(evidence),
        dropped,
    )


def _is_ambiguous(
    candidates: "Candidates", correlations: NDArray[np.float64], above_chance: NDArray[np.float64]
) -> bool:
    """Return whether the best of some candidates may be one of many places that a repeated texture fits.

    It is not when the phases stand out there and nowhere else, as they do only for what is not repeated.
    """
    best = int(correlations.argmax())
    apart = np.abs(candidates.displacements - candidates.displacements[best]).max(axis=1) > _LOBE_RADIUS
    rivals = apart & (above_chance >= _NOTABLE) & (correlations > _AMBIGUOUS * correlations[best])
    distinctness = candidates.distinctness(best)
    if distinctness >= _DISTINCT:
        return any(candidates.distinctness(index) > _AMBIGUOUS * distinctness for index in np.flatnonzero(rivals))
    return bool(rivals.any() or above_chance[best] < _NOTABLE * np.sqrt(candidates.structure / _STRUCTURE))


def _starts(length: int, side: int) -> NDArray[np.intp]:
    """Return where sections begin that cover a length and overlap by about half."""
    count = max(1, round(2 * length / side) - 1)
    return np.rint(np.linspace(0, length - side, count)).astype(np.intp)


class Candidates(NamedTuple):
    """Displacements of one image against another that are worth a closer look.

    Attributes
    ----------
    displacements : (n, 2) float array
        x, y such that the first image at a point looks like the second at the point plus x, y; to a fraction of a
        pixel. The first half are peaks of the phase correlation, highest first.
    structure : float
        How many pixels go together in both images: few in a fine texture, many in a repeated or striped one.
    phases : (rows, columns) float array
        The phase correlation at whole displacements, its middle at 0, in its own standard deviations.
    """

    displacements: NDArray[np.float64]
    structure: float
    phases: Floats

    def distinctness(self, index: int | np.intp) -> float:
        """Return how far the phase correlation stands out at a displacement, or a pixel beside it."""
        row, column = np.rint(self.displacements[index][::-1]).astype(int) + np.array(self.phases.shape) // 2
        return float(self.phases[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].max())


def candidate_displacements(p: Floats, q: Floats, radius: int, count: int) -> Candidates:
    """Return the likeliest displacements of one image against another of the same shape.

    The phase correlation is sharp and finds what two images share beneath a repeated texture; the plain correlation
    shows all places that such a texture fits, and where few large things lie.

    Parameters
    ----------
    p, q : (rows, columns) float arrays
        With their mean at about 0.
    radius : int
        Largest displacement along x and y, in pixels.
    count : int
        How many peaks of either correlation are wanted.

    References
    ----------
    .. [1] Bartlett, "Some aspects of the time-correlation problem in regard to tests of significance", Journal of the
       Royal Statistical Society 98 (1935), for the number of pixels that go together. :DOI:`10.2307/2342284`
    """
    shape = [scipy.fft.next_fast_len(length + radius, real=True) for length in p.shape]
    windows = [np.sqrt(np.hanning(length + 2)[1:-1]).astype(np.float32) for length in p.shape]
    p, q = (image * windows[0][:, None] * windows[1] for image in (p, q))
    spectrum = np.conj(scipy.fft.rfft2(p, shape)) * scipy.fft.rfft2(q, shape)
    plain = scipy.fft.irfft2(spectrum, shape)
    phases = scipy.fft.irfft2(_whitened(spectrum, shape[1]), shape)
    energy = float(np.vdot(p, p)) * float(np.vdot(q, q))
    structure = float(np.vdot(plain, plain)) / max(energy, np.finfo(float).tiny)
    reaches = [min(radius, (length - 1) // 2) for length in p.shape]
    around = np.ix_(*(np.arange(-reach, reach + 1) for reach in reaches))
    # what is moved far is seen through little of both windows
    seen = np.outer(*(_window_overlap(window, reach) for window, reach in zip(windows, reaches, strict=True)))
    phases = phases[around] / max(float(phases.std()), np.finfo(float).tiny)
    plain = plain[around] / np.maximum(seen, _SMALLEST_WINDOWED_PART)
    places = [*_peaks(phases, count, _PEAK_RADIUS), *_peaks(plain, count, _LOBE_RADIUS)]
    return Candidates(np.array(places) - reaches[::-1], structure, phases)


def _whitened(spectrum: NDArray[Any], columns: int) -> NDArray[Any]:
    """Return only the phases of half a spectrum, whose highest frequencies are noise and interpolation."""
    magnitude = np.abs(spectrum)
    vertical, horizontal = np.fft.fftfreq(len(spectrum))[:, None], np.fft.rfftfreq(columns)[None]
    low = np.exp(-(vertical**2 + horizontal**2) / (2 * 0.2**2)).astype(np.float32)
    whitened: NDArray[Any] = spectrum / (magnitude + 1e-3 * magnitude.mean() + np.finfo(np.float32).tiny) * low
    return whitened


def _window_overlap(window: Floats, reach: int) -> NDArray[Any]:
    """Return which part of a window's energy it shares with itself moved by -reach to reach."""
    middle = len(window) - 1
    return np.correlate(window, window, "full")[middle - reach : middle + reach + 1] / np.vdot(window, window)


def _peaks(surface: Floats, count: int, radius: int) -> list[tuple[float, float]]:
    """Return column and row of the highest places of a surface that are more than a radius apart, highest first."""
    left = surface.copy()
    peaks = []
    for _ in range(count):
        row, column = (int(index) for index in np.unravel_index(left.argmax(), left.shape))
        peaks.append(
            (
                column + _vertex(surface[row, max(column - 1, 0) : column + 2]),
                row + _vertex(surface[max(row - 1, 0) : row + 2, column]),
            )
        )
        left[max(row - radius, 0) : row + radius + 1, max(column - radius, 0) : column + radius + 1] = -np.inf
    return peaks


def _vertex(values: Floats) -> float:
    """Return the place of the vertex of the parabola through three values, from the middle one; 0 at an edge.

    The middle one need not be the largest when it is what was left beside a higher peak.
    """
    if len(values) < 3:
        return 0.0
    before, middle, after = (float(value) for value in values)
    curvature = before - 2 * middle + after
    return float(np.clip(0.5 * (before - after) / curvature, -0.5, 0.5)) if curvature < 0 else 0.0


def _correlation(
    p: Floats, p_valid: NDArray[np.bool_], q: Floats, q_valid: NDArray[np.bool_], displacement: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the normalised correlation of p with q moved by whole pixels, and how far above chance that is.

    Few bright things that coincide count for less than as many pixels that are all alike.

    References
    ----------
    .. [1] White, "A heteroskedasticity-consistent covariance matrix estimator and a direct test for
       heteroskedasticity", Econometrica 48 (1980), for the standard deviation. :DOI:`10.2307/1912934`
    """
    x, y = (int(value) for value in displacement)
    rows, columns = p.shape
    if abs(x) >= columns or abs(y) >= rows:
        return 0.0, 0.0
    in_p = np.s_[max(-y, 0) : rows - max(y, 0), max(-x, 0) : columns - max(x, 0)]
    in_q = np.s_[max(y, 0) : rows - max(-y, 0), max(x, 0) : columns - max(-x, 0)]
    both = p_valid[in_p] & q_valid[in_q]
    if not both.any():
        return 0.0, 0.0
    a, b = p[in_p][both], q[in_q][both]
    a, b = a - a.mean(), b - b.mean()
    product = a * b
    size = float(np.linalg.norm(a)) * float(np.linalg.norm(b))
    by_chance = float(np.linalg.norm(product)) * np.sqrt(_STRUCTURE)
    total = float(product.sum())
    return (total / size, total / by_chance) if size > 0 and by_chance > 0 else (0.0, 0.0)


def _agreed(
    p: NDArray[np.float64],
    q: NDArray[np.float64],
    expected: NDArray[np.float64],
    sections: _Sections,
    tolerance: float,
) -> Alignment:
    """Return the rigid correction of the expected motion on which more than half of the sections agree."""
    parameters = ConsensusParameters(
        model=PlanarModel("RIGID" if len(p) > 1 else "TRANSLATION"),
        match_filter="SINGLE_SET",
        iterations=200,
        max_epsilon=tolerance,
        min_inlier_ratio=0.5,
        min_num_inliers=min(len(p), 2),
        max_trust=np.inf,
    )
    dropped = sections.dropped
    sets = filtered_candidates(transformed(expected, p), q, parameters, seed=0).sets if len(p) else []
    correction = sets[0].matrix if sets else None
    if correction is None or abs(correction[1, 0]) > _LARGEST_SINE:
        return _not_aligned({**dropped, "disagreeing": len(p)})
    chosen = sets[0].indices
    if np.linalg.norm(sections.evidence[chosen]) < _SIGNIFICANT:
        return _not_aligned({**dropped, "weak correlation": dropped["weak correlation"] + len(p)})
    matrix = composed(expected, correction)
    return Alignment(
        matrix,
        p[chosen],
        q[chosen] - transformed(matrix, p[chosen]),
        float(np.median(sections.correlations[chosen])),
        {**dropped, "disagreeing": len(p) - len(chosen)},
    )
