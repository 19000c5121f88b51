import json

import marshmallow
import numpy as np
import pytest

from rendermodules.core.pointmatches import point_matches
from rendermodules.core.sections import Section
from rendermodules.io.pair_files import read_pair_files
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.matches import match_collection, write_matches
from rendermodules.pointmatch import CreateTilepairs

ROWS, COLUMNS = 2, 3


def moved(x, y):
    return {"type": "leaf", "className": "mpicbg.trakem2.transform.AffineModel2D", "dataString": f"1 0 0 1 {x} {y}"}


@pytest.fixture
def grid(tile_spec):
    """Section of 2 rows of 3 tiles of 20 x 10 pixels that overlap by a fifth."""

    def make(z, prefix="t", shift=0):
        return Section(
            z,
            [
                tile_spec(
                    f"{prefix}{z:g}_{row}{column}",
                    z,
                    moved(16 * column + shift, 8 * row),
                    layout={"sectionId": f"{z:.1f}", "imageRow": row, "imageCol": column},
                )
                for row in range(ROWS)
                for column in range(COLUMNS)
            ],
        )

    return make


@pytest.fixture
def acquired(write_stack, grid):
    write_stack("acquired", grid(1.0), grid(2.0), grid(3.0))


@pytest.fixture
def run(render_parameters, tmp_path):
    def make(**parameters):
        place = {} if "tile_pair_file" in parameters else {"output_dir": str(tmp_path / "pairs")}
        return CreateTilepairs({"render": render_parameters, "input_stack": "acquired", **place, **parameters}).run()

    return make


def pairs_of(result):
    return [(pair["p"]["id"], pair["q"]["id"]) for pair in read_pair_files(result["tile_pair_file"]).pairs]


MONTAGE = [("00", "01"), ("00", "10"), ("01", "02"), ("01", "11"), ("02", "12"), ("10", "11"), ("11", "12")]


def test_a_montage(run, acquired, tmp_path):
    result = run(zNeighborDistance=0, minZ=2, maxZ=2)
    assert result["tile_pair_file"] == str(tmp_path / "pairs" / "tile_pairs_acquired_z_2_to_2_dist_0.json")
    assert pairs_of(result) == [(f"t2_{p}", f"t2_{q}") for p, q in MONTAGE]
    assert result["pair_count"] == 7
    assert result["tile_count"] == 6
    assert result["tiles_without_pair"] == 0
    assert result["dropped"] == {"corner neighbors": 4}
    document = json.loads((tmp_path / "pairs" / "tile_pairs_acquired_z_2_to_2_dist_0.json").read_text())
    assert document["renderParametersUrlTemplate"] == (
        "{baseDataUrl}/owner/tester/project/example/stack/acquired/tile/{id}/render-parameters"
    )
    assert document["neighborPairs"][0] == {
        "p": {"groupId": "2.0", "id": "t2_00", "relativePosition": "LEFT"},
        "q": {"groupId": "2.0", "id": "t2_01", "relativePosition": "RIGHT"},
    }


def test_sections_above_each_other(run, acquired):
    result = run(zNeighborDistance=2, excludeSameLayerNeighbors=True, xyNeighborFactor=0.01)
    assert result["zValues"] == [1.0, 2.0, 3.0]
    found = pairs_of(result)
    assert ("t1_00", "t3_00") in found
    assert all(p[3:] == q[3:] for p, q in found)
    assert len(found) == 6 * 3
    pair = read_pair_files(result["tile_pair_file"]).pairs[0]
    assert pair["absoluteDeltaZ"] == 1.0


def test_one_section_with_those_around_it(run, acquired):
    found = pairs_of(run(z=1, zNeighborDistance=1, mode="overlap", overlap_frac=0.9))
    assert found == [(f"t1_{name}", f"t2_{name}") for name in ("00", "01", "02", "10", "11", "12")]
    found = pairs_of(run(z=2, zNeighborDistance=1, mode="overlap", overlap_frac=0.9))
    assert {(p[:2], q[:2]) for p, q in found} == {("t1", "t2"), ("t2", "t3")}


def test_by_overlap(run, acquired):
    result = run(mode="overlap", zNeighborDistance=0, minZ=1, maxZ=1, overlap_frac=0.1)
    assert pairs_of(result) == [(f"t1_{p}", f"t1_{q}") for p, q in MONTAGE]
    assert result["dropped"] == {"too little overlap": 4}


def test_across_a_break(run, acquired):
    result = run(mode="z_break", break_z=2, zNeighborDistance=1, overlap_frac=0.9)
    assert {(p[:2], q[:2]) for p, q in pairs_of(result)} == {("t2", "t3")}


def test_two_stacks(run, acquired, write_stack, grid):
    write_stack("other", grid(2.0, "o", shift=6))
    result = run(mode="cross_stack", target_stack="other", principal_only=True)
    found = pairs_of(result)
    # its partner of the same column lies 6 to the right, that of the column before 10 to the left
    assert found == [(f"t2_{name}", f"o2_{name}") for name in ("00", "01", "02", "10", "11", "12")]
    assert result["dropped"]["no partner"] == 12
    assert run(mode="cross_stack", target_stack="other", z=2)["zValues"] == [2.0]
    with pytest.raises(RenderModuleError, match="stack others does not exist"):
        run(mode="cross_stack", target_stack="others")
    assert "/stack/other/" in read_pair_files(result["tile_pair_file"]).more["qRenderParametersUrlTemplate"]


