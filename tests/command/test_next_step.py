"""``rendermodules next``."""

import json

import pytest

from rendermodules.cli import main
from rendermodules.core.sections import Section


@pytest.fixture
def ask(render_parameters, capsys):
    def ask(*options):
        assert main(["next", render_parameters["host"], "--json", *options]) == 0
        return json.loads(capsys.readouterr().out)

    return ask


def test_a_store_that_is_not_there_yet(ask, render_parameters):
    first = ask()[0]
    assert first["commands"][0][:2] == ["run", "dataimport.import_image_directory"]
    assert render_parameters["host"] in first["commands"][0]


def test_matches_are_looked_for(ask, render, write_stack, tile_spec):
    levels = {"mipmapLevels": {str(level): {"imageUrl": "file:///a.tif"} for level in range(3)}}
    write_stack("raw", *[Section(z, [tile_spec(f"{n}{z}", z, **levels) for n in "ab"]) for z in (1.0, 2.0)])
    assert ask()[0]["commands"][0][1] == "pointmatch.create_tilepairs"
    pair = {"pGroupId": "1.0", "pId": "a1.0", "qGroupId": "1.0", "qId": "b1.0"}
    points = {"p": [[0.0], [0.0]], "q": [[1.0], [1.0]], "w": [1.0]}
    url = f"{render.DEFAULT_HOST}/render-ws/v1/owner/tester/matchCollection/m/matches"
    assert render.session.put(url, json=[{**pair, "matches": points}]).status_code == 201
    assert ask()[0]["commands"][0][1] == "pointmatch.qc_point_matches"
    command = ask()[1]["commands"][0]
    assert command[1] == "solver.solve_transforms"
    assert command[command.index("--match_collections") + 1] == "m"


def test_matches_of_other_tiles_do_not_count(ask, render, write_stack, tile_spec):
    levels = {"mipmapLevels": {str(level): {"imageUrl": "file:///a.tif"} for level in range(3)}}
    write_stack("raw", *[Section(z, [tile_spec(f"{n}{z}", z, **levels) for n in "ab"]) for z in (1.0, 2.0)])
    pair = {"pGroupId": "1.0", "pId": "of another project", "qGroupId": "1.0", "qId": "too"}
    points = {"p": [[0.0], [0.0]], "q": [[1.0], [1.0]], "w": [1.0]}
    url = f"{render.DEFAULT_HOST}/render-ws/v1/owner/tester/matchCollection/montage/matches"
    assert render.session.put(url, json=[{**pair, "matches": points}]).status_code == 201
    pairs, matching = ask()[0]["commands"]
    assert pairs[1] == "pointmatch.create_tilepairs"
    assert matching[matching.index("--output_collection") + 1] != "montage"


def test_text(render_parameters, write_stack, tile_spec, capsys):
    write_stack("raw", Section(1.0, [tile_spec("a", 1.0)]))
    assert main(["next", render_parameters["host"], "--stack", "raw"]) == 0
    text = capsys.readouterr().out
    assert "no reduced images" in text
    assert text.endswith("The whole way: docs/workflow.md\n")


def test_a_stack_that_does_not_exist(render_parameters, write_stack, tile_spec, capsys):
    write_stack("raw", Section(1.0, [tile_spec("a", 1.0)]))
    assert main(["next", render_parameters["host"], "--stack", "row"]) == 1
    assert "no stack row" in capsys.readouterr().err
