import json

import pytest

from rendermodules.core.synthetic import SyntheticSettings, section_tiles, truth_from_json, truth_to_json


def test_truth_survives_json() -> None:
    settings = SyntheticSettings(rows=2, columns=2, folds=2, lens_distortion=3, first_z=5)
    sections = {z: section_tiles(settings, z) for z in settings.zvalues}
    text = json.dumps(truth_to_json(settings, sections))
    assert truth_from_json(json.loads(text)) == (settings, sections)


@pytest.mark.parametrize(
    "values", [{}, {"settings": {}, "sections": [{"z": 1}]}, {"settings": {"x": 1}, "sections": []}]
)
def test_other_json_is_refused(values: dict) -> None:
    with pytest.raises(ValueError, match=r"not the truth|unknown settings"):
        truth_from_json(values)
