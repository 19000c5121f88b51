import gzip
import json
import zipfile

import pytest

from rendermodules.core.problems import InputError
from rendermodules.io.pair_files import (
    PairFile,
    read_pair_files,
    render_parameters_template,
    stack_of_template,
    tile_ids_of_pairs,
    write_pair_files,
)

TEMPLATE = render_parameters_template("me", "brain", "raw")


def pairs(count):
    return [{"p": {"groupId": "1.0", "id": f"a{i}"}, "q": {"groupId": "1.0", "id": f"b{i}"}} for i in range(count)]


def content(count):
    return PairFile(TEMPLATE, pairs(count), {})


@pytest.mark.parametrize("suffix", [".json", ".json.gz", ".zip"])
def test_pairs_come_back(tmp_path, suffix):
    path = tmp_path / f"pairs{suffix}"
    assert write_pair_files(path, content(3), 100) == [path]
    assert read_pair_files(path) == content(3)


def test_the_file_is_renders(tmp_path):
    write_pair_files(tmp_path / "pairs.json", content(1), 100)
    assert json.loads((tmp_path / "pairs.json").read_text()) == {
        "renderParametersUrlTemplate": "{baseDataUrl}/owner/me/project/brain/stack/raw/tile/{id}/render-parameters",
        "neighborPairs": pairs(1),
    }
    write_pair_files(tmp_path / "pairs.zip", content(1), 100)
    assert zipfile.ZipFile(tmp_path / "pairs.zip").namelist() == ["pairs.json"]


def test_no_pairs_are_a_file_too(tmp_path):
    path = tmp_path / "pairs.json"
    write_pair_files(path, content(0), 100)
    assert read_pair_files(path).pairs == []


def test_many_pairs_make_parts(tmp_path):
    path = tmp_path / "pairs.json.gz"
    written = write_pair_files(path, content(25), 10)
    assert [file.name for file in written] == [f"pairs_p00{i}.json.gz" for i in range(3)]
    assert not path.exists()
    assert read_pair_files(path) == content(25)
    assert len(read_pair_files(written[2]).pairs) == 5
    assert len(read_pair_files([written[0], written[2]]).pairs) == 15


def test_more_than_a_thousand_parts_stay_in_order(tmp_path):
    path = tmp_path / "pairs.json"
    write_pair_files(path, content(1002), 1)
    assert read_pair_files(path) == content(1002)


def test_files_of_an_earlier_list_do_not_stay(tmp_path):
    path = tmp_path / "pairs.json"
    other = tmp_path / "pairs_part.json"
    other.write_text("{}")
    write_pair_files(path, content(40), 10)
    write_pair_files(path, content(15), 10)
    assert len(read_pair_files(path).pairs) == 15
    write_pair_files(path, content(2), 10)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["pairs.json", "pairs_part.json"]
    write_pair_files(path, content(11), 10)
    assert len(read_pair_files(path).pairs) == 11


def test_same_pairs_same_bytes(tmp_path):
    for suffix in (".json.gz", ".zip"):
        first, second = tmp_path / f"a{suffix}", tmp_path / "b" / f"a{suffix}"
        write_pair_files(first, content(5), 10)
        write_pair_files(second, content(5), 10)
        assert first.read_bytes() == second.read_bytes()


def test_what_else_a_file_says_is_kept(tmp_path):
    path = tmp_path / "pairs.json"
    write_pair_files(path, PairFile(None, pairs(1), {"pstack": "a", "qstack": "b"}), 10)
    assert read_pair_files(path) == PairFile(None, pairs(1), {"pstack": "a", "qstack": "b"})


def test_file_names_and_sizes_that_cannot_be(tmp_path):
    with pytest.raises(ValueError, match="does not end in"):
        write_pair_files(tmp_path / "pairs.txt", content(1), 10)
    with pytest.raises(ValueError, match="cannot hold"):
        write_pair_files(tmp_path / "pairs.json", content(1), 0)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="pairs_p000"):
        read_pair_files(tmp_path / "pairs.json")
    with pytest.raises(FileNotFoundError):
        read_pair_files(tmp_path / "no folder" / "pairs.json")


@pytest.mark.parametrize(
    "data", [b"", b"nothing", b"[]", b"{}", b'{"neighborPairs": [{"p": {"id": "a"}}]}', b'{"neighborPairs": [1]}']
)
@pytest.mark.parametrize("suffix", [".json", ".json.gz", ".zip"])
def test_broken_files_are_refused(tmp_path, data, suffix):
    path = tmp_path / f"pairs{suffix}"
    path.write_bytes(gzip.compress(data) if suffix == ".json.gz" and data else data)
    with pytest.raises(InputError, match=r"pairs\..*: not JSON|no file of tile pairs"):
        read_pair_files(path)


def test_files_of_different_stacks_are_refused(tmp_path):
    write_pair_files(tmp_path / "a.json", content(1), 10)
    other = PairFile(render_parameters_template("me", "brain", "other"), pairs(1), {})
    write_pair_files(tmp_path / "b.json", other, 10)
    with pytest.raises(InputError, match="different stacks"):
        read_pair_files([tmp_path / "a.json", tmp_path / "b.json"])


def test_tile_ids():
    assert tile_ids_of_pairs(pairs(2) + pairs(1)) == ["a0", "a1", "b0", "b1"]


def test_templates_name_their_stack():
    assert stack_of_template(TEMPLATE) == ("me", "brain", "raw")
    assert stack_of_template("http://x/render-ws/v1/owner/a%20b/project/c/stack/d.e/tile/{id}/render-parameters") == (
        "a b",
        "c",
        "d.e",
    )
    with pytest.raises(InputError, match="names no stack, but nothing"):
        stack_of_template("nothing")
