import gzip
import json
import subprocess
import sys

import pytest

from rendermodules.render_ws.adapter import EMBEDDED_URL
from rendermodules.render_ws.app import all_routes
from rendermodules.render_ws.java_routes import java_routes, place
from rendermodules.render_ws.routing import PREFIX
from rendermodules.render_ws.settings import Limits

STACK = "/owner/o/project/p/stack/s"


def test_errors_of_the_protocol_have_no_body(client):
    for answer in (client.session.get(f"{EMBEDDED_URL}/nowhere"), client.send("GET", "/nowhere")):
        assert (answer.status_code, answer.content) == (404, b"")
    wrong = client.send("PUT", STACK)
    assert (wrong.status_code, wrong.content, "GET" in wrong.headers["Allow"]) == (405, b"", True)
    assert client.status("POST", STACK, data="{}") == 415
    assert client.status("GET", "/owners", headers={"Accept": "text/plain"}) == 406


def test_what_java_answers_and_this_does_not_is_501_by_name(client):
    answered = {(route.method, place(route.path)) for route in all_routes()}
    for route in java_routes():
        if (route.method, place(route.path)) not in answered:
            answer = client.send(route.method, route.path.replace("{", "").replace("}", ""))
            assert (answer.status_code, route.path in answer.text) == (501, True), route


def test_every_path_takes_a_slash_at_its_end_and_head_is_get(client):
    assert client.ok("GET", "/owners/") == []
    head = client.send("HEAD", "/owners")
    assert (head.status_code, head.content, head.headers["Content-Length"]) == (200, b"", "2")


def test_errors_have_javas_status_in_strict_mode_and_the_proper_one_otherwise(connect):
    for strict, expected in ((False, [400, 400, 409, 404]), (True, [404, 400, 500, 404])):
        client = connect(strict=strict)
        client.ok("POST", STACK, {})
        answers = [
            client.send("GET", f"{STACK}/z/one/bounds"),
            client.send("POST", STACK, json=["no object"]),
            client.send("PUT", f"{STACK}/state/COMPLETE"),
            client.send("GET", f"{STACK}_missing"),
        ]
        assert [answer.status_code for answer in answers] == expected
        assert {answer.headers["Content-Type"] for answer in answers} == {"text/plain;charset=utf-8"}
        assert all(answer.text for answer in answers)


def test_services_of_one_process_keep_to_their_own_settings(connect):
    narrow, wide = connect(limits=Limits(body_bytes=10)), connect()
    for _ in range(2):
        assert [one.status("POST", STACK, {"versionNotes": "long"}) for one in (narrow, wide)] == [413, 201]


def test_an_unexpected_error_shows_nothing_of_the_inside(client, monkeypatch, caplog):
    def broken(connection):
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("rendermodules.render_ws.store.stacks.get_owners", broken)
    answer = client.send("GET", "/owners")
    assert (answer.status_code, answer.text) == (500, "the service failed; its log says why")
    assert "secret" in caplog.text


@pytest.mark.parametrize("depth", [130, 300])
def test_what_is_nested_too_deeply_is_refused_and_no_fault_of_the_service(client, tile, depth):
    nested = "x"
    for _ in range(depth):
        nested = {"a": nested}
    pair = {"pGroupId": "1", "pId": "a", "qGroupId": "2", "qId": "b", "consensusSetData": nested}
    assert client.status("PUT", "/owner/o/matchCollection/m/matches", [pair]) == (201 if depth < 200 else 422)
    client.ok("POST", STACK, {})
    client.put(STACK, tile("t", z=1, unknown=nested))
    assert client.ok("GET", f"{STACK}/tile/t")["unknown"] == nested
    assert client.status("GET", f"{STACK}/tile/t/render-parameters") == (200 if depth < 200 else 422)
    assert client.status("PUT", f"{STACK}/z/2/tileIds", ["t"]) == (201 if depth < 200 else 422)


def test_a_token_is_asked_for_everywhere_but_for_health(connect):
    client = connect(token="correct horse battery")
    assert client.status("GET", "/owners") == 401
    for given in (b"wrong", b"Bearer wrong", b"Bearer correct horse batter", b"Bearer ", b"Bearer \xff"):
        assert client.status("GET", "/owners", headers={"Authorization": given}) == 401
    assert client.status("GET", "/owners", headers={"Authorization": "Bearer correct horse battery"}) == 200
    assert client.session.get(f"{EMBEDDED_URL}/health").json()["status"] == "ok"
    assert client.status("OPTIONS", "/owners") == 200


def test_bodies_may_come_in_chunks_but_not_packed(connect):
    client = connect(limits=Limits(body_bytes=100))
    headers = {"Content-Type": "application/json"}
    assert client.status("POST", STACK, data=iter([b"{", b"}"]), headers=headers) == 201
    assert client.status("POST", STACK, data=iter([b"{}", b" " * 99]), headers=headers) == 413
    packed = client.send("POST", STACK, data=gzip.compress(b"{}"), headers={**headers, "Content-Encoding": "gzip"})
    assert (packed.status_code, "gzip" in packed.text) == (415, True)


def test_the_location_of_what_was_made_is_a_url(client):
    path = "/owner/o%25/project/p%20q/stack/%C3%A4"
    answer = client.send("POST", f"{path}/", json={})
    assert answer.headers["Location"] == f"{client.base}{path}/"


def test_large_bodies_are_refused(connect):
    client = connect(limits=Limits(body_bytes=100))
    headers = {"Content-Type": "application/json"}
    assert client.status("POST", STACK, data=b"{}" + b" " * 98, headers=headers) == 201
    assert client.status("POST", STACK, data=b"{}" + b" " * 99, headers=headers) == 413


def test_the_access_log_is_one_json_object_a_line_whatever_is_asked(connect, tmp_path):
    log = tmp_path / "access.log"
    client = connect(access_log=str(log))
    client.send("GET", "/owner/a%0Ab%22%C2%85/stacks?x=%0d%0a")
    client.send("GET", "/nowhere")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["method"], line["status"]) for line in lines] == [("GET", 200), ("GET", 404)]
    assert lines[0].keys() == {"time", "client", "method", "path", "status", "bytes", "milliseconds"}


def test_metadata_routes_do_not_load_what_draws_images(store):
    program = f"""
import sys, requests
from rendermodules.render_ws.adapter import EMBEDDED_URL, EmbeddedAdapter
session = requests.Session()
session.mount(EMBEDDED_URL, EmbeddedAdapter({str(store)!r}))
stack = EMBEDDED_URL + {PREFIX + STACK!r}
assert session.post(stack, json={{}}, timeout=9).status_code == 201
tile = {{"tileId": "t", "z": 1, "width": 9, "height": 9, "transforms": {{"specList": []}}}}
assert session.put(stack + "/resolvedTiles", json={{"tileIdToSpecMap": {{"t": tile}}}}, timeout=9).status_code == 201
assert session.get(stack + "/z/1/tile-specs", timeout=9).status_code == 200
print(sorted(sys.modules.keys() & {{"numba", "cv2", "scipy", "skimage", "shapely", "zarr", "granian"}}))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
