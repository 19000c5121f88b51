"""Exchange the point matches of sections between two collections, or copy them.

For instance after sections were matched again with other parameters: the new matches go into the collection that is
used, the old ones into the other. All pairs with a tile in one of the sections go along, also those with other
sections, whichever of their tiles comes first. They are set aside first, so that a run that was killed is completed by
starting it again.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from rendermodules.core.problems import listed
from rendermodules.module import matches
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.fields import Bool, Float, Int, List, Str
from rendermodules.module.journal import Journal
from rendermodules.module.matches import MatchCollection, match_collection
from rendermodules.module.render_module import RenderModule, worker_connection
from rendermodules.module.schemas import MatchOwnerParameters, OutputParameters, PoolParameters, RenderParameters
from rendermodules.module.tile_queries import section_ids

ASIDE = "_set_aside"
"""Behind the name of a collection, that of what is set aside of it until it is in its new place."""


class SwapMatchesParameters(RenderParameters, MatchOwnerParameters, PoolParameters):
    """Which matches are exchanged."""

    source_collection = Str("one collection", required=True)
    target_collection = Str("the other", required=True)
    groups = List(Str, "ids of the sections")
    zValues = List(Float, "or their z; section ids are those of input_stack, or else 1.0 for z 1")
    input_stack = Str("stack that tells which section ids a z has")
    copy = Bool("only copy from the source to the target, whose own matches are replaced", default=False)

    aliases: ClassVar[Mapping[str, str | None]] = {"zs": "zValues"}

    @validates_schema
    def check_sections(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse one collection alone, and sections that are said twice or not at all."""
        if data["source_collection"] == data["target_collection"]:
            raise ValidationError("source and target are the same collection", "target_collection")
        if (data.get("groups") is None) == (data.get("zValues") is None):
            raise ValidationError("give groups or zValues", "groups")


class SwapMatchesOutput(OutputParameters):
    """What was exchanged."""

    source_collection = Str("one collection", required=True)
    target_collection = Str("the other", required=True)
    swapped_groups = List(Str, "ids of the sections that were exchanged", required=True)
    nonswapped_groups = List(Str, "ids of those that a collection lacks, so that nothing was done", required=True)
    swapped_zs = List(Float, "z that were exchanged, where z were given", required=True)
    nonswapped_zs = List(Float, "z of which a collection has no section", required=True)
    pairs_from_source = Int("pairs that went from the source to the target", required=True)
    pairs_from_target = Int("pairs that went from the target to the source", required=True)


