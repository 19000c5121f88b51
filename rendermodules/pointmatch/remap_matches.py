"""Give point matches to other tiles, or take them to other pixels of the same tiles.

Matches found in one channel hold for the others of the same places: match_by says how the tiles of target_stack are
found that correspond to those of input_stack, by the number in the name of their image, by row and column, by tile id,
by a pattern for ids or by a file of ids.

Matches are in pixels of tiles after their first transforms. from_num_local_transforms says after how many these are,
to_num_local_transforms after how many they shall be: from 0 to 1 takes raw pixels through a lens correction, from 1 to
0 takes them back.
"""

import functools
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from marshmallow import ValidationError, validates_schema

from rendermodules.core.match_names import NamePatterns, pattern_problem
from rendermodules.core.pointmatches import PointMatches, mapped, renamed
from rendermodules.core.problems import Problems
from rendermodules.io.json_files import read_json
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.fields import InputFile, Int, Str
from rendermodules.module.match_module import (
    MappedMatches,
    MatchMapModule,
    MatchMapOutput,
    MatchMapParameters,
    MatchTask,
)
from rendermodules.module.match_tiles import match_frames
from rendermodules.module.render_module import worker_connection
from rendermodules.module.tile_queries import section_ids

if TYPE_CHECKING:
    from rendermodules.core.match_frames import MatchFrame

BY_STACKS = ("frame", "layout", "tileId")
"""Ways to find other tiles that look at both stacks."""


