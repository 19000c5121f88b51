"""The JSON objects of the service that it looks into; member names and order are Render's."""

from typing import Annotated, Any, NamedTuple

import msgspec

from rendermodules.io.expressions import BoundedExpression
from rendermodules.render_ws.errors import InvalidRequest
from rendermodules.render_ws.timestamps import normalized_timestamp

STATES = ("LOADING", "COMPLETE", "READ_ONLY", "OFFLINE")


class StackId(NamedTuple):
    """The full name of a stack."""

    owner: str
    project: str
    stack: str

    def __str__(self) -> str:
        return f"stack with owner '{self.owner}', project '{self.project}', and name '{self.stack}'"

    def collection(self, suffix: str) -> str:
        """Return the name of the MongoDB collection that Java Render would use, as in its messages."""
        return f"render.{self.owner}__{self.project}__{self.stack}__{suffix}"


class CollectionId(NamedTuple):
    """The full name of a match collection."""

    owner: str
    name: str

    def __str__(self) -> str:
        return f"match collection '{self.owner}__{self.name}'"


class MipmapPathBuilder(msgspec.Struct, omit_defaults=True):
    """Rule that gives the paths of reduced images."""

    rootPath: str | None = None
    numberOfLevels: int | None = None
    extension: str | None = None
    imageMipmapPatternString: str | None = None

    def __post_init__(self) -> None:
        if self.rootPath is None:
            raise ValueError("rootPath must be specified for MipmapPathBuilder")
        if not self.rootPath.endswith("/"):
            self.rootPath += "/"
        if self.imageMipmapPatternString is not None:
            BoundedExpression(self.imageMipmapPatternString)


class StackVersion(msgspec.Struct, omit_defaults=True):
    """What a client says about a version of a stack."""

    createTimestamp: str | float | None = None
    versionNotes: str | None = None
    cycleNumber: int | None = None
    cycleStepNumber: int | None = None
    stackResolutionX: float | None = None
    stackResolutionY: float | None = None
    stackResolutionZ: float | None = None
    materializedBoxRootPath: str | None = None
    mipmapPathBuilder: MipmapPathBuilder | None = None
    alignmentQuality: float | None = None
    defaultChannel: str | None = None


class Cycle(msgspec.Struct, omit_defaults=True):
    """Place of a stack in a processing pipeline."""

    number: int | None = None
    stepNumber: int | None = None


class HierarchicalData(msgspec.Struct, omit_defaults=True):
    """Place of a stack in a hierarchical alignment."""

    roughTilesStackId: dict[str, str] | None = None
    parentTierStackId: dict[str, str] | None = None
    alignedStackId: dict[str, str] | None = None
    warpTilesStackId: dict[str, str] | None = None
    tier: int | None = None
    tierRow: int | None = None
    tierColumn: int | None = None
    totalTierRowCount: int | None = None
    totalTierColumnCount: int | None = None
    scale: float | None = None
    fullScaleBounds: dict[str, float] | None = None
    matchCollectionId: dict[str, str] | None = None
    savedMatchPairCount: int | None = None
    splitGroupIds: list[str] | None = None
    alignmentQuality: float | None = None


class StackBounds(msgspec.Struct):
    """The box around all tiles, in world pixels; z in stack units."""

    minX: float
    minY: float
    minZ: float
    maxX: float
    maxY: float
    maxZ: float


class StackStats(msgspec.Struct):
    """What completion finds out about a stack; widths and heights are those of bounding boxes."""

    stackBounds: StackBounds
    sectionCount: int
    nonIntegralSectionCount: int
    tileCount: int
    transformCount: int
    minTileWidth: int
    maxTileWidth: int
    minTileHeight: int
    maxTileHeight: int
    channelNames: list[str]


class SectionData(msgspec.Struct):
    """Number and box of the tiles of one section in one layer."""

    sectionId: str
    z: float
    tileCount: int
    minX: float
    maxX: float
    minY: float
    maxY: float


class TileBounds(msgspec.Struct, omit_defaults=True, kw_only=True):
    """The box of one tile, in world pixels."""

    minX: float
    minY: float
    maxX: float
    maxY: float
    tileId: str
    sectionId: str | None = None
    z: float


class Points(msgspec.Struct, omit_defaults=True):
    """Corresponding points: rows x and y of p and of q, and their weights."""

    p: list[list[float]]
    q: list[list[float]]
    w: list[float]


class CanvasMatches(msgspec.Struct, omit_defaults=True):
    """The matches of one pair of canvases (tiles)."""

    pGroupId: str | None = None
    pId: str | None = None
    qGroupId: str | None = None
    qId: str | None = None
    consensusSetData: dict[str, Any] | None = None
    matches: Points | None = None
    matchCount: int | None = None


# what one request may cost
_FeatureSize = Annotated[int, msgspec.Meta(ge=1, le=16)]
_Steps = Annotated[int, msgspec.Meta(ge=1, le=16)]
_Iterations = Annotated[int, msgspec.Meta(ge=1, le=100_000)]


class SiftFeatureParameters(msgspec.Struct):
    """Render's parameters of features."""

    fdSize: _FeatureSize = 8
    minScale: float = 0.5
    maxScale: float = 0.85
    steps: _Steps = 3


class MatchDerivationParameters(msgspec.Struct, omit_defaults=True):
    """Render's parameters of matching."""

    matchRod: float = 0.92
    matchModelType: str = "AFFINE"
    matchRegularizerModelType: str | None = None
    matchInterpolatedModelLambda: float | None = None
    matchIterations: _Iterations = 1000
    matchMaxEpsilon: float | None = None
    matchMaxEpsilonFullScale: float | None = None
    matchMinInlierRatio: float = 0.0
    matchMinNumInliers: int = 4
    matchMaxNumInliers: int | None = None
    matchMaxTrust: float = 3.0
    matchFilter: str = "SINGLE_SET"
    matchFullScaleCoverageRadius: float | None = 300.0


class FeatureAndMatchParameters(msgspec.Struct):
    """What features are found by, and what matches."""

    siftFeatureParameters: SiftFeatureParameters = msgspec.field(default_factory=SiftFeatureParameters)
    matchDerivationParameters: MatchDerivationParameters = msgspec.field(default_factory=MatchDerivationParameters)


class TrialParameters(msgspec.Struct):
    """The body of a trial; other members than these are kept, not heeded."""

    featureAndMatchParameters: FeatureAndMatchParameters | None = None
    pRenderParametersUrl: str | None = None
    qRenderParametersUrl: str | None = None


def stack_version(body: bytes) -> StackVersion:
    """Return the version that a request body describes; members that Render does not know are dropped.

    Raises
    ------
    InvalidRequest
        Not JSON, null, or a member of the wrong type.
    """
    version: StackVersion | None = decoded(body, StackVersion | None)
    if version is None:
        raise InvalidRequest("no stack version provided")
    if version.createTimestamp is not None:
        version.createTimestamp = normalized_timestamp(version.createTimestamp)
    return version


def decoded(body: bytes, type: Any) -> Any:
    """Return JSON decoded to ``type``; numbers may be written as strings, as Jackson allows.

    Raises
    ------
    InvalidRequest
        Malformed, or not of this type.
    """
    try:
        return msgspec.json.decode(body, type=type, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(f"the body is not valid: {error}") from error
