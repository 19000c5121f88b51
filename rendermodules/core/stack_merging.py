"""Several stacks in one: which section goes where, and what must not meet."""

from collections.abc import Iterable, Sequence

from rendermodules.core.problems import Problems


def planned_z_values(
    zs_by_stack: Sequence[Sequence[float]], *, z_mode: str, z_set: str, first_z: float
) -> list[list[tuple[float, float]]]:
    """Return, for each stack, the z of its sections that go into the merged stack and what becomes of them.

    Parameters
    ----------
    zs_by_stack : list of list of float
        The z of the sections of each stack, ascending.
    z_mode : {"keep", "consecutive"}
        The same z, or ``first_z``, ``first_z`` + 1 ... through all stacks in their order.
    z_set : {"union", "intersection"}
        All sections, or those whose z all stacks have.
    first_z : float
        See ``z_mode``.
    """
    chosen = [list(zs) for zs in zs_by_stack]
    if z_set == "intersection":
        common = set.intersection(*(set(zs) for zs in zs_by_stack))
        chosen = [[z for z in zs if z in common] for zs in zs_by_stack]
    if z_mode == "keep":
        return [[(z, z) for z in zs] for zs in chosen]
    starts = [first_z + sum(map(len, chosen[:index])) for index in range(len(chosen))]
    return [[(z, start + index) for index, z in enumerate(zs)] for start, zs in zip(starts, chosen, strict=True)]


def check_tile_ids(ids_by_stack: Iterable[tuple[str, Iterable[str]]]) -> None:
    """Raise an `InputError` that names the tile ids which more than one stack has.

    Parameters
    ----------
    ids_by_stack : iterable of (str, iterable of str)
        Name and tile ids of each stack; all ids are held at once, about 100 bytes for each.
    """
    names: list[str] = []
    owners: dict[str, int] = {}
    problems = Problems("tiles of the same id")
    for index, (name, ids) in enumerate(ids_by_stack):
        names.append(name)
        for tile_id in ids:
            other = owners.setdefault(tile_id, index)
            if other != index:
                problems.add(f"in {names[other]} and {name}", tile_id)
    problems.raise_if_any()
