"""Sections with exact seams and rough matches to the next section."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from rendermodules.core.solve.matches import PairMatches, concatenated
from rendermodules.core.solve.options import SolveOptions, TileSet, tile_set
from rendermodules.core.solve.tiles import solved_tiles
from rendermodules.core.synthetic import (
    SolutionErrors,
    SyntheticSettings,
    grid_pixels,
    section_tiles,
    solution_errors,
    synthetic_matches,
)

SETTINGS = SyntheticSettings(sections=3, rows=3, columns=3, tile_width=512, tile_height=512, stage_jitter=8.0)


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


@pytest.fixture(scope="module")
def sections() -> Sections:
    truth = {z: section_tiles(SETTINGS, z) for z in SETTINGS.zvalues}
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


def test_rough_matches_do_not_tear_seams(sections):
    matches = concatenated([sections.within, sections.across])
    solution = solved_tiles(sections.tiles, matches, SolveOptions())
    errors = sections.errors(solution)
    assert max(errors.seam.values()) < 0.1
    assert max(errors.across.values()) < 2.0
    assert solution.balance[0.0] == 1.0
    assert solution.balance[1.0] < 0.01
    assert not solution.rejected.any()
    alike = sections.errors(solved_tiles(sections.tiles, matches, SolveOptions(balance=False)))
    assert max(alike.seam.values()) > 3 * max(errors.seam.values())


def test_matches_of_one_kind_are_left_as_they_are(sections):
    first = sections.within
    balanced = solved_tiles(sections.tiles, first, SolveOptions())
    assert balanced.balance == {0.0: 1.0}
    plain = solved_tiles(sections.tiles, first, SolveOptions(balance=False))
    assert np.array_equal(balanced.matrices, plain.matrices)


def test_wrong_pairs_of_each_kind_are_still_found(sections):
    points = sections.across.points_q.copy()
    wrong = slice(sections.across.offsets[3], sections.across.offsets[4])
    points[wrong] += 80.0
    across = replace(sections.across, points_q=points)
    solution = solved_tiles(sections.tiles, concatenated([sections.within, across]), SolveOptions())
    assert solution.pairs[solution.rejected].tolist() == [sections.across.pairs[3].tolist()]
