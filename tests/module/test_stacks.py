import pytest
import renderapi

from rendermodules.core.problems import InputError
from rendermodules.core.sections import Section
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"
VERSION = {"stackResolutionX": 4.0, "stackResolutionY": 4.0, "stackResolutionZ": 40.0}
LENS = {
    "id": "lens",
    "type": "leaf",
    "className": AFFINE,
    "dataString": "1 0 0 1 0 0",
}


def tile(name, z, x=0.0, **more):
    affine = {"type": "leaf", "className": AFFINE, "dataString": f"1 0 0 1 {x} 0"}
    return {
        "tileId": name,
        "z": z,
        "width": 100.0,
        "height": 80.0,
        "layout": {"sectionId": str(z)},
        "mipmapLevels": {"0": {"imageUrl": "file:///a.tif", "imageSliceNumber": 2}},
        "transforms": {"type": "list", "specList": [{"type": "ref", "refId": "lens"}, affine]},
        "meshCellSize": 32.0,
        **more,
    }


def make_stack(render, name, zs, close=True):
    with stacks.written_stack(render, name, version=VERSION, close=close):
        for z in zs:
            stacks.write_section(render, name, Section(z, [tile(f"{z}_{x}", z, x) for x in (0, 90)], {"lens": LENS}))


def test_what_is_written_is_read(render):
    make_stack(render, "raw", [1.0, 2.5])
    section = stacks.read_section(render, "raw", 2.5)
    assert [one["tileId"] for one in section.tiles] == ["2.5_0", "2.5_90"]
    assert section.transforms["lens"]["dataString"] == LENS["dataString"]
    one = section.tiles[0]
    assert one["transforms"]["specList"][0] == {"type": "ref", "refId": "lens"}
    assert one["meshCellSize"] == 32.0
    assert one["mipmapLevels"]["0"]["imageSliceNumber"] == 2
    assert stacks.stack_metadata(render, "raw")["state"] == "COMPLETE"
    assert stacks.copied_metadata(stacks.stack_metadata(render, "raw")) == VERSION


def test_shared_transforms_that_no_tile_needs_stay_behind(render):
    make_stack(render, "raw", [1.0], close=False)
    extra = {**LENS, "id": "unused"}
    stacks.write_section(render, "raw", Section(2.0, [tile("t", 2.0)], {"lens": LENS, "unused": extra}))
    assert set(stacks.read_section(render, "raw", 2.0).transforms) == {"lens"}
    with pytest.raises(ValueError, match="lens"):
        stacks.write_section(render, "raw", Section(3.0, [tile("u", 3.0)], {}))


def test_a_project_without_stacks_is_told(render):
    with pytest.raises(RenderModuleError, match="no stack at all: look whether host, owner and project are right"):
        stacks.z_values(render, "raw")


def test_an_unknown_stack_is_named_with_its_likes(render):
    make_stack(render, "acquired", [1.0])
    with pytest.raises(RenderModuleError, match="did you mean acquired"):
        stacks.z_values(render, "acquierd")


def test_selection_of_sections(render):
    make_stack(render, "raw", [1.0, 2.0, 2.5, 3.0])
    assert stacks.selected_z_values(render, "raw", {}) == [1.0, 2.0, 2.5, 3.0]
    assert stacks.selected_z_values(render, "raw", {"minZ": 2, "maxZ": 2.5}) == [2.0, 2.5]
    assert stacks.selected_z_values(render, "raw", {"maxZ": 1}) == [1.0]
    assert stacks.selected_z_values(render, "raw", {"zValues": [3.0, 1.0, 3.0]}) == [1.0, 3.0]
    assert stacks.selected_z_values(render, "raw", {"z": 2.5}) == [2.5]
    with pytest.raises(RenderModuleError, match=r"no section at z 7; it has 4 sections from 1.0 to 3.0"):
        stacks.selected_z_values(render, "raw", {"zValues": [1.0, 7]})
    with pytest.raises(RenderModuleError, match="no section between"):
        stacks.selected_z_values(render, "raw", {"minZ": 8})
    stacks.open_stack(render, "empty", {})
    with pytest.raises(RenderModuleError, match="stack empty has no section$"):
        stacks.selected_z_values(render, "empty", {})


def test_two_tiles_of_one_id_are_refused(render):
    make_stack(render, "raw", [1.0], close=False)
    with pytest.raises(RenderModuleError, match="1 tile ids occur more than once: same"):
        stacks.write_section(render, "raw", Section(2.0, [tile("same", 2.0), tile("same", 2.0)], {"lens": LENS}))
    assert stacks.z_values(render, "raw") == [1.0]


def test_nan_in_a_transform_is_refused_and_nothing_is_written(render):
    make_stack(render, "raw", [1.0], close=False)
    broken = tile("broken", 2.0, float("nan"))
    with pytest.raises(RenderModuleError, match="400"):
        stacks.write_section(render, "raw", Section(2.0, [tile("whole", 2.0), broken], {"lens": LENS}))
    assert stacks.z_values(render, "raw") == [1.0]


