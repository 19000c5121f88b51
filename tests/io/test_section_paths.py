from pathlib import Path

import pytest

from rendermodules.io.section_paths import padded_section_name, section_image_path


@pytest.mark.parametrize(
    ("scale", "z", "path"),
    [
        (0.05, 1020.0, "p/s/sections_at_0.05/001/0/1020.0.png"),
        (1, 7, "p/s/sections_at_1.0/000/0/7.0.png"),
        (0.0005, 12345.5, "p/s/sections_at_5.0E-4/012/3/12345.5.png"),
        (0.5, 999.25, "p/s/sections_at_0.5/000/9/999.25.png"),
    ],
)
def test_paths_are_javas(scale, z, path):
    assert section_image_path("/root", "p", "s", scale, z, "png") == Path("/root", path)


@pytest.mark.parametrize(
    ("z", "name"), [(7.0, "00007.tif"), (7.5, "00007.5.tif"), (123456.0, "123456.tif"), (100.0, "00100.tif")]
)
def test_padded_names_sort(z, name):
    assert padded_section_name(z, "tif") == name
