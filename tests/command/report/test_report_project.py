"""``rendermodules report``."""

import json
import re

import pytest

from rendermodules.cli import main


@pytest.fixture
def report(project, render_parameters, tmp_path, capsys):
    """Function that makes a report and returns exit status, page and numbers."""

    def make(*options):
        out = tmp_path / "report.html"
        status = main(["report", render_parameters["host"], "--limit", "4", "--out", str(out), *options])
        page = out.read_text(encoding="utf-8") if out.exists() else ""
        numbers = json.loads(out.with_suffix(".json").read_text(encoding="utf-8")) if out.exists() else {}
        return status, page, numbers

    return make


def test_page_and_numbers(report, capsys):
    status, page, numbers = report()
    assert status == 0
    assert numbers["choice"]["before"] == "raw"
    assert numbers["choice"]["after"] == "final"
    assert numbers["choice"]["collections"] == ["m"]
    assert numbers["sections"][0]["dropped"][0]["tile_id"] == "c1"
    assert numbers["within"]["figures"]["greatest"] == pytest.approx(5.0)
    assert "1 of 2 sections need a look: z 1" in page
    assert "1 dropped" in page
    assert "not in montaged, made by solver.solve" in page
    assert page.count("data:image/jpeg;base64,") == 4 + 3 + 2
    assert "1 of 2 sections are beyond a threshold" in capsys.readouterr().out


def test_the_page_needs_nothing_else(report):
    _, page, _ = report()
    assert not re.search(r"<script|<link|https?://", page)
    assert not re.findall(r'(?:src|href)="(?!data:)[^"#]', page)
    assert "Content-Security-Policy" in page


def test_names_are_escaped(report, project, render_parameters):
    name = "<b>final</b>"
    place = f"{project.DEFAULT_HOST}/render-ws/v1/owner/tester/project/example/stack/final/stackId"
    body = {"owner": "tester", "project": "example", "stack": "x"}
    body["stack"] = name.replace("/", "")
    assert project.session.put(place, json=body).status_code == 200
    _, page, _ = report("--after", body["stack"])
    assert "<b>final<b>" not in page
    assert "&lt;b&gt;final&lt;b&gt;" in page


def test_check(report):
    assert report("--check")[0] == 1
    well = ("--after", "final", "--before", "final", "--limit", "1000")
    assert report("--check", *well)[0] == 0
    # tile c of z 1 has no matches
    assert report("--check", "--after", "raw", "--limit", "1000", "--matches", "m")[0] == 1


def test_problems_and_what_was_not_looked_at_are_said(report, project, tile_spec, capsys):
    from rendermodules.core.sections import Section
    from rendermodules.module import stacks

    with stacks.written_stack(project, "half", version={}, close=False):
        stacks.write_section(project, "half", Section(1.0, [tile_spec("a1", 1.0)]))
    report()
    said = capsys.readouterr().out
    assert "  z 1: 1 of 3 tiles were dropped; 50% of the matches within the section are above 4 px\n" in said
    assert "not looked at, as it is LOADING: half; --after half does\n" in said
    status, page, _ = report("--after", "half", "--before", "raw", "--check")
    assert status == 1
    assert "1 of raw are not in half: z 2." in page
    assert "sections of raw that are not in half: 1" in capsys.readouterr().out


def test_few_pictures(report):
    _, page, _ = report("--pictures", "1", "--seams", "0")
    # one section for its problems; the other is the one of the evenly spread
    assert page.count("data:image/jpeg;base64,") == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--after", "finale"], "no stack finale"),
        (["--before", "row"], "no stack row"),
        (["--matches", "nothing"], "no match collection nothing"),
    ],
)
def test_refusals(report, options, message, capsys):
    status, page, _ = report(*options)
    assert status == 1
    assert page == ""
    assert message in capsys.readouterr().err


def test_a_section_whose_images_are_gone(report, tmp_path):
    (tmp_path / "image.tif").unlink()
    status, page, _ = report()
    assert status == 0
    assert "<svg" in page


def test_a_project_without_stacks(render_parameters, render, capsys):
    from rendermodules.module import stacks

    stacks.open_stack(render, "empty", {})
    assert main(["report", render_parameters["host"]]) == 1
    assert "has no finished stack" in capsys.readouterr().err


def test_status_tells_residuals(project, render_parameters, capsys):
    from rendermodules.command.residual_glance import glance
    from rendermodules.command.survey import survey

    found = survey(project)
    assert glance(project, found, found.stack("montaged")) == (2.5, 0.0)
    assert main(["status", render_parameters["host"]]) == 0
    assert "2.5 px" in capsys.readouterr().out
    assert main(["status", render_parameters["host"], "--fast"]) == 0
    assert " px" not in capsys.readouterr().out
    assert main(["status", render_parameters["host"], "--json"]) == 0
    stacks = {one["name"]: one for one in json.loads(capsys.readouterr().out)["stacks"]}
    assert stacks["montaged"]["median_residual"] == 2.5
    assert stacks["montaged"]["median_residual_to_next"] == 0.0
