"""Matches of tile pairs: from images of tiles and where they lie to records as Render keeps them.

Each pair is tried in turn by correlation around the place where its tiles lie, by features near that place, and by
features anywhere. What features have found is found again by correlation where the images are like enough, which gives
more matches, better spread. Everything depends on the two tiles alone, not on the order or number of pairs.
"""

import re
import zlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.correlation import Image, overlap_box
from rendermodules.core.estimation import composed, inverted, transformed
from rendermodules.core.features import Features, SiftParameters, clipped_features, facing_strip
from rendermodules.core.match_frames import MatchFrame, expected_place
from rendermodules.core.matching import (
    CorrelationParameters,
    FeatureParameters,
    MatchedPair,
    matched_by_correlation,
    matched_by_features,
    no_matches,
)
from rendermodules.core.pointmatches import (
    PointMatches,
    RelativePosition,
    capped,
    is_canonical,
    point_matches,
    renamed,
    render_order,
)
from rendermodules.core.sections import TileSpec
from rendermodules.core.tile_pairs import NeighborPair

UNREADABLE = "image cannot be read"
"""Why pairs are dropped whose images are missing or damaged; the details follow in parentheses."""

NOT_IN_STACK = "tile not in the stack"
"""Why pairs are dropped of which a tile is missing."""

_REFINING_RADIUS = 12.0

# two sections do not show the same everywhere
_AGREEMENT_ACROSS_SECTIONS = 0.6


@dataclass(frozen=True)
class TileImage:
    """The image of a tile as it is matched.

    Attributes
    ----------
    pixels : (rows, columns) array
        Gray, of any type.
    mask : (rows, columns) uint8 array, optional
        Pixels where it is 0 are not used.
    to_frame : (2, 3) float array
        From pixels of the image to the frame of the tile's matches.
    key : hashable
        Different for different images, so that what is derived from them can be kept.
    """

    pixels: Image
    mask: Image | None
    to_frame: NDArray[np.float64]
    key: Hashable

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays."""
        return self.pixels.nbytes + (0 if self.mask is None else self.mask.nbytes)


ImageOf = Callable[[TileSpec, MatchFrame], TileImage]
"""Gives the image of a tile; an OSError if it cannot be had."""

FeaturesOf = Callable[[TileImage, SiftParameters, NDArray[np.intp]], Features]
"""Gives the features of a box of an image, in pixels of the image."""


@dataclass(frozen=True)
class TileMatching:
    """How pairs of tiles are matched; lengths are pixels of the images.

    Attributes
    ----------
    correlation : CorrelationParameters, optional
        Absent: pairs are matched by features only.
    features : FeatureParameters, optional
        Absent: pairs are matched by correlation only.
    clip_width, clip_height : int, optional
        Features are sought in strips of this width or height that face each other, where a pair tells how its tiles
        lie; otherwise in what they are expected to share.
    margin : float
        By how much that is grown on all sides.
    near_within, near_across : bool
        Whether pairs of one z, and of two, are only looked for near the expected place. Otherwise whole tiles are
        compared when nothing is found there.
    min_matches : int
        Pairs with fewer are dropped.
    max_matches : int, optional
        Of more, so many are kept, at random.
    """

    correlation: CorrelationParameters | None
    features: FeatureParameters | None
    clip_width: int | None
    clip_height: int | None
    margin: float
    near_within: bool
    near_across: bool
    min_matches: int
    max_matches: int | None

    @cached_property
    def across_sections(self) -> "TileMatching":
        """The same for tiles of two sections."""
        if self.correlation is None:
            return self
        return replace(self, correlation=replace(self.correlation, min_agreement=_AGREEMENT_ACROSS_SECTIONS))


class Canvas(NamedTuple):
    """One side of a pair: its section, its tile, and how it lies to the other side if that is known."""

    group_id: str
    id: str
    position: RelativePosition | None = None

    @property
    def name(self) -> tuple[str, str]:
        """Group id and id."""
        return self.group_id, self.id


class CanvasPair(NamedTuple):
    """Two tiles to match, in Render's order."""

    p: Canvas
    q: Canvas


@dataclass(frozen=True)
class PairOutcome:
    """What came of a pair.

    Attributes
    ----------
    pair : CanvasPair
    matches : list of PointMatches
        In the frames of the two tiles; several for several consensus sets; none when the pair was dropped.
    method : str, optional
        "correlation" or "features"; absent without matches.
    reason : str, optional
        Why there are none, figures in parentheses.
    rms : float
        How far the points are off one model, root mean square, in pixels of the images.
    dropped : dict of str to int
        What was dropped on the way, by step and reason.
    """

    pair: CanvasPair
    matches: list[PointMatches]
    method: str | None
    reason: str | None
    rms: float = float("nan")
    dropped: dict[str, int] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The reason without figures, under which like pairs are counted."""
        return re.sub(r" \(.*?\)(?=[:;]|$)", "", self.reason or "")


def canvas_pair(record: NeighborPair) -> CanvasPair:
    """Return a pair of a pair file, its tiles in Render's order."""
    p, q = (
        Canvas(str(one["groupId"]), str(one["id"]), one.get("relativePosition")) for one in (record["p"], record["q"])
    )
    return CanvasPair(p, q) if is_canonical(p.name, q.name) else CanvasPair(q, p)


