import marshmallow
import pytest

from rendermodules.core.sections import Section
from rendermodules.core.transforms import Affine
from rendermodules.module import stacks
from rendermodules.stitching import DetectStitchingMistakes

LENS = {
    "type": "leaf",
    "id": "lens",
    **{key: Affine([[1, 0, 0], [0, 1, 0]]).spec()[key] for key in ("className", "dataString")},
}


@pytest.fixture
def detect(render_parameters, write_stack, tile_spec):
    """Run the module on a row of tiles a to e at z 1 and 2; at z 1 stitching has moved d and lost e."""

    def row(z, moves, names="abcde"):
        tiles = []
        for number, name in enumerate(names):
            move = moves.get(name, 0.0)
            place = Affine([[1.0, 0.0, 18.0 * number], [0.0, 1.0, move]]).spec()
            tiles.append(tile_spec(f"{z}{name}", z, {"type": "ref", "refId": "lens"}, place))
        return Section(z, tiles, {"lens": LENS})

    write_stack("raw", row(1.0, {}), row(2.0, {}))
    write_stack("montage", row(1.0, {"d": 7.0}, "abcd"), row(2.0, {}))

    def run(**parameters):
        common = {"render": render_parameters, "input_stack": "montage", "prestitched_stack": "raw"}
        given = {**common, "distance_threshold": 5.0, **parameters}
        return DetectStitchingMistakes({key: value for key, value in given.items() if value is not None}).run()

    return run


def names(section):
    return [tile["tileId"] for tile in section.tiles]


def test_what_went_astray_is_dropped_and_reported(detect, sections_of):
    result = detect(output_stack="good")
    good = sections_of("good")
    assert names(good[1.0]) == ["1.0a", "1.0b", "1.0c"]
    assert good[2.0] == sections_of("montage")[2.0]
    assert good[1.0].transforms.keys() == {"lens"}
    first, second = result["sections"]
    assert first["dropped"] == {"moved in another way than the others": ["1.0d"]}
    assert (first["missing"], first["component_sizes"]) == (["1.0e"], [3, 1])
    assert first["wrong_pairs"] == [{"p": "1.0c", "q": "1.0d", "distance": pytest.approx(7.0)}]
    assert second["dropped"] == {}
    assert (result["tile_count"], result["zValues"]) == (8, [1.0, 2.0])


def test_nothing_is_written_unless_it_is_asked_for(detect, render):
    before = stacks.stack_names(render)
    assert detect()["tile_count"] == 8
    assert detect(output_stack="good", dry_run=True)["tile_count"] == 8
    assert stacks.stack_names(render) == before


def test_in_place(detect, sections_of):
    detect(output_stack="montage")
    assert names(sections_of("montage")[1.0]) == ["1.0a", "1.0b", "1.0c"]


def test_tiles_at_the_border(detect, sections_of):
    result = detect(prestitched_stack=None, min_neighbors=2, output_stack="inner", minZ=2)
    assert names(sections_of("inner")[2.0]) == ["2.0b", "2.0c", "2.0d"]
    assert result["sections"][0]["dropped"] == {"are at the border": ["2.0a", "2.0e"]}


def test_a_section_of_which_nothing_is_left(detect, sections_of):
    result = detect(prestitched_stack=None, min_neighbors=9, output_stack="none", z=1, close_stack=False)
    assert result["skipped"] == [{"z": 1.0, "reason": "no tile is left"}]


def test_unknown_tiles_cannot_be_judged(detect, write_stack, tile_spec):
    write_stack("other", Section(1.0, [tile_spec("1.0a", 1.0)]))
    result = detect(prestitched_stack="other", z=1)
    assert result["sections"][0]["dropped"] == {"are not in the prestitched stack": ["1.0b", "1.0c", "1.0d"]}


def test_there_must_be_something_to_look_for(detect):
    with pytest.raises(marshmallow.ValidationError, match="prestitched_stack, or min_neighbors"):
        detect(prestitched_stack=None)


def test_workers_and_a_killed_run(detect, killed_runs):
    assert detect(pool_size=2)["sections"] == detect()["sections"]
    *killed, (_, undisturbed) = killed_runs(
        "stitching.detect_stitching_mistakes",
        input_stack="montage",
        prestitched_stack="raw",
        output_stack="montage",
        distance_threshold=5.0,
    )
    assert len(killed) > 3
    assert all(after == undisturbed for _, after in killed)