class SwapMatches(RenderModule):
    """Exchange the point matches of sections between two collections, or copy them."""

    default_schema = SwapMatchesParameters
    default_output_schema = SwapMatchesOutput

    def run(self) -> dict[str, Any]:
        names = [self.args["source_collection"], self.args["target_collection"]]
        collections = [match_collection(self.render, name, self.args["match_owner"]) for name in names]
        with self.journal() as journal:
            plan = journal.results.get("plan") or self._plan(collections)
            if not plan["groups"]:
                raise RenderModuleError(f"none of the sections {listed(plan['missing'])} is in both collections")
            if self.dry_run:
                self.logger.info("would exchange the sections %s of %s and %s", listed(plan["groups"]), *names)
                return self._report(plan, [0, 0])
            if "plan" not in journal.results:
                self._check_nothing_set_aside(collections)
                journal.record("plan", plan)
            counts = self._exchange(collections, plan["groups"], journal)
        self.logger.info(
            "%d pairs went from %s to %s, %d the other way",
            counts[0],
            names[0],
            names[1],
            0 if self.args["copy"] else counts[1],
        )
        return self._report(plan, counts)

    def _plan(self, collections: Sequence[MatchCollection]) -> dict[str, list[str]]:
        """Return the sections to exchange, and those that a collection lacks."""
        there = []
        for collection in collections:
            matches.check_exists(collection)
            there.append(set(matches.group_ids(collection)))
        present = there[0] if self.args["copy"] else there[0] & there[1]
        wanted = self._wanted()
        groups = [group for group in wanted if group in present]
        return {"groups": groups, "missing": [group for group in wanted if group not in present]}

    def _wanted(self) -> list[str]:
        if self.args["groups"] is not None:
            return list(dict.fromkeys(self.args["groups"]))
        return [group for z in self.args["zValues"] for group in self._ids(z)]

    def _ids(self, z: float) -> list[str]:
        if self.args["input_stack"] is None:
            return [f"{float(z)}"]
        return self._ids_of_stack.get(float(z), [f"{float(z)}"])

    @functools.cached_property
    def _ids_of_stack(self) -> dict[float, list[str]]:
        return section_ids(self.render, self.args["input_stack"])

    def _check_nothing_set_aside(self, collections: Sequence[MatchCollection]) -> None:
        left = [aside for aside in map(_aside, collections) if matches.exists(aside)]
        if left:
            raise RenderModuleError(
                f"{listed(left)} is left of a run with other parameters that was killed; start that again, or delete it"
            )

    def _exchange(self, collections: Sequence[MatchCollection], groups: Sequence[str], journal: Journal) -> list[int]:
        """Do the steps that an earlier run has not done; return how many pairs went each way."""
        source, target = collections
        taken = [source] if self.args["copy"] else [source, target]
        # nothing is removed before all is set aside
        self._step("setting aside", _set_aside, [(one, group) for one in taken for group in groups], journal)
        if "counts" not in journal.results:
            names = matches.collection_names(self.render, source.owner)
            journal.record("counts", [names.get(_aside(one).name, 0) for one in collections])
        emptied = [target] if self.args["copy"] else [source, target]
        self._step("removing", _removed, [(one, group) for one in emptied for group in groups], journal)
        present = [one for one in taken if matches.exists(_aside(one))]
        moves = [(one, group) for one in present for group in matches.group_ids(_aside(one), "p")]
        self._step(
            "moving",
            functools.partial(_moved, places={source.name: target.name, target.name: source.name}),
            moves,
            journal,
        )
        for one in taken:
            matches.delete_collection(_aside(one))
        counts: list[int] = journal.results["counts"]
        return counts

    def _step(
        self, doing: str, task: Callable[..., Any], items: Sequence[tuple[MatchCollection, str]], journal: Journal
    ) -> None:
        work = functools.partial(_done, task=task, connection=self.args["render"])
        units = [(one.name, one.owner, group) for one, group in items]

        def describe(unit: tuple[str, str, str]) -> str:
            return f"{doing} section {unit[2]} of {unit[0]}"

        self.map(work, units, unit="sections", describe=describe, journal=journal)

    def _report(self, plan: Mapping[str, list[str]], counts: Sequence[int]) -> dict[str, Any]:
        zs = self.args["zValues"] or []
        missing = [z for z in zs if set(self._ids(z)) & set(plan["missing"])]
        return self.output(
            {
                "source_collection": self.args["source_collection"],
                "target_collection": self.args["target_collection"],
                "swapped_groups": plan["groups"],
                "nonswapped_groups": plan["missing"],
                "swapped_zs": [z for z in zs if z not in missing],
                "nonswapped_zs": missing,
                "pairs_from_source": counts[0],
                "pairs_from_target": counts[1],
            }
        )


def _aside(collection: MatchCollection) -> MatchCollection:
    """Return the collection in which what is set aside of another lies."""
    return collection._replace(name=f"{collection.name}{ASIDE}")


def _done(unit: tuple[str, str, str], *, task: Callable[..., Any], connection: Mapping[str, Any]) -> None:
    """Do one step for one section of a collection; the worker's part."""
    name, owner, group = unit
    task(match_collection(worker_connection(connection), name, owner), group)


def _set_aside(collection: MatchCollection, group: str) -> None:
    """Copy all pairs with a tile in a section."""
    found = [*matches.matches_within_group(collection, group), *matches.matches_outside_group(collection, group)]
    matches.write_matches(_aside(collection), found)


def _removed(collection: MatchCollection, group: str) -> None:
    """Remove all pairs with a tile in a section."""
    matches.delete_between_groups(collection, group, group)
    matches.delete_outside_group(collection, group)


def _moved(collection: MatchCollection, group: str, *, places: Mapping[str, str]) -> None:
    """Write what was set aside into the other collection."""
    other = collection._replace(name=places[collection.name])
    matches.write_matches(other, matches.matches_with_p_group(_aside(collection), group))


if __name__ == "__main__":
    raise SystemExit(SwapMatches.main())
