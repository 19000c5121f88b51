import marshmallow
import pytest

from rendermodules.core.sections import Section, transform_list
from rendermodules.stack import ConsolidateTransforms

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"
LENS = {
    "type": "leaf",
    "id": "lens",
    "className": "mpicbg.trakem2.transform.PolynomialTransform2D",
    "dataString": "0 1 0 0.001 0 0 0 0 1 0 0 0.001",
}
TURN = {"type": "leaf", "id": "turn", "className": AFFINE, "dataString": "0 1 -1 0 100 0"}
STAGE = {"type": "leaf", "className": "mpicbg.trakem2.transform.TranslationModel2D", "dataString": "30 40"}


@pytest.fixture
def raw(write_stack, tile_spec):
    references = [{"type": "ref", "refId": name} for name in ("lens", "turn")]
    shared = {"lens": LENS, "turn": TURN}
    tiles = [tile_spec(name, 3.5, references[0], STAGE, references[1], STAGE, meshCellSize=16.0) for name in "ab"]
    write_stack("raw", Section(3.5, tiles, shared))


@pytest.fixture
def run(render_parameters):
    return lambda **parameters: ConsolidateTransforms(
        {"render": render_parameters, "input_stack": "raw", **parameters}
    ).run()


def test_tiles_lie_where_they_lay_with_fewer_transforms(run, raw, sections_of):
    result = run()
    assert result["output_stack"] == "raw_CONS"
    before, after = sections_of("raw")[3.5], sections_of("raw_CONS")[3.5]
    assert after.transforms == {"lens": LENS}
    for old, new in zip(before.tiles, after.tiles, strict=True):
        reference, merged = transform_list(new)
        assert reference == {"type": "ref", "refId": "lens"}
        assert [float(number) for number in merged["dataString"].split()] == [0, 1, -1, 0, 90, 70]
        assert {key: new[key] for key in new if key != "transforms"} == {
            key: old[key] for key in old if key != "transforms"
        }


def test_a_slice_in_place(run, raw, sections_of):
    run(output_stack="raw", transforms_slice="2:", keep_references=True)
    kinds = [spec.get("refId", "leaf") for spec in transform_list(sections_of("raw")[3.5].tiles[0])]
    assert kinds == ["lens", "leaf", "turn", "leaf"]


def test_what_is_no_slice_is_refused(run):
    for text in ("1", "a:b", "1:2:3", ""):
        with pytest.raises(marshmallow.ValidationError, match="is no slice"):
            run(transforms_slice=text)


def test_old_keys(render_parameters):
    old = {"stack": "r", "postfix": "_c", "makePolyDegree": 2, "output_directory": "/"}
    with pytest.warns(FutureWarning):
        args = ConsolidateTransforms({"render": render_parameters, **old}).args
    assert (args["input_stack"], args["output_stack"], args["polynomial_degree"]) == ("r", "r_c", 2)
