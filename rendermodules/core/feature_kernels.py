"""Compiled loops of the feature detector: extrema, orientations, descriptors."""

from typing import Any

import numba
import numpy as np

_MOVES = 5
_ORIENTATION_BINS = 36
_ORIENTATION_SIGMAS = 1.5
_SECOND_ORIENTATION = 0.8
_DIRECTIONS = 8
_LARGEST_SHARE = 0.2


def _kernel(function: Any) -> Any:
    return numba.njit(nogil=True, cache=True, error_model="numpy")(function)


@_kernel
def extrema(levels, contrast, edge_ratio):  # type: ignore[no-untyped-def]
    """Return (n, 3) places x, y, level where the difference of neighbouring levels is extreme.

    Weaker ones than ``contrast`` and those on edges (curvatures that differ by more than ``edge_ratio``) are left out.
    """
    differences = levels[1:] - levels[:-1]
    count, rows, columns = differences.shape
    found = []
    for level in range(1, count - 1):
        for row in range(1, rows - 1):
            for column in range(1, columns - 1):
                value = differences[level, row, column]
                if abs(value) >= 0.5 * contrast and _is_extreme(differences, level, row, column, value):
                    x, y, z, value, edge = _refined(differences, level, row, column)
                    if abs(value) >= contrast and edge < (edge_ratio + 1) ** 2 / edge_ratio:
                        found.append((x, y, z))
    places = np.empty((len(found), 3))
    for index in range(len(found)):
        places[index, 0], places[index, 1], places[index, 2] = found[index]
    return places


@_kernel
def _is_extreme(differences, level, row, column, value):  # type: ignore[no-untyped-def]
    """Return whether none of the 26 neighbours is larger (or, for a negative value, smaller)."""
    for i in range(level - 1, level + 2):
        for j in range(row - 1, row + 2):
            for k in range(column - 1, column + 2):
                if (value > 0 and differences[i, j, k] > value) or (value <= 0 and differences[i, j, k] < value):
                    return False
    return True


@_kernel
def _refined(d, level, row, column):  # type: ignore[no-untyped-def]
    """Return x, y, level and value of the vertex of a parabola through an extremum, and how edge-like it is.

    The value is 0 where there is none. Two neighbouring samples that point at each other both lie within one sample
    of the vertex, which is good enough in the last move; otherwise the blobs half way between two levels were lost.
    """
    count, rows, columns = d.shape
    for move in range(_MOVES):
        value = float(d[level, row, column])
        x1 = 0.5 * (d[level, row, column + 1] - d[level, row, column - 1])
        y1 = 0.5 * (d[level, row + 1, column] - d[level, row - 1, column])
        z1 = 0.5 * (d[level + 1, row, column] - d[level - 1, row, column])
        xx = d[level, row, column + 1] + d[level, row, column - 1] - 2 * value
        yy = d[level, row + 1, column] + d[level, row - 1, column] - 2 * value
        zz = d[level + 1, row, column] + d[level - 1, row, column] - 2 * value
        xy = 0.25 * (
            d[level, row + 1, column + 1]
            - d[level, row + 1, column - 1]
            - d[level, row - 1, column + 1]
            + d[level, row - 1, column - 1]
        )
        xz = 0.25 * (
            d[level + 1, row, column + 1]
            - d[level + 1, row, column - 1]
            - d[level - 1, row, column + 1]
            + d[level - 1, row, column - 1]
        )
        yz = 0.25 * (
            d[level + 1, row + 1, column]
            - d[level + 1, row - 1, column]
            - d[level - 1, row + 1, column]
            + d[level - 1, row - 1, column]
        )
        # the inverse of the symmetric matrix of second derivatives, by cofactors
        xx_i, xy_i, xz_i = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
        yy_i, yz_i, zz_i = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
        determinant = xx * xx_i + xy * xy_i + xz * xz_i
        if determinant == 0:
            break
        x = -(xx_i * x1 + xy_i * y1 + xz_i * z1) / determinant
        y = -(xy_i * x1 + yy_i * y1 + yz_i * z1) / determinant
        z = -(xz_i * x1 + yz_i * y1 + zz_i * z1) / determinant
        reach = 0.5 if move < _MOVES - 1 else 1.0
        if max(abs(x), abs(y), abs(z)) <= reach:
            flatness = xx * yy - xy * xy
            edge = (xx + yy) ** 2 / flatness if flatness > 0 else np.inf
            return column + x, row + y, level + z, value + 0.5 * (x1 * x + y1 * y + z1 * z), edge
        column += int(x > 0.5) - int(x < -0.5)
        row += int(y > 0.5) - int(y < -0.5)
        level += int(z > 0.5) - int(z < -0.5)
        if min(column, row, level) < 1 or column > columns - 2 or row > rows - 2 or level > count - 2:
            break
    return 0.0, 0.0, 0.0, 0.0, np.inf


