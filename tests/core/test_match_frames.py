import numpy as np
import pytest

from rendermodules.core.match_frames import expected_place, match_frame, transforms_for_matching
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


def bent(strength):
    """Return a polynomial that moves x by ``strength`` times x y."""
    numbers = [0, 1, 0, 0, strength, 0, 0, 0, 1, 0, 0, 0]
    return {
        "type": "leaf",
        "className": "mpicbg.trakem2.transform.PolynomialTransform2D",
        "dataString": " ".join(map(str, numbers)),
    }


def test_expected_place_of_affines_is_exact():
    p = match_frame(tile(affine("1 0 0 1 30 40")), None, 0)
    q = match_frame(tile(affine("0 1 -1 0 100 0")), None, 0)
    matrix = expected_place(p, q)
    points = np.array([[1.0, 2.0], [50.0, 3.0]])
    np.testing.assert_allclose(
        q.placing.apply(points @ matrix[:, :2].T + matrix[:, 2]), p.placing.apply(points), atol=1e-9
    )


def test_expected_place_of_others_fits_where_the_tiles_meet():
    p = match_frame(tile(bent(1e-4)), None, 0)
    q = match_frame(tile(affine("1 0 0 1 80 0")), None, 0)
    matrix = expected_place(p, q)
    shared = np.array([[85.0, 5.0], [95.0, 45.0], [90.0, 25.0]])
    exact = q.placing.inverse(p.placing.apply(shared))
    np.testing.assert_allclose(shared @ matrix[:, :2].T + matrix[:, 2], exact, atol=0.1)


def test_tiles_that_nothing_places_are_expected_nowhere():
    unplaced = match_frame(tile(), None, 0)
    assert expected_place(unplaced, unplaced) is None
    assert expected_place(unplaced, match_frame(tile(affine("1 0 0 1 5 6")), None, 0)) is not None


def test_no_way_back_from_the_world():
    flat = match_frame(tile(affine("0 0 0 0 1 1")), None, 0)
    assert expected_place(match_frame(tile(affine("1 0 0 1 0 0")), None, 0), flat) is None
