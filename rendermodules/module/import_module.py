"""The base of modules that make stacks of files."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rendermodules.core.sections import Section
from rendermodules.module import stacks
from rendermodules.module.errors import SectionError
from rendermodules.module.fields import Bool, Float, Int, List, Str
from rendermodules.module.journal import Journal
from rendermodules.module.render_module import (
    RenderModule,
    forget_lost_sections,
    worker_connection,
    written_section,
)
from rendermodules.module.schemas import OutputParameters, OutputStackParameters, PoolParameters, RenderParameters


class ImportParameters(RenderParameters, OutputStackParameters, PoolParameters):
    """Files in, a stack out."""

    delete_stack = Bool("remove an output stack of that name first, instead of adding to it", default=False)


class ImportOutput(OutputParameters):
    """What was imported."""

    output_stack = Str("stack that was written", required=True)
    zValues = List(Float, "z of the sections written", required=True)
    tile_count = Int("number of tiles written", required=True)


class ImportModule(RenderModule):
    """Files in, sections of a stack out. The author writes `run`, with `write_sections` in it."""

    default_schema = ImportParameters
    default_output_schema = ImportOutput

    def write_sections(
        self,
        stack: str,
        items: Sequence[Any],
        section_of: Callable[[Any], Section],
        *,
        journal: Journal,
        describe: Callable[[Any], str],
        **version: Any,
    ) -> list[dict[str, Any]]:
        """Write the section that each item becomes into a stack, by the workers that the parameters ask for.

        Parameters
        ----------
        stack : str
            Stack to write; made when it does not exist, removed before when ``delete_stack`` says so.
        items : list
            What the sections are made of; no two make tiles of one z. They are sent to workers.
        section_of : callable
            From an item to a `Section`; a function of a module, or a `functools.partial` of one.
        journal : Journal
            Journal of the run, see `journal`.
        describe : callable
            The item in words, unique in the run.
        **version
            Fields of Render's StackVersion for a new stack, such as ``stackResolutionX``.

        Returns
        -------
        list of dict
            ``zs`` and ``tile_count`` of each item.
        """
        forget_lost_sections(self.render, stack, journal, {describe(item) for item in items})
        if self.args["delete_stack"] and not any(describe(item) in journal.results for item in items):
            stacks.delete_stack(self.render, stack)
        with self.written_stack(stack, **version) as target:
            work = functools.partial(
                _imported_section,
                parameters=self.args["render"],
                target=target,
                section_of=section_of,
                replace=self.args["overwrite_zlayer"],
            )
            results = self.map(work, items, unit="sections", describe=describe, error=SectionError, journal=journal)
        self.logger.info("wrote %d sections, %d tiles, to %s", len(items), _tile_count(results), stack)
        return results

    def report(self, results: Sequence[Mapping[str, Any]], **more: Any) -> dict[str, Any]:
        """Return the module's output of what `write_sections` returned."""
        return self.output(
            {
                "output_stack": self.args["output_stack"],
                "zValues": sorted({z for result in results for z in result["zs"]}),
                "tile_count": _tile_count(results),
                **more,
            }
        )


def _imported_section(
    item: Any, *, parameters: Mapping[str, Any], target: str, section_of: Callable[[Any], Section], replace: bool
) -> dict[str, Any]:
    return written_section(worker_connection(parameters), target, section_of(item), replace=replace)


def _tile_count(results: Sequence[Mapping[str, Any]]) -> int:
    return sum(result["tile_count"] for result in results)
