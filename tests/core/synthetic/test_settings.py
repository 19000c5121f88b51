import numpy as np
import pytest

from rendermodules.core.synthetic import SyntheticSettings
from rendermodules.core.synthetic.settings import random_generator


def test_survives_json() -> None:
    settings = SyntheticSettings(seed=7, channels=["DAPI", "PSD95"], bit_depth=16, white_level=9000.0)
    assert SyntheticSettings.from_json(settings.to_json()) == settings
    assert settings.channels == ("DAPI", "PSD95")


def test_unknown_setting_is_named() -> None:
    with pytest.raises(ValueError, match="tile_size"):
        SyntheticSettings.from_json({"tile_size": 64})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rows", 0),
        ("overlap", 1.0),
        ("bit_depth", 12),
        ("channels", ()),
        ("channels", ("EM", "EM")),
        ("noise", float("nan")),
        ("lens_distortion", 1e4),
        ("deformation", 100.0),
        ("black_level", 300.0),
    ],
)
def test_impossible_values_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=name):
        SyntheticSettings(**{name: value})


def test_sections_are_counted_from_the_first() -> None:
    settings = SyntheticSettings(sections=3, first_z=10.5)
    assert settings.zvalues == [10.5, 11.5, 12.5]
    assert settings.section_index(12.5) == 2
    for z in (9.5, 11.0, 13.5):
        with pytest.raises(ValueError, match=str(z)):
            settings.section_index(z)


def test_size_of_a_section() -> None:
    settings = SyntheticSettings(rows=2, columns=3, tile_width=200, tile_height=100, overlap=0.1)
    assert settings.step == (180, 90)
    assert settings.section_size == (560, 190)


def test_random_numbers_belong_to_their_purpose() -> None:
    settings = SyntheticSettings()
    first = random_generator(settings, "noise", 1, 2).random(4)
    np.testing.assert_array_equal(first, random_generator(settings, "noise", 1, 2).random(4))
    for other in (
        random_generator(settings, "noise", 2, 1),
        random_generator(settings, "tiles", 1, 2),
        random_generator(SyntheticSettings(seed=2), "noise", 1, 2),
    ):
        assert not np.array_equal(first, other.random(4))
