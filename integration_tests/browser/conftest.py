"""A project with everything a person may meet, a server, and Debian's Chromium that looks at it.

Screenshots go to ``build/screenshots``.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import requests

sync_api = pytest.importorskip("playwright.sync_api")

from rendermodules.core.sections import Section  # noqa: E402
from rendermodules.core.synthetic import (  # noqa: E402
    SyntheticSettings,
    section_specs,
    section_tiles,
    synthetic_matches,
)
from rendermodules.io.paths import url_of_path  # noqa: E402
from rendermodules.io.synthetic_files import write_synthetic_files  # noqa: E402
from rendermodules.module import stacks  # noqa: E402
from rendermodules.module.connection import connect  # noqa: E402

REPOSITORY = Path(__file__).parents[2]
SCREENSHOTS = REPOSITORY / "build" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Neuroglancer draws with WebGL, which machines without a graphics card compute
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]

# everything that tests name, see the fixture `project`
OWNER, PROJECT = "demo", "example"
HOSTILE = '<img src=x onerror="document.title=1">'
SETTINGS = SyntheticSettings(
    sections=3, rows=3, columns=4, tile_width=256, tile_height=256, channels=("EM", "DAPI"), stage_jitter=4.0
)
LONG = "Mouse_V1_layer23_2026-11-26_session0003_ribbon0000_acquisition_" + "levelled_" * 12
CROWD = 20_000
RESOLUTION = {"stackResolutionX": 4.0, "stackResolutionY": 4.0, "stackResolutionZ": 40.0}


def image_url(folder):
    return lambda tile, channel: url_of_path(
        folder / "images" / f"z{int(tile.z):04d}" / f"{tile.tile_id}_{channel}.tif"
    )


def one_channel(section):
    """The same tiles with their first channel alone."""
    tiles = []
    for tile in section.tiles:
        first = {name: value for name, value in tile["channels"][0].items() if name != "name"}
        tiles.append({**{name: value for name, value in tile.items() if name != "channels"}, **first})
    return Section(section.z, tiles, section.transforms)


def crowd(section):
    """A section of 20,000 tiles, each showing one of a few images."""
    columns = 142
    tiles = []
    for number in range(CROWD):
        row, column = divmod(number, columns)
        place = f"1 0 0 1 {column * 230} {row * 230}"
        leaf = {"type": "leaf", "className": "mpicbg.trakem2.transform.AffineModel2D", "dataString": place}
        model = section.tiles[number % len(section.tiles)]
        tiles.append(
            {
                **model,
                "tileId": f"t{number:05d}",
                "z": 1.0,
                "layout": {"sectionId": "1.0"},
                "transforms": {"type": "list", "specList": [leaf]},
            }
        )
    return Section(1.0, tiles)


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    write_synthetic_files(SETTINGS, folder)
    render = connect({"host": str(folder / "demo.db"), "owner": OWNER, "project": PROJECT})
    url = image_url(folder)

    def write(name, sections, close=True, **version):
        with stacks.written_stack(render, name, version={**RESOLUTION, **version}, close=close):
            for section in sections:
                stacks.write_section(render, name, section)

    channels = {z: section_specs(SETTINGS, z, "true", url) for z in SETTINGS.zvalues}
    single = {z: one_channel(section) for z, section in channels.items()}
    raw = [one_channel(section_specs(SETTINGS, z, "nominal", url)) for z in SETTINGS.zvalues]
    record = {
        "module": "rendermodules.solver.solve_transforms",
        "inputs": {"raw": {"currentVersionNumber": 1}},
        "parameters": {"match_collections": ["montage"]},
    }
    write("raw", raw)
    write("aligned", single.values(), versionNotes=json.dumps(record))
    write("channels", channels.values())
    write("half", [single[1.0]], close=False)
    write("crowd", [crowd(single[0.0])])
    torn = Section(0.0, [dict(tile) for tile in single[0.0].tiles], single[0.0].transforms)
    torn.tiles[5]["mipmapLevels"] = {"0": {"imageUrl": "file:///gone/away.tif"}}
    write("torn", [torn])
    stacks.open_stack(render, "empty", {})
    write(LONG, [single[0.0]])
    write("plain", [single[0.0]])
    base = f"{render.DEFAULT_HOST}/render-ws/v1"
    stack_id = {"owner": OWNER, "project": PROJECT, "stack": HOSTILE}
    place = f"{base}/owner/{OWNER}/project/{PROJECT}/stack/plain/stackId"
    assert render.session.put(place, json=stack_id).status_code == 200
    tiles = {z: section_tiles(SETTINGS, z) for z in SETTINGS.zvalues}
    documents = [
        document
        for z in SETTINGS.zvalues
        for document in synthetic_matches(tiles[z], count=20, noise=0.3).to_json(tiles[z])
    ]
    documents += synthetic_matches(tiles[0.0], tiles[1.0], count=20, noise=0.5).to_json(tiles[0.0], tiles[1.0])
    # one pair that went wrong
    documents[0]["matches"]["q"][0] = [x + 12.0 for x in documents[0]["matches"]["q"][0]]
    # one tile that nothing was found for
    lonely = tiles[2.0][-1].tile_id
    documents = [document for document in documents if lonely not in (document["pId"], document["qId"])]
    for collection, matches in (("before_all_others", documents[:1]), ("montage", documents)):
        place = f"{base}/owner/{OWNER}/matchCollection/{collection}/matches"
        assert render.session.put(place, json=matches).status_code == 201
    return folder / "demo.db"


@pytest.fixture(scope="session")
def project():
    """Names and numbers of the project."""
    return SimpleNamespace(
        owner=OWNER,
        name=PROJECT,
        here={"owner": OWNER, "project": PROJECT},
        tiles=SETTINGS.rows * SETTINGS.columns,
        crowd=CROWD,
        hostile=HOSTILE,
        long=LONG,
    )


@pytest.fixture(scope="session")
def serve(store):
    """Function that starts a server, on the store of the tests by default, and returns its address."""
    processes = []

    def start(*options, of=store):
        command = [sys.executable, "-m", "rendermodules", "serve", "--store", str(of), "--port", "0", *options]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=REPOSITORY)
        processes.append(process)
        address = process.stderr.readline().split(" at ")[-1].strip().removesuffix("/render-ws/v1")
        for _ in range(200):
            try:
                requests.get(f"{address}/health", timeout=5)
                return address
            except requests.ConnectionError:
                time.sleep(0.05)
        raise AssertionError(process.stderr.read())

    yield start
    for process in processes:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture(scope="session")
def address(serve):
    return serve()


@pytest.fixture(scope="session")
def chromium():
    if not Path(CHROMIUM).exists():
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


class Tab:
    """A page, with what went wrong in it."""

    def __init__(self, page, address):
        self.page = page
        self.address = address
        self.problems = []
        self.requests = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: message.type == "error" and self.problems.append(message.text))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, path, **query):
        from urllib.parse import urlencode

        self.page.goto(f"{self.address}/viewer/{path}" + (f"?{urlencode(query)}" if query else ""))
        if "neuroglancer" not in path:
            self.page.wait_for_selector("body[data-ready]", timeout=30_000)

    def wait(self, condition, seconds=60):
        """Wait until an expression is true; unlike Playwright's own way it needs no eval in the page."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(condition):
            assert time.monotonic() < end, f"never: {condition}"
            self.page.wait_for_timeout(50)

    def wait_for_pictures(self):
        # what was just pressed shows in the next frame
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.wait("document.getElementById('view').dataset.missing === '0'")

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def screenshot(self, name, **options):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", **options)

    def brightness(self, selector="#view"):
        """Mean and spread of the gray values of a canvas."""
        return self.page.evaluate(
            """(selector) => {
              const canvas = document.querySelector(selector);
              const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
              let sum = 0, squares = 0, count = data.length / 4;
              for (let i = 0; i < data.length; i += 4) { sum += data[i]; squares += data[i] ** 2; }
              return [sum / count, Math.sqrt(squares / count - (sum / count) ** 2)];
            }""",
            selector,
        )

    def elsewhere(self):
        """What was asked for that is not of the service."""
        return [url for url in self.requests if not url.startswith((self.address, "blob:", "data:"))]


@pytest.fixture
def open_tab(chromium, address):
    contexts = []

    def open_tab(scale=1, dark=False, at=address):
        context = chromium.new_context(
            viewport={"width": 1280, "height": 800},
            device_scale_factor=scale,
            color_scheme="dark" if dark else "light",
        )
        contexts.append(context)
        return Tab(context.new_page(), at)

    yield open_tab
    for context in contexts:
        context.close()


@pytest.fixture
def tab(open_tab):
    """A tab at 1280 x 800; nothing may go wrong in it, and nothing may come from elsewhere."""
    tab = open_tab()
    yield tab
    assert tab.problems == []
    assert tab.elsewhere() == []
