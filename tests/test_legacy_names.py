import re
import warnings

import pytest

from rendermodules import legacy_names
from rendermodules.legacy_names import LEGACY_NAMES, find_legacy_name, translated
from rendermodules.module import catalogue

RENDER = {"host": "render.db", "port": 8080, "owner": "me", "project": "p", "client_scripts": "/x", "memGB": "5G"}

# what people have in their folders: the parameters that the old modules took, by the old names of these areas
OLD_FILES = {
    "renderapps.stack.apply_global_affine_to_stack": {
        "input_stack": "a",
        "transformId": "t",
        "M00": 1.0,
        "M11": -1.0,
        "B1": 9.0,
        "zmin": 0,
        "zmax": 5,
        "pool_size": 20,
    },
    "renderapps.stack.apply_global_affine_to_stacks": {
        "input_stacks": ["a", "b"],
        "output_prefix": "new_",
        "transformId": "t",
        "B0": 4.0,
    },
    "renderapps.refactor.apply_global_affine_to_stack": {
        "inputStack": "a",
        "outputStack": "b",
        "transformId": "t",
        "B0": 1,
    },
    "renderapps.obsolete.apply_ztransforms_to_render_stack": {"inputStack": "a", "outputStack": "b"},
    "renderapps.obsolete.apply_alignment_from_render_stack": None,
    "renderapps.stack.apply_mask_to_stack": {
        "mask_file": "mask.png",
        "input_stack": "a",
        "output_stack": "b",
        "minz": 0,
        "maxz": 10,
        "pool_size": 20,
    },
    "renderapps.stack.auto_set_stack_levels": {"input_stack": "a", "output_stack": "b", "output_directory": "/x"},
    "renderapps.stack.set_stack_levels": {"stack": "a", "minIntensity": 0, "maxIntensity": 5000, "pool_size": 4},
    "renderapps.stack.concatenate_stacks": {
        "input_stacks": "a,b",
        "input_projects": "p,q",
        "output_stack": "c",
        "output_project": "r",
        "output_directory": "/x",
        "pool_size": 20,
        "adjust_z": True,
    },
    "renderapps.stack.merge_render_stacks": {
        "stack1": "a",
        "stack2": "b",
        "output_stack": "c",
        "zmin": 0,
        "zmax": 9,
        "z_intersection": False,
    },
    "renderapps.refactor.merge_render_stacks": {"stack1": "a", "stack2": "b", "output_stack": "c"},
    "renderapps.stack.merge_stacks": {"stacks": ["a", "b"], "output_stack": "c"},
    "renderapps.stack.merge_session_stacks": {
        "base_stack": "a",
        "channel_stacks": {"DAPI_1": "a", "PSD": "b"},
        "output_stack": "c",
    },
    "renderapps.stack.merge_multi_session_stacks": {
        "base_stack": "a",
        "session_stacks": [{"stack": "a", "channel_suffix": "_1"}],
        "output_stack": "c",
    },
    "renderapps.stack.consolidate_render_transforms": {"stack": "a", "postfix": "_CONS", "output_directory": "/x"},
    "asap.stack.consolidate_transforms": {
        "stack": "a",
        "transforms_slice": "1:",
        "pool_size": 10,
        "minZ": 1,
        "maxZ": 2,
        "overwrite_zlayer": True,
    },
    "renderapps.stack.copy_stack_metadata": {"input_stack": "a", "output_stack": "b"},
    "renderapps.stack.set_stack_resolution": {"stacks": ["a", "b"], "stackResolutionX": 3, "stackResolutionZ": 70},
    "renderapps.stack.set_stack_state": {"stack": "a", "state": "LOADING"},
    "renderapps.stack.create_subvolume_stack": {
        "input_stack": "a",
        "output_stack": "b",
        "scale": 0.01,
        "directory": "/x",
        "minZ": 0,
        "maxZ": 1e8,
        "minX": 0,
        "maxX": 9,
        "minY": 0,
        "maxY": 9,
    },
    "renderapps.stack.regex_replace_filenames": {"input_stack": "a", "regex_find": "x", "regex_replace": "y"},
    "asap.stack.redirect_mipmaps": {
        "input_stack": "a",
        "output_stack": "b",
        "z_index": 3,
        "new_mipmap_directories": [{"level": 0, "directory": "/x"}],
    },
    "rendermodules.dataimport.clone_stack_with_no_mipmaps": {
        "input_stack": "a",
        "output_stack": "b",
        "level_to_retain": 0,
    },
    "renderapps.stack.rename_sectionIds": {"input_stack": "a", "zmin": 0, "zmax": 4, "pool_size": 20},
    "renderapps.refactor.rename_sectionIds": {"inputStack": "a"},
    "renderapps.stack.squeeze_stack": {"input_stack": "a", "output_stack": "b", "output_directory": "/x"},
    "asap.stack.remap_zs": {
        "input_stack": "a",
        "output_stack": "b",
        "zValues": [1, 2],
        "new_zValues": [26, 27],
        "remap_sectionId": True,
    },
    "asap.stack.swap_zs": {
        "source_stack": ["a"],
        "target_stack": ["b"],
        "zValues": [[1, 2]],
        "complete_source_stack": True,
        "delete_source_stack": False,
        "pool_size": 5,
    },
    "renderapps.stack.flip_stack_by_raw_image_flip": {"input_stack": "a", "minZ": 0, "maxZ": 4, "delete_after": False},
    "renderapps.refactor.flip_stack_by_raw_image_flip": {"inputStack": "a", "outputStack": "b", "minZ": 0, "maxZ": 4},
    "renderapps.tile.create_filtered_EM_images": {
        "input_stack": "a",
        "sat_pix": 0.2,
        "contrast_adjust": 0.85,
        "clahe_size": 90,
        "clahe_clip_limit": 1.5,
    },
    "renderapps.tile.create_filtered_EM_images_2": {"input_stack": "a", "output_stack": "b", "vert_flip": False},
    "renderapps.datamanagement.delete_section": {"input_stack": "a", "section_z": 3},
    "renderapps.datamanagement.diff_z": {"input_stack1": "a", "input_stack2": "b"},
    "deletestack": {},
    "renderapps.obsolete.deletestack": {},
    "renderapps.stack.deletestack": {},
    "renderapps.obsolete.investigate_zvalues": {},
}

