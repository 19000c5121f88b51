"""Matches of pairs of canvases: what both matching clients share.

A canvas is what a URL of render parameters shows, a tile most often. It is drawn here, once for all its pairs as long
as its features fit into memory.
"""

import logging
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import cv2
import numpy as np

from rendermodules.core.consensus import ConsensusParameters
from rendermodules.core.estimation import MINIMUM_POINTS, PlanarModel
from rendermodules.core.features import Features, SiftParameters, facing_strip, sift_features
from rendermodules.core.matching import FeatureParameters, MatchedPair, matched_by_features
from rendermodules.core.pointmatches import PointMatches, RelativePosition, canonical, canvas_matches
from rendermodules.io.image_cache import BytesBoundedCache
from rendermodules.render_ws.clients.arguments import (
    Option,
    Takes,
    UsageError,
    choice,
    number,
    switch,
    text,
    unused,
    whole,
)
from rendermodules.render_ws.clients.drawing import parameters_at, renderer
from rendermodules.render_ws.rendering.output import gray

logger = logging.getLogger(__name__)

MATCH_OPTIONS: tuple[Option, ...] = (
    number("renderScale", "pixels that are matched per pixel of a canvas", 1.0),
    switch("fillWithNoise", "show noise where canvases are transparent", True),
    whole("clipWidth", "match only so wide strips of LEFT and RIGHT canvases, in full-scale pixels"),
    whole("clipHeight", "match only so high strips of TOP and BOTTOM canvases, in full-scale pixels"),
    whole("SIFTfdSize", "cells along each side of a descriptor", 8),
    number("SIFTminScale", "smallest size of the octaves relative to the canvas", 0.5),
    number("SIFTmaxScale", "largest size of the octaves relative to the canvas", 0.85),
    whole("SIFTsteps", "scales per octave", 3),
    number("matchRod", "a feature's best partner must be nearer than this times the second best", 0.92),
    choice("matchModelType", "on what matches have to agree", MINIMUM_POINTS, "AFFINE"),
    choice("matchRegularizerModelType", "stiffer model to blend in", MINIMUM_POINTS),
    number("matchInterpolatedModelLambda", "part of the stiffer model, 0 to 1"),
    whole("matchIterations", "random samples that are tried", 1000),
    number("matchMaxEpsilon", "how far matches may be off, in pixels that are matched (default: 20)"),
    number("matchMaxEpsilonFullScale", "how far matches may be off, in pixels of the canvas"),
    number("matchMinInlierRatio", "part of the candidates that must agree", 0.0),
    whole("matchMinNumInliers", "candidates that must agree", 4),
    whole("matchMaxNumInliers", "keep a random part of more"),
    number("matchMaxTrust", "drop matches that are farther off than this times the median", 3.0),
    choice(
        "matchFilter",
        "how matches are filtered",
        ("NONE", "SINGLE_SET", "CONSENSUS_SETS", "AGGREGATED_CONSENSUS_SETS"),
        "SINGLE_SET",
    ),
    whole("numberOfThreads", "pairs that are matched at the same time", 1),
    number("maxFeatureCacheGb", "gigabytes of features that are kept", 2.0),
    unused("matchFullScaleCoverageRadius"),
    number("matchMinCoveragePercentage", "has no stand-in"),
    switch("gdEnabled", "geometric descriptors, which have no stand-in", False),
    text("rootFeatureDirectory", "accepted, has no effect: features are kept in memory"),
    unused("requireStoredFeatures", Takes.PERHAPS_TRUTH),
)

DEFAULT_EPSILON = 20.0
CONSENSUS_TRUST = 4.0
_GIGABYTE = 1e9
_OPPOSITE: dict[RelativePosition, RelativePosition] = {"LEFT": "RIGHT", "RIGHT": "LEFT", "TOP": "BOTTOM"}
_OPPOSITE["BOTTOM"] = "TOP"
_SEED = 0


Named = Callable[[str, Mapping[str, Any]], tuple[str, str]]
"""Returns group and id of a canvas from its URL and render parameters."""


