import pytest


@pytest.fixture
def stack(client, tile):
    path = client.create("s")
    ids = [("1", "1.0"), ("1", "1.1"), ("2", "2.0"), ("2.1", "2.1"), ("5", "4.0"), ("6", "free text"), ("7", None)]
    for number, (z, section) in enumerate(ids):
        client.put(path, tile(f"t{number}", z=float(z), layout={"sectionId": section} if section else {}))
    return path


def test_sections_that_are_not_where_they_seem(client, strict_client, stack):
    assert strict_client.status("GET", f"{stack}/mergedZValues") == 400
    for _ in range(2):
        assert client.ok("GET", f"{stack}/mergedZValues") == [1.0]
        assert [one["sectionId"] for one in client.ok("GET", f"{stack}/reorderedSectionData")] == ["4.0"]
        assert client.ok("GET", f"{stack}/mergeableZValues") == [2.0, 2.1]
        assert client.send("GET", f"{stack}/mergeableData").text == "1 < 2 : 2.0 < 2.1\n"
        client.complete(stack)


def test_layers(client, stack):
    assert [one["sectionId"] for one in client.ok("GET", f"{stack}/z/1/sectionData")] == ["1.0", "1.1"]
    assert client.ok("GET", f"{stack}/z/7/sectionData") == []
    client.complete(stack)
    assert len(client.ok("GET", f"{stack}/sectionData")) == 6
    assert [one["z"] for one in client.ok("GET", f"{stack}/sectionData?minZ=2&maxZ=5")] == [2.0, 2.1, 5.0]
