import csv

import marshmallow
import pytest

from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.solver import SweepRegularization


@pytest.fixture
def sweep(render_parameters):
    def run(**parameters):
        common = {"render": render_parameters, "input_stack": "raw", "match_collections": ["found"]}
        return SweepRegularization({**common, **parameters}).run()

    return run


def test_every_section_gets_its_sweep(sweep, true_stack, render, tmp_path):
    true_stack()
    before = stacks.stack_names(render)
    result = sweep(count=5, output_directory=str(tmp_path / "out"))
    assert [one["zValues"] for one in result["sweeps"]] == [[99.0], [100.0]]
    for one in result["sweeps"]:
        assert len(one["rows"]) == 5
        assert one["likeliest"]["score"] == min(row["score"] for row in one["rows"])
        assert one["acceptable"] == sorted(one["acceptable"], key=lambda row: row["residual"])
        assert one["learnt"] > 1
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == [
        "sweep_z100.csv",
        "sweep_z100.png",
        "sweep_z99.csv",
        "sweep_z99.png",
    ]
    with (tmp_path / "out" / "sweep_z99.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [float(row["residual"]) for row in rows] == [row["residual"] for row in result["sweeps"][0]["rows"]]
    assert stacks.stack_names(render) == before


def test_all_sections_together_with_factors_of_bigfeta(sweep, true_stack):
    true_stack(depth=1)
    result = sweep(
        solve_type="3D",
        degree_factors=[1.0, 1.0],
        regularization=1.0,
        shift_factors=[1e-6, 1e-2],
        regularizations=[1.0, 1e6],
    )
    (one,) = result["sweeps"]
    assert one["zValues"] == [99.0, 100.0]
    assert [(row["shift_factor"], row["regularization"]) for row in one["rows"]] == [
        (1e-6, 1.0),
        (1e-6, 1e6),
        (1e-2, 1.0),
        (1e-2, 1e6),
    ]
    # a weak one lets everything collapse, and one that holds the shifts bends the tiles
    assert [row["acceptable"] for row in one["rows"]] == [False, True, True, False]
    assert one["rows"][0]["scale_mean"] < 0.9


def test_workers_change_nothing(sweep, true_stack):
    true_stack()
    assert sweep(count=3)["sweeps"] == sweep(count=3, pool_size=2)["sweeps"]


def test_a_section_without_matches(sweep, true_stack):
    true_stack(change=lambda one: one if one["pGroupId"] == "100.0" else None)
    with pytest.raises(RenderModuleError, match="z=99.0: no matches that a solve can use"):
        sweep(count=2)


@pytest.mark.parametrize(
    "wrong", [{"least": 10, "greatest": 1}, {"max_scale_spread": [1]}, {"shift_factors": [1]}, {"count": 0}]
)
def test_what_makes_no_sense_is_refused(sweep, wrong):
    with pytest.raises(marshmallow.ValidationError):
        sweep(**wrong)
