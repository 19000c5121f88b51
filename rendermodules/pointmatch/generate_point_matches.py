"""Find points that show the same in the two tiles of a pair, for all pairs of pair files.

Pairs are matched by correlation of many small blocks around the place where the tiles lie, which is quick and exact to
a few hundredths of a pixel; where that does not succeed, by SIFT features, near that place and, across sections,
anywhere. Nothing is kept that could have come about by chance. Parameters have Render's names where Render has them;
lengths in render pixels are those of the images at renderScale. Matches are in full-scale pixels of the tiles after
their first num_local_transforms transforms; that number is in the output, since the collection cannot tell.

Matches are written in batches as they are found. A run that was killed goes on where it stopped and ends with the same
matches, whatever the number of workers. Pairs that are dropped are counted by their reason, and a pair that the
collection has from an earlier run loses its old matches. The run fails when too small a part of the pairs of a section,
or of two sections, has matches, or when images cannot be read; what was found is kept all the same.
"""

import functools
import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from marshmallow import ValidationError, pre_load, validates_schema

from rendermodules.core.problems import listed
from rendermodules.io.pair_files import (
    Q_TEMPLATE,
    PairFile,
    existing_pair_files,
    read_pair_files,
    stack_of_template,
    write_pair_files,
)
from rendermodules.module import matches, stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.fields import Bool, Float, Int, Json, List, NestedList, OutputFile, Str
from rendermodules.module.matches import MatchCollection, match_collection
from rendermodules.module.matching import (
    MatchingOptions,
    MatchingParameters,
    matched_batch,
    matching_options,
    matching_workers,
)
from rendermodules.module.provenance import stack_versions
from rendermodules.module.render_module import RenderModule, worker_connection
from rendermodules.module.schemas import (
    DefaultSchema,
    OutputCollectionParameters,
    OutputParameters,
    PoolParameters,
    RenderParameters,
)
from rendermodules.module.tile_queries import tiles_with_ids

if TYPE_CHECKING:
    from rendermodules.core.tile_matching import CanvasPair, PairOutcome

_SMALLEST_BATCH, _LARGEST_BATCH = 16, 256
_BATCHES = 64


