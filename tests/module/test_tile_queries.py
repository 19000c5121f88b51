import pytest

from rendermodules.core.sections import Section
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.tile_queries import section_ids, tile_bounds, tiles_with_ids, z_of_sections

LENS = {
    "type": "leaf",
    "id": "lens",
    "className": "mpicbg.trakem2.transform.AffineModel2D",
    "dataString": "1 0 0 1 3 4",
}


@pytest.fixture
def stack(write_stack, tile_spec):
    reference = {"type": "ref", "refId": "lens"}
    tiles = [tile_spec(name, 1.5, reference, layout={"sectionId": section}) for name, section in ("bx", "ay", "cx")]
    write_stack("raw", Section(1.5, tiles, {"lens": LENS}), Section(2.0, [tile_spec("d", 2.0)]))


def test_bounds_without_specs(stack, render):
    bounds = tile_bounds(render, "raw", 1.5)
    assert [(one["tileId"], one["sectionId"]) for one in bounds] == [("a", "y"), ("b", "x"), ("c", "x")]
    assert [bounds[0][name] for name in ("minX", "minY", "maxX", "maxY")] == [3, 4, 23, 14]


def test_tiles_by_id(stack, render):
    tiles = tiles_with_ids(render, "raw", ["d", "a", "nobody", "a"])
    assert sorted(tiles) == ["a", "d"]
    assert tiles["a"]["transforms"]["specList"][0]["dataString"] == LENS["dataString"]


def test_sections_of_a_z(stack, render):
    assert section_ids(render, "raw") == {1.5: ["x", "y"], 2.0: ["2.0"]}


def test_z_of_chosen_sections(stack, render):
    assert z_of_sections(render, "raw", {}) == {"x": 1.5, "y": 1.5, "2.0": 2.0}
    assert z_of_sections(render, "raw", {"maxZ": 1.5}) == {"x": 1.5, "y": 1.5}


def test_no_stack(render):
    with pytest.raises(RenderModuleError, match="sections of stack raw failed"):
        section_ids(render, "raw")
