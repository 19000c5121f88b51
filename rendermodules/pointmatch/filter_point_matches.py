"""Decide which point matches to believe, by how well those of a pair agree.

Pairs are rejected whose matches are few, fit one model badly, or lead elsewhere than to where the tiles of input_stack
lie; single matches are rejected that do not agree with the others of their pair, or with those around them. What is
rejected gets weight 0, or is removed. A report tells the figures of every pair, to choose limits by.
"""

import functools
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from rendermodules.core.pointmatches import PointMatches, selected, with_weights
from rendermodules.io.files import write_bytes_whole
from rendermodules.module.fields import Bool, Float, Int, OutputFile, Str
from rendermodules.module.match_module import (
    MappedMatches,
    MatchMapModule,
    MatchMapOutput,
    MatchMapParameters,
    MatchTask,
    PairSelection,
)
from rendermodules.module.match_tiles import match_frames
from rendermodules.module.schemas import InputStackParameters
from rendermodules.module.tile_queries import z_of_sections

if TYPE_CHECKING:
    from rendermodules.core.match_filters import Agreement, PairJudgement, PairLimits


class FilterPointMatchesParameters(MatchMapParameters, InputStackParameters):
    """Which matches are believed. Lengths are pixels of the tiles."""

    pairs = Str(
        "which pairs are judged; others are left out, or as they are when the collection is changed in place",
        default="all",
        choices=["within", "across", "all"],
    )
    resmax = Float("largest root mean square distance of a pair's matches from the model", minimum=0)
    transmax = Float("largest distance of the middle of a pair's matches from where its tiles lie", minimum=0)
    min_matches = Int("fewest matches of a pair", default=4, minimum=1)
    model = Str(
        "model that is fitted to the matches of a pair",
        default="AFFINE",
        choices=["TRANSLATION", "RIGID", "SIMILARITY", "AFFINE"],
    )
    max_epsilon = Float("how far single matches may be off the model on which most agree; any by default", minimum=0)
    points_per_cluster = Int(
        "for max_epsilon: matches that lie together, about so many, have a model of their own; all of a pair have one "
        "by default",
        minimum=4,
    )
    action = Str("what becomes of what is rejected", default="zero_weight", choices=["zero_weight", "drop"])
    inverse_weighting = Bool(
        "let all pairs of two sections count the same: weights times most matches of a pair by own matches",
        default=False,
    )
    reset_weights = Bool("judge as if all weights were 1, those of an earlier filter forgotten", default=False)
    num_local_transforms = Int("transforms of a tile that matches contain; by default as Render matches", minimum=0)
    filter_output_file = OutputFile("file for the figures of every pair, as JSON")
    seed = Int("of random choices", default=0, minimum=0)

    aliases: ClassVar[Mapping[str, str | None]] = {
        "input_match_collection": "input_collection",
        "output_match_collection": "output_collection",
    }


class FilterPointMatchesOutput(MatchMapOutput):
    """What was rejected."""

    filter_output_file = Str("file with the figures of every pair, if one was written")


class _Filter(NamedTuple):
    """How the pairs of a section are filtered, to be sent to workers."""

    connection: Mapping[str, Any]
    stack: str
    num_local_transforms: int | None
    limits: "PairLimits"
    agreement: "Agreement | None"
    drop: bool
    inverse_weighting: bool
    reset_weights: bool
    seed: int


class FilterPointMatches(MatchMapModule):
    """Reject pairs and matches that do not agree, by weight or for good."""

    default_schema = FilterPointMatchesParameters
    default_output_schema = FilterPointMatchesOutput

    @functools.cached_property
    def z_of_section(self) -> dict[str, float]:
        """The z of the chosen sections, by their ids."""
        return z_of_sections(self.render, self.args["input_stack"], self.args)

    def selection(self) -> PairSelection:
        return PairSelection(frozenset(self.z_of_section), self.args["pairs"])

    def match_task(self) -> MatchTask:
        from rendermodules.core.match_filters import Agreement, PairLimits

        limits = PairLimits(*(self.args[key] for key in ("model", "resmax", "transmax", "min_matches")))
        epsilon = self.args["max_epsilon"]
        chosen = _Filter(
            self.args["render"],
            self.args["input_stack"],
            self.args["num_local_transforms"],
            limits,
            None if epsilon is None else Agreement(self.args["model"], epsilon, self.args["points_per_cluster"]),
            self.args["action"] == "drop",
            self.args["inverse_weighting"],
            self.args["reset_weights"],
            self.args["seed"],
        )
        return functools.partial(_filtered, filtering=chosen)

    def run(self) -> dict[str, Any]:
        results = self.map_matches()
        file = self.args["filter_output_file"]
        if file is not None and not self.dry_run:
            write_bytes_whole(Path(file), json.dumps(self._report(results), indent=2).encode())
        return self.output({**self.summary(results), "filter_output_file": file})

    def _report(self, results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the figures of all pairs, a part for each two sections."""
        limits = {key: self.args[key] for key in ("transmax", "resmax", "min_matches", "model")}
        parts = [part for result in results for part in result["report"]]
        return [{"z": self.z_of_section.get(part["pGroupId"]), **limits, **part} for part in parts]


def _filtered(found: list[PointMatches], *, filtering: _Filter) -> MappedMatches:
    """Return the matches of a section with what is rejected at weight 0, or without it."""
    from rendermodules.core.match_filters import evenly_weighted, filtered_pair
    from rendermodules.core.match_frames import expected_place

    frames = match_frames(found, filtering.connection, filtering.stack, filtering.num_local_transforms)
    dropped: Counter[str] = Counter()
    kept, judgements = [], []
    for one in found:
        p_frame, q_frame = frames.get(one.p_tile_id), frames.get(one.q_tile_id)
        expected = None if p_frame is None or q_frame is None else expected_place(p_frame, q_frame)
        before = with_weights(one, 1.0) if filtering.reset_weights else one
        after, judgement = filtered_pair(before, expected, filtering.limits, filtering.agreement, filtering.seed)
        if judgement.reason is not None:
            dropped[f"pairs: {judgement.reason}"] += 1
        else:
            dropped["matches: not agreeing"] += int(((before.weights > 0) & (after.weights == 0)).sum())
        kept.append(after)
        judgements.append(judgement)
    kept = evenly_weighted(kept) if filtering.inverse_weighting else kept
    report = _figures(kept, judgements)
    return MappedMatches([selected(one, one.weights > 0) for one in kept] if filtering.drop else kept, dropped, report)


def _figures(kept: "Sequence[PointMatches]", judgements: "Sequence[PairJudgement]") -> list[dict[str, Any]]:
    """Return the figures of pairs, a part for each two sections."""
    parts: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one, judgement in zip(kept, judgements, strict=True):
        figures = {
            "pId": one.p_id,
            "qId": one.q_id,
            "nres": judgement.residual,
            "translation": judgement.deviation,
            "count": judgement.count,
            "weight": float(one.weights.max(initial=0.0)),
            "reason": judgement.reason,
        }
        parts.setdefault((one.p_group_id, one.q_group_id), []).append(figures)
    return [{"pGroupId": p, "qGroupId": q, "filter": figures} for (p, q), figures in parts.items()]


if __name__ == "__main__":
    raise SystemExit(FilterPointMatches.main())