def test_replacing_a_section(render):
    make_stack(render, "raw", [1.0], close=False)
    new = Section(1.0, [tile("other", 1.0)], {"lens": LENS})
    stacks.write_section(render, "raw", new, replace=True)
    assert [one["tileId"] for one in stacks.read_section(render, "raw", 1.0).tiles] == ["other"]


def test_a_stack_that_may_not_be_written_is_refused(render):
    make_stack(render, "raw", [1.0])
    renderapi.stack.set_stack_state("raw", "READ_ONLY", render=render)
    with pytest.raises(RenderModuleError, match="READ_ONLY"):
        stacks.open_stack(render, "raw", {})


def test_an_existing_stack_keeps_its_resolution(render):
    make_stack(render, "raw", [1.0])
    stacks.open_stack(render, "raw", {"stackResolutionX": 9.0, "versionNotes": "new"})
    version = stacks.stack_metadata(render, "raw")["currentVersion"]
    assert version["stackResolutionX"] == 4.0
    assert version["versionNotes"] == "new"


def test_an_empty_stack_stays_open(render):
    with pytest.raises(RenderModuleError, match="no tile"), stacks.written_stack(render, "new", version={}, close=True):
        pass
    assert stacks.stack_metadata(render, "new")["state"] == "LOADING"


def test_in_place_a_failure_leaves_the_stack_as_it_was(render):
    make_stack(render, "raw", [1.0, 2.0])
    before = stacks.read_section(render, "raw", 1.0)
    with (
        pytest.raises(ValueError, match="killed"),
        stacks.written_stack(render, "raw", version=VERSION, close=True, in_place_zs=[1.0]) as staged,
    ):
        stacks.write_section(render, staged, Section(1.0, [tile("new", 1.0)], {"lens": LENS}))
        raise ValueError("killed")
    assert stacks.read_section(render, "raw", 1.0) == before
    assert stacks.stack_metadata(render, "raw")["state"] == "COMPLETE"


def test_in_place_the_copy_takes_the_stacks_place(render):
    make_stack(render, "raw", [1.0, 2.0])
    with stacks.written_stack(render, "raw", version=VERSION, close=True, in_place_zs=[1.0]) as staged:
        stacks.write_section(render, staged, Section(1.0, [tile("new", 1.0)], {"lens": LENS}))
    assert [one["tileId"] for one in stacks.read_section(render, "raw", 1.0).tiles] == ["new"]
    assert len(stacks.read_section(render, "raw", 2.0).tiles) == 2
    assert stacks.stack_names(render) == ["raw"]
    assert stacks.copied_metadata(stacks.stack_metadata(render, "raw")) == VERSION


def test_a_kill_between_the_renames_is_mended(render):
    make_stack(render, "raw", [1.0])
    renderapi.stack.rename_stack("raw", f"raw{stacks.REPLACED}", render=render)
    make_stack(render, f"raw{stacks.STAGED}", [2.0])
    assert stacks.is_half_replaced(render, ["raw"])
    stacks.put_in_place(render, ["raw"])
    assert stacks.stack_names(render) == ["raw"]
    assert stacks.z_values(render, "raw") == [2.0]


def test_a_stack_that_may_not_be_changed_in_place_is_refused(render):
    make_stack(render, "raw", [1.0])
    renderapi.stack.set_stack_state("raw", "READ_ONLY", render=render)
    with (
        pytest.raises(RenderModuleError, match="READ_ONLY and cannot be changed"),
        stacks.written_stack(render, "raw", version={}, close=True, in_place_zs=[1.0]),
    ):
        pass
    assert stacks.stack_names(render) == ["raw"]


def test_many_sections_are_copied_in_parts(render, monkeypatch):
    monkeypatch.setattr(stacks, "_CLONE_Z_VALUES_PER_REQUEST", 2)
    make_stack(render, "raw", [1.0, 2.0, 3.0, 4.0, 5.0])
    stacks.clone_sections(render, "raw", "copy", [1.0, 2.0, 4.0, 5.0], VERSION)
    assert stacks.z_values(render, "copy") == [1.0, 2.0, 4.0, 5.0]
    assert set(stacks.read_section(render, "copy", 5.0).transforms) == {"lens"}


@pytest.mark.parametrize("name", ["raw#2", "raw?state=COMPLETE", "../raw", "raw%20"])
def test_a_name_that_leads_to_another_stack_is_refused(render, name):
    make_stack(render, "raw", [1.0])
    before = stacks.stack_metadata(render, "raw")
    for change in (
        lambda: stacks.open_stack(render, name, {}),
        lambda: stacks.delete_stack(render, name),
        lambda: stacks.read_section(render, name, 1.0),
    ):
        with pytest.raises(InputError, match="names for Render"):
            change()
    assert stacks.stack_metadata(render, "raw") == before


def test_a_name_that_java_would_not_take_is_warned_of(render, caplog):
    make_stack(render, "raw ä", [1.0])
    assert stacks.z_values(render, "raw ä") == [1.0]
    assert "Java could not have a stack called raw ä" in caplog.text
