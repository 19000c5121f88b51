"""Old parameter files of imports and mipmaps run under the modules that took over."""

import warnings

import pytest

from rendermodules.legacy_names import DATAIMPORT, LEGACY_NAMES, translated
from rendermodules.module import catalogue

RENDER = {"host": "render.db", "port": 8080, "owner": "me", "project": "p", "client_scripts": "/x", "memGB": "5G"}
_DOWNSAMPLE = {"input_stack": "a", "output_stack": "b", "convert_to_8bit": True, "pool_size": 20}
_FAST = {"statetableFile": "state.csv", "projectDirectory": "/x", "outputStackPrefix": "ACQ", "pool_size": 20}
_SCAPES = {"input_stack": "a", "image_directory": "images", "numsectionsfile": "count", "output_stack": "b"}
_IMAGE = {"inputImage": "a.tif", "outputDirectory": "out", "mipmaplevels": [1, 2], "outputformat": "png"}

# the parameters that the old modules took
OLD_FILES = {
    "renderapps.dataimport.create_mipmaps": {**_IMAGE, "verbose": True},
    "renderapps.refactor.create_mipmaps": _IMAGE,
    "renderapps.stack.mipmaps.create_mipmaps": _IMAGE,
    "asap.dataimport.create_mipmaps": {
        **_IMAGE,
        "method": "block_reduce",
        "block_func": "median",
        "convertTo8bit": False,
        "force_redo": True,
    },
    "renderapps.dataimport.add_downsample_to_render_project": _DOWNSAMPLE,
    "renderapps.dataimport.add_downsample_to_render_project_v2": _DOWNSAMPLE,
    "renderapps.dataimport.add_downsample_to_render_project_v3": {
        "input_stack": "a",
        "output_stack": "b",
        "path_find": "raw",
        "path_replace": "small",
        "force_redo": True,
        "mipmapspecs": [{"level": 1, "downsample_option": "block_reduce", "compression": "LZW"}],
    },
    "renderapps.obsolete.add_downsample_to_render_project": {},
    "asap.dataimport.generate_mipmaps": {
        "input_stack": "a",
        "output_prefix": "file:///x",
        "method": "PIL",
        "PIL_filter": "LANCZOS",
        "block_func": "mean",
        "imgformat": "tiff",
        "levels": 6,
        "zstart": 1,
        "zend": 9,
        "pool_size": 20,
    },
    "asap.dataimport.apply_mipmaps_to_render": {
        "input_stack": "a",
        "output_stack": "b",
        "mipmap_prefix": "file:///x",
        "levels": 6,
        "imgformat": "tiff",
        "zs": [1, 2],
        "close_stack": False,
    },
    "renderapps.dataimport.create_fast_stacks": {**_FAST, "delete_stack": True},
    "renderapps.dataimport.create_fast_stacks_multi": {
        **_FAST,
        "dataOutputFolder": "processed",
        "reference_channel": "DAPI",
    },
    "renderapps.stack.append_fast_stacks": _FAST,
    "renderapps.dataimport.upload_tilespecdir": {"inputDir": "specs/", "outputStack": "a"},
    "renderapps.dataimport.upload_channeltilespec": {"inputDir": "specs", "outputStack": "a", "channel": "DAPI_1"},
    "renderapps.obsolete.upload_channeltilespec": {"inputDir": "specs", "outputStack": "a", "channel": "DAPI_1"},
    "renderapps.obsolete.create_acquiredff_fullstack": {},
    "renderapps.obsolete.create_stitched_fullstack": {},
    "renderapps.dataimport.upload_tiledir": {
        "inputTileDirectory": "/x/tiles",
        "tilespecDirectory": "specs",
        "outputStack": "a",
        "pool_size": 20,
    },
    "renderapps.materialize.make_downsample_image_stack": {**_SCAPES, "scale": 0.05, "minZ": 0, "maxZ": 100000000},
    "renderapps.stack.mege_stacks": _SCAPES,
    "renderapps.stack.mipmaps.make_downsample_image_stack": _SCAPES,
    "asap.dataimport.make_montage_scapes_stack": {
        "montage_stack": "a",
        "output_stack": "b",
        "image_directory": "images",
        "set_new_z": True,
        "new_z_start": 1015,
        "remap_section_ids": False,
        "imgformat": "png",
        "scale": 0.1,
        "apply_scale": True,
        "doFilter": True,
        "level": 1,
        "fillWithNoise": False,
        "memGB_materialize": "12G",
        "pool_size_materialize": 1,
        "filterListName": "notUsed",
        "zstart": 1015,
        "zend": 1020,
    },
    "asap.dataimport.generate_EM_tilespecs_from_metafile": {
        "metafile_uri": "file:///x/m.json",
        "maskUrl_uri": None,
        "image_prefix": "file:///x",
        "maximum_intensity": 255,
        "minimum_intensity": 0,
        "sectionId": "MYSECTION",
        "stack": "a",
        "z_index": 1,
        "close_stack": True,
        "overwrite_zlayer": True,
    },
}
GIVEN = {"tilespec_files": ["specs/*.json"], "input_stack": "a", "output_stack": "b"}


def test_every_name_of_the_area_is_tried():
    assert set(OLD_FILES) == set(DATAIMPORT)


@pytest.mark.parametrize("name", OLD_FILES)
def test_an_old_file_runs_under_the_new_module(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "state.csv").touch()
    legacy = LEGACY_NAMES[name]
    module, parameters = translated(name, OLD_FILES[name])
    loaded = catalogue.find_module(module).load()
    parameters.update({key: GIVEN[key] for key in legacy.needs})
    if "render" in loaded.default_schema().fields:
        parameters["render"] = RENDER
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        args = loaded(parameters).args
    for key in legacy.presets.keys() - OLD_FILES[name].keys():
        preset = legacy.presets[key]
        assert args[key] == ({**args[key], **preset} if isinstance(preset, dict) else preset)


def test_old_values_are_not_lost(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def args_of(name):
        module, parameters = translated(name, {"render": RENDER, **OLD_FILES[name]})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            return catalogue.find_module(module).load()(parameters).args

    mipmaps = args_of("asap.dataimport.generate_mipmaps")
    assert (mipmaps["output_dir"], mipmaps["method"], mipmaps["minZ"]) == ("file:///x", "lanczos", 1.0)
    levels = args_of("renderapps.dataimport.add_downsample_to_render_project_v3")
    assert (levels["path_find"], levels["mipmap_specs"][0]["compression"]) == ("raw", "lzw")
    tiles = args_of("renderapps.dataimport.upload_channeltilespec")
    assert (tiles["tilespec_files"], tiles["output_stack"]) == (["specs/DAPI_1*.json"], "a")
    scapes = args_of("asap.dataimport.make_montage_scapes_stack")
    assert (scapes["input_stack"], scapes["z_mode"], scapes["new_z_start"]) == ("a", "offset", 1015.0)
    montage = args_of("asap.dataimport.generate_EM_tilespecs_from_metafile")
    assert (montage["metafile"], montage["output_stack"], montage["z"]) == ("file:///x/m.json", "a", 1.0)
