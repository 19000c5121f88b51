"""Write runs of affine transforms in each tile as one affine, so that stacks stay small and quick to draw.

Every step of a pipeline appends a transform. Those that follow one another and are affine (affine, similarity, rigid,
translation; shared or not) are multiplied; all others, such as shared lens corrections, stay references where they are.
Tiles lie exactly where they lay. Affines that are labelled ``lens`` stay too, because Render looks for them.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from marshmallow import ValidationError, pre_load, validates_schema

from rendermodules.core.sections import Section
from rendermodules.module.fields import Bool, Int, Str
from rendermodules.module.render_module import SectionMapModule
from rendermodules.module.schemas import SectionMapParameters


def _slice(text: str) -> slice:
    """Return the slice that Python would make of ``1:`` or ``:-1``; ``ValueError`` if it is none."""
    begin, colon, end = text.partition(":")
    if not colon:
        raise ValueError(text)
    return slice(int(begin) if begin.strip() else None, int(end) if end.strip() else None)


class ConsolidateTransformsParameters(SectionMapParameters):
    """Parameters of consolidate_transforms."""

    output_stack = Str("stack to write; the input's name with postfix by default", default=None)
    postfix = Str("put behind the input's name to name the output when output_stack is absent", default="_CONS")
    transforms_slice = Str(
        "which transforms of each tile may change, as a slice of Python: 1: keeps the first", default=":"
    )
    keep_references = Bool("leave references to shared affines as they are too", default=False)
    polynomial_degree = Int(
        "write every run as a polynomial of this degree with zeros for its higher terms; 0 writes affines",
        default=0,
        minimum=0,
        maximum=10,
    )

    aliases: ClassVar[Mapping[str, str | None]] = {
        "makePolyDegree": "polynomial_degree",
        "keep_ref_tforms": "keep_references",
        "output_directory": None,
    }

    # hooks run in the order of their names: after the aliases, before the defaults
    @pre_load
    def derive_output_stack(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the data with the output named after the input."""
        if data.get("output_stack") is None and data.get("input_stack"):
            return {**data, "output_stack": f"{data['input_stack']}{data.get('postfix', '_CONS')}"}
        return data

    @validates_schema
    def check_slice(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse what is no slice."""
        try:
            _slice(data["transforms_slice"])
        except ValueError:
            raise ValidationError("is no slice; write 1: or :3 or 1:-1 or :", "transforms_slice") from None


class ConsolidateTransforms(SectionMapModule):
    """Write runs of affine transforms in each tile as one affine."""

    default_schema = ConsolidateTransformsParameters

    def section_task(self) -> Callable[..., Section]:
        from rendermodules.core.consolidation import with_consolidated_transforms

        return functools.partial(
            with_consolidated_transforms,
            part=_slice(self.args["transforms_slice"]),
            keep_references=self.args["keep_references"],
            polynomial_degree=self.args["polynomial_degree"],
        )


if __name__ == "__main__":
    raise SystemExit(ConsolidateTransforms.main())
