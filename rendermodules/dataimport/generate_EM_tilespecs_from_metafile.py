"""Make the section of a stack that one montage of a TEMCA microscope describes.

The metafile is the JSON that the microscope writes: a list of an object with "metadata" (camera, calibration) and one
with "data" (for each image img_path and img_meta with stage_pos, pixel sizes, angle, raster_pos). A tile lies where the
stage was, in pixels, turned by the angle; the montage begins at 0, 0.
"""

import warnings
from collections.abc import Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, pre_load

from rendermodules.core.problems import Problems
from rendermodules.core.temca import temca_images
from rendermodules.io.json_files import read_json
from rendermodules.io.paths import folder_of, is_local, local_path
from rendermodules.module.fields import Bool, Float, Str
from rendermodules.module.import_module import ImageImportModule, ImageImportParameters
from rendermodules.module.schemas import OutputStackParameters


class GenerateEMTilespecsFromMetafileParameters(ImageImportParameters, OutputStackParameters):
    """The montage and its place in the stack."""

    metafile = Str("path or URL of the montage's metadata", required=True)
    image_directory = Str("folder or URL of the images; by default that of the metafile")
    z = Float("z of the section", required=True)
    sectionId = Str("Render's name of the section; by default z with a point, such as 1020.0")
    tile_ids_with_z = Bool(
        "tile ids are the files' names with z behind, so that another grid may repeat the names", default=True
    )

    aliases: ClassVar[Mapping[str, str | None]] = {
        "metafile_uri": "metafile",
        "image_prefix": "image_directory",
        "maskUrl": "mask_file",
        "maskUrl_uri": "mask_file",
        "maximum_intensity": "maxIntensity",
        "minimum_intensity": "minIntensity",
        "stack": "output_stack",
        "z_index": "z",
    }

    @pre_load
    def accept_z_values(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the data with a ``zValues`` of one z as ``z``."""
        if not isinstance(data.get("zValues"), list):
            return data
        if len(data["zValues"]) != 1:
            raise ValidationError("a metafile describes one section; give its z", "zValues")
        warnings.warn("the parameter zValues is now called z", FutureWarning, stacklevel=2)
        rest = {key: value for key, value in data.items() if key != "zValues"}
        return {"z": data["zValues"][0], **rest}


class GenerateEMTilespecsFromMetafile(ImageImportModule):
    """Make the section that the metadata of a TEMCA montage describe."""

    default_schema = GenerateEMTilespecsFromMetafileParameters

    def input_files(self) -> list[str]:
        metafile = self.args["metafile"]
        return [str(local_path(metafile))] if is_local(metafile) else []

    def run(self) -> dict[str, Any]:
        metafile, z = self.args["metafile"], self.args["z"]
        images = temca_images(
            read_json(metafile),
            metafile,
            z,
            section_id=self.args["sectionId"] or str(z),
            tile_ids_with_z=self.args["tile_ids_with_z"],
        )
        problems = Problems(metafile)
        self.complete(images, problems, self.args["image_directory"] or folder_of(metafile))
        return self.import_images(images, problems)


if __name__ == "__main__":
    raise SystemExit(GenerateEMTilespecsFromMetafile.main())
