"""What modules that match pairs of tiles have in common: their parameters, and the work on some pairs.

A worker keeps images and features that it has read or made, so that a tile with several partners is read about once.
"""

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from marshmallow import ValidationError, validates_schema

from rendermodules.core.sections import TileSpec, TransformSpec
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.executors import one_thread_each
from rendermodules.module.fields import Bool, Float, Int, OutputDir, Str
from rendermodules.module.schemas import DefaultSchema

if TYPE_CHECKING:
    from rendermodules.core.match_frames import MatchFrame
    from rendermodules.core.tile_matching import (
        CanvasPair,
        FeaturesOf,
        ImageOf,
        PairOutcome,
        TileImage,
        TileMatching,
    )
    from rendermodules.io.tile_images import TileImageOptions

_MODELS = ["TRANSLATION", "RIGID", "SIMILARITY", "AFFINE"]
_FILTERS = ["NONE", "SINGLE_SET", "CONSENSUS_SETS", "AGGREGATED_CONSENSUS_SETS"]
_OFFSET_RADII = 4.0
_GIB = 1 << 30


class MatchedImageParameters(DefaultSchema):
    """Which images are matched. Render pixels are those of the images as they are matched, at renderScale."""

    renderScale = Float("pixels of the matched images per pixel of the tile", default=1.0, minimum=0.01, maximum=1)
    num_local_transforms = Int(
        "how many of a tile's transforms, lists and references taken apart, are applied before it is matched: matches "
        "are in pixels after them. By default up to the last one labelled lens, or else all but the last, at most two",
        minimum=0,
    )
    image_source = Str(
        "who reads the images: local files of the tiles, or the Render service, which sends them in 8 bit",
        default="local",
        choices=["local", "service"],
    )
    channel = Str("channel of tiles with several; the first by default")
    renderWithoutMask = Bool("take no notice of masks", default=False)
    renderWithFilter = Bool(
        "even out the local contrast of the images as Render does; helps features where contrast is low", default=False
    )
    image_cache_gb = Float("memory for images that are kept, for each worker process, in GiB", default=1.0, minimum=0)


