"""Say which pairs of tiles lack matches, and what hangs together by those that there are.

Before a solve: pairs of the pair files with too few matches go into a pair file to be matched again otherwise, sections
are listed with their figures, and so are the components that nothing ties to each other and the tiles that hang on
nothing. The run can be made to fail when too much is missing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from marshmallow import ValidationError, validates_schema

from rendermodules.core.pointmatches import render_order
from rendermodules.core.problems import listed
from rendermodules.io.pair_files import existing_pair_files, read_pair_files, write_pair_files
from rendermodules.module import matches, stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.fields import Bool, Float, Int, List, NestedList, OutputFile, Str
from rendermodules.module.matches import match_collection
from rendermodules.module.render_module import RenderModule
from rendermodules.module.schemas import (
    DefaultSchema,
    MatchOwnerParameters,
    OutputParameters,
    RenderParameters,
    ZValueParameters,
)
from rendermodules.module.tile_queries import tile_bounds

if TYPE_CHECKING:
    from rendermodules.core.match_coverage import Component, PairName, SectionCoverage, TileName

_PAIRS_PER_FILE = 100_000


class QcPointMatchesParameters(RenderParameters, MatchOwnerParameters, ZValueParameters):
    """What is looked at, and when it is enough."""

    input_collections = List(Str, "match collections; their matches count together", required=True)
    pairJson = List(Str, "files of the pairs that should have matches")
    input_stack = Str("stack whose tiles should hang together")
    min_matches = Int("so many matches of a pair are enough", default=5, minimum=1)
    output_pair_file = OutputFile("pair file for those of pairJson that lack matches, to match them again")
    min_matched_fraction = Float(
        "the run fails when a smaller part of the pairs of a section, or of two, has enough matches; 0 never fails",
        default=0.0,
        minimum=0,
        maximum=1,
    )
    max_components = Int("the run fails when the tiles of input_stack fall into more parts than this", minimum=1)
    single_tiles = Bool("name sections of input_stack with more than one tile, as for rough alignment", default=False)

    aliases: ClassVar[Mapping[str, str | None]] = {
        "matchcollections": "input_collections",
        "input_collection": "input_collections",
        "input_tilepairfile": "pairJson",
        "output_tilepairfile": "output_pair_file",
        "figdir": None,
        "pool_size": None,
    }

    @validates_schema
    def check_files(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what needs a pair file or a stack that is not there."""
        if not data["input_collections"]:
            raise ValidationError("name the collections", "input_collections")
        if data.get("output_pair_file") is not None and data.get("pairJson") is None:
            raise ValidationError("needs pairJson", "output_pair_file")
        if data.get("input_stack") is None and (data["single_tiles"] or data.get("max_components") is not None):
            raise ValidationError("single_tiles and max_components need it", "input_stack")


class SectionCoverageOutput(DefaultSchema):
    """How well the pairs of two sections are matched."""

    pGroupId = Str("one section", required=True)
    qGroupId = Str("the other, or the same", required=True)
    pairs = Int("number of pairs", required=True)
    matched = Int("pairs with enough matches", required=True)
    few = Int("pairs with some, but too few", required=True)
    missing = Int("pairs without any", required=True)
    match_count = Int("number of matches", required=True)


class ComponentOutput(DefaultSchema):
    """Tiles that hang together."""

    tile_count = Int("number of tiles", required=True)
    sections = List(Str, "their sections", required=True)
    minZ = Float("lowest z, where input_stack tells it")
    maxZ = Float("highest z")
    example = Str("one of the tiles", required=True)


class QcPointMatchesOutput(OutputParameters):
    """What there is, and what is missing."""

    pairs = Int("number of pairs", required=True)
    pairs_matched = Int("pairs with enough matches", required=True)
    pairs_few = Int("pairs with some, but too few", required=True)
    pairs_missing = Int("pairs without any", required=True)
    sections = NestedList(SectionCoverageOutput, "the same for each two sections", required=True)
    components = NestedList(
        ComponentOutput, "tiles that hang together, most first; isolated ones left out", required=True
    )
    isolated_tiles = List(Str, "tiles without a pair that has enough matches", required=True)
    sections_without_matches = List(Str, "sections none of whose tiles has enough matches", required=True)
    unknown_tiles = List(Str, "tiles of matches that input_stack does not have", required=True)
    sections_with_several_tiles = List(Str, "sections of more than one tile, if these were to be named")
    output_pair_file = Str("file of the pairs that lack matches, if one was written")
    rerun_pairs = Int("pairs of pairJson that lack matches", required=True)


