import marshmallow
import numpy as np
import pytest

from rendermodules.core.match_frames import match_frame
from rendermodules.core.sections import Section
from rendermodules.core.synthetic import SyntheticSettings, section_specs
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.matches import all_matches, collection_names, match_collection
from rendermodules.pointmatch import CreateSyntheticMatches, CreateTilepairs

SETTINGS = SyntheticSettings(sections=2, rows=2, columns=2, lens_distortion=4.0)


@pytest.fixture
def montage(write_stack):
    sections = [section_specs(SETTINGS, z, "true") for z in SETTINGS.zvalues]
    write_stack("montage", *sections)
    return sections


@pytest.fixture
def run(render_parameters):
    names = {"input_stack": "montage", "output_collection": "made"}
    return lambda **parameters: CreateSyntheticMatches({"render": render_parameters, **names, **parameters}).run()


@pytest.fixture
def made(render):
    return lambda name="made": list(all_matches(match_collection(render, name)))


def off(matches, sections, count=None):
    tiles = {tile["tileId"]: (tile, section.transforms) for section in sections for tile in section.tiles}
    worlds = []
    for one in matches:
        frames = [match_frame(*tiles[name], count) for name in (one.p_id, one.q_id)]
        worlds.append(frames[0].placing.apply(one.p) - frames[1].placing.apply(one.q))
    return np.concatenate(worlds)


def test_a_montage_as_it_lies(run, montage, made):
    result = run(delta=40)
    assert (result["pairs_tried"], result["pairs_matched"]) == (8, 8)
    assert result["match_count"] == sum(map(len, made()))
    assert min(map(len, made())) > 15
    np.testing.assert_allclose(off(made(), montage), 0, atol=1e-6)
    run(delta=40, num_local_transforms=0, z=1, output_collection="raw")
    np.testing.assert_allclose(off(made("raw"), montage, 0), 0, atol=1e-6)
    assert len(made("raw")) == 4
    # corners too
    assert run(delta=10, overlap_frac=0.001, output_collection="all")["pairs_matched"] == 12


def test_pairs_of_a_file(run, montage, made, render_parameters, tmp_path):
    file = str(tmp_path / "pairs.json")
    CreateTilepairs(
        {"render": render_parameters, "input_stack": "montage", "zNeighborDistance": 1, "tile_pair_file": file}
    ).run()
    result = run(pairJson=file, pattern="tile", grid_size=6, min_matches=12)
    assert result["pairs_matched"] == len(made())
    assert result["dropped"]["too little shared"] > 0
    np.testing.assert_allclose(off(made(), montage), 0, atol=1e-6)
    across = [one for one in made() if one.p_group_id != one.q_group_id]
    assert across
    assert min(map(len, across)) >= 12


def test_two_stacks(run, montage, made, write_stack, render_parameters, tmp_path):
    other = [
        Section(one.z, [{**tile, "tileId": f"other_{tile['tileId']}"} for tile in one.tiles], one.transforms)
        for one in montage
    ]
    write_stack("other", *other)
    file = str(tmp_path / "pairs.json")
    parameters = {"mode": "cross_stack", "target_stack": "other", "principal_only": True, "tile_pair_file": file}
    CreateTilepairs({"render": render_parameters, "input_stack": "montage", **parameters}).run()
    assert run(pairJson=file, target_stack="other")["pairs_matched"] == 8
    for one in made():
        np.testing.assert_allclose(one.p, one.q, atol=1e-6)
    with pytest.raises(RenderModuleError, match="tile not in the stack|no pair shares enough"):
        run(pairJson=file, output_collection="nothing")


def test_nothing_is_shared(run, write_stack, tile_spec, render):
    write_stack("montage", Section(1.0, [tile_spec("only", 1.0)]))
    with pytest.raises(RenderModuleError, match="no pair shares enough"):
        run()
    assert collection_names(render) == {}


def test_workers_and_dry_runs(run, montage, made, render):
    assert run(dry_run=True)["pairs_tried"] == 0
    assert collection_names(render) == {}
    run()
    run(pool_size=2, output_collection="again")
    for one, again in zip(made(), made("again"), strict=True):
        np.testing.assert_array_equal(one.p, again.p)


@pytest.mark.parametrize(
    ("parameters", "named"),
    [({"target_stack": "b"}, "target_stack"), ({"pairJson": ["a.json"], "z": 1}, "pairJson"), ({"delta": 0}, "delta")],
)
def test_contradictions_are_refused(run, parameters, named):
    with pytest.raises(marshmallow.ValidationError, match=named):
        run(**parameters)
