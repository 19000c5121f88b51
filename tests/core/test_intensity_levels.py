import pytest

from rendermodules.core.intensity_levels import owners_by_channel, shown_range, with_intensities, with_ranges
from rendermodules.core.sections import Section


def section():
    channels = [{"name": name, "mipmapLevels": {}, "maxIntensity": 9.0} for name in "AB"]
    both = {"tileId": "both", "mipmapLevels": {"0": {}}, "channels": channels}
    return Section(1.0, [both, {"tileId": "plain", "mipmapLevels": {"0": {}}, "minIntensity": 3.0}])


def levels(owner):
    return owner.get("minIntensity"), owner.get("maxIntensity")


def test_the_same_intensities_for_tiles_and_channels():
    both, plain = with_intensities(section(), 1.0, 60000.0, None).tiles
    assert levels(both) == levels(plain) == (1.0, 60000.0)
    assert [levels(channel) for channel in both["channels"]] == [(1.0, 60000.0)] * 2


def test_what_is_not_given_stays():
    both, plain = with_intensities(section(), None, 5.0, ["B"]).tiles
    assert levels(both) == (None, None)
    assert levels(plain) == (3.0, None)
    assert [levels(channel) for channel in both["channels"]] == [(None, 9.0), (None, 5.0)]


def test_a_range_for_each_channel():
    both, plain = with_ranges(section(), {None: (1.0, 2.0), "A": (3.0, 4.0)}).tiles
    assert levels(both) == levels(plain) == (1.0, 2.0)
    assert [levels(channel) for channel in both["channels"]] == [(3.0, 4.0), (None, 9.0)]


def test_owners_by_channel():
    owners = owners_by_channel(section(), None)
    assert {name: len(found) for name, found in owners.items()} == {None: 2, "A": 1, "B": 1}
    assert set(owners_by_channel(section(), ["B"])) == {"B"}
    with pytest.raises(ValueError, match="no tile has the channel C"):
        owners_by_channel(section(), ["C"])


def test_the_range_that_all_tiles_of_a_channel_are_shown_in():
    assert shown_range(section(), "A") == (0.0, 9.0)
    assert shown_range(section(), None) == (0.0, 65535.0)
    ranged = with_ranges(section(), {None: (1.0, 2.0), "A": (3.0, 4.0)})
    assert shown_range(ranged, None) == (1.0, 2.0)
    assert shown_range(ranged, "A") == (3.0, 4.0)
    assert shown_range(Section(1.0, []), "A") == (0.0, 65535.0)
