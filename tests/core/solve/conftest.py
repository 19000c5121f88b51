"""Montages and stacks with known truth, as a solve takes them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from rendermodules.core.solve.matches import PairMatches, concatenated
from rendermodules.core.solve.options import TileSet, tile_set
from rendermodules.core.solve.solution import Solution
from rendermodules.core.synthetic import (
    SolutionErrors,
    SyntheticSettings,
    grid_pixels,
    section_tiles,
    solution_errors,
    synthetic_matches,
)
from rendermodules.core.synthetic.geometry import TileTruth

SIZE = 1024


@dataclass(frozen=True)
class Montage:
    """Tiles with their nominal places, matches between them, and the truth."""

    truth: list[TileTruth]
    tiles: TileSet
    matches: PairMatches

    def errors(self, solution: Solution) -> tuple[float, float]:
        """Return the root mean square error after the best rigid motion, and at seams, in pixels."""
        edge = np.linspace(0, SIZE - 1, 9)
        grid = np.stack(np.meshgrid(edge, edge), axis=-1).reshape(-1, 2)
        count = len(self.truth)
        points = np.tile(grid, (count, 1))
        placed = solution.applied(points, np.repeat(np.arange(count), len(grid))).reshape(count, 9, 9, 2)
        errors = solution_errors({0.0: self.truth}, {0.0: placed})
        return errors.section[0.0], errors.seam[0.0]

    def with_wrong_pairs(self, indices: list[int], shift: float = 150.0) -> "Montage":
        """Return the montage with all points of some pairs moved, each pair to its own side."""
        points = self.matches.points_q.copy()
        for number, index in enumerate(indices):
            angle = 2.4 * number
            part = slice(self.matches.offsets[index], self.matches.offsets[index + 1])
            points[part] += shift * np.array([np.cos(angle), np.sin(angle)])
        return replace(self, matches=replace(self.matches, points_q=points))


@pytest.fixture(scope="session")
def montage() -> Callable[..., Montage]:
    """Give a maker of montages."""

    def made(
        rows: int = 5, columns: int = 6, noise: float = 0.2, lens: float = 0.0, rotation: float = 0.25, seed: int = 1
    ) -> Montage:
        settings = SyntheticSettings(
            seed=seed,
            sections=1,
            rows=rows,
            columns=columns,
            tile_width=SIZE,
            tile_height=SIZE,
            stage_jitter=12.0,
            tile_rotation=rotation,
            section_rotation=0.0,
            section_shift=0.0,
            deformation=0.0,
            lens_distortion=lens,
        )
        truth = section_tiles(settings, 0.0)
        found = synthetic_matches(truth, count=20, noise=noise, seed=seed)
        nominal = np.array([(tile.nominal_x, tile.nominal_y) for tile in truth])
        priors = np.concatenate([np.tile(np.eye(2), (len(truth), 1, 1)), nominal[:, :, None]], axis=2)
        tiles = tile_set(priors, np.full((len(truth), 2), float(SIZE)))
        places = np.array([(tile.row, tile.column) for tile in truth])
        beside = np.abs(places[found.pairs[:, 0]] - places[found.pairs[:, 1]]).sum(axis=1) == 1
        matches = PairMatches(found.pairs, found.starts, found.p, found.q, np.ones(len(found.p)))
        return Montage(truth, tiles, matches.subset(beside))

    return made


SECTION_SETTINGS = SyntheticSettings(sections=3, rows=3, columns=3, tile_width=512, tile_height=512, stage_jitter=8.0)


@dataclass(frozen=True)
class Sections:
    """Tiles of consecutive sections, matches within (exact) and across (rough), and the truth."""

    truth: dict
    tiles: TileSet
    within: PairMatches
    across: PairMatches

    def errors(self, solution) -> SolutionErrors:
        """Return how far a solution is from the truth."""
        pixels = grid_pixels(next(iter(self.truth.values()))[0].lens, 9)
        count = len(self.tiles)
        placed = solution.applied(np.tile(pixels, (count, 1)), np.repeat(np.arange(count), len(pixels)))
        grids = placed.reshape(len(self.truth), -1, 9, 9, 2)
        return solution_errors(self.truth, dict(zip(self.truth, grids, strict=True)), "world")


@pytest.fixture(scope="session")
def sections() -> Sections:
    """Give sections with exact seams and rough matches to the next section."""
    truth = {z: section_tiles(SECTION_SETTINGS, z) for z in SECTION_SETTINGS.zvalues}
    flat = [tile for tiles in truth.values() for tile in tiles]
    nominal = np.array([(tile.nominal_x, tile.nominal_y) for tile in flat])
    priors = np.concatenate([np.tile(np.eye(2), (len(flat), 1, 1)), nominal[:, :, None]], axis=2)
    tiles = tile_set(priors, np.full((len(flat), 2), 512.0), sections=np.repeat(list(truth), len(flat) // len(truth)))
    parts = {"within": [], "across": []}
    start = 0
    zs = list(truth)
    for index, z in enumerate(zs):
        first = start
        found = synthetic_matches(truth[z], count=40, noise=0.03, seed=1)
        parts["within"].append(_matches(found, first, first))
        start += len(truth[z])
        if index + 1 < len(zs):
            found = synthetic_matches(
                truth[z], truth[zs[index + 1]], count=200, noise=2.5, smallest_overlap=0.3, seed=2
            )
            parts["across"].append(_matches(found, first, start))
    return Sections(truth, tiles, concatenated(parts["within"]), concatenated(parts["across"]))


def _matches(found, first_p: int, first_q: int) -> PairMatches:
    return PairMatches(found.pairs + [first_p, first_q], found.starts, found.p, found.q, np.ones(len(found.p)))
