import marshmallow
import pytest

from rendermodules.core.sections import Section
from rendermodules.module import stacks
from rendermodules.module.errors import RenderModuleError, SectionError
from rendermodules.stack import MergeChannels

STAGE = {"type": "leaf", "className": "mpicbg.trakem2.transform.AffineModel2D", "dataString": "1 0 0 1 30 40"}
REFERENCE = {"type": "ref", "refId": "lens"}
LENS = {**STAGE, "id": "lens"}


@pytest.fixture
def acquired(write_stack, tile_spec):
    """Two stains of one session at two z, one of them without one tile; another session with channels."""

    def tiles(stain, z, frames, **more):
        return [
            tile_spec(f"{stain}_{z}_{frame}", z, image=f"file:/my%20data/{stain}_S0001_F{frame:04d}_Z00.tif", **more)
            for frame in frames
        ]

    base = [
        Section(
            z,
            [
                {**tile, "transforms": {"type": "list", "specList": [REFERENCE, STAGE]}}
                for tile in tiles("MBP", z, range(3))
            ],
            {"lens": LENS},
        )
        for z in (1.0, 2.5)
    ]
    write_stack("MBP", *base, stackResolutionX=100.0)
    write_stack("DAPI", *[Section(z, tiles("DAPI", z, range(3), maxIntensity=60000.0)) for z in (1.0, 2.5)])
    write_stack("PSD", Section(1.0, tiles("PSD", 1.0, [0, 2])))
    channels = [
        {"name": name, "minIntensity": 0.0, "maxIntensity": 9.0, "mipmapLevels": {"0": {"imageUrl": name}}}
        for name in ("GFP", "TdTomato")
    ]
    write_stack("second", *[Section(z, tiles("x", z, range(3), channels=channels)) for z in (1.0, 2.5)])


@pytest.fixture
def run(render_parameters):
    return lambda **parameters: MergeChannels(
        {"render": render_parameters, "input_stack": "MBP", "output_stack": "all", **parameters}
    ).run()


def names(section):
    return [[channel["name"] for channel in tile.get("channels", [])] for tile in section.tiles]


def test_channels_of_two_sessions_in_one_stack(run, acquired, sections_of, render):
    entries = [
        {"stack": "MBP", "channel": "MBP"},
        {"stack": "DAPI", "channel": "DAPI_1"},
        {"stack": "second", "suffix": "_2"},
    ]
    result = run(channel_stacks=entries, pool_size=2)
    assert (result["zValues"], result["tile_count"]) == ([1.0, 2.5], 6)
    before, after = sections_of("MBP"), sections_of("all")
    for z, section in after.items():
        assert names(section) == [["DAPI_1", "MBP", "GFP_2", "TdTomato_2"]] * 3
        assert section.transforms == {"lens": LENS}
        assert [{**tile, "channels": None} for tile in section.tiles] == [
            {**tile, "channels": None} for tile in before[z].tiles
        ]
        assert section.tiles[2]["channels"][0]["mipmapLevels"]["0"]["imageUrl"].endswith("DAPI_S0001_F0002_Z00.tif")
        assert section.tiles[2]["channels"][0]["maxIntensity"] == 60000.0
    metadata = stacks.stack_metadata(render, "all")
    assert metadata["currentVersion"]["stackResolutionX"] == 100.0
    assert set(metadata["stats"]["channelNames"]) == {"DAPI_1", "MBP", "GFP_2", "TdTomato_2"}
    assert set(result["provenance"]["inputs"]) == {"MBP", "DAPI", "second"}


def test_what_is_missing_is_named_or_left_out(run, acquired, sections_of, render):
    entries = [{"stack": "PSD", "channel": "PSD95"}]
    with pytest.raises(RenderModuleError, match=r"stack PSD has no section at z 2\.5; missing_tiles skip"):
        run(channel_stacks=entries)
    assert "all" not in stacks.stack_names(render)
    with pytest.raises(SectionError, match=r"section z=1.0 of MBP: .*without a partner in PSD: MBP_1\.0_1"):
        run(channel_stacks=entries, z=1.0)
    run(channel_stacks=entries, missing_tiles="skip")
    assert {z: names(section) for z, section in sections_of("all").items()} == {
        1.0: [["PSD95"], [], ["PSD95"]],
        2.5: [[], [], []],
    }


def test_a_stack_that_does_not_exist_is_refused(run, acquired):
    with pytest.raises(RenderModuleError, match="stack GFP does not exist"):
        run(channel_stacks=[{"stack": "GFP", "channel": "GFP"}], missing_tiles="skip")


@pytest.mark.parametrize("pattern", ["_F(", "_F", "(_)F(.)"])
def test_what_is_no_frame_pattern_is_refused(run, pattern):
    with pytest.raises(marshmallow.ValidationError, match="frame_pattern"):
        run(channel_stacks=[{"stack": "a"}], frame_pattern=pattern)


def test_old_spellings(render_parameters):
    common = {"render": render_parameters, "base_stack": "b", "output_stack": "o"}
    with pytest.warns(FutureWarning):
        args = MergeChannels({**common, "channel_stacks": {"DAPI": "d", "GFP": "g"}}).args
    assert [(one["channel"], one["stack"]) for one in args["channel_stacks"]] == [("DAPI", "d"), ("GFP", "g")]
    assert (args["input_stack"], args["keep_channels"]) == ("b", True)
    with pytest.warns(FutureWarning):
        args = MergeChannels({**common, "session_stacks": [{"stack": "s", "channel_suffix": "_1"}]}).args
    assert args["channel_stacks"][0] == {"stack": "s", "channel": None, "suffix": "_1"}
    assert args["keep_channels"] is False
