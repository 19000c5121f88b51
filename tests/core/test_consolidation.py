import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendermodules.core.consolidation import with_consolidated_transforms
from rendermodules.core.sections import Section, transform_list
from rendermodules.core.transforms import (
    Affine,
    Polynomial,
    Similarity,
    TransformError,
    Translation,
    tile_transform,
)

LENS = Polynomial([[0, 1, 0, 1e-4, 0, 0], [0, 0, 1, 0, 1e-4, 0]]).spec("lens")
SHARED = {
    "lens": LENS,
    "stage": Affine([[0, -1, 5], [1, 0, 7]]).spec("stage", ["montage"]),
    "both": {"type": "list", "id": "both", "specList": [{"type": "ref", "refId": "lens"}, Translation(1, 2).spec()]},
    "normal": Translation(3, 4).spec("normal", ["lens"]),
}
POINTS = np.array([[0.0, 0.0], [100.0, 0.0], [30.0, 250.0], [1000.0, 1000.0]])


def ref(name):
    return {"type": "ref", "refId": name}


def consolidated(transforms, part=slice(None), keep_references=False, polynomial_degree=0):
    tile = {"tileId": "a", "z": 1.0, "transforms": {"type": "list", "specList": transforms}}
    section = Section(1.0, [tile], SHARED)
    result = with_consolidated_transforms(
        section, part, keep_references=keep_references, polynomial_degree=polynomial_degree
    )
    expected = tile_transform(tile, SHARED).apply(POINTS)
    np.testing.assert_allclose(tile_transform(result.tiles[0], SHARED).apply(POINTS), expected, rtol=1e-12, atol=1e-9)
    return transform_list(result.tiles[0])


def test_runs_of_affines_become_one_and_shared_lenses_stay():
    transforms = [ref("lens"), Translation(10, 20).spec(labels=["stage"]), Similarity(2, 1, 3, 4).spec(), ref("stage")]
    first, merged = consolidated(transforms)
    assert first == ref("lens")
    assert merged["className"] == Affine.class_name
    assert merged["metaData"]["labels"] == ["stage", "montage"]


def test_no_transform_moves_past_another():
    move = Translation(1, 1).spec()
    result = consolidated([move, move, ref("both"), move, ref("lens"), move, move])
    kinds = [spec.get("refId", "affine") for spec in result]
    assert kinds == ["affine", "both", "affine", "lens", "affine"]


def test_a_run_of_one_is_left_as_it_is():
    alone = Translation(1.5, 2.5).spec("mine", ["a"])
    assert consolidated([alone, ref("lens"), ref("stage")]) == [alone, ref("lens"), ref("stage")]


def test_nested_lists_are_counted_as_what_they_hold():
    inner = {"type": "list", "specList": [Translation(1, 2).spec(), {"type": "list", "specList": [ref("lens")]}]}
    assert consolidated([Translation(5, 6).spec(), inner])[1] == ref("lens")
    labelled = {**inner, "metaData": {"labels": ["x"]}}
    assert consolidated([labelled]) == [labelled]


def test_part_and_references_can_be_left_out():
    moves = [Translation(1, 1).spec(), Translation(2, 2).spec(), ref("stage")]
    assert consolidated(moves, slice(1, None))[0] == moves[0]
    assert len(consolidated(moves, slice(1, None))) == 2
    assert consolidated(moves, keep_references=True)[1] == ref("stage")


def test_affines_that_render_takes_for_lenses_stay():
    transforms = [Translation(1, 2).spec(labels=["lens"]), ref("normal"), Translation(3, 4).spec()]
    assert consolidated(transforms) == transforms


def test_polynomials_start_as_the_affine():
    (merged,) = consolidated([Translation(1, 2).spec(), ref("stage")], polynomial_degree=3)
    assert merged["className"] == Polynomial.class_name
    assert len(merged["dataString"].split()) == 20


def test_a_transform_that_cannot_be_read_is_named_with_its_tile():
    section = Section(1.0, [{"tileId": "b ö", "z": 1.0, "transforms": {"type": "list", "specList": [ref("none")]}}])
    with pytest.raises(TransformError, match="tile b ö: .*none"):
        with_consolidated_transforms(section, slice(None), keep_references=False, polynomial_degree=0)


numbers = st.floats(-2, 2)
steps = st.one_of(
    st.sampled_from([ref(name) for name in SHARED]),
    st.tuples(numbers, numbers).map(lambda values: Translation(*values).spec()),
    st.lists(numbers, min_size=6, max_size=6).map(lambda values: Affine(np.reshape(values, (2, 3))).spec()),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(steps, max_size=6))
def test_tiles_lie_where_they_lay(transforms):
    result = consolidated(transforms)
    assert len(result) <= len(transforms)
    assert consolidated(result) == result
