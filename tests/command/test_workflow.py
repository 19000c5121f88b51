"""Which step follows."""

import itertools

import pytest

from rendermodules.command.survey import CollectionSurvey, ProjectSurvey, StackSurvey
from rendermodules.command.workflow import Facts, next_steps
from rendermodules.module.catalogue import find_module

CONNECTION = {"host": "a.db", "port": None, "owner": "me", "project": "first"}


def stack(name, module=None, state="COMPLETE", z_values=(1.0, 2.0), source=None, **parameters):
    record = {
        "module": f"rendermodules.{module}",
        "parameters": parameters,
        "inputs": {source: {"currentVersionNumber": 1}} if source else {},
    }
    return StackSurvey(name, state, list(z_values), 4, [], (4.0, 4.0, 40.0), "2026", None, record if module else {})


def facts(chain, **changes):
    return Facts(
        **{
            "stack": chain[-1],
            "chain": list(chain),
            "tiles_in_section": 4,
            "mipmap_levels": 3,
            "within": [],
            "between": [],
            **changes,
        }
    )


def modules_of(steps):
    return [command[1] if command[0] == "run" else command[0] for step in steps for command in step.commands]


def ask(chain=(), **changes):
    found = ProjectSurvey("me", "first", list(chain), [])
    return next_steps(found, facts(chain, **changes) if chain else None, CONNECTION)


RAW = stack("raw", "dataimport.import_image_directory")
MONTAGE = stack("montage", "solver.solve_transforms", source="raw", solve_type="montage")
VOLUME = stack("volume", "solver.solve_transforms", source="montage", solve_type="3D")


def test_nothing_yet():
    assert modules_of(ask()) == ["dataimport.import_image_directory", "list"]


def test_images_come_first():
    assert modules_of(ask([RAW], mipmap_levels=1))[0] == "dataimport.generate_mipmaps"


def test_the_way_to_a_montage():
    assert modules_of(ask([RAW]))[:3] == [
        "pointmatch.create_tilepairs",
        "pointmatch.generate_point_matches",
        "stitching.stitch_section",
    ]
    look, place = ask([RAW], within=["m", "n"])[:2]
    assert look.commands[0][1:4] == ["pointmatch.qc_point_matches", "--input_collections", "m,n"]
    solve = place.commands[0]
    assert solve[:2] == ["run", "solver.solve_transforms"]
    assert solve[solve.index("--match_collections") + 1] == "m,n"
    assert solve[solve.index("--solve_type") + 1] == "montage"


def test_the_way_to_a_volume():
    steps = ask([RAW, MONTAGE], within=["m"])
    assert modules_of(steps)[:3] == ["report", "pointmatch.create_tilepairs", "pointmatch.generate_point_matches"]
    solve = ask([RAW, MONTAGE], within=["m"], between=["m", "s"])[2].commands[0]
    assert solve[solve.index("--match_collections") + 1] == "m,s"
    assert solve[solve.index("--solve_type") + 1] == "3D"


def test_a_stitched_section_is_a_montage():
    stitched = stack("montage", "stitching.stitch_section", source="raw")
    assert modules_of(ask([RAW, stitched])) == modules_of(ask([RAW, MONTAGE]))


def test_a_section_alone_is_done_with_its_montage():
    one = stack("montage", "solver.solve_transforms", z_values=[1.0], solve_type="montage")
    assert modules_of(ask([one], within=["m"]))[:2] == ["report", "materialize.render_volume"]


def test_sections_of_one_tile_need_no_montage():
    assert modules_of(ask([RAW], tiles_in_section=1))[0] == "pointmatch.create_tilepairs"
    assert "--excludeSameLayerNeighbors" in ask([RAW], tiles_in_section=1)[0].commands[0]


def test_a_volume_is_judged_and_drawn():
    steps = ask([RAW, MONTAGE, VOLUME], within=["m"], between=["s"])
    assert modules_of(steps) == ["report", "materialize.render_volume", "serve"]
    assert steps[0].commands[0] == ["report", "me/first", "--host", "a.db", "--after", "volume"]


def test_what_was_left_unfinished():
    steps = ask([stack("half", "tile.flip_tiles", state="LOADING"), RAW])
    assert "tile.flip_tiles is still writing it, or was stopped, or failed" in steps[0].why
    assert steps[0].commands[0] == ["report", "me/first", "--host", "a.db", "--after", "half"]
    assert modules_of(steps)[1] == "stack.manage_stack"


def output_of(command, name="--output_stack"):
    return command[command.index(name) + 1]


def test_names_of_steps_replace_each_other():
    reduced = stack("raw_mipmaps", "dataimport.generate_mipmaps", source="raw")
    montage = stack("raw_montage", "solver.solve_transforms", source="raw_mipmaps", solve_type="montage")
    assert output_of(ask([RAW, reduced], within=["m"])[1].commands[0]) == "raw_montage"
    assert output_of(ask([RAW, reduced, montage], between=["m"])[2].commands[0]) == "raw_aligned"


def test_names_that_are_taken():
    found = ProjectSurvey("me", "first", [stack("raw_montage"), RAW], [CollectionSurvey("montage", 3)])
    pairs, stitching = next_steps(found, facts([RAW]), CONNECTION)[:2]
    assert output_of(pairs.commands[1], "--output_collection") == "first_montage"
    assert output_of(stitching.commands[0]) == "raw_montage_2"
    assert output_of(stitching.commands[0], "--output_collection") == "first_montage"


def test_the_connection_is_filled_in():
    lines = list(ask()[0].lines())
    assert lines[1].startswith("  rendermodules run dataimport.import_image_directory ")
    assert lines[1].endswith("--render.host a.db --render.owner me --render.project first")


def test_what_the_environment_says_is_not_repeated(monkeypatch):
    monkeypatch.setenv("RENDER_HOST", "a.db")
    monkeypatch.setenv("RENDER_OWNER", "somebody")
    line = list(ask()[0].lines())[1]
    assert line.endswith("--output_stack raw --render.owner me --render.project first")


EVERY_STATE = [
    ask(chain, within=within, between=between, mipmap_levels=levels, tiles_in_section=tiles)
    for chain, within, between, levels, tiles in itertools.product(
        [[RAW], [RAW, MONTAGE], [RAW, MONTAGE, VOLUME], [stack("half", state="LOADING"), RAW]],
        [[], ["m"]],
        [[], ["s"]],
        [1, 3],
        [1, 4],
    )
]


@pytest.mark.parametrize("module", sorted({m for steps in EVERY_STATE for m in modules_of(steps) if "." in m}))
def test_modules_and_their_options_exist(module):
    known = find_module(module).load().default_schema().fields
    for steps in EVERY_STATE:
        for command in (command for step in steps for command in step.commands if command[:2] == ["run", module]):
            options = {word[2:].split(".")[0] for word in command if word.startswith("--")}
            assert options <= set(known), command