class RemapMatchesParameters(MatchMapParameters):
    """Which tiles and which pixels matches get."""

    match_by = Str(
        "how other tiles are found: by the frame number in the name of their image, by row and column of their layout, "
        "by tileId (which then has other section ids), by a pattern for ids, or by a file. same keeps the tiles",
        default="same",
        choices=["same", *BY_STACKS, "pattern", "file"],
    )
    input_stack = Str("stack with the tiles of the matches; needed except for patterns and files of ids")
    target_stack = Str("frame, layout, tileId: stack with the other tiles")
    frame_pattern = Str("frame: regular expression with one group, the number, for file names", default=r"_F(\d+)")
    group_find = Str("pattern: regular expression for section ids that change")
    group_replace = Str("pattern: what the part that fits becomes")
    id_find = Str("pattern: regular expression for tile ids that change")
    id_replace = Str("pattern: what the part that fits becomes")
    id_file = InputFile("file: JSON object from old tile ids to new ones; those that it does not name are kept")
    missing = Str(
        "what becomes of pairs with a tile that has no other: drop, or fail", default="drop", choices=["drop", "fail"]
    )
    from_num_local_transforms = Int("matches are after so many transforms of a tile", minimum=0)
    to_num_local_transforms = Int("they shall be after so many", minimum=0)

    aliases: ClassVar[Mapping[str, str | None]] = {
        "input_matchcollection": "input_collection",
        "output_matchcollection": "output_collection",
        "src_matchcollection": "input_collection",
        "dst_matchcollection": "output_collection",
        "stack": "input_stack",
    }

    @validates_schema
    def check_ways(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what a way lacks, and what changes nothing."""
        way, mapped_between = data["match_by"], [data.get(f"{end}_num_local_transforms") for end in ("from", "to")]
        if way == "same" and None in mapped_between:
            raise ValidationError("same changes nothing without from_ and to_num_local_transforms", "match_by")
        if (mapped_between[0] is None) != (mapped_between[1] is None):
            raise ValidationError("belongs together with to_num_local_transforms", "from_num_local_transforms")
        needed = {"input_stack": way in BY_STACKS or None not in mapped_between, "target_stack": way in BY_STACKS}
        needed["id_file"] = way == "file"
        for name, is_needed in needed.items():
            if is_needed and data.get(name) is None:
                raise ValidationError("is needed for this", name)
        for kind in ("group", "id") if way == "pattern" else ():
            problem = pattern_problem(data.get(f"{kind}_find"), data.get(f"{kind}_replace"))
            if problem:
                raise ValidationError(problem, f"{kind}_find")
        if way == "pattern" and data.get("group_find") is None and data.get("id_find") is None:
            raise ValidationError("give group_find or id_find", "id_find")


class RemapMatchesOutput(MatchMapOutput):
    """What was written."""


Names = dict[str, tuple[str, str] | None]
"""From old tile ids to new section and tile ids; None for a tile that has no other."""


class _Partners(NamedTuple):
    """Two stacks whose tiles correspond."""

    connection: Mapping[str, Any]
    stack: str
    other: str
    match_by: str
    frame_pattern: str

    def names(self, z: float) -> Names:
        """Return the names of the partners of the tiles of a section."""
        from rendermodules.core.tile_partners import partner_tiles, tile_key

        render = worker_connection(self.connection)
        section = stacks.read_section(render, self.stack, z)
        other = stacks.read_section(render, self.other, z, missing_ok=True)
        problems = Problems(f"z={z}")
        key = tile_key(self.match_by, self.frame_pattern)
        partners = partner_tiles(section, other, self.other, key, problems, missing_ok=True)
        problems.raise_if_any()
        return {
            tile["tileId"]: None if one is None else (str((one.get("layout") or {}).get("sectionId", z)), one["tileId"])
            for tile, one in zip(section.tiles, partners, strict=True)
        }


class _Remapping(NamedTuple):
    """How matches are remapped, to be sent to workers."""

    connection: Mapping[str, Any]
    stack: str | None
    patterns: NamePatterns | None
    ids: Mapping[str, str]
    partners: _Partners | None
    z_of_section: Mapping[str, float]
    local_transforms: tuple[int, int] | None
    missing_fails: bool


class RemapMatches(MatchMapModule):
    """Give point matches to corresponding tiles, or take them through the local transforms of theirs."""

    default_schema = RemapMatchesParameters
    default_output_schema = RemapMatchesOutput

    def input_files(self) -> list[str]:
        return [self.args["id_file"]] if self.args["id_file"] is not None else []

    def match_task(self) -> MatchTask:
        way, stack = self.args["match_by"], self.args["input_stack"]
        partners, z_of_section = None, {}
        if way in BY_STACKS:
            names = (self.args[key] for key in ("input_stack", "target_stack", "match_by", "frame_pattern"))
            partners = _Partners(self.args["render"], *names)
            z_of_section = {name: z for z, ids in section_ids(self.render, stack).items() for name in ids}
            stacks.stack_metadata(self.render, self.args["target_stack"])
        counts = self.args["from_num_local_transforms"], self.args["to_num_local_transforms"]
        remapping = _Remapping(
            self.args["render"],
            stack,
            self._patterns() if way == "pattern" else None,
            self._ids() if way == "file" else {},
            partners,
            z_of_section,
            None if counts[0] is None or counts[1] is None else (counts[0], counts[1]),
            self.args["missing"] == "fail",
        )
        return functools.partial(_remapped, remapping=remapping)

    def _patterns(self) -> NamePatterns:
        return NamePatterns(*(self.args[key] for key in ("group_find", "group_replace", "id_find", "id_replace")))

    def _ids(self) -> dict[str, str]:
        ids = read_json(self.args["id_file"])
        if not isinstance(ids, dict) or not all(isinstance(name, str) for name in ids.values()):
            raise RenderModuleError(f"{self.args['id_file']} is no JSON object from tile ids to tile ids")
        return ids


def _remapped(found: list[PointMatches], *, remapping: _Remapping) -> MappedMatches:
    """Return matches in other pixels and under other names."""
    dropped: Counter[str] = Counter()
    if remapping.local_transforms is not None:
        found = _in_other_pixels(found, remapping, remapping.local_transforms, dropped)
    if remapping.patterns is not None:
        return MappedMatches([remapping.patterns.renamed(one) for one in found], dropped)
    if remapping.partners is not None:
        return MappedMatches(_of_partners(found, remapping, remapping.partners, dropped), dropped)
    ids = remapping.ids
    new = [
        renamed(one, (one.p_group_id, ids.get(one.p_id, one.p_id)), (one.q_group_id, ids.get(one.q_id, one.q_id)))
        for one in found
    ]
    return MappedMatches(new, dropped)


def _in_other_pixels(
    found: list[PointMatches], remapping: _Remapping, counts: tuple[int, int], dropped: Counter[str]
) -> list[PointMatches]:
    """Return matches after another number of the tiles' transforms."""
    before, after = counts
    frames = match_frames(found, remapping.connection, str(remapping.stack), max(before, after))
    kept = []
    for one in found:
        sides = [frames.get(name) for name in (one.p_tile_id, one.q_tile_id)]
        if sides[0] is None or sides[1] is None:
            dropped["pairs: tile not in the stack"] += 1
            continue
        kept.append(mapped(one, *(_way(side, before, after) for side in sides if side is not None)))
    return kept


def _way(frame: "MatchFrame", before: int, after: int) -> Any:
    """Return the function that takes points from behind some local transforms of a tile to behind others."""
    from rendermodules.core.transforms import TransformList

    between = TransformList(frame.local.parts[min(before, after) :])
    return between.apply if after >= before else between.inverse


def _of_partners(
    found: list[PointMatches], remapping: _Remapping, partners: _Partners, dropped: Counter[str]
) -> list[PointMatches]:
    """Return matches under the names of the tiles of another stack."""
    kept, without = [], []
    names: dict[str, Names] = {}
    for one in found:
        new = []
        for group, name in ((one.p_group_id, one.p_id), (one.q_group_id, one.q_id)):
            if group not in names:
                z = remapping.z_of_section.get(group)
                names[group] = {} if z is None else partners.names(z)
            partner = names[group].get(name)
            if partner is None:
                without.append(name)
            else:
                new.append(partner)
        if len(new) == 2:
            kept.append(renamed(one, *new))
        else:
            dropped["pairs: tile without a partner"] += 1
    if without and remapping.missing_fails:
        problems = Problems(f"tiles without a partner in {partners.other}")
        for name in without:
            problems.add(f"of {partners.stack}", name)
        problems.raise_if_any()
    return kept


if __name__ == "__main__":
    raise SystemExit(RemapMatches.main())
