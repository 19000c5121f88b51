"""Try combinations of matching parameters on some pairs, and say which are best.

sweep names the parameters of generate_point_matches that vary, each with a list of values; all combinations are tried
on the same pairs. Nothing is written to Render. Of each combination the table tells how many pairs were matched, how
many matches they have, how well these agree and are spread, how certain the place of one tile on the other is by them,
and what they cost. Combinations that match more pairs come first, and among those the most certain; the best are drawn.
"""

import functools
import html
import itertools
import json
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import marshmallow
import numpy as np
from marshmallow import ValidationError, validates_schema

from rendermodules.core.problems import listed
from rendermodules.io.files import write_bytes_whole
from rendermodules.io.pair_files import existing_pair_files, read_pair_files, stack_of_template
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.fields import Float, Int, Json, List, NestedList, OutputDir, Str
from rendermodules.module.figures import new_figure, write_figure
from rendermodules.module.json_values import plain_json
from rendermodules.module.matching import (
    MatchingOptions,
    MatchingParameters,
    image_of_tile,
    matched_batch,
    matching_options,
    matching_workers,
)
from rendermodules.module.render_module import RenderModule, worker_connection
from rendermodules.module.schemas import DefaultSchema, OutputParameters, PoolParameters, RenderParameters
from rendermodules.module.tile_queries import tiles_with_ids

if TYPE_CHECKING:
    from rendermodules.core.tile_matching import CanvasPair, PairOutcome

FIGURES = ("pairs_matched", "match_count", "inlier_ratio", "residual", "coverage", "uncertainty", "cpu_seconds")
"""Columns of the table: the number of pairs, and medians over them."""


