"""Which intensities of tiles and channels are shown black and white."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from rendermodules.core.image_owners import ImageOwner, with_image_owners
from rendermodules.core.sections import Section, TileSpec


def with_intensities(
    section: Section, minimum: float | None, maximum: float | None, channel_names: Sequence[str] | None
) -> Section:
    """Return the section with these intensities shown black and white.

    Parameters
    ----------
    section : Section
    minimum, maximum : float or None
        Of the pixels, in the range of the images; None leaves what the tiles have.
    channel_names : list of str or None
        The channels to change; None changes all, and the tiles themselves.

    Raises
    ------
    ValueError
        No tile has a channel that is named.
    """
    given = {"minIntensity": minimum, "maxIntensity": maximum}
    new = {key: value for key, value in given.items() if value is not None}

    def change(_: TileSpec, owner: ImageOwner) -> ImageOwner:
        return {**owner, **new}

    return with_image_owners(section, change, channel_names)


def with_ranges(section: Section, ranges: Mapping[str | None, tuple[float, float]]) -> Section:
    """Return the section with a minimum and a maximum intensity for each channel.

    ``ranges`` is by channel name; None is for what tiles hold outside of channels. What is not in it stays as it is.
    """

    def change(_: TileSpec, owner: ImageOwner) -> ImageOwner:
        # a tile has no name, a channel always has
        if owner.get("name") not in ranges:
            return owner
        low, high = ranges[owner.get("name")]
        return {**owner, "minIntensity": low, "maxIntensity": high}

    return with_image_owners(section, change, None)


def owners_by_channel(section: Section, channel_names: Sequence[str] | None) -> dict[str | None, list[ImageOwner]]:
    """Return what holds images of each channel, in the order of the tiles.

    Parameters
    ----------
    section : Section
    channel_names : list of str or None
        The channels to look at; None is all, and the tiles themselves under the key None.

    Raises
    ------
    ValueError
        No tile has a channel that is named.
    """
    owners: dict[str | None, list[ImageOwner]] = defaultdict(list)

    def gather(_: TileSpec, owner: ImageOwner) -> ImageOwner:
        owners[owner.get("name")].append(owner)
        return owner

    with_image_owners(section, gather, channel_names)
    return dict(owners)


def shown_range(section: Section, channel: str | None) -> tuple[float, float]:
    """Return the intensities between which all tiles of a section are shown, of one channel.

    Parameters
    ----------
    section : Section
    channel : str or None
        Its name; None is what tiles hold outside of channels, or their first channel.

    Returns
    -------
    (float, float)
        The least ``minIntensity`` and the greatest ``maxIntensity``; where there is none, Render's 0 and 65535.
    """
    by_channel = owners_by_channel(section, None)
    owners = by_channel.get(channel) or next(iter(by_channel.values()), [])
    least = min((owner.get("minIntensity", 0.0) for owner in owners), default=0.0)
    greatest = max((owner.get("maxIntensity", 65535.0) for owner in owners), default=65535.0)
    return float(least), float(greatest)
