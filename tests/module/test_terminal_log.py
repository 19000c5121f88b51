"""The log of a program on its standard error."""

import json
import logging
import warnings

from rendermodules.module.command_line import run_module
from rendermodules.module.template_module import TemplateModule
from rendermodules.module.terminal_log import logging_to_terminal

LOGGER = logging.getLogger("rendermodules.stack.example")


def test_lines_for_people(capsys):
    with logging_to_terminal("rendermodules.stack.example") as configure:
        configure("WARNING", False)
        LOGGER.info("not shown")
        LOGGER.warning("two tiles of %s", "raw")
        warnings.simplefilter("always")
        warnings.warn("an old name", FutureWarning, stacklevel=1)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == ["WARNING two tiles of raw", "WARNING an old name"]


def test_lines_for_programs(capsys):
    with logging_to_terminal("rendermodules.stack.example") as configure:
        configure("INFO", True)
        LOGGER.info("half of %s", "it", extra={"progress": {"done": 1, "total": 2}})
        try:
            raise ValueError("no such\nthing")
        except ValueError:
            LOGGER.exception("failed")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert first["message"] == "half of it"
    assert first["level"] == "INFO"
    assert first["progress"] == {"done": 1, "total": 2}
    assert first["time"].endswith("Z")
    assert "no such\nthing" in second["exception"]


def test_the_log_of_others_is_as_before(capsys):
    before = LOGGER.parent.level, list(LOGGER.parent.handlers)
    with logging_to_terminal("rendermodules.stack.example"):
        pass
    assert (LOGGER.parent.level, list(LOGGER.parent.handlers)) == before


def test_a_module_logs_json(capsys, render_parameters):
    connection = [f"--render.{name}={value}" for name, value in render_parameters.items()]
    assert run_module(TemplateModule, ["--example", "a", "--log_json", "yes", *connection]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "joining a"
