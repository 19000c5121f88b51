"""Which pairs of tiles have enough matches, and what hangs together by them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rendermodules.core.connectivity import component_labels
from rendermodules.core.pointmatches import render_order

TileName = tuple[str, str]
"""Section id and tile id."""

PairName = tuple[TileName, TileName]
"""Two tiles in Render's order."""


@dataclass(frozen=True)
class SectionCoverage:
    """How well the pairs of two sections are matched.

    Attributes
    ----------
    groups : (str, str)
        The two sections; the same for pairs within one.
    matched, few, missing : int
        Pairs with enough matches, with some but too few, and with none.
    match_count : int
        Matches of all pairs.
    """

    groups: tuple[str, str]
    matched: int
    few: int
    missing: int
    match_count: int

    @property
    def pairs(self) -> int:
        """How many pairs there are."""
        return self.matched + self.few + self.missing


@dataclass(frozen=True)
class Component:
    """Tiles that hang together by pairs with enough matches.

    Attributes
    ----------
    tiles : list of (str, str)
        Section id and tile id.
    """

    tiles: list[TileName]

    @property
    def groups(self) -> list[str]:
        """The sections of the tiles, each once."""
        return list(dict.fromkeys(group for group, _ in self.tiles))


def section_coverage(
    expected: Iterable[PairName], counts: Mapping[PairName, int], min_matches: int
) -> list[SectionCoverage]:
    """Return how well the pairs of each two sections are matched.

    Parameters
    ----------
    expected : iterable of pairs
        Those that should have matches; others that have some count as well.
    counts : mapping of pairs to int
        How many matches pairs have; pairs that it lacks have none.
    min_matches : int
        So many are enough.

    Returns
    -------
    list of SectionCoverage
        In Render's order of the sections.
    """
    figures: dict[tuple[str, str], Counter[str]] = {}
    for pair in {*expected, *counts}:
        count = counts.get(pair, 0)
        one = figures.setdefault((pair[0][0], pair[1][0]), Counter())
        one["matched" if count >= min_matches else "few" if count else "missing"] += 1
        one["match_count"] += count
    ordered = sorted(figures, key=lambda groups: [render_order(group) for group in groups])
    return [
        SectionCoverage(groups, *(figures[groups][key] for key in ("matched", "few", "missing", "match_count")))
        for groups in ordered
    ]


def connected_components(
    tiles: Sequence[TileName], counts: Mapping[PairName, int], min_matches: int
) -> list[Component]:
    """Return what hangs together by pairs with enough matches, the largest first.

    Parameters
    ----------
    tiles : list of (str, str)
        All tiles; those without any such pair are components of their own.
    counts : mapping of pairs to int
        Of pairs of these tiles; those with another tile do not count.
    min_matches : int
        So many are enough.
    """
    index = {name: place for place, name in enumerate(tiles)}
    joined = [
        (index[p], index[q]) for (p, q), count in counts.items() if count >= min_matches and p in index and q in index
    ]
    labels = component_labels(len(tiles), np.array(joined, dtype=np.int64).reshape(-1, 2))
    members: dict[int, list[TileName]] = {}
    for name, label in zip(tiles, labels.tolist(), strict=True):
        members.setdefault(label, []).append(name)
    return sorted((Component(names) for names in members.values()), key=lambda one: (-len(one.tiles), one.tiles))
