"""Make the reduced images of image files, without a stack.

Level 1 has half of the width and height of an image, level 2 a quarter, and so on. Files that are there and whole are
kept. To reduce all images of a stack use generate_mipmaps.
"""

import functools
from collections.abc import Mapping
from typing import Any, ClassVar

from rendermodules.io.images import ImageSource
from rendermodules.io.mipmaps import MipmapWriting, write_mipmaps
from rendermodules.io.paths import is_local, url_of_path
from rendermodules.io.patterns import expanded_places
from rendermodules.module.fields import Bool, Int, Json, List, Str
from rendermodules.module.mipmaps import MipmapParameters, mipmap_names, mipmap_writings
from rendermodules.module.plain_module import PlainModule
from rendermodules.module.schemas import ModuleParameters, OutputParameters, PoolParameters


class CreateMipmapsParameters(ModuleParameters, PoolParameters, MipmapParameters):
    """Which files are reduced, how, and where to."""

    input_images = List(Str, "paths, URLs or patterns (raw/*.tif) of images", required=True)
    masks = Bool("the images are masks: a pixel is inside only where all that it is made of are", default=False)

    aliases: ClassVar[Mapping[str, str | None]] = {
        "inputImage": "input_images",
        "outputDirectory": "output_dir",
        "outputformat": "imgformat",
        "verbose": None,
    }


class CreateMipmapsOutput(OutputParameters):
    """What was made."""

    mipmaps = Json("for each image its levels, by number, with their places", required=True)
    written_count = Int("number of files that were written; the others were there", required=True)


def _reduced(place: str, *, writings: list[MipmapWriting]) -> dict[str, Any]:
    source = ImageSource(url_of_path(place) if is_local(place) and ":" not in place else place)
    made = [write_mipmaps(source, writing) for writing in writings]
    urls = {str(level): url for one in made for level, url in one.urls.items()}
    return {
        "urls": dict(sorted(urls.items(), key=lambda item: int(item[0]))),
        "written": sum(len(m.written) for m in made),
    }


class CreateMipmaps(PlainModule):
    """Make the reduced images of image files."""

    default_schema = CreateMipmapsParameters
    default_output_schema = CreateMipmapsOutput

    def run(self) -> dict[str, Any]:
        places = expanded_places(self.args["input_images"])
        names = mipmap_names(self.args)
        writings = mipmap_writings(self.args, names, "mask" if self.args["masks"] else "image")
        if self.dry_run:
            self.logger.info("would make levels %s of %d images", sorted(names.images), len(places))
            return self.output({"mipmaps": {}, "written_count": 0})
        with self.journal() as journal:
            made = self.map(functools.partial(_reduced, writings=writings), places, unit="images", journal=journal)
        return self.output(
            {
                "mipmaps": {place: one["urls"] for place, one in zip(places, made, strict=True)},
                "written_count": sum(one["written"] for one in made),
            }
        )


if __name__ == "__main__":
    raise SystemExit(CreateMipmaps.main())
