import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendermodules.core.transforms import TransformError
from rendermodules.core.transforms.numbers import (
    frozen,
    numbers,
    packed,
    single_precision,
    single_precision_text,
    text_of,
    unpacked,
)

finite = st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20)


@settings(deadline=None)
@given(finite)
def test_text_and_blocks_keep_every_bit(values):
    assert numbers(text_of(values)) == values
    assert unpacked(packed(np.array(values)), len(values), "values").tolist() == values


@settings(deadline=None)
@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), max_size=20))
def test_single_precision_text_keeps_every_bit_of_a_float(values):
    assert single_precision(numbers(single_precision_text(values))) == values


def test_single_precision_is_that_of_java():
    assert single_precision([40.3]) == [40.29999923706055]
    assert single_precision_text([40.29999923706055]) == "40.3"
    with pytest.raises(TransformError, match="too large"):
        single_precision([1e39])


def test_blocks_are_deflated_only_if_that_is_shorter():
    assert packed(np.zeros(100)).startswith("eJ")
    assert packed(np.array([np.pi])) == "@QAkh+1RELRg="


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("@QAkh+1RELRg=", "must hold 2 numbers"),
        (packed(np.zeros(3)), "must hold 2 numbers"),
        (packed(np.zeros(10**6)), "must hold 2 numbers"),
        ("@QAkh", "damaged|must hold"),
        ("no base64!", "damaged"),
        ("QAkh+1RELRg=", "damaged"),
        (packed(np.array([np.nan, 1])), "not finite"),
    ],
)
def test_damaged_blocks_are_refused(block, message):
    with pytest.raises(TransformError, match=message):
        unpacked(block, 2, "values")


def test_frozen_arrays_are_copies_that_cannot_be_written():
    original = np.zeros((3, 2))
    array = frozen(original, (-1, 2), "points")
    original[0] = 5
    assert array.tolist() == [[0, 0]] * 3
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1
    with pytest.raises(TransformError, match=r"points must have shape \(-1, 2\) but has \(3,\)"):
        frozen(np.zeros(3), (-1, 2), "points")
    with pytest.raises(TransformError, match="points holds numbers that are not finite"):
        frozen([[np.inf, 1]], (-1, 2), "points")
