import pytest

from rendermodules.core.sections import (
    PLACEMENTS,
    Section,
    shared_transforms_of,
    transform_list,
    with_transform_appended,
    with_transform_placed,
)

LENS = {"type": "leaf", "id": "lens", "className": "lens", "dataString": "1"}
STAGE = {"type": "leaf", "className": "affine", "dataString": "1 0 0 1 5 6"}
MOVE = {"type": "leaf", "id": "move", "className": "affine", "dataString": "1 0 0 1 7 8"}


def tile(tile_id, *transforms, **more):
    return {"tileId": tile_id, "z": 3.5, "transforms": {"type": "list", "specList": list(transforms)}, **more}


def section():
    ref = {"type": "ref", "refId": "lens"}
    return Section(3.5, [tile("a", ref, STAGE, meshCellSize=32.0), tile("b ö/'", ref, STAGE)], {"lens": LENS})


@pytest.mark.parametrize(
    ("placement", "expected"),
    [
        ("append", ["lens", "stage", "move"]),
        ("prepend", ["move", "lens", "stage"]),
        ("insert_before_last", ["lens", "move", "stage"]),
        ("replace_last", ["lens", "move"]),
    ],
)
def test_shared_transforms_are_referred_to_where_they_are_placed(placement, expected):
    before = section()
    placed = with_transform_placed(before, MOVE, placement)
    for one in placed.tiles:
        assert [spec.get("refId", "stage") for spec in transform_list(one)] == expected
    assert placed.transforms == {"lens": LENS, "move": MOVE}
    assert placed.tiles[0]["meshCellSize"] == 32.0
    assert before == section(), "the section that was given has changed"


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_tiles_without_transforms_get_their_first(placement):
    bare = Section(1.0, [{"tileId": "a", "z": 1.0}])
    placed = with_transform_placed(bare, STAGE, placement)
    assert placed.tiles[0]["transforms"] == {"type": "list", "specList": [STAGE]}


def test_transforms_without_id_are_written_into_every_tile():
    appended = with_transform_appended(section(), STAGE)
    assert [transform_list(one)[-1] for one in appended.tiles] == [STAGE, STAGE]
    assert appended.transforms == {"lens": LENS}


def test_another_transform_of_the_same_id_is_refused():
    with pytest.raises(ValueError, match="lens is already the id of another transform"):
        with_transform_placed(section(), {**MOVE, "id": "lens"}, "append")


def test_a_shared_transform_is_not_applied_twice():
    once = with_transform_placed(section(), MOVE, "append")
    with pytest.raises(ValueError, match="2 tiles, a the first, have the transform move already"):
        with_transform_placed(once, MOVE, "prepend")
    assert with_transform_placed(once, MOVE, "replace_last") == once


def test_needed_shared_transforms_are_found_through_lists_and_interpolations():
    nested = {"type": "interpolated", "a": {"type": "ref", "refId": "move"}, "b": STAGE, "lambda": 0.5}
    listed = {"type": "list", "specList": [nested, {"type": "ref", "refId": "lens"}]}
    transforms = {"lens": LENS, "move": MOVE, "unused": STAGE}
    assert shared_transforms_of([tile("a", listed)], transforms) == {"lens": LENS, "move": MOVE}
    with pytest.raises(ValueError, match="move"):
        shared_transforms_of([tile("a", listed)], {"lens": LENS})


@pytest.mark.parametrize(
    ("transforms", "message"),
    [
        (5, "tile t: its transforms are no list"),
        ({"specList": 5}, "tile t: a transform spec"),
        ({"specList": [5]}, "tile t: a transform spec"),
        ({"specList": [{"type": "ref"}]}, "tile t: a transform spec .* KeyError"),
        ({"specList": [{"type": "ref", "refId": "gone"}]}, "tile t refers to the shared transform gone"),
        ({"specList": [{"type": "ref", "refId": "far"}]}, "shared transform far refers to the shared transform gone"),
        ({"specList": [{"type": "ref", "refId": "odd"}]}, "shared transform odd: a transform spec"),
    ],
)
def test_shared_transforms_that_cannot_be_found_are_told_by_name(transforms, message):
    shared = {"far": {"type": "ref", "refId": "gone"}, "odd": {"type": "list", "specList": 7}}
    with pytest.raises(ValueError, match=message):
        shared_transforms_of([{"tileId": "t", "transforms": transforms}], shared)