class GeneratePointMatchesParameters(RenderParameters, OutputCollectionParameters, MatchingParameters, PoolParameters):
    """Which pairs are matched, and how."""

    pairJson = List(Str, "files of tile pairs; a name stands for its parts _p000, _p001 ... as well", required=True)
    input_stack = Str("stack with the tiles; by default the one that the pair files name")
    skip_matched = Bool("leave out pairs that the collection has already", default=False)
    pool_kind = Str(
        "workers are threads, which share the images that they have read, or processes",
        default="threads",
        choices=["processes", "threads"],
    )
    min_matched_fraction = Float(
        "the run fails when a smaller part of the pairs of a section, or of two, has matches; 0 never fails",
        default=0.25,
        minimum=0,
        maximum=1,
    )
    dropped_pair_file = OutputFile("pair file for those that were dropped, with the reasons, to try them otherwise")

    aliases: ClassVar[Mapping[str, str | None]] = {
        "match_collection": "output_collection",
        "collection": "output_collection",
        "tilepair_file": "pairJson",
        "downsample_scale": "renderScale",
        **dict.fromkeys(
            (
                "ndiv",
                "SIFT_nfeature",
                "SIFT_sigma",
                "FLANN_ntree",
                "FLANN_ncheck",
                "CLAHE_grid",
                "CLAHE_clip",
            )
        ),
    }

    @pre_load
    def accept_ncpus(self, data: Any, **_: Any) -> Any:
        """Return the data with ncpus as the number of workers; -1 was all that there are."""
        if not isinstance(data, dict) or "ncpus" not in data:
            return data
        count = int(data["ncpus"])
        rest = {key: value for key, value in data.items() if key != "ncpus"}
        return {"pool_size": count if count > 0 else os.cpu_count() or 1, **rest}

    @validates_schema
    def check_pair_files(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse names that no pair file has."""
        names = [*data["pairJson"], *([data["dropped_pair_file"]] if data.get("dropped_pair_file") else [])]
        if not data["pairJson"]:
            raise ValidationError("name the pair files", "pairJson")
        wrong = [name for name in names if not name.endswith((".json", ".json.gz", ".zip"))]
        if wrong:
            raise ValidationError(f"{listed(wrong)}: must end in .json, .json.gz or .zip", "pairJson")


class SectionPairOutput(DefaultSchema):
    """How many pairs of two sections have matches."""

    pGroupId = Str("one section", required=True)
    qGroupId = Str("the other, or the same", required=True)
    pairs = Int("number of pairs", required=True)
    matched = Int("how many of them have matches", required=True)


class GeneratePointMatchesOutput(OutputParameters):
    """What was found."""

    collectionId = Json("owner and name of the match collection", required=True)
    pairCount = Int("pairs that the collection has now", required=True)
    pairs_tried = Int("pairs that were matched or dropped", required=True)
    pairs_matched = Int("pairs with matches", required=True)
    match_count = Int("number of matches", required=True)
    methods = Json("how many pairs each method has matched", required=True)
    dropped = Json("how many pairs were dropped, by reason", required=True)
    num_local_transforms = Int("the frame: matches are in pixels of tiles after so many of their transforms")
    poor_sections = NestedList(SectionPairOutput, "sections of whose pairs less than min_matched_fraction has matches")
    dropped_pair_file = Str("file of the dropped pairs, if one was written")


class _Place(NamedTuple):
    """A stack and the connection that finds it."""

    connection: dict[str, Any]
    stack: str


class _Batch(NamedTuple):
    """Pairs that are matched together; ``first`` is the place of the first among all."""

    first: int
    pairs: "list[CanvasPair]"


class GeneratePointMatches(RenderModule):
    """Find matching points of tile pairs by correlation and SIFT features."""

    default_schema = GeneratePointMatchesParameters
    default_output_schema = GeneratePointMatchesOutput

    def input_files(self) -> Iterable[Path]:
        return [file for name in self.args["pairJson"] for file in existing_pair_files(name)]

    @functools.cached_property
    def pair_file(self) -> PairFile:
        """What the pair files say together."""
        return read_pair_files(self.args["pairJson"])

    @functools.cached_property
    def places(self) -> list[_Place]:
        """The stacks with the tiles: one, or that of p and that of q."""
        if self.args["input_stack"] is not None:
            return [_Place(dict(self.args["render"]), self.args["input_stack"])]
        templates = [self.pair_file.url_template, self.pair_file.more.get(Q_TEMPLATE)]
        if not templates[0]:
            raise RenderModuleError(f"{listed(self.args['pairJson'])} do not name the stack; give input_stack")
        named = [stack_of_template(template) for template in templates if template]
        return [
            _Place({**self.args["render"], "owner": owner, "project": project}, stack)
            for owner, project, stack in named
        ]

    def inputs(self) -> dict[str, Any]:
        versions = {}
        for place in self.places:
            versions.update(stack_versions(worker_connection(place.connection), [place.stack]))
        return {**super().inputs(), **versions}

    def run(self) -> dict[str, Any]:
        from rendermodules.core.tile_matching import canvas_pairs

        for place in self.places:
            stacks.stack_metadata(worker_connection(place.connection), place.stack)
        pairs, dropped = canvas_pairs(self.pair_file.pairs)
        collection = match_collection(self.render, self.args["output_collection"], self.args["match_owner"])
        existed = matches.exists(collection)
        if self.args["skip_matched"] and existed:
            pairs, dropped["matched already"] = _unmatched(pairs, collection)
        batches = _batches(pairs)
        self.logger.info("%d pairs in %d batches", len(pairs), len(batches))
        results = [] if self.dry_run else self._match(batches, collection, existed)
        return self._report(collection, results, dropped)

    def _match(self, batches: Sequence[_Batch], collection: MatchCollection, existed: bool) -> list[dict[str, Any]]:
        work = functools.partial(
            _matched_batch,
            places=self.places,
            connection=self.args["render"],
            collection=(collection.name, collection.owner),
            options=matching_options(self.args),
            existed=existed,
        )
        with self.journal() as journal:
            if not existed:
                journal.forget(set(journal.results))
            with matching_workers():
                return self.map(work, batches, unit="batches of pairs", describe=_description, journal=journal)

    def _report(
        self, collection: MatchCollection, results: Sequence[Mapping[str, Any]], dropped: Mapping[str, int]
    ) -> dict[str, Any]:
        outcome = _Outcome(results, dropped, self.args["min_matched_fraction"])
        self.logger.info(
            "%d of %d pairs have %d matches (%s) in %s; dropped: %s",
            outcome.matched,
            outcome.tried,
            sum(result["match_count"] for result in results),
            listed([f"{count} by {method}" for method, count in outcome.methods.items()]) or "none",
            collection,
            listed([f"{count} {reason}" for reason, count in outcome.dropped.items()]) or "none",
        )
        output = self.output(
            {
                "collectionId": {"owner": collection.owner, "name": collection.name},
                "pairCount": matches.collection_names(self.render, collection.owner).get(collection.name, 0),
                "pairs_tried": outcome.tried,
                "pairs_matched": outcome.matched,
                "match_count": sum(result["match_count"] for result in results),
                "methods": outcome.methods,
                "dropped": outcome.dropped,
                "num_local_transforms": outcome.num_local_transforms,
                "poor_sections": outcome.poor_sections,
                "dropped_pair_file": self._write_dropped(results),
            }
        )
        outcome.raise_if_failed()
        return output

    def _write_dropped(self, results: Sequence[Mapping[str, Any]]) -> str | None:
        file = self.args["dropped_pair_file"]
        if file is None or self.dry_run:
            return None
        reasons = {(tuple(p), tuple(q)): reason for result in results for p, q, reason in result["dropped"]}
        records = []
        for record in self.pair_file.pairs:
            names = [(str(record[side]["groupId"]), str(record[side]["id"])) for side in ("p", "q")]
            reason = reasons.get((names[0], names[1])) or reasons.get((names[1], names[0]))
            if reason is not None:
                records.append({**record, "reason": reason})
        write_pair_files(file, replace(self.pair_file, pairs=records), len(records) + 1)
        return str(file)


class _Outcome:
    """What came of all batches together.

    Parameters
    ----------
    results : list of dict
        Of `_matched_batch`.
    dropped : dict of str to int
        Pairs that were dropped before.
    least : float
        The run has failed where a smaller part of the pairs of two sections has matches.
    """

    def __init__(self, results: Sequence[Mapping[str, Any]], dropped: Mapping[str, int], least: float) -> None:
        sections: dict[tuple[str, str], list[int]] = {}
        self.dropped = Counter(dropped)
        self.methods: Counter[str] = Counter()
        for result in results:
            self.methods.update(result["methods"])
            self.dropped.update(reason for _, _, reason in result["dropped"])
            for p_group, q_group, tried, matched in result["sections"]:
                one = sections.setdefault((p_group, q_group), [0, 0])
                one[0] += tried
                one[1] += matched
        self.tried = sum(tried for tried, _ in sections.values())
        self.matched = sum(matched for _, matched in sections.values())
        self.unreadable = sorted({reason for result in results for reason in result["unreadable"]})
        self.frames = {result["num_local_transforms"] for result in results} - {None}
        self.least = least
        self.poor_sections = [
            {"pGroupId": p_group, "qGroupId": q_group, "pairs": tried, "matched": matched}
            for (p_group, q_group), (tried, matched) in sections.items()
            if matched < least * tried
        ]

    @property
    def num_local_transforms(self) -> int | None:
        """The frame of the matches; None if it is not known or not one."""
        return next(iter(self.frames)) if len(self.frames) == 1 else None

    def raise_if_failed(self) -> None:
        """Raise an error that says in what way the run has failed, if it has."""
        if len(self.frames) > 1:
            counts = listed(sorted(self.frames))
            raise RenderModuleError(
                f"tiles have different numbers of local transforms, {counts}; set num_local_transforms"
            )
        if self.unreadable:
            raise RenderModuleError(f"{len(self.unreadable)} images cannot be read: {listed(self.unreadable, 5)}")
        if self.poor_sections:
            examples = [
                f"{one['pGroupId']} and {one['qGroupId']}: {one['matched']} of {one['pairs']}"
                for one in self.poor_sections
            ]
            raise RenderModuleError(
                f"less than {self.least:g} of the pairs of some sections have matches (min_matched_fraction), of "
                f"{listed(examples, 5)}"
            )


def _unmatched(pairs: "list[CanvasPair]", collection: MatchCollection) -> "tuple[list[CanvasPair], int]":
    """Return the pairs that a collection does not have, and how many it has."""
    groups = {pair.p.group_id for pair in pairs}.intersection(matches.group_ids(collection, "p"))
    known = {(one.p_id, one.q_id) for one in matches.pair_counts(collection, sorted(groups))}
    left = [pair for pair in pairs if (pair.p.id, pair.q.id) not in known]
    return left, len(pairs) - len(left)


def _batches(pairs: "list[CanvasPair]") -> list[_Batch]:
    """Return the pairs in batches, whose size must not depend on the workers: a resumed run may have others."""
    size = min(max(math.ceil(len(pairs) / _BATCHES), _SMALLEST_BATCH), _LARGEST_BATCH)
    return [_Batch(start, pairs[start : start + size]) for start in range(0, len(pairs), size)]


def _description(batch: _Batch) -> str:
    return f"pairs {batch.first} to {batch.first + len(batch.pairs) - 1}"


def _matched_batch(
    batch: _Batch,
    *,
    places: Sequence[_Place],
    connection: Mapping[str, Any],
    collection: tuple[str, str],
    options: MatchingOptions,
    existed: bool,
) -> dict[str, Any]:
    """Match some pairs and write what was found; the worker's part."""
    ids = [side.id for pair in batch.pairs for side in pair]
    tiles: dict[str, Any] = {}
    for place in places:
        found = tiles_with_ids(worker_connection(place.connection), place.stack, ids)
        both = listed(sorted(tiles.keys() & found.keys()))
        if both:
            raise RenderModuleError(f"tiles of two stacks that are to be matched have the same id: {both}")
        tiles.update(found)
    outcomes, num_local_transforms = matched_batch(batch.pairs, tiles, options, connection)
    target = match_collection(worker_connection(connection), *collection)
    dropped = [one for one in outcomes if not one.matches]
    if existed:
        for one in dropped:
            matches.delete_pair(target, one.pair.p.name, one.pair.q.name)
    matches.write_matches(target, [record for one in outcomes for record in one.matches])
    return {**_summary(outcomes), "num_local_transforms": num_local_transforms}


def _summary(outcomes: "Sequence[PairOutcome]") -> dict[str, Any]:
    """Return what a journal keeps of a batch."""
    from rendermodules.core.tile_matching import UNREADABLE

    tried = Counter((one.pair.p.group_id, one.pair.q.group_id) for one in outcomes)
    matched = Counter((one.pair.p.group_id, one.pair.q.group_id) for one in outcomes if one.matches)
    dropped = [one for one in outcomes if not one.matches]
    return {
        "match_count": sum(len(record) for one in outcomes for record in one.matches),
        "methods": Counter(one.method for one in outcomes if one.matches),
        "sections": [[*groups, count, matched[groups]] for groups, count in tried.items()],
        "dropped": [[one.pair.p.name, one.pair.q.name, one.kind] for one in dropped],
        "unreadable": sorted({str(one.reason)[len(UNREADABLE) + 2 : -1] for one in dropped if one.kind == UNREADABLE}),
    }


if __name__ == "__main__":
    raise SystemExit(GeneratePointMatches.main())
