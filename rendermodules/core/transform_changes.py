"""Transforms of single tiles, changed as Render's client programs change them."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from rendermodules.core.sections import (
    PLACEMENTS,
    Section,
    TileSpec,
    TransformSpec,
    transform_list,
    with_transform_list,
)
from rendermodules.core.transforms import Affine, SharedTransforms, TransformError, TransformList, parsed_transform

Change = Callable[[TileSpec, TransformSpec, SharedTransforms], TileSpec]
"""Returns a tile with a transform put into it; the shared transforms are those that the tile may refer to."""


def with_last_concatenated(tile: TileSpec, transform: TransformSpec, shared: SharedTransforms) -> TileSpec:
    """Return the tile with a transform behind its last one, both made one affine of the tile's own.

    Labels of the last transform stay. A tile without transforms gets the transform as it is.

    Raises
    ------
    ValueError
        One of the two is not affine, or cannot be understood; the message names the tile.
    """
    transforms = transform_list(tile)
    if not transforms:
        return with_transform_list(tile, [transform])
    last = transforms[-1]
    try:
        matrix = TransformList([parsed_transform(spec, shared) for spec in (last, transform)]).affine
    except TransformError as error:
        raise ValueError(f"tile {tile['tileId']}: {error}") from None
    if matrix is None:
        raise ValueError(f"tile {tile['tileId']}: its last transform and the new one are not both affine")
    written_out = shared[last["refId"]] if last.get("type") == "ref" else last
    labels = (written_out.get("metaData") or {}).get("labels") or ()
    return with_transform_list(tile, [*transforms[:-1], Affine(matrix).spec(labels=labels)])


def _placing(placement: str) -> Change:
    place = PLACEMENTS[placement]
    return lambda tile, transform, shared: with_transform_list(tile, place(transform_list(tile), transform))


CHANGES: Mapping[str, Change] = {
    "APPEND": _placing("append"),
    "REPLACE_LAST": _placing("replace_last"),
    "REPLACE_ALL": lambda tile, transform, shared: with_transform_list(tile, [transform]),
    "CONCATENATE_TO_LAST": with_last_concatenated,
}
"""What may be done with a new transform, by Render's names (Java: ImportTransformChangesClient)."""


def with_changed_tiles_only(section: Section, transforms: Mapping[str, TransformSpec], change: Change) -> Section:
    """Return only those tiles of a section that have a new transform, with it.

    Parameters
    ----------
    section : Section
    transforms : mapping of str to dict
        New transform by tile id; others than those of the section do not matter.
    change : callable
        One of `CHANGES`.

    Raises
    ------
    ValueError
        As of the change.
    """
    changed = [
        change(tile, transforms[tile["tileId"]], section.transforms)
        for tile in section.tiles
        if tile["tileId"] in transforms
    ]
    return replace(section, tiles=changed)
