"""The command line of a module, by the smallest modules that have one."""

import http.server
import json
import os
import subprocess
import sys
import threading

import marshmallow
import pytest

from rendermodules.datamanagement.compare_zs import CompareZs
from rendermodules.module.command_line import given_parameters, parser_of
from rendermodules.module.template_module import TemplateModule
from rendermodules.stack.apply_transform_to_stack import ApplyTransformToStackParameters
from rendermodules.stack.edit_image_pyramids import EditImagePyramids, EditImagePyramidsParameters

MODULE = "rendermodules.module.template_module"


def run(*arguments, **environment):
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-m", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)


def test_statuses_and_messages_of_a_program(tmp_path, render_parameters, capsys):
    good = tmp_path / "good.json"
    good.write_text(json.dumps({"render": render_parameters, "example": "x"}))
    out = tmp_path / "out.json"
    done = run(MODULE, "--input_json", str(good), "--output_json", str(out), "--default_val", "y")
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text())["output_value"] == "xy"

    refused = run(MODULE, "--input_json", str(good), "--exmple", "y")
    assert refused.returncode == 2
    assert "unknown option --exmple; did you mean --example?" in refused.stderr

    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps({"render": {**render_parameters, "onwer": "x"}, "exampel": "x"}))
    assert TemplateModule.main(["--input_json", str(wrong)]) == 2
    messages = capsys.readouterr().err
    assert "unknown parameter exampel; did you mean example?" in messages
    assert "unknown parameter render.onwer; did you mean render.owner?" in messages
    assert "the parameter example is missing: a text that must be given" in messages
    assert "Traceback" not in messages

    wrong.write_text("{")
    assert TemplateModule.main(["--input_json", str(wrong)]) == 2
    assert "not JSON" in capsys.readouterr().err
    assert TemplateModule.main(["--input_json", str(tmp_path / "gone.json")]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_help_and_environment(tmp_path):
    shown = run(MODULE, "--help")
    assert shown.returncode == 0
    assert "--render.host" in shown.stdout
    assert shown.stderr == ""
    done = run(MODULE, "--example", "x", RENDER_HOST="a", RENDER_OWNER="b", RENDER_PROJECT="c")
    assert done.returncode == 0, done.stderr


def given(*argv, **input_data):
    return given_parameters(ApplyTransformToStackParameters(), input_data, argv)


def loaded(*argv):
    connection = {"host": "s.db", "owner": "o", "project": "p"}
    return ApplyTransformToStackParameters().load(given(*argv, render=connection, input_stack="a", output_stack="b"))


@pytest.mark.parametrize(
    ("argv", "zs"),
    [
        (["--zValues", "1,0.5"], [1, 0.5]),
        (["--zValues", "1", "0.5", "--M00", "2"], [1, 0.5]),
        (["--zValues", "[1, 0.5]"], [1, 0.5]),
        (["--zValues", "-1,0.5"], [-1, 0.5]),
        (["--zValues", "-1e3", "-.5"], [-1000, -0.5]),
        (["--zValues=-3"], [-3]),
    ],
)
def test_lists_and_negative_numbers_on_the_command_line(argv, zs):
    assert loaded(*argv)["zValues"] == zs


def test_negative_numbers_with_exponents_on_the_command_line():
    assert loaded("--B0", "-1e3", "--B1", "-12.5", "--M00", "-1")["B0"] == -1000


def test_a_list_of_texts_keeps_their_commas():
    texts = given("--input_stacks", "a,b", "c")["input_stacks"]
    assert ApplyTransformToStackParameters().fields["input_stacks"].deserialize(texts) == ["a,b", "c"]


def test_objects_on_the_command_line():
    def operations(*argv):
        text = given_parameters(EditImagePyramidsParameters(), None, ["--operations", *argv])["operations"]
        return EditImagePyramidsParameters().fields["operations"].deserialize(text)

    mask, keep = '{"operation": "set_mask"}', '{"operation": "keep_levels", "last_level": 2}'
    assert [one["operation"] for one in operations(mask, keep)] == ["set_mask", "keep_levels"]
    assert operations(mask) == operations(f"[{mask}]")
    with pytest.raises(marshmallow.ValidationError, match="not JSON"):
        operations("{'operation': 'set_mask'}")


def test_options_win_over_the_file_and_the_file_over_the_dict(tmp_path):
    file = tmp_path / "p.json"
    file.write_text(json.dumps({"M00": 2, "render": {"owner": "o", "project": "p"}}))
    data = given("--input_json", str(file), "--render.owner", "q", "--M01", "0.5", M00=3, M10=4)
    assert data == {
        "input_json": str(file),
        "M00": 2,
        "M01": "0.5",
        "render": {"owner": "q", "project": "p"},
    }


@pytest.mark.parametrize("content", ["[1]", "3", "{", "{'a': 1}", b"\xff\xfe"])
def test_a_file_of_parameters_that_is_no_json_object_is_refused(tmp_path, content, capsys):
    file = tmp_path / "p.json"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(marshmallow.ValidationError):
        given("--input_json", str(file))
    assert TemplateModule.main(["--input_json", str(file)]) == 2
    assert f"error: input_json: {file} " in capsys.readouterr().err


def test_options_are_not_abbreviated(capsys):
    assert TemplateModule.main(["--exam", "x"]) == 2
    assert "unknown option --exam; did you mean --example?" in capsys.readouterr().err


def test_help_begins_with_what_must_be_given_and_says_what_lists_hold():
    text = parser_of(EditImagePyramids).format_help()
    places = [text.index(f"--{name} ") for name in ("operations", "channels", "pool_size", "log_level", "render.host")]
    assert places == sorted(places)
    assert "each of operations:" in text
    assert "first_level: integer; for keep_levels: the finest level to keep; at least 0 (default=0)" in text


class _Wrong(http.server.BaseHTTPRequestHandler):
    """Answers with the page of a proxy, or only with the beginning of an answer, or with an error of Java."""

    def do_GET(self):
        status, length, body = {
            "page": (200, 20, b"<html>log in</html>\n"),
            "broken": (200, 1000, b'{"stackId": {'),
            "error": (500, 20, b"NullPointerException"),
        }[self.server.kind]
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("page", "the answer is not JSON; does Render answer at"),
        ("broken", "Render broke off in the middle of an answer"),
        ("error", "reading the metadata of stack a failed: Render answered 500: NullPointerException"),
    ],
)
def test_what_is_no_answer_of_render_is_said_in_one_line(kind, message, capsys):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Wrong)
    server.kind = kind
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"http://127.0.0.1:{server.server_port}"
    argv = ["--stacks", "a", "--render.host", host, "--render.owner", "o", "--render.project", "p"]
    try:
        assert CompareZs.main(argv) == 1
    finally:
        server.shutdown()
        server.server_close()
    shown = capsys.readouterr().err
    assert message in shown
    assert len(shown.splitlines()) == 1
