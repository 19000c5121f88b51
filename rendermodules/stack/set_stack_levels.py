"""Set the intensities that are shown black and white (``minIntensity``, ``maxIntensity``) of the tiles of a stack.

The same everywhere (mode fixed), or found in the images of each section and channel: mode auto, for fluorescence, puts
black a little below the most frequent intensity, and white where the falling end of the histogram has hardly a pixel
left; mode percentile leaves a few pixels on either side. A section gets the median of some of its images. A minimum or
maximum that is given wins over one that is found. Images are not changed.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from marshmallow import ValidationError, validates_schema

from rendermodules.core.image_owners import ImageOwner
from rendermodules.core.intensity import (
    Counts,
    IntensityRange,
    IntensityRangeError,
    background_range,
    median_range,
    percentile_range,
    sampled,
    value_counts,
)
from rendermodules.core.intensity_levels import owners_by_channel, with_intensities, with_ranges
from rendermodules.core.sections import Section, image_levels
from rendermodules.module.fields import Float, Int, Str
from rendermodules.module.render_module import SectionMapModule
from rendermodules.module.schemas import ChannelParameters, SectionMapParameters


class SetStackLevelsParameters(SectionMapParameters, ChannelParameters):
    """Parameters of set_stack_levels."""

    mode = Str(
        "fixed: minIntensity and maxIntensity for all; auto: found for each section and channel of images on a wide "
        "dark background; percentile: found from the share of darker pixels",
        default="fixed",
        choices=["fixed", "auto", "percentile"],
    )
    minIntensity = Float("pixel value to show black")
    maxIntensity = Float("pixel value to show white")
    num_samples = Int("number of images that are looked at in each section and channel", default=10, minimum=1)
    mip_level = Int("pyramid level of the images that are looked at, or the next finer one", default=0, minimum=0)
    bin_width = Int("for mode auto: width of the bins of the histogram; by default 128, and 1 for 8 bit", minimum=1)
    log_count_cut = Float("for mode auto: natural logarithm of a count of pixels that is as good as none", default=4.0)
    below_mode = Float(
        "for mode auto: how far black is below the most frequent intensity; by default 500, and 2 for 8 bit"
    )
    low_percentile = Float("for mode percentile: share of pixels shown black, in percent", default=0.5, minimum=0)
    high_percentile = Float(
        "for mode percentile: share of pixels not shown white, in percent", default=99.5, maximum=100
    )

    aliases: ClassVar[Mapping[str, str | None]] = {"output_directory": None}

    @validates_schema
    def check_levels(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what sets nothing, and levels that are upside down."""
        low, high = data.get("minIntensity"), data.get("maxIntensity")
        if data["mode"] == "fixed" and low is None and high is None:
            raise ValidationError("mode fixed needs minIntensity, maxIntensity or both", "mode")
        if low is not None and high is not None and low >= high:
            raise ValidationError("must be less than maxIntensity", "minIntensity")
        if data["low_percentile"] >= data["high_percentile"]:
            raise ValidationError("must be less than high_percentile", "low_percentile")


class _Finding(NamedTuple):
    """How levels are found in images."""

    channels: Sequence[str] | None
    minimum: float | None
    maximum: float | None
    mode: str
    num_samples: int
    mip_level: int
    bin_width: int | None
    log_count_cut: float
    below_mode: float | None
    percentiles: tuple[float, float]


def _levelled(section: Section, *, finding: _Finding) -> Section:
    ranges = {}
    for name, owners in owners_by_channel(section, finding.channels).items():
        try:
            low, high = median_range(_ranges(sampled(owners, finding.num_samples), finding))
        except IntensityRangeError as error:
            raise ValueError(f"no levels for {f'channel {name}' if name else 'the images'}: {error}") from None
        low = low if finding.minimum is None else finding.minimum
        high = high if finding.maximum is None else finding.maximum
        if low >= high:
            raise ValueError(f"the levels of {name or 'the images'} would be upside down: {low} and {high}")
        ranges[name] = (low, high)
    return with_ranges(section, ranges)


def _ranges(owners: Sequence[ImageOwner], finding: _Finding) -> list[IntensityRange]:
    """Return the levels of those of some images that show any."""
    ranges, reason = [], ""
    for owner in owners:
        try:
            ranges.append(_range(_counts(owner, finding.mip_level), finding))
        except IntensityRangeError as error:
            reason = str(error)
    if not ranges:
        raise IntensityRangeError(reason or "there are no images")
    return ranges


def _range(counts: Counts, finding: _Finding) -> IntensityRange:
    if finding.mode == "percentile":
        return percentile_range(counts, *finding.percentiles)
    is_8_bit = len(counts) == 256
    bin_width = finding.bin_width or (1 if is_8_bit else 128)
    below_mode = (2.0 if is_8_bit else 500.0) if finding.below_mode is None else finding.below_mode
    return background_range(counts, bin_width, finding.log_count_cut, below_mode)


def _counts(owner: ImageOwner, mip_level: int) -> Counts:
    """Return how often each intensity is in an image, where its mask shows it."""
    from rendermodules.io.images import ImageSource, read_image

    levels = dict(image_levels(owner))
    chosen = levels[max((level for level in levels if level <= mip_level), default=min(levels))]
    image, mask = ImageSource.of_level(chosen), ImageSource.of_level(chosen, "mask")
    if image is None:
        raise IntensityRangeError("a tile names no image")
    return value_counts(read_image(image), None if mask is None else read_image(mask))


class SetStackLevels(SectionMapModule):
    """Set the intensities that are shown black and white, fixed or found in the images."""

    default_schema = SetStackLevelsParameters

    def section_task(self) -> Callable[..., Section]:
        minimum, maximum, channels = (self.args[key] for key in ("minIntensity", "maxIntensity", "channels"))
        if self.args["mode"] == "fixed":
            return functools.partial(with_intensities, minimum=minimum, maximum=maximum, channel_names=channels)
        finding = _Finding(
            channels,
            minimum,
            maximum,
            percentiles=(self.args["low_percentile"], self.args["high_percentile"]),
            **{key: self.args[key] for key in _Finding._fields[3:-1]},
        )
        return functools.partial(_levelled, finding=finding)


if __name__ == "__main__":
    raise SystemExit(SetStackLevels.main())
