"""Old parameter files of solvers, residuals and stitching run under the modules that took over."""

import warnings

import pytest

from rendermodules.legacy_names import LEGACY_NAMES, RESIDUALS, SOLVER, STITCHING, translated
from rendermodules.module import catalogue

PLACE = {"host": "render.db", "port": 8080, "owner": "me", "project": "p", "client_scripts": "/x", "memGB": "5G"}
BIGFETA = {
    "first_section": 1020,
    "last_section": 1021,
    "solve_type": "montage",
    "close_stack": "True",
    "transformation": "affine",
    "output_mode": "stack",
    "input_stack": {**PLACE, "name": "raw", "db_interface": "render", "collection_type": "stack"},
    "output_stack": {**PLACE, "name": "montage", "db_interface": "render", "collection_type": "stack"},
    "pointmatch": {**PLACE, "name": "found", "db_interface": "render", "collection_type": "pointmatch"},
    "matrix_assembly": {"depth": 2, "cross_pt_weight": 1.0, "montage_pt_weight": 1.0, "npts_min": 5, "npts_max": 500},
    "regularization": {"default_lambda": 1e3, "translation_factor": 1e-5},
}
CHECK = {
    "input_stack": {**PLACE, "name": ["montage"], "db_interface": "render"},
    "pointmatch": {**PLACE, "name": ["found"], "db_interface": "render"},
    "first_section": 1020,
    "last_section": 1021,
}

OLD_FILES = {
    "asap.solver.solve": BIGFETA,
    "bigfeta.bigfeta": BIGFETA,
    "asap.deprecated.montage.run_montage_job_for_section": None,
    "asap.deprecated.rough_align.do_rough_alignment": None,
    "asap.residuals.compute_residuals": {"render": PLACE, "input_stack": "raw", "match_collection": "found"},
    "bigfeta.qctools.CheckResiduals": CHECK,
    "bigfeta.qctools.CheckTransforms": CHECK,
    "renderapps.stitching.detect_and_drop_stitching_mistakes": {
        "render": PLACE,
        "prestitchedStack": "raw",
        "poststitchedStack": "montage",
        "outputStack": "good",
        "jsonDirectory": "/x",
        "edge_threshold": 1843,
        "distance_threshold": 50,
        "pool_size": 20,
    },
    "renderapps.stitching.remove_outer_tiles": {
        "render": PLACE,
        "inputStack": "montage",
        "outputStack": "inner",
        "jsonDirectory": "/x",
    },
}


def test_every_name_of_these_areas_is_tried():
    assert set(OLD_FILES) == {*SOLVER, *RESIDUALS, *STITCHING}


@pytest.mark.parametrize("name", OLD_FILES)
def test_an_old_file_runs_under_the_new_module(name):
    if OLD_FILES[name] is None:
        assert LEGACY_NAMES[name].module is None
        return
    module, parameters = translated(name, OLD_FILES[name])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        args = catalogue.find_module(module).load()(parameters).args
    if "match_collections" in args:
        assert args["match_collections"] == ["found"]
    else:
        assert (args["input_stack"], args["edge_threshold"]) == ("montage", 1843)
    assert args["render"]["host"] == "render.db"


def test_values_of_bigfeta_are_not_lost():
    module, parameters = translated("solve", BIGFETA)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        args = catalogue.find_module(module).load()(parameters).args
    assert (args["input_stack"], args["output_stack"], args["regularization"]) == ("raw", "montage", 1e3)