class FeatureMatchingParameters(DefaultSchema):
    """Features, by Render's names."""

    SIFTfdSize = Int("cells along each side of a descriptor; 4 is quick, 8 tells more apart", default=4, minimum=1)
    SIFTminScale = Float("smallest size at which features are sought, as part of the image", default=0.25, minimum=0)
    SIFTmaxScale = Float("largest size at which features are sought", default=1.0, minimum=0, maximum=1)
    SIFTsteps = Int("scales of features per halving of the size", default=3, minimum=1)
    clipWidth = Int("width of the strips of left and right tiles in which features are sought, tile pixels", minimum=1)
    clipHeight = Int("height of the strips of upper and lower tiles, tile pixels", minimum=1)
    feature_dir = OutputDir("folder in which features are kept for other runs on the same images")
    maxFeatureCacheGb = Float("memory for features, for each worker process, in GiB", default=1.0, minimum=0)

    aliases: ClassVar[Mapping[str, str | None]] = {
        "SIFT_noctave": "SIFTsteps",
        "rootFeatureDirectory": "feature_dir",
        "requireStoredFeatures": None,
    }

    @validates_schema
    def check_scales(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse scales that are not in order."""
        if data["SIFTminScale"] > data["SIFTmaxScale"]:
            raise ValidationError("is greater than SIFTmaxScale", "SIFTminScale")


class ConsensusMatchingParameters(DefaultSchema):
    """On what candidates have to agree, by Render's names."""

    matchRod = Float(
        "a feature's nearest partner must be nearer than this times the second nearest", default=0.92, maximum=1
    )
    matchModelType = Str("model on which candidates have to agree", default="AFFINE", choices=_MODELS)
    matchRegularizerModelType = Str("stiffer model that is blended in", choices=_MODELS)
    matchInterpolatedModelLambda = Float("part of the stiffer model", minimum=0, maximum=1)
    matchIterations = Int("random samples that are tried", default=1000, minimum=1)
    matchMaxEpsilon = Float("candidates agree that are less off than this, render pixels", default=5.0, minimum=0)
    matchMaxEpsilonFullScale = Float("the same in tile pixels, instead of matchMaxEpsilon", minimum=0)
    matchMinInlierRatio = Float("part of the candidates that must agree", default=0.0, minimum=0, maximum=1)
    matchMinNumInliers = Int("matches that a pair must have", default=10, minimum=1)
    matchMaxNumInliers = Int("of more matches only so many are kept, chosen at random", minimum=1)
    matchMaxTrust = Float(
        "candidates farther off than this times the median are dropped, repeatedly", default=3.0, minimum=1
    )
    matchFilter = Str(
        "SINGLE_SET keeps the largest agreeing set, CONSENSUS_SETS all of them under ids of their own (torn or folded "
        "tissue), AGGREGATED_CONSENSUS_SETS all as one, NONE all candidates; only SINGLE_SET goes with correlation",
        default="SINGLE_SET",
        choices=_FILTERS,
    )
    maxChance = Float(
        "sets are dropped that would come up by chance more often than so many times in a pair without anything in "
        "common; 1e300 believes all",
        default=0.01,
        minimum=0,
    )

    aliases: ClassVar[Mapping[str, str | None]] = {
        "ratio_of_dist": "matchRod",
        "RANSAC_outlier": "matchMaxEpsilon",
        "matchMax": "matchMaxNumInliers",
        "fillWithNoise": None,
        "matchFullScaleCoverageRadius": None,
    }

    @validates_schema
    def check_regularizer(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse half a blend of models."""
        if (data.get("matchRegularizerModelType") is None) != (data.get("matchInterpolatedModelLambda") is None):
            message = "goes with matchInterpolatedModelLambda, and the other way round"
            raise ValidationError(message, "matchRegularizerModelType")


class MatchingParameters(MatchedImageParameters, FeatureMatchingParameters, ConsensusMatchingParameters):
    """How pairs of tiles are matched."""

    method = Str(
        "correlation: blocks around the place where tiles lie, quick and exact. sift: features. auto: correlation, and "
        "features where it does not succeed",
        default="auto",
        choices=["auto", "correlation", "sift"],
    )
    search = Str(
        "near: partners are looked for where tiles lie, within searchRadius or maxOffset. anywhere: also in the whole "
        "tiles when nothing is found there. auto: near within a section, anywhere across sections",
        default="auto",
        choices=["auto", "near", "anywhere"],
    )
    searchRadius = Float("how far tiles may be from where they lie, tile pixels", default=80.0, minimum=1)
    maxOffset = Float("the same for features, tile pixels; 4 times searchRadius by default", minimum=1)
    minCorrelation = Float("places that correlate less are not believed", default=0.3, minimum=0, maximum=1)
    blockSize = Int("side of the blocks that are correlated, render pixels", default=64, minimum=12)
    blockCount = Int("blocks, and so about matches, of a pair", default=400, minimum=3)
    blockMaxError = Float("blocks are dropped whose place is less certain than this, render pixels", default=0.5)
    blockMaxDrift = Float("blocks are dropped that are farther off the others than this, render pixels", default=10.0)
    seed = Int("of random choices; each pair has its own, made of this one and its ids", default=0, minimum=0)

    @validates_schema
    def check_method(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse filters that only features know."""
        if data["method"] == "correlation" and data["matchFilter"] != "SINGLE_SET":
            raise ValidationError("goes with method sift", "matchFilter")


@dataclass(frozen=True)
class MatchingOptions:
    """How pairs of tiles are matched, to be sent to workers.

    Attributes
    ----------
    matching : TileMatching
    images : TileImageOptions
    num_local_transforms : int, optional
        See `match_frame`.
    image_source : str
        "local" or "service".
    image_bytes, feature_bytes : int
        What kept images and features may take.
    feature_dir : str, optional
        Where features are written to.
    seed : int
    """

    matching: "TileMatching"
    images: "TileImageOptions"
    num_local_transforms: int | None
    image_source: str
    image_bytes: int
    feature_bytes: int
    feature_dir: str | None
    seed: int


def matching_options(parameters: Mapping[str, Any]) -> MatchingOptions:
    """Return the options that parameters (of a schema with `MatchingParameters`) ask for."""
    from rendermodules.io.tile_images import TileImageOptions

    return MatchingOptions(
        tile_matching(parameters),
        TileImageOptions(
            scale=parameters["renderScale"],
            channel=parameters["channel"],
            masked=not parameters["renderWithoutMask"],
            filtered=parameters["renderWithFilter"],
        ),
        parameters["num_local_transforms"],
        parameters["image_source"],
        round(parameters["image_cache_gb"] * _GIB),
        round(parameters["maxFeatureCacheGb"] * _GIB),
        parameters["feature_dir"],
        parameters["seed"],
    )


def tile_matching(parameters: Mapping[str, Any]) -> "TileMatching":
    """Return how pairs are matched, with all lengths in pixels of the images."""
    from rendermodules.core.tile_matching import TileMatching

    scale = parameters["renderScale"]
    radius = parameters["searchRadius"] * scale
    search = parameters["search"]
    clips = [
        None if parameters[clip] is None else round(parameters[clip] * scale) for clip in ("clipWidth", "clipHeight")
    ]
    with_blocks = parameters["method"] != "sift" and parameters["matchFilter"] == "SINGLE_SET"
    return TileMatching(
        _correlation(parameters, radius) if with_blocks else None,
        _features(parameters, scale, radius) if parameters["method"] != "correlation" else None,
        clips[0],
        clips[1],
        margin=radius,
        near_within=search != "anywhere",
        near_across=search == "near",
        min_matches=parameters["matchMinNumInliers"],
        max_matches=parameters["matchMaxNumInliers"],
    )


def _correlation(parameters: Mapping[str, Any], radius: float) -> Any:
    from rendermodules.core.blocks import BlockParameters
    from rendermodules.core.matching import CorrelationParameters

    blocks = BlockParameters(
        parameters["blockSize"],
        parameters["blockCount"],
        parameters["minCorrelation"],
        parameters["blockMaxError"],
        parameters["blockMaxDrift"],
    )
    return CorrelationParameters(radius, parameters["minCorrelation"], blocks)


def _features(parameters: Mapping[str, Any], scale: float, radius: float) -> Any:
    from rendermodules.core.consensus import ConsensusParameters
    from rendermodules.core.estimation import PlanarModel
    from rendermodules.core.features import SiftParameters
    from rendermodules.core.matching import FeatureParameters

    full_scale_epsilon = parameters["matchMaxEpsilonFullScale"]
    offset = parameters["maxOffset"]
    consensus = ConsensusParameters(
        PlanarModel(
            parameters["matchModelType"],
            parameters["matchRegularizerModelType"],
            parameters["matchInterpolatedModelLambda"] or 0.0,
        ),
        parameters["matchFilter"],
        parameters["matchIterations"],
        parameters["matchMaxEpsilon"] if full_scale_epsilon is None else full_scale_epsilon * scale,
        parameters["matchMinInlierRatio"],
        parameters["matchMinNumInliers"],
        parameters["matchMaxTrust"],
    )
    return FeatureParameters(
        SiftParameters(*(parameters[f"SIFT{name}"] for name in ("fdSize", "minScale", "maxScale", "steps"))),
        parameters["matchRod"],
        consensus,
        parameters["maxChance"],
        _OFFSET_RADII * radius if offset is None else offset * scale,
    )


class MatchedBatch(NamedTuple):
    """What came of some pairs.

    Attributes
    ----------
    outcomes : list of PairOutcome
        In the order of the pairs.
    num_local_transforms : int or None
        The frame of the matches; None when no tile is there.
    """

    outcomes: "list[PairOutcome]"
    num_local_transforms: int | None


def matched_batch(
    pairs: "Sequence[CanvasPair]",
    tiles: Mapping[str, TileSpec],
    options: MatchingOptions,
    connection: Mapping[str, Any],
    shared: Mapping[str, TransformSpec] | None = None,
) -> MatchedBatch:
    """Return what comes of each of some pairs.

    Parameters
    ----------
    pairs : list of CanvasPair
        Best near each other in order, so that images are kept until they are wanted again.
    tiles : mapping of str to dict
        Tile specs by id.
    options : MatchingOptions
    connection : dict
        To the Render service, if that is to send the images.
    shared : dict of str to dict, optional
        The shared transforms that the tiles refer to, if these are not written out.

    Raises
    ------
    RenderModuleError
        Tiles have different numbers of local transforms, so that their matches would be in different frames.
    """
    from rendermodules.core.match_frames import match_frame
    from rendermodules.core.tile_matching import matched_pairs

    wanted = {side.id for pair in pairs for side in pair} & tiles.keys()
    frames = {name: match_frame(tiles[name], shared, options.num_local_transforms) for name in sorted(wanted)}
    counts = {frame.num_local_transforms: name for name, frame in frames.items()}
    if len(counts) > 1:
        examples = " and ".join(f"{counts[count]} has {count}" for count in sorted(counts))
        raise RenderModuleError(
            f"tiles have different numbers of local transforms ({examples}); set num_local_transforms"
        )
    image_of, features_of = _sources(options, json.dumps(connection, sort_keys=True), Path.cwd())
    outcomes = list(matched_pairs(pairs, tiles, frames, options.matching, image_of, features_of, options.seed))
    return MatchedBatch(outcomes, next(iter(counts), None))


def image_of_tile(
    tile: TileSpec, frame: "MatchFrame", options: MatchingOptions, connection: Mapping[str, Any]
) -> "TileImage":
    """Return the image of a tile as it is matched, kept like those of `matched_batch`."""
    return _sources(options, json.dumps(connection, sort_keys=True), Path.cwd())[0](tile, frame)


@functools.lru_cache(maxsize=2)
def _sources(options: MatchingOptions, connection: str, folder: Path) -> "tuple[ImageOf, FeaturesOf]":
    """Return what gives images and features in this process, and keeps them; paths may be from the current folder."""
    from rendermodules.io.feature_files import KeptFeatures
    from rendermodules.io.tile_images import LocalTileImages
    from rendermodules.module.service_images import ServiceTileImages

    features = KeptFeatures(options.feature_bytes, options.feature_dir)
    if options.image_source == "service":
        return ServiceTileImages(json.loads(connection), options.images, options.image_bytes), features
    return LocalTileImages(options.images, options.image_bytes), features


@contextmanager
def matching_workers() -> Iterator[None]:
    """Enclose the work of workers: one thread each; afterwards this process forgets its images and features."""
    try:
        with one_thread_each():
            yield
    finally:
        _sources.cache_clear()
