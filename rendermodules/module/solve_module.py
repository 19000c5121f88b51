"""The base of modules that solve for the transforms of tiles, section by section or of many together."""

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rendermodules.core.problems import listed
from rendermodules.core.sections import Section
from rendermodules.core.solve.report import limit_problems, report_line
from rendermodules.io.tilespecs import write_tilespecs
from rendermodules.module.errors import RenderModuleError, SectionError
from rendermodules.module.fields import Float, Int, Json, List, Str
from rendermodules.module.render_module import SectionMapModule, worker_connection, written_section
from rendermodules.module.schemas import OutputParameters
from rendermodules.module.solve_parameters import solve_limits


class SolveOutput(OutputParameters):
    """What was solved."""

    output_stack = Str("stack that was written")
    zValues = List(Float, "z of the sections solved", required=True)
    tile_count = Int("number of tiles, without those that were dropped", required=True)
    solves = Json("what came of each solve: model, regularization, lenses, residuals, scales, dropped pairs, warnings")
    problems = List(Str, "in which ways solves do not keep to the limits", required=True)


def solved_section(
    section: Section, parameters: Mapping[str, Any] | None, *, target: str | None, replace: bool, keep: bool
) -> dict[str, Any]:
    """Write a solved section, if it is to be written, and return what is known of it; the end of a worker's part.

    Parameters
    ----------
    section : Section
        With its new transforms.
    parameters : dict or None
        Of the connection.
    target : str or None
        Stack to write.
    replace : bool
        First remove what the stack has at the z.
    keep : bool
        Return the section itself too.
    """
    if target is not None:
        return written_section(worker_connection(parameters or {}), target, section, replace=replace)
    kept = {"section": section} if keep else {}
    return {"zs": [section.z], "tile_count": len(section.tiles), **kept}


class SolveModule(SectionMapModule):
    """Solves in, sections of a stack or a file out, with a report that is judged by limits."""

    default_output_schema = SolveOutput

    def solved(
        self,
        zs: Sequence[float],
        items: Sequence[Any],
        work: Callable[..., dict[str, Any]],
        reports: Sequence[Mapping[str, Any]] = (),
    ) -> dict[str, Any]:
        """Let workers finish sections, and return the result of the module.

        Parameters
        ----------
        zs : list of float
            The sections.
        items : list
            What they are made of, one for each section: its z, or a tuple that begins with it.
        work : callable
            From an item, with the keywords ``replace``, ``keep`` and ``target`` of `solved_section`, to what that
            returns, with the ``report`` of the section's own solve unless there are ``reports``.
        reports : sequence of dict
            Of a solve of all sections together.

        Raises
        ------
        RenderModuleError
            A solve does not keep to the limits. The result is written, the stack stays LOADING, a file is not written.
        """
        source, target, file = (self.args.get(name) for name in ("input_stack", "output_stack", "output_file"))
        describe = functools.partial(_description, source=source or "the files")
        work = functools.partial(work, replace=self.args["overwrite_zlayer"])
        outcome = functools.partial(self.outcome, zs, reports)

        def accept(results: Sequence[Mapping[str, Any]]) -> None:
            self._judge(outcome(results))

        if target is not None and not self.dry_run:
            work = functools.partial(work, keep=False)
            results = self.write_sections(zs, items, work, describe, in_place=source == target, accept=accept)
            return self.output(outcome(results))
        work = functools.partial(work, keep=file is not None and not self.dry_run, target=None)
        results = self.map(work, items, unit="sections", describe=describe, error=SectionError)
        accept(results)
        if file is not None and not self.dry_run:
            write_tilespecs(Path(file), [result["section"] for result in results])
        return self.output(outcome(results))

    def outcome(
        self, zs: Sequence[float], reports: Sequence[Mapping[str, Any]], results: Sequence[Mapping[str, Any]]
    ) -> dict[str, Any]:
        """Return the result of the module, with what does not keep to the limits."""
        reports = reports or [result["report"] for result in results]
        limits = solve_limits(self.args)
        problems = [f"{place}: {text}" for place, report in _places(reports) for text in limit_problems(report, limits)]
        return {
            **{name: self.args[name] for name in ("output_stack", "output_file") if name in self.args},
            "zValues": zs,
            "tile_count": sum(result["tile_count"] for result in results),
            "solves": reports,
            "problems": problems,
        }

    def line(self, report: Mapping[str, Any]) -> str:
        """Return what came of a solve in a few words."""
        return report_line(report)

    def _judge(self, outcome: Mapping[str, Any]) -> None:
        """Say what came of the solves; when they do not keep to the limits, write the result and fail."""
        for place, report in _places(outcome["solves"]):
            self.logger.info("%s: %s", place, self.line(report))
            for warning in report["warnings"]:
                self.logger.warning("%s: %s", place, warning)
        if outcome["problems"]:
            self.output(outcome)
            raise RenderModuleError(listed(outcome["problems"], 10))


def _description(item: Any, source: str) -> str:
    return f"section z={item[0] if isinstance(item, tuple) else item} of {source}"


def _places(reports: Sequence[Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return reports with the sections that they are of in words."""
    return [
        (f"z={zs[0]}" if len(zs) == 1 else f"{len(zs)} sections from z={zs[0]}", report)
        for report in reports
        for zs in [report["zValues"]]
    ]
