"""Tiles and matches for a solve, from Render or from files."""

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from renderapi.render import Render

from rendermodules.core.pointmatches import PointMatches
from rendermodules.core.problems import listed
from rendermodules.core.sections import Section
from rendermodules.core.solve.match_table import MatchTable, joined_matches, match_table
from rendermodules.core.solve.matches import z_pairs
from rendermodules.core.solve.options import NO_ANCHORS, Anchors
from rendermodules.core.solve.tile_table import FrameRule, TileTable, anchors_of, joined_tables, section_id, tile_table
from rendermodules.io.match_files import read_match_file
from rendermodules.io.tilespecs import merged_sections, read_tilespecs
from rendermodules.module import matches, stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.plain_module import PlainModule
from rendermodules.module.render_module import worker_connection


class Groups(NamedTuple):
    """Pairs of one collection to read at once: of two groups with each other, or all whose p is in the first."""

    collection: str
    first: str
    second: str | None


class SolveInputs(NamedTuple):
    """Where tiles and matches are; plain values, which can be sent to workers.

    Attributes
    ----------
    render : dict or None
        Parameters of the connection.
    stack : str or None
        The stack, unless there are files.
    tile_files, match_files : tuples of str
        Files of tile specs and of point matches.
    collections : tuple of str
        Match collections.
    match_owner : str or None
        Their owner, if it is not that of the stack.
    anchor_stack : str or None
        Stack that says where tiles are wished to be.
    anchor_weight : float
        How much each wish counts.
    """

    render: Mapping[str, Any] | None
    stack: str | None
    tile_files: tuple[str, ...] = ()
    match_files: tuple[str, ...] = ()
    collections: tuple[str, ...] = ()
    match_owner: str | None = None
    anchor_stack: str | None = None
    anchor_weight: float = 1.0

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "SolveInputs":
        """Return the inputs that `SolveInputParameters` and `SolveGaugeParameters` name."""
        return cls(
            parameters["render"],
            parameters["input_stack"],
            tuple(parameters["tile_files"] or ()),
            tuple(parameters["match_files"] or ()),
            tuple(parameters["match_collections"] or ()),
            parameters["match_owner"],
            parameters.get("anchor_stack"),
            parameters.get("anchor_weight", 1.0),
        )

    @property
    def connection(self) -> Render:
        """This process's connection."""
        return worker_connection(self.render or {})

    def z_values(self, selection: Mapping[str, Any]) -> list[float]:
        """Return the z that a selection chooses, ascending; see `stacks.selected_z_values`."""
        if self.stack is not None:
            return stacks.selected_z_values(self.connection, self.stack, selection)
        present = sorted(_sections_of_files(_states(self.tile_files)))
        chosen = [z for z in present if stacks.is_selected(z, selection)]
        if not chosen:
            raise RenderModuleError(f"the files have no section that was asked for; they have z {listed(present)}")
        return chosen

    def section(self, z: float) -> Section:
        """Return the tiles of a section."""
        if self.stack is not None:
            return stacks.read_section(self.connection, self.stack, z)
        return _sections_of_files(_states(self.tile_files))[z]

    def anchors(self, table: TileTable, rule: FrameRule) -> Anchors:
        """Return where the tiles of a table are wished to be."""
        if self.anchor_stack is None:
            return NO_ANCHORS
        whole = FrameRule(rule.num_local_transforms, "replace")
        zs = sorted(set(table.z.tolist()))
        sections = (stacks.read_section(self.connection, self.anchor_stack, z, missing_ok=True) for z in zs)
        return anchors_of(table, joined_tables([tile_table(one, whole) for one in sections]), self.anchor_weight)

    @property
    def pair_counts(self) -> dict[str, int]:
        """How many pairs each collection has; a `RenderModuleError` for one that does not exist."""
        return {name: matches.check_exists(self._collection(name)) for name in self.collections}

    def groups_within(self, groups: Iterable[str]) -> list[Groups]:
        """Return what is to be read for the matches of groups with each other."""
        pairs = itertools.combinations_with_replacement(sorted(set(groups)), 2)
        return [Groups(name, *pair) for pair in pairs for name in self.collections]

    def groups_between(self, first: Iterable[str], second: Iterable[str]) -> list[Groups]:
        """Return what is to be read for the matches of some groups with others."""
        pairs = itertools.product(sorted(set(first)), sorted(set(second)))
        return [Groups(name, *pair) for pair in pairs for name in self.collections]

    def groups_of_stack(self, table: TileTable, depths: Sequence[float] | None) -> list[Groups]:
        """Return what is to be read for the matches of very many groups with each other.

        By pairs of groups where only some depths are wanted, so that no other matches are read.
        """
        groups: dict[float, dict[str, None]] = {}
        for z, group in zip(table.z.tolist(), table.groups, strict=True):
            groups.setdefault(z, {})[group] = None
        if depths is None:
            return [Groups(name, group, None) for own in groups.values() for group in own for name in self.collections]
        units: dict[Groups, None] = {}
        for low, high in z_pairs(groups, depths):
            partners = (
                self.groups_within(groups[low]) if low == high else self.groups_between(groups[low], groups[high])
            )
            units.update(dict.fromkeys(partners))
        return list(units)

    def matches_of_groups(self, groups: Groups) -> MatchTable:
        """Return the matches of groups."""
        return matches.match_table_of_groups(self._collection(groups.collection), groups.first, groups.second)

    def matches_of_files(self, tile_ids: Sequence[str]) -> MatchTable:
        """Return the matches of the files that involve tiles."""
        parts = []
        for file in self.match_files:
            (state,) = _states([file])
            found, by_tile = _matches_of_file(state)
            places = sorted({place for tile_id in tile_ids for place in by_tile.get(tile_id, ())})
            parts.append(match_table([found[place] for place in places]))
        return joined_matches(parts)

    def matches_between(self, sections: Sequence[Section]) -> MatchTable:
        """Return the matches within a section, or those of two with each other."""
        groups = [[section_id(tile, section.z) for tile in section.tiles] for section in sections]
        units = self.groups_within(groups[0]) if len(groups) == 1 else self.groups_between(*groups)
        parts = [self.matches_of_groups(unit) for unit in units]
        return joined_matches(
            [*parts, self.matches_of_files([tile["tileId"] for section in sections for tile in section.tiles])]
        )

    def _collection(self, name: str) -> matches.MatchCollection:
        return matches.match_collection(self.connection, name, self.match_owner)


