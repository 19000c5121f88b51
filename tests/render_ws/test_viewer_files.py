"""The files of the pages: what a browser may load, and that it is all here."""

import re
from importlib.resources import files

import pytest

from rendermodules.render_ws import viewer_files
from rendermodules.render_ws.errors import NotFound
from rendermodules.render_ws.viewer_files import CONTENT_TYPES, neuroglancer_file, page_file

FOLDER = files("rendermodules.render_ws.viewer")
NAMES = sorted(file.name for file in FOLDER.iterdir() if "." + file.name.rpartition(".")[2] in CONTENT_TYPES)
PAGES = [name for name in NAMES if name.endswith(".html")]


def text(name):
    return page_file(name).content.decode()


def test_there_are_pages():
    assert set(PAGES) == {"index.html", "project.html", "stack.html", "matches.html", "sign-in.html"}


@pytest.mark.parametrize("name", ["../app.py", "__init__.py", "", ".", "nothing.html", "style.css/", "%2e%2e/app.py"])
def test_nothing_else_is_handed_out(name):
    with pytest.raises(NotFound):
        page_file(name)
    with pytest.raises(NotFound):
        neuroglancer_file(name)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_loaded_from_elsewhere(name):
    links = re.findall(r"https?://[^\s\"'`]+", text(name))
    # the name of a format, and not a place
    assert [link for link in links if link != "http://www.w3.org/2000/svg"] == []


@pytest.mark.parametrize("name", PAGES)
def test_pages_need_no_more_than_their_policy_allows(name):
    page = text(name)
    assert not re.search(r"<style|style=|<script(?![^>]*src=)|\son\w+=", page)
    for place in re.findall(r'(?:src|href)="([^"#]+)"', page):
        assert page_file(place)


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".js")])
def test_scripts_never_write_html(name):
    script = text(name)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", script)
    for place in re.findall(r'from "\./([^"]+)"', script):
        assert page_file(place)


@pytest.mark.parametrize("name", ["stack.html", "matches.html"])
def test_every_control_has_a_name(name):
    page = text(name)
    labelled = set(re.findall(r'<label for="([^"]+)"', page))
    for control in re.findall(r"<(?:input|select|canvas)[^>]*>", page, re.DOTALL):
        found = re.search(r'id="([^"]+)"', control)
        assert found
        assert found[1] in labelled or "aria-label" in control or "aria-hidden" in control, control


def test_neuroglancer_is_steered_by_the_address_alone():
    pytest.importorskip("neuroglancer")
    page = neuroglancer_file("index.html").content.decode()
    assert page.index("before_neuroglancer.js") < page.index("main.")
    for script in re.findall(r'src="([^"./]+\.[0-9a-f]+\.js)"', page):
        assert neuroglancer_file(script).content_type.startswith("text/javascript")


def test_neuroglancer_that_is_not_installed(monkeypatch):
    monkeypatch.setattr(viewer_files.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NotFound, match="pip install 'rendermodules\\[viewer\\]'"):
        neuroglancer_file("index.html")
