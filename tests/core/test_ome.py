import pytest

from rendermodules.core.ome import OmeImage, OmePlane, OmeRules, ome_images
from rendermodules.core.problems import InputError


def field(file, x, planes=((0, 0),), unit="um", channels=("",), pixelsize=(100.0, 200.0), **more):
    position = None if x is None else (x, 2.0)
    made = [OmePlane(c, z, 0, f"{file}?{c}{z}", position=position, unit=unit) for c, z in planes]
    return OmeImage(file, f"n {file}", 8, 6, channels, pixelsize, made, **more)


def images(*fields, **rules):
    return ome_images(fields, "files", OmeRules(**rules))


def test_channels_make_one_tile_and_positions_begin_at_zero():
    two = [(0, 0), (1, 0)]
    names = ("DAPI", "GFP")
    found = images(
        field("a", 10.0, two, channels=names, ranges={1: (3.0, 50.0)}), field("b", 10.7, two, channels=names), z_start=4
    )
    assert [image.tile_id for image in found] == ["n_a.4.0", "n_a.4.0", "n_b.4.0", "n_b.4.0"]
    assert [image.channel for image in found] == ["DAPI", "GFP"] * 2
    assert [image.affine[4] for image in found] == pytest.approx([0, 0, 7, 7])
    assert (found[1].min_intensity, found[1].max_intensity, found[0].max_intensity) == (3.0, 50.0, None)
    assert found[0].layout == {"stageX": 10.0, "stageY": 2.0, "pixelsize": 100.0}
    assert (found[0].section_id, found[0].z) == ("4.0", 4.0)


def test_units_and_directions():
    nanometres = images(field("a", 0.0, unit="nm"), field("b", 50.0, unit="nm"), invert_x=True)
    assert [image.affine[4] for image in nanometres] == [0.5, 0.0]
    unsaid = images(field("a", 0.0, unit="unsaid"), field("b", 50.0, unit="unsaid"), unit="pixels")
    assert [image.affine[4] for image in unsaid] == [0.0, 50.0]
    given = images(field("a", 0.0, pixelsize=None), field("b", 1.0, pixelsize=None), pixelsize=10.0)
    assert given[1].affine[4] == pytest.approx(100.0)


def test_sections():
    numbers = images(field("S07_a", 0.0), field("S10_a", None), section_pattern=r"S(?P<section>\d+)_")
    assert [(image.z, image.section_id) for image in numbers] == [(7.0, "07"), (10.0, "10")]
    texts = images(field("b_x", 0.0), field("a_x", 0.0), section_pattern=r"^(?P<section>\w)_", z_start=3)
    assert [image.z for image in texts] == [4.0, 3.0]
    planes = images(field("a", None, [(0, 0), (0, 1)]))
    assert [(image.z, image.section_id) for image in planes] == [(0.0, "0.0"), (1.0, "1.0")]


@pytest.mark.parametrize(
    ("fields", "rules", "message"),
    [
        ([field("a", None), field("b", None)], {}, r"files: no position: a \(n a\), b \(n b\)"),
        ([field("a", 0.0, pixelsize=None)], {}, r"positions are in um and there is no size of a pixel: a"),
        ([field("a", 0.0)], {"time": 2}, r"no plane of time 2: a \(n a\)"),
        ([field("a", 0.0)], {"section_pattern": r"S(?P<section>\d)"}, "is not in the place: a"),
        (
            [field("S1", 0.0, [(0, 0), (0, 1)]), field("S2", 0.0)],
            {"section_pattern": r"S(?P<section>\d)"},
            r"several planes in z, in one of several sections: S1",
        ),
    ],
)
def test_refused(fields, rules, message):
    with pytest.raises(InputError, match=message):
        images(*fields, **rules)
