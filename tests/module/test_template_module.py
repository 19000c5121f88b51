import json

import marshmallow
import pytest

from rendermodules.module import TemplateModule

RENDER = {"host": "render.db", "owner": "demo", "project": "example"}


def test_joins_and_writes(tmp_path):
    path = tmp_path / "new folder" / "out.json"
    module = TemplateModule(input_data={"render": RENDER, "example": "a ", "output_json": str(path)})
    result = module.run()
    assert result["output_value"] == "a a default value"
    assert json.loads(path.read_text()) == result
    assert result["provenance"]["parameters"]["example"] == "a "


def test_refuses_missing_and_misspelt_parameters():
    with pytest.raises(marshmallow.ValidationError, match="example"):
        TemplateModule(input_data={"render": RENDER})
    with pytest.raises(marshmallow.ValidationError, match="Unknown field"):
        TemplateModule(input_data={"render": RENDER, "example": "a", "exmple": "b"})
