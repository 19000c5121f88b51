"""``rendermodules old-name``."""

import json

import pytest

from rendermodules.cli import main

OLD = "renderapps.stack.apply_global_affine_to_stack"


@pytest.fixture
def old_file(tmp_path):
    def write(parameters):
        file = tmp_path / "old.json"
        file.write_text(parameters if isinstance(parameters, str) else json.dumps(parameters))
        return str(file)

    return write


def test_where_a_module_went(capsys):
    assert main(["old-name", "apply_mask_to_stack"]) == 0
    text = capsys.readouterr().out
    assert "renderapps.stack.apply_mask_to_stack is now stack.apply_mask_to_stack" in text
    assert "maxZ, unlike maxz, is itself included" in text


def test_a_module_that_was_dropped(capsys):
    assert main(["old-name", "renderapps.obsolete.apply_alignment_from_render_stack"]) == 0
    assert "was dropped: " in capsys.readouterr().out


def test_parameters_are_translated(old_file, capsys):
    file = old_file({"input_stack": "a", "M11": -1.0, "zmin": 3, "bogus": 1})
    assert main(["old-name", OLD, "--input_json", file]) == 0
    answer = capsys.readouterr()
    assert json.loads(answer.out) == {
        "input_stack": "a",
        "output_stack": "a",
        "M11": -1.0,
        "minZ": 3,
        "bogus": 1,
    }
    assert "bogus is not known to stack.apply_transform_to_stack" in answer.err
    assert "rendermodules run stack.apply_transform_to_stack" in answer.err


def test_what_is_new_is_named(old_file, capsys):
    assert main(["old-name", "renderapps.stack.flip_stack_by_raw_image_flip", "--input_json", old_file({})]) == 0
    assert "note: output_directory is new and has to be given" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("squeeze_stac", None, "did you mean"),
        (OLD, "{", "is not JSON"),
        (OLD, "[]", "does not hold an object"),
        ("renderapps.obsolete.apply_alignment_from_render_stack", "{}", "was dropped"),
    ],
)
def test_refusals(name, content, message, old_file, capsys):
    arguments = [] if content is None else ["--input_json", old_file(content)]
    assert main(["old-name", name, *arguments]) == 1
    assert message in capsys.readouterr().err


def test_a_file_that_is_not_there(capsys):
    assert main(["old-name", OLD, "--input_json", "nowhere.json"]) == 1
    assert "nowhere.json" in capsys.readouterr().err
