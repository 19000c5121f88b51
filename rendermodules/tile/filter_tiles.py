"""Make the images of electron microscopes easier to match and to look at, and a stack that has them.

An image is inverted, its range of intensities stretched without the brightest and darkest pixels, the contrast changed,
smoothed by a small bilateral filter and equalised locally (CLAHE). Pixels that are 0 count as no picture and stay 0.
8 and 16 bit. Geometry stays; turning images upside down (``vert_flip``) is for stacks whose images are turned already
and are made anew from the originals, which ``source_find`` and ``source_replace`` find. The coarser levels of pyramids
are left out; generate_mipmaps makes new ones.
"""

import functools
import re
from typing import Any

from marshmallow import ValidationError, validates_schema

from rendermodules.core.tile_filters import filtered
from rendermodules.module.fields import Bool, Float, Int, Str
from rendermodules.module.schemas import ChannelParameters
from rendermodules.module.tile_image_module import ImageTask, TileImageModule, TileImageParameters


class FilterTilesParameters(TileImageParameters, ChannelParameters):
    """Parameters of filter_tiles."""

    invert = Bool("exchange black and white first", default=True)
    sat_pix = Float(
        "share of the pixels that become black, and that become white, in percent", default=0.2, minimum=0, maximum=49
    )
    contrast_adjust = Float("factor of the contrast about the middle intensity", default=0.85, minimum=0)
    clahe_size = Int("number of parts along each side of an image that CLAHE equalises", default=90, minimum=1)
    clahe_clip_limit = Float("limit of the local contrast as in OpenCV; 0 leaves CLAHE out", default=1.5, minimum=0)
    reapply_mask = Bool("set pixels that were 0 to 0 again at the end", default=True)
    vert_flip = Bool("turn the images upside down at the end; the transforms of the tiles stay", default=False)
    source_find = Str(
        "regular expression in the URL of a tile's image that is replaced to find the image to filter, such as "
        r"_flip\.tif$; the tile's own by default"
    )
    source_replace = Str("what is put in the place of source_find, such as .tif", default="")

    @validates_schema
    def check_source_find(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what is no regular expression."""
        try:
            re.compile(data.get("source_find") or "")
        except re.error as error:
            raise ValidationError(f"is no regular expression: {error}", "source_find") from None


def _source(url: str, *, find: str, replace: str) -> str:
    if not re.search(find, url):
        raise ValueError(f"{url} has no {find} that could be replaced")
    return re.sub(find, replace, url)


class FilterTiles(TileImageModule):
    """Make images of electron microscopes easier to match and to look at."""

    default_schema = FilterTilesParameters

    def image_task(self) -> ImageTask:
        find = self.args["source_find"]
        image = functools.partial(
            filtered,
            invert=self.args["invert"],
            saturated_percent=self.args["sat_pix"],
            contrast=self.args["contrast_adjust"],
            clahe_grid=self.args["clahe_size"],
            clahe_clip_limit=self.args["clahe_clip_limit"],
            reapply_mask=self.args["reapply_mask"],
            flip=self.args["vert_flip"],
        )
        source = functools.partial(_source, find=find, replace=self.args["source_replace"]) if find else None
        return ImageTask(image, source=source)


if __name__ == "__main__":
    raise SystemExit(FilterTiles.main())
