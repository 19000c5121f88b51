"""Work shared by several runs of a client, each with a number."""

from collections.abc import Sequence
from typing import Any, TypeVar

from rendermodules.render_ws.clients.arguments import Option, UsageError, whole

Item = TypeVar("Item")

GROUP_OPTIONS: tuple[Option, ...] = (
    whole("renderGroup", "which of several runs this is, from 1", 1),
    whole("numberOfRenderGroups", "how many runs share the work", 1),
)


def of_this_group(items: Sequence[Item], options: Any) -> list[Item]:
    """Return those items that are this run's, so that all runs together do each once.

    Raises
    ------
    UsageError
        There is no group of this number.
    """
    group, groups = options.renderGroup, options.numberOfRenderGroups
    if not 1 <= group <= groups:
        raise UsageError(f"--renderGroup {group} is not within 1 to --numberOfRenderGroups {groups}")
    return list(items[group - 1 :: groups])
