import pytest
import requests

from rendermodules.render_ws.adapter import EMBEDDED_URL, embedded_url, store_of_url
from rendermodules.render_ws.errors import InvalidRequest
from rendermodules.render_ws.remote import RemoteService, RequestFailed
from rendermodules.render_ws.routing import PREFIX
from rendermodules.render_ws.sessions import mounted


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


def test_a_token_goes_to_services_over_http_only(tmp_path, monkeypatch):
    (tmp_path / "token").write_text("correct horse\n")
    monkeypatch.setenv("RENDER_TOKEN_FILE", str(tmp_path / "token"))
    session = requests.Session()
    assert mounted(session, "http://server:8080/") == "http://server:8080"
    assert session.headers["Authorization"] == "Bearer correct horse"
    session = requests.Session()
    mounted(session, str(tmp_path / "a.db"))
    assert "Authorization" not in session.headers


def test_refusals_are_told_with_what_was_asked(tmp_path):
    service = RemoteService(str(tmp_path / "a.db"))
    assert service.find_json("owner", "o", "project", "p", "stack", "s") is None
    with pytest.raises(RequestFailed, match="^GET owner/o/project/p/stack/s%201: 404 "):
        service.get("owner", "o", "project", "p", "stack", "s 1")
    with pytest.raises(InvalidRequest, match="no route can name"):
        service.get("owner", "a/b")
    with pytest.raises(RequestFailed, match="^GET owners: "):
        RemoteService("http://127.0.0.1:9", retries=0).get("owners")
