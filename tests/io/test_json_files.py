import gzip
import io
import zipfile

import fsspec
import pytest

from rendermodules.core.problems import InputError
from rendermodules.io.json_files import read_json


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


@pytest.mark.parametrize("content", [b"", b"{", gzip.compress(b"[1]", mtime=0)[:-9], b"PK\x03\x04"])
def test_no_json(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(InputError, match="not JSON"):
        read_json(str(tmp_path / "a.json"))
