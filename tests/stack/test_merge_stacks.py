import marshmallow
import pytest

from rendermodules.core.problems import InputError
from rendermodules.core.sections import Section
from rendermodules.module import stacks
from rendermodules.module.connection import connect
from rendermodules.module.errors import RenderModuleError, SectionError
from rendermodules.stack import MergeStacks

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"
LENS = {"type": "leaf", "id": "lens", "className": AFFINE, "dataString": "1 0 0 1 3 4"}
REFERENCE = {"type": "ref", "refId": "lens"}


@pytest.fixture
def two(write_stack, tile_spec):
    """Stacks with z 1, 2 and 2, 3.5, the same lens, and no tile id in common."""
    for name, zs in (("a", (1.0, 2.0)), ("b", (2.0, 3.5))):
        sections = [Section(z, [tile_spec(f"{name} ö{z}", z, REFERENCE)], {"lens": LENS}) for z in zs]
        write_stack(name, *sections, stackResolutionX=3.0 if name == "a" else 4.0)


@pytest.fixture
def run(render_parameters):
    return lambda **parameters: MergeStacks(
        {"render": render_parameters, "output_stack": "ab", "stacks": ["a", "b"], **parameters}
    ).run()


@pytest.fixture
def ids(sections_of):
    """Function from a stack to the tile ids of each z."""

    def of(stack="ab"):
        return {z: [tile["tileId"] for tile in section.tiles] for z, section in sections_of(stack).items()}

    return of


def test_sections_of_one_z_come_together(run, two, ids, sections_of, render, caplog):
    result = run(pool_size=2)
    assert (result["zValues"], result["tile_count"]) == ([1.0, 2.0, 3.5], 4)
    assert ids() == {1.0: ["a ö1.0"], 2.0: ["a ö2.0", "b ö2.0"], 3.5: ["b ö3.5"]}
    assert all(section.transforms == {"lens": LENS} for section in sections_of("ab").values())
    assert "differ in resolution" in caplog.text
    assert stacks.stack_metadata(render, "ab")["currentVersion"]["stackResolutionX"] == 3.0


def test_intersection_ranges_and_metadata(run, two, ids, render):
    run(z_set="intersection", metadata_from="b")
    assert ids() == {2.0: ["a ö2.0", "b ö2.0"]}
    assert stacks.stack_metadata(render, "ab")["currentVersion"]["stackResolutionX"] == 4.0
    run(stacks=[{"stack": "a", "maxZ": 1}, {"stack": "b", "zValues": [3.5]}], output_stack="parts")
    assert ids("parts") == {1.0: ["a ö1.0"], 3.5: ["b ö3.5"]}


def test_consecutive_with_section_ids(run, two, ids, sections_of):
    run(z_mode="consecutive", first_z=10, remap_sectionId=True)
    assert ids() == {10.0: ["a ö1.0"], 11.0: ["a ö2.0"], 12.0: ["b ö2.0"], 13.0: ["b ö3.5"]}
    assert sections_of("ab")[12.0].tiles[0]["layout"]["sectionId"] == "12.0"


def test_stacks_of_another_project(run, two, ids, render_parameters, tile_spec):
    elsewhere = connect({**render_parameters, "project": "other"})
    stacks.open_stack(elsewhere, "a", {})
    stacks.write_section(elsewhere, "a", Section(7.0, [tile_spec("theirs", 7.0)]))
    stacks.close_stack(elsewhere, "a")
    run(stacks=[{"stack": "a"}, {"stack": "a", "project": "other"}])
    assert ids()[7.0] == ["theirs"]


@pytest.fixture
def colliding(write_stack, tile_spec):
    """Stacks with a tile of the same id at different z."""
    write_stack("a", Section(1.0, [tile_spec("same", 1.0), tile_spec("a", 1.0)]))
    write_stack("b", Section(2.0, [tile_spec("same", 2.0), tile_spec("b", 2.0)]))


def test_tiles_of_one_id_are_refused_or_those_of_one_stack_stay(run, colliding, ids, render):
    with pytest.raises(InputError, match="tiles of the same id: in a and b: same"):
        run()
    assert "ab" not in stacks.stack_names(render)
    run(duplicates="first", output_stack="first")
    assert ids("first") == {1.0: ["a", "same"], 2.0: ["b"]}
    run(duplicates="last", output_stack="last")
    assert ids("last") == {1.0: ["a"], 2.0: ["b", "same"]}


