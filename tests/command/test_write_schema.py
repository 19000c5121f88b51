"""``rendermodules schema``: it agrees with every example."""

import json
from pathlib import Path

import jsonschema
import pytest

from rendermodules.cli import main
from rendermodules.module.catalogue import modules

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize("entry", modules(), ids=lambda entry: entry.path)
def test_the_schema_takes_the_example(entry, capsys):
    assert main(["schema", entry.path]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    example = json.loads((REPOSITORY / "example_json" / entry.area / f"{entry.name}.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema).validate(example)
    assert not jsonschema.Draft202012Validator(schema).is_valid({**example, "no_such_parameter": 1})
