"""One trial of matching: two canvases of this service drawn, their features found and matched."""

import math
import time
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np

from rendermodules.core.consensus import ConsensusParameters
from rendermodules.core.estimation import PlanarModel
from rendermodules.core.features import Features, SiftParameters, sift_features
from rendermodules.core.matching import FeatureParameters, matched_by_features
from rendermodules.core.pointmatches import PointMatches, canonical, canvas_matches
from rendermodules.render_ws.call import Call
from rendermodules.render_ws.errors import InvalidRequest
from rendermodules.render_ws.image_answers import drawn_canvas
from rendermodules.render_ws.models import FeatureAndMatchParameters, TrialParameters
from rendermodules.render_ws.rendering.output import gray
from rendermodules.render_ws.routes.tile_data import parameters_of_tile
from rendermodules.render_ws.routing import PREFIX

DEFAULT_EPSILON = 20.0
CONSENSUS_TRUST = 4.0
_SEED = 0


class _Side(NamedTuple):
    name: tuple[str, str]
    scale: float
    features: Features
    area: float
    milliseconds: int


def trial_results(call: Call, parameters: TrialParameters) -> dict[str, Any]:
    """Return matches and statistics of a trial, as Render's JSON.

    Raises
    ------
    InvalidRequest
        Parameters are missing or out of their range, or a URL is not of a tile of this service.
    """
    given = parameters.featureAndMatchParameters
    if given is None:
        raise InvalidRequest("featureAndMatchParameters are not defined")
    try:
        feature_parameters = _feature_parameters(given)
        sides = [
            _side(call, url, feature_parameters.sift)
            for url in (parameters.pRenderParametersUrl, parameters.qRenderParametersUrl)
        ]
    except ValueError as error:
        raise InvalidRequest(str(error)) from error
    p, q = sides
    begun = time.perf_counter()
    found = matched_by_features(p.features, q.features, feature_parameters, q.area, _SEED)
    sets = np.split(np.arange(len(found.p)), np.cumsum(found.set_sizes, dtype=int)[:-1]) if len(found.p) else []
    matches = [
        canonical(PointMatches(*p.name, *q.name, found.p[one] / p.scale, found.q[one] / q.scale, np.ones(len(one))))
        for one in sets
    ]
    stats = {
        "pFeatureCount": len(p.features),
        "pFeatureDerivationMilliseconds": p.milliseconds,
        "qFeatureCount": len(q.features),
        "qFeatureDerivationMilliseconds": q.milliseconds,
        "consensusSetSizes": list(found.set_sizes) or [0],
        "matchDerivationMilliseconds": _milliseconds(begun),
        "matchQualityMilliseconds": 0,
    }
    return {"matches": [canvas_matches(one) for one in matches], "stats": stats}


def _side(call: Call, url: str | None, sift: SiftParameters) -> _Side:
    begun = time.perf_counter()
    parameters = _parameters_at(call, url)
    canvas = drawn_canvas(call, parameters)
    image = gray(canvas)
    mask = None if canvas.mask is None else canvas.mask[: image.shape[0], : image.shape[1]]
    features = sift_features(image, sift, mask)
    tile = parameters["tileSpecs"][0]
    name = str((tile.get("layout") or {}).get("sectionId")), str(tile["tileId"])
    return _Side(name, float(parameters["scale"]), features, float(image.size), _milliseconds(begun))


def _parameters_at(call: Call, url: str | None) -> dict[str, Any]:
    """Return the render parameters of a tile that a URL of this service leads to; the host is not asked."""
    if url is None:
        raise InvalidRequest("pRenderParametersUrl and qRenderParametersUrl must be specified")
    parts = urlsplit(url)
    _, prefix, path = parts.path.partition(PREFIX)
    names = [unquote(name) for name in path.strip("/").split("/")]
    if not prefix or names[::2] != ["owner", "project", "stack", "tile", "render-parameters"]:
        raise InvalidRequest(f"{url} does not lead to render parameters of a tile of this service")
    place = dict(zip(("owner", "project", "stack", "tileId"), names[1::2], strict=True))
    query = parse_qs(parts.query, keep_blank_values=True)
    return parameters_of_tile(Call(call.settings, place, query, b"", call.base_url, dict))


def _feature_parameters(given: FeatureAndMatchParameters) -> FeatureParameters:
    sift, match = given.siftFeatureParameters, given.matchDerivationParameters
    if match.matchFilter not in ("NONE", "SINGLE_SET", "CONSENSUS_SETS", "AGGREGATED_CONSENSUS_SETS"):
        raise InvalidRequest(f"matchFilter {match.matchFilter!r} is unknown")
    epsilon = match.matchMaxEpsilon or match.matchMaxEpsilonFullScale or DEFAULT_EPSILON
    in_sets = match.matchFilter.endswith("CONSENSUS_SETS")
    model = PlanarModel(
        match.matchModelType,  # type: ignore[arg-type]
        match.matchRegularizerModelType,  # type: ignore[arg-type]
        match.matchInterpolatedModelLambda or 0.0,
    )
    consensus = ConsensusParameters(
        model=model,
        match_filter=match.matchFilter,  # type: ignore[arg-type]
        iterations=match.matchIterations,
        max_epsilon=epsilon,
        min_inlier_ratio=match.matchMinInlierRatio,
        min_num_inliers=match.matchMinNumInliers,
        max_trust=CONSENSUS_TRUST if in_sets else match.matchMaxTrust,
        max_num_inliers=match.matchMaxNumInliers,
    )
    return FeatureParameters(
        SiftParameters(sift.fdSize, sift.minScale, sift.maxScale, sift.steps),
        match.matchRod,
        consensus,
        max_chance=math.inf,
        max_offset=math.inf,
    )


def _milliseconds(begun: float) -> int:
    return round((time.perf_counter() - begun) * 1000)