@dataclass(frozen=True)
class Canvas:
    """What is matched.

    Attributes
    ----------
    url : str
        Of the render parameters.
    group, id : str, optional
        Under which matches are stored; by default what the caller makes of the render parameters.
    position : str, optional
        Where it lies in its pair.
    """

    url: str
    group: str | None = None
    id: str | None = None
    position: RelativePosition | None = None


@dataclass(frozen=True)
class _Described:
    """Features of a canvas, in pixels that are matched, and what is needed to store matches of it."""

    parameters: dict[str, Any]
    features: Features
    area: float
    offset: tuple[float, float]

    @property
    def bytes(self) -> int:
        arrays = (self.features.points, self.features.scales, self.features.orientations, self.features.descriptors)
        return sum(array.nbytes for array in arrays)


class CanvasMatcher:
    """Matches pairs of canvases.

    Parameters
    ----------
    options : namespace
        Values of `MATCH_OPTIONS`.
    named : callable, optional
        Returns group and id of a canvas from its URL and render parameters; needed for canvases that do not say them.

    Raises
    ------
    UsageError
        Something is asked for that has no stand-in, or two options contradict each other.
    ValueError
        A parameter is outside of its range.
    """

    def __init__(self, options: Any, named: Named | None = None) -> None:
        self._options = options
        self._named = named
        self._parameters = feature_parameters(options)
        self._threads = max(options.numberOfThreads, 1)
        if self._threads > 1:
            # pairs are enough to keep the processors busy
            cv2.setNumThreads(1)
        self._renderer = renderer(threads=1 if self._threads > 1 else None)
        self._kept: BytesBoundedCache[_Described] = BytesBoundedCache(int(options.maxFeatureCacheGb * _GIGABYTE))

    def matches(self, pairs: Iterable[tuple[Canvas, Canvas]]) -> Iterator[dict[str, Any]]:
        """Yield the matches of pairs as Render's JSON, in their order; pairs without any are left out.

        The results do not hang on the number of threads.

        Raises
        ------
        RequestFailed, OSError, ValueError
            Render parameters or images cannot be had, or cannot be drawn.
        """
        waiting = iter(pairs)
        with ThreadPoolExecutor(self._threads) as pool:
            # a bounded number at a time, so that an error ends the run soon
            while some := list(islice(waiting, 4 * self._threads)):
                for found in pool.map(self._matched, some):
                    yield from found

    def _matched(self, pair: tuple[Canvas, Canvas]) -> list[dict[str, Any]]:
        p, q = pair
        p_described, q_described = self._described(p), self._described(q)
        found = matched_by_features(
            p_described.features, q_described.features, self._parameters, q_described.area, _SEED
        )
        p_name, q_name = self._name(p, p_described), self._name(q, q_described)
        reason = found.reason or f"{len(found.p)} matches"
        logger.info("%s and %s: %s", p_name[1], q_name[1], reason)
        p_points = found.p / self._options.renderScale + p_described.offset
        q_points = found.q / self._options.renderScale + q_described.offset
        return [
            canvas_matches(one)
            for one in _records(p_name, q_name, p_points, q_points, found, self._options.matchFilter)
        ]

    def _described(self, canvas: Canvas) -> _Described:
        key = (canvas.url, canvas.position)
        return self._kept.value(key, partial(self._made, canvas), lambda described: described.bytes)

    def _made(self, canvas: Canvas) -> _Described:
        parameters, offset = self._drawn_part(parameters_at(canvas.url), canvas.position)
        drawn = self._renderer.render(parameters)
        image = gray(drawn)
        mask = None if drawn.mask is None else drawn.mask[: image.shape[0], : image.shape[1]]
        features = sift_features(image, self._parameters.sift, mask)
        brief = {"tileSpecs": parameters["tileSpecs"][:1]}
        return _Described(brief, features, float(image.size), offset)

    def _drawn_part(
        self, parameters: dict[str, Any], position: RelativePosition | None
    ) -> tuple[dict[str, Any], tuple[float, float]]:
        """Return render parameters at the scale of the options, of the strip that faces the partner; and its offset."""
        drawn = {**parameters, "scale": self._options.renderScale, "fillWithNoise": self._options.fillWithNoise}
        if position is None:
            return drawn, (0.0, 0.0)
        width, height = int(parameters["width"]), int(parameters["height"])
        (x, y), (past_x, past_y) = facing_strip(
            (height, width), position, self._options.clipWidth, self._options.clipHeight
        ).tolist()
        box = {"x": parameters["x"] + x, "y": parameters["y"] + y, "width": past_x - x, "height": past_y - y}
        return {**drawn, **box}, (float(x), float(y))

    def _name(self, canvas: Canvas, described: _Described) -> tuple[str, str]:
        if canvas.group is not None and canvas.id is not None:
            return canvas.group, canvas.id
        if self._named is None:
            raise ValueError(f"{canvas.url}: has no name to store matches under")
        return self._named(canvas.url, described.parameters)