@_kernel
def oriented(magnitude, direction, places):  # type: ignore[no-untyped-def]
    """Return (m, 4) x, y, scale, orientation of (n, 3) places x, y, scale: once for each strong direction."""
    rows, columns = magnitude.shape
    found = []
    histogram = np.empty(_ORIENTATION_BINS)
    smoothed = np.empty(_ORIENTATION_BINS)
    for index in range(len(places)):
        x, y, scale = places[index, 0], places[index, 1], places[index, 2]
        sigma = _ORIENTATION_SIGMAS * scale
        radius = int(3 * sigma + 0.5)
        middle_x, middle_y = int(x + 0.5), int(y + 0.5)
        first, past = max(middle_x - radius, 1), min(middle_x + radius, columns - 2) + 1
        profile = np.exp(-((np.arange(first, past) - x) ** 2) / (2 * sigma * sigma))
        histogram[:] = 0
        for row in range(max(middle_y - radius, 1), min(middle_y + radius, rows - 2) + 1):
            weight = np.exp(-((row - y) ** 2) / (2 * sigma * sigma))
            for column in range(first, past):
                bin_index = int(direction[row, column] * (_ORIENTATION_BINS / (2 * np.pi))) % _ORIENTATION_BINS
                histogram[bin_index] += magnitude[row, column] * weight * profile[column - first]
        for _ in range(2):
            for k in range(_ORIENTATION_BINS):
                smoothed[k] = (histogram[k - 1] + histogram[k] + histogram[(k + 1) % _ORIENTATION_BINS]) / 3
            histogram[:] = smoothed
        enough = _SECOND_ORIENTATION * histogram.max()
        for k in range(_ORIENTATION_BINS):
            before, here, after = histogram[k - 1], histogram[k], histogram[(k + 1) % _ORIENTATION_BINS]
            if here >= enough and here > before and here > after:
                vertex = 0.5 * (before - after) / (before - 2 * here + after)
                found.append((x, y, scale, (k + 0.5 + vertex) * (2 * np.pi / _ORIENTATION_BINS)))
    result = np.empty((len(found), 4))
    for index in range(len(found)):
        result[index, 0], result[index, 1], result[index, 2], result[index, 3] = found[index]
    return result


@_kernel
def described(magnitude, direction, places, spacing, window, cells):  # type: ignore[no-untyped-def]
    """Return the descriptors of (n, 4) places x, y, scale, orientation.

    ``spacing`` is the distance of samples in scales, ``window`` their weight, ``cells`` where their lines lie.
    """
    rows, columns = magnitude.shape
    side = len(cells)
    size = int(round(cells[-1] + 0.5 + 0.5 / _DIRECTIONS))
    histogram = np.empty((size + 2, size + 2, _DIRECTIONS))
    descriptors = np.zeros((len(places), size * size * _DIRECTIONS), dtype=np.float32)
    for index in range(len(places)):
        x, y, orientation = places[index, 0], places[index, 1], places[index, 3]
        step = spacing * places[index, 2]
        along_x, along_y = step * np.cos(orientation), step * np.sin(orientation)
        histogram[:] = 0
        for i in range(side):
            v = i - 0.5 * (side - 1)
            # cell -1 and cell size of the histogram catch what falls outside
            upper = int(cells[i] + 1)
            lower_share = cells[i] + 1 - upper
            for j in range(side):
                u = j - 0.5 * (side - 1)
                column = int(x + along_x * u - along_y * v + 0.5)
                row = int(y + along_y * u + along_x * v + 0.5)
                if column < 1 or row < 1 or column > columns - 2 or row > rows - 2:
                    continue
                turned = (direction[row, column] - orientation) * (_DIRECTIONS / (2 * np.pi)) + 2 * _DIRECTIONS
                bin_index = int(turned)
                second_share = turned - bin_index
                first, second = bin_index % _DIRECTIONS, (bin_index + 1) % _DIRECTIONS
                left = int(cells[j] + 1)
                right_share = cells[j] + 1 - left
                weight = magnitude[row, column] * window[i, j]
                upper_left = weight * (1 - lower_share) * (1 - right_share)
                upper_right = weight * (1 - lower_share) * right_share
                lower_left = weight * lower_share * (1 - right_share)
                lower_right = weight * lower_share * right_share
                histogram[upper, left, first] += upper_left * (1 - second_share)
                histogram[upper, left, second] += upper_left * second_share
                histogram[upper, left + 1, first] += upper_right * (1 - second_share)
                histogram[upper, left + 1, second] += upper_right * second_share
                histogram[upper + 1, left, first] += lower_left * (1 - second_share)
                histogram[upper + 1, left, second] += lower_left * second_share
                histogram[upper + 1, left + 1, first] += lower_right * (1 - second_share)
                histogram[upper + 1, left + 1, second] += lower_right * second_share
        _finish(histogram[1:-1, 1:-1], descriptors[index])
    return descriptors


@_kernel
def _finish(histogram, descriptor):  # type: ignore[no-untyped-def]
    """Write the square roots of the shares of a histogram, after cutting off what single bright edges contribute."""
    length = np.sqrt((histogram * histogram).sum())
    if length == 0:
        return
    total = 0.0
    position = 0
    for i in range(histogram.shape[0]):
        for j in range(histogram.shape[1]):
            for k in range(histogram.shape[2]):
                share = min(histogram[i, j, k] / length, _LARGEST_SHARE)
                descriptor[position] = share
                total += share
                position += 1
    for position in range(len(descriptor)):
        descriptor[position] = np.sqrt(descriptor[position] / total)