@pytest.fixture
def differing(write_stack, tile_spec):
    """Stacks whose shared transforms have one id and differ, and whose tiles have one id."""
    other = {**LENS, "dataString": "1 0 0 1 9 9"}
    write_stack("a", Section(1.0, [tile_spec("same", 1.0, REFERENCE)], {"lens": LENS}))
    write_stack("b", Section(2.0, [tile_spec("same", 2.0, REFERENCE)], {"lens": other}))


def test_shared_transforms_that_differ_are_refused(run, differing, render):
    with pytest.raises(SectionError, match=r"section z=2.0 of b: stack ab has other shared transforms of the ids lens"):
        run(duplicates="last")
    assert stacks.stack_metadata(render, "ab")["state"] == "LOADING"


def test_suffixes_tell_ids_apart(run, differing, ids, sections_of):
    run(stacks=[{"stack": "a"}, {"stack": "b", "suffix": "_b"}])
    assert ids() == {1.0: ["same"], 2.0: ["same_b"]}
    assert sections_of("ab")[2.0].transforms == {"lens_b": {**LENS, "id": "lens_b", "dataString": "1 0 0 1 9 9"}}


def test_overwriting_removes_what_the_output_had(run, two, ids, write_stack, tile_spec):
    write_stack("ab", Section(2.0, [tile_spec("old", 2.0)]), Section(9.0, [tile_spec("kept", 9.0)]))
    run(overwrite_zlayer=True)
    assert ids()[2.0] == ["a ö2.0", "b ö2.0"]
    assert ids()[9.0] == ["kept"]


def test_refusals(run, two):
    with pytest.raises(RenderModuleError, match="a is read, so it cannot be the output"):
        run(output_stack="a")
    with pytest.raises(RenderModuleError, match="no z is in all stacks"):
        run(stacks=[{"stack": "a", "z": 1}, {"stack": "b"}], z_set="intersection")
    with pytest.raises(marshmallow.ValidationError, match="is none of the stacks a, b"):
        run(metadata_from="c")
    with pytest.raises(marshmallow.ValidationError, match="name the stacks"):
        run(stacks=[])
    with pytest.raises(marshmallow.ValidationError, match="names 1 projects for 2 stacks"):
        run(stacks="a,b", input_projects="p")


@pytest.mark.parametrize(
    ("old", "expected"),
    [
        ({"stack1": "x", "stack2": "y", "zmin": 1, "z_intersection": True}, [("x", None, 1.0), ("y", None, 1.0)]),
        ({"stacks": ["x", "y"]}, [("x", None, None), ("y", None, None)]),
        (
            {
                "input_stacks": "x, y",
                "input_projects": "p,q",
                "output_project": "r",
                "output_directory": "/",
                "adjust_z": True,
            },
            [("x", "p", None), ("y", "q", None)],
        ),
    ],
)
def test_old_keys(render_parameters, old, expected, recwarn):
    args = MergeStacks({"render": render_parameters, "output_stack": "new", **old}).args
    assert [(one["stack"], one["project"], one["minZ"]) for one in args["stacks"]] == expected
    assert args["z_set"] == ("intersection" if "z_intersection" in old else "union")
    assert args["z_mode"] == ("consecutive" if "adjust_z" in old else "keep")
    assert args["render"]["project"] == old.get("output_project", render_parameters["project"])
    assert any(one.category is FutureWarning for one in recwarn) or "stacks" in old


@pytest.mark.parametrize(
    "argv",
    [
        ["--stacks", "x,y"],
        ["--stacks", "x", "y"],
        ["--stacks", '["x", {"stack": "y"}]'],
        ["--stacks", '[{"stack": "x"}, {"stack": "y"}]', "--z_mode", "keep"],
    ],
)
def test_stacks_on_the_command_line(render_parameters, argv):
    connection = [text for key, value in render_parameters.items() for text in (f"--render.{key}", value)]
    args = MergeStacks(args=[*connection, "--output_stack", "new", *argv]).args
    assert [one["stack"] for one in args["stacks"]] == ["x", "y"]


@pytest.mark.parametrize("duplicates", ["first", "last"])
def test_a_run_that_is_killed_anywhere_is_completed_by_the_next(colliding, killed_runs, duplicates):
    runs = killed_runs("stack.merge_stacks", stacks=["a", "b"], output_stack="ab", duplicates=duplicates)
    assert len(runs) > 4
    merged = {z: [tile["tileId"] for tile in tiles] for z, (tiles, _) in runs[-1][1]["ab"].items()}
    assert merged == (
        {"1.0": ["a", "same"], "2.0": ["b"]} if duplicates == "first" else {"1.0": ["a"], "2.0": ["b", "same"]}
    )
    assert all(after == runs[-1][1] for _, after in runs)
