"""CPU seconds of synthetic data sets, and how well their overlaps and consecutive sections can be matched.

python benchmarks/synthetic.py
"""

import time
from dataclasses import replace

import cv2
import numpy as np

from rendermodules.core.synthetic import (
    SyntheticSettings,
    nominal_grids,
    section_specs,
    section_tiles,
    solution_errors,
    synthetic_matches,
    tile_image,
)

SETS = {
    "EM, 768": SyntheticSettings(),
    "EM, 512": SyntheticSettings(tile_width=512, tile_height=512),
    "EM, 512, lens and folds": SyntheticSettings(tile_width=512, tile_height=512, lens_distortion=3, folds=1),
    "DAPI, 512": SyntheticSettings(tile_width=512, tile_height=512, channels=("DAPI",)),
    "PSD95, 512": SyntheticSettings(tile_width=512, tile_height=512, channels=("PSD95",)),
    "DAPI, 512, 8 units a pixel": SyntheticSettings(
        tile_width=512, tile_height=512, channels=("DAPI",), pixel_size=8, section_thickness=20
    ),
    "PSD95, 512, 8 units a pixel": SyntheticSettings(
        tile_width=512, tile_height=512, channels=("PSD95",), pixel_size=8, section_thickness=20
    ),
    "EM, 2048, overlap 0.05": SyntheticSettings(
        sections=1, rows=1, columns=2, tile_width=2048, tile_height=2048, overlap=0.05
    ),
}


def stretched(image: np.ndarray) -> np.ndarray:
    low, high = np.percentile(image, (0.5, 99.5))
    return np.clip((image - low) * (255 / (high - low)), 0, 255).astype(np.uint8)


def strip_matches(settings: SyntheticSettings) -> tuple[int, int, int, float]:
    """Width of an overlap, features in it, features that match within 2 px of the truth, error of phase correlation."""
    still = replace(settings, stage_jitter=0, tile_rotation=0, rows=1, columns=2, folds=0)
    left, right = section_tiles(still, still.first_z)
    width = still.tile_width - still.step[0]
    strips = tile_image(still, left)[:, -width:], tile_image(still, right)[:, :width]
    (points, first), (others, second) = (cv2.SIFT_create().detectAndCompute(stretched(strip), None) for strip in strips)
    pairs = [a for a, b in cv2.BFMatcher().knnMatch(first, second, k=2) if a.distance < 0.92 * b.distance]
    found = np.array([points[pair.queryIdx].pt for pair in pairs]) + (still.step[0], 0)
    wrong = right.from_section(left.to_section(found)) - [others[pair.trainIdx].pt for pair in pairs]
    window = cv2.createHanningWindow(strips[0].shape[::-1], cv2.CV_32F)
    shift, _ = cv2.phaseCorrelate(*(strip.astype(np.float32) for strip in strips), window)
    return width, len(points), int((np.hypot(*wrong.T) < 2).sum()), float(np.hypot(*shift))


def correlation(settings: SyntheticSettings) -> float:
    """Of the same place in two consecutive sections, lying still and without noise."""
    if settings.sections < 2:
        return np.nan
    still = replace(
        settings, stage_jitter=0, tile_rotation=0, section_rotation=0, section_shift=0, deformation=0, noise=0, folds=0
    )
    images = [tile_image(still, section_tiles(still, z)[0]).ravel() for z in still.zvalues[:2]]
    return float(np.corrcoef(images)[0, 1])


def images() -> None:
    tile_image(SETS["EM, 512"], section_tiles(SETS["EM, 512"], 0)[0])
    print(f"{'':30}{'tiles':>6}{'CPU s':>7}{'ns/px':>7}{'strip':>7}{'SIFT':>6}{'right':>6}{'phase px':>9}{'next z':>7}")
    for name, settings in SETS.items():
        start = time.process_time()
        tiles = [tile for z in settings.zvalues for tile in section_tiles(settings, z)]
        for tile in tiles:
            tile_image(settings, tile)
        seconds = time.process_time() - start
        per_pixel = 1e9 * seconds / (len(tiles) * settings.tile_width * settings.tile_height)
        width, features, right, phase = strip_matches(settings)
        print(
            f"{name:30}{len(tiles):6}{seconds:7.1f}{per_pixel:7.0f}{width:7}{features:6}{right:6}{phase:9.2f}"
            f"{correlation(settings):7.2f}"
        )


def numbers() -> None:
    many = SyntheticSettings(sections=100, rows=25, columns=40)
    one = SyntheticSettings(sections=1, rows=250, columns=400)
    start = time.process_time()
    specs = sum(len(section_specs(many, z).tiles) for z in many.zvalues)
    print(f"\n{specs} tile specs in 100 sections: {time.process_time() - start:.1f} CPU s")
    tiles = section_tiles(one, 0)
    start = time.process_time()
    matches = synthetic_matches(tiles, count=20)
    print(f"{len(matches.p)} matches of {len(matches.pairs)} pairs: {time.process_time() - start:.1f} CPU s")
    start = time.process_time()
    solution_errors({0.0: tiles}, {0.0: nominal_grids(tiles)})
    print(f"errors of a solution of {len(tiles)} tiles: {time.process_time() - start:.1f} CPU s")


if __name__ == "__main__":
    cv2.setNumThreads(1)
    images()
    numbers()
