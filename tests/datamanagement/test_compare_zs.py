import marshmallow
import pytest

from rendermodules.core.sections import Section
from rendermodules.datamanagement import CompareZs
from rendermodules.module.errors import RenderModuleError


@pytest.fixture
def run(render_parameters, write_stack, tile_spec):
    for name, zs in (("a", (1.0, 2.5, 3.0)), ("b", (2.5, 4.0)), ("c", (2.5, 3.0))):
        write_stack(name, *[Section(z, [tile_spec(f"{z}", z)]) for z in zs])
    return lambda **parameters: CompareZs({"render": render_parameters, **parameters}).run()


def test_what_stacks_have_in_common_and_lack(run, caplog):
    with caplog.at_level("INFO"):
        result = run(stacks=["a", "b", "c"])
    assert result["counts"] == {"a": 3, "b": 2, "c": 2}
    assert result["common"] == [2.5]
    assert result["missing"] == {"a": [4.0], "b": [1.0, 3.0], "c": [1.0, 4.0]}
    assert result["only"] == {"a": [1.0], "b": [4.0], "c": []}
    assert "b: 2 sections; lacks z 1.0, 3.0; alone has z 4.0" in caplog.text


def test_one_stack_is_described(run):
    result = run(stacks=["a"])
    assert (result["counts"], result["common"], result["missing"]) == ({"a": 3}, [1.0, 2.5, 3.0], {"a": []})


def test_refusals(run):
    with pytest.raises(RenderModuleError, match="stack d does not exist"):
        run(stacks=["a", "d"])
    with pytest.raises(marshmallow.ValidationError, match="name the stacks"):
        run(stacks=[])


def test_old_keys(run):
    with pytest.warns(FutureWarning, match="now called stacks"):
        assert run(input_stack1="a", input_stack2="b")["only"] == {"a": [1.0, 3.0], "b": [4.0]}
