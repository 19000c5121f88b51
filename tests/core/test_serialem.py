import pytest

from rendermodules.core.problems import InputError
from rendermodules.core.serialem import SerialEMRules, parsed_metadata, serialem_images

HEADER = """PixelSpacing = 64
ImageFile = D:\\data\\mont 1.st
ImageSize = 4096 3000
Montage = 1

[T = SerialEM: anything = at all]

"""


def block(kind, name, *lines):
    return "\n".join([f"[{kind} = {name}]", *lines, "", ""])


def images(text, coordinates="auto", **rules):
    options = {"z_start": 5.0, "invert_y": True, "stage_rotation": 0.0, **rules}
    return serialem_images(parsed_metadata(text, "m.mdoc"), "m.mdoc", "m.st", SerialEMRules(coordinates, **options))


def test_images_of_one_file():
    text = HEADER + block("ZValue", 0, "PieceCoordinates = 100 0 3", "StagePosition = 1.5 -2")
    text += block("ZValue", 1, "PieceCoordinates = 100 2700 3") + block("ZValue", 2, "PieceCoordinates = 0 0 7")
    text += "[MontSection = 0]\nPieceCoordinates = 9 9 9\n"
    first, second, third = images(text)
    assert (first.url, first.slice_number, first.tile_id, first.z) == ("mont 1.st", 1, "m_0001.5.0", 5.0)
    assert first.layout == {"stageX": 1.5, "stageY": -2.0, "pixelsize": 6.4}
    assert (first.width, first.height) == (4096, 3000)
    # y counts upwards: the second piece is above the first
    assert (first.affine[4:], second.affine[4:]) == ((0.0, 2700.0), (0.0, 0.0))
    assert (third.z, third.section_id, third.affine[4:]) == (6.0, "6.0", (0.0, 0.0))
    assert images(text, invert_y=False)[1].affine[4:] == (0.0, 2700.0)


def test_images_of_their_own():
    text = block("Image", "tile a.tif", "ImageSize = 10 20", "PieceCoordinates = 0 0 0")
    (image,) = images(text)
    assert (image.url, image.slice_number, image.tile_id) == ("tile a.tif", None, "tile_a.5.0")
    assert (image.width, image.height, image.layout) == (10, 20, {})


def test_aligned_coordinates_go_first_where_all_have_them():
    piece, aligned = "PieceCoordinates = 0 0 0", "AlignedPieceCoords = 30 40 0"
    text = HEADER + block("ZValue", 0, piece, "AlignedPieceCoordsVS = -1 2 0", aligned)
    both = text + block("ZValue", 1, piece, aligned)
    assert images(both)[1].affine[4:] == (31.0, 0.0)
    assert images(both, "piece")[1].affine[4:] == (0.0, 0.0)
    assert images(text + block("ZValue", 1, piece))[1].affine[4:] == (0.0, 0.0)


def test_stage_positions():
    text = HEADER + block("ZValue", 0, "StagePosition = 0 0") + block("ZValue", 1, "StagePosition = 1.28 0.64")
    assert images(text, invert_y=False)[1].affine[4:] == pytest.approx((200.0, 100.0))
    # turned by 90 degrees (200, 100) is (-100, 200)
    turned = images(text, stage_rotation=90.0, invert_y=False)
    assert turned[0].affine[4:] == pytest.approx((100.0, 0.0))
    assert turned[1].affine[4:] == pytest.approx((0.0, 200.0))
    with pytest.raises(InputError, match="stage positions need a PixelSpacing"):
        images(text.replace("PixelSpacing", "Spacing"))


def test_images_without_coordinates_are_all_named():
    text = block("Image", "a.tif", "PieceCoordinates = 0 0 0") + block("Image", "b.tif") + block("Image", "c.tif")
    with pytest.raises(InputError) as caught:
        images(text)
    assert "m.mdoc: no coordinates (AlignedPieceCoordsVS or AlignedPieceCoords or PieceCoordinates or" in str(
        caught.value
    )
    assert "line 4 ([Image = b.tif]), line 6 ([Image = c.tif])" in str(caught.value)
    with pytest.raises(InputError, match=r"line 1 \(\[Image = a.tif\]\), PieceCoordinates = 0 nan 0"):
        images(block("Image", "a.tif", "PieceCoordinates = 0 nan 0"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no image: there is no block"),
        ("what\n[Image = a]\nis this", r"neither a block nor an entry: line 1 \('what'\), line 3 \('is this'\)"),
        (block("ZValue", "x", "PieceCoordinates = 0 0 0"), r"not the number of an image: line 1 \(\[ZValue = x\]\)"),
    ],
)
def test_other_files_are_refused(text, message):
    with pytest.raises(InputError, match=message):
        images(text)
