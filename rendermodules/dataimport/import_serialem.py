"""Make a stack of montages that SerialEM has written.

The metadata are .idoc files, whose images are TIFF files of their own, or .mdoc files, whose images are in one MRC or
TIFF file. A tile lies at its piece coordinates, at those that SerialEM has aligned, or where the stage was; each
section begins at 0, 0. Sections of one file (the third piece coordinate) and of further files follow each other from
z_start.

The images stay where they are. A Java Render server reads no MRC files: for it give extracted_directory.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from rendermodules.core.acquisitions import AcquiredImage
from rendermodules.core.problems import Problems, results_of_all
from rendermodules.core.serialem import COORDINATES, SerialEMRules, serialem_images
from rendermodules.io.image_folders import image_urls
from rendermodules.io.serialem import choose_loaders, read_serialem
from rendermodules.module.fields import Bool, Float, InputFile, List, Str
from rendermodules.module.import_module import ContainerImportParameters, ImageImportModule
from rendermodules.module.schemas import OutputStackParameters


class ImportSerialemParameters(ContainerImportParameters, OutputStackParameters):
    """The montages and what their coordinates mean."""

    metadata_files = List(InputFile, ".idoc or .mdoc files, in the order of the sections", required=True)
    image_directory = Str("folder or URL of the images; by default that of each metadata file")
    coordinates = Str(
        "where tiles lie: aligned (AlignedPieceCoordsVS or AlignedPieceCoords), piece (PieceCoordinates), stage "
        "(StagePosition in micrometres and PixelSpacing), or auto, the first of them that all images have",
        default="auto",
        choices=["auto", *COORDINATES],
    )
    invert_y = Bool("y of the coordinates counts upwards, as SerialEM's does", default=True)
    stage_rotation = Float("degrees from the axes of the stage to those of the images", default=0.0)
    z_start = Float("z of the first section", default=0.0)

    aliases: ClassVar[Mapping[str, str | None]] = {"idoc_files": "metadata_files"}


class ImportSerialem(ImageImportModule):
    """Make a stack of montages of SerialEM."""

    default_schema = ImportSerialemParameters

    def input_files(self) -> list[str]:
        return self.args["metadata_files"]

    def run(self) -> dict[str, Any]:
        images: list[AcquiredImage] = []

        def add(path: str) -> None:
            z_start = max((image.z + 1 for image in images), default=self.args["z_start"])
            images.extend(self._images(path, z_start))

        results_of_all(add, self.args["metadata_files"])
        if self.args["extracted_directory"]:
            self.extract(images, self.args["extracted_directory"])
        return self.import_images(images, Problems("the montages"))

    def _images(self, path: str, z_start: float) -> list[AcquiredImage]:
        rules = SerialEMRules(
            coordinates=self.args["coordinates"],
            z_start=z_start,
            invert_y=self.args["invert_y"],
            stage_rotation=self.args["stage_rotation"],
        )
        images = serialem_images(read_serialem(path), path, Path(path).stem, rules)
        folder = self.args["image_directory"] or str(Path(path).absolute().parent)
        for image, url in zip(images, image_urls([image.url for image in images], folder), strict=True):
            image.url = url
        choose_loaders(images)
        problems = Problems(path)
        self.complete(images, problems, folder)
        problems.raise_if_any()
        return images


if __name__ == "__main__":
    raise SystemExit(ImportSerialem.main())
