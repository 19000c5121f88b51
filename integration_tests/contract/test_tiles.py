"""Tile specs, shared transforms, and queries for them."""

import pytest
import renderapi

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"


@pytest.fixture
def filled(service, tile):
    """Two tiles with a shared lens, one without; two layers."""
    lens = {
        "type": "leaf",
        "id": "lens",
        "className": AFFINE,
        "dataString": "1 0 0 1 3 2",
        "metaData": {"labels": ["lens"]},
    }
    tiles = [tile("a"), tile("b", x=90), tile("c", z=2)]
    for one in tiles[:2]:
        one["transforms"]["specList"].insert(0, {"type": "ref", "refId": "lens"})
    service.put(*tiles, transforms=(lens,))
    return service


@pytest.mark.routes(
    "PUT S/resolvedTiles",
    "GET S/z/{z}/resolvedTiles",
    "GET S/z/{z}/tile-specs",
    "GET S/tile/{tileId}",
    "GET S/tile/{tileId}/render-parameters",
)
def test_round_trip_through_render_python(filled, render):
    resolved = renderapi.resolvedtiles.get_resolved_tiles_from_z("s", 1, render=render)
    assert sorted(spec.tileId for spec in resolved.tilespecs) == ["a", "b"]
    assert [transform.transformId for transform in resolved.transforms] == ["lens"]
    renderapi.stack.create_stack("copy", render=render)
    renderapi.resolvedtiles.put_tilespecs("copy", resolved, render=render)
    flat = renderapi.tilespec.get_tile_specs_from_z("copy", 1.0, render=render)
    assert [(spec.tileId, len(spec.tforms), spec.minX) for spec in flat] == [("a", 2, 3.0), ("b", 2, 93.0)]
    raw = renderapi.tilespec.get_tile_spec_raw("copy", "a", render=render)
    assert type(raw.tforms[0]).__name__ == "ReferenceTransform"
    assert renderapi.tilespec.get_tile_spec("copy", "a", render=render).tforms[0].transformId == "lens"
    parameters = renderapi.tilespec.get_tile_spec_renderparameters("copy", "a", render=render)
    assert (parameters["x"], parameters["width"]) == (3.0, 100)
    with pytest.raises(renderapi.errors.RenderError):
        renderapi.tilespec.get_tile_specs_from_z("copy", 9.0, render=render)
    with pytest.raises(renderapi.errors.RenderError):
        renderapi.tilespec.get_tile_spec_raw("copy", "none", render=render)
    assert len(renderapi.tilespec.get_tile_specs_from_stack("s", render=render)) == 3


@pytest.mark.routes("GET S/B/render-parameters", "GET S/z/{z}/render-parameters")
def test_boxes(filled, render):
    found = renderapi.tilespec.get_tile_specs_from_box("s", 1, 95, 10, 50, 20, render=render)
    assert [spec.tileId for spec in found] == ["a", "b"]
    found = renderapi.tilespec.get_tile_specs_from_minmax_box("s", 1, 110, 150, 0, 20, render=render)
    assert [spec.tileId for spec in found] == ["b"]
    assert renderapi.image.get_bb_renderparams("s", 1, 900, 900, 10, 10, render=render).get("tileSpecs", []) == []
    layer = renderapi.image.get_section_renderparams("s", 1, scale=0.5, render=render)
    assert (len(layer["tileSpecs"]), layer["scale"], layer["width"]) == (2, 0.5, 190)


@pytest.mark.routes("PUT S/z/{z}/resolvedTiles", "GET S/transform/{transformId}", "PUT S/tile-specs-with-ids")
def test_by_layer_and_by_id(filled, tile):
    path = filled.stack()
    filled.ok("PUT", f"{path}/z/2/resolvedTiles?deriveData=true", {"tileIdToSpecMap": {"d": tile("d", z=2)}})
    filled.fails("PUT", f"{path}/z/3/resolvedTiles?deriveData=true", {"tileIdToSpecMap": {"d": tile("d", z=2)}})
    assert filled.ok("GET", f"{path}/transform/lens")["dataString"] == "1 0 0 1 3 2"
    found = filled.ok("PUT", f"{path}/tile-specs-with-ids", ["d", "a", "none"])
    assert sorted(spec["tileId"] for spec in found) == ["a", "d"]


@pytest.mark.routes(
    "GET S/resolvedTiles", "GET S/z/{z}/box/{x},{y},{width},{height}/tile-count", "GET S/z/{z}/last-tile-transforms"
)
def test_volumes_and_counts(filled):
    path = filled.stack()
    assert sorted(filled.ok("GET", f"{path}/resolvedTiles?maxZ=1")["tileIdToSpecMap"]) == ["a", "b"]
    assert filled.ok("GET", f"{path}/z/1/box/0,0,50,50/tile-count") == 1
    last = filled.ok("GET", f"{path}/z/1/last-tile-transforms")
    assert sorted(one["tileId"] for one in last) == ["a", "b"]


