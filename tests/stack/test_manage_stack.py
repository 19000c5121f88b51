import marshmallow
import pytest

from rendermodules.core.problems import InputError
from rendermodules.core.sections import Section
from rendermodules.module import stacks
from rendermodules.stack import ManageStack


@pytest.fixture
def three(write_stack, tile_spec):
    for name in "abc":
        version = {"stackResolutionX": 3.5, "cycleNumber": 2, "versionNotes": f"notes of {name}"} if name == "a" else {}
        write_stack(name, Section(1.5, [tile_spec("t", 1.5)]), **version)


@pytest.fixture
def run(render_parameters):
    return lambda **parameters: ManageStack({"render": render_parameters, **parameters}).run()


def test_what_is_not_given_stays(run, three, render):
    result = run(stacks=["a", "b"], stackResolutionX=4.25, stackResolutionZ=50, cycleStepNumber=3)
    version = stacks.stack_metadata(render, "a")["currentVersion"]
    assert {key: version[key] for key in ("stackResolutionX", "stackResolutionZ", "cycleNumber", "versionNotes")} == {
        "stackResolutionX": 4.25,
        "stackResolutionZ": 50.0,
        "cycleNumber": 2,
        "versionNotes": "notes of a",
    }
    assert result["stacks"]["b"]["version"]["cycleStepNumber"] == 3
    assert {one["state"] for one in result["stacks"].values()} == {"COMPLETE"}
    assert stacks.stack_metadata(render, "c")["currentVersion"].get("stackResolutionX") is None


def test_a_stack_that_was_loading_stays_loading(run, three, render):
    stacks.set_state(render, "b", "LOADING")
    run(stacks=["b"], copy_from="a")
    metadata = stacks.stack_metadata(render, "b")
    assert (metadata["state"], metadata["currentVersion"]["stackResolutionX"]) == ("LOADING", 3.5)
    assert metadata["currentVersion"].get("versionNotes") is None


def test_states_by_the_ways_that_render_knows(run, three, render):
    for state in ("LOADING", "READ_ONLY", "LOADING", "COMPLETE"):
        result = run(all_stacks=True, state=state)
        assert [one["state"] for one in result["stacks"].values()] == [state] * 3
    run(stacks=["c"], state="OFFLINE", drop_tiles=True)
    assert stacks.stack_metadata(render, "c")["state"] == "OFFLINE"


def test_nothing_is_changed_if_one_stack_cannot_be(run, three, render):
    stacks.set_state(render, "b", "READ_ONLY")
    before = stacks.stack_metadata(render, "a")
    with pytest.raises(InputError, match=r"only their state can change: b; stack x does not exist"):
        run(stacks=["a", "b", "x"], cycleNumber=9)
    assert stacks.stack_metadata(render, "a") == before
    run(stacks=["a"], cycleNumber=9, dry_run=True)
    assert stacks.stack_metadata(render, "a") == before


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"state": "COMPLETE"}, "name the stacks"),
        ({"stacks": "", "state": "COMPLETE"}, "name the stacks"),
        ({"stacks": ["a"], "all_stacks": True, "state": "COMPLETE"}, "name the stacks"),
        ({"stacks": ["a"]}, "nothing to change"),
        ({"stacks": ["a"], "state": "OFFLINE"}, "drop_tiles allows it"),
        ({"stacks": ["a"], "state": "DONE"}, "Must be one of"),
    ],
)
def test_what_is_not_meant_is_refused(run, parameters, message):
    with pytest.raises(marshmallow.ValidationError, match=message):
        run(**parameters)


def test_old_keys(render_parameters):
    with pytest.warns(FutureWarning):
        args = ManageStack({"render": render_parameters, "input_stack": "a", "output_stack": "b"}).args
    assert (args["copy_from"], args["stacks"]) == ("a", ["b"])
    with pytest.warns(FutureWarning):
        assert ManageStack({"render": render_parameters, "stack": "a", "state": "LOADING"}).args["stacks"] == ["a"]
