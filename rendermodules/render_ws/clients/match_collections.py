"""Match collections of a service as the clients read and write them."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from rendermodules.render_ws.remote import RemoteService

PAIRS_AT_ONCE = 500


class RemoteCollection:
    """One match collection of a service.

    Parameters
    ----------
    service : RemoteService
    owner, name : str
    """

    def __init__(self, service: RemoteService, owner: str, name: str) -> None:
        self.service = service
        self.owner, self.name = owner, name
        self.path = ("owner", owner, "matchCollection", name)

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"

    def get(self, *parts: str, **query: Any) -> Any:
        """Return the JSON of an answer to GET below the collection."""
        return self.service.get_json(*self.path, *parts, **query)

    def p_group_ids(self) -> list[str]:
        """Return the groups that occur as p."""
        ids: list[str] = self.get("pGroupIds")
        return ids

    def p_group(self, group: str, *, details: bool = True) -> list[dict[str, Any]]:
        """Return the pairs whose p is in a group as Render's JSON, with or without their points."""
        pairs: list[dict[str, Any]] = self.get("pGroup", group, "matches", excludeMatchDetails=not details)
        return pairs

    def pairs_of_groups(self, groups: Sequence[str], *, outside: bool) -> Iterable[tuple[str, str]]:
        """Yield the tile ids of the pairs within groups, and with ``outside`` those to other groups too.

        Groups that the collection lacks have none.
        """
        routes = ("matchesWithinGroup", "matchesOutsideGroup") if outside else ("matchesWithinGroup",)
        for group in groups:
            for route in routes:
                for pair in self.get("group", group, route, excludeMatchDetails=True):
                    yield pair["pId"], pair["qId"]

    def put(self, pairs: Iterable[dict[str, Any]]) -> int:
        """Write pairs, some hundred with each request, and return how many there were."""
        waiting = iter(pairs)
        count = 0
        while part := list(islice(waiting, PAIRS_AT_ONCE)):
            self.service.send("PUT", *self.path, "matches", body=part)
            count += len(part)
        return count
