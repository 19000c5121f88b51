"""Make a stack of images whose positions are in a table, or in the names of the files.

A table (positions_file) is CSV, TSV or JSON with a column for the file and, as far as they are known, x, y, z, row,
col, section, channel, tileId, width, height, pixelsize, mask, minIntensity, maxIntensity, rotation, stageX, stageY,
camera, temca; columns with other names are given by "columns". Without a table the names tell: file_pattern is a
regular expression whose named groups are such columns. Without a pattern either, every image is a section of its own.

x and y are the upper left corner of a tile, in world pixels or in position_unit. Without them, row and col with
overlap place the tiles. Rows of one place and several channels become one tile with channels. z is that of the table,
else the section's number, else counted from z_start.

Everything that is wrong with the table or the images is reported at once, before anything is written.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, validates_schema

from rendermodules.core.acquisitions import chosen_channel
from rendermodules.core.positions import NANOMETRES, SYNONYMS, PlacementRules, positioned_images, sizes_in_table
from rendermodules.core.problems import Problems
from rendermodules.core.tables import Table, renamed_columns
from rendermodules.io.image_folders import default_image_folder, image_urls, images_of_pattern
from rendermodules.io.images import ImageSource
from rendermodules.io.tables import read_table
from rendermodules.module.fields import Bool, Float, InputFile, Json, Str
from rendermodules.module.import_module import ImageImportModule, ImageImportParameters
from rendermodules.module.schemas import OutputStackParameters


class ImportImageDirectoryParameters(ImageImportParameters, OutputStackParameters):
    """Where the images are and what their positions mean."""

    image_directory = Str(
        "folder or URL (s3://bucket/run) of the images; by default the one that the table names, or the table's own"
    )
    positions_file = InputFile("table of the images and their positions: .csv, .tsv, or .json with a list of objects")
    columns = Json('names of columns that are not recognised, such as {"x": "Stage X (um)"}', default={})
    file_pattern = Str(
        r"regular expression for names of files with groups called as columns, "
        r"such as s(?P<section>\d+)_r(?P<row>\d+)_c(?P<col>\d+)\.tif; with a / in it, for paths below the folder"
    )
    position_unit = Str("unit of x and y", default="pixels", choices=["pixels", *NANOMETRES])
    pixelsize = Float("nm per pixel; scales positions in other units and gives a new stack its resolution", minimum=0)
    invert_x = Bool("x counts to the left, as some stages do", default=False)
    invert_y = Bool("y counts upwards, as many stages do", default=False)
    overlap = Float(
        "part of a tile, 0 to 0.9, that its neighbour covers too, where row and col stand for x and y",
        default=0.0,
        minimum=0.0,
        maximum=0.9,
    )
    z_start = Float("z of the first section, where neither table nor names say it", default=0.0)
    tile_id = Str(
        "format of tile ids where the table has none; fields are stem (of the first channel's file), z, index and the "
        "columns, such as {section}_r{row}_c{col}",
        default="{stem}.{z}",
    )
    section_id = Str("format of section ids where there is no column section; fields as for tile_id", default="{z}")
    reference_channel = Str("part of the name of the channel to put first, which is shown where none is asked for")
    camera = Str("camera, for the tiles' layout")
    temca = Str("microscope, for the tiles' layout")

    aliases: ClassVar[Mapping[str, str | None]] = {
        "inputTileDirectory": "image_directory",
        "tilespecDirectory": "tilespec_directory",
        "pattern": "file_pattern",
        "cameraId": "camera",
        "scopeId": "temca",
    }

    @validates_schema
    def check_source(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse parameters that name no images, or positions in two ways."""
        if data.get("positions_file") and data.get("file_pattern"):
            raise ValidationError("positions are in a table or in names of files, not in both", "file_pattern")
        if not data.get("positions_file") and not data.get("image_directory"):
            raise ValidationError("give image_directory, or positions_file, or both", "image_directory")


class ImportImageDirectory(ImageImportModule):
    """Make a stack of images with a table of positions, or with positions in their file names."""

    default_schema = ImportImageDirectoryParameters

    def input_files(self) -> list[str]:
        return [self.args["positions_file"]] if self.args["positions_file"] else []

    def run(self) -> dict[str, Any]:
        table, folder = self._table()
        urls = image_urls(table.filled_texts("file"), folder)
        masks = [image_urls([mask], folder)[0] if mask else None for mask in table.texts("mask")]
        problems = Problems(table.source)
        images = positioned_images(
            table,
            urls,
            self.shapes(
                problems,
                [ImageSource(url) for url in urls],
                table.places,
                table.texts("channel"),
                sizes_in_table(table),
            ),
            self._rules(),
            (self.args["minIntensity"], self.args["maxIntensity"]),
            masks if any(masks) else self.mask_urls(len(table)),
        )
        first = self.args["reference_channel"] and chosen_channel(images, self.args["reference_channel"])
        return self.import_images(images, problems, first_channel=first)

    def _table(self) -> tuple[Table, str]:
        """Return the table of the images, its columns called by our names, and the folder of the images."""
        folder = self.args["image_directory"]
        if not self.args["positions_file"]:
            return images_of_pattern(folder, self.args["file_pattern"]), folder
        table, said = read_table(self.args["positions_file"])
        folder = folder or default_image_folder(self.args["positions_file"], said.get("images"))
        return renamed_columns(table, SYNONYMS, self.args["columns"]), folder

    def _rules(self) -> PlacementRules:
        return PlacementRules(
            z_start=self.args["z_start"],
            unit=self.args["position_unit"],
            pixelsize=self.args["pixelsize"],
            overlap=self.args["overlap"],
            invert_x=self.args["invert_x"],
            invert_y=self.args["invert_y"],
            tile_id=self.args["tile_id"],
            section_id=self.args["section_id"],
            layout={name: self.args[name] for name in ("camera", "temca") if self.args[name] is not None},
        )


if __name__ == "__main__":
    raise SystemExit(ImportImageDirectory.main())