@pytest.mark.routes(
    "PUT S/section/{sectionId}/z",
    "PUT S/z/{z}/tileIds",
    "GET S/section/{sectionId}/tileBounds",
    "GET S/z/{z}/sectionData",
)
def test_moving(filled):
    path = filled.stack()
    filled.ok("PUT", f"{path}/section/2.0/z", 7.5)
    filled.ok("PUT", f"{path}/z/8/tileIds", ["a"])
    assert filled.ok("GET", f"{path}/zValues") == [1.0, 7.5, 8.0]
    assert sorted(one["tileId"] for one in filled.ok("GET", f"{path}/section/1.0/tileBounds")) == ["a", "b"]
    assert filled.ok("GET", f"{path}/z/8/sectionData")[0]["tileCount"] == 1


@pytest.mark.routes(
    "GET S/mergedZValues", "GET S/reorderedSectionData", "GET S/mergeableZValues", "GET S/mergeableData"
)
def test_sections_imaged_again(service, tile):
    again = tile("b")
    again["layout"]["sectionId"] = "1.1"
    moved = tile("e", z=5)
    moved["layout"]["sectionId"] = "4.0"
    service.put(tile("a"), again, tile("c", z=2), tile("d", z=2.1), moved)
    service.complete()
    path = service.stack()
    assert service.ok("GET", f"{path}/mergedZValues") == [1.0]
    assert [one["sectionId"] for one in service.ok("GET", f"{path}/reorderedSectionData")] == ["4.0"]
    assert service.ok("GET", f"{path}/mergeableZValues") == [2.0, 2.1]
    assert service.send("GET", f"{path}/mergeableData").text == "1 < 2 : 2.0 < 2.1\n"


@pytest.mark.routes("GET S/layoutFile", "GET S/z/{z}/layoutFile", "GET S/zRange/{minZ},{maxZ}/layoutFile")
def test_layout_files(service, tile):
    service.put(tile("a"), tile("b", z=2, x=90))
    service.complete()
    lines = service.send("GET", f"{service.stack()}/layoutFile").text.splitlines()
    assert [line.split("\t")[:8] for line in lines] == [
        ["1.0", "a", "1.0", "0.0", "0.0", "0.0", "1.0", "0.0"],
        ["2.0", "b", "1.0", "0.0", "90.0", "0.0", "1.0", "0.0"],
    ]
    assert service.send("GET", f"{service.stack()}/z/2/layoutFile").text.splitlines() == lines[1:]
    assert service.send("GET", f"{service.stack()}/zRange/0,1/layoutFile").text.splitlines() == lines[:1]
    other = service.send("GET", f"{service.stack()}/layoutFile?format=SCHEFFER").text.splitlines()
    assert other[0] == "BBOX 0.0 0.0 190.0 80.0"


@pytest.mark.routes(
    "GET S/tile/{tileId}/validation-info",
    "PUT /owner/{owner}/validate-json/tile",
    "PUT /owner/{owner}/validate-json/tile-array",
    "PUT /owner/{owner}/validate-json/transform",
    "PUT /owner/{owner}/validate-json/transform-array",
    "PUT /owner/{owner}/validate-json/render",
)
def test_validation(service, drawn, tile):
    good, bad = drawn("good", 100), tile("bad")
    service.put(good, bad)
    service.ok("GET", f"{service.stack()}/tile/good/validation-info")
    service.fails("GET", f"{service.stack()}/tile/bad/validation-info")
    check = "/owner/contract/validate-json"
    for kind, right, wrong in (
        ("tile", good, bad),
        ("tile-array", [good, good], [good, bad]),
        ("transform", good["transforms"]["specList"][0], {"className": "none", "dataString": "1"}),
        ("transform-array", good["transforms"]["specList"], [{"className": "none", "dataString": "1"}]),
        ("render", {"x": 0, "y": 0, "width": 9, "height": 9, "tileSpecs": [good]}, []),
    ):
        service.ok("PUT", f"{check}/{kind}", right)
        service.fails("PUT", f"{check}/{kind}", wrong)


@pytest.mark.differs_from_java("references to transforms that the stack has already are resolved")
@pytest.mark.routes("PUT S/resolvedTiles")
def test_references_to_stored_transforms(filled, tile):
    one = tile("late", z=3)
    one["transforms"]["specList"].insert(0, {"type": "ref", "refId": "lens"})
    filled.put(one)
    assert filled.ok("GET", f"{filled.stack()}/z/3/bounds")["minX"] == 3.0
