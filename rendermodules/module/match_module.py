"""The base of modules that make a match collection of another."""

import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from rendermodules.core.identifiers import repeated
from rendermodules.core.pointmatches import PointMatches
from rendermodules.core.problems import listed
from rendermodules.module import matches
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.fields import Int, Json, Str
from rendermodules.module.matches import MatchCollection, match_collection
from rendermodules.module.render_module import RenderModule, worker_connection
from rendermodules.module.schemas import (
    InputCollectionParameters,
    OutputParameters,
    PoolParameters,
    RenderParameters,
)


class MatchMapParameters(RenderParameters, InputCollectionParameters, PoolParameters):
    """A match collection in, a match collection out."""

    output_collection = Str("match collection to write; by default the one that is read, which is replaced when whole")


class MatchWritingOutput(OutputParameters):
    """What was written."""

    output_collection = Str("match collection that was written", required=True)
    pairs_read = Int("pairs that were looked at", required=True)
    pairs_written = Int("pairs that were written", required=True)
    match_count = Int("number of matches written", required=True)
    dropped = Json("how many pairs and matches were dropped or changed, by reason", required=True)


class MatchMapOutput(MatchWritingOutput):
    """What was read and written."""

    input_collection = Str("match collection that was read", required=True)


class MappedMatches(NamedTuple):
    """What a task makes of matches.

    Attributes
    ----------
    matches : list of PointMatches
        To be written; pairs without points are left out.
    dropped : dict of str to int
        What was dropped, by reason.
    report : list
        Plain JSON values for the module's own report.
    """

    matches: list[PointMatches]
    dropped: Mapping[str, int] = {}
    report: Sequence[Any] = ()


class PairSelection(NamedTuple):
    """Which pairs of a collection are meant.

    Attributes
    ----------
    groups : frozenset of str, optional
        Both tiles must be in one of these sections; in any if absent.
    kind : str
        "within" a section, "across" two, or "all".
    """

    groups: frozenset[str] | None = None
    kind: str = "all"

    def holds(self, matches: PointMatches) -> bool:
        """Return whether a pair is meant."""
        sections = {matches.p_group_id, matches.q_group_id}
        if self.groups is not None and not sections <= self.groups:
            return False
        return self.kind == "all" or (len(sections) == 1) == (self.kind == "within")


MatchTask = Callable[[list[PointMatches]], MappedMatches]
"""From the matches of one group to what is written of them."""


class MatchWritingModule(RenderModule):
    """Sections of match collections in, a match collection out.

    A collection that is read and written at once is written as a copy that takes its place when it is whole.
    """

    def written_by_section(
        self,
        target: MatchCollection,
        groups: Callable[[], Sequence[str]],
        work: Callable[[MatchCollection], Callable[[str], dict[str, Any]]],
        *,
        in_place: bool,
    ) -> list[dict[str, Any]]:
        """Let workers write a collection, section by section.

        Parameters
        ----------
        target : MatchCollection
            What is written.
        groups : callable
            Gives the ids of the sections to work on; not asked when an earlier run had written all.
        work : callable
            Gives, for the collection to write into, the function that writes one section into it and returns plain
            JSON values with at least those of `written_summary`.
        in_place : bool
            Whether ``target`` is read too.

        Returns
        -------
        list of dict
            What the workers returned; nothing in a dry run.
        """
        with self.journal() as journal:
            if in_place and matches.is_half_replaced(target):
                if self.dry_run:
                    self.logger.info("would put the copy of %s in place that an earlier run has made", target)
                    return []
                self.logger.info("an earlier run was killed when its copy of %s was whole; it is in place now", target)
                results = list(journal.results.values())
            else:
                written = matches.staged_copy(target) if in_place else target
                if not matches.exists(written):
                    journal.forget(set(journal.results))
                elif in_place and not journal.results and not self.dry_run:
                    # left over from another run, whose parameters were not these
                    matches.delete_collection(written)
                names = groups()
                if self.dry_run:
                    self.logger.info("would write %s from %d sections", target, len(names))
                    return []
                describe = functools.partial("pairs of section {1} for {0}".format, target)
                results = self.map(work(written), names, unit="sections", describe=describe, journal=journal)
                if not matches.exists(written):
                    raise RenderModuleError(f"no match is left for {target}, nothing was written; {_said(results)}")
            if in_place:
                matches.put_in_place(target)
        if in_place:
            matches.delete_replaced(target)
        return results

    def totals(self, results: Sequence[Mapping[str, Any]], target: MatchCollection) -> dict[str, Any]:
        """Return what was read, written and dropped in all sections, as in `MatchWritingOutput`, and say it."""
        totals = {key: sum(result[key] for result in results) for key in ("pairs_read", "pairs_written", "match_count")}
        self.logger.info(
            "%d pairs read, %d with %d matches written to %s; %s", *totals.values(), target, _said(results)
        )
        return {**totals, "dropped": _dropped(results)}