_FileState = tuple[str, int, int]
"""Path, time of change and length: a file that was changed is read again."""


def _states(files: Iterable[str]) -> tuple[_FileState, ...]:
    return tuple((file, Path(file).stat().st_mtime_ns, Path(file).stat().st_size) for file in files)


@functools.lru_cache(maxsize=1)
def _sections_of_files(files: tuple[_FileState, ...]) -> dict[float, Section]:
    return {section.z: section for section in merged_sections(read_tilespecs(path) for path, _, _ in files)}


@functools.lru_cache(maxsize=4)
def _matches_of_file(file: _FileState) -> tuple[list[PointMatches], dict[str, list[int]]]:
    """Return the matches of a file, and where those of each tile are."""
    found = read_match_file(file[0])
    by_tile: dict[str, list[int]] = {}
    for place, one in enumerate(found):
        for tile_id in (one.p_id, one.q_id):
            by_tile.setdefault(tile_id, []).append(place)
    return found, by_tile


def read_section(inputs: SolveInputs, z: float, rule: FrameRule) -> tuple[Section, TileTable, MatchTable]:
    """Return a section, its table, and all matches between its tiles."""
    section = inputs.section(z)
    return section, tile_table(section, rule), inputs.matches_between([section])


def read_sections(
    module: PlainModule,
    inputs: SolveInputs,
    zs: Sequence[float],
    rule: FrameRule,
    depths: Sequence[float] | None = None,
) -> tuple[TileTable, MatchTable]:
    """Return the table of all tiles of sections and the matches that involve them, read by the module's workers.

    The specs of one section at a time are in memory in each worker; the tables and matches of all stay, of the latter
    those of sections that are as far apart as ``depths`` say.
    """
    tables = module.map(functools.partial(_table, inputs=inputs, rule=rule), zs, unit="sections of tiles")
    table = joined_tables(tables)
    groups = inputs.groups_of_stack(table, depths)
    parts = module.map(inputs.matches_of_groups, groups, unit="groups of matches") if groups else []
    return table, joined_matches([*parts, inputs.matches_of_files(table.ids)])


def _table(z: float, *, inputs: SolveInputs, rule: FrameRule) -> TileTable:
    return tile_table(inputs.section(z), rule)
