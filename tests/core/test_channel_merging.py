import pytest

from rendermodules.core.channel_merging import ChannelSource, with_channels_merged
from rendermodules.core.problems import InputError
from rendermodules.core.sections import Section
from rendermodules.core.tile_partners import tile_key


def tile(tile_id, frame, **more):
    url = f"file:/data/my%20ribbon_F0009/{tile_id}_S0001_F{frame:04d}_Z00.tif"
    return {"tileId": tile_id, "z": 1.0, "width": 9.0, "height": 5.0, "mipmapLevels": {"0": {"imageUrl": url}}, **more}


def channel(name, **more):
    return {"name": name, "minIntensity": 1.0, "maxIntensity": 2.0, "mipmapLevels": {"0": {"imageUrl": name}}, **more}


def merged(base, *others, sources, **options):
    defaults = {
        "key": tile_key("frame", r"_F(\d+)"),
        "keep_channels": True,
        "first_channel": "DAPI",
        "missing_ok": False,
    }
    sections = [Section(1.0, tiles) for tiles in (base, *others)]
    return with_channels_merged(*sections, sources=sources, **{**defaults, **options}).tiles


def test_single_images_become_named_channels_of_the_tile_with_their_frame_number():
    base = [tile("b0", 0), tile("b12", 12)]
    psd = [tile("p12", 12, minIntensity=3.0, maxIntensity=60000.0, mipmapPathBuilder={"rootPath": "/m"}), tile("p0", 0)]
    dapi = [tile("d0", 0), tile("d12", 12)]
    tiles = merged(base, psd, dapi, sources=[ChannelSource("psd", "PSD95"), ChannelSource("dapi", "my DAPI_1")])
    assert [one["name"] for one in tiles[1]["channels"]] == ["my DAPI_1", "PSD95"]
    assert tiles[1]["channels"][1] == {
        "name": "PSD95",
        "minIntensity": 3.0,
        "maxIntensity": 60000.0,
        "mipmapLevels": psd[0]["mipmapLevels"],
        "mipmapPathBuilder": {"rootPath": "/m"},
    }
    assert (tiles[0]["channels"][0]["minIntensity"], tiles[0]["channels"][0]["maxIntensity"]) == (0.0, 255.0)
    assert tiles[0]["mipmapLevels"] == base[0]["mipmapLevels"]


def test_channels_of_several_sessions_are_told_apart_by_suffixes():
    first = [tile("a", 1, channels=[channel("DAPI"), channel("GFP")])]
    second = [tile("b", 1, channels=[channel("GFP"), channel("TdT"), channel("DAPI")])]
    sources = [ChannelSource("one", suffix="_1"), ChannelSource("two", suffix="_2")]
    (together,) = merged(first, first, second, sources=sources, keep_channels=False)
    assert [one["name"] for one in together["channels"]] == ["DAPI_1", "DAPI_2", "GFP_1", "GFP_2", "TdT_2"]
    (chosen,) = merged(first, second, sources=[ChannelSource("two", "TdT")], first_channel=None)
    assert [one["name"] for one in chosen["channels"]] == ["DAPI", "GFP", "TdT"]


def test_section_ids_tell_tiles_of_one_frame_number_apart():
    base = [tile(f"b{n}", 1, layout={"sectionId": n}) for n in "12"]
    other = [tile(f"o{n}", 1, layout={"sectionId": n}) for n in "21"]
    tiles = merged(base, other, sources=[ChannelSource("other", "X")])
    assert ["o1" in tiles[0]["channels"][0]["mipmapLevels"]["0"]["imageUrl"]] == [True]
    with pytest.raises(InputError, match="several partners in other: b1, b2"):
        merged([tile("b1", 1), tile("b2", 1)], other, sources=[ChannelSource("other", "X")])


def test_all_that_does_not_fit_is_named_at_once():
    base = [tile("b1", 1), tile("b2", 2), tile("b3", 3, width=8.0)]
    other = [tile("o1", 1), tile("o3", 3)]
    sources = [ChannelSource("other", "X"), ChannelSource("same", "X")]
    with pytest.raises(InputError) as caught:
        merged(base, other, base, sources=sources)
    message = str(caught.value)
    assert "tiles without a partner in other: b2" in message
    assert "tiles of another size than their partners in other: b3" in message
    assert "several channels would be called X: b1, b3" in message
    tiles = merged(base[:2], other, sources=sources[:1], missing_ok=True)
    assert [len(one["channels"]) for one in tiles] == [1, 0]


def test_names_that_are_needed_or_not_there():
    with pytest.raises(InputError, match="without channels, so that a name is needed: o"):
        merged([tile("b", 1)], [tile("o", 1)], sources=[ChannelSource("other")])
    with pytest.raises(InputError, match="without a channel X in other: o"):
        merged([tile("b", 1)], [tile("o", 1, channels=[channel("Y")])], sources=[ChannelSource("other", "X")])


def test_keys():
    by_layout, by_frame = tile_key("layout", ""), tile_key("frame", r"_F(\d+)")
    assert tile_key("tileId", "")(tile("a", 1)) == "a"
    assert by_layout(tile("a", 1, layout={"imageRow": 2, "imageCol": 3})) == (2, 3)
    assert by_frame({"tileId": "c", "channels": [channel("A", mipmapLevels={"0": {"imageUrl": "x_F007.tif"}})]}) == 7
    with pytest.raises(ValueError, match="tile a has no imageRow"):
        by_layout(tile("a", 1))
    with pytest.raises(ValueError, match=r"of tile b, img.tif, has no frame number"):
        by_frame({"tileId": "b", "mipmapLevels": {"0": {"imageUrl": "img.tif"}}})
