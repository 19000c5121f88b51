import json

import numpy as np
import pytest

from rendermodules.core.pointmatches import point_matches
from rendermodules.core.problems import InputError
from rendermodules.io.match_files import read_match_file, write_match_file

MATCHES = [
    point_matches(("2.0", "b"), ("2.0", "a"), [[1 / 3, 2.0]], [[3.0, 4.0]], [0.5]),
    point_matches(("10.0", "a"), ("2.0", "a"), [[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]),
]


@pytest.mark.parametrize("name", ["matches.json", "matches.json.gz"])
def test_matches_come_back_in_renders_order(tmp_path, name):
    write_match_file(tmp_path / name, MATCHES)
    read = read_match_file(tmp_path / name)
    assert [one.pair for one in read] == [("10.0", "a", "2.0", "a"), ("2.0", "a", "2.0", "b")]
    np.testing.assert_array_equal(read[1].p, MATCHES[0].p)
    np.testing.assert_array_equal(read[1].q, MATCHES[0].q)
    assert read[1].weights.tolist() == [0.5]


def test_the_file_is_renders(tmp_path):
    write_match_file(tmp_path / "matches.json", MATCHES[:1])
    assert json.loads((tmp_path / "matches.json").read_text()) == [
        {
            "pGroupId": "2.0",
            "pId": "a",
            "qGroupId": "2.0",
            "qId": "b",
            "matches": {"p": [[3.0], [4.0]], "q": [[1 / 3], [2.0]], "w": [0.5]},
            "matchCount": 1,
        }
    ]


def test_same_matches_same_bytes(tmp_path):
    for folder in ("a", "b"):
        write_match_file(tmp_path / folder / "m.json.gz", MATCHES)
    assert (tmp_path / "a" / "m.json.gz").read_bytes() == (tmp_path / "b" / "m.json.gz").read_bytes()


@pytest.mark.parametrize("text", ["", "{}", '[{"pId": "a"}]', "[1]"])
def test_broken_files_are_refused(tmp_path, text):
    (tmp_path / "matches.json").write_text(text)
    with pytest.raises(InputError, match="matches.json"):
        read_match_file(tmp_path / "matches.json")


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_match_file(tmp_path / "matches.json")
