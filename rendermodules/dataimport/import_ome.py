"""Make a stack of images that carry the metadata of the Open Microscopy Environment: OME-TIFF and OME-Zarr.

Where the stage was, the size of a pixel and the names of channels are read from the metadata. Each image (field of
view) becomes a tile, with its channels; planes in z become sections. All files are one section, unless section_pattern
finds the section in their places. Each section begins at 0, 0.

The images stay where they are. A Java Render server reads no OME-Zarr: for it give extracted_directory.
"""

import itertools
import re
from pathlib import Path
from typing import Any

from marshmallow import ValidationError, validates_schema

from rendermodules.core.acquisitions import chosen_channel, selected_channels
from rendermodules.core.ome import PIXELS, OmeRules, ome_images
from rendermodules.core.problems import Problems, results_of_all
from rendermodules.io.ome import distinct_images, read_ome
from rendermodules.io.paths import is_local, local_path
from rendermodules.io.patterns import expanded_places
from rendermodules.module.fields import Bool, Float, Int, List, Str
from rendermodules.module.import_module import ContainerImportParameters, ImageImportModule
from rendermodules.module.schemas import ChannelParameters, OutputStackParameters


class ImportOmeParameters(ContainerImportParameters, OutputStackParameters, ChannelParameters):
    """The files, and what their metadata leave open."""

    ome_files = List(
        Str, "paths, URLs or patterns of OME-TIFF files, companion files (.ome), or OME-Zarr folders", required=True
    )
    section_pattern = Str(
        r"regular expression that finds the section in a file's place, with a group called section; by default all "
        "files are one section"
    )
    z_start = Float("z of the first section where files have no number", default=0.0)
    position_unit = Str(
        "unit of positions that say none, as older files do", default="um", choices=[PIXELS, "nm", "um", "mm"]
    )
    pixelsize = Float("nm per pixel, where the files do not say it", minimum=0)
    invert_x = Bool("x of the stage counts to the left", default=False)
    invert_y = Bool("y of the stage counts upwards", default=False)
    time = Int("which time to take of files with several, from 0", default=0, minimum=0)
    reference_channel = Str("part of the name of the channel to put first, which is shown where none is asked for")

    @validates_schema
    def check_pattern(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what is no pattern of sections."""
        try:
            expression = re.compile(data.get("section_pattern") or "(?P<section>)")
        except re.error as error:
            raise ValidationError(f"no regular expression: {error}", "section_pattern") from None
        if "section" not in expression.groupindex:
            raise ValidationError("has no group (?P<section>...)", "section_pattern")


class ImportOme(ImageImportModule):
    """Make a stack of OME-TIFF or OME-Zarr images, placed by their metadata."""

    default_schema = ImportOmeParameters

    def input_files(self) -> list[str]:
        # metadata files only: to read all images for their digests would take as long as the work
        return [
            str(local_path(place)) for place in self._places() if is_local(place) and place.endswith((".ome", ".xml"))
        ]

    def run(self) -> dict[str, Any]:
        args = self.args
        read = results_of_all(read_ome, self._places())
        found = distinct_images(itertools.chain.from_iterable(read))
        rules = OmeRules(
            z_start=args["z_start"],
            section_pattern=args["section_pattern"],
            time=args["time"],
            unit=args["position_unit"],
            pixelsize=args["pixelsize"],
            invert_x=args["invert_x"],
            invert_y=args["invert_y"],
        )
        images = selected_channels(ome_images(found, "the files", rules), args["channels"])
        problems = Problems("the files")
        self.complete(images, problems, str(Path.cwd()))
        if args["extracted_directory"]:
            problems.raise_if_any()
            self.extract(images, args["extracted_directory"])
        first = args["reference_channel"] and chosen_channel(images, args["reference_channel"])
        return self.import_images(images, problems, first_channel=first)

    def _places(self) -> list[str]:
        return expanded_places(self.args["ome_files"])


if __name__ == "__main__":
    raise SystemExit(ImportOme.main())
