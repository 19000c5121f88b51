"""The bases of modules that talk to Render."""

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from renderapi.render import Render

from rendermodules.core.sections import Section
from rendermodules.io.files import file_digest
from rendermodules.module import stacks
from rendermodules.module.connection import connect
from rendermodules.module.errors import RenderModuleError, SectionError
from rendermodules.module.journal import Journal
from rendermodules.module.plain_module import PlainModule
from rendermodules.module.provenance import input_stacks, stack_versions
from rendermodules.module.schemas import RenderParameters, SectionMapOutput, SectionMapParameters


class RenderModule(PlainModule):
    """A module that talks to Render through ``self.render``."""

    default_schema = RenderParameters

    @functools.cached_property
    def render(self) -> Render:
        """The connection, opened when first used; it refuses to change anything in a dry run."""
        return connect(self.args["render"], read_only=self.dry_run)

    def input_files(self) -> Iterable[str | Path]:
        """Return the local files whose content decides the result; a changed one makes another run of it."""
        return ()

    def inputs(self) -> dict[str, Any]:
        """Return versions of the stacks that the parameters name and digests of the input files; asked once."""
        return self._inputs

    @functools.cached_property
    def _inputs(self) -> dict[str, Any]:
        names = input_stacks(self.args)
        files = {str(path): file_digest(path) for path in self.input_files()}
        return {**(stack_versions(self.render, names) if names else {}), **({"sha256": files} if files else {})}

    @contextmanager
    def written_stack(
        self, stack: str, *, like: str | None = None, in_place_zs: Sequence[float] | None = None, **version: Any
    ) -> Iterator[str]:
        """Open a stack for writing and close it when the block ends well, if ``close_stack`` says so.

        Parameters
        ----------
        stack : str
            The stack; made when it does not exist.
        like : str, optional
            A stack whose metadata (resolution and the like) a new stack takes.
        in_place_zs : list of float, optional
            Sections of the stack that are read and written at once, see `stacks.written_stack`.
        **version
            Further fields of Render's StackVersion for a new stack, such as ``stackResolutionX``.

        Yields
        ------
        str
            Name of the stack to write into.
        """
        copied = stacks.copied_metadata(stacks.stack_metadata(self.render, like)) if like else {}
        given = {key: value for key, value in version.items() if value is not None}
        fields = {**copied, **given, "versionNotes": json.dumps(self.provenance())}
        close = self.args.get("close_stack", True)
        with stacks.written_stack(self.render, stack, version=fields, close=close, in_place_zs=in_place_zs) as target:
            yield target


