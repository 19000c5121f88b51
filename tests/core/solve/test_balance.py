"""Sections with exact seams and rough matches to the next section."""

from dataclasses import replace

import numpy as np

from rendermodules.core.solve.matches import concatenated
from rendermodules.core.solve.options import SolveOptions
from rendermodules.core.solve.tiles import solved_tiles


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


def test_sections_between_whole_numbers(sections):
    matches = concatenated([sections.within, sections.across])
    tiles = replace(sections.tiles, sections=0.1 + sections.tiles.sections * 0.1)
    assert list(solved_tiles(tiles, matches, SolveOptions()).balance) == [0.0, 0.1]


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
