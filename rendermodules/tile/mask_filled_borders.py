"""Hide the parts at the edges of images that were filled with one value and show nothing.

Programs that turn or correct an image before it is stored fill what is left at its edges, mostly with 0. In a montage
such borders cover what the tile below shows, as black wedges. Each image that has them gets a mask of its own, written
to ``mask_dir``, at every level of its pyramid; the images are not changed. Images without such borders keep what mask
they have, unless ``feather`` asks that all fade in from their edges, which should be less than half of the overlap.
Masks that are there already are made again only where the image is newer.
"""

import functools
from collections.abc import Callable

from rendermodules.core.image_owners import ImageOwner, with_image_owners
from rendermodules.core.masks import filled_border_mask, with_mask
from rendermodules.core.sections import Section, TileSpec, image_levels
from rendermodules.module.fields import Float, Int, OutputDir
from rendermodules.module.render_module import SectionMapModule
from rendermodules.module.schemas import ChannelParameters, SectionMapParameters


class MaskFilledBordersParameters(SectionMapParameters, ChannelParameters):
    """What is taken for filled."""

    mask_dir = OutputDir("folder for the masks, by the paths of the images", required=True)
    fill_value = Float("grey value of filled pixels", default=0.0)
    margin = Int("pixels beside filled ones that are hidden too", default=2, minimum=0)
    feather = Int(
        "pixels over which every image fades in from its edges, so that neighbours of unequal brightness blend; "
        "0 for sharp edges",
        default=0,
        minimum=0,
    )


def _masked(
    section: Section, *, mask_dir: str, fill_value: float, margin: int, feather: int, channels: list[str] | None
) -> Section:
    from rendermodules.io.images import ImageSource
    from rendermodules.io.mask_files import mask_urls, written_mask

    make = functools.partial(filled_border_mask, fill_value=fill_value, margin=margin, feather=feather)

    def masked(_: TileSpec, owner: ImageOwner) -> ImageOwner:
        levels = dict(image_levels(owner))
        source = ImageSource.of_level(levels.get(0, {}))
        mask = None if source is None else written_mask(source, mask_dir, make)
        return owner if mask is None else with_mask(owner, mask_urls(str(mask), None, levels))

    return with_image_owners(section, masked, channels)


class MaskFilledBorders(SectionMapModule):
    """Hide the parts at the edges of images that were filled with one value and show nothing."""

    default_schema = MaskFilledBordersParameters

    def section_task(self) -> Callable[..., Section]:
        names = ("mask_dir", "fill_value", "margin", "feather", "channels")
        return functools.partial(_masked, **{name: self.args[name] for name in names})


if __name__ == "__main__":
    raise SystemExit(MaskFilledBorders.main())
