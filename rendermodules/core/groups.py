"""Things that belong together because they share something."""

from collections.abc import Hashable, Iterable, Sequence


def connected_groups(keys: Sequence[Iterable[Hashable]]) -> list[list[int]]:
    """Return the positions of things in groups, so that no two groups have a key in common.

    Parameters
    ----------
    keys : list of iterables
        The keys of each thing.

    Returns
    -------
    list of lists of int
        Each group ascending, the groups in the order of their first thing.
    """
    parents = list(range(len(keys)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    owner: dict[Hashable, int] = {}
    for index, own in enumerate(keys):
        for key in own:
            first = root(owner.setdefault(key, index))
            parents[root(index)] = first
    groups: dict[int, list[int]] = {}
    for index in range(len(keys)):
        groups.setdefault(root(index), []).append(index)
    return sorted(groups.values())
