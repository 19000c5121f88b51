"""Which tiles of a stack have matches, and which of them hang together by these."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from rendermodules.core.connectivity import component_labels, pair_counts


class SectionJoins(NamedTuple):
    """How the tiles of a section are joined.

    Attributes
    ----------
    unmatched : list of str
        Tiles without any match.
    parts : int
        Into how many parts the other tiles fall that no match joins, be it by way of another section.
    """

    unmatched: list[str]
    parts: int


class JoinedTiles:
    """The tiles and the matched pairs of a stack, gathered section by section; some 200 bytes for each."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._pairs: list[tuple[int, int]] = []
        self._sections: list[list[str]] = []

    def add_section(self, tile_ids: Iterable[str]) -> None:
        """Take the tiles of the next section."""
        self._sections.append(list(tile_ids))
        for tile_id in self._sections[-1]:
            self._numbers.setdefault(tile_id, len(self._numbers))

    def add_pairs(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Take pairs of tiles that have matches; tiles of sections that have not been taken yet may be among them."""
        for pair in pairs:
            p, q = (self._numbers.setdefault(tile_id, len(self._numbers)) for tile_id in pair)
            self._pairs.append((p, q))

    def sections(self) -> Iterator[SectionJoins]:
        """Give how the tiles of each section are joined, in the order in which they were taken."""
        pairs = np.array(self._pairs, dtype=np.int64).reshape(-1, 2)
        labels = component_labels(len(self._numbers), pairs)
        matched = pair_counts(len(self._numbers), pairs) > 0
        for tile_ids in self._sections:
            numbers = np.array([self._numbers[tile_id] for tile_id in tile_ids], dtype=np.int64)
            joined = matched[numbers]
            unmatched = [tile_id for tile_id, is_joined in zip(tile_ids, joined, strict=True) if not is_joined]
            yield SectionJoins(unmatched, len(np.unique(labels[numbers[joined]])))
