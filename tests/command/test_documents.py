"""The generated documents."""

import re
from pathlib import Path

import pytest

from rendermodules.command.documents import DOCUMENTS, main, migration_document, modules_document, readme_document
from rendermodules.legacy_names import LEGACY_NAMES
from rendermodules.module.catalogue import modules

REPOSITORY = Path(__file__).parents[2]


def test_every_module_and_its_parameters_are_described():
    text = modules_document()
    for entry in modules():
        chapter = text.partition(f"\n### {entry.path}\n")[2].partition("\n### ")[0]
        assert entry.summary in chapter
        for name, field in entry.load().default_schema().fields.items():
            if name in vars(entry.load().default_schema).get("_declared_fields", {}) and field.required:
                assert f"`{name}`" in text


def test_links_lead_somewhere():
    text = modules_document()
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors
    assert set(re.findall(r"\]\(modules\.md#([^)]+)\)", migration_document())) <= anchors


def test_every_old_name_is_in_the_migration():
    text = migration_document()
    assert all(f"| `{name}` |" in text for name in LEGACY_NAMES)


def test_the_readme_names_every_area():
    text = readme_document("before\n<!-- areas: written by `make docs` -->\nold\n<!-- end of areas -->\nafter\n")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert all(f"| [{entry.area}](rendermodules/{entry.area}/README.md) |" in text for entry in modules())
    assert readme_document(text) == text


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_are_up_to_date(name):
    present = (REPOSITORY / name).read_text(encoding="utf-8")
    assert present == DOCUMENTS[name](present), f"{name} is out of date: run make docs"


def test_documents_are_written(tmp_path):
    assert main([str(tmp_path)]) == 0
    assert (tmp_path / "docs" / "modules.md").read_text(encoding="utf-8") == modules_document()
    assert (tmp_path / "docs" / "migration.md").read_text(encoding="utf-8") == migration_document()
