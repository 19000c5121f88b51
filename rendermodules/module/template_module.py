"""A module to copy: it joins a text and a default value.

Replace this by what the module does, what for, and in which coordinates. The arithmetic
belongs in ``core``; ``run`` reads, computes, writes and reports.
"""

from typing import Any

from rendermodules.module.fields import Str
from rendermodules.module.render_module import RenderModule
from rendermodules.module.schemas import OutputParameters, RenderParameters


class TemplateModuleParameters(RenderParameters):
    """Parameters of the template."""

    example = Str("a text that must be given", required=True)
    default_val = Str("a text that need not be given", default="a default value")


class TemplateModuleOutput(OutputParameters):
    """Result of the template."""

    output_value = Str("both texts, joined", required=True)


class TemplateModule(RenderModule):
    """Join two texts: the module from which new ones are copied."""

    default_schema = TemplateModuleParameters
    default_output_schema = TemplateModuleOutput

    def run(self) -> dict[str, Any]:
        """Join the texts."""
        self.logger.info("joining %s", self.args["example"])
        return self.output({"output_value": self.args["example"] + self.args["default_val"]})


if __name__ == "__main__":
    raise SystemExit(TemplateModule.main())
