"""Give every tile of a stack one more transform.

Flips, moves, turns or rescales stacks, or carries a transform that was fitted elsewhere. The transform is six numbers
of an affine, x' = M00 x + M01 y + B0 and y' = M10 x + M11 y + B1, or any transform spec of Render, or one for each
section from a file. Appended, it acts on world coordinates, after the transforms that a tile already has; prepended, on
those of the image. With a ``transformId`` it is stored once and the tiles refer to it.

To change a stack in place, give its name as ``output_stack`` too. Several ``input_stacks`` get the same transform;
their outputs are named by ``output_prefix`` and ``output_suffix``.
"""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from marshmallow import ValidationError, validates_schema

from rendermodules.core.problems import Problems
from rendermodules.core.sections import PLACEMENTS, Section, TransformSpec, with_transform_placed
from rendermodules.core.transform_choice import transform_of_section
from rendermodules.core.transforms import Affine, parsed_transform
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.fields import Float, InputFile, Int, Json, List, NestedList, Str
from rendermodules.module.render_module import SectionMapModule
from rendermodules.module.schemas import SectionMapOutput, SectionMapParameters

IDENTITY = {"M00": 1.0, "M01": 0.0, "M10": 0.0, "M11": 1.0, "B0": 0.0, "B1": 0.0}


class ApplyTransformToStackParameters(SectionMapParameters):
    """Parameters of apply_transform_to_stack."""

    input_stack = Str("stack to read")
    input_stacks = List(Str, "several stacks to read, instead of input_stack")
    output_stack = Str("stack to write; made when it does not exist; the input stack's name changes it in place")
    output_prefix = Str("put before the name of each of input_stacks to name its output", default="")
    output_suffix = Str("put behind the name of each of input_stacks to name its output", default="")
    transformId = Str(
        "id under which the transform is stored once, so that tiles refer to it; {z} in it stands for the section's z, "
        "as in a_to_b_z_{z:f}. Without an id the transform is written into every tile"
    )
    M00 = Float("x' per x", default=1.0)
    M01 = Float("x' per y", default=0.0)
    M10 = Float("y' per x", default=0.0)
    M11 = Float("y' per y", default=1.0)
    B0 = Float("move along x in pixels", default=0.0)
    B1 = Float("move along y in pixels", default=0.0)
    transform = Json("a transform spec of Render (className and dataString, or a list), instead of the six numbers")
    transform_file = InputFile(
        "JSON file with transforms, instead of the six numbers: one spec, an object of z to spec, or a list of specs "
        "whose ids are transformId"
    )
    placement = Str(
        "append: the last to be applied; prepend: the first; insert_before_last; replace_last",
        default="append",
        choices=list(PLACEMENTS),
    )

    @validates_schema
    def check_stacks(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what does not name one output for each input."""
        if (data.get("input_stack") is None) == (data.get("input_stacks") is None):
            raise ValidationError("give input_stack or input_stacks", "input_stack")
        if data.get("input_stack") is not None and data.get("output_stack") is None:
            raise ValidationError("give the stack to write; the input stack's name changes it in place", "output_stack")
        affixes = data.get("output_prefix") or data.get("output_suffix")
        if data.get("input_stacks") is not None and (data.get("output_stack") is not None or not affixes):
            raise ValidationError(
                "input_stacks need output_prefix or output_suffix, and no output_stack", "output_stack"
            )

    @validates_schema
    def check_transform(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse more than one transform, and an affine that flattens the plane."""
        ways = [
            data.get("transform") is not None,
            data.get("transform_file") is not None,
            any(data.get(name, value) != value for name, value in IDENTITY.items()),
        ]
        if sum(ways) > 1:
            raise ValidationError("give six numbers, or transform, or transform_file, not several of them", "transform")
        try:
            (data.get("transformId") or "").format(z=1.5)
        except (LookupError, ValueError):
            raise ValidationError("is no format of a number z, such as a_to_b_{z:f}", "transformId") from None
        numbers = {name: data.get(name, value) for name, value in IDENTITY.items()}
        if numbers["M00"] * numbers["M11"] == numbers["M01"] * numbers["M10"]:
            raise ValidationError("M00 M11 - M01 M10 is 0: this would flatten every tile to a line", "M00")


class ApplyTransformToStackOutput(SectionMapOutput):
    """Result of apply_transform_to_stack."""

    input_stack = Str("stack that was read, if it was one")
    output_stack = Str("stack that was written, if it was one")
    zValues = List(Float, "z of the sections written, if it was one stack")
    tile_count = Int("number of tiles written, if it was one stack")
    stacks = NestedList(SectionMapOutput, "what was written, one entry for each of input_stacks")


def _with_transform(section: Section, *, document: Any, transform_id: str | None, placement: str) -> Section:
    return with_transform_placed(section, transform_of_section(document, section.z, transform_id), placement)


def _with_transform_of_file(
    section: Section, *, file: str, digest: str, transform_id: str | None, placement: str
) -> Section:
    """Return the section with its transform of a file, which a worker reads once and parameters do not carry."""
    document = _file_content(file, digest)
    return _with_transform(section, document=document, transform_id=transform_id, placement=placement)


@functools.lru_cache(maxsize=1)
def _file_content(file: str, digest: str) -> Any:
    """Return what a JSON file holds; ``digest`` tells its content of now from that of an earlier run."""
    try:
        return json.loads(Path(file).read_bytes())
    except ValueError as error:
        raise RenderModuleError(f"{file} is not JSON: {error}") from None


class ApplyTransformToStack(SectionMapModule):
    """Give every tile of a stack one more transform."""

    default_schema = ApplyTransformToStackParameters
    default_output_schema = ApplyTransformToStackOutput

    def input_files(self) -> list[str]:
        file = self.args["transform_file"]
        return [file] if file else []

    def run(self) -> dict[str, Any]:
        names = self.args["input_stacks"]
        if names is None:
            return super().run()
        prefix, suffix = self.args["output_prefix"], self.args["output_suffix"]
        own = ("input_stacks", "output_prefix", "output_suffix", "input_json", "output_json")
        common = {key: value for key, value in self.args.items() if key not in own}
        runs = [
            type(self)(
                {**common, "input_stack": name, "output_stack": f"{prefix}{name}{suffix}"},
                output_schema_type=SectionMapOutput,
            ).run()
            for name in names
        ]
        return self.output({"stacks": runs})

    def section_task(self) -> Callable[..., Section]:
        options = {"transform_id": self.args["transformId"], "placement": self.args["placement"]}
        file = self.args["transform_file"]
        if file is None:
            document = self.args["transform"] or self._affine()
            self._check_transforms(document)
            return functools.partial(_with_transform, document=document, **options)
        digest = self.inputs()["sha256"][file]
        self._check_transforms(_file_content(file, digest))
        return functools.partial(_with_transform_of_file, file=file, digest=digest, **options)

    def _affine(self) -> TransformSpec:
        elements = [self.args[name] for name in ("M00", "M01", "B0", "M10", "M11", "B1")]
        return Affine(np.reshape(elements, (2, 3))).spec()

    def _check_transforms(self, document: Any) -> None:
        """Refuse, before anything is written, what some section could not get."""
        problems = Problems(self.args["transform_file"] or "transform")
        for z in self.zvalues():
            try:
                parsed_transform(transform_of_section(document, z, self.args["transformId"]))
            except ValueError as error:
                problems.add(str(error), f"z={z}")
        problems.raise_if_any()


if __name__ == "__main__":
    raise SystemExit(ApplyTransformToStack.main())
