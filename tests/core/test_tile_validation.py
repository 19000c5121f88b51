import numpy as np
import pytest

from rendermodules.core.estimation import EstimationError
from rendermodules.core.tile_validation import BoxLimits, warp_of_tile

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"


def test_limits_are_read_in_any_order_and_written():
    limits = BoxLimits.parsed("maxSize:10000, minCoordinate:-500,maxCoordinate:1e5")
    assert limits == BoxLimits(-500, 100_000, 500, 10_000)
    assert BoxLimits.parsed(str(limits)) == limits
    assert BoxLimits.parsed(None) == BoxLimits.parsed("") == BoxLimits(0, 400_000, 500, 5_000)


@pytest.mark.parametrize(
    ("text", "message"), [("minsize:1", "not 'minsize'"), ("minSize", "must be a number"), ("minSize:x", "not 'x'")]
)
def test_limits_that_are_none(text, message):
    with pytest.raises(ValueError, match=message):
        BoxLimits.parsed(text)


@pytest.mark.parametrize(
    ("box", "problem"),
    [
        ((0, 0, 500, 5000), None),
        ((-1, 0, 600, 600), "below 0"),
        ((0, 399_000, 600, 400_001), "above 400000"),
        ((0, 0, 499, 600), "width 499"),
        ((0, 0, 600, 5001), "height 5001"),
    ],
)
def test_boxes(box, problem):
    found = BoxLimits().problem(box)
    assert found is None if problem is None else problem in found


def tile(data):
    spec = {"type": "leaf", "className": AFFINE, "dataString": data}
    return {"tileId": "t", "width": 100.0, "height": 50.0, "transforms": {"type": "list", "specList": [spec]}}


def test_warp():
    turn = np.deg2rad(30)
    c, s = np.cos(turn), np.sin(turn)
    assert warp_of_tile(tile(f"{c} {s} {-s} {c} 1000 -7")) == pytest.approx(0, abs=1e-9)
    # stretched along x by 21 pixels: each end is off by half of what is not shared
    assert 9 < warp_of_tile(tile("1.21 0 0 1 0 0")) < 11
    with pytest.raises(EstimationError):
        warp_of_tile(tile("0 0 0 0 0 0"))