def feature_parameters(options: Any) -> FeatureParameters:
    """Return the parameters of matching that `MATCH_OPTIONS` stand for; errors as of `CanvasMatcher`."""
    if options.gdEnabled:
        raise UsageError("--gdEnabled true has no stand-in: geometric descriptors are not matched")
    if options.matchMinCoveragePercentage is not None:
        raise UsageError("--matchMinCoveragePercentage has no stand-in")
    if (options.matchRegularizerModelType is None) != (options.matchInterpolatedModelLambda is None):
        raise UsageError("--matchRegularizerModelType and --matchInterpolatedModelLambda belong together")
    if not options.renderScale > 0:
        raise UsageError("--renderScale must be above 0")
    epsilon = DEFAULT_EPSILON if options.matchMaxEpsilon is None else options.matchMaxEpsilon
    if options.matchMaxEpsilonFullScale is not None:
        epsilon = options.matchMaxEpsilonFullScale * options.renderScale
    in_sets = options.matchFilter.endswith("CONSENSUS_SETS")
    consensus = ConsensusParameters(
        model=PlanarModel(
            options.matchModelType, options.matchRegularizerModelType, options.matchInterpolatedModelLambda or 0.0
        ),
        match_filter=options.matchFilter,
        iterations=options.matchIterations,
        max_epsilon=epsilon,
        min_inlier_ratio=options.matchMinInlierRatio,
        min_num_inliers=options.matchMinNumInliers,
        max_trust=CONSENSUS_TRUST if in_sets else options.matchMaxTrust,
        max_num_inliers=options.matchMaxNumInliers,
    )
    sift = SiftParameters(options.SIFTfdSize, options.SIFTminScale, options.SIFTmaxScale, options.SIFTsteps)
    # as in Java, what agrees is believed wherever it leads
    return FeatureParameters(sift, options.matchRod, consensus, max_chance=math.inf, max_offset=math.inf)


def facing_pair(p: Canvas, q: Canvas, p_position: RelativePosition) -> tuple[Canvas, Canvas]:
    """Return two canvases that lie side by side, the first on this side of the second."""
    return (
        Canvas(p.url, p.group, p.id, p_position),
        Canvas(q.url, q.group, q.id, _OPPOSITE[p_position]),
    )


def _records(
    p_name: tuple[str, str],
    q_name: tuple[str, str],
    p_points: Any,
    q_points: Any,
    found: MatchedPair,
    match_filter: str,
) -> Iterator[PointMatches]:
    """Yield the matches of a pair, for each consensus set if they are kept apart, in Render's order.

    Java: sets get ids with ``_set_{pGroup}_{qGroup}_{index}`` behind them, and remember the ids of the canvases.
    """
    ends = np.cumsum(found.set_sizes, dtype=int)
    parts: Sequence[Any] = list(zip(np.split(p_points, ends[:-1]), np.split(q_points, ends[:-1]), strict=True))
    for index, (p, q) in enumerate(parts if len(found.p) else ()):
        ids, consensus = (p_name[1], q_name[1]), None
        if match_filter == "CONSENSUS_SETS" and len(parts) > 1:
            consensus = {"index": index, "originalPId": ids[0], "originalQId": ids[1]}
            suffix = f"_set_{p_name[0]}_{q_name[0]}_{index}"
            ids = (ids[0] + suffix, ids[1] + suffix)
        yield canonical(
            PointMatches(p_name[0], ids[0], q_name[0], ids[1], p, q, np.ones(len(p)), consensus_set=consensus)
        )