GIVEN = {
    "transform_file": "transforms.json",
    "transformId": "raw_to_aligned_z_{z:f}_alignment",
    "output_directory": "images",
    "stacks": ["a"],
}


def test_every_name_of_these_areas_is_tried():
    assert set(OLD_FILES) == {*legacy_names.STACK, *legacy_names.TILE, *legacy_names.DATAMANAGEMENT}


@pytest.mark.parametrize("name", OLD_FILES)
def test_an_old_file_runs_under_the_new_module(name, tmp_path, monkeypatch):
    legacy = LEGACY_NAMES[name]
    if legacy.module is None:
        assert OLD_FILES[name] is None
        return
    monkeypatch.chdir(tmp_path)
    for file in ("mask.png", "transforms.json"):
        (tmp_path / file).touch()
    module, parameters = translated(name, {"render": RENDER, **OLD_FILES[name]})
    parameters.update({key: GIVEN[key] for key in legacy.needs})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        args = catalogue.find_module(module).load()(parameters).args
    for key in legacy.presets.keys() - OLD_FILES[name].keys():
        assert args[key] == legacy.presets[key]
    if legacy.in_place and not {"output_stack", "outputStack"} & OLD_FILES[name].keys():
        assert args["input_stack"] == args["output_stack"] == "a"


@pytest.mark.parametrize("name", LEGACY_NAMES)
def test_every_name_is_mapped_or_dropped_with_a_reason(name):
    legacy = LEGACY_NAMES[name]
    if legacy.module is None:
        assert legacy.note
        with pytest.raises(LookupError, match=re.escape(f"{name} was dropped")):
            translated(name, {})
        return
    fields = catalogue.find_module(legacy.module).load().default_schema().fields
    assert {*legacy.presets, *legacy.renames.values(), *legacy.needs} <= fields.keys()


def test_no_area_takes_the_name_of_another():
    public = {key: value for key, value in vars(legacy_names).items() if key.isupper() and not key.startswith("_")}
    # each name is in the table of its area, and in that of all
    assert 2 * len(LEGACY_NAMES) == sum(map(len, public.values()))


def test_names_are_found_by_their_ends_and_by_the_name_that_asap_had():
    assert find_legacy_name("squeeze_stack")[0] == "renderapps.stack.squeeze_stack"
    assert find_legacy_name("rendermodules.stack.redirect_mipmaps")[0] == "asap.stack.redirect_mipmaps"
    assert find_legacy_name("deletestack")[1].module == "datamanagement.delete"
    with pytest.raises(LookupError, match="did you mean .*squeeze_stack"):
        find_legacy_name("renderapps.stack.squeeze_stacks")


def test_given_parameters_win_over_presets():
    assert translated("squeeze_stack", {"mode": "offset"}) == ("stack.remap_zs", {"mode": "offset"})
