"""Put the point matches of several collections into one.

Pairs that several collections have get the points of all of them. The ids of a collection can be changed on the way,
for instance those of another channel to those of the reference channel; matches can be weighted by where they come
from, points that come up twice taken once, and pairs capped.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from marshmallow import ValidationError, pre_load, validates_schema

from rendermodules.core.match_names import NamePatterns, pattern_problem
from rendermodules.core.pointmatches import (
    PointMatches,
    capped,
    merged,
    render_order,
    with_weights,
    without_repetitions,
)
from rendermodules.module import matches
from rendermodules.module.fields import Bool, Float, Int, List, NestedList, Str
from rendermodules.module.match_module import MatchWritingModule, MatchWritingOutput, written_summary
from rendermodules.module.matches import MatchCollection, match_collection
from rendermodules.module.render_module import worker_connection
from rendermodules.module.schemas import DefaultSchema, OutputCollectionParameters, PoolParameters, RenderParameters


class MergedCollectionParameters(DefaultSchema):
    """One of the collections."""

    collection = Str("its name", required=True)
    owner = Str("its owner; match_owner by default")
    weight = Float("factor for the weights of its matches", default=1.0, minimum=0)
    group_find = Str("regular expression for section ids that change, such as -PSD95$")
    group_replace = Str("what the part that fits becomes, such as -DAPI")
    id_find = Str("regular expression for tile ids that change")
    id_replace = Str("what the part that fits becomes")

    @pre_load
    def accept_name(self, data: Any, **_: Any) -> Any:
        """Return a mere name as an object."""
        return {"collection": data} if isinstance(data, str) else data

    @validates_schema
    def check_patterns(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse patterns that cannot be understood."""
        for kind in ("group", "id"):
            problem = pattern_problem(data.get(f"{kind}_find"), data.get(f"{kind}_replace"))
            if problem:
                raise ValidationError(problem, f"{kind}_find")


