import pytest

from rendermodules.core.image_owners import with_image_owners, with_levels
from rendermodules.core.sections import Section


def owner(image, levels=(0,), **more):
    return {"mipmapLevels": {str(level): {"imageUrl": f"{image}{level}"} for level in levels}, **more}


def section():
    plain = owner("plain", tileId="plain")
    both = owner("both", tileId="both", channels=[owner("A", name="A"), owner("B", name="B")])
    only = {"tileId": "only", "channels": [owner("B", name="B")]}
    return Section(1.0, [plain, both, only])


def marked(tile, part):
    return {**part, "mark": tile["tileId"]}


def marks(tile):
    return tile.get("mark"), [channel.get("mark") for channel in tile.get("channels", [])]


def test_all_images_of_a_tile_are_changed_by_default():
    changed = with_image_owners(section(), marked, None)
    assert [marks(tile) for tile in changed.tiles] == [("plain", []), ("both", ["both", "both"]), (None, ["only"])]
    assert with_image_owners(section(), lambda tile, part: part, None) == section()


def test_chosen_channels_alone():
    changed = with_image_owners(section(), marked, ["B"])
    assert [marks(tile) for tile in changed.tiles] == [(None, []), (None, [None, "both"]), (None, ["only"])]


def test_unknown_channels_are_named():
    with pytest.raises(ValueError, match="no tile has the channel C; there are A, B"):
        with_image_owners(section(), marked, ["A", "C"])


def test_levels_are_changed_in_their_order_and_dropped():
    seen = []

    def change(level, image):
        seen.append(level)
        return None if level == 2 else {**image, "maskUrl": "m"}

    changed = with_levels(owner("x", levels=(10, 0, 2)), change)
    assert seen == [0, 2, 10]
    assert list(changed["mipmapLevels"]) == ["0", "10"]
    assert changed["mipmapLevels"]["10"] == {"imageUrl": "x10", "maskUrl": "m"}
