def test_lines_for_each_tile(client, tile, translation):
    path = client.create("s")
    polynomial = {"className": "mpicbg.trakem2.transform.PolynomialTransform2D", "dataString": "1 1 0 0 0 1"}
    tiles = [tile("a", x=5), tile("b", y=-50), tile("p", z=2, layout={"stageX": 1.5, "stageY": 1e7}), tile("q", z=3)]
    tiles[2]["transforms"]["specList"] = [
        {**translation(0, 0), "className": "mpicbg.trakem2.transform.TranslationModel2D", "dataString": "1 2"}
    ]
    tiles[3]["transforms"]["specList"].append(polynomial)
    client.put(path, *tiles)
    lines = [line.split("\t") for line in client.send("GET", f"{path}/layoutFile").text.splitlines()]
    # by z, then from above to below
    assert [line[1] for line in lines] == ["b", "a", "p", "q"]
    assert lines[1][2:8] == ["1.0", "0.0", "5.0", "0.0", "1.0", "0.0"]
    assert lines[2][:8] == ["null", "p", "1.0", "0.0", "1.5", "0.0", "1.0", "1.0E7"]
    assert lines[3][2:9] == ["6", "1", "1", "0", "0", "0", "1"]
    assert lines[1][11] == "/nowhere/a.png"
    assert lines[1][15].endswith("/stack/s/tile/a/render-parameters")
    assert client.send("GET", f"{path}/zRange/7,9/layoutFile").text == ""
    assert client.status("GET", f"{path}/layoutFile?format=OTHER") == 400
    assert client.status("GET", f"{path}/layoutFile?format=SCHEFFER") == 400
    client.complete(path)
    other = client.send("GET", f"{path}/z/2/layoutFile?format=SCHEFFER").text.splitlines()
    assert other == ["BBOX 0.0 -50.0 105.0 132.0", "TRANSFORM '/nowhere/p.png' null 100 80"]


def test_addresses_lead_to_tiles_of_any_name(client, tile):
    path = client.create("a%20stack%3F")
    client.put(path, tile("50% ä#?"))
    address = client.send("GET", f"{path}/layoutFile").text.rstrip("\n").split("\t")[15]
    assert client.session.get(address, timeout=9).json()["tileSpecs"][0]["tileId"] == "50% ä#?"