def canvas_pairs(records: Iterable[NeighborPair]) -> tuple[list[CanvasPair], dict[str, int]]:
    """Return the pairs of pair files, each once, in Render's order, and how many were left out for what reason."""
    pairs: dict[tuple[tuple[str, str], tuple[str, str]], CanvasPair] = {}
    dropped = {"repeated": 0, "of a tile with itself": 0}
    for record in records:
        pair = canvas_pair(record)
        name = (pair.p.name, pair.q.name)
        if pair.p.name == pair.q.name:
            dropped["of a tile with itself"] += 1
        elif name in pairs:
            dropped["repeated"] += 1
        else:
            pairs[name] = pair
    ordered = [pairs[name] for name in sorted(pairs, key=_in_render_order)]
    return ordered, {reason: count for reason, count in dropped.items() if count}


def _in_render_order(name: tuple[tuple[str, str], tuple[str, str]]) -> list[bytes]:
    (p_group, p_id), (q_group, q_id) = name
    return [render_order(text) for text in (p_group, q_group, p_id, q_id)]


def matched_pairs(
    pairs: Iterable[CanvasPair],
    tiles: Mapping[str, TileSpec],
    frames: Mapping[str, MatchFrame],
    matching: TileMatching,
    image_of: ImageOf,
    features_of: FeaturesOf,
    seed: int,
) -> Iterator[PairOutcome]:
    """Give what comes of each of some pairs, in their order.

    Parameters
    ----------
    pairs : iterable of CanvasPair
        Which tiles are matched.
    tiles : mapping of str to dict
        Tile specs by id; of a pair with one that is missing nothing comes.
    frames : mapping of str to MatchFrame
        Of the same tiles.
    matching : TileMatching
        How they are matched.
    image_of, features_of : callable
        See `ImageOf` and `FeaturesOf`; both are asked repeatedly for the same, and should keep what they gave.
    seed : int
        Of random choices; each pair has its own, made of this one and its ids.
    """
    for pair in pairs:
        missing = [side for side in pair if side.id not in tiles]
        if missing:
            yield PairOutcome(pair, [], None, NOT_IN_STACK)
            continue
        p_tile, q_tile = (tiles[side.id] for side in pair)
        p_frame, q_frame = (frames[side.id] for side in pair)
        try:
            images = image_of(p_tile, p_frame), image_of(q_tile, q_frame)
        except OSError as error:
            yield PairOutcome(pair, [], None, f"{UNREADABLE} ({error})")
            continue
        within = p_tile.get("z") == q_tile.get("z")
        own = matching if within else matching.across_sections
        near_only = matching.near_within if within else matching.near_across
        expected = expected_place(p_frame, q_frame)
        own_seed = pair_seed(pair, seed)
        yield matched_canvases(pair, *images, expected, own, features_of, own_seed, near_only=near_only)


def matched_canvases(
    pair: CanvasPair,
    p: TileImage,
    q: TileImage,
    expected: NDArray[np.float64] | None,
    matching: TileMatching,
    features_of: FeaturesOf,
    seed: int,
    *,
    near_only: bool,
) -> PairOutcome:
    """Return what comes of one pair.

    Parameters
    ----------
    pair : CanvasPair
        Ids for the records.
    p, q : TileImage
        Images of the two tiles.
    expected : (2, 3) float array, optional
        From the frame of p to the frame of q; without it features are sought in the whole tiles.
    matching : TileMatching
        How they are matched.
    features_of : callable
        See `FeaturesOf`.
    seed : int
        Of random choices.
    near_only : bool
        Do not look beyond the expected place.
    """
    on_q = None if expected is None else composed(composed(p.to_frame, expected), inverted(q.to_frame))
    found = _matched_images(pair, p, q, on_q, matching, features_of, seed, near_only=near_only)
    if found.reason is None and len(found.p) < matching.min_matches:
        reason = f"too few matches ({len(found.p)} of {matching.min_matches})"
        found = no_matches(reason, found.dropped)
    if found.reason is not None:
        return PairOutcome(pair, [], None, found.reason, dropped=found.dropped)
    p_points, q_points = transformed(p.to_frame, found.p), transformed(q.to_frame, found.q)
    records = _records(pair, p_points, q_points, found.set_sizes, matching.max_matches, seed)
    return PairOutcome(pair, records, found.method, None, found.rms, found.dropped)


