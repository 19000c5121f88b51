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
from rendermodules.module.journal import Journal
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
    from rendermodules.core.match_outcomes import MatchingTotals
    from rendermodules.core.tile_matching import CanvasPair

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
    """Pairs that are matched together: those from ``first`` to ``last`` among all, or what is left of them."""

    first: int
    last: int
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
        from rendermodules.core.match_outcomes import matching_totals
        from rendermodules.core.tile_matching import canvas_pairs

        for place in self.places:
            stacks.stack_metadata(worker_connection(place.connection), place.stack)
        pairs, left_out = canvas_pairs(self.pair_file.pairs)
        collection = match_collection(self.render, self.args["output_collection"], self.args["match_owner"])
        existed = matches.exists(collection)
        batches = _batches(pairs)
        with self.journal() as journal:
            unread = {batch for batch, result in journal.results.items() if result["unreadable"]}
            journal.forget(unread if existed else set(journal.results))
            if self.args["skip_matched"] and existed:
                unfinished = [batch for batch in batches if _description(batch) not in journal.results]
                batches, left_out["matched already"] = _without_matched(batches, unfinished, collection)
            self.logger.info("%d pairs in %d batches", sum(len(one.pairs) for one in batches), len(batches))
            results = [] if self.dry_run else self._match(batches, collection, existed, journal)
            totals = matching_totals(results)
            output = self._report(collection, totals, left_out, self._write_dropped(results))
            # an error keeps the journal: when the images are there, only pairs with one of them are matched again
            _raise_if_unreadable(totals)
        _raise_if_failed(totals, self.args["min_matched_fraction"])
        return output

    def _match(
        self, batches: Sequence[_Batch], collection: MatchCollection, existed: bool, journal: Journal
    ) -> list[dict[str, Any]]:
        work = functools.partial(
            _matched_batch,
            places=self.places,
            connection=self.args["render"],
            collection=(collection.name, collection.owner),
            options=matching_options(self.args),
            existed=existed,
        )
        with matching_workers():
            return self.map(work, batches, unit="batches of pairs", describe=_description, journal=journal)

    def _report(
        self,
        collection: MatchCollection,
        totals: "MatchingTotals",
        left_out: Mapping[str, int],
        dropped_pair_file: str | None,
    ) -> dict[str, Any]:
        from rendermodules.core.match_outcomes import dropped_in_words

        self.logger.info(
            "%d of %d pairs have %d matches (%s) in %s; %s",
            totals.matched,
            totals.tried,
            totals.match_count,
            listed([f"{count} by {method}" for method, count in totals.methods.items()]) or "none",
            collection,
            dropped_in_words(totals.dropped),
        )
        return self.output(
            {
                "collectionId": {"owner": collection.owner, "name": collection.name},
                "pairCount": matches.collection_names(self.render, collection.owner).get(collection.name, 0),
                "pairs_tried": totals.tried,
                "pairs_matched": totals.matched,
                "match_count": totals.match_count,
                "methods": totals.methods,
                "dropped": {**left_out, **totals.dropped},
                "num_local_transforms": next(iter(totals.frames)) if len(totals.frames) == 1 else None,
                "poor_sections": totals.poor_sections(self.args["min_matched_fraction"]),
                "dropped_pair_file": dropped_pair_file,
            }
        )

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


def _raise_if_unreadable(totals: "MatchingTotals") -> None:
    if totals.unreadable:
        raise RenderModuleError(f"{len(totals.unreadable)} images cannot be read: {listed(totals.unreadable, 5)}")


def _raise_if_failed(totals: "MatchingTotals", least: float) -> None:
    """Raise an error that says in what way the run has failed, if it has."""
    if len(totals.frames) > 1:
        counts = listed(sorted(totals.frames))
        raise RenderModuleError(f"tiles have different numbers of local transforms, {counts}; set num_local_transforms")
    poor = [
        f"{one['pGroupId']} and {one['qGroupId']}: {one['matched']} of {one['pairs']}"
        for one in totals.poor_sections(least)
    ]
    if poor:
        raise RenderModuleError(
            f"less than {least:g} of the pairs of some sections have matches (min_matched_fraction), of "
            f"{listed(poor, 5)}"
        )


def _without_matched(
    batches: Sequence[_Batch], unfinished: Sequence[_Batch], collection: MatchCollection
) -> tuple[list[_Batch], int]:
    """Return the batches, the unfinished ones without the pairs that a collection has, and how many these were.

    The batches of a run that was killed stay what they were, although the collection has some of their pairs now.
    """
    groups = {pair.p.group_id for batch in unfinished for pair in batch.pairs}
    known_groups = groups.intersection(matches.group_ids(collection, "p"))
    known = {(one.p_id, one.q_id) for one in matches.pair_counts(collection, sorted(known_groups))}
    left = {batch.first: [pair for pair in batch.pairs if (pair.p.id, pair.q.id) not in known] for batch in unfinished}
    shortened = [batch._replace(pairs=left.get(batch.first, batch.pairs)) for batch in batches]
    skipped = sum(len(batch.pairs) for batch in batches) - sum(len(batch.pairs) for batch in shortened)
    return [batch for batch in shortened if batch.pairs], skipped


def _batches(pairs: "list[CanvasPair]") -> list[_Batch]:
    """Return the pairs in batches, whose size must not depend on the workers: a resumed run may have others."""
    size = min(max(math.ceil(len(pairs) / _BATCHES), _SMALLEST_BATCH), _LARGEST_BATCH)
    starts = range(0, len(pairs), size)
    return [_Batch(start, min(start + size, len(pairs)) - 1, pairs[start : start + size]) for start in starts]


def _description(batch: _Batch) -> str:
    return f"pairs {batch.first} to {batch.last}"


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
    from rendermodules.core.match_outcomes import outcome_summary
    from rendermodules.core.tile_matching import UNREADABLE

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
    if existed:
        for one in outcomes:
            # an image that cannot be read now says nothing about what an earlier run has found
            if not one.matches and one.kind != UNREADABLE:
                matches.delete_pair(target, one.pair.p.name, one.pair.q.name)
    matches.write_matches(target, [record for one in outcomes for record in one.matches])
    return outcome_summary(outcomes, num_local_transforms)


if __name__ == "__main__":
    raise SystemExit(GeneratePointMatches.main())
