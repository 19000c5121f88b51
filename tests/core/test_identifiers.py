import pytest

from rendermodules.core.identifiers import (
    check_distinct,
    check_name,
    is_java_name,
    new_z_values,
    renumbered,
    repeated,
    with_suffixed_ids,
)
from rendermodules.core.problems import InputError
from rendermodules.core.sections import Section, shared_transforms_of

LEAF = {"type": "leaf", "className": "affine", "dataString": "1 0 0 1 0 0"}


def ref(name):
    return {"type": "ref", "refId": name}


def tile(tile_id, *transforms, **more):
    return {"tileId": tile_id, "z": 2.0, "transforms": {"type": "list", "specList": list(transforms)}, **more}


def test_renumbered_keeps_section_ids_unless_one_is_given():
    section = Section(2.0, [tile("a", layout={"sectionId": "odd", "imageRow": 1}), tile("b")])
    moved = renumbered(section, 3.25)
    assert moved.z == 3.25
    assert [one["z"] for one in moved.tiles] == [3.25, 3.25]
    assert moved.tiles[0]["layout"] == {"sectionId": "odd", "imageRow": 1}
    named = renumbered(section, 3.25, "3.25")
    assert [one["layout"] for one in named.tiles] == [{"sectionId": "3.25", "imageRow": 1}, {"sectionId": "3.25"}]
    assert section.tiles[0]["z"] == 2.0


def test_suffixes_reach_every_reference():
    between = {"type": "interpolated", "a": ref("b"), "b": LEAF, "lambda": 0.5}
    nested = {"type": "list", "specList": [ref("a"), between]}
    transforms = {name: {**LEAF, "id": name} for name in "ab"}
    transforms["c"] = {"type": "list", "id": "c", "specList": [ref("a")]}
    section = with_suffixed_ids(Section(2.0, [tile("t", nested, ref("c"), LEAF)], transforms), "_2")
    assert section.tiles[0]["tileId"] == "t_2"
    assert set(section.transforms) == {"a_2", "b_2", "c_2"}
    assert all(spec["id"] == name for name, spec in section.transforms.items())
    assert shared_transforms_of(section.tiles, section.transforms) == section.transforms


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("list", [7.0, 2.0, 1.5]), ("offset", [12.0, 11.5, 14.0]), ("squeeze", [100.0, 101.0, 102.0]), ("identity", None)],
)
def test_new_z_values(mode, expected):
    zs = [2.0, 1.5, 4.0]
    new = new_z_values(zs, mode, new_zs=[7.0, 2.0, 1.5], offset=10.0, first_z=100.0)
    assert list(new) == zs
    assert list(new.values()) == (expected or zs)


def test_lists_of_another_length_and_sections_that_would_become_one_are_refused():
    options = {"offset": 0.0, "first_z": 0.0}
    with pytest.raises(ValueError, match="each of the 2 sections needs its new z, but there are 3"):
        new_z_values([1.0, 2.0], "list", new_zs=[1.0, 2.0, 3.0], **options)
    with pytest.raises(ValueError, match=r"the same new z more than once: 5.0 for 1.0, 2.0"):
        new_z_values([1.0, 2.0], "list", new_zs=[5.0, 5.0], **options)


def test_repeated():
    assert repeated("abcab") == ["a", "b"]
    check_distinct({1: "a", 2: "b"}, "name")


@pytest.mark.parametrize("name", ["raw", "raw_2", "Raw ä", "a.b", "a-b", "ACQ (1)"])
def test_names_that_render_can_have(name):
    check_name("stack", name)
    assert is_java_name(name) == name.replace("_", "").isascii() & name.replace("_", "").isalnum()


@pytest.mark.parametrize("name", ["", " ", ".", "..", "a/b", "a\\b", "a#2", "a?", "50%", "a\nb"])
def test_names_that_lead_elsewhere_are_refused(name):
    with pytest.raises(InputError, match="^stack "):
        check_name("stack", name)
