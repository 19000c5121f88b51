import numpy as np
import pytest

from rendermodules.core.filters import rank_filtered
from rendermodules.render_ws.rendering.filters import FILTERS, PACKAGE, FilterError, filtered
from rendermodules.render_ws.rendering.parameters import DEFAULT_FILTERS

IMAGE = np.random.default_rng(1).integers(0, 256, (30, 40), dtype=np.uint8)
PARAMETERS = {
    "NormalizeLocalContrast": {
        "blockRadiusX": "5", "blockRadiusY": "4", "meanFactor": "3.0", "center": "true", "stretch": "true",
    },
    "CLAHE": {"fast": "true", "blockRadius": "6", "bins": "256", "slope": "2.5"},
    "EqualizeHistogram": {"saturatedPixels": "0.5"},
    "Rank": {"radius": "3.0", "filterType": "0"},
    "RollingBallSubtraction": {"radius": "10"},
    "ValueToNoise": {"value": "0", "min": "64", "max": "191"},
}  # fmt: skip


def spec(name, **changes):
    return {"className": PACKAGE + name, "parameters": {**PARAMETERS[name], **changes}}


@pytest.mark.parametrize("name", FILTERS)
def test_every_filter_is_read_from_text(name):
    result = filtered(IMAGE, [spec(name)], 0, 0, 255)
    assert result.shape == IMAGE.shape
    assert result.dtype == IMAGE.dtype
    assert not np.array_equal(result, IMAGE)


@pytest.mark.parametrize("name", sorted(set(FILTERS) - {"EqualizeHistogram"}))
def test_missing_parameters_are_named(name):
    for missing in PARAMETERS[name]:
        with pytest.raises(FilterError, match=f"{name} has no parameter '{missing}'"):
            filtered(IMAGE, [spec(name, **{missing: None})], 0, 0, 255)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (spec("Rank", radius="wide"), "radius of .*Rank is no number: 'wide'"),
        (spec("Rank", filterType="7"), "filterType .* not 7"),
        (spec("CLAHE", bins="0"), "bins"),
        ({"className": PACKAGE + "Sharpen"}, "Sharpen is not known"),
        ({}, "None is not known"),
    ],
)
def test_what_cannot_be_understood_is_named(broken, message):
    with pytest.raises(FilterError, match=message):
        filtered(IMAGE, [broken], 0, 0, 255)


def test_radii_shrink_with_the_mipmap():
    result = filtered(IMAGE, [spec("Rank", radius="6.0")], 2, 0, 255)
    assert np.array_equal(result, rank_filtered(IMAGE, 2, "mean"))


def test_filters_come_in_turn():
    once = filtered(IMAGE, [spec("Rank")], 0, 0, 255)
    expected = filtered(once, [spec("EqualizeHistogram")], 0, 0, 255)
    assert np.array_equal(filtered(IMAGE, [spec("Rank"), spec("EqualizeHistogram")], 0, 0, 255), expected)


def test_the_default_filters_are_understood():
    assert filtered(IMAGE, DEFAULT_FILTERS, 0, 0, 255).shape == IMAGE.shape
