"""What all tests share: an embedded store, a project on it, and the folder of recorded reference data."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep journals away from the user's, and the user's connection away from the tests."""
    monkeypatch.setenv("RENDERMODULES_STATE", str(tmp_path_factory.mktemp("state")))
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


@pytest.fixture(scope="session")
def shared_folder() -> Path:
    """Folder of recorded reference data that is not part of the project; the test is skipped without it."""
    folder = Path(os.environ.get("RENDERMODULES_SHARED", REPOSITORY.parent / "shared"))
    if not folder.is_dir():
        pytest.skip("the recorded reference data are not here")
    return folder
