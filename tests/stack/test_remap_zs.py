import marshmallow
import pytest

from rendermodules.core.problems import InputError
from rendermodules.core.sections import Section
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError
from rendermodules.stack import RemapZs


@pytest.fixture
def raw(write_stack, tile_spec):
    sections = [Section(z, [tile_spec(f"t{z}", z), tile_spec(f"u{z}", z)]) for z in (1.0, 2.0, 2.5, 4.0)]
    write_stack("raw", *sections, stackResolutionZ=40.0)


@pytest.fixture
def run(render_parameters):
    return lambda **parameters: RemapZs({"render": render_parameters, "input_stack": "raw", **parameters}).run()


@pytest.fixture
def places(sections_of):
    """Function from a stack to z and section id of each tile."""

    def of(stack):
        tiles = [tile for section in sections_of(stack).values() for tile in section.tiles]
        return {tile["tileId"]: (tile["z"], tile["layout"]["sectionId"]) for tile in tiles if tile["tileId"][0] == "t"}

    return of


def test_a_list_pairs_in_the_order_that_is_given(run, raw, places, render):
    result = run(output_stack="new", zValues=[4.0, 1.0], new_zValues=[1.0, 26.25])
    assert result["zValues"] == [1.0, 26.25]
    assert places("new") == {"t4.0": (1.0, "4.0"), "t1.0": (26.25, "1.0")}
    assert stacks.stack_metadata(render, "new")["currentVersion"]["stackResolutionZ"] == 40.0


def test_sections_change_places_in_place(run, raw, places, render):
    run(output_stack="raw", zValues=[1.0, 2.0, 2.5], new_zValues=[2.0, 2.5, 1.0], remap_sectionId=True, pool_size=2)
    assert places("raw") == {"t1.0": (2.0, "2.0"), "t2.0": (2.5, "2.5"), "t2.5": (1.0, "1.0"), "t4.0": (4.0, "4.0")}
    assert stacks.stack_names(render) == ["raw"]


def test_squeeze_and_offset(run, raw, places):
    run(output_stack="squeezed", mode="squeeze")
    assert [z for z, _ in places("squeezed").values()] == [0.0, 1.0, 2.0, 3.0]
    run(output_stack="moved", mode="offset", offset=-0.5, minZ=2.0)
    assert [z for z, _ in places("moved").values()] == [1.5, 2.0, 3.5]


def test_section_ids_alone(run, raw, places):
    run(output_stack="raw", mode="identity", remap_sectionId=True, sectionId_format="S{z:06.2f}")
    assert places("raw")["t2.5"] == (2.5, "S002.50")


def test_overwriting_removes_what_was_at_the_new_z(run, raw, sections_of, tile_spec, write_stack):
    write_stack("new", Section(1.0, [tile_spec("old", 1.0)]), Section(11.0, [tile_spec("older", 11.0)]))
    run(output_stack="new", z=1.0, mode="offset", offset=10.0, overwrite_zlayer=True)
    assert {z: [tile["tileId"] for tile in section.tiles] for z, section in sections_of("new").items()} == {
        1.0: ["old"],
        11.0: ["t1.0", "u1.0"],
    }


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"new_zValues": [1.0, 2.0]}, "each of the 4 sections needs its new z, but there are 2"),
        ({"zValues": [1.0, 2.0], "new_zValues": [9.0, 9.0]}, r"the same new z more than once: 9.0 for 1.0, 2.0"),
        ({"zValues": [1.0, 1.0], "new_zValues": [8.0, 9.0]}, r"the same z in zValues more than once"),
        ({"zValues": [1.0, 2.0], "new_zValues": [4.0, 1.0], "output_stack": "raw"}, r"already has sections .* 4\.0"),
        (
            {"mode": "squeeze", "remap_sectionId": True, "sectionId_format": "same"},
            "the same section id more than once",
        ),
        ({"zValues": [3.0], "new_zValues": [1.0]}, r"no section at z 3\.0"),
    ],
)
def test_refused_before_anything_is_written(run, raw, render, parameters, message):
    with pytest.raises((InputError, RenderModuleError), match=message):
        run(**{"output_stack": "new", **parameters})
    assert stacks.stack_names(render) == ["raw"]


@pytest.mark.parametrize(
    "parameters",
    [{}, {"mode": "offset", "new_zValues": [1]}, {"mode": "identity"}, {"mode": "squeeze", "sectionId_format": "{}"}],
)
def test_parameters_without_effect_are_refused(run, parameters):
    with pytest.raises(marshmallow.ValidationError):
        run(output_stack="new", **parameters)


def test_old_keys(render_parameters):
    old = {"render": render_parameters, "inputStack": "raw", "outputStack": "new", "output_directory": "/tmp"}
    with pytest.warns(FutureWarning) as warned:
        args = RemapZs({**old, "mode": "squeeze"}).args
    assert (args["input_stack"], args["output_stack"]) == ("raw", "new")
    assert {str(one.message) for one in warned if one.category is FutureWarning} >= {
        "the parameter output_directory is no longer needed"
    }


def test_in_place_a_run_that_is_killed_anywhere_is_completed_by_the_next(raw, killed_runs):
    changes = {"zValues": [1.0, 2.0, 2.5], "new_zValues": [2.0, 2.5, 1.0]}
    runs = killed_runs("stack.remap_zs", input_stack="raw", output_stack="raw", **changes)
    assert len(runs) > 8
    old, new = runs[0][0]["raw"], runs[-1][1]
    assert [tile["tileId"] for tiles, _ in new["raw"].values() for tile in tiles if tile["tileId"][0] == "t"] == [
        "t2.5",
        "t1.0",
        "t2.0",
        "t4.0",
    ]
    for after_kill, after in runs:
        assert after == new
        assert after_kill.get("raw", old) in (old, new["raw"])
