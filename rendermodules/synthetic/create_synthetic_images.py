"""Make overlapping tiles of synthetic serial sections, as a microscope would leave them.

The folder holds the images, ``positions.csv`` with what the stage believed, and ``truth.json`` with where every tile
really is, which only `evaluate_stack` should read. Equal parameters make equal pixels, whatever the number of workers.
A run that was killed makes only what is missing.
"""

from dataclasses import fields as settings_fields
from typing import Any

from marshmallow import ValidationError, validates_schema

from rendermodules.core.synthetic import SyntheticSettings
from rendermodules.io.synthetic_files import write_synthetic_files
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.fields import Float, Int, List, OutputDir, Str
from rendermodules.module.plain_module import PlainModule
from rendermodules.module.schemas import ModuleParameters, OutputParameters, PoolParameters

_DEFAULT = SyntheticSettings()


class CreateSyntheticImagesParameters(ModuleParameters, PoolParameters):
    """What the sections are like; lengths are pixels of the images."""

    output_dir = OutputDir("folder for the images, the positions and the truth", required=True)
    suffix = Str("kind of image file", default=".tif", choices=[".tif", ".png", ".jpg"])
    seed = Int("which tissue, and how it was cut", default=_DEFAULT.seed)
    session = Int("which visit to the microscope: the same tissue, placed anew", default=_DEFAULT.session)
    sections = Int("number of sections", default=_DEFAULT.sections, minimum=1)
    rows = Int("rows of tiles in a section", default=_DEFAULT.rows, minimum=1)
    columns = Int("columns of tiles in a section", default=_DEFAULT.columns, minimum=1)
    first_z = Float("z of the first section", default=_DEFAULT.first_z)
    tile_width = Int("width of a tile", default=_DEFAULT.tile_width, minimum=16)
    tile_height = Int("height of a tile", default=_DEFAULT.tile_height, minimum=16)
    overlap = Float("part of a tile that the next one shows too", default=_DEFAULT.overlap)
    channels = List(Str, "EM, DAPI, or any name for puncta at synapses", default=list(_DEFAULT.channels))
    bit_depth = Int("8 or 16 bits a pixel", default=_DEFAULT.bit_depth)
    stage_jitter = Float("how far a tile is from where the stage believes it, +-", default=_DEFAULT.stage_jitter)
    tile_rotation = Float("rotation of a tile, +- degrees", default=_DEFAULT.tile_rotation)
    section_rotation = Float("rotation of a section, +- degrees", default=_DEFAULT.section_rotation)
    section_shift = Float("shift of a section, +-", default=_DEFAULT.section_shift)
    deformation = Float("root mean square of the smooth deformation of a section", default=_DEFAULT.deformation)
    lens_distortion = Float("how far the lens moves the corners of all tiles outward", default=_DEFAULT.lens_distortion)
    noise = Float("noise, as part of the range of grey values", default=_DEFAULT.noise)
    folds = Int("folds across each section", default=_DEFAULT.folds, minimum=0)

    @validates_schema
    def check_settings(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what no data set can be."""
        try:
            _settings(data)
        except ValueError as error:
            raise ValidationError(str(error), "seed") from None


class CreateSyntheticImagesOutput(OutputParameters):
    """What was made."""

    positions_file = Str("table of the images and where the stage believed them", required=True)
    truth_file = Str("where they are", required=True)
    image_count = Int("number of images in the folder", required=True)


def _settings(parameters: dict[str, Any]) -> SyntheticSettings:
    names = {field.name for field in settings_fields(SyntheticSettings)} & parameters.keys()
    return SyntheticSettings(**{name: parameters[name] for name in names})


class CreateSyntheticImages(PlainModule):
    """Make overlapping tiles of synthetic serial sections with known truth."""

    default_schema = CreateSyntheticImagesParameters
    default_output_schema = CreateSyntheticImagesOutput

    def run(self) -> dict[str, Any]:
        """Write the folder."""
        settings, folder = _settings(self.args), self.args["output_dir"]
        count = settings.sections * settings.rows * settings.columns * len(settings.channels)
        self.logger.info("%d images of %d by %d pixels", count, settings.tile_width, settings.tile_height)
        if not self.dry_run:
            try:
                made = write_synthetic_files(
                    settings,
                    folder,
                    self.args["suffix"],
                    lambda task, pictures: self.map(task, list(pictures), unit="images", describe=_described),
                )
            except ValueError as error:
                raise RenderModuleError(str(error)) from None
            self.logger.info("made %d images in %s; the others were there", made, folder)
        return self.output(
            {
                "positions_file": f"{folder}/positions.csv",
                "truth_file": f"{folder}/truth.json",
                "image_count": count,
            }
        )


def _described(picture: Any) -> str:
    tile, channel = picture
    return f"{channel} of tile {tile.tile_id}"


if __name__ == "__main__":
    raise SystemExit(CreateSyntheticImages.main())
