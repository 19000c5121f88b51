import gzip
import io
import zipfile

import fsspec
import pytest

from rendermodules.core.problems import InputError
from rendermodules.io.json_files import read_json, write_json


def zipped(content):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("any.json", content)
    return packed.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zipped])
def test_plain_and_packed(tmp_path, pack):
    path = tmp_path / "a ü.json"
    path.write_bytes(pack(b'{"a": [1, 2.5]}'))
    assert read_json(str(path)) == read_json(path.as_uri()) == {"a": [1, 2.5]}


def test_object_store(bucket):
    with fsspec.open(f"{bucket}/a ü.json", "wb") as file:
        file.write(b"[1]")
    assert read_json(f"{bucket}/a%20%C3%BC.json") == [1]
    with pytest.raises(FileNotFoundError):
        read_json(f"{bucket}/gone.json")


@pytest.mark.parametrize("name", ["a.json", "a.json.gz", "a.zip", "a.json.zip"])
def test_what_is_written_is_read_again(tmp_path, name):
    write_json(tmp_path / name, {"ü": [1, 2.5]})
    assert read_json(str(tmp_path / name)) == {"ü": [1, 2.5]}
    written = (tmp_path / name).read_bytes()
    assert written[:2] == {".gz": b"\x1f\x8b", ".zip": b"PK"}.get(name[name.rindex(".") :], b'{"')
    write_json(tmp_path / name, {"ü": [1, 2.5]})
    assert (tmp_path / name).read_bytes() == written


def test_the_file_in_an_archive_is_called_as_the_archive(tmp_path):
    write_json(tmp_path / "a.b.zip", [])
    with zipfile.ZipFile(tmp_path / "a.b.zip") as archive:
        assert archive.namelist() == ["a.b.json"]


DAMAGED = gzip.compress(bytes(range(99)), mtime=0)[:20] + bytes(80)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", gzip.compress(b"[1]", mtime=0)[:-9], DAMAGED, b"PK\x03\x04", b"PK\x05\x06" + bytes(18), zipped(b"{")],
)
def test_no_json(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match="not JSON"):
        read_json(str(tmp_path / "a.json"))
