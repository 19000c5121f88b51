import numpy as np
import pytest

from rendermodules.core.mirroring import with_mirrored_tiles
from rendermodules.core.sections import Section, transform_list
from rendermodules.core.transforms import Affine, Polynomial, tile_transform

LENS = Polynomial([[0, 1, 0, 1e-4, 0, 0], [0, 0, 1, 0, 1e-4, 0]]).spec("lens")
STAGE = Affine([[0.9, 0.1, 30], [-0.1, 1.1, 40]]).spec()
MOVE = Affine([[1, 0, 30], [0, 1, 40]]).spec()


def tile(*transforms, height=11.0):
    return {
        "tileId": f"t{height}",
        "width": 21.0,
        "height": height,
        "transforms": {"type": "list", "specList": [*transforms]},
    }


@pytest.mark.parametrize("axis", ["vertical", "horizontal"])
@pytest.mark.parametrize("transforms", [[], [MOVE], [{"type": "ref", "refId": "lens"}, STAGE]])
def test_every_pixel_comes_to_its_mirror_image(axis, transforms):
    section = Section(1.0, [tile(*transforms)], {"lens": LENS})
    mirrored = with_mirrored_tiles(section, axis, 100.0)
    column, size = (1, 11) if axis == "vertical" else (0, 21)
    pixels = np.array([[0.0, 0.0], [20.0, 10.0], [7.0, 3.0]])
    turned = pixels.copy()
    turned[:, column] = size - 1 - pixels[:, column]
    expected = tile_transform(section.tiles[0], section.transforms).apply(pixels)
    expected[:, column] = 200 - expected[:, column]
    found = tile_transform(mirrored.tiles[0], mirrored.transforms).apply(turned)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_moved_tile_goes_to_the_opposite_side_of_an_untransformed_one():
    (moved,) = with_mirrored_tiles(Section(1.0, [tile(MOVE)]), "vertical", None).tiles
    (transform,) = transform_list(moved)
    assert [float(text) for text in transform["dataString"].split()] == [1, 0, 0, 1, 30, -40]


def test_shared_transforms_stay_references():
    references = [{"type": "ref", "refId": name} for name in ("lens", "stage")]
    section = Section(1.0, [tile(*references, MOVE)], {"lens": LENS, "stage": {**STAGE, "id": "stage"}})
    (mirrored,) = with_mirrored_tiles(section, "horizontal", None).tiles
    assert transform_list(mirrored)[1:3] == references
    assert len(transform_list(mirrored)) == 4


def test_tiles_of_several_sizes_need_a_line():
    section = Section(1.0, [tile(), tile(height=12.0)])
    with pytest.raises(ValueError, match=r"different sizes \(t11\.0: 11\.0, t12\.0: 12\.0\)"):
        with_mirrored_tiles(section, "vertical", None)
    assert len(with_mirrored_tiles(section, "vertical", 0.0).tiles) == 2
    assert len(with_mirrored_tiles(section, "horizontal", None).tiles) == 2
    assert with_mirrored_tiles(Section(1.0, []), "vertical", None).tiles == []
