"""Make stacks of the state tables that array tomography acquisition writes.

A state table has a row for each image: ribbon, section, session, ch_name, frame, zstack, full_path, z, tileID, the
affine a00 a01 a02 a10 a11 a12 from pixels to the world (x' = a00 x + a01 y + a02, y' = a10 x + a11 y + a12), and
xstage, ystage, scale_x, width, height. Of a focal stack one plane is taken.

Either each channel becomes a stack, PREFIX_CHANNEL, or each session one with all its channels, PREFIXSessionN. Sections
of several tables (one for each ribbon, say) go into the same stacks, in one run or, without delete_stack, in several.
"""

import dataclasses
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from rendermodules.core.acquisitions import AcquiredImage
from rendermodules.core.problems import Problems, results_of_all
from rendermodules.core.state_tables import (
    StateTableRow,
    channel_stacks,
    selected_rows,
    session_stacks,
    state_table_rows,
)
from rendermodules.core.tables import renamed_columns
from rendermodules.io.tables import read_table
from rendermodules.module.fields import Bool, Float, InputFile, Int, Json, List, NestedList, Str
from rendermodules.module.import_module import ImageImportModule, ImageImportParameters, ImportOutput
from rendermodules.module.journal import Journal
from rendermodules.module.schemas import OutputParameters


class ImportStatetableParameters(ImageImportParameters):
    """The tables, and which of their images go into which stacks."""

    statetable_files = List(InputFile, "state tables, CSV or TSV", required=True)
    columns = Json('names of columns that are called otherwise, such as {"full_path": "file"}', default={})
    project_directory = Str("folder or URL that paths in the tables are relative to, where they do not begin with /")
    output_stack_prefix = Str("beginning of the names of the stacks", default="ACQ")
    multichannel = Bool(
        "a stack for each session with all its channels, instead of one for each channel", default=False
    )
    reference_channel = Str(
        "part of the name of the channel that comes first in tiles of several and gives them id and place",
        default="DAPI",
    )
    pixelsize = Float(
        "nm per pixel, for the resolution of new stacks; by default scale_x, which is in micrometres", minimum=0
    )
    zstack = Int("number of the focal plane to take", default=0)
    ribbons = List(Int, "ribbons to take; all by default")
    sections = List(Int, "sections to take, by their number in the ribbon; all by default")
    sessions = List(Int, "sessions to take; all by default")
    channels = List(Str, "channels to take; all by default")
    camera = Str("camera, for the tiles' layout", default="zyla")
    temca = Str("microscope, for the tiles' layout", default="Leica")

    aliases: ClassVar[Mapping[str, str | None]] = {
        "statetableFile": "statetable_files",
        "projectDirectory": "project_directory",
        "outputStackPrefix": "output_stack_prefix",
        "dataOutputFolder": None,
    }


class ImportStatetableOutput(OutputParameters):
    """What was imported."""

    stacks = NestedList(ImportOutput, "each stack with its sections and number of tiles", required=True)


class ImportStatetable(ImageImportModule):
    """Make stacks of the state tables of array tomography."""

    default_schema = ImportStatetableParameters
    default_output_schema = ImportStatetableOutput

    def input_files(self) -> list[str]:
        return self.args["statetable_files"]

    def run(self) -> dict[str, Any]:
        stacks = self._stacks()
        results_of_all(self._prepare, stacks.items())
        with self.journal() as journal:
            summaries = [self._written(stack, images, journal) for stack, images in stacks.items()]
        return self.output({"stacks": summaries})

    def _written(self, stack: str, images: list[AcquiredImage], journal: Journal) -> dict[str, Any]:
        """Write a stack and return what is reported of it."""
        micrometres = images[0].layout.get("pixelsize")
        pixelsize = self.args["pixelsize"] or (None if micrometres is None else 1000 * micrometres)
        return {
            "output_stack": stack,
            **self.summary(self.write_images(stack, images, journal=journal, pixelsize=pixelsize)),
        }

    def _prepare(self, item: tuple[str, list[AcquiredImage]]) -> None:
        """Complete and check the images of a stack."""
        stack, images = item
        problems = Problems(f"the images of {stack}")
        self.complete(images, problems, self._image_folder())
        self.check_images(images, problems)

    def _stacks(self) -> dict[str, list[AcquiredImage]]:
        args = self.args
        rows = selected_rows(
            list(itertools.chain.from_iterable(results_of_all(self._rows, args["statetable_files"]))),
            ribbons=args["ribbons"],
            sections=args["sections"],
            sessions=args["sessions"],
            channels=args["channels"],
        )
        if args["multichannel"]:
            return session_stacks(rows, args["output_stack_prefix"], args["reference_channel"])
        return channel_stacks(rows, args["output_stack_prefix"])

    def _rows(self, file: str) -> list[StateTableRow]:
        table, _ = read_table(file)
        table = renamed_columns(table, {}, self.args["columns"])
        if len(self.args["statetable_files"]) > 1:
            table = dataclasses.replace(table, places=[f"{Path(file).name} {place}" for place in table.places])
        return state_table_rows(table, zstack=self.args["zstack"], temca=self.args["temca"], camera=self.args["camera"])

    def _image_folder(self) -> str:
        return self.args["project_directory"] or str(Path(self.args["statetable_files"][0]).absolute().parent)


if __name__ == "__main__":
    raise SystemExit(ImportStatetable.main())
