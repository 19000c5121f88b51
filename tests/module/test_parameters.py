"""Parameters read off schemas."""

from rendermodules.module.fields import Bool, Float, InputFile, Int, Json, List, Nested, NestedList, OutputDir, Str
from rendermodules.module.parameters import for_reading, parameters_of
from rendermodules.module.schemas import DefaultSchema, PoolParameters, RenderClientParameters, RenderParameters


class PartParameters(DefaultSchema):
    name = Str("its name", required=True)


class OwnParameters(RenderParameters, PoolParameters):
    amount = Float("how much, in 50% steps", default=1.5, minimum=0)
    pool_size = Int("workers", default=2)
    kind = Str("which", choices=["a", "b"])
    source = InputFile("what is read", required=True)
    target = OutputDir("what is written")
    sizes = List(Int, "sizes", minimum=1, default=[1, 2])
    parts = NestedList(PartParameters, "parts")
    part = Nested(PartParameters, "one part", default={})
    extra = Json("anything", default={"a": 1})
    flag = Bool("yes or no", default=False)


def parameters():
    return {one.name: one for one in parameters_of(OwnParameters)}


def test_kinds_and_limits():
    found = parameters()
    kinds = {name: found[name].kind for name in ("amount", "pool_size", "kind", "source", "target", "flag", "extra")}
    assert kinds == {
        "amount": "number",
        "pool_size": "integer",
        "kind": "text",
        "source": "file",
        "target": "path",
        "flag": "boolean",
        "extra": "json",
    }
    assert found["amount"].description == "how much, in 50% steps"
    assert (found["amount"].minimum, found["amount"].maximum, found["amount"].default) == (0, None, 1.5)
    assert found["kind"].choices == ("a", "b")
    assert found["kind"].nullable
    assert not found["flag"].nullable
    assert found["source"].required


def test_lists_and_objects():
    found = parameters()
    assert found["sizes"].item.kind == "integer"
    assert found["sizes"].item.minimum == 1
    assert not found["sizes"].item.nullable
    assert [one.name for one in found["parts"].item.members] == ["name"]
    assert [one.name for one in found["part"].members] == ["name"]
    assert found["part"].default == {}


def test_origin_is_the_schema_that_declares_last():
    found = parameters()
    assert found["pool_size"].origin == "OwnParameters"
    assert found["pool_kind"].origin == "PoolParameters"
    assert found["log_level"].origin == "ModuleParameters"


def test_environment():
    host = next(one for one in parameters_of(RenderClientParameters) if one.name == "host")
    assert host.environment == "RENDER_HOST"


def test_own_and_required_parameters_are_read_first():
    names = [one.name for one in for_reading(parameters_of(OwnParameters), "OwnParameters")]
    assert names[0] == "source"
    assert names.index("amount") < names.index("render") < names.index("pool_kind") < names.index("log_level")