class SectionMapModule(RenderModule):
    """A stack in, one function per section, a stack out.

    Attributes
    ----------
    also_reads : tuple of str
        Names of further stack parameters; the task gets their sections of the same z too, see `further_stacks`.
    """

    default_schema = SectionMapParameters
    default_output_schema = SectionMapOutput
    also_reads: tuple[str, ...] = ()

    def section_task(self) -> Callable[..., Section]:
        """Return the function from a section (and those of ``also_reads``) to a section. The author writes it.

        It is sent to workers: a function of a module, or a `functools.partial` of one.
        """
        raise TypeError(f"{type(self).__name__} has no section_task method")

    def further_stacks(self) -> list[str]:
        """Return the further stacks to read; the task gets an empty section of one that has no tile at a z."""
        return [self.args[name] for name in self.also_reads if self.args[name]]

    def stack_version(self) -> dict[str, Any]:
        """Return what is different in the output stack's version from that of the input stack."""
        return {}

    def zvalues(self) -> list[float]:
        """Return the z of the sections to process, ascending."""
        return stacks.selected_z_values(self.render, self.args["input_stack"], self.args)

    def run(self) -> dict[str, Any]:
        """Map the sections and report; one that fails stops the run and leaves the output stack LOADING."""
        return self.output(self.map_sections())

    def map_sections(self) -> dict[str, Any]:
        """Map the sections; return what was read and written, as in `SectionMapOutput`."""
        source, target = self.args["input_stack"], self.args["output_stack"]
        sources = [source, *self.further_stacks()]
        if self.completed_replacement():
            zs = stacks.z_values(self.render, target)
            return self._summary(zs, [{"zs": zs, "tile_count": len(stacks.tile_ids(self.render, target))}])
        for further in sources[1:]:
            stacks.stack_metadata(self.render, further)
        zs, task = self.zvalues(), self.section_task()
        if self.dry_run:
            self.logger.info("would write %d sections of %s, z %s to %s, to %s", len(zs), source, zs[0], zs[-1], target)
            return self._summary(zs, [])
        work = functools.partial(
            _mapped_section,
            parameters=self.args["render"],
            sources=sources,
            task=task,
            replace=self.args["overwrite_zlayer"],
        )
        describe = functools.partial("section z={1} of {0}".format, source)
        results = self.write_sections(zs, zs, work, describe, in_place=target in sources)
        return self._summary(zs, results)

    def write_sections(
        self,
        zs: Sequence[float],
        items: Sequence[Any],
        work: Callable[..., dict[str, Any]],
        describe: Callable[[Any], str],
        *,
        in_place: bool,
        accept: Callable[[Sequence[Mapping[str, Any]]], None] = lambda results: None,
    ) -> list[dict[str, Any]]:
        """Write sections of the output stack, continuing a killed run; return what came of each item.

        Parameters
        ----------
        zs : list of float
            Sections that are written.
        items : list
            What they are made of, one for each section.
        work : callable
            From an item, and the name of the stack to write as ``target``, to what a journal keeps of it, see
            `written_section`. It is sent to workers.
        describe : callable
            The item in words, unique in the run.
        in_place : bool
            Whether the output stack is read too.
        accept : callable, optional
            Looks at the results before the stack is closed; an error that it raises leaves the stack LOADING.
        """
        source, target = self.args["input_stack"], self.args["output_stack"]
        with self.journal() as journal:
            self._forget_lost_sections(journal, target, in_place)
            in_place_zs = zs if in_place else None
            with self.written_stack(target, like=source, in_place_zs=in_place_zs, **self.stack_version()) as written:
                results = self.map(
                    functools.partial(work, target=written),
                    items,
                    unit="sections",
                    describe=describe,
                    error=SectionError,
                    journal=journal,
                )
                accept(results)
        self.logger.info("wrote %d sections, %d tiles, to %s", len(zs), sum(r["tile_count"] for r in results), target)
        return results

    def completed_replacement(self) -> bool:
        """Return whether an earlier run of this kind was killed while its copy took the output stack's place.

        Then the copy was whole, and this has put it in place: nothing is left to do.
        """
        target = self.args["output_stack"]
        in_place = target in (self.args["input_stack"], *self.further_stacks())
        if target is None or not in_place or self.dry_run or not self._completed(target):
            return False
        self.logger.info("an earlier run was killed when its copy of %s was whole; it is in place now", target)
        return True

    def _completed(self, stack: str) -> bool:
        """Complete what a killed run left half done of replacing a stack; return whether it was this run."""
        if not stacks.is_half_replaced(self.render, [stack]):
            return False
        stacks.put_in_place(self.render, [stack])
        return self._wrote(stack)

    def _wrote(self, stack: str) -> bool:
        """Return whether a stack was made by a run of this module with these parameters."""
        version = stacks.stack_metadata(self.render, stack).get("currentVersion") or {}
        try:
            record = json.loads(version.get("versionNotes") or "{}")
        except ValueError:
            return False
        own = self.provenance()
        return isinstance(record, dict) and all(record.get(key) == own[key] for key in ("module", "parameters"))

    def _summary(self, zs: Sequence[float], results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        skipped = [
            {"z": z, "reason": "no tile is left"} for z, result in zip(zs, results, strict=False) if not result["zs"]
        ]
        return {
            "input_stack": self.args["input_stack"],
            "output_stack": self.args["output_stack"],
            "zValues": sorted({z for result in results for z in result["zs"]}),
            "tile_count": sum(result["tile_count"] for result in results),
            "skipped": skipped,
        }

    def _forget_lost_sections(self, journal: Journal, target: str, in_place: bool) -> None:
        """Do again what an earlier run has written and somebody has removed since."""
        written = f"{target}{stacks.STAGED}" if in_place else target
        forget_lost_sections(self.render, written, journal, set(journal.results))
        if in_place and not journal.results:
            # left over from another run, whose parameters were not these
            stacks.delete_stack(self.render, written)


def forget_lost_sections(render: Render, stack: str, journal: Journal, names: set[str]) -> None:
    """Make a journal forget those of its items that wrote into a stack sections which are no longer there."""
    exists = stack in stacks.stack_names(render)
    present = set(stacks.z_values(render, stack)) if exists else set()
    results = {name: journal.results[name] for name in names & journal.results.keys()}
    journal.forget({name for name, result in results.items() if not present.issuperset(result["zs"])})


def _mapped_section(
    z: float,
    *,
    parameters: Mapping[str, Any],
    sources: Sequence[str],
    target: str,
    task: Callable[..., Section],
    replace: bool,
) -> dict[str, Any]:
    """Read, map and write one section; the worker's part of a section map."""
    render = worker_connection(parameters)
    section = task(
        stacks.read_section(render, sources[0], z),
        *(stacks.read_section(render, source, z, missing_ok=True) for source in sources[1:]),
    )
    return written_section(render, target, section, replace=replace)


def written_section(render: Render, stack: str, section: Section, *, replace: bool) -> dict[str, Any]:
    """Write a section and return what a journal keeps of it: the z of its tiles and their number."""
    if not isinstance(section, Section):
        raise RenderModuleError(f"the section task returned a {type(section).__name__} instead of a Section")
    count = stacks.write_section(render, stack, section, replace=replace)
    return {"zs": sorted({float(tile["z"]) for tile in section.tiles}), "tile_count": count}


def worker_connection(parameters: Mapping[str, Any]) -> Render:
    """Return this process's connection: a worker gets parameters and connects by itself."""
    return _connection(json.dumps(parameters, sort_keys=True), Path.cwd())


@functools.lru_cache(maxsize=4)
def _connection(parameters: str, folder: Path) -> Render:
    # a store may be given by a path from the current folder, which is therefore part of the key
    return connect(json.loads(parameters))
