"""``rendermodules template``: for every module a file that its module takes."""

import json
from pathlib import Path

import pytest

from rendermodules.cli import BAD_PARAMETERS, main
from rendermodules.module.catalogue import modules

REPOSITORY = Path(__file__).parents[2]


def filled(template: dict, example: dict) -> dict:
    """Return the template with what the example gives."""
    return {
        **template,
        **{
            key: filled(template[key], value)
            if isinstance(value, dict) and isinstance(template.get(key), dict)
            else value
            for key, value in example.items()
        },
    }


@pytest.mark.parametrize("entry", modules(), ids=lambda entry: entry.path)
def test_the_module_takes_its_template(entry, capsys, tmp_path, monkeypatch, made_inputs):
    assert main(["template", entry.path]) == 0
    template = json.loads(capsys.readouterr().out)
    example = json.loads((REPOSITORY / "example_json" / entry.area / f"{entry.name}.json").read_text(encoding="utf-8"))
    module = entry.load()
    declared = set(module.default_schema().fields)
    assert {key for key in template if not key.startswith("//")} == declared
    assert all(template[f"//{key}"] for key in declared)
    monkeypatch.chdir(tmp_path)
    made_inputs(module.default_schema(), example, tmp_path)
    file = tmp_path / "parameters.json"
    file.write_text(json.dumps(filled(template, example)))
    assert module(args=["--input_json", str(file)]).args == {**module(input_data=example).args, "input_json": str(file)}
    # there is nothing to work on, but nothing is wrong with the parameters
    assert main(["run", entry.path, "--input_json", str(file), "--dry_run", "true"]) != BAD_PARAMETERS
