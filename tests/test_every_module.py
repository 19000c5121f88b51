"""What every module must have; the failures are the to-do list of a new one."""

import ast
import json
import warnings
from pathlib import Path

import marshmallow
import pytest

from rendermodules.module import catalogue
from rendermodules.module.command_line import parser_of
from rendermodules.module.plain_module import PlainModule
from rendermodules.module.schemas import DefaultSchema

PACKAGE = Path(catalogue.__file__).parents[1]
REPOSITORY = PACKAGE.parent
MODULES = catalogue.modules()

every_module = pytest.mark.parametrize("entry", MODULES, ids=lambda entry: entry.path)


def source(entry: catalogue.ModuleEntry) -> Path:
    return PACKAGE / entry.area / f"{entry.name}.py"


def all_fields(schema: marshmallow.Schema, path: str = ""):
    for name, field in schema.fields.items():
        yield f"{path}{name}", field
        inner = getattr(field, "inner", field)
        if isinstance(inner, marshmallow.fields.Nested):
            yield from all_fields(inner.schema, f"{path}{name}.")


def test_there_are_modules() -> None:
    assert "module.template_module" in {entry.path for entry in MODULES}


def test_every_runnable_file_of_an_area_is_a_module() -> None:
    known = {source(entry) for entry in MODULES}
    runnable = {
        file for file in PACKAGE.glob("*/*.py") if 'if __name__ == "__main__"' in file.read_text(encoding="utf-8")
    }
    assert {file for file in runnable if file.parent.name not in ("render_ws", "core", "io", "command")} == known


@every_module
def test_names(entry: catalogue.ModuleEntry) -> None:
    module = entry.load()
    assert issubclass(module, PlainModule)
    assert module.default_schema.__name__ == f"{entry.class_name}Parameters"
    classes = [
        node.name
        for node in ast.parse(source(entry).read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    ]
    assert [name for name in classes if not name.startswith("_") and not name.endswith(("Parameters", "Output"))] == [
        entry.class_name
    ]


@every_module
def test_documentation(entry: catalogue.ModuleEntry) -> None:
    module = entry.load()
    tree = ast.parse(source(entry).read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the file has no docstring"
    assert entry.summary.endswith("."), "the class's docstring is not one sentence"
    for schema in (module.default_schema, module.default_output_schema):
        assert issubclass(schema, DefaultSchema)
        undescribed = [name for name, field in all_fields(schema()) if not field.metadata.get("description")]
        assert not undescribed


@every_module
def test_help(entry: catalogue.ModuleEntry) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", marshmallow.warnings.RemovedInMarshmallow4Warning)
        text = parser_of(entry.load()).format_help()
    assert f"python -m rendermodules.{entry.path}" in text


@every_module
def test_export(entry: catalogue.ModuleEntry) -> None:
    area = __import__(f"rendermodules.{entry.area}", fromlist=["__all__"])
    assert entry.class_name in area.__all__
    assert getattr(area, entry.class_name) is entry.load()


@every_module
def test_example(entry: catalogue.ModuleEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_inputs) -> None:
    example = json.loads((REPOSITORY / "example_json" / entry.area / f"{entry.name}.json").read_text(encoding="utf-8"))
    text = json.dumps(example)
    assert "/home/" not in text, "an example names somebody's folder"
    made_inputs(entry.load().default_schema(), example, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert entry.load()(input_data=example).args


@every_module
def test_test_and_readme(entry: catalogue.ModuleEntry) -> None:
    test = REPOSITORY / "tests" / entry.area / f"test_{entry.name}.py"
    assert test.is_file()
    assert entry.class_name in test.read_text(encoding="utf-8")
    assert f"`{entry.name}`" in (PACKAGE / entry.area / "README.md").read_text(encoding="utf-8")


def test_every_example_belongs_to_a_module() -> None:
    examples = {
        file.relative_to(REPOSITORY / "example_json").with_suffix("")
        for file in (REPOSITORY / "example_json").rglob("*.json")
    }
    assert examples == {Path(entry.area) / entry.name for entry in MODULES}
