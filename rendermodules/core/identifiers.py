"""What tiles are found by: z, section ids, tile ids, ids of shared transforms, and names of what holds them."""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from rendermodules.core.problems import InputError, listed
from rendermodules.core.sections import Section, TransformSpec, transform_list, with_transform_list

# what has a meaning in a URL, so that another stack than the one that is named would be read or written
_NO_NAME = re.compile(r"[/\\?#%\x00-\x1f\x7f]|^\s*$|^\.\.?$")
_JAVA_NAME = re.compile(r"[A-Za-z0-9]+(_[A-Za-z0-9]+)*")


def check_name(what: str, name: str) -> None:
    """Raise an `InputError` if Render cannot have something of this name.

    Parameters
    ----------
    what : str
        In words: ``stack``, ``project``.
    name : str
        Its name.
    """
    if _NO_NAME.search(name):
        raise InputError(f"{what} {name!r}: names for Render are made of letters, digits and _, without / \\ ? # %")


def is_java_name(name: str) -> bool:
    """Return whether Render in Java takes a name too; the embedded service takes more."""
    return _JAVA_NAME.fullmatch(name) is not None


def renumbered(section: Section, z: float, section_id: str | None = None) -> Section:
    """Return the section at another z, and all its tiles with this section id if one is given."""
    moved = replace(section, z=z, tiles=[{**tile, "z": z} for tile in section.tiles])
    return moved if section_id is None else with_section_id(moved, section_id)


def with_section_id(section: Section, section_id: str) -> Section:
    """Return the section with this section id in all its tiles."""
    tiles = [{**tile, "layout": {**(tile.get("layout") or {}), "sectionId": section_id}} for tile in section.tiles]
    return replace(section, tiles=tiles)


def with_suffixed_ids(section: Section, suffix: str) -> Section:
    """Return the section with a suffix behind the ids of its tiles and shared transforms, references included.

    Sections of several stacks, in which the same ids mean different things, can then be in one stack.
    """
    tiles = [
        {
            **with_transform_list(tile, [_with_suffixed_references(spec, suffix) for spec in transform_list(tile)]),
            "tileId": f"{tile['tileId']}{suffix}",
        }
        for tile in section.tiles
    ]
    transforms = {
        f"{name}{suffix}": {**_with_suffixed_references(spec, suffix), "id": f"{name}{suffix}"}
        for name, spec in section.transforms.items()
    }
    return Section(section.z, tiles, transforms)


def check_distinct(values: Mapping[Any, Hashable], what: str) -> None:
    """Raise an `InputError` that names the keys whose values are the same.

    Parameters
    ----------
    values : mapping
        For instance the new z of each z.
    what : str
        In words: ``z``.
    """
    clashes = [
        f"{value} for {listed([key for key, other in values.items() if other == value], 5)}"
        for value in repeated(values.values())
    ]
    if clashes:
        raise InputError(f"the same {what} more than once: {listed(clashes)}")


def repeated(values: Iterable[Hashable]) -> list[Any]:
    """Return the values that occur more than once, in the order of their first occurrence."""
    return [value for value, count in Counter(values).items() if count > 1]


def new_z_values(
    zs: Sequence[float], mode: str, *, new_zs: Sequence[float] | None, offset: float, first_z: float
) -> dict[float, float]:
    """Return the new z for each z.

    Parameters
    ----------
    zs : list of float
        The present z; their order matters for ``list`` and ``squeeze``.
    mode : {"list", "offset", "squeeze", "identity"}
        ``new_zs`` one by one; ``offset`` added to each; ``first_z``, ``first_z`` + 1 ... in the order of ``zs``;
        the same again.
    new_zs : list of float or None
        As many as ``zs``, for ``list``.
    offset, first_z : float
        See ``mode``.

    Raises
    ------
    InputError
        The list has another length, or two z become one.
    """
    if mode == "list":
        if new_zs is None or len(new_zs) != len(zs):
            count = "none" if new_zs is None else len(new_zs)
            raise InputError(f"each of the {len(zs)} sections needs its new z, but there are {count}")
        new = dict(zip(zs, new_zs, strict=True))
    elif mode == "squeeze":
        new = {z: first_z + index for index, z in enumerate(zs)}
    else:
        new = {z: z + offset if mode == "offset" else z for z in zs}
    check_distinct(new, "new z")
    return new


def _with_suffixed_references(spec: TransformSpec, suffix: str) -> TransformSpec:
    kind = spec.get("type", "leaf")
    if kind == "ref":
        return {**spec, "refId": f"{spec['refId']}{suffix}"}
    if kind == "list":
        return {**spec, "specList": [_with_suffixed_references(part, suffix) for part in spec["specList"]]}
    if kind == "interpolated":
        return {**spec, **{end: _with_suffixed_references(spec[end], suffix) for end in ("a", "b")}}
    return spec