class MatchMapModule(MatchWritingModule):
    """A match collection in, one function per section, a match collection out.

    The pairs whose p is in one section are read, mapped and written together.
    """

    default_schema = MatchMapParameters
    default_output_schema = MatchMapOutput

    def match_task(self) -> MatchTask:
        """Return the function from matches to matches. The author writes it.

        It is sent to workers: a function of a module, or a `functools.partial` of one.
        """
        raise TypeError(f"{type(self).__name__} has no match_task method")

    def selection(self) -> PairSelection:
        """Return which pairs are looked at; all unless the author says otherwise.

        Others are kept as they are when the collection is changed in place, and not written elsewhere.
        """
        return PairSelection()

    @property
    def source(self) -> MatchCollection:
        """The collection that is read."""
        return match_collection(self.render, self.args["input_collection"], self.args["match_owner"])

    @property
    def target(self) -> MatchCollection:
        """The collection that is written."""
        name = self.args["output_collection"] or self.args["input_collection"]
        return match_collection(self.render, name, self.args["match_owner"])

    def run(self) -> dict[str, Any]:
        """Map the matches and report."""
        return self.output(self.summary(self.map_matches()))

    def map_matches(self) -> list[dict[str, Any]]:
        """Map the matches; return of each group what was read, written, dropped and reported."""
        in_place = self.source == self.target
        return self.written_by_section(
            self.target,
            functools.partial(self._groups, in_place),
            functools.partial(self._work, in_place),
            in_place=in_place,
        )

    def _groups(self, in_place: bool) -> list[str]:
        if not matches.check_exists(self.source):
            raise RenderModuleError(f"{self.source} holds no pairs")
        chosen = self.selection().groups
        groups = matches.group_ids(self.source, "p")
        return groups if chosen is None or in_place else [group for group in groups if group in chosen]

    def _work(self, in_place: bool, written: MatchCollection) -> Callable[[str], dict[str, Any]]:
        return functools.partial(
            _mapped_group,
            parameters=self.args["render"],
            source=self.source[1:],
            target=written[1:],
            task=self.match_task(),
            selection=self.selection(),
            keep_others=in_place,
        )

    def summary(self, results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return what was read and written, as in `MatchMapOutput`, and say it."""
        names = {"input_collection": self.source.name, "output_collection": self.target.name}
        return {**names, **self.totals(results, self.target)}


def _dropped(results: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return what was dropped in all groups, by reason."""
    dropped: Counter[str] = Counter()
    for result in results:
        dropped.update(result["dropped"])
    return {reason: count for reason, count in sorted(dropped.items()) if count}


def _said(results: Sequence[Mapping[str, Any]]) -> str:
    return "dropped: " + (listed([f"{count} {reason}" for reason, count in _dropped(results).items()]) or "none")


def _mapped_group(
    group: str,
    *,
    parameters: Mapping[str, Any],
    source: tuple[str, str],
    target: tuple[str, str],
    task: MatchTask,
    selection: PairSelection,
    keep_others: bool,
) -> dict[str, Any]:
    """Read, map and write the pairs of one group; the worker's part."""
    render = worker_connection(parameters)
    found = matches.matches_with_p_group(match_collection(render, *source), group)
    looked_at = [one for one in found if selection.holds(one)]
    mapped = task(looked_at)
    kept = [one for one in mapped.matches if len(one)]
    others = [one for one in found if not selection.holds(one)] if keep_others else []
    twice = repeated(one.pair for one in (*kept, *others))
    if twice:
        raise RenderModuleError(
            f"{len(twice)} pairs would be there twice, {' and '.join(twice[0][1::2])} the first; "
            "merge_match_collections puts matches of one pair together"
        )
    matches.write_matches(match_collection(render, *target), [*kept, *others])
    return {**written_summary(len(looked_at), kept, mapped.dropped), "report": list(mapped.report)}


def written_summary(pairs_read: int, written: Sequence[PointMatches], dropped: Mapping[str, int]) -> dict[str, Any]:
    """Return what a journal keeps of a section that was written; see `MatchWritingModule.totals`."""
    return {
        "pairs_read": pairs_read,
        "pairs_written": len(written),
        "match_count": sum(map(len, written)),
        "dropped": dict(dropped),
    }
