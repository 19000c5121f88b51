import marshmallow
import pytest

from rendermodules.core.sections import Section
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.stack import CreateSubvolumeStack

LENS = {
    "type": "leaf",
    "id": "lens",
    "className": "mpicbg.trakem2.transform.PolynomialTransform2D",
    "dataString": "0 1 0 0 0 1",
}


def at(x):
    return {"type": "leaf", "className": "mpicbg.trakem2.transform.AffineModel2D", "dataString": f"1 0 0 1 {x} 0"}


@pytest.fixture
def raw(write_stack, tile_spec):
    """Tiles of 20 x 10 pixels at x 0, 30, 60 of z 1 and 2.5; at z 4 there is one at 1000."""
    reference = {"type": "ref", "refId": "lens"}
    sections = [
        Section(z, [tile_spec(f"{z} {x}", z, reference, at(x), maxIntensity=65535.0) for x in xs], {"lens": LENS})
        for z, xs in ((1.0, (0, 30, 60)), (2.5, (0, 30, 60)), (4.0, (1000,)))
    ]
    write_stack("raw", *sections, stackResolutionX=3.0)


@pytest.fixture
def run(render_parameters):
    return lambda **parameters: CreateSubvolumeStack(
        {"render": render_parameters, "input_stack": "raw", "output_stack": "part", **parameters}
    ).run()


def test_tiles_in_the_box_come_whole_and_unchanged(run, raw, sections_of, render):
    result = run(minX=45.0, maxX=100.0, minY=0.0, maxY=5.0, pool_size=2)
    assert result["zValues"] == [1.0, 2.5]
    assert result["skipped"] == [{"z": 4.0, "reason": "no tile is left"}]
    before = sections_of("raw")
    for z, section in sections_of("part").items():
        assert section.tiles == before[z].tiles[1:]
        assert section.transforms == {"lens": LENS}
    assert stacks.stack_metadata(render, "part")["currentVersion"]["stackResolutionX"] == 3.0


def test_intensities_change_only_when_they_are_given(run, raw, sections_of):
    run(z=1.0, minIntensity=1000.0)
    assert {(tile["minIntensity"], tile["maxIntensity"]) for tile in sections_of("part")[1.0].tiles} == {
        (1000.0, 65535.0)
    }


def test_refusals(run, raw, render):
    with pytest.raises(RenderModuleError, match="holds no tile"):
        run(minX=-100.0, maxX=-50.0)
    with pytest.raises(marshmallow.ValidationError, match="minX must be less than maxX"):
        run(minX=5.0, maxX=5.0)
    with pytest.raises(marshmallow.ValidationError, match="a name of its own"):
        run(output_stack="raw")


def test_old_keys(render_parameters):
    old = {"input_stack": "a", "output_stack": "b", "scale": 0.01, "directory": "/", "minX": 0, "maxX": 9}
    with pytest.warns(FutureWarning, match="no longer needed"):
        assert CreateSubvolumeStack({"render": render_parameters, **old}).args["maxX"] == 9.0