class QcPointMatches(RenderModule):
    """Report pairs without enough matches, components that nothing ties together, and isolated tiles."""

    default_schema = QcPointMatchesParameters
    default_output_schema = QcPointMatchesOutput

    def input_files(self) -> list[Any]:
        return [file for name in self.args["pairJson"] or [] for file in existing_pair_files(name)]

    def run(self) -> dict[str, Any]:
        from rendermodules.core.match_coverage import connected_components, section_coverage

        z_of_tile = self._tiles_of_stack()
        chosen = None if z_of_tile is None else {group for group, _ in z_of_tile}
        pair_file = None if self.args["pairJson"] is None else read_pair_files(self.args["pairJson"])
        expected = {} if pair_file is None else _pairs_of_records(pair_file.pairs, chosen)
        counts = self._counts(chosen)
        enough = self.args["min_matches"]
        coverage = section_coverage(expected, counts, enough)
        known = {name for pair in (*expected, *counts) for name in pair}
        tiles = sorted(known if z_of_tile is None else z_of_tile)
        components = connected_components(tiles, counts, enough)
        rerun = [record for pair, record in expected.items() if counts.get(pair, 0) < enough]
        if pair_file is not None and self.args["output_pair_file"] is not None and not self.dry_run:
            write_pair_files(self.args["output_pair_file"], replace(pair_file, pairs=rerun), _PAIRS_PER_FILE)
        self._say(coverage, components)
        result = self.output(
            {
                **_totals(coverage),
                "sections": [_section(one) for one in coverage],
                "components": [_component(one, z_of_tile) for one in components if len(one.tiles) > 1],
                "isolated_tiles": [one.tiles[0][1] for one in components if len(one.tiles) == 1],
                "sections_without_matches": _without_matches(components),
                "unknown_tiles": [] if z_of_tile is None else sorted(name for _, name in known - z_of_tile.keys()),
                "sections_with_several_tiles": self._several(tiles),
                "output_pair_file": self.args["output_pair_file"],
                "rerun_pairs": len(rerun),
            }
        )
        self._fail_if_too_little(coverage, components)
        return result

    def _tiles_of_stack(self) -> "dict[TileName, float] | None":
        """Return the z of the tiles of the stack; None without a stack."""
        stack = self.args["input_stack"]
        if stack is None:
            return None
        zs = stacks.selected_z_values(self.render, stack, self.args)
        return {(one["sectionId"], one["tileId"]): z for z in zs for one in tile_bounds(self.render, stack, z)}

    def _counts(self, chosen: set[str] | None) -> "dict[PairName, int]":
        """Return how many matches each pair has in all collections together."""
        counts: Counter[PairName] = Counter()
        for name in self.args["input_collections"]:
            collection = match_collection(self.render, name, self.args["match_owner"])
            matches.check_exists(collection)
            groups = matches.group_ids(collection, "p")
            wanted = groups if chosen is None else [group for group in groups if group in chosen]
            for one in matches.pair_counts(collection, wanted):
                if chosen is None or one.q_group_id in chosen:
                    counts[(one.p_group_id, one.p_id), (one.q_group_id, one.q_id)] += one.match_count
        return counts

    def _several(self, tiles: "Sequence[TileName]") -> list[str] | None:
        if not self.args["single_tiles"]:
            return None
        sizes = Counter(group for group, _ in tiles)
        return [group for group, size in sizes.items() if size > 1]

    def _say(self, coverage: "Sequence[SectionCoverage]", components: "Sequence[Component]") -> None:
        totals = _totals(coverage)
        joined = [one for one in components if len(one.tiles) > 1]
        self.logger.info(
            "%d of %d pairs have enough matches, %d too few, %d none; %d parts (%s), %d hang on nothing",
            totals["pairs_matched"],
            totals["pairs"],
            totals["pairs_few"],
            totals["pairs_missing"],
            len(joined),
            listed([f"{len(one.tiles)} tiles" for one in joined], 5) or "none",
            len(components) - len(joined),
        )

    def _fail_if_too_little(self, coverage: "Sequence[SectionCoverage]", components: "Sequence[Component]") -> None:
        least, most = self.args["min_matched_fraction"], self.args["max_components"]
        poor = [one for one in coverage if one.matched < least * one.pairs]
        if poor:
            examples = [f"{' and '.join(one.groups)}: {one.matched} of {one.pairs}" for one in poor]
            raise RenderModuleError(f"too few pairs have enough matches (min_matched_fraction): {listed(examples, 5)}")
        if most is not None and len(components) > most:
            sizes = listed([len(one.tiles) for one in components], 5)
            raise RenderModuleError(f"tiles fall into {len(components)} parts (max_components), of {sizes} tiles")


def _pairs_of_records(records: Sequence[dict[str, Any]], chosen: set[str] | None) -> "dict[PairName, dict[str, Any]]":
    """Return the records of a pair file by the names of their tiles, those of other sections left out."""
    from rendermodules.core.tile_matching import canvas_pair

    named = ((canvas_pair(record), record) for record in records)
    return {
        (pair.p.name, pair.q.name): record
        for pair, record in named
        if chosen is None or {pair.p.group_id, pair.q.group_id} <= chosen
    }


def _totals(coverage: "Sequence[SectionCoverage]") -> dict[str, int]:
    names = {"pairs": "pairs", "matched": "pairs_matched", "few": "pairs_few", "missing": "pairs_missing"}
    return {name: sum(getattr(one, key) for one in coverage) for key, name in names.items()}


def _section(one: "SectionCoverage") -> dict[str, Any]:
    p_group, q_group = one.groups
    figures = {key: getattr(one, key) for key in ("pairs", "matched", "few", "missing", "match_count")}
    return {"pGroupId": p_group, "qGroupId": q_group, **figures}


def _component(one: "Component", z_of_tile: "Mapping[TileName, float] | None") -> dict[str, Any]:
    zs = [] if z_of_tile is None else [z_of_tile[name] for name in one.tiles]
    limits = {"minZ": min(zs), "maxZ": max(zs)} if zs else {}
    return {"tile_count": len(one.tiles), "sections": one.groups, "example": one.tiles[0][1], **limits}


def _without_matches(components: "Sequence[Component]") -> list[str]:
    """Return the sections all of whose tiles are isolated."""
    joined = {group for one in components if len(one.tiles) > 1 for group in one.groups}
    return sorted({group for one in components for group in one.groups} - joined, key=render_order)


if __name__ == "__main__":
    raise SystemExit(QcPointMatches.main())
