import http.server
import pickle
import threading

import pytest
import requests

from rendermodules.render_ws.adapter import EMBEDDED_URL, embedded_url, store_of_url
from rendermodules.render_ws.errors import InvalidRequest
from rendermodules.render_ws.remote import RemoteService, RequestFailed
from rendermodules.render_ws.routing import PREFIX
from rendermodules.render_ws.sessions import PatientAdapter, mounted


def test_the_address_of_a_store_leads_to_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.db", "a b ü#?%/c.db"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        address = embedded_url(name)
        assert address.startswith(f"{EMBEDDED_URL}/")
        assert store_of_url(address) == (tmp_path / name).resolve()
        sessions = requests.Session(), requests.Session()
        assert mounted(sessions[0], name) == mounted(sessions[1], address) == address
        url = f"{address}{PREFIX}/owner/o/project/p/stack/{name[0]}"
        assert sessions[0].post(url, json={}).status_code == 201
        assert sessions[1].get(f"{url}/").json()["stackId"]["stack"] == name[0]
        # a session that knows nothing of stores
        assert requests.get(url, timeout=10).json()["state"] == "LOADING"
    assert store_of_url(EMBEDDED_URL) is None
    assert store_of_url("http://server/a.db") is None


def test_a_session_stays_with_its_store(tmp_path):
    session = requests.Session()
    mounted(session, str(tmp_path / "mine.db"))
    other = embedded_url(tmp_path / "other.db")
    assert session.get(f"{other}{PREFIX}/owners").status_code == 404
    assert not (tmp_path / "other.db").exists()


def test_addresses_in_answers_lead_back(tmp_path):
    service = RemoteService(str(tmp_path / "a b.db"))
    answer = service.answer("POST", ("owner", "o", "project", "p", "stack", "s"), body=b"{}")
    assert answer.headers["Location"] == f"{service.base_data_url}/owner/o/project/p/stack/s"
    assert service.session.get(answer.headers["Location"]).status_code == 200


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the authorization that it was sent."""

    def do_GET(self):
        answer = (self.headers["Authorization"] or "none").encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


@pytest.fixture
def echoes():
    """Addresses of two servers."""
    servers = [http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) for _ in range(2)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield [f"http://127.0.0.1:{server.server_port}" for server in servers]
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_token_goes_to_the_service_that_was_connected_to_and_no_further(tmp_path, monkeypatch, echoes):
    (tmp_path / "token").write_text("correct horse\n")
    monkeypatch.setenv("RENDER_TOKEN_FILE", str(tmp_path / "token"))
    service, other = echoes
    session = requests.Session()
    assert mounted(session, f"{service}/") == service
    assert mounted(requests.Session(), "server:8080") == "http://server:8080"
    route = f"{PREFIX}/owners"
    for one in (session, pickle.loads(pickle.dumps(session)), requests):
        assert one.get(f"{service}{route}", timeout=10).text == "Bearer correct horse"
        assert one.get(f"{other}{route}", timeout=10).text == "none"
    own = {"Authorization": "Bearer my own"}
    assert session.get(f"{service}{route}", timeout=10, headers=own).text == "Bearer my own"
    # an address may begin as another one does
    assert not isinstance(session.get_adapter(f"{service}0{route}"), PatientAdapter)
    assert mounted(requests.Session(), str(tmp_path / "a.db")).startswith(EMBEDDED_URL)
    monkeypatch.setenv("RENDER_TOKEN_FILE", str(tmp_path / "gone"))
    with pytest.raises(OSError, match="^RENDER_TOKEN_FILE: .*No such file"):
        mounted(requests.Session(), service)


def test_refusals_are_told_with_what_was_asked(tmp_path):
    service = RemoteService(str(tmp_path / "a.db"))
    assert service.find_json("owner", "o", "project", "p", "stack", "s") is None
    with pytest.raises(RequestFailed, match="^GET owner/o/project/p/stack/s%201: 404 "):
        service.get("owner", "o", "project", "p", "stack", "s 1")
    with pytest.raises(InvalidRequest, match="no route can name"):
        service.get("owner", "a/b")
    with pytest.raises(RequestFailed, match="^GET owners: "):
        RemoteService("http://127.0.0.1:9", retries=0).get("owners")