def test_on_the_grid_of_the_microscope(run, acquired, tmp_path):
    result = run(
        useRowColPositions=True, zNeighborDistance=0, minZ=1, maxZ=1, tile_pair_file=str(tmp_path / "a.json.gz")
    )
    assert pairs_of(result) == [(f"t1_{p}", f"t1_{q}") for p, q in MONTAGE]


def test_parts(run, acquired, tmp_path):
    result = run(zNeighborDistance=0, max_pairs_per_file=10, tile_pair_file=str(tmp_path / "pairs.json"))
    assert result["files"] == [str(tmp_path / f"pairs_p00{part}.json") for part in range(3)]
    assert len(pairs_of(result)) == 21


def test_tiles_that_are_left_out(run, acquired, write_stack, grid, tmp_path):
    write_stack("kept", grid(1.0))
    result = run(zNeighborDistance=0, onlyIncludeTilesFromStack="kept", maxX=15, maxY=30)
    assert pairs_of(result) == [("t1_00", "t1_10")]
    assert result["dropped"] == {"outside of the box": 12, "not in onlyIncludeTilesFromStack": 4}
    (tmp_path / "ids.json").write_text('["t1_00"]')
    near = run(zNeighborDistance=0, onlyIncludeTilesNearTileIdsJson=str(tmp_path / "ids.json"))
    assert pairs_of(near) == [("t1_00", "t1_01"), ("t1_00", "t1_10")]
    left = run(zNeighborDistance=0, z=1, excludeSameLayerPairsWithPosition="LEFT")
    assert pairs_of(left) == [("t1_00", "t1_10"), ("t1_01", "t1_11"), ("t1_02", "t1_12")]


def test_hidden_tiles(run, write_stack, tile_spec):
    tiles = [tile_spec("a", 1.0, moved(0, 0)), tile_spec("b", 1.0, moved(0, 0)), tile_spec("c", 1.0, moved(15, 0))]
    write_stack("hidden", Section(1.0, tiles))
    assert pairs_of(run(input_stack="hidden")) == [("b", "c")]
    assert len(pairs_of(run(input_stack="hidden", excludeCompletelyObscuredTiles=False))) == 3


def test_pairs_that_are_matched_already(run, acquired, render):
    points = np.arange(8.0).reshape(4, 2)
    matched = [point_matches(("1.0", "t1_01"), ("1.0", "t1_00"), points, points)]
    write_matches(match_collection(render, "done", "other_owner"), matched)
    parameters = {"minZ": 1, "maxZ": 1, "zNeighborDistance": 0, "excludePairsInMatchCollection": "done"}
    result = run(**parameters, existingMatchOwner="other_owner")
    assert ("t1_00", "t1_01") not in pairs_of(result)
    assert result["pair_count"] == 6
    assert result["dropped"]["matched already"] == 1
    assert run(**parameters, existingMatchOwner="other_owner", minExistingMatchCount=4)["pair_count"] == 7
    with pytest.raises(RenderModuleError, match="match collection done of tester does not exist"):
        run(**parameters)


def test_a_sample(run, acquired):
    first, again = (run(zNeighborDistance=0, max_pairs=5, seed=seed) for seed in (3, 3))
    assert first["pair_count"] == 5
    assert pairs_of(first) == pairs_of(again)
    assert first["dropped"]["not sampled"] == 16


def test_one_tile_alone(run, write_stack, tile_spec, caplog):
    write_stack("single", Section(1.0, [tile_spec("only", 1.0, moved(0, 0))]))
    result = run(input_stack="single")
    assert (result["pair_count"], result["tiles_without_pair"]) == (0, 1)
    assert read_pair_files(result["tile_pair_file"]).pairs == []
    assert "no pairs" in caplog.text


def test_tiles_far_from_each_other(run, write_stack, tile_spec):
    write_stack("far", Section(1.0, [tile_spec(f"t{x}", 1.0, moved(1000 * x, 0)) for x in range(3)]))
    assert run(input_stack="far")["tiles_without_pair"] == 3


def test_a_dry_run_writes_nothing(run, acquired, tmp_path):
    assert run(dry_run=True)["pair_count"] > 0
    assert not (tmp_path / "pairs").exists()


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"output_dir": None}, "output_dir"),
        ({"tile_pair_file": "pairs.txt"}, "tile_pair_file"),
        ({"mode": "z_break"}, "break_z"),
        ({"mode": "cross_stack"}, "target_stack"),
        ({"mode": "row_col"}, "mode"),
        ({"mode": "nearest"}, "mode"),
    ],
)
def test_contradictions_are_refused(run, parameters, named):
    with pytest.raises(marshmallow.ValidationError, match=named):
        run(**parameters)