class OptimizePointMatchingParameters(RenderParameters, MatchingParameters, PoolParameters):
    """What is tried, and on which pairs."""

    pairJson = List(Str, "files of tile pairs", required=True)
    input_stack = Str("stack with the tiles; by default the one that the pair files name")
    sweep = Json("parameter names of generate_point_matches, each with a list of values", required=True)
    n_pairs = Int("so many of the pairs are tried, chosen at random", default=10, minimum=1)
    max_combinations = Int("more combinations are refused", default=500, minimum=1)
    rank_by = Str(
        "what decides among combinations that match equally many pairs",
        default="uncertainty",
        choices=["uncertainty", "residual", "coverage", "match_count", "cpu_seconds"],
    )
    output_dir = OutputDir("folder for the table, as JSON and HTML, and the pictures", required=True)
    pictures = Int("draw the pairs of so many of the best combinations", default=3, minimum=0)

    aliases: ClassVar[Mapping[str, str | None]] = {
        "outputDirectory": "output_dir",
        "tilepair_file": "pairJson",
        "stack": "input_stack",
        "SIFT_options": "sweep",
        "no_tilepairs_to_test": "n_pairs",
        **dict.fromkeys(
            ("tile_stack", "filter_tilepairs", "max_tilepairs_with_matches", "numberOfThreads", "url_options")
        ),
    }

    @validates_schema
    def check_sweep(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse parameters that there are not, values that they do not take, and what varies in vain."""
        sweep = data["sweep"]
        if not isinstance(sweep, dict) or not all(isinstance(values, list) and values for values in sweep.values()):
            raise ValidationError("must be an object of lists of values", "sweep")
        if math.prod(map(len, sweep.values())) > data["max_combinations"]:
            raise ValidationError(f"has more than max_combinations {data['max_combinations']}", "sweep")
        for name, values in sweep.items():
            for value in values:
                try:
                    MatchingParameters(only=[name]).fields[name].deserialize(value)
                except (ValueError, KeyError, marshmallow.ValidationError) as error:
                    raise ValidationError(f"{name}: {value!r}: {error}", "sweep") from None
        of_features = [name for name in sweep if name.startswith(("SIFT", "match"))]
        if of_features and data["method"] != "sift" and "method" not in sweep:
            raise ValidationError(f"{listed(of_features)} say how features are matched; set method sift", "method")


class CombinationOutput(DefaultSchema):
    """One combination."""

    rank = Int("1 is best", required=True)
    parameters = Json("what was varied", required=True)
    pairs_matched = Int("how many of the pairs have matches", required=True)
    match_count = Float("matches of a pair, median")
    inlier_ratio = Float("part of the candidates that were kept, median")
    residual = Float("root mean square distance from one affine in tile pixels, median")
    coverage = Float("part of the overlap that has matches, median")
    uncertainty = Float("standard error of the affine in the worst corner of the overlap in tile pixels, median")
    cpu_seconds = Float("processor time of a pair without reading images, median")


class OptimizePointMatchingOutput(OutputParameters):
    """How well the combinations do."""

    combinations = NestedList(CombinationOutput, "all combinations, best first", required=True)
    best = Json("parameters of the best combination")
    pairs = Json("ids of the tiles that were tried", required=True)
    output_html = Str("the table with the pictures", required=True)
    output_table = Str("the table as JSON", required=True)


class _Trial(NamedTuple):
    """What is tried, to be sent to workers."""

    connection: Mapping[str, Any]
    pairs: "Sequence[CanvasPair]"
    tiles: Mapping[str, Any]
    parameters: Mapping[str, Any]

    def options(self, combination: Mapping[str, Any]) -> MatchingOptions:
        """Return the options of a combination."""
        return matching_options({**self.parameters, **combination})


class OptimizePointMatching(RenderModule):
    """Try combinations of matching parameters on some pairs, and rank them."""

    default_schema = OptimizePointMatchingParameters
    default_output_schema = OptimizePointMatchingOutput

    def input_files(self) -> list[Any]:
        return [file for name in self.args["pairJson"] for file in existing_pair_files(name)]

    def run(self) -> dict[str, Any]:
        trial = self._trial()
        combinations = self._combinations(trial)
        self.logger.info("%d combinations on %d pairs", len(combinations), len(trial.pairs))
        if self.dry_run:
            return self._report([], trial)
        with self.journal() as journal, matching_workers():
            work = functools.partial(_tried, trial=trial)
            results = self.map(work, combinations, unit="combinations", describe=json.dumps, journal=journal)
            ranked = self._ranked(results)
            self._draw(ranked[: self.args["pictures"]], trial)
        self._write(ranked, trial)
        if not ranked[0]["pairs_matched"]:
            raise RenderModuleError(f"no combination matches any pair; see {self._file('html')}")
        self.logger.info("best: %s", ranked[0]["parameters"])
        return self._report(ranked, trial)

    def _combinations(self, trial: _Trial) -> list[dict[str, Any]]:
        """Return the combinations, without those that contradict themselves."""
        sweep = self.args["sweep"]
        combinations, problems = [], []
        for values in itertools.product(*sweep.values()):
            combination = dict(zip(sweep, values, strict=True))
            try:
                trial.options(combination)
            except ValueError as error:
                problems.append(f"{json.dumps(combination)} ({error})")
            else:
                combinations.append(combination)
        if problems:
            self.logger.info("left out, since they contradict themselves: %s", listed(problems, 3))
        if not combinations:
            raise RenderModuleError(f"all combinations contradict themselves: {listed(problems, 3)}")
        return combinations

    def _trial(self) -> _Trial:
        from rendermodules.core.tile_matching import canvas_pairs

        content = read_pair_files(self.args["pairJson"])
        connection, stack = dict(self.args["render"]), self.args["input_stack"]
        if stack is None:
            connection["owner"], connection["project"], stack = stack_of_template(content.url_template or "nothing")
        render = worker_connection(connection)
        stacks.stack_metadata(render, stack)
        pairs, _ = canvas_pairs(content.pairs)
        if len(pairs) > self.args["n_pairs"]:
            chosen = np.random.default_rng(self.args["seed"]).choice(len(pairs), self.args["n_pairs"], replace=False)
            pairs = [pairs[index] for index in np.sort(chosen)]
        if not pairs:
            raise RenderModuleError(f"{listed(self.args['pairJson'])} hold no pairs")
        tiles = tiles_with_ids(render, stack, [side.id for pair in pairs for side in pair])
        names = MatchingParameters().fields
        return _Trial(connection, pairs, tiles, {name: self.args[name] for name in names})

    def _ranked(self, results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the results, best first, with their rank."""
        key = self.args["rank_by"]
        sign = -1 if key in ("coverage", "match_count") else 1

        def order(result: Mapping[str, Any]) -> tuple[float, float, float]:
            value = result[key]
            return -result["pairs_matched"], math.inf if value is None else sign * value, result["cpu_seconds"]

        return [{"rank": rank, **result} for rank, result in enumerate(sorted(results, key=order), 1)]

    def _draw(self, best: Sequence[dict[str, Any]], trial: _Trial) -> None:
        for result in best:
            options = trial.options(result["parameters"])
            outcomes = matched_batch(trial.pairs, trial.tiles, options, trial.connection).outcomes
            result["pictures"] = []
            for index, outcome in enumerate(outcomes):
                file = f"matches_rank{result['rank']:03d}_pair{index:03d}.png"
                if outcome.matches:
                    _draw_pair(outcome, trial, options, Path(self.args["output_dir"], file))
                result["pictures"].append(file if outcome.matches else None)

    def _file(self, suffix: str) -> Path:
        return Path(self.args["output_dir"], f"point_matching.{suffix}")

    def _write(self, ranked: Sequence[Mapping[str, Any]], trial: _Trial) -> None:
        write_bytes_whole(self._file("json"), json.dumps(plain_json(ranked), indent=2).encode())
        write_bytes_whole(self._file("html"), _page(ranked, trial).encode())

    def _report(self, ranked: Sequence[Mapping[str, Any]], trial: _Trial) -> dict[str, Any]:
        return self.output(
            {
                "combinations": [{key: value for key, value in one.items() if key not in _DETAILS} for one in ranked],
                "best": ranked[0]["parameters"] if ranked else None,
                "pairs": [[pair.p.id, pair.q.id] for pair in trial.pairs],
                "output_html": self._file("html"),
                "output_table": self._file("json"),
            }
        )


_DETAILS = ("pair_results", "pictures")


def _tried(combination: Mapping[str, Any], *, trial: _Trial) -> dict[str, Any]:
    """Match all pairs with one combination; the worker's part."""
    from rendermodules.core.match_frames import match_frame
    from rendermodules.core.match_scores import match_score

    options = trial.options(combination)
    frames = {name: match_frame(tile, None, options.num_local_transforms) for name, tile in trial.tiles.items()}
    pair_results: list[dict[str, Any]] = []
    for pair in trial.pairs:
        for side in pair:
            if side.id in trial.tiles:
                image_of_tile(trial.tiles[side.id], frames[side.id], options, trial.connection)
        begun = time.thread_time()
        (outcome,) = matched_batch([pair], trial.tiles, options, trial.connection).outcomes
        figures: dict[str, Any] = {"reason": outcome.reason, "cpu_seconds": time.thread_time() - begun}
        if outcome.matches:
            one = max(outcome.matches, key=len)
            score = match_score(one, frames[pair.p.id], frames[pair.q.id])
            figures.update(match_count=sum(map(len, outcome.matches)), inlier_ratio=_inlier_ratio(outcome))
            if score is not None:
                figures.update(residual=score.residual, coverage=score.coverage, uncertainty=score.uncertainty)
        pair_results.append(figures)
    medians = {key: _median([one.get(key) for one in pair_results]) for key in FIGURES[1:]}
    matched = sum(one["reason"] is None for one in pair_results)
    return plain_json({"parameters": combination, "pairs_matched": matched, **medians, "pair_results": pair_results})


def _median(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.median(there)) if there else None


def _inlier_ratio(outcome: "PairOutcome") -> float:
    """Return which part of the candidates, or of the blocks, was kept."""
    step = "candidates: " if outcome.method == "features" else "blocks: "
    lost = sum(count for name, count in outcome.dropped.items() if name.startswith(step))
    kept = sum(map(len, outcome.matches))
    return kept / (kept + lost)


def _draw_pair(outcome: "PairOutcome", trial: _Trial, options: MatchingOptions, path: Path) -> None:
    """Draw the images of a pair side by side with lines between the matches."""
    from matplotlib.collections import LineCollection

    from rendermodules.core.estimation import inverted, transformed
    from rendermodules.core.match_frames import match_frame

    tiles = [trial.tiles[side.id] for side in outcome.pair]
    frames = [match_frame(tile, None, options.num_local_transforms) for tile in tiles]
    images = [image_of_tile(tile, frame, options, trial.connection) for tile, frame in zip(tiles, frames, strict=True)]
    width = images[0].pixels.shape[1]
    canvas = np.zeros((max(one.pixels.shape[0] for one in images), width + images[1].pixels.shape[1]))
    for image, start in zip(images, (0, width), strict=True):
        rows, columns = image.pixels.shape
        canvas[:rows, start : start + columns] = image.pixels
    figure = new_figure(12, 12 * canvas.shape[0] / canvas.shape[1] + 0.5)
    axes = figure.subplots()
    axes.imshow(canvas, cmap="gray")
    for index, one in enumerate(outcome.matches):
        p = transformed(inverted(images[0].to_frame), one.p)
        q = transformed(inverted(images[1].to_frame), one.q) + [width, 0]
        axes.add_collection(LineCollection(list(np.stack([p, q], axis=1)), linewidths=0.5, colors=f"C{index}"))
    axes.set_axis_off()
    axes.set_title(f"{outcome.pair.p.id} and {outcome.pair.q.id}: {sum(map(len, outcome.matches))} matches")
    write_figure(figure, path, 100)


def _page(ranked: Sequence[Mapping[str, Any]], trial: _Trial) -> str:
    """Return the table as HTML."""
    swept = list(ranked[0]["parameters"])
    heads = ["rank", *swept, *FIGURES, *(f"{pair.p.id}, {pair.q.id}" for pair in trial.pairs)]
    rows = [_row(one, swept) for one in ranked]
    head = "".join(f"<th>{html.escape(name)}</th>" for name in heads)
    style = "body{font-family:sans-serif}td,th{border:1px solid #bbb;padding:3px 6px}table{border-collapse:collapse}"
    return (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Point matching</title><style>{style}</style>'
        f"<h1>Point matching with {len(ranked)} combinations of parameters</h1>"
        f"<table><tr>{head}</tr>{''.join(rows)}</table></html>\n"
    )


def _row(one: Mapping[str, Any], swept: Sequence[str]) -> str:
    cells = [str(one["rank"]), *(str(one["parameters"][name]) for name in swept)]
    cells += ["" if one[name] is None else f"{one[name]:.4g}" for name in FIGURES]
    texts = [html.escape(cell) for cell in cells]
    pictures = one.get("pictures") or [None] * len(one["pair_results"])
    for result, picture in zip(one["pair_results"], pictures, strict=True):
        said = html.escape(str(result["match_count"]) if result["reason"] is None else result["reason"])
        texts.append(
            f'<a href="{picture}"><img src="{picture}" width="300" alt="{said}"><br>{said}</a>' if picture else said
        )
    return "<tr>" + "".join(f"<td>{text}</td>" for text in texts) + "</tr>"


if __name__ == "__main__":
    raise SystemExit(OptimizePointMatching.main())