def _matched_images(
    pair: CanvasPair,
    p: TileImage,
    q: TileImage,
    expected: NDArray[np.float64] | None,
    matching: TileMatching,
    features_of: FeaturesOf,
    seed: int,
    *,
    near_only: bool,
) -> MatchedPair:
    """Return the matches in pixels of the images, by the first way that finds any."""
    correlation, features = matching.correlation, matching.features
    tried: list[tuple[str, MatchedPair]] = []
    if correlation is not None and expected is not None:
        found = matched_by_correlation(p.pixels, q.pixels, expected, correlation, p.mask, q.mask)
        if found.reason is None:
            return found
        tried.append(("correlation", found))
    if features is None:
        return _none_of(tried)
    places: dict[str, NDArray[np.float64] | None] = {} if expected is None else {"features": expected}
    if expected is None or not near_only:
        places["features anywhere"] = None
    for way, place in places.items():
        p_box, q_box = _boxes(pair, p, q, place, matching)
        p_features, q_features = features_of(p, features.sift, p_box), features_of(q, features.sift, q_box)
        area = float(np.prod(q_box[1] - q_box[0]))
        found = matched_by_features(p_features, q_features, features, area, seed, place)
        if found.reason is None:
            return _refined(p, q, found, matching)
        tried.append((way, found))
    return _none_of(tried)


def _boxes(
    pair: CanvasPair, p: TileImage, q: TileImage, expected: NDArray[np.float64] | None, matching: TileMatching
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the parts of the two images in which features are sought."""
    shapes = p.pixels.shape[:2], q.pixels.shape[:2]
    positions = pair.p.position, pair.q.position
    clip = matching.clip_width, matching.clip_height
    if clip != (None, None) and positions[0] is not None and positions[1] is not None:
        return facing_strip(shapes[0], positions[0], *clip), facing_strip(shapes[1], positions[1], *clip)
    if expected is None:
        return np.array([[0, 0], shapes[0][::-1]]), np.array([[0, 0], shapes[1][::-1]])
    return (
        overlap_box(shapes[0], shapes[1], expected, matching.margin),
        overlap_box(shapes[1], shapes[0], inverted(expected), matching.margin),
    )


def _refined(p: TileImage, q: TileImage, found: MatchedPair, matching: TileMatching) -> MatchedPair:
    """Return what correlation finds where features have found the place, or else what these have found."""
    correlation = matching.correlation
    if correlation is None or found.matrix is None or len(found.set_sizes) > 1:
        return found
    radius = min(correlation.search_radius, _REFINING_RADIUS)
    refined = matched_by_correlation(
        p.pixels, q.pixels, found.matrix, replace(correlation, search_radius=radius), p.mask, q.mask
    )
    return refined if refined.reason is None and len(refined.p) >= matching.min_matches else found


def _none_of(tried: list[tuple[str, MatchedPair]]) -> MatchedPair:
    """Return the result without points, with the reasons of all ways that were tried."""
    if not tried:
        return no_matches("the tiles are not placed, and only correlation was to be tried", {})
    reasons = [f"{way}: {found.reason}" for way, found in tried]
    dropped = {name: count for _, found in tried for name, count in found.dropped.items()}
    return no_matches("; ".join(reasons), dropped)


def _records(
    pair: CanvasPair,
    p: NDArray[np.float64],
    q: NDArray[np.float64],
    set_sizes: tuple[int, ...],
    max_matches: int | None,
    seed: int,
) -> list[PointMatches]:
    """Return the points as records; several consensus sets get tile ids of their own.

    Notes
    -----
    Java: MultiConsensus canvas ids and ``consensusSetData``.
    """
    ends = np.cumsum(set_sizes)
    records = []
    for index, (start, end) in enumerate(zip(ends - set_sizes, ends, strict=True)):
        one = point_matches(pair.p.name, pair.q.name, p[start:end], q[start:end])
        if len(set_sizes) > 1:
            suffix = f"_set_{pair.p.group_id}_{pair.q.group_id}_{index}"
            data = {"index": index, "originalPId": pair.p.id, "originalQId": pair.q.id}
            names = ((side.group_id, f"{side.id}{suffix}") for side in pair)
            one = renamed(replace(one, consensus_set=data), *names)
        records.append(one if max_matches is None else capped(one, max_matches, seed))
    return records


def pair_seed(pair: CanvasPair, seed: int) -> int:
    """Return the seed of a pair's random choices, which depends on nothing but its ids and ``seed``."""
    return zlib.crc32("\0".join([*pair.p.name, *pair.q.name]).encode("utf-8", "surrogatepass"), seed & 0xFFFFFFFF)


def plain_features(image: TileImage, parameters: SiftParameters, box: NDArray[np.intp]) -> Features:
    """Return the features of a box of an image, computed anew each time."""
    return clipped_features(image.pixels, parameters, box, image.mask)