class MergeMatchCollectionsParameters(RenderParameters, OutputCollectionParameters, PoolParameters):
    """What is merged, and how."""

    input_collections = NestedList(
        MergedCollectionParameters, "names of the collections, or objects that say more about them", required=True
    )
    reference_channel = Str(
        "channels of array tomography, with sections like 12-GFP and tile ids that end in the number of the channel: "
        "ids of all collections but the first become those of this channel, whose number is 0"
    )
    deduplicate = Bool("take points that come up repeatedly in a pair once, with the largest weight", default=False)
    max_points = Int("keep at most so many points of a pair, chosen at random", minimum=1)
    seed = Int("of that choice", default=0, minimum=0)

    aliases: ClassVar[Mapping[str, str | None]] = {
        "input_collection_list": "input_collections",
        "collections": "input_collections",
    }

    # hooks run in the order of their names: this one before the defaults are filled in
    @pre_load
    def accept_names(self, data: Any, **_: Any) -> Any:
        """Return the data with names that are separated by commas as a list."""
        key = next((key for key in ("input_collections", *self.aliases) if key in data), None)
        if key is None or not isinstance(data[key], str) or data[key].lstrip().startswith("["):
            return data
        return {**data, key: [name.strip() for name in data[key].split(",") if name.strip()]}

    @validates_schema
    def check_collections(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse nothing to merge."""
        if not data["input_collections"]:
            raise ValidationError("name the collections", "input_collections")


class MergeMatchCollectionsOutput(MatchWritingOutput):
    """What was merged."""

    input_collections = List(Str, "names of the collections that were read", required=True)


class _Source(NamedTuple):
    """A collection to merge, to be sent to workers."""

    name: str
    owner: str
    weight: float
    patterns: NamePatterns


class MergeMatchCollections(MatchWritingModule):
    """Put the point matches of several collections into one, under other ids if need be."""

    default_schema = MergeMatchCollectionsParameters
    default_output_schema = MergeMatchCollectionsOutput

    @functools.cached_property
    def sources(self) -> list[_Source]:
        """The collections that are read."""
        owner = self.args["match_owner"] or self.render.DEFAULT_OWNER
        return [
            _Source(one["collection"], one["owner"] or owner, one["weight"], self._patterns(one, index))
            for index, one in enumerate(self.args["input_collections"])
        ]

    def _patterns(self, one: Mapping[str, Any], index: int) -> NamePatterns:
        patterns = NamePatterns(*(one[key] for key in ("group_find", "group_replace", "id_find", "id_replace")))
        channel = self.args["reference_channel"]
        if channel is None or index == 0 or patterns != NamePatterns():
            return patterns
        # a backslash in the name of the channel is none of a pattern
        literal = channel.replace("\\", "\\\\")
        return NamePatterns("-.*$", f"-{literal}", ".$", "0")

    @functools.cached_property
    def origins(self) -> dict[str, list[tuple[int, str]]]:
        """Sections of the sources, as (source, section id), by what they are called afterwards; in Render's order."""
        origins: dict[str, list[tuple[int, str]]] = {}
        for index, source in enumerate(self.sources):
            collection = match_collection(self.render, source.name, source.owner)
            matches.check_exists(collection)
            for group in matches.group_ids(collection):
                origins.setdefault(source.patterns.group(group), []).append((index, group))
        return {group: origins[group] for group in sorted(origins, key=render_order)}

    def run(self) -> dict[str, Any]:
        target = match_collection(self.render, self.args["output_collection"], self.args["match_owner"])
        in_place = (target.name, target.owner) in [(source.name, source.owner) for source in self.sources]
        results = self.written_by_section(target, lambda: list(self.origins), self._work, in_place=in_place)
        return self.output(
            {
                "input_collections": [source.name for source in self.sources],
                "output_collection": target.name,
                **self.totals(results, target),
            }
        )

    def _work(self, written: MatchCollection) -> Callable[[str], dict[str, Any]]:
        return functools.partial(
            _merged_section,
            connection=self.args["render"],
            origins=self.origins,
            sources=self.sources,
            target=(written.name, written.owner),
            deduplicate=self.args["deduplicate"],
            max_points=self.args["max_points"],
            seed=self.args["seed"],
        )


def _merged_section(
    group: str,
    *,
    connection: Mapping[str, Any],
    origins: Mapping[str, Sequence[tuple[int, str]]],
    sources: Sequence[_Source],
    target: tuple[str, str],
    deduplicate: bool,
    max_points: int | None,
    seed: int,
) -> dict[str, Any]:
    """Merge and write the pairs whose p is in a section afterwards."""
    render = worker_connection(connection)
    found = []
    for index, source in enumerate(sources):
        collection = match_collection(render, source.name, source.owner)
        found.append(_renamed_matches(collection, source, group, [name for at, name in origins[group] if at == index]))
    together = merged(found)
    points = sum(map(len, together))
    if deduplicate:
        together = [without_repetitions(one) for one in together]
    dropped = {"matches: repeated": points - sum(map(len, together))}
    if max_points is not None:
        points = sum(map(len, together))
        together = [capped(one, max_points, seed) for one in together]
        dropped["matches: over max_points"] = points - sum(map(len, together))
    matches.write_matches(match_collection(render, *target), together)
    return written_summary(sum(map(len, found)), together, dropped)


def _renamed_matches(
    collection: MatchCollection, source: _Source, group: str, origins: Sequence[str]
) -> list[PointMatches]:
    """Return the matches of sections under their new names, as far as their p is in the section ``group`` then."""
    pairs: dict[tuple[str, str, str, str], PointMatches] = {}
    for origin in origins:
        # which side of a pair comes first may change with the names
        for one in (
            *matches.matches_within_group(collection, origin),
            *matches.matches_outside_group(collection, origin),
        ):
            pairs.setdefault(one.pair, one)
    new = (source.patterns.renamed(pairs[pair]) for pair in sorted(pairs))
    return [with_weights(one, one.weights * source.weight) for one in new if one.p_group_id == group]


if __name__ == "__main__":
    raise SystemExit(MergeMatchCollections.main())
