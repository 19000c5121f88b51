"""Tiles that have moved in another way than their neighbours while a section was stitched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rendermodules.core.connectivity import component_labels, pair_counts
from rendermodules.core.geometry import boxes_near
from rendermodules.core.sections import Section
from rendermodules.core.solve.arrays import BoolArray, FloatArray, IntArray
from rendermodules.core.transforms import tiles_outlines


@dataclass(frozen=True)
class Inconsistencies:
    """How neighbours have moved against each other.

    Attributes
    ----------
    edges : (e, 2) int array
        Tiles that are neighbours.
    moves : (e,) float array
        By how much they have moved against each other, world pixels, a rotation of the whole section left out.
    component : (t,) int array
        Tiles of one number hang together by neighbours that have not moved against each other by too much.
    """

    edges: IntArray
    moves: FloatArray
    component: IntArray

    def in_large_components(self, least: int | None) -> BoolArray:
        """Return which tiles (t,) are in the largest component, or in one of at least so many tiles."""
        if not len(self.component):
            return np.zeros(0, dtype=bool)
        sizes = np.bincount(self.component)
        kept = np.arange(len(sizes)) == np.argmax(sizes)
        if least is not None:
            kept |= sizes >= least
        result: BoolArray = kept[self.component]
        return result


def neighbour_edges(section: Section, reach: float | None) -> IntArray:
    """Return which tiles (e, 2) of a section overlap and are neighbours.

    Parameters
    ----------
    section : Section
    reach : float or None
        Their middles are no farther apart, world pixels. By default those beyond a corner are no neighbours: the middle
        of one lies within the extent of the other along x or along y.
    """
    outlines = tiles_outlines(section.tiles, section.transforms)
    boxes = np.concatenate([outlines.min(axis=1), outlines.max(axis=1)], axis=1)
    edges = boxes_near(boxes, boxes)
    edges = edges[edges[:, 0] < edges[:, 1]]
    p, q = edges.T
    middles = outlines.mean(axis=1)
    if reach is None:
        near = _beside(middles[q], boxes[p]) | _beside(middles[p], boxes[q])
    else:
        near = np.linalg.norm(middles[p] - middles[q], axis=1) <= reach
    return edges[near].astype(np.int64)


def _beside(points: FloatArray, boxes: FloatArray) -> BoolArray:
    """Return which points (n, 2) lie within the extent of a box (n, 4) along x or along y."""
    within = (boxes[:, :2] <= points) & (points <= boxes[:, 2:])
    return np.asarray(within.any(axis=1))


def inconsistencies(before: Section, after: Section, tolerance: float, reach: float | None = None) -> Inconsistencies:
    """Return how the tiles of a stitched section have moved against their neighbours.

    Parameters
    ----------
    before, after : Section
        The same tiles, in the same order, before and after they were stitched.
    tolerance : float
        Neighbours that have moved against each other by more do not hang together, world pixels.
    reach : float, optional
        Which tiles are neighbours, by where they lay before; see `neighbour_edges`.

    Notes
    -----
    Tiles are followed by their middles. A rotation of the section as a whole is no mistake: it is taken as the median
    of those of the lines between neighbours, which wrong tiles do not change.
    """
    middles = [tiles_outlines(one.tiles, one.transforms).mean(axis=1) for one in (before, after)]
    edges = neighbour_edges(before, reach)
    lines = [points[edges[:, 1]] - points[edges[:, 0]] for points in middles]
    old, new = (line[:, 0] + 1j * line[:, 1] for line in lines)
    turn = float(np.median(np.angle(new * np.conj(old)))) if len(edges) else 0.0
    moves = np.abs(new - old * np.exp(1j * turn))
    component = component_labels(len(before.tiles), edges[moves <= tolerance])
    return Inconsistencies(edges, moves, component)


def outer_tiles(section: Section, fewest: int, reach: float | None = None) -> BoolArray:
    """Return which tiles (t,) have fewer neighbours than this; see `neighbour_edges`."""
    outer: BoolArray = pair_counts(len(section.tiles), neighbour_edges(section, reach)) < fewest
    return outer
