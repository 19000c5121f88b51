import json

import marshmallow
import pytest

from rendermodules.core.synthetic import SyntheticSettings
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.matches import collection_names
from rendermodules.pointmatch import CreateTilepairs, OptimizePointMatching

SETTINGS = SyntheticSettings(sections=1, rows=1, columns=3, tile_width=256, tile_height=256, overlap=0.25)


@pytest.fixture
def pairs(render_parameters, write_stack, pictured, tmp_path):
    write_stack("acquired", *pictured(SETTINGS))
    file = str(tmp_path / "pairs.json")
    CreateTilepairs({"render": render_parameters, "input_stack": "acquired", "tile_pair_file": file}).run()
    return file


@pytest.fixture
def run(render_parameters, tmp_path):
    names = {"output_dir": str(tmp_path / "trials"), "pairJson": str(tmp_path / "pairs.json"), "method": "sift"}
    return lambda **parameters: OptimizePointMatching({"render": render_parameters, **names, **parameters}).run()


def test_combinations_are_ranked(run, pairs, render, tmp_path):
    sweep = {"matchMinNumInliers": [5, 10_000], "renderScale": [0.5, 1.0]}
    result = run(sweep=sweep, pictures=1)
    combinations = result["combinations"]
    assert [one["rank"] for one in combinations] == [1, 2, 3, 4]
    assert [one["parameters"]["matchMinNumInliers"] for one in combinations] == [5, 5, 10_000, 10_000]
    assert result["best"] == {"matchMinNumInliers": 5, "renderScale": 1.0}
    best, next_best = combinations[:2]
    assert best["pairs_matched"] == 2
    assert best["uncertainty"] < next_best["uncertainty"]
    assert 0 < best["inlier_ratio"] <= 1
    assert best["match_count"] > next_best["match_count"]
    assert 0 < best["residual"] < 2
    assert combinations[-1]["match_count"] is None
    assert collection_names(render) == {}
    folder = tmp_path / "trials"
    assert sorted(file.name for file in folder.iterdir()) == [
        "matches_rank001_pair000.png",
        "matches_rank001_pair001.png",
        "point_matching.html",
        "point_matching.json",
    ]
    page = (folder / "point_matching.html").read_text()
    assert 'src="matches_rank001_pair000.png"' in page
    assert "too few candidates agree (" in page
    table = json.loads((folder / "point_matching.json").read_text())
    assert len(table[0]["pair_results"]) == 2


def test_another_order(run, pairs):
    sweep = {"renderScale": [0.5, 1.0]}
    assert run(sweep=sweep, rank_by="match_count", pictures=0)["best"] == {"renderScale": 1.0}
    assert run(sweep=sweep, n_pairs=1, pictures=0)["pairs"][0][0].startswith("s0")
    assert run(sweep={"blockCount": [20, 60]}, method="correlation", pictures=0)["best"] == {"blockCount": 60}


def test_what_contradicts_itself_is_left_out(run, pairs, caplog):
    caplog.set_level("INFO")
    result = run(sweep={"SIFTminScale": [0.2, 0.9], "SIFTmaxScale": [0.5, 1.0]}, pictures=0)
    assert len(result["combinations"]) == 3
    assert "contradict themselves" in caplog.text


def test_nothing_found(run, pairs, tmp_path):
    with pytest.raises(RenderModuleError, match="no combination matches any pair; see"):
        run(sweep={"matchMinNumInliers": [10_000]})
    assert (tmp_path / "trials" / "point_matching.html").exists()


def test_a_dry_run(run, pairs, tmp_path):
    assert run(sweep={"renderScale": [0.5]}, dry_run=True)["combinations"] == []
    assert not (tmp_path / "trials").exists()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"sweep": {"renderScal": [1]}}, "renderScal"),
        ({"sweep": {"renderScale": [7]}}, "renderScale: 7"),
        ({"sweep": {"renderScale": []}}, "lists of values"),
        ({"sweep": [1]}, "lists of values"),
        ({"sweep": {"SIFTfdSize": [4]}, "method": "auto"}, "set method sift"),
        ({"sweep": {"seed": list(range(20))}, "max_combinations": 10}, "more than max_combinations"),
    ],
)
def test_sweeps_that_cannot_be(run, parameters, message):
    with pytest.raises(marshmallow.ValidationError, match=message):
        run(**parameters)
