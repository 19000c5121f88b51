import http.server
import pickle
import threading

import pytest
import renderapi
import requests

from rendermodules.module import connection
from rendermodules.module.errors import ConnectionParametersError, RenderModuleError
from rendermodules.render_ws import sessions

NAMES = {"owner": "o", "project": "p"}


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("render.db", True),
        ("/data/a", True),
        ("./a", True),
        ("~/a.db", True),
        ("data/render", True),
        ("http://a.b", False),
        ("server", False),
        ("server.org", False),
        ("server:8080", False),
    ],
)
def test_hosts_that_are_paths(host, path):
    assert connection.is_store_path(host) is path


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("server", 8080, "http://server:8080/render-ws/v1/owner/o/project/p/stack/s"),
        ("server:8080", None, "http://server:8080/render-ws/v1/owner/o/project/p/stack/s"),
        ("https://server/", None, "https://server/render-ws/v1/owner/o/project/p/stack/s"),
    ],
)
def test_hosts_that_are_servers(host, port, url):
    render = connection.connect({"host": host, "port": port, **NAMES})
    made = renderapi.render.format_preamble(render.DEFAULT_HOST, render.DEFAULT_PORT, "o", "p", "s")
    assert made == url


def test_what_is_missing_is_said_and_never_asked():
    with pytest.raises(ConnectionParametersError, match=r"owner.*project"):
        connection.connect({"host": "server"})
    with pytest.raises(ConnectionParametersError, match="prot"):
        connection.connect({"host": "server", "prot": 1, **NAMES})


def test_a_name_that_leads_to_another_project_is_refused():
    with pytest.raises(ConnectionParametersError, match="project 'raw#1': names for Render"):
        connection.connect({"host": "server", "owner": "o", "project": "raw#1"})


def test_an_embedded_connection_can_be_pickled(render, render_parameters):
    renderapi.stack.create_stack("raw", render=render)
    copy = pickle.loads(pickle.dumps(render))
    assert copy.run(renderapi.render.get_stacks_by_owner_project) == ["raw"]


def test_a_dry_run_asks_and_changes_nothing(render, render_parameters):
    renderapi.stack.create_stack("raw", render=render)
    reader = connection.connect(render_parameters, read_only=True)
    assert reader.run(renderapi.render.get_stacks_by_owner_project) == ["raw"]
    for change in (
        lambda: renderapi.stack.create_stack("new", render=reader),
        lambda: renderapi.stack.delete_stack("raw", render=reader),
        lambda: renderapi.stack.set_stack_state("raw", "COMPLETE", render=reader),
    ):
        with pytest.raises(RenderModuleError, match="dry run"):
            change()
    assert renderapi.render.get_stacks_by_owner_project(render=render) == ["raw"]


class _Unreliable(http.server.BaseHTTPRequestHandler):
    """Answers 503 twice, then what was asked; or nothing at all."""

    failures = 2
    asked = 0

    def do_GET(self):
        type(self).asked += 1
        if "silent" in self.path:
            threading.Event().wait(1.0)
            return
        status = 503 if self.asked <= self.failures else 200
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"[]")

    do_POST = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture
def unreliable(monkeypatch):
    monkeypatch.setattr(sessions, "READ_SECONDS", 0.2)
    handler = type("Handler", (_Unreliable,), {})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield connection.connect({"host": f"http://127.0.0.1:{server.server_port}", **NAMES}), handler
    server.shutdown()
    server.server_close()


def test_a_gateway_that_fails_is_asked_again(unreliable):
    render, handler = unreliable
    assert render.run(renderapi.render.get_stack_metadata_by_owner) == []
    assert handler.asked == 3


def test_a_new_stack_version_is_not_posted_twice(unreliable):
    render, handler = unreliable
    with pytest.raises(renderapi.errors.RenderError):
        renderapi.stack.create_stack("new", render=render)
    assert handler.asked == 1


def test_a_server_that_does_not_answer_is_given_up(unreliable):
    render, _ = unreliable
    with pytest.raises(requests.ConnectionError):
        render.session.get(f"{render.DEFAULT_HOST}/silent")
