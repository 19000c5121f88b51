"""What is in a project."""

import pytest

from rendermodules.command.survey import survey
from rendermodules.core.sections import Section
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.stack.apply_transform_to_stack import ApplyTransformToStack


@pytest.fixture
def moved(render, render_parameters, write_stack, tile_spec):
    """A project with a raw stack, a stack made of it by a module, and one that is being written."""
    write_stack(
        "raw",
        *[Section(z, [tile_spec(f"{z}a", z), tile_spec(f"{z}b", z)]) for z in (1.0, 2.5)],
        stackResolutionX=4.0,
        stackResolutionY=4.0,
        stackResolutionZ=40.0,
        versionNotes="from the microscope",
    )
    parameters = {"render": render_parameters, "input_stack": "raw", "B0": 5.0}
    ApplyTransformToStack(input_data={**parameters, "output_stack": "moved"}).run()
    ApplyTransformToStack(
        input_data={**parameters, "input_stack": "moved", "output_stack": "further", "close_stack": False}
    ).run()
    return render


def test_stacks(moved):
    found = survey(moved)
    assert {stack.name: stack.state for stack in found.stacks} == {
        "raw": "COMPLETE",
        "moved": "COMPLETE",
        "further": "LOADING",
    }
    stack = found.stack("moved")
    assert stack.z_values == [1.0, 2.5]
    assert stack.tile_count == 4
    assert stack.resolution == (4.0, 4.0, 40.0)
    assert stack.module == "stack.apply_transform_to_stack"
    assert stack.inputs == ["raw"]
    assert stack.provenance["parameters"]["B0"] == 5.0


def test_notes_of_somebody_else_are_no_provenance(moved):
    stack = survey(moved).stack("raw")
    assert stack.module is None
    assert stack.inputs == []


def test_a_stack_that_is_written_is_not_counted(moved):
    assert survey(moved).stack("further").tile_count is None


def test_ancestors(moved):
    assert [stack.name for stack in survey(moved).ancestors("further")] == ["raw", "moved", "further"]
    assert [stack.name for stack in survey(moved).ancestors("raw")] == ["raw"]


def test_a_stack_changed_in_place_has_an_end(moved, render_parameters):
    ApplyTransformToStack(
        input_data={"render": render_parameters, "input_stack": "moved", "output_stack": "moved", "B0": 1.0}
    ).run()
    assert [stack.name for stack in survey(moved).ancestors("moved")] == ["moved"]


def test_collections(moved):
    url = f"{moved.DEFAULT_HOST}/render-ws/v1/owner/tester/matchCollection/m/matches"
    pair = {"pGroupId": "1.0", "pId": "a", "qGroupId": "1.0", "qId": "b"}
    moved.session.put(url, json=[{**pair, "matches": {"p": [[0.0], [0.0]], "q": [[1.0], [1.0]], "w": [1.0]}}])
    (collection,) = survey(moved).collections
    assert (collection.name, collection.pair_count) == ("m", 1)


def test_a_stack_that_is_not_there(moved):
    with pytest.raises(RenderModuleError, match="no stack row; there are .*raw"):
        survey(moved).stack("row")


def test_names_that_a_url_must_quote(render, tile_spec):
    name = "a b#%"
    with stacks.written_stack(render, "plain", version={}, close=True):
        stacks.write_section(render, "plain", Section(1.0, [tile_spec("t", 1.0)]))
    url = f"{render.DEFAULT_HOST}/render-ws/v1/owner/tester/project/example/stack/plain/stackId"
    assert render.session.put(url, json={"owner": "tester", "project": "example", "stack": name}).status_code == 200
    assert survey(render).stack(name).z_values == [1.0]
