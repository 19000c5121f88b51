"""What a newcomer does in the first hour: the demo, its pages, its report. The times go to build/screenshots."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
HERE = {"owner": "demo", "project": "synthetic"}


@pytest.fixture(scope="module")
def times():
    """Seconds of each step, written down at the end."""
    times = {}
    yield times
    folder = REPOSITORY / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "newcomer.json").write_text(json.dumps(times, indent=1))


@pytest.fixture(scope="module")
def demo(tmp_path_factory, times):
    """Folder of a demo, made by the command."""
    folder = tmp_path_factory.mktemp("newcomer") / "demo"
    begin = time.monotonic()
    command = [sys.executable, "-m", "rendermodules", "demo", "--out", str(folder)]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "open http://127.0.0.1:8080/" in done.stdout
    times["demo"] = time.monotonic() - begin
    return folder


@pytest.fixture(scope="module")
def demo_address(serve, demo):
    return serve(of=demo / "render.db")


def test_the_pages(open_tab, demo_address, times):
    begin = time.monotonic()
    tab = open_tab(at=demo_address)
    tab.page.goto(demo_address)
    tab.page.get_by_role("link", name="synthetic").click()
    tab.page.wait_for_selector("tr[data-stack=volume]")
    tab.wait("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    tab.screenshot("demo_project", full_page=True)
    tab.page.locator("tr[data-stack=volume]").get_by_role("link", name="Sections").click()
    tab.page.wait_for_selector("#tile-count:not(:empty)")
    tab.wait_for_pictures()
    tab.screenshot("demo_stack")
    times["to the aligned section"] = time.monotonic() - begin
    tab.page.get_by_role("link", name="Matches of this section").click()
    tab.wait("Boolean(document.body.dataset.pairs)")
    tab.page.locator("tr.pair").first.get_by_role("button").click()
    tab.wait("Boolean(document.body.dataset.pair)")
    tab.wait_for_pictures()
    tab.screenshot("demo_matches")
    times["to the worst seam"] = time.monotonic() - begin
    assert tab.problems == []
    assert tab.elsewhere() == []


def test_neuroglancer(open_tab, demo_address, times):
    tab = open_tab(at=demo_address)
    tab.open("project.html", **HERE)
    begin = time.monotonic()
    tab.page.locator("tr[data-stack=volume]").get_by_role("link", name="Neuroglancer").click()
    tab.wait("typeof viewer === 'object' && viewer.layerManager.managedLayers.every((layer) => layer.isReady())")
    tab.page.wait_for_timeout(1000)
    tab.wait("viewer.isReady()")
    times["Neuroglancer"] = time.monotonic() - begin
    tab.screenshot("demo_neuroglancer")
    assert tab.problems == []
    assert tab.elsewhere() == []


def test_the_report(open_tab, demo):
    tab = open_tab()
    tab.page.goto(f"file://{demo / 'report.html'}")
    assert "raw to montage" in tab.page.inner_text("h1")
    assert tab.page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    tab.screenshot("demo_report", full_page=True)
    assert tab.problems == []
    assert [url for url in tab.requests if not url.startswith(("file:", "data:"))] == []
    numbers = json.loads((demo / "report.json").read_text())
    shown = float(re.search(r"([\d.]+) px on average", tab.page.inner_text(".seams")).group(1))
    assert shown == pytest.approx(numbers["within"]["worst"][0]["mean"], abs=0.006)


def test_what_is_next(demo):
    def ask(*words):
        command = [sys.executable, "-m", "rendermodules", *words]
        done = subprocess.run(command, cwd=demo, env=None, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "solver.solve_transforms" in ask("status", "render.db")
    assert "rendermodules report" in ask("next", "render.db")
    assert "generate_mipmaps" in ask("next", "render.db", "--stack", "acquired")
