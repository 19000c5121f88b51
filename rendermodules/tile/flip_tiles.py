"""Turn the images of a stack over, and the stack with them: a section that was seen from behind is seen from the front.

All images and masks, of all channels, are mirrored, with every pixel's value kept, and the tiles are moved so that the
section is the mirror image of what it was. With axis vertical the first row becomes the last and y is mirrored; with
horizontal the first column becomes the last and x is mirrored. ``mirror_at`` is the line that stays where it is, in
world pixels; by default the middle of a tile without transforms. Shared transforms stay, and those that are not
affine. The coarser levels of pyramids are left out; generate_mipmaps makes new ones.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rendermodules.core.mirroring import with_mirrored_tiles
from rendermodules.core.sections import Section
from rendermodules.io.images import Image, ImageSource
from rendermodules.io.processed_images import ImageProcessing, deleted_originals
from rendermodules.module import stacks
from rendermodules.module.fields import Bool, Float, Str
from rendermodules.module.mipmaps import image_sources
from rendermodules.module.render_module import worker_connection
from rendermodules.module.tile_image_module import ImageTask, TileImageModule, TileImageParameters


class FlipTilesParameters(TileImageParameters):
    """Parameters of flip_tiles."""

    axis = Str(
        "vertical: the first row of an image becomes the last; horizontal: the first column",
        default="vertical",
        choices=["vertical", "horizontal"],
    )
    mirror_at = Float("world coordinate of the line that stays; the middle of an untransformed tile by default")
    delete_after = Bool("delete the old images when the new stack is complete; masks stay", default=False)


def _flipped(image: Image, *, axis: str) -> Image:
    return np.ascontiguousarray(image[::-1] if axis == "vertical" else image[:, ::-1])


def _mirrored(section: Section, *, images: Callable[[Section], Section], axis: str, mirror_at: float | None) -> Section:
    return with_mirrored_tiles(images(section), axis, mirror_at)


def _image_urls(z: float, *, parameters: Mapping[str, Any], stack: str) -> list[str]:
    """Return the URLs of the images of a section that have a file of their own."""
    section = stacks.read_section(worker_connection(parameters), stack, z)
    sources = [source for source, role, _ in image_sources(section, None) if role == "image"]
    return [source.url for source in sources if source == ImageSource(source.url)]


class FlipTiles(TileImageModule):
    """Turn the images of a stack over, and the stack with them."""

    default_schema = FlipTilesParameters

    def image_task(self) -> ImageTask:
        flip = functools.partial(_flipped, axis=self.args["axis"])
        return ImageTask(image=flip, mask=flip)

    def section_task(self) -> Callable[..., Section]:
        options = {key: self.args[key] for key in ("axis", "mirror_at")}
        return functools.partial(_mirrored, images=super().section_task(), **options)

    def run(self) -> dict[str, Any]:
        delete = self.args["delete_after"] and not self.dry_run and not self.is_half_done()
        old = self._image_urls() if delete else []
        result = super().run()
        if delete:
            processing = ImageProcessing(self.args["output_directory"], self.image_task().image)
            deleted, kept = deleted_originals(old, processing)
            self.logger.info("deleted %d old images", len(deleted))
            for url, reason in kept.items():
                self.logger.warning("kept %s: %s", url, reason)
        return result

    def _image_urls(self) -> Sequence[str]:
        """Return the URLs of the images that are going to be turned over; in place, nobody knows them afterwards."""
        work = functools.partial(_image_urls, parameters=self.args["render"], stack=self.args["input_stack"])
        found = self.map(work, self.zvalues(), unit="sections")
        return sorted({url for urls in found for url in urls})


if __name__ == "__main__":
    raise SystemExit(FlipTiles.main())
