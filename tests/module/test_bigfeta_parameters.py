import marshmallow
import pytest

from rendermodules.module.bigfeta_parameters import is_of_bigfeta, parameters_of_bigfeta

STACK = {"host": "server", "port": 8080, "owner": "me", "project": "p", "name": ["raw"], "mongo_port": 27017}
MATCHES = {"owner": "other", "name": ["a", "b"]}


def test_what_is_ours_is_left_alone():
    assert not is_of_bigfeta({"input_stack": "raw"})
    assert not is_of_bigfeta(None)
    assert is_of_bigfeta({"input_stack": STACK})


def test_stacks_and_collections():
    ours = parameters_of_bigfeta({"first_section": 1, "last_section": 9, "input_stack": STACK, "pointmatch": MATCHES})
    assert (ours["input_stack"], ours["minZ"], ours["maxZ"]) == ("raw", 1, 9)
    assert (ours["match_collections"], ours["match_owner"]) == (["a", "b"], "other")
    assert ours["render"] == {"host": "server", "port": 8080, "owner": "me", "project": "p"}
    # nothing is written unless it is asked for
    assert "output_stack" not in ours
    assert (ours["depths"], ours["min_points"], ours["max_points"]) == ([0, 1, 2], 5, 500)


def test_files():
    ours = parameters_of_bigfeta(
        {
            "input_stack": {"db_interface": "file", "input_file": "tiles.json.gz", "name": ["raw"]},
            "pointmatch": {"db_interface": "file", "input_file": "matches.json.gz", "name": ["m"]},
            "output_stack": {"db_interface": "file", "output_file": "out.json", "name": ["o"]},
            "output_mode": "stack",
        }
    )
    assert (ours["tile_files"], ours["match_files"]) == (["tiles.json.gz"], ["matches.json.gz"])
    assert ours["output_file"] == "out.json.gz"
    assert "render" not in ours


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"transformation": "affine_fullsize"}, {"model": "affine", "degree_factors": [1e-3, 1.0]}),
        ({"transformation": "Polynomial2DTransform"}, {"model": "polynomial", "degree_factors": [1e-3, 1.0, 1.0]}),
        (
            {
                "transformation": "Polynomial2DTransform",
                "poly_order": 3,
                "regularization": {"default_lambda": 2.0, "poly_factors": [1e-5, 1.0, 1e6, 1e6]},
            },
            {"polynomial_order": 3, "regularization": 2.0, "degree_factors": [1e-5, 1.0, 1e6, 1e6]},
        ),
        ({"transform_apply": [0]}, {"num_local_transforms": 0}),
        (
            {"matrix_assembly": {"depth": [0, 2], "explicit_weight_by_depth": [1.0, 0.5]}},
            {"depths": [0, 2], "weights_by_depth": [1.0, 0.0, 0.5]},
        ),
    ],
)
def test_models_and_weights(given, wanted):
    common = {"regularization": {"default_lambda": 5.0, "translation_factor": 1e-3}}
    ours = parameters_of_bigfeta({"input_stack": STACK, "pointmatch": MATCHES, **common, **given})
    assert {key: ours[key] for key in wanted} == wanted


def test_regularization_that_means_something_else_is_told():
    given = {"transformation": "rigid", "regularization": {"default_lambda": 5.0}}
    with pytest.warns(FutureWarning, match="model similarity"):
        ours = parameters_of_bigfeta({"input_stack": STACK, "pointmatch": MATCHES, **given})
    assert "regularization" not in ours


@pytest.mark.parametrize(
    "wrong",
    [
        {"transformation": "Affin"},
        {"ingest_from_file": "a.h5"},
        {"output_mode": "hdf5"},
        {"output_mode": "stack", "output_stack": {**STACK, "project": "q"}},
        {"output_mode": "stack", "output_stack": {**STACK, "name": ["a", "b"]}},
        {"matrix_assembly": {"depth": 2, "explicit_weight_by_depth": [1.0]}},
    ],
)
def test_what_cannot_be_done_is_refused(wrong):
    with pytest.raises(marshmallow.ValidationError):
        parameters_of_bigfeta({"input_stack": STACK, "pointmatch": MATCHES, **wrong})
