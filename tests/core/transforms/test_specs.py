import pytest

from rendermodules.core.transforms import (
    TRANSFORM_CLASSES,
    Affine,
    LensCorrection,
    TransformError,
    TransformList,
    Translation,
    flattened,
    parsed_transform,
    references,
    tile_transform,
)

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"
SHIFT = {"type": "leaf", "className": AFFINE, "dataString": "1 0 0 1 10 20"}
DOUBLED = {"className": AFFINE, "dataString": "2 0 0 2 0 0"}  # a leaf need not say that it is one


def leaf(class_name, data_string):
    return {"type": "leaf", "id": "t7", "className": class_name, "dataString": data_string}


def test_a_list_is_applied_first_to_last():
    spec = {"type": "list", "specList": [SHIFT, {"type": "list", "specList": [DOUBLED]}]}
    assert parsed_transform(spec).apply([[1, 1]]).tolist() == [[22, 42]]


def test_references_are_followed_through_shared_transforms():
    shared = {"lens": {"type": "list", "specList": [{"type": "ref", "refId": "shift"}]}, "shift": SHIFT}
    assert parsed_transform({"type": "ref", "refId": "lens"}, shared).apply([[0, 0]]).tolist() == [[10, 20]]


def test_interpolation_lies_between_its_ends():
    spec = {"type": "interpolated", "a": SHIFT, "b": DOUBLED, "lambda": 0.25}
    transform = parsed_transform(spec)
    assert transform.apply([[4, 8]]).tolist() == [[14 + (8 - 14) / 4, 28 + (16 - 28) / 4]]
    assert transform.affine.tolist() == [[1.25, 0, 7.5], [0, 1.25, 15]]
    assert parsed_transform(transform.spec()).affine.tolist() == transform.affine.tolist()


def test_a_tile_without_transforms_stays_where_it_is():
    for tile in ({}, {"transforms": None}, {"transforms": {"type": "list", "specList": []}}):
        assert tile_transform(tile).apply([[3, 4]]).tolist() == [[3, 4]]
        assert tile_transform(tile).affine.tolist() == [[1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize("name", ["lenscorrection.NonLinearTransform", "mpicbg.trakem2.transform.nonLinearTransform"])
def test_other_names_of_the_lens_correction_are_read(name):
    transform = parsed_transform(leaf(name, "1 3 1 0 0 1 0 0 0 0 0 1 1 1 512 512 "))
    assert isinstance(transform, LensCorrection)
    assert transform.apply([[5, 6]]).tolist() == [[5, 6]]


@pytest.mark.parametrize("name", ["TranslationModel2D", "RigidModel2D", "SimilarityModel2D"])
def test_six_numbers_are_an_affine_whatever_the_class(name):
    transform = parsed_transform(leaf(f"mpicbg.trakem2.transform.{name}", "1 2 3 4 5 6"))
    assert type(transform) is Affine
    assert transform.matrix.tolist() == [[1, 3, 5], [2, 4, 6]]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (leaf("mpicbg.trakem2.transform.CubicBSplineTransform", "1"), "'t7' of class .*CubicBSpline.* cannot be found"),
        (leaf(AFFINE, "1 0 0 1 5"), "'t7' of class .*must have 6 numbers .* has 5"),
        (leaf(AFFINE, "1 0 0 1 5 NaN"), "not finite"),
        (leaf(AFFINE, "1 0 0 1 5 6px"), "not a list of numbers"),
        ({"type": "leaf", "className": AFFINE}, "has no 'dataString'"),
        ({"type": "leaf", "dataString": "1"}, "has no 'className'"),
        ({"type": "spiral", "id": "x"}, "no type 'spiral'"),
        ({"type": "ref"}, "no refId"),
        ({"type": "ref", "refId": "lost"}, "'lost' is missing"),
        ({"type": "ref", "refId": "chicken"}, "circle: chicken -> egg -> chicken"),
        ({"type": "interpolated", "id": "i", "a": SHIFT, "lambda": 0.5}, "interpolated transform 'i' has no 'b'"),
        ({"type": "interpolated", "a": SHIFT, "b": SHIFT}, "no number 'lambda'"),
    ],
)
def test_what_is_wrong_with_a_spec_is_named(spec, message):
    shared = {"chicken": {"type": "ref", "refId": "egg"}, "egg": {"type": "ref", "refId": "chicken"}}
    with pytest.raises(TransformError, match=message):
        parsed_transform(spec, shared)
    with pytest.raises(TransformError, match="tile t1: "):
        tile_transform({"tileId": "t1", "transforms": {"type": "list", "specList": [spec]}}, shared)


@pytest.mark.parametrize("class_name", sorted(TRANSFORM_CLASSES))
@pytest.mark.parametrize("data_string", ["", "nonsense", "1e999 " * 5, "2 2 2 2 2 2 2 2 2 2 2"])
def test_no_class_takes_nonsense_for_data(class_name, data_string):
    with pytest.raises(TransformError):
        parsed_transform(leaf(class_name, data_string))


def test_references_are_found_in_lists_and_interpolations():
    spec = {
        "type": "list",
        "specList": [
            SHIFT,
            {"type": "ref", "refId": "a"},
            {"type": "interpolated", "a": {"type": "ref", "refId": "b"}, "b": DOUBLED, "lambda": 1},
        ],
    }
    assert references(spec) == {"a", "b"}
    assert references(SHIFT) == set()


def test_flattening_leaves_leaves_with_the_labels_of_their_lists():
    shared = {
        "lens": {
            "type": "list",
            "id": "lens",
            "metaData": {"labels": ["lens"]},
            "specList": [{**SHIFT, "id": "s", "metaData": {"labels": ["own", "lens"]}}, DOUBLED],
        }
    }
    specs = [{"type": "ref", "refId": "lens"}, SHIFT]
    assert flattened(specs, shared) == [
        {**SHIFT, "id": "s", "metaData": {"labels": ["own", "lens"]}},
        {**DOUBLED, "metaData": {"labels": ["lens"]}},
        SHIFT,
    ]
    assert "metaData" not in DOUBLED


def test_flattening_resolves_the_ends_of_interpolations():
    spec = {"type": "interpolated", "a": {"type": "ref", "refId": "s"}, "b": DOUBLED, "lambda": 0.5}
    assert flattened([spec], {"s": SHIFT}) == [{**spec, "a": SHIFT}]
    with pytest.raises(TransformError, match="'s' is missing"):
        flattened([spec], {})


def test_specs_carry_ids_and_labels_when_asked():
    spec = Translation(1.5, 2).spec("shift", ["montage"])
    assert spec == {
        "type": "leaf",
        "id": "shift",
        "metaData": {"labels": ["montage"]},
        "className": "mpicbg.trakem2.transform.TranslationModel2D",
        "dataString": "1.5 2.0",
    }
    assert TransformList([Translation(1, 2)]).spec()["specList"][0]["dataString"] == "1.0 2.0"
