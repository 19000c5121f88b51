"""What a browser does for pages of other sites is refused where it could do harm."""

import pytest
from falcon import Request
from falcon.testing import create_environ

from rendermodules.render_ws.errors import Forbidden, Misdirected
from rendermodules.render_ws.foreign_pages import require_own_name, require_own_page

STACK = "/owner/o/project/p/stack/s"


def a_request(method="POST", host="127.0.0.1:8080", **headers):
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(create_environ("/", method=method, headers={"Host": host, **given}))


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": "http://127.0.0.1:8080"}, True),
        ({"Origin": "https://127.0.0.1:8080"}, True),
        ({"Origin": "http://127.0.0.1:9999"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec_Fetch_Site": "same-origin", "Origin": "https://behind.a.proxy"}, True),
        ({"Sec_Fetch_Site": "none"}, True),
        ({"Sec_Fetch_Site": "same-site", "Origin": "http://127.0.0.1:8080"}, False),
        ({"Sec_Fetch_Site": "cross-site"}, False),
    ],
)
def test_only_our_own_pages_may_change_anything(headers, allowed):
    for method in ("POST", "PUT", "DELETE"):
        if allowed:
            require_own_page(a_request(method, **headers))
        else:
            with pytest.raises(Forbidden):
                require_own_page(a_request(method, **headers))
    for method in ("GET", "HEAD", "OPTIONS"):
        require_own_page(a_request(method, **headers))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8080", "[::1]:8080", "localhost:8080", "LOCALHOST", "a.localhost", "Render.Lab:80", ""],
)
def test_addresses_and_known_names_are_ours(host):
    require_own_name(a_request(host=host), ("render.lab",))


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "localhost.evil.example"]
)
def test_other_names_are_not(host):
    with pytest.raises(Misdirected, match="--host-name"):
        require_own_name(a_request(host=host), ("render.lab",))


def test_a_service_refuses_them(connect):
    foreign = {"Origin": "http://evil.example"}
    client = connect()
    assert client.status("POST", STACK, {}, headers=foreign) == 403
    assert client.status("GET", "/owners", headers=foreign) == 200
    assert client.ok("GET", "/owners") == []
    assert connect(host_names=()).status("DELETE", STACK, headers={"Host": "evil.example"}) == 421
    assert connect(host_names=("render.lab",)).status("DELETE", STACK, headers={"Host": "render.lab"}) == 200


def test_browsers_are_told_before_they_send(client):
    answer = client.send("OPTIONS", STACK, headers={"Origin": "http://evil.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
