def test_a_section_moves(run, client, tile, sections, capsys):
    path = client.create("s")
    client.put(path, tile("a", 1, layout={"sectionId": "x"}), tile("b", 1), tile("c", 2))
    client.complete(path)
    run("SectionUpdateClient", "--sectionId", "x", "--z", 7.5, stack="s")
    assert {z: list(tiles) for z, tiles in sections(path).items()} == {1.0: ["b"], 2.0: ["c"], 7.5: ["a"]}
    client.complete(path)
    run("SectionUpdateClient", "--sectionId", "y", "--z", 7.5, stack="s", status=1)
    assert "404" in capsys.readouterr().err
    assert client.ok("GET", path)["state"] == "COMPLETE"
