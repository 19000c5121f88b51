import csv

import numpy as np
import pytest

from rendermodules.core.pointmatches import parsed_matches, point_matches
from rendermodules.core.sections import Section
from rendermodules.core.transforms import Affine
from rendermodules.module import matches
from rendermodules.module.errors import RenderModuleError
from rendermodules.residuals import ComputeResiduals

OFF = {"b": (3.0, 4.0), "c": (0.0, 0.0), "d": (0.0, 6.0)}


@pytest.fixture
def compute(render, render_parameters, write_stack, tile_spec):
    """Run the module on tiles a, b and c at z 1 and d at z 2, of which b is off by 5 px and d by 6."""

    def placed(x, y):
        return Affine([[1.0, 0.0, x], [0.0, 1.0, y]]).spec()

    first = [tile_spec(name, 1.0, placed(100 * place, 50)) for place, name in enumerate("abc")]
    first.append(tile_spec("alone", 1.0, placed(0, 900)))
    write_stack("raw", Section(1.0, first), Section(2.0, [tile_spec("d", 2.0, placed(0, 50))]))
    points = np.random.default_rng(0).uniform(0, 10, (12, 2))
    found = [
        point_matches(("1.0", "a"), ("1.0", "b"), points + [100, 0] + OFF["b"], points),
        point_matches(("1.0", "a"), ("1.0", "c"), points + [200, 0], points),
        point_matches(("1.0", "a"), ("2.0", "d"), points + OFF["d"], points),
        point_matches(("1.0", "a"), ("1.0", "ghost"), points, points),
    ]
    matches.write_matches(matches.match_collection(render, "found"), found)

    def run(**parameters):
        common = {"render": render_parameters, "input_stack": "raw", "match_collections": ["found"]}
        return ComputeResiduals({**common, **parameters}).run()

    return run


def test_figures_of_sections_tiles_and_pairs(compute):
    result = compute(details="pairs", depths=[0, 1])
    (within, across, above) = result["sections"]
    assert [(row["z_p"], row["z_q"]) for row in result["sections"]] == [(1.0, 1.0), (1.0, 2.0), (2.0, 2.0)]
    assert within["root_mean_square"] == pytest.approx(np.sqrt(25 / 2))
    assert (within["pair_count"], within["points"], within["unmatched_tile_count"]) == (2, 24, 1)
    assert within["left_out"] == {"the stack has no such tile": 1}
    assert (across["shift_x"], across["shift_y"]) == pytest.approx((0.0, 6.0))
    assert (above["points"], above["root_mean_square"]) == (0, None)
    tiles = {(row["tileId"], row["z_q"]): row for row in result["tiles"]}
    assert tiles["b", 1.0]["median"] == pytest.approx(5.0)
    assert tiles["a", 1.0]["points"] == 24
    assert tiles["a", 2.0]["greatest"] == pytest.approx(6.0)
    assert (tiles["alone", 1.0]["points"], tiles["alone", 1.0]["mean"]) == (0, None)
    assert tiles["c", 1.0]["scale_x"] == pytest.approx(1.0)
    assert {(row["p"], row["q"]): round(row["mean"], 6) for row in result["pairs"]} == {
        ("a", "b"): 5.0,
        ("a", "c"): 0.0,
        ("a", "d"): 6.0,
    }


def test_tables_and_pictures(compute, tmp_path):
    folder = tmp_path / "out"
    result = compute(output_directory=str(folder), details="none", depths=[0, 1])
    assert sorted(file.name for file in folder.iterdir()) == [
        "pairs.csv",
        "residuals_z1.png",
        "residuals_z1_z2.png",
        "sections.csv",
        "tiles.csv",
    ]
    assert sorted(result["files"]) == sorted(str(file) for file in folder.iterdir())
    assert result["tiles"] is None
    with (folder / "pairs.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["p"], row["q"], float(row["median"])) for row in rows][0] == ("a", "b", pytest.approx(5.0))


def test_limit(compute, tmp_path):
    compute(max_residual=4.0)
    with pytest.raises(RenderModuleError, match=r"residuals of 1 sections are too great: z=1.0 \(3.54 px\)"):
        compute(max_residual=3.0, output_directory=str(tmp_path / "o"), figures=False)
    assert (tmp_path / "o" / "tiles.csv").exists()


def test_workers_change_nothing(compute):
    one, two = (compute(depths=[0, 1], details="pairs", pool_size=size) for size in (1, 2))
    assert {key: one[key] for key in ("sections", "tiles", "pairs")} == {
        key: two[key] for key in ("sections", "tiles", "pairs")
    }


def test_collections_that_are_not_there(compute):
    with pytest.raises(RenderModuleError, match="does not exist"):
        compute(match_collections=["other"])


def test_files(compute, tmp_path, sections_of):
    import orjson

    from rendermodules.core.pointmatches import canvas_matches
    from rendermodules.io.match_files import write_match_file

    raw = sections_of("raw")
    (tmp_path / "tiles.json").write_bytes(orjson.dumps([tile for one in raw.values() for tile in one.tiles]))
    points = [[1.0, 2.0], [3.0, 4.0]]
    document = {"pGroupId": "1.0", "pId": "b", "qGroupId": "1.0", "qId": "c"}
    moved = {**document, "matches": {"p": points, "q": [[-99.0, -98.0], points[1]], "w": [1.0, 1.0]}}
    one = parsed_matches(moved)
    write_match_file(tmp_path / "matches.json.gz", [one])
    assert canvas_matches(one)["matchCount"] == 2
    result = ComputeResiduals(
        {"tile_files": [str(tmp_path / "tiles.json")], "match_files": [str(tmp_path / "matches.json.gz")]}
    ).run()
    assert result["sections"][0]["greatest"] == pytest.approx(0.0)
