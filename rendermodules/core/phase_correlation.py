"""The likeliest displacements of one image against another, by the correlation of their phases and of their pixels."""

from typing import Any, NamedTuple

import numpy as np
import scipy.fft
from numpy.typing import NDArray

LOBE_RADIUS = 4
"""How far around a place the pixels correlate as well as there, about, in images of flattened contrast."""

_PEAK_RADIUS = 3
_SMALLEST_WINDOWED_PART = 0.1


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
    phases: NDArray[Any]

    def distinctness(self, index: int | np.intp) -> float:
        """Return how far the phase correlation stands out at a displacement, or a pixel beside it."""
        row, column = np.rint(self.displacements[index][::-1]).astype(int) + np.array(self.phases.shape) // 2
        return float(self.phases[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].max())


def candidate_displacements(p: NDArray[Any], q: NDArray[Any], radius: int, count: int) -> Candidates:
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
    places = [*_peaks(phases, count, _PEAK_RADIUS), *_peaks(plain, count, LOBE_RADIUS)]
    return Candidates(np.array(places) - reaches[::-1], structure, phases)


def _whitened(spectrum: NDArray[Any], columns: int) -> NDArray[Any]:
    """Return only the phases of half a spectrum, whose highest frequencies are noise and interpolation."""
    magnitude = np.abs(spectrum)
    vertical, horizontal = np.fft.fftfreq(len(spectrum))[:, None], np.fft.rfftfreq(columns)[None]
    low = np.exp(-(vertical**2 + horizontal**2) / (2 * 0.2**2)).astype(np.float32)
    whitened: NDArray[Any] = spectrum / (magnitude + 1e-3 * magnitude.mean() + np.finfo(np.float32).tiny) * low
    return whitened


def _window_overlap(window: NDArray[Any], reach: int) -> NDArray[Any]:
    """Return which part of a window's energy it shares with itself moved by -reach to reach."""
    middle = len(window) - 1
    return np.correlate(window, window, "full")[middle - reach : middle + reach + 1] / np.vdot(window, window)


def _peaks(surface: NDArray[Any], count: int, radius: int) -> list[tuple[float, float]]:
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


def _vertex(values: NDArray[Any]) -> float:
    """Return the place of the vertex of the parabola through three values, from the middle one; 0 at an edge.

    The middle one need not be the largest when it is what was left beside a higher peak.
    """
    if len(values) < 3:
        return 0.0
    before, middle, after = (float(value) for value in values)
    curvature = before - 2 * middle + after
    return float(np.clip(0.5 * (before - after) / curvature, -0.5, 0.5)) if curvature < 0 else 0.0
