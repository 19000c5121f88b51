"""A solve of the tiles of sections: from their tables and matches to their transforms, with all that a report needs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from rendermodules.core.solve.arrays import BoolArray
from rendermodules.core.solve.match_table import MatchTable
from rendermodules.core.solve.options import NO_ANCHORS, Anchors, NoMatchesError, SolveOptions
from rendermodules.core.solve.solution import Solution
from rendermodules.core.solve.solved_transforms import SolvedTransforms, solved_transforms
from rendermodules.core.solve.stack_matches import DepthRule, StackMatches, stack_matches
from rendermodules.core.solve.tile_table import FrameRule, TileTable, tile_set_of
from rendermodules.core.solve.tiles import solved_tiles

Unmatched = Literal["neighbors", "prior", "drop"]
"""Tiles without matches: moved as the tiles about them, left where they were, or left out."""


@dataclass(frozen=True)
class StackSolve:
    """What is asked for.

    Attributes
    ----------
    options : SolveOptions
        Model and regularisation; ``isolated`` is decided by ``unmatched``.
    rule : FrameRule
        Which transforms of tiles are kept.
    depth : DepthRule
        Which sections' matches count, and how much.
    unmatched : str
        What becomes of tiles without matches.
    fixed_zs : frozenset of float
        Sections that stay where they are.
    fixed_ids : frozenset of str
        Tiles that stay where they are.
    """

    options: SolveOptions = field(default_factory=SolveOptions)
    rule: FrameRule = field(default_factory=FrameRule)
    depth: DepthRule = field(default_factory=DepthRule)
    unmatched: Unmatched = "neighbors"
    fixed_zs: frozenset[float] = frozenset()
    fixed_ids: frozenset[str] = frozenset()


@dataclass(frozen=True)
class SolvedStack:
    """The outcome.

    Attributes
    ----------
    table : TileTable
        The tiles.
    found : StackMatches
        The matches that could be used, and what was left out.
    solution : Solution or None
        None where no match could be used, so that all tiles lie where they lay.
    transforms : SolvedTransforms
        What becomes of the tiles.
    fixed : (t,) bool array
        Tiles that were asked to stay where they are.
    reason : str or None
        Why there is no solution.
    """

    table: TileTable
    found: StackMatches
    solution: Solution | None
    transforms: SolvedTransforms
    fixed: BoolArray
    reason: str | None = None

    @property
    def unmatched(self) -> BoolArray:
        """Tiles (t,) without matches that were used."""
        if self.solution is None:
            return np.ones(len(self.table), dtype=bool)
        return self.solution.isolated

    @property
    def unconnected(self) -> BoolArray:
        """Tiles (t,) that no matches join to the largest component; none where there is one tile only."""
        if len(self.table) < 2:
            return np.zeros(len(self.table), dtype=bool)
        if self.solution is None or self.solution.component.max() < 0:
            return np.ones(len(self.table), dtype=bool)
        component = self.solution.component
        return component != np.argmax(np.bincount(component[component >= 0]))


def solved_stack(
    table: TileTable, matches: MatchTable, request: StackSolve, anchors: Anchors = NO_ANCHORS
) -> SolvedStack:
    """Return the transforms that bring the matched points of tiles together.

    Parameters
    ----------
    table : TileTable
        Made by the rule of the request.
    matches : MatchTable
        All that was read.
    request : StackSolve
    anchors : Anchors
        Places where some of the tiles are wished to be, see `anchors_of`.

    Raises
    ------
    SolveError
        The tiles cannot be solved as asked. That there are no matches is no error here.
    """
    found = stack_matches(matches, table, request.depth)
    tiles = tile_set_of(table, request.options.lens, request.fixed_zs, request.fixed_ids)
    isolated: Literal["neighbors", "prior"] = "neighbors" if request.unmatched == "neighbors" else "prior"
    options = replace(request.options, isolated=isolated)
    try:
        solution = solved_tiles(tiles, found.matches, options, anchors)
    except NoMatchesError as error:
        dropped = ~tiles.fixed & (request.unmatched == "drop") & (len(table) > 1)
        gone = frozenset(table.ids[place] for place in np.flatnonzero(dropped))
        transforms = SolvedTransforms(request.rule, dropped=gone)
        return SolvedStack(table, found, None, transforms, tiles.fixed, str(error))
    lost = solution.isolated & ~tiles.fixed & (len(table) > 1)
    dropped = lost & (request.unmatched == "drop")
    unchanged = tiles.fixed | (solution.isolated if isolated == "prior" or len(table) < 2 else False)
    transforms = solved_transforms(solution, table, request.rule, unchanged, dropped)
    return SolvedStack(table, found, solution, transforms, tiles.fixed)
