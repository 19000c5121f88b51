import math

import pytest

from rendermodules.core.transforms import (
    ExponentialOffset,
    ExponentialRecoveryOffset,
    SemDistortion,
    TransformError,
)


def test_only_the_chosen_coordinate_is_moved():
    sem = SemDistortion([10, 20, 30, 40], 1)
    expected = 80 + 10 * math.exp(-80 / 20) + 30 * math.exp(-80 / 40)
    assert sem.apply([[7, 80]])[0].tolist() == pytest.approx([7, expected])
    assert ExponentialOffset([10, 0.01, 3], 0).apply([[50, 7]])[0].tolist() == pytest.approx(
        [50 - 10 * math.exp(-0.5) - 3, 7]
    )
    assert ExponentialRecoveryOffset([10, 0.01, 3], 0).apply([[50, 7]])[0].tolist() == pytest.approx(
        [50 - 10 * (1 - math.exp(-0.5)) - 3, 7]
    )


@pytest.mark.parametrize("data", ["10,20,30,40,1", "10, 20, 30, 40, 1", " 10 20 30 40 1 "])
def test_commas_and_blanks_separate(data):
    assert SemDistortion.from_data_string(data).data_string == "10.0 20.0 30.0 40.0 1"


@pytest.mark.parametrize("data", ["10 0 30 40 1", "10 20 30 40 2", "10 20 30 40 0.5", "10 20 30 1", "10,,x,40,1"])
def test_broken_data_are_refused(data):
    with pytest.raises(TransformError):
        SemDistortion.from_data_string(data)
