import copy

import pytest

from rendermodules.core.problems import Problems
from rendermodules.core.sections import Section
from rendermodules.core.tilespec_checks import check_tilespecs

TILE = {
    "tileId": "a",
    "z": 1.5,
    "width": 4,
    "height": 3,
    "mipmapLevels": {"0": {"imageUrl": "a"}},
    "transforms": {"type": "list", "specList": [{"type": "leaf", "className": "c", "dataString": "1 0 0 1 2 3"}]},
}


def said_of(change, transforms=None):
    tile = copy.deepcopy(TILE)
    change(tile)
    problems = Problems("files")
    check_tilespecs(Section(1.5, [tile], transforms or {}), "f.json", problems)
    return str(problems) if problems else ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tile: None, ""),
        (lambda tile: [tile.pop("width"), tile.pop("z")], "files: z, width missing: f.json (a)"),
        (lambda tile: tile.update(z=float("nan")), "files: z, width or height is not a finite number: f.json (a)"),
        (lambda tile: tile.update(transforms=[]), "files: transforms have no specList: f.json (a)"),
        (lambda tile: tile.update(mipmapLevels={}), "files: no image: f.json (a)"),
        (
            lambda tile: tile["transforms"].update(
                specList=[
                    {"type": "list", "specList": [{"type": "interpolated", "a": {"dataString": "NaN 0"}, "b": {}}]}
                ]
            ),
            "files: a transform is not a number: f.json (a)",
        ),
        (
            lambda tile: tile["transforms"].update(specList=[{"type": "ref", "refId": "lens"}]),
            "files: transforms cannot be used: f.json (tile a refers to the shared transform lens, which is not there)",
        ),
    ],
)
def test_what_is_wrong(change, message):
    assert said_of(change) == message


def test_references_that_are_there():
    refer = {"type": "ref", "refId": "lens"}
    lens = {"lens": {"id": "lens", "type": "leaf", "className": "c", "dataString": ""}}
    assert said_of(lambda tile: tile["transforms"].update(specList=[refer]), lens) == ""
