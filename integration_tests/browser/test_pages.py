"""The pages, as a person with a browser meets them."""

import re
from urllib.parse import parse_qs, urlsplit


def test_from_the_first_page_to_a_section_by_keyboard(tab, project):
    tab.page.goto(tab.address)
    tab.page.wait_for_selector("body[data-ready]")
    assert tab.page.title() == "Render"
    tab.page.get_by_role("link", name=project.name).focus()
    tab.press("Enter")
    tab.page.wait_for_selector("tr[data-stack=aligned]")
    tab.page.locator("tr[data-stack=aligned]").get_by_role("link", name="Sections").focus()
    tab.press("Enter")
    tab.page.wait_for_selector("body[data-ready]")
    tab.wait_for_pictures()
    assert tab.brightness()[0] > 40


def test_project_page(tab, project):
    tab.open("project.html", **project.here)
    assert tab.page.locator("tr[data-stack]").count() == 9
    aligned = tab.page.locator("tr[data-stack=aligned]")
    text = aligned.inner_text()
    assert "COMPLETE" in text
    assert "3, z 0 to 2" in text
    assert "solver.solve_transforms" in text
    assert "4 × 4 × 40 nm" in text
    assert "No tiles yet" in tab.page.locator("tr[data-stack=empty]").inner_text()
    assert "LOADING" in tab.page.locator("tr[data-stack=half]").inner_text()
    tab.wait("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
    assert "montage" in tab.page.inner_text("table.narrow")
    tab.wait("Boolean(document.body.dataset.residuals)")
    assert re.search(r"residual\n0\.\d+ px within z 1", aligned.inner_text())
    tab.screenshot("project", full_page=True)


def test_a_project_that_does_not_exist(tab, project):
    tab.open("project.html", owner=project.owner, project="nothing")
    assert "There is no project nothing of demo" in tab.page.get_by_role("alert").inner_text()


def test_names_are_text(tab, project):
    tab.open("stack.html", stack=project.hostile, **project.here)
    tab.wait_for_pictures()
    assert tab.page.inner_text("h1") == project.hostile
    assert tab.page.title() == f"{project.hostile} - Render"
    tab.open("project.html", **project.here)
    assert tab.page.locator("img[src=x]").count() == 0


def test_a_very_long_name(tab, project):
    tab.open("project.html", **project.here)
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 1280
    about = tab.page.locator(f"tr[data-stack={project.long}] td").nth(2)
    assert about.bounding_box()["width"] > 300
    tab.open("stack.html", stack=project.long, **project.here)
    tab.wait_for_pictures()
    tab.screenshot("long_name")
    assert tab.page.evaluate("document.documentElement.scrollHeight") <= 800


def test_pieces_meet(open_tab, project):
    for scale in (1, 1.25, 2):
        tab = open_tab(scale=scale)
        tab.open("stack.html", stack="aligned", x=517.3, y=300.7, scale=0.937, **project.here)
        tab.page.uncheck("#outlines")
        tab.wait_for_pictures()
        # where an edge does not fill its pixels, they stay a little transparent
        opacities = tab.page.evaluate(
            """() => {
              const canvas = document.getElementById("view");
              const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
              return [...new Set(data.filter((_, index) => index % 4 === 3))];
            }"""
        )
        assert set(opacities) <= {0, 255}


def test_stack_page(tab, project):
    tab.open("stack.html", stack="aligned", **project.here)
    tab.wait_for_pictures()
    assert tab.page.inner_text("#tile-count") == f"{project.tiles} tiles"
    assert tab.page.inner_text("#section-count") == "section 2 of 3"
    tab.screenshot("stack")
    with_outlines = tab.brightness()
    tab.page.focus("#view")
    tab.press("o")
    tab.page.wait_for_timeout(200)
    assert tab.brightness() != with_outlines
    tab.press(".")
    tab.wait("document.getElementById('z').value === '2'")
    tab.press("PageUp", "PageUp", "PageUp")
    tab.wait("document.getElementById('z').value === '0'")
    tab.wait_for_pictures()
    tab.press("Enter")
    tab.page.wait_for_selector("#chosen dl")
    assert "256 × 256 px" in tab.page.inner_text("#chosen")


def test_a_place_is_kept_in_the_address(tab, project):
    tab.open("stack.html", stack="aligned", z=0, **project.here)
    tab.page.focus("#view")
    tab.press("+", "+", "ArrowRight")
    tab.page.wait_for_timeout(500)
    address = tab.page.url
    assert "z=0" in address
    tab.page.goto(address)
    tab.page.wait_for_selector("body[data-ready]")
    tab.page.wait_for_timeout(500)
    places = [re.search(r"x=([\d.]+)&y=([\d.]+)&scale=([\d.]+)", url).groups() for url in (address, tab.page.url)]
    assert places[0] == places[1]


def test_a_place_outside(tab, project):
    tab.open("stack.html", stack="aligned", z=99, x=1e9, y=-1e9, scale=2, **project.here)
    tab.page.focus("#view")
    tab.press("0")
    tab.wait_for_pictures()
    assert tab.brightness()[0] > 40


def test_a_tile_is_found(tab, project):
    tab.open("stack.html", stack="aligned", z=0, **project.here)
    tab.page.wait_for_selector("#tiles option", state="attached")
    tile_id = tab.page.locator("#tiles option").nth(3).get_attribute("value")
    tab.page.fill("#tile", tile_id)
    tab.press("Tab")
    tab.page.wait_for_selector("#chosen dl")
    assert tile_id in tab.page.inner_text("#chosen")


def test_intensities(tab, project):
    tab.open("stack.html", stack="aligned", **project.here)
    tab.wait_for_pictures()
    tab.page.uncheck("#outlines")
    tab.page.wait_for_timeout(200)
    mean, spread = tab.brightness()
    limits = []
    for outlines in (True, False):
        tab.page.set_checked("#outlines", outlines)
        tab.page.get_by_role("button", name="As stored").click()
        tab.page.wait_for_timeout(300)
        tab.wait_for_pictures()
        tab.page.get_by_role("button", name="Fit to what is seen").click()
        tab.page.wait_for_timeout(300)
        tab.wait_for_pictures()
        limits.append([tab.page.input_value(f"#{limit}") for limit in ("low", "high")])
    assert limits[0] == limits[1]
    assert tab.brightness()[1] > 1.1 * spread
    tab.page.get_by_role("button", name="As stored").click()
    tab.page.wait_for_timeout(300)
    tab.wait_for_pictures()
    assert abs(tab.brightness()[0] - mean) < 1


def test_channels(tab, project):
    tab.open("stack.html", stack="channels", **project.here)
    tab.wait_for_pictures()
    first = tab.brightness()
    tab.page.fill("#high", "200")
    tab.press("Tab")
    tab.page.wait_for_timeout(500)
    tab.page.select_option("#channel", "DAPI")
    tab.page.wait_for_timeout(500)
    tab.wait_for_pictures()
    # limits of one channel say nothing about another
    assert tab.page.input_value("#high") == "255"
    assert not [url for url in tab.requests if "channels=DAPI" in url and "maxIntensity" in url]
    tab.screenshot("channels")
    assert abs(tab.brightness()[0] - first[0]) > 5


def test_a_tile_whose_image_is_gone(open_tab, project):
    tab = open_tab(scale=2, dark=True)
    tab.open("stack.html", stack="torn", **project.here)
    tab.wait_for_pictures()
    tab.page.wait_for_selector("#missing li")
    assert f"1 of {project.tiles} tiles" in tab.page.inner_text("#missing")
    assert tab.page.evaluate("document.getElementById('view').width / document.getElementById('view').clientWidth") == 2
    tab.screenshot("missing_image")
    assert tab.problems == []


def test_stacks_that_are_not_ready(tab, project):
    tab.open("stack.html", stack="half", **project.here)
    tab.wait_for_pictures()
    assert "LOADING" in tab.page.inner_text("#heading")
    tab.open("stack.html", stack="empty", **project.here)
    assert "holds no tile yet" in tab.page.get_by_role("alert").inner_text()


def test_a_stack_that_does_not_exist(open_tab, project):
    tab = open_tab()
    tab.open("stack.html", stack="nothing", **project.here)
    assert "nothing" in tab.page.get_by_role("alert").inner_text()


def test_a_crowd_of_tiles(tab, project):
    tab.open("stack.html", stack="crowd", **project.here)
    marks = "['first-picture', 'outlines'].map((name) => performance.getEntriesByName(name)[0]?.startTime)"
    tab.wait(f"{marks}.every(Boolean)")
    assert tab.page.inner_text("#tile-count") == f"{project.crowd:,} tiles"
    tab.page.focus("#view")
    tab.press("+", "+", "+", "+", "+", "+", "+", "+")
    tab.wait_for_pictures()
    tab.screenshot("crowd")
    assert tab.brightness()[0] > 40


def test_match_page(tab, project):
    tab.open("matches.html", stack="aligned", z=0, collection="montage", **project.here)
    tab.wait("Boolean(document.body.dataset.pairs)")
    tab.wait_for_pictures()
    tab.screenshot("matches")
    summary = tab.page.inner_text("#summary")
    assert summary.endswith("above 5 px\n1 pair")
    assert "without matches" not in summary
    worst = tab.page.locator("tr.pair").first
    mean = float(worst.locator("td").nth(2).inner_text())
    assert 11 < mean < 13
    worst.get_by_role("button").focus()
    tab.press("Enter")
    tab.wait("Boolean(document.body.dataset.pair)")
    tab.wait_for_pictures()
    assert "matches, the worst" in tab.page.inner_text("#pair")
    assert tab.brightness(".side-by-side canvas")[1] > 10
    tab.page.locator("#pair").scroll_into_view_if_needed()
    tab.screenshot("pair")
    tab.press("Escape")
    assert tab.page.inner_text("#pair") == ""


def test_matches_of_the_stack_come_first(tab, project):
    tab.open("matches.html", stack="aligned", z=2, **project.here)
    tab.wait("Boolean(document.body.dataset.pairs)")
    assert tab.page.input_value("#collection") == "montage"
    assert "without matches\n1 tile, in red" in tab.page.inner_text("#summary")
    tab.wait_for_pictures()
    tab.screenshot("unmatched")


def test_matches_between_sections(tab, project):
    tab.open("matches.html", stack="aligned", z=0, collection="montage", **project.here)
    tab.wait("Boolean(document.body.dataset.pairs)")
    tab.page.select_option("#other", "1")
    tab.page.wait_for_timeout(300)
    tab.wait("document.querySelectorAll('tr.pair').length > 5")
    tab.page.select_option("#other", "2")
    tab.page.wait_for_selector("text=No matches between z 0 and z 2")


def test_neuroglancer(open_tab, project):
    tab = open_tab()
    tab.open("project.html", **project.here)
    for stack, layers in (("aligned", 1), ("channels", 2), ("half", 1)):
        row = tab.page.locator(f"tr[data-stack={stack}]")
        place = row.get_by_role("link", name="Neuroglancer").get_attribute("href")
        shown = open_tab()
        answers = []
        shown.page.on("response", lambda answer, seen=answers: seen.append(answer))
        shown.page.goto(f"{tab.address}/viewer/{place}")
        shown.wait("typeof viewer === 'object' && viewer.layerManager.managedLayers.every((layer) => layer.isReady())")
        assert shown.page.evaluate("viewer.layerManager.managedLayers.length") == layers
        pictures = {}
        while not pictures or not shown.page.evaluate("viewer.isReady()"):
            shown.page.wait_for_timeout(200)
            pictures = {answer.url: answer.status for answer in answers if "jpeg-image" in answer.url}
        assert {url: status for url, status in pictures.items() if status != 200} == {}
        asked = {channel for url in pictures for channel in parse_qs(urlsplit(url).query).get("channels", [None])}
        assert asked == ({"EM", "DAPI"} if layers == 2 else {None})
        shown.screenshot(f"neuroglancer_{stack}")
        assert shown.problems == []
        assert shown.elsewhere() == []


def test_a_service_that_asks_for_a_token(serve, open_tab, tmp_path, project):
    token = tmp_path / "token"
    token.write_text("correct horse battery staple\n")
    token.chmod(0o600)
    tab = open_tab(at=serve("--token-file", str(token)))
    tab.page.goto(f"{tab.address}/viewer/project.html?owner={project.owner}&project={project.name}")
    tab.page.fill("#token", "not that")
    tab.press("Enter")
    tab.page.wait_for_selector("text=That is not the token")
    tab.page.fill("#token", "correct horse battery staple")
    tab.press("Enter")
    tab.page.wait_for_selector("tr[data-stack=aligned]")
    tab.wait("[...document.images].every((image) => image.complete && image.naturalWidth > 0)")
