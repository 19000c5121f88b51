import itertools
import json

import numpy as np
import pytest

from rendermodules.core.pointmatches import canvas_matches, point_matches
from rendermodules.core.sections import Section
from rendermodules.core.solve.tile_table import FrameRule, joined_tables, tile_table
from rendermodules.module import matches
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.solve_inputs import SolveInputs, read_section

POINTS = np.array([[1.0, 2.0]])


def found(p, q):
    return point_matches(p, q, POINTS, POINTS)


@pytest.fixture
def inputs(render, render_parameters, write_stack, tile_spec):
    """Stack of two sections, of which one has two section ids, and matches of all kinds."""
    tiles = [tile_spec(name, 1.0) for name in "ab"]
    tiles[1]["layout"]["sectionId"] = "1.1"
    write_stack("raw", Section(1.0, tiles), Section(2.0, [tile_spec("c", 2.0)]))
    pairs = [
        found(("1.0", "a"), ("1.1", "b")),
        found(("1.0", "a"), ("1.0", "x")),
        found(("1.1", "b"), ("2.0", "c")),
        found(("2.0", "c"), ("2.0", "y")),
    ]
    matches.write_matches(matches.match_collection(render, "found"), pairs)
    return SolveInputs(render_parameters, "raw", collections=("found",))


def pairs_of(tables):
    """Return the tile ids of all pairs of tables."""
    return sorted((p, q) for one in tables for (_, p), (_, q) in zip(one.p_canvases, one.q_canvases, strict=True))


def test_matches_of_a_section_are_those_of_all_its_groups(inputs):
    section, table, within = read_section(inputs, 1.0, FrameRule())
    assert section.z == 1.0
    assert table.groups == ["1.0", "1.1"]
    assert pairs_of([within]) == [("a", "b"), ("a", "x")]


@pytest.mark.parametrize(
    ("depths", "pairs"),
    [
        (None, [("a", "b"), ("a", "x"), ("b", "c"), ("c", "y")]),
        ([0.0], [("a", "b"), ("a", "x"), ("c", "y")]),
        ([1.0], [("b", "c")]),
        ([5.0], []),
    ],
)
def test_only_depths_that_are_wanted_are_read(inputs, depths, pairs):
    table = joined_tables([tile_table(inputs.section(z), FrameRule()) for z in (1.0, 2.0)])
    found = [inputs.matches_of_groups(groups) for groups in inputs.groups_of_stack(table, depths)]
    assert pairs_of(found) == pairs


def test_sections_between_whole_numbers_are_read(render, render_parameters, write_stack, tile_spec):
    zs = (0.1, 0.2, 0.3)
    write_stack("raw", *(Section(z, [tile_spec(f"t{z}", z)]) for z in zs))
    pairs = [found((str(z), f"t{z}"), (str(next_z), f"t{next_z}")) for z, next_z in itertools.pairwise(zs)]
    matches.write_matches(matches.match_collection(render, "found"), pairs)
    inputs = SolveInputs(render_parameters, "raw", collections=("found",))
    table = joined_tables([tile_table(inputs.section(z), FrameRule()) for z in zs])
    read = [inputs.matches_of_groups(groups) for groups in inputs.groups_of_stack(table, [0.1])]
    assert pairs_of(read) == [("t0.1", "t0.2"), ("t0.2", "t0.3")]


def test_a_file_that_was_changed_is_read_again(tmp_path):
    file = tmp_path / "matches.json"
    inputs = SolveInputs(None, None, match_files=(str(file),))
    pairs = [found(("1", "a"), ("1", "b")), found(("1", "b"), ("1", "c")), found(("2", "d"), ("2", "e"))]
    for count in (1, 2, 3):
        file.write_text(json.dumps([canvas_matches(one) for one in pairs[:count]]))
        assert len(inputs.matches_of_files(["b"])) == min(count, 2)


def test_sections_of_files(tmp_path, tile_spec):
    for z in (1.0, 2.0):
        (tmp_path / f"{z}.json").write_text(json.dumps([tile_spec(f"t{z}", z)]))
    inputs = SolveInputs(None, None, tile_files=tuple(str(tmp_path / f"{z}.json") for z in (1.0, 2.0)))
    assert inputs.z_values({}) == [1.0, 2.0]
    assert inputs.section(2.0).tiles[0]["tileId"] == "t2.0"
    with pytest.raises(RenderModuleError, match=r"they have z 1.0, 2.0"):
        inputs.z_values({"z": 3.0})
