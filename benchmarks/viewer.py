"""How soon the page of a section of many tiles is usable: ``python benchmarks/viewer.py [TILES]``.

Every tile has files of its own, at seven mipmap levels. Times count from the opening of the page: the first picture,
the outlines of all tiles, all pictures; and how long a frame takes while the view moves. Needs Playwright and Chromium.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import requests
from playwright.sync_api import Page, sync_playwright

from rendermodules.core.sections import Section
from rendermodules.core.synthetic import SyntheticSettings, section_tiles, tile_image
from rendermodules.io.paths import url_of_path
from rendermodules.module import stacks
from rendermodules.module.connection import connect

LEVELS = 7
SIDE = 512
STEP = 461
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]


def make_store(folder: Path, count: int) -> Path:
    """Make a store with a section of so many tiles."""
    settings = SyntheticSettings(sections=1, rows=3, columns=4, tile_width=SIDE, tile_height=SIDE)
    models = []
    for number, tile in enumerate(section_tiles(settings, settings.zvalues[0])):
        image = tile_image(settings, tile)
        for level in range(LEVELS):
            cv2.imwrite(str(folder / f"model{number}_{level}.png"), image)
            image = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        models.append(number)
    columns = round(count**0.5)
    tiles = []
    for number in range(count):
        levels = {}
        for level in range(LEVELS):
            file = folder / f"t{number:05d}_{level}.png"
            os.link(folder / f"model{number % len(models)}_{level}.png", file)
            levels[str(level)] = {"imageUrl": url_of_path(file)}
        x, y = number % columns * STEP, number // columns * STEP
        leaf = {"type": "leaf", "className": "mpicbg.trakem2.transform.AffineModel2D", "dataString": f"1 0 0 1 {x} {y}"}
        tiles.append(
            {
                "tileId": f"t{number:05d}",
                "z": 1.0,
                "width": float(SIDE),
                "height": float(SIDE),
                "layout": {"sectionId": "1.0"},
                "mipmapLevels": levels,
                "transforms": {"type": "list", "specList": [leaf]},
            }
        )
    store = folder / "crowd.db"
    render = connect({"host": str(store), "owner": "bench", "project": "viewer"})
    with stacks.written_stack(render, "crowd", version={}, close=True):
        stacks.write_section(render, "crowd", Section(1.0, tiles))
    return store


def serve(store: Path) -> tuple[subprocess.Popen[str], str]:
    """Start a server; return it and its address."""
    command = [sys.executable, "-m", "rendermodules", "serve", "--store", str(store), "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    address = process.stderr.readline().split(" at ")[-1].strip().removesuffix("/render-ws/v1")
    while True:
        try:
            requests.get(f"{address}/health", timeout=5)
            return process, address
        except requests.ConnectionError:
            time.sleep(0.05)


def measured(page: Page, address: str) -> list[float]:
    """Return seconds to the first picture, to the outlines and to all pictures, and milliseconds of a frame."""
    begin = time.monotonic()
    page.goto(f"{address}/viewer/stack.html?owner=bench&project=viewer&stack=crowd")
    marks = "['first-picture', 'outlines'].map((name) => performance.getEntriesByName(name)[0]?.startTime ?? 0)"
    while 0 in page.evaluate(marks):
        page.wait_for_timeout(20)
    first, outlines = page.evaluate(marks)
    while page.evaluate("document.getElementById('view').dataset.missing") != "0":
        page.wait_for_timeout(50)
    everything = time.monotonic() - begin
    frame = page.evaluate(
        """async () => {
          const canvas = document.getElementById("view");
          const begin = performance.now();
          for (let step = 0; step < 10; step += 1) {
            canvas.dispatchEvent(new KeyboardEvent("keydown", { key: step % 2 ? "ArrowLeft" : "ArrowRight" }));
            await new Promise((done) => requestAnimationFrame(done));
          }
          return (performance.now() - begin) / 10;
        }"""
    )
    return [first / 1000, outlines / 1000, everything, frame]


def main() -> None:
    """Print the table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        store = make_store(Path(name), count)
        server, address = serve(store)
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        try:
            print(f"{count} tiles   first picture s   outlines s   all pictures s   frame ms")
            for run in ("server just started", "again", "again"):
                page = browser.new_page(viewport={"width": 1280, "height": 800})
                print("  ".join([f"{run:<20}", *(f"{value:13.2f}" for value in measured(page, address))]))
                page.close()
        finally:
            browser.close()
            server.terminate()
            server.communicate()


if __name__ == "__main__":
    main()
