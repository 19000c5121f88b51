import pytest

from rendermodules.render_ws.clients import match_collections


@pytest.fixture
def pairs(client, monkeypatch):
    monkeypatch.setattr(match_collections, "PAIRS_AT_ONCE", 2)
    points = {"p": [[1.0], [2.0]], "q": [[3.0], [4.0]], "w": [1.0]}
    pairs = [
        {"pGroupId": group, "pId": f"{group}{n}", "qGroupId": "9", "qId": f"q{n}", "matches": points, "matchCount": 1}
        for group in "12"
        for n in range(3)
    ]
    client.ok("PUT", "/owner/owner/matchCollection/m/matches", pairs)
    return pairs


def test_a_collection_is_copied(run, client, pairs, caplog):
    run("CopyMatchClient", "--fromCollection", "m", "--toCollection", "n", "--toOwner", "else")
    assert client.ok("GET", "/owner/else/matchCollection/n/group/9/matchesOutsideGroup") == pairs
    assert "6 pairs from owner/m to else/n" in caplog.text
    run("CopyMatchClient", "--fromCollection", "m", "--toCollection", "some", "2")
    assert client.ok("GET", "/owner/owner/matchCollection/some/group/9/matchesOutsideGroup") == pairs[3:]


def test_refusals(run, pairs, capsys):
    run("CopyMatchClient", "--fromCollection", "m", "--toCollection", "m", status=1)
    assert "onto itself" in capsys.readouterr().err
    run("CopyMatchClient", "--fromCollection", "gone", "--toCollection", "m", status=1)
    assert "404" in capsys.readouterr().err
