"""What a user should know of a solve, as plain values, and whether it can be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rendermodules.core.problems import listed
from rendermodules.core.residual_statistics import HIGH_PERCENTILE
from rendermodules.core.solve.arrays import FloatArray
from rendermodules.core.solve.lens import Lens
from rendermodules.core.solve.matches import z_distances
from rendermodules.core.solve.options import SolveOptions
from rendermodules.core.solve.quality import SCALE_LIMITS, shape_faults
from rendermodules.core.solve.solution import Solution
from rendermodules.core.solve.solved_transforms import lens_spec
from rendermodules.core.solve.stack_matches import OTHER_SECTION
from rendermodules.core.solve.stack_solve import SolvedStack

MOST_LISTED = 1000
"""Pairs that a report lists for each reason why they were left out; there may be millions."""

Report = dict[str, Any]
"""Plain values, as `solve_report` makes them."""


@dataclass(frozen=True)
class SolveLimits:
    """What a solve must keep to; None does not limit.

    Attributes
    ----------
    max_residual : float or None
        Root mean square residual of the matches used, world pixels.
    min_scale, max_scale : float or None
        Mean scale of the tiles against their prior.
    max_unconnected : float or None
        Part of the tiles that no matches join to the largest component, 0 to 1.
    max_rejected : float or None
        Part of the pairs that contradict the others, 0 to 1.
    """

    max_residual: float | None = None
    min_scale: float | None = SCALE_LIMITS[0]
    max_scale: float | None = SCALE_LIMITS[1]
    max_unconnected: float | None = None
    max_rejected: float | None = None


def solve_report(solved: SolvedStack, options: SolveOptions) -> Report:
    """Return what came of a solve: tiles, pairs, residuals, scales, lenses and warnings.

    Returns
    -------
    dict
        Lengths in world pixels. ``left_out`` has an entry for each reason why pairs were not used, with at most 1,000
        of them by name.
    """
    table, solution = solved.table, solved.solution
    unmatched = _names(table.ids, solved.unmatched)
    report: Report = {
        "zValues": sorted(set(table.z.tolist())),
        "model": options.model,
        "tile_count": len(table),
        "unmatched_tiles": unmatched,
        "unconnected_tiles": _names(table.ids, solved.unconnected),
        "dropped_tiles": sorted(solved.transforms.dropped),
        "fixed_tile_count": int(solved.fixed.sum()),
        "read_pair_count": solved.found.read,
        "used_pair_count": 0,
        "rejected_pairs": [],
        "left_out": _left_out(solved),
        "regularization": None,
        "lenses": [],
        "residual": None,
        "distances": [],
        "scale": None,
        "component_sizes": [],
    }
    if solution is not None:
        report.update(_figures(solution, solved))
    report["warnings"] = _warnings(solved, report)
    return report


def failure_report(zs: Sequence[float], reason: str) -> Report:
    """Return the report of a solve that could not be done."""
    return {"zValues": list(zs), "failed": reason, "warnings": []}


def report_line(report: Mapping[str, Any]) -> str:
    """Return what came of a solve in a few words."""
    if "failed" in report:
        return f"not solved: {report['failed']}"
    parts = [f"{report['tile_count']} tiles, {report['used_pair_count']} pairs"]
    if report["residual"] is not None:
        parts.append(f"residual {_residual_text(report)}")
    if report["regularization"] is not None:
        parts.append(f"regularization {report['regularization']:.3g}")
    parts += [f"a lens that moves points by up to {lens['largest_displacement']:.3g} px" for lens in report["lenses"]]
    return ", ".join(parts)


def limit_problems(report: Mapping[str, Any], limits: SolveLimits) -> list[str]:
    """Return in which ways a solve does not keep to limits, in words; nothing for one that can be believed."""
    if "failed" in report:
        return [report_line(report)]
    problems = []
    tiles, unconnected = report["tile_count"], report["unconnected_tiles"]
    if limits.max_unconnected is not None and len(unconnected) > limits.max_unconnected * tiles:
        problems.append(f"{len(unconnected)} of {tiles} tiles hang on nothing: {listed(unconnected, 3)}")
    rejected, used = len(report["rejected_pairs"]), report["used_pair_count"]
    if limits.max_rejected is not None and rejected > limits.max_rejected * (rejected + used):
        problems.append(f"{rejected} of {rejected + used} pairs contradict the others")
    if report["residual"] is not None:
        rms, scale = report["residual"]["rms"], report["scale"]["mean"]
        if limits.max_residual is not None and not rms <= limits.max_residual:
            problems.append(f"the residual is {rms:.3g} px, more than {limits.max_residual:g}")
        if limits.min_scale is not None and not scale >= limits.min_scale:
            problems.append(f"the mean scale of the tiles is {scale:.4g} of what it was: the solve collapsed")
        if limits.max_scale is not None and not scale <= limits.max_scale:
            problems.append(f"the mean scale of the tiles is {scale:.4g} of what it was: the solve burst")
    return problems


def _figures(solution: Solution, solved: SolvedStack) -> Report:
    kept = ~solution.rejected
    residuals, figures = solution.pair_residuals[kept], solution.statistics
    relative = {
        "mean": figures.scale_mean,
        "deviation": figures.scale_deviation,
        "least": figures.scale_least,
        "greatest": figures.scale_greatest,
    }
    return {
        "used_pair_count": int(kept.sum()),
        "used_point_count": int(solution.checked.matches.counts[kept].sum()),
        "rejected_pairs": _rejected(solution, solved.table.ids),
        "regularization": solution.regularization,
        "lenses": [_lens_report(group, lens, solution) for group, lens in solution.lenses.items()],
        "residual": {
            "rms": figures.residual_rms,
            "mean": figures.residual_mean.tolist(),
            "deviation": figures.residual_deviation.tolist(),
            **_pair_figures(residuals),
        },
        "distances": _by_distance(solution, solved.table.z),
        "scale": relative,
        "component_sizes": _component_sizes(solution),
        "precision": figures.precision,
        "error": figures.error,
    }


def _pair_figures(residuals: FloatArray) -> Report:
    """Return figures of the root mean square residuals (m,) of the pairs used."""
    if not len(residuals):
        return {"pair_median": None, "pair_95th_percentile": None, "pair_greatest": None}
    return {
        "pair_median": float(np.median(residuals)),
        "pair_95th_percentile": float(np.percentile(residuals, HIGH_PERCENTILE)),
        "pair_greatest": float(residuals.max()),
    }


def _by_distance(solution: Solution, z: FloatArray) -> list[Report]:
    """Return figures of the pairs used by how far apart in z their tiles are, which is how exact they are.

    ``weight`` is the factor that the matches got for that.
    """
    kept = ~solution.rejected
    apart = z_distances(z, solution.pairs)
    return [
        {
            "distance": distance,
            "used_pair_count": int(np.sum(kept & (apart == distance))),
            **_pair_figures(solution.pair_residuals[kept & (apart == distance)]),
            "weight": solution.balance.get(distance, 1.0),
        }
        for distance in np.unique(apart).tolist()
    ]


def _residual_text(report: Mapping[str, Any]) -> str:
    """Return the residual in words: where there are matches of several distances in z, of usual pairs of each."""
    known = [one for one in report["distances"] if one["pair_median"] is not None]
    if len(known) < 2:
        return f"{report['residual']['rms']:.3g} px"
    return ", ".join(
        f"{one['pair_median']:.3g} px " + (f"over {one['distance']:g} in z" if one["distance"] else "within sections")
        for one in known
    )


def _component_sizes(solution: Solution) -> list[int]:
    component = solution.component[solution.component >= 0]
    return sorted(np.bincount(component).tolist(), reverse=True)


def _rejected(solution: Solution, ids: Sequence[str]) -> list[Report]:
    places = np.flatnonzero(solution.rejected)
    order = places[np.argsort(-solution.pair_residuals[places], kind="stable")]
    return [
        {"p": ids[p], "q": ids[q], "residual": residual}
        for p, q, residual in zip(
            *solution.pairs[order].T.tolist(), solution.pair_residuals[order].tolist(), strict=True
        )
    ]


def _lens_report(group: int, lens: Lens, solution: Solution) -> Report:
    members = np.flatnonzero(solution.lens_groups == group)
    return {
        "transformId": lens_spec(lens)["id"],
        "order": lens.order,
        "largest_displacement": lens.largest_displacement(*(2 * lens.centre)),
        "tile_count": len(members),
    }


def _left_out(solved: SolvedStack) -> list[Report]:
    ids, entries = solved.table.ids, dict(solved.found.left_out)
    if solved.solution is not None:
        given = solved.found.matches.pairs
        for reason, places in solved.solution.checked.dropped.items():
            entries[reason] = [(ids[p], ids[q]) for p, q in given[places].tolist()]
    return [
        {"reason": reason, "count": len(pairs), "pairs": [list(pair) for pair in pairs[:MOST_LISTED]]}
        for reason, pairs in sorted(entries.items())
    ]


def _warnings(solved: SolvedStack, report: Report) -> list[str]:
    warnings = [solved.reason] if solved.reason else []
    tiles, unmatched, unconnected = len(solved.table), report["unmatched_tiles"], report["unconnected_tiles"]
    if unmatched and tiles > 1:
        warnings.append(f"{len(unmatched)} of {tiles} tiles have no matches: {listed(unmatched, 3)}")
    if len(unconnected) > len(unmatched):
        sizes = report["component_sizes"]
        warnings.append(f"matches join the tiles in {len(sizes)} components, of {listed(sizes, 5)} tiles")
    if report["rejected_pairs"]:
        judged = report["used_pair_count"] + len(report["rejected_pairs"])
        warnings.append(f"{len(report['rejected_pairs'])} of {judged} pairs contradict the others and were rejected")
    for entry in report["left_out"]:
        if entry["reason"] != OTHER_SECTION:
            warnings.append(f"{entry['count']} pairs were left out: {entry['reason']}")
    if solved.solution is not None:
        solution = solved.solution
        warnings += [f"{n} points were left out: {reason}" for reason, n in solution.checked.points_dropped.items()]
        linear = solution.coefficients[:, :, 1:3] / solution.frames.scale
        for fault, places in shape_faults(linear, solved.table.priors[:, :, :2]).items():
            names = [solved.table.ids[place] for place in places.tolist()]
            warnings.append(f"{len(names)} tiles are {fault}: {listed(names, 3)}")
    return warnings


def _names(ids: Sequence[str], chosen: Any) -> list[str]:
    return [ids[place] for place in np.flatnonzero(chosen).tolist()]
