"""Parameters written down."""

import json

import jsonschema
import marshmallow
import pytest

from rendermodules.module.fields import Int, List, NestedList, Str
from rendermodules.module.parameter_documents import json_schema, markdown_table, template
from rendermodules.module.parameters import parameters_of
from rendermodules.module.schemas import DefaultSchema, PoolParameters, RenderParameters


class PartParameters(DefaultSchema):
    name = Str("its name", required=True)
    width = Int("its width in pixels", default=3, minimum=1)


class NamedParameters(PartParameters):
    shorthand = "name"


class OwnParameters(RenderParameters, PoolParameters):
    title = Str("a title | a name", required=True)
    kind = Str("which", choices=["a", "b"])
    parts = NestedList(PartParameters, "parts", required=True)
    more_parts = NestedList(PartParameters, "further parts")
    numbers = List(Int, "numbers")
    named = NestedList(NamedParameters, "names, or objects", default=[])


PARAMETERS = parameters_of(OwnParameters)
CONNECTION = {"host": "here.db", "owner": "o", "project": "p"}


def test_a_filled_template_is_valid():
    filled = json.loads(json.dumps(template(PARAMETERS, "an example")))
    assert filled["//"] == "an example"
    assert filled["//title"] == "a title | a name; required"
    assert filled["//cluster"]["type"].startswith("text: kind of batch system")
    filled["title"] = "t"
    filled["parts"][0]["name"] = "n"
    filled["render"].update(CONNECTION)
    loaded = OwnParameters().load(filled)
    bare = OwnParameters().load({"title": "t", "parts": [{"name": "n"}], "render": CONNECTION})
    assert loaded == bare


def test_an_empty_template_is_refused():
    with pytest.raises(marshmallow.ValidationError) as refused:
        OwnParameters().load(template(PARAMETERS, "an example"))
    assert {"title", "parts", "render"} == set(refused.value.normalized_messages())


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({}, True),
        ({"// why": "a comment"}, True),
        ({"kind": None}, True),
        ({"kind": "c"}, False),
        ({"titel": "x"}, False),
        ({"parts": [{"name": "n", "width": 0}]}, False),
        ({"numbers": [1, None]}, False),
        ({"title": None}, False),
        ({"named": ["a", {"name": "b", "width": 2}]}, True),
        ({"named": [{"width": 2}]}, False),
        ({"named": [5]}, False),
        ({"pool_size": 1.5}, False),
        ({"render": {"host": "h"}}, True),
    ],
)
def test_json_schema_agrees_with_the_module(change, valid, monkeypatch):
    for name in ("OWNER", "PROJECT"):
        monkeypatch.setenv(f"RENDER_{name}", "from_environment")
    document = json_schema(PARAMETERS, "own", "an example")
    jsonschema.Draft202012Validator.check_schema(document)
    given = {"title": "t", "parts": [{"name": "n"}], "render": CONNECTION, **change}
    assert jsonschema.Draft202012Validator(document).is_valid(given) == valid
    assert (not OwnParameters().validate(given)) == valid


def test_a_text_stands_for_an_object():
    loaded = OwnParameters().load({"title": "t", "parts": [{"name": "n"}], "render": CONNECTION, "named": ["a"]})
    assert loaded["named"] == [{"name": "a", "width": 3}]


def test_markdown_table():
    lines = markdown_table(PARAMETERS)
    assert "| `title` | text | **required** | a title \\| a name |" in lines
    assert "| `parts[].width` | integer | `3` | its width in pixels; at least 1 |" in lines
    assert any(line.startswith("| `render.host` |") for line in lines)
