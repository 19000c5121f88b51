from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rendermodules.io.paths import (
    UrlError,
    allowed_below,
    file_name,
    is_local,
    java_number,
    joined_url,
    local_path,
    mipmap_url,
    path_of_url,
    scheme,
    url_of_path,
    url_of_place,
)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/data/a.tif", "/data/a.tif"),
        ("/data/a%20b.tif", "/data/a%20b.tif"),
        ("relative/a.tif", "relative/a.tif"),
        ("file:/data/a%20b.tif", "/data/a b.tif"),
        ("file:///data/a%20b.tif", "/data/a b.tif"),
        ("file://localhost/data/a.tif", "/data/a.tif"),
        ("file://data/a.tif", "/data/a.tif"),
        ("FILE:/data/a b.tif", "/data/a b.tif"),
        ("file:/data/100%25.tif", "/data/100%.tif"),
        ("file:/data/100%.tif", "/data/100%.tif"),
        ("file:///data/v.zarr?dataSet=a&z=3", "/data/v.zarr"),
        ("file:///data/a%3Fb.tif", "/data/a?b.tif"),
    ],
)
def test_local_urls_lead_to_paths(url, path):
    assert path_of_url(url) == Path(path)
    assert is_local(url)


def test_remote_urls_lead_to_no_path():
    for url in ("s3://bucket/a.tif", "https://host/a.tif"):
        assert not is_local(url)
        with pytest.raises(UrlError, match="not on this machine"):
            path_of_url(url)
    assert scheme("S3://bucket/a.tif") == "s3"
    assert scheme("/a:b.tif") == "file"


@settings(deadline=None)
@given(st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0/"), min_size=1, max_size=20))
def test_every_name_survives_its_url(name):
    path = Path("/data", name)
    assert path_of_url(url_of_path(path)) == path
    assert file_name(url_of_path(path)) == path.name


def test_urls_of_paths_are_encoded_and_absolute(monkeypatch, tmp_path):
    assert url_of_path("/data/a b#1?.tif") == "file:///data/a%20b%231%3F.tif"
    monkeypatch.chdir(tmp_path)
    assert url_of_path("a.tif") == f"file://{tmp_path}/a.tif"


@pytest.mark.parametrize(
    ("place", "url"),
    [
        ("/data/a b#1", "file:///data/a%20b%231"),
        ("/data/100%25", "file:///data/100%2525"),
        ("file:/data/a%20b", "file:///data/a%20b"),
        ("s3://bucket/a b/ä", "s3://bucket/a%20b/%C3%A4"),
        ("s3://bucket/a%20b", "s3://bucket/a%20b"),
        ("https://server/a?b=c", "https://server/a?b=c"),
        ("~/masks", f"file://{Path.home()}/masks"),
    ],
)
def test_what_a_user_gives_becomes_a_url(place, url):
    assert url_of_place(place) == url
    assert local_path(Path("a.tif")) == Path("a.tif")
    assert local_path("file:/a%20b.tif") == Path("/a b.tif")


def test_urls_are_joined_in_their_own_way():
    assert joined_url("/data/raw", "a b.tif") == "/data/raw/a b.tif"
    assert joined_url("file:///data/raw/", "sub dir", "a b.tif") == "file:///data/raw/sub%20dir/a%20b.tif"
    assert joined_url("s3://bucket", "a.tif") == "s3://bucket/a.tif"
    assert file_name("s3://bucket/a%20b.tif?versionId=3") == "a b.tif"


def test_mipmaps_lie_below_the_root_by_level():
    assert mipmap_url("file:///data/a.tif", 2, "/mipmaps/", "png") == "/mipmaps/2/data/a.tif.png"
    assert mipmap_url("/data/a.tif", 1, "file:///mipmaps", "jpg") == "file:///mipmaps/1/data/a.tif.jpg"


def test_mipmaps_may_follow_a_pattern():
    pattern = r"(.*dataSet=/z\d+/s)0(.*)"
    url = "file:///v.n5?dataSet=/z12/s0&x=5"
    assert mipmap_url(url, 3, "", "", pattern) == "file:///v.n5?dataSet=/z12/s3&x=5"
    assert mipmap_url("file:///a.tif", 3, "", "", pattern) == "file:///a.tif"


def test_only_what_lies_below_the_roots_is_allowed(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    (tmp_path / "link").symlink_to(inside)
    allowed = allowed_below([tmp_path / "link", "https://host/data"])
    assert allowed(str(inside / "a.tif"))
    assert not allowed(str(outside / "a.tif"))
    assert not allowed(str(tmp_path / "in2"))
    assert allowed("https://host/data/a.tif")
    assert not allowed("https://host/data2/a.tif")
    assert not allowed("https://host/data/../secret")
    assert not allowed("https://host/data/%2e%2e/secret")


@pytest.mark.parametrize(
    ("value", "text"),
    [(3, "3.0"), (0, "0.0"), (-0.0, "-0.0"), (1020.1, "1020.1"), (9999999, "9999999.0"), (1e7, "1.0E7"),
     (12345678.9, "1.23456789E7"), (1e-3, "0.001"), (9.99e-4, "9.99E-4"), (-2.5e-10, "-2.5E-10"), (1e22, "1.0E22"),
     (1.7976931348623157e308, "1.7976931348623157E308"), (float("nan"), "NaN"), (float("-inf"), "-Infinity")],
)  # fmt: skip
def test_numbers_read_as_in_java(value, text):
    assert java_number(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_in_java_form_keep_every_bit(value):
    assert float(java_number(value)) == value
