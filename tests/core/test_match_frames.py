import numpy as np
import pytest

from rendermodules.core.match_frames import match_frame, transforms_for_matching
from rendermodules.core.transforms import TransformError

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"


def affine(numbers, *labels):
    return {"type": "leaf", "className": AFFINE, "dataString": numbers, "metaData": {"labels": list(labels)}}


def tile(*transforms):
    return {"tileId": "a", "width": 100.0, "height": 50.0, "transforms": {"type": "list", "specList": list(transforms)}}


def test_render_stops_behind_the_last_lens():
    lens, other = affine("1 0 0 1 0 0", "lens"), affine("1 0 0 1 0 0")
    assert transforms_for_matching([other, lens, other, other]) == [other, lens]
    assert transforms_for_matching([lens]) == [lens]


def test_render_takes_at_most_two_without_a_lens():
    specs = [affine(f"1 0 0 1 {x} 0") for x in range(5)]
    assert transforms_for_matching(specs) == specs[:2]
    assert transforms_for_matching(specs[:3]) == specs[:2]
    assert transforms_for_matching(specs[:2]) == specs[:1]
    assert transforms_for_matching(specs[:1]) == []
    assert transforms_for_matching([]) == []


def test_frame_divides_the_transforms():
    shared = {"lens": affine("2 0 0 2 5 0")}
    one = tile({"type": "ref", "refId": "lens"}, affine("1 0 0 1 1000 2000"))
    frame = match_frame(one, shared)
    assert frame.num_local_transforms == 1
    np.testing.assert_allclose(frame.box, [[5, 0], [205, 100]])
    np.testing.assert_allclose(frame.placing.apply([[5.0, 0.0]]), [[1005, 2000]])
    assert match_frame(one, shared, 0).placing.apply([[0.0, 0.0]]).tolist() == [[1005, 2000]]
    assert match_frame(one, shared, 2).placing.apply([[7.0, 8.0]]).tolist() == [[7, 8]]


def test_lists_and_references_count_by_what_is_in_them():
    shared = {"both": {"type": "list", "specList": [affine("1 0 0 1 1 0"), affine("1 0 0 1 0 1")]}}
    one = tile({"type": "ref", "refId": "both"}, affine("1 0 0 1 10 10"))
    assert match_frame(one, shared).num_local_transforms == 2


def test_too_few_transforms_are_refused():
    with pytest.raises(TransformError, match="tile a: has 1 transforms, of which 2 cannot be local"):
        match_frame(tile(affine("1 0 0 1 0 0")), None, 2)
