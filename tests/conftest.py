"""What all tests share: an embedded store, a project on it, and the folder of recorded reference data."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

REPOSITORY = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the workflows, which take longest, so that no process is left alone with one at the end."""
    items.sort(key=lambda item: "workflows" not in item.path.parts)


@pytest.fixture(autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep journals away from the user's, and the user's connection away from the tests."""
    monkeypatch.setenv("RENDERMODULES_STATE", str(tmp_path_factory.mktemp("state")))
    # programs that tests start find the package of this checkout
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    for name in [name for name in os.environ if name.startswith("RENDER_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def render_parameters(tmp_path: Path) -> dict[str, str]:
    """Parameters of a connection to an embedded store of this test alone."""
    return {"host": str(tmp_path / "render.db"), "owner": "tester", "project": "example"}


@pytest.fixture
def render(render_parameters):
    """Connection to an embedded store of this test alone."""
    from rendermodules.module.connection import connect

    return connect(render_parameters)


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """Function that serves a store over HTTP, on a free port, and returns the process and the address."""
    processes = []

    def serve(store: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
        command = [sys.executable, "-m", "rendermodules", "serve", "--store", str(store), "--port", "0", *options]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        line = process.stderr.readline()
        address = re.search(r"http://[\d.:]+", line)
        for _ in range(200 if address else 0):
            try:
                requests.get(f"{address.group()}/health", timeout=5)
                return process, address.group()
            except requests.ConnectionError:
                time.sleep(0.05)
        process.kill()
        raise AssertionError(line + process.stderr.read())

    yield serve
    for process in processes:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture(scope="session")
def _object_store() -> Iterator[str]:
    """Run an S3 server on the loopback interface."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(_object_store: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Give the URL of an empty S3 bucket; the environment leads every client to it."""
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", _object_store)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tester")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "tester")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    files = s3fs.S3FileSystem()
    files.mkdir("bucket")
    yield "s3://bucket"
    files.rm("bucket", recursive=True)
    for client in s3fs.S3FileSystem._cache.values():
        # those that Zarr has made run in its own loop and are closed by nobody
        if client.asynchronous and client._s3 is not None:
            from zarr.core.sync import sync

            sync(client._s3.close())
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Folder of recorded reference data that is not part of the project; the test is skipped without it."""
    folder = Path(os.environ.get("RENDERMODULES_SHARED", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("the recorded reference data are not here")
    return folder


@pytest.fixture
def tile_spec() -> Callable[..., dict[str, Any]]:
    """Function that makes a tile spec of 20 x 10 pixels which refers to an image and to the given transforms."""

    def make(tile_id: str, z: float, *transforms: dict[str, Any], image: str | None = None, **more: Any) -> dict:
        url = image or f"file:/nowhere/{tile_id}.tif"
        return {
            "tileId": tile_id,
            "z": z,
            "width": 20.0,
            "height": 10.0,
            "minIntensity": 0.0,
            "maxIntensity": 255.0,
            "layout": {"sectionId": f"{z:.1f}"},
            "mipmapLevels": {"0": {"imageUrl": url}},
            "transforms": {"type": "list", "specList": list(transforms)},
            **more,
        }

    return make


@pytest.fixture
def write_stack(render) -> Callable[..., None]:
    """Function that writes sections into a new stack and sets it COMPLETE."""
    from rendermodules.module import stacks

    def write(name: str, *sections: Any, **version: Any) -> None:
        stacks.open_stack(render, name, version)
        for section in sections:
            stacks.write_section(render, name, section)
        stacks.close_stack(render, name)

    return write


@pytest.fixture
def sections_of(render) -> Callable[[str], dict[float, Any]]:
    """Function that reads all sections of a stack, by z."""
    from rendermodules.module import stacks

    return lambda name: {z: stacks.read_section(render, name, z) for z in stacks.z_values(render, name)}


@pytest.fixture
def killed_runs(render_parameters) -> Callable[..., list[tuple[dict[str, Any], dict[str, Any]]]]:
    """Function that kills a module at each of its changes and starts it again, see ``killed_runs.py``.

    It returns the stacks after the kill and after the second run for each change; the last pair is that of a run which
    nobody killed. It checks how the runs ended.
    """

    def runs(module: str, **parameters: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        text = json.dumps({"render": render_parameters, "log_level": "ERROR", **parameters})
        script = REPOSITORY / "tests" / "killed_runs.py"
        command = [sys.executable, str(script), render_parameters["host"], module, text]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        assert [line["ended"] for line in lines] == [-signal.SIGKILL] * (len(lines) - 1) + [0], done.stderr
        assert not any(line["again"] for line in lines), done.stderr
        return [tuple(line["states"]) for line in lines]

    return runs


@pytest.fixture(scope="session")
def made_inputs() -> Callable[..., None]:
    """Function that makes the files and folders that parameters say are read, empty, below a folder."""
    import marshmallow

    def make(schema: marshmallow.Schema, parameters: dict[str, Any], folder: Path) -> None:
        for name, field in schema.fields.items():
            value = parameters.get(name)
            inner = getattr(field, "inner", field)
            if value is None:
                continue
            if isinstance(inner, marshmallow.fields.Nested):
                # some schemas take a name for an object of that name alone
                for part in value if isinstance(value, list) else [value]:
                    if isinstance(part, dict):
                        make(inner.schema, part, folder)
            elif getattr(inner, "reads", None):
                for path in value if isinstance(value, list) else [value]:
                    target = folder / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    if inner.reads == "file":
                        target.touch()
                    else:
                        target.mkdir(exist_ok=True)

    return make
