"""Say which z values stacks have in common, and which each of them lacks."""

import warnings
from typing import Any

from marshmallow import ValidationError, pre_load, validates_schema

from rendermodules.core.problems import listed
from rendermodules.module import stacks
from rendermodules.module.fields import Float, Json, List, Str
from rendermodules.module.render_module import RenderModule
from rendermodules.module.schemas import OutputParameters, RenderParameters


class CompareZsParameters(RenderParameters):
    """Parameters of compare_zs."""

    stacks = List(Str, "stacks to compare; one alone is described", required=True)

    # hooks run in the order of their names: this one before the defaults are filled in
    @pre_load
    def accept_two_stacks(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Return the data with ``input_stack1`` and ``input_stack2`` as a list."""
        if not {"input_stack1", "input_stack2"} <= data.keys():
            return data
        warnings.warn("input_stack1 and input_stack2 are now called stacks", FutureWarning, stacklevel=2)
        changed = dict(data)
        changed.setdefault("stacks", [changed.pop("input_stack1"), changed.pop("input_stack2")])
        return changed

    @validates_schema
    def check_stacks(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse no stack."""
        if not data["stacks"]:
            raise ValidationError("name the stacks", "stacks")


class CompareZsOutput(OutputParameters):
    """Which z there are."""

    counts = Json("name of each stack to its number of sections", required=True)
    common = List(Float, "z that all stacks have", required=True)
    missing = Json("name of each stack to the z that it lacks and another has", required=True)
    only = Json("name of each stack to the z that no other has", required=True)


class CompareZs(RenderModule):
    """Say which z values stacks have in common, and which each of them lacks."""

    default_schema = CompareZsParameters
    default_output_schema = CompareZsOutput

    def run(self) -> dict[str, Any]:
        zs = {name: set(stacks.z_values(self.render, name)) for name in self.args["stacks"]}
        everything, common = set().union(*zs.values()), set.intersection(*zs.values())
        missing = {name: sorted(everything - own) for name, own in zs.items()}
        only = {
            name: sorted(own.difference(*(others for other, others in zs.items() if other != name)))
            for name, own in zs.items()
        }
        for name, own in zs.items():
            self.logger.info(
                "%s: %d sections; lacks z %s; alone has z %s",
                name,
                len(own),
                listed(missing[name]) or "none",
                listed(only[name]) or "none",
            )
        return self.output(
            {
                "counts": {name: len(own) for name, own in zs.items()},
                "common": sorted(common),
                "missing": missing,
                "only": only,
            }
        )


if __name__ == "__main__":
    raise SystemExit(CompareZs.main())
