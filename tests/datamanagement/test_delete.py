import marshmallow
import pytest

from rendermodules.core.problems import InputError
from rendermodules.core.sections import Section
from rendermodules.datamanagement import Delete
from rendermodules.module import stacks


@pytest.fixture
def two(write_stack, tile_spec):
    for name in "ab":
        write_stack(name, *[Section(z, [tile_spec(f"{z}", z)]) for z in (1.0, 2.25, 3.0)])


@pytest.fixture
def run(render_parameters):
    return lambda **parameters: Delete({"render": render_parameters, **parameters}).run()


def test_sections(run, two, render, caplog):
    result = run(stacks=["a", "b"], zValues=[2.25, 9.0])
    assert result["zValues"] == {"a": [2.25], "b": [2.25]}
    assert "stack a has no section at z 9.0" in caplog.text
    for name in "ab":
        assert stacks.z_values(render, name) == [1.0, 3.0]
        assert stacks.stack_metadata(render, name)["state"] == "COMPLETE"
    assert run(stacks=["a"], minZ=2.0)["zValues"] == {"a": [3.0]}
    assert run(stacks=["a"], minZ=2.0)["zValues"] == {"a": []}


def test_a_stack_that_loses_all_sections_stays_open(run, two, render, caplog):
    run(stacks=["a"], minZ=0)
    assert stacks.stack_metadata(render, "a")["state"] == "LOADING"
    assert "no section left" in caplog.text


def test_whole_stacks(run, two, render):
    result = run(stacks=["a"], whole_stacks=True)
    assert (result["deleted_stacks"], result["zValues"]) == (["a"], {"a": [1.0, 2.25, 3.0]})
    assert stacks.stack_names(render) == ["b"]


def test_a_dry_run_says_what_would_go(run, two, render, caplog):
    with caplog.at_level("INFO"):
        run(stacks=["a", "b"], whole_stacks=True, dry_run=True)
        run(stacks=["a"], maxZ=2.25, dry_run=True)
    assert "would delete the stack, 3 sections of b: z 1.0, 2.25, 3.0" in caplog.text
    assert "would delete 2 sections of a: z 1.0, 2.25" in caplog.text
    assert stacks.stack_names(render) == ["a", "b"]
    assert stacks.z_values(render, "a") == [1.0, 2.25, 3.0]


def test_nothing_goes_if_one_stack_cannot(run, two, render):
    stacks.set_state(render, "b", "READ_ONLY")
    with pytest.raises(InputError, match="READ_ONLY; .*: b; stack c does not exist"):
        run(stacks=["a", "b", "c"], whole_stacks=True)
    assert stacks.stack_names(render) == ["a", "b"]


@pytest.mark.parametrize(
    "parameters", [{"stacks": ["a"]}, {"whole_stacks": True}, {"stacks": ["a"], "z": 1, "whole_stacks": True}]
)
def test_nothing_is_guessed(run, parameters):
    with pytest.raises(marshmallow.ValidationError, match="whole_stacks|Missing data"):
        run(**parameters)


def test_old_keys(render_parameters):
    with pytest.warns(FutureWarning):
        args = Delete({"render": render_parameters, "input_stack": "a", "section_z": 3}).args
    assert (args["stacks"], args["z"]) == (["a"], 3.0)
