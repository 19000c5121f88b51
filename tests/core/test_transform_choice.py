import pytest

from rendermodules.core.transform_choice import transform_of_section

MOVE = {"className": "affine", "dataString": "1 0 0 1 7 8"}


def test_one_transform_is_for_all_sections():
    assert transform_of_section(MOVE, 7.0, None) == {"type": "leaf", **MOVE}
    listed = {"type": "list", "specList": [MOVE]}
    assert transform_of_section(listed, 7.0, "both") == {**listed, "id": "both"}


def test_an_object_has_one_for_each_z():
    document = {"1": MOVE, "1020.25": {**MOVE, "dataString": "1 0 0 1 0 0"}, "comment": "by hand"}
    found = transform_of_section(document, 1020.25, "a_to_b_z_{z:f}_alignment")
    assert found == {
        "type": "leaf",
        "className": "affine",
        "dataString": "1 0 0 1 0 0",
        "id": "a_to_b_z_1020.250000_alignment",
    }
    with pytest.raises(ValueError, match="a transform for this z is not there"):
        transform_of_section(document, 2.0, "move_{z}")


def test_a_list_has_one_for_each_id():
    document = [{"id": "to_1.0", **MOVE}, {"id": "to_2.0", **MOVE}, {"id": "to_2.0", **MOVE}]
    assert transform_of_section(document, 1.0, "to_{z}")["id"] == "to_1.0"
    with pytest.raises(ValueError, match="to_2.0 is there 2 times"):
        transform_of_section(document, 2.0, "to_{z}")
    with pytest.raises(ValueError, match="to_3.0 is not there"):
        transform_of_section(document, 3.0, "to_{z}")


def test_anything_else_is_refused():
    with pytest.raises(ValueError, match="an object or a list"):
        transform_of_section("1 0 0 1 0 0", 1.0, None)
