"""Which project is meant."""

import argparse

import pytest

from rendermodules.command.places import add_place, answer, connection
from rendermodules.core.sections import Section
from rendermodules.module import stacks
from rendermodules.module.connection import connect
from rendermodules.module.errors import RenderModuleError


@pytest.fixture
def store(render_parameters, tile_spec):
    """A store with the projects a/one, a/two and b/one."""
    for owner, project in (("a", "one"), ("a", "two"), ("b", "one")):
        render = connect({**render_parameters, "owner": owner, "project": project})
        with stacks.written_stack(render, "raw", version={}, close=True):
            stacks.write_section(render, "raw", Section(1.0, [tile_spec("t", 1.0)]))
    return render_parameters["host"]


def place(*arguments):
    parser = argparse.ArgumentParser()
    add_place(parser)
    render = connection(parser.parse_args(arguments))
    return render.DEFAULT_OWNER, render.DEFAULT_PROJECT


def test_owner_and_project(store):
    assert place("a/two", "--host", store) == ("a", "two")
    assert place("two", "--host", store) == ("a", "two")
    assert place("one", "--host", store, "--owner", "b") == ("b", "one")
    assert place(store, "--owner", "b") == ("b", "one")


def test_environment(store, monkeypatch):
    monkeypatch.setenv("RENDER_HOST", store)
    monkeypatch.setenv("RENDER_OWNER", "b")
    monkeypatch.setenv("RENDER_PROJECT", "one")
    assert place() == ("b", "one")
    assert place("a/two") == ("a", "two")


def test_the_only_project(render, render_parameters, write_stack, tile_spec):
    write_stack("raw", Section(1.0, [tile_spec("t", 1.0)]))
    assert place(render_parameters["host"]) == ("tester", "example")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "say where the project is"),
        (("nowhere.db",), "there is no store nowhere.db"),
        (("STORE",), "several projects, say which: a/one, a/two, b/one"),
        (("one", "--host", "STORE"), "several projects called one, say which: a/one, b/one"),
        (("a/three", "--host", "STORE"), "no project a/three at .*; there are a/one, a/two, b/one"),
        (("three", "--host", "STORE"), "no project called three there"),
        (("a/one", "--host", "STORE", "--owner", "b"), "contradict"),
    ],
)
def test_refusals(store, arguments, message):
    with pytest.raises(RenderModuleError, match=message):
        place(*[store if one == "STORE" else one for one in arguments])


def test_answer_says_what_render_refused(render):
    with pytest.raises(RenderModuleError, match="stack/a b#: Render answered 404"):
        answer(render, "owner", "o", "project", "p", "stack", "a b#")
