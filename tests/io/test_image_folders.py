import pytest

from rendermodules.core.problems import InputError
from rendermodules.io.image_folders import (
    default_image_folder,
    file_names,
    image_urls,
    images_of_pattern,
    missing_images,
)


def image_url(name, folder):
    return image_urls([name], folder)[0]


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "run ü 1"
    for name in ("s2_r0.tif", "s10_r0.tif", "notes.txt", "sub/s3_r0.tif"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).touch()
    return place


def test_names_are_in_natural_order(folder):
    assert file_names(str(folder)) == ["notes.txt", "s2_r0.tif", "s10_r0.tif"]
    assert file_names(folder.as_uri(), deep=True) == ["notes.txt", "s2_r0.tif", "s10_r0.tif", "sub/s3_r0.tif"]


def test_urls(folder):
    url = folder.as_uri() + "/a%20b.tif"
    assert image_url("a b.tif", str(folder)) == url
    assert image_url("a b.tif", folder.as_uri()) == url
    assert image_url(str(folder / "a b.tif"), "/elsewhere") == url
    assert image_url("x/a b.tif", "s3://bucket/run") == "s3://bucket/run/x/a%20b.tif"
    assert image_url("a.tif", "s3://bucket/rün 1") == image_url("a.tif", "s3://bucket/r%C3%BCn%201")
    assert image_url("a.tif", "https://server/r ün") == "https://server/r ün/a.tif"
    assert image_url("s3://bucket/a.tif", str(folder)) == "s3://bucket/a.tif"
    assert image_url(url, "/elsewhere") == url


def test_missing(folder):
    here = [image_url(name, str(folder)) for name in ("s2_r0.tif", "sub/s3_r0.tif")]
    gone = [image_url(name, str(folder)) for name in ("s3_r0.tif", "other/a.tif")]
    assert missing_images([*here, *gone, *gone]) == set(gone)


def test_pattern(folder):
    table = images_of_pattern(str(folder), r"s(?P<section>\d+)_r(?P<row>\d+)\.tif")
    assert table.columns == {"file": ["s2_r0.tif", "s10_r0.tif"], "section": ["2", "10"], "row": ["0", "0"]}
    assert images_of_pattern(str(folder), r"(?P<a>.*)/s3.*").columns == {"file": ["sub/s3_r0.tif"], "a": ["sub"]}
    (folder / "._s2_r0.tif").touch()
    assert images_of_pattern(str(folder), None).columns == {"file": ["s2_r0.tif", "s10_r0.tif"]}
    assert images_of_pattern(str(folder), r".*\.tif").columns == {"file": ["s2_r0.tif", "s10_r0.tif"]}


def test_pattern_that_fits_nothing(folder):
    with pytest.raises(InputError, match=r"no file fits the pattern x; there are notes.txt, s2_r0.tif"):
        images_of_pattern(str(folder), "x")
    with pytest.raises(InputError, match="no regular expression"):
        images_of_pattern(str(folder), "(")
    (folder / "empty").mkdir()
    with pytest.raises(InputError, match="there is no image"):
        images_of_pattern(str(folder / "empty"), None)


def test_folder_beside_a_table(tmp_path):
    assert default_image_folder(tmp_path / "t.csv") == str(tmp_path)
    assert default_image_folder(tmp_path / "t.csv", "tiles") == str(tmp_path / "tiles")
    assert default_image_folder(tmp_path / "t.csv", "s3://bucket") == "s3://bucket"
