"""Measure how exact and how costly the matching of tile pairs is.

    python benchmarks/matching.py                      synthetic tiles with known truth
    python benchmarks/matching.py --tiles FOLDER       tiles with a nominal.json of names and stage positions
    python benchmarks/matching.py --unrelated 200      so many pairs of each texture with nothing in common

Prints how many of the unrelated pairs have matches, all of them false, or one row per way of matching: pairs that were
matched, matches per pair, CPU milliseconds per pair, and how far the matches are off the truth (synthetic tiles) or off
one affine per pair (others), in pixels.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from rendermodules.core.blocks import BlockParameters
from rendermodules.core.consensus import ConsensusParameters
from rendermodules.core.estimation import PlanarModel
from rendermodules.core.features import SiftParameters
from rendermodules.core.matching import CorrelationParameters, FeatureParameters, MatchedPair, matched_pair
from rendermodules.core.synthetic import SyntheticSettings, section_tiles, tile_image

CONSENSUS = ConsensusParameters(PlanarModel("AFFINE"), "SINGLE_SET", 1000, 5.0, 0.0, 10, 3.0)
FEATURES = FeatureParameters(SiftParameters(4, 0.25, 1.0, 3), 0.92, CONSENSUS, 0.01, 320.0)


@dataclass(frozen=True)
class Pair:
    p: np.ndarray
    q: np.ndarray
    expected: np.ndarray
    truth: Callable[[np.ndarray], np.ndarray] | None


def moved(x: float, y: float) -> np.ndarray:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y]])


def neighbours(places: dict[tuple[int, int], int]) -> Iterator[tuple[int, int]]:
    for (row, column), index in sorted(places.items()):
        for other in ((row, column + 1), (row + 1, column)):
            if other in places:
                yield index, places[other]


def synthetic_pairs(size: int, seed: int) -> list[Pair]:
    settings = SyntheticSettings(
        seed=seed,
        sections=1,
        rows=2,
        columns=3,
        tile_width=size,
        tile_height=size,
        stage_jitter=20.0,
        tile_rotation=0.25,
        lens_distortion=size / 512,
    )
    tiles = section_tiles(settings, settings.first_z)
    images = [tile_image(settings, tile) for tile in tiles]
    step_x, step_y = settings.step
    pairs = []
    for first, second in neighbours({(index // 3, index % 3): index for index in range(6)}):
        sideways = second == first + 1
        p, q = tiles[first], tiles[second]
        pairs.append(
            Pair(
                images[first],
                images[second],
                moved(-step_x, 0) if sideways else moved(0, -step_y),
                lambda points, p=p, q=q: q.from_section(p.to_section(points)),
            )
        )
    return pairs


def pairs_of_folder(folder: Path) -> list[Pair]:
    tiles = json.loads((folder / "nominal.json").read_text(encoding="utf-8"))["tiles"]

    @cache
    def image(index: int) -> np.ndarray:
        return cv2.imread(str(folder / "tiles" / tiles[index]["name"]), cv2.IMREAD_GRAYSCALE)

    places = {(tile["row"], tile["col"]): index for index, tile in enumerate(tiles)}
    return [
        Pair(image(p), image(q), moved(tiles[p]["x"] - tiles[q]["x"], tiles[p]["y"] - tiles[q]["y"]), None)
        for p, q in neighbours(places)
    ]


def ways() -> dict[str, tuple[CorrelationParameters | None, FeatureParameters | None]]:
    def correlation(count: int) -> CorrelationParameters:
        return CorrelationParameters(60.0, 0.3, BlockParameters(64, count, 0.3, 0.5, 8.0))

    def features(fd_size: int, min_scale: float, max_scale: float) -> FeatureParameters:
        return FeatureParameters(SiftParameters(fd_size, min_scale, max_scale, 3), 0.92, CONSENSUS, 0.01, 240.0)

    return {
        "correlation, 100 blocks": (correlation(100), None),
        "correlation, 400 blocks": (correlation(400), None),
        "features of strips, full size": (None, features(4, 0.25, 1.0)),
        "features of strips, half size": (None, features(4, 0.25, 0.5)),
        "features of strips, fdSize 8": (None, features(8, 0.5, 0.85)),
    }


def waves(rng: np.random.Generator, size: int, *directions: tuple[float, float]) -> np.ndarray:
    y, x = np.mgrid[:size, :size]
    return sum(np.cos(2 * np.pi * (a * x + b * y + rng.random())) for a, b in directions)


def smooth(rng: np.random.Generator, size: int, sigma: float) -> np.ndarray:
    image = cv2.GaussianBlur(rng.normal(size=(size, size)), (0, 0), sigma)
    return image / image.std()


def discs(rng: np.random.Generator, size: int, count: int, least: int, most: int) -> np.ndarray:
    image = np.zeros((size, size))
    for x, y in rng.integers(0, size, (count, 2)).tolist():
        cv2.circle(image, (x, y), int(rng.integers(least, most)), float(rng.uniform(0.3, 1)), -1)
    return 10 * cv2.GaussianBlur(image, (0, 0), 2.5)


TEXTURES: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "noise": lambda rng, size: np.zeros((size, size)),
    "resin": lambda rng, size: smooth(rng, size, 60),
    "tissue": lambda rng, size: 3 * smooth(rng, size, 2) + 3 * smooth(rng, size, 6) - 6 * (smooth(rng, size, 8) > 0),
    "binary": lambda rng, size: 10 * (smooth(rng, size, 6) > 0),
    "lattice of 32": lambda rng, size: 2 * waves(rng, size, (1 / 32, 0), (0, 1 / 32)),
    "lattice of 90": lambda rng, size: 2 * waves(rng, size, (1 / 90, 0), (0, 1 / 90)),
    "stripes": lambda rng, size: 2 * waves(rng, size, (0.033, 0.016)),
    "rows": lambda rng, size: 2 * np.tile(rng.normal(size=(size, 1)), size),
    "puncta": lambda rng, size: discs(rng, size, 60, 5, 16),
    "few nuclei": lambda rng, size: discs(rng, size, 12, 28, 34),
    "turned, filled": lambda rng, size: turned(3 * smooth(rng, size, 3) + 20, rng.uniform(-8, 8)),
}


def turned(image: np.ndarray, degrees: float) -> np.ndarray:
    middle = (len(image) / 2, len(image) / 2)
    return cv2.warpAffine(image, cv2.getRotationMatrix2D(middle, degrees, 1.0), image.shape)


def unrelated_pair(texture: str, seed: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    images = []
    for side in (0, 1):
        rng = np.random.default_rng([seed, side])
        content = TEXTURES[texture](rng, size)
        noise = 0 if texture == "turned, filled" else rng.normal(size=content.shape)
        images.append(np.clip(np.rint(3000 + 200 * (content + noise)), 0, 65535).astype(np.uint16))
    return images[0], images[1]


def print_false_matches(count: int, size: int) -> None:
    """Print how many pairs of each texture have matches that lie side by side, or on top of each other."""
    correlation, features = CorrelationParameters(80.0, 0.3, BlockParameters(64, 400, 0.3, 0.5, 10.0)), FEATURES
    places = {"beside": moved(-round(0.9 * size), 0), "below": moved(0, -round(0.9 * size)), "above": moved(0, 0)}
    print(f"{'pairs of each with matches':28}" + "".join(f"{place:>10}" for place in places))
    for texture in TEXTURES:
        false = dict.fromkeys(places, 0)
        for seed in range(count):
            p, q = unrelated_pair(texture, seed, size)
            for place, expected in places.items():
                false[place] += matched_pair(p, q, expected, correlation, features, seed).reason is None
        print(f"{texture:28}" + "".join(f"{number:>6}/{count}" for number in false.values()), flush=True)


def errors(pair: Pair, matched: MatchedPair) -> np.ndarray:
    if pair.truth is not None:
        return np.linalg.norm(matched.q - pair.truth(matched.p), axis=1)
    return np.linalg.norm(matched.p @ matched.matrix[:, :2].T + matched.matrix[:, 2] - matched.q, axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tiles", type=Path, help="folder with nominal.json and a folder tiles")
    parser.add_argument("--size", type=int, default=2048, help="side of synthetic tiles in pixels")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--unrelated", type=int, metavar="N", help="count false matches of N pairs of each texture")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if options.unrelated:
        print_false_matches(options.unrelated, min(options.size, 512))
        return
    pairs = pairs_of_folder(options.tiles) if options.tiles else synthetic_pairs(options.size, options.seed)
    print(f"{len(pairs)} pairs of {pairs[0].p.shape[1]} x {pairs[0].p.shape[0]} pixels")
    print(f"{'':32}{'matched':>8}{'matches':>9}{'CPU ms':>8}{'median':>8}{'95 %':>8}{'worst':>8}")
    for name, (correlation, features) in ways().items():
        # the first call compiles or loads the kernels
        matched_pair(pairs[0].p, pairs[0].q, pairs[0].expected, correlation, features, options.seed)
        begun = time.process_time()
        found = [matched_pair(pair.p, pair.q, pair.expected, correlation, features, options.seed) for pair in pairs]
        milliseconds = (time.process_time() - begun) / len(pairs) * 1e3
        good = [(pair, one) for pair, one in zip(pairs, found, strict=True) if one.reason is None]
        off = np.concatenate([errors(pair, one) for pair, one in good]) if good else np.array([np.nan])
        count = np.median([len(one.p) for _, one in good]) if good else 0
        median, high, worst = np.percentile(off, [50, 95, 100])
        print(f"{name:32}{len(good):8}{count:9.0f}{milliseconds:8.0f}{median:8.3f}{high:8.3f}{worst:8.2f}")


if __name__ == "__main__":
    main()
