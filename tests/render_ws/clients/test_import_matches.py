import gzip
import json

import pytest

POINTS = {"p": [[1, 2], [3, 4]], "q": [[5, 6], [7, 8]], "w": [1, 0.5]}


def a_pair(p, q, group="1.0"):
    return {"pGroupId": group, "pId": p, "qGroupId": group, "qId": q, "matches": POINTS}


def test_files_go_into_a_collection(run, client, tmp_path):
    (tmp_path / "a.json").write_text(json.dumps([a_pair("a", "b"), a_pair("d", "c")]))
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(json.dumps([a_pair("e", "f", "2.0")]).encode()))
    run("ImportMatchClient", "--collection", "m", tmp_path / "a.json", tmp_path / "b.json.gz")
    found = client.ok("GET", "/owner/owner/matchCollection/m/group/1.0/matchesWithinGroup")
    assert [(pair["pId"], pair["qId"]) for pair in found] == [("a", "b"), ("c", "d")]
    assert found[0]["matches"] == POINTS
    assert found[1]["matches"]["p"] == POINTS["q"]
    assert client.ok("GET", "/owner/owner/matchCollection/m/groupIds") == ["1.0", "2.0"]


@pytest.mark.parametrize(("content", "message"), [("{}", "no list"), ("[{}]", "no point matches"), ("[", "not JSON")])
def test_refusals(run, client, tmp_path, content, message, capsys):
    (tmp_path / "a.json").write_text(content)
    run("ImportMatchClient", "--collection", "m", tmp_path / "a.json", status=1)
    assert message in capsys.readouterr().err
    assert client.ok("GET", "/owner/owner/matchCollections") == []
