import marshmallow
import pytest

from rendermodules.core.problems import InputError
from rendermodules.core.sections import Section
from rendermodules.module import stacks
from rendermodules.stack import SwapZs

LENS = {
    "type": "leaf",
    "id": "lens",
    "className": "mpicbg.trakem2.transform.AffineModel2D",
    "dataString": "1 0 0 1 3 4",
}
REFERENCE = {"type": "ref", "refId": "lens"}


@pytest.fixture
def acquired(write_stack, tile_spec):
    """Two stacks with z 1, 2, 3.5, of which the second has tiles of other ids and lenses of its own name."""
    for name in ("used", "aside"):
        own = {**LENS, "id": f"lens {name}"}
        reference = {"type": "ref", "refId": own["id"]}
        sections = [Section(z, [tile_spec(f"{name}{z}", z, reference)], {own["id"]: own}) for z in (1.0, 2.0, 3.5)]
        write_stack(name, *sections, stackResolutionZ=40.0)


@pytest.fixture
def run(render_parameters):
    stacks = {"source_stacks": ["used"], "target_stacks": ["aside"]}
    return lambda **parameters: SwapZs({"render": render_parameters, **stacks, **parameters}).run()


@pytest.fixture
def ids(sections_of):
    return lambda name: [tile["tileId"] for section in sections_of(name).values() for tile in section.tiles]


def test_sections_change_places(run, acquired, ids, sections_of, render):
    result = run(zValues=[1, 3.5], pool_size=2)
    assert result["swapped_zvalues"] == [[1.0, 3.5]]
    assert ids("used") == ["aside1.0", "used2.0", "aside3.5"]
    assert ids("aside") == ["used1.0", "aside2.0", "used3.5"]
    assert set(sections_of("used")[1.0].transforms) == {"lens aside"}
    assert stacks.stack_names(render) == ["aside", "used"]
    for name in ("used", "aside"):
        metadata = stacks.stack_metadata(render, name)
        assert (metadata["state"], metadata["currentVersion"]["stackResolutionZ"]) == ("COMPLETE", 40.0)


def test_all_sections_and_states(run, acquired, ids, render):
    run(complete_target_stack=False, delete_source_stack=True)
    assert ids("aside") == ["used1.0", "used2.0", "used3.5"]
    assert stacks.stack_names(render) == ["aside"]
    assert stacks.stack_metadata(render, "aside")["state"] == "LOADING"


def test_refused_before_anything_is_written(run, acquired, render, write_stack, tile_spec):
    with pytest.raises(InputError, match=r"not in both stacks: used and aside: z=7\.0"):
        run(zValues=[[1.0, 7.0]])
    write_stack("same", Section(1.0, [tile_spec("used1.0", 1.0), tile_spec("used2.0", 1.0)]))
    with pytest.raises(InputError, match=r"tiles of same whose ids used has too: used1\.0, used2\.0"):
        run(target_stacks=["same"], zValues=[1.0])
    other = {**LENS, "id": "lens used", "dataString": "1 0 0 1 9 9"}
    write_stack(
        "others", Section(1.0, [tile_spec("x", 1.0, {"type": "ref", "refId": "lens used"})], {"lens used": other})
    )
    with pytest.raises(InputError, match=r"transforms of others that are others in used: lens used at z=2\.0"):
        run(target_stacks=["others"], zValues=[1.0])
    stacks.set_state(render, "aside", "READ_ONLY")
    with pytest.raises(InputError, match="READ_ONLY, set it COMPLETE first: aside"):
        run(zValues=[1.0])
    assert stacks.stack_names(render) == ["aside", "others", "same", "used"]


def test_transforms_that_go_with_their_sections_may_differ(run, write_stack, tile_spec, ids):
    for name in ("used", "aside"):
        own = {**LENS, "dataString": f"1 0 0 1 {len(name)} 0"}
        write_stack(
            name,
            Section(1.0, [tile_spec(name, 1.0, REFERENCE)], {"lens": own}),
            Section(2.0, [tile_spec(name * 2, 2.0)]),
        )
    run(zValues=[1.0])
    assert ids("used") == ["aside", "usedused"]


@pytest.mark.parametrize(
    "parameters",
    [
        {"target_stacks": []},
        {"target_stacks": ["a", "b"]},
        {"target_stacks": ["used"]},
        {"zValues": []},
        {"zValues": 3},
        {"zValues": [[1], [2]]},
        {"zValues": [[True]]},
        {"zValues": ["1"]},
    ],
)
def test_contradicting_parameters_are_refused(run, parameters):
    with pytest.raises(marshmallow.ValidationError):
        run(**parameters)


def test_a_run_that_is_killed_anywhere_is_completed_by_the_next(acquired, killed_runs, sections_of):
    runs = killed_runs("stack.swap_zs", source_stacks=["used"], target_stacks=["aside"], zValues=[1.0, 2.0])
    assert len(runs) > 10
    old, new = runs[0][0], runs[-1][1]
    ids = {name: [tile["tileId"] for tiles, _ in stack.values() for tile in tiles] for name, stack in new.items()}
    assert ids == {"used": ["aside1.0", "aside2.0", "used3.5"], "aside": ["used1.0", "used2.0", "aside3.5"]}
    for after_kill, after in runs:
        assert after == new
        for name in old.keys() & after_kill.keys():
            assert after_kill[name] in (old[name], new[name])
