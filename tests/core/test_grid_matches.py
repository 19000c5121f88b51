import numpy as np

from rendermodules.core.grid_matches import outlined, overlap_grid, tile_grid
from rendermodules.core.match_frames import match_frame


def affine(numbers):
    return {"type": "leaf", "className": "mpicbg.trakem2.transform.AffineModel2D", "dataString": numbers}


def bent(strength):
    numbers = [0, 1, 0, 0, strength, 0, 0, 0, 1, 0, 0, 0]
    return {
        "type": "leaf",
        "className": "mpicbg.trakem2.transform.PolynomialTransform2D",
        "dataString": " ".join(map(str, numbers)),
    }


def frame(*transforms, count=0):
    tile = {"tileId": "a", "width": 100.0, "height": 60.0}
    return outlined(match_frame({**tile, "transforms": {"type": "list", "specList": list(transforms)}}, None, count))


def test_a_grid_in_what_two_tiles_share():
    p, q = frame(affine("1 0 0 1 1000 0")), frame(affine("0 1 -1 0 1120 -20"))
    in_p, in_q = overlap_grid(p, q, 10.0, 5.0)
    np.testing.assert_allclose(p.frame.placing.apply(in_p), q.frame.placing.apply(in_q), atol=1e-9)
    world = p.frame.placing.apply(in_p)
    assert len(world) == 4 * 6
    # they share x from 1060 to 1100 and y from 0 to 60
    assert world.min(axis=0).tolist() == [1065, 5]
    assert world.max(axis=0).tolist() == [1095, 55]


def test_points_are_in_the_frame_behind_the_local_transforms():
    p = frame(affine("1 0 0 1 7 0"), affine("1 0 0 1 1000 0"), count=1)
    q = frame(affine("1 0 0 1 7 0"), bent(1e-4), affine("1 0 0 1 1060 0"), count=1)
    in_p, in_q = overlap_grid(p, q, 10.0, 2.0)
    np.testing.assert_allclose(p.frame.placing.apply(in_p), q.frame.placing.apply(in_q), atol=1e-6)
    assert (in_q[:, 0] >= 7).all()


def test_strips_get_two_lines_of_points():
    in_p, _ = overlap_grid(frame(affine("1 0 0 1 0 0")), frame(affine("1 0 0 1 80 0")), 50.0, 5.0)
    np.testing.assert_allclose(np.unique(in_p[:, 0]), [85, 95])


def test_tiles_that_share_too_little():
    p = frame(affine("1 0 0 1 0 0"))
    for x in (90, 100, 5000):
        in_p, in_q = overlap_grid(p, frame(affine(f"1 0 0 1 {x} 0")), 10.0, 6.0)
        assert in_p.shape == in_q.shape == (0, 2)


def test_a_grid_over_the_first_tile():
    p, q = frame(affine("1 0 0 1 0 0")), frame(affine("1 0 0 1 50 0"))
    in_p, in_q = tile_grid(p, q, 4)
    assert in_p.tolist() == [[x, y] for y in (0, 59 / 3, 118 / 3, 59) for x in (66, 99)]
    np.testing.assert_allclose(in_p - in_q, np.tile([50.0, 0.0], (8, 1)))


def test_outlines_follow_bent_borders():
    assert frame(bent(1e-2)).outline.area > 1.2 * 6000
