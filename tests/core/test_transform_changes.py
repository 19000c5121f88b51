import numpy as np
import pytest

from rendermodules.core.sections import Section, transform_list
from rendermodules.core.transform_changes import CHANGES, with_changed_tiles_only, with_last_concatenated
from rendermodules.core.transforms import tile_transform

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"


def leaf(data, **more):
    return {"type": "leaf", "className": AFFINE, "dataString": data, **more}


def tile(*specs):
    return {"tileId": "t", "transforms": {"type": "list", "specList": list(specs)}}


FIRST, LAST, NEW = leaf("1 0 0 1 5 5"), leaf("2 0 0 3 1 2", metaData={"labels": ["montage"]}), leaf("0 1 -1 0 7 8")


@pytest.mark.parametrize(
    ("change", "expected"),
    [("APPEND", [FIRST, LAST, NEW]), ("REPLACE_LAST", [FIRST, NEW]), ("REPLACE_ALL", [NEW])],
)
def test_lists(change, expected):
    assert transform_list(CHANGES[change](tile(FIRST, LAST), NEW, {})) == expected


@pytest.mark.parametrize("reference", [False, True])
def test_a_concatenation_does_what_both_did(reference):
    last = {"type": "ref", "refId": "last"} if reference else LAST
    before, shared = tile(FIRST, last), {"last": {**LAST, "id": "last"}}
    after = with_last_concatenated(before, NEW, shared)
    points = [[0, 0], [10, 3], [-2, 7]]
    appended = CHANGES["APPEND"](before, NEW, shared)
    np.testing.assert_allclose(
        tile_transform(after, shared).apply(points), tile_transform(appended, shared).apply(points), rtol=1e-12
    )
    assert len(transform_list(after)) == 2
    assert transform_list(after)[1]["metaData"] == {"labels": ["montage"]}
    assert "id" not in transform_list(after)[1]


def test_a_concatenation_needs_two_affines():
    polynomial = {
        "className": "mpicbg.trakem2.transform.PolynomialTransform2D",
        "dataString": "0 1 0 0 0 1 0 0 0 0 0 0",
    }
    with pytest.raises(ValueError, match="tile t: its last transform and the new one"):
        with_last_concatenated(tile(polynomial), NEW, {})
    with pytest.raises(ValueError, match="tile t"):
        with_last_concatenated(tile(LAST), leaf("1 2"), {})
    assert transform_list(with_last_concatenated(tile(), NEW, {})) == [NEW]


def test_other_tiles_are_left_out():
    section = Section(1.0, [tile(FIRST), {**tile(FIRST), "tileId": "u"}])
    changed = with_changed_tiles_only(section, {"u": NEW, "elsewhere": NEW}, CHANGES["REPLACE_ALL"])
    assert [(one["tileId"], transform_list(one)) for one in changed.tiles] == [("u", [NEW])]
