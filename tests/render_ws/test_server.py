import json
import os
import signal
import socket
import time
from pathlib import Path

import pytest
import requests

from rendermodules.render_ws.__main__ import main
from rendermodules.render_ws.routing import PREFIX


def workers_of(process):
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in children.read_text().split()]


def test_it_serves_and_stops(serve, store, tile):
    process, address = serve(store, "--threads", "2")
    stack = f"{address}{PREFIX}/owner/o/project/p/stack/s"
    created = requests.post(stack, json={}, timeout=10)
    assert (created.status_code, created.headers["Location"]) == (201, stack)
    body = {"tileIdToSpecMap": {"t ä": tile("t ä")}}
    assert requests.put(f"{stack}/resolvedTiles?deriveData=true", json=body, timeout=10).status_code == 201
    assert requests.get(f"{stack}/tile/t%20%C3%A4/", timeout=10).json()["tileId"] == "t ä"
    assert requests.get(f"{stack}/tileIds?matchPattern=t%20.", timeout=10).json() == ["t ä"]
    assert (
        requests.put(
            f"{stack}/resolvedTiles", data=b"{", headers={"Content-Type": "application/json"}, timeout=10
        ).status_code
        == 400
    )
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20) == 0
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{address}/health", timeout=5)


def test_no_worker_outlives_a_killed_server(serve, store):
    process, address = serve(store)
    workers = workers_of(process)
    assert workers
    process.kill()
    process.wait()
    for _ in range(100):
        if not any(Path(f"/proc/{pid}").exists() for pid in workers):
            break
        time.sleep(0.05)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{address}/health", timeout=5)


def test_a_worker_that_dies_is_replaced(serve, store):
    process, address = serve(store)
    (worker,) = workers_of(process)
    os.kill(worker, signal.SIGKILL)
    for _ in range(200):
        try:
            if requests.get(f"{address}/health", timeout=5).ok and workers_of(process) != [worker]:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.05)
    pytest.fail("no new worker")


def test_clients_that_send_slowly_keep_nobody_waiting(serve, store):
    process, address = serve(store, "--threads", "2")
    port = int(address.rpartition(":")[2])
    head = b"POST %b/owner/o/project/p/stack/s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(6)]
    for one in slow:
        one.sendall(head % PREFIX.encode() + b"Content-Length: 2\r\n\r\n{")
    time.sleep(0.3)
    assert requests.get(f"{address}/health", timeout=20).ok
    slow[0].sendall(b"}")
    assert b"201" in slow[0].recv(1000)
    for one in slow:
        one.close()


def test_names_that_lead_here_are_refused_unless_the_operator_knows_them(serve, store):
    _, address = serve(store, "--host-name", "Render.Lab")
    for host, status in (("evil.example", 421), ("render.lab", 200), ("localhost", 200)):
        assert requests.get(f"{address}{PREFIX}/owners", headers={"Host": host}, timeout=5).status_code == status


def test_what_cannot_be_served_ends_with_a_reason(store, tmp_path, caplog):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert main(["--store", str(store), "--port", port]) == 1
    assert f"port {port} of 127.0.0.1 is in use" in caplog.text
    assert main(["--store", str(tmp_path / "no" / "store.db"), "--port", "0"]) == 1
    assert "there is no folder" in caplog.text
    (tmp_path / "token").write_text("short\n")
    options = ["--host", "0.0.0.0", "--allow-remote", "--token-file"]
    assert main(["--store", str(store), *options, str(tmp_path / "token")]) == 1
    assert "fewer than 16 characters" in caplog.text
    (tmp_path / "token").write_text("corréct horse battery staple\n")
    assert main(["--store", str(store), *options, str(tmp_path / "token")]) == 1
    assert "one line of ASCII" in caplog.text
    assert main(["--store", str(store), *options, str(tmp_path / "none")]) == 1


@pytest.mark.parametrize(
    "options", [["--host", "0.0.0.0"], ["--host", "0.0.0.0", "--allow-remote"], ["--host", "example.org"]]
)
def test_other_machines_are_let_in_only_with_a_token(store, options, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--store", str(store), *options])
    assert stop.value.code == 2
    assert "--token-file" in capsys.readouterr().err
    assert not store.exists()


def test_a_token_and_a_log(serve, store, tmp_path):
    token, log = tmp_path / "token", tmp_path / "access.log"
    token.write_text("correct horse battery staple\n")
    token.chmod(0o600)
    _, address = serve(store, "--token-file", str(token), "--access-log", str(log), "--strict")
    assert requests.get(f"{address}{PREFIX}/owners", timeout=5).status_code == 401
    headers = {"Authorization": "Bearer correct horse battery staple"}
    assert requests.get(f"{address}{PREFIX}/owners", headers=headers, timeout=5).json() == []
    assert requests.get(f"{address}{PREFIX}/versionInfo", headers=headers, timeout=5).json()["strict"] is True
    statuses = [json.loads(line)["status"] for line in log.read_text().splitlines()]
    assert statuses[-3:] == [401, 200, 200]
