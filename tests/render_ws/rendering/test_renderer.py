"""Bad input, limits, channels: what is answered and what is refused."""

import threading

import numpy as np
import pytest

from rendermodules.core.transforms import Affine, LensCorrection
from rendermodules.io.image_cache import ImageCache
from rendermodules.io.images import ImageError, RefusedImageError
from rendermodules.io.paths import allowed_below, url_of_path
from rendermodules.render_ws.rendering import Renderer, RenderingError, RenderParameters
from rendermodules.render_ws.rendering.output import argb, gray

strictness = pytest.mark.parametrize("strict", [True, False])


@strictness
def test_a_box_without_tiles_is_transparent(draw, strict):
    canvas = draw([], 20, 10, strict)
    assert argb(canvas).shape == (10, 20, 4)
    assert not argb(canvas).any()


@strictness
def test_a_tile_elsewhere_leaves_the_box_black(tiles, texture, draw, strict):
    image = argb(draw([tiles.tile(texture(1), [[1, 0, 5000], [0, 1, 0]])], 20, 10, strict))
    assert (image == [0, 0, 0, 255]).all()


@strictness
def test_tiles_vanish_at_a_small_scale(tiles, texture, draw, strict):
    # the box of a tile 200 pixels wide, so small that its mipmap has no pixel
    assert not argb(draw([tiles.tile(texture(1))], 2000, 1500, strict, scale=0.002)).any()


@pytest.mark.parametrize(
    ("box", "message"),
    [
        ({"width": 10**6, "height": 10**6}, "1000000 x 1000000 pixels are more than"),
        ({"width": 10**9, "height": 10**9, "scale": 1e-3}, "more than"),
        ({"width": 100, "height": 100, "scale": 1e-3}, r"width \(0\) and height \(0\) must be positive at scale 0.001"),
        ({"width": 10, "height": 10, "scale": 0}, "scale"),
        ({"width": 10, "height": 10, "scale": 1e300}, "more than"),
        ({"width": -1, "height": 10}, "width"),
    ],
)
@strictness
def test_boxes_that_cannot_be_are_refused(draw, box, message, strict):
    with pytest.raises(RenderingError, match=message):
        draw([], strict=strict, **{"width": 1, "height": 1, **box})


BROKEN_TRANSFORMS = {
    "too few numbers": {"className": Affine.class_name, "dataString": "1 0 0 1"},
    "not a number": {"className": Affine.class_name, "dataString": "1 0 0 1 NaN 0"},
    "unknown class": {"className": "mpicbg.trakem2.transform.CubicBSplineTransform", "dataString": "1"},
    "missing reference": {"type": "ref", "refId": "lens"},
}


@pytest.mark.parametrize("spec", BROKEN_TRANSFORMS.values(), ids=BROKEN_TRANSFORMS)
@strictness
def test_a_broken_transform_is_told_with_its_tile(tiles, texture, draw, spec, strict):
    good, bad = tiles.tile(texture(1), name="good"), tiles.tile(texture(1), name="bad")
    bad["transforms"]["specList"] = [spec]
    with pytest.raises(RenderingError, match="tile bad: "):
        draw([good, bad], 20, 20, strict)
    assert draw([good], 20, 20, strict).pixels.any()


@pytest.mark.parametrize("matrix", [[[1, 0, 5], [0, 0, 5]], [[0, 0, 5], [0, 0, 5]], [[1e-200, 0, 5], [0, 1e-200, 5]]])
@strictness
def test_a_tile_without_area_is_not_seen(tiles, texture, draw, matrix, strict):
    good = tiles.tile(texture(1), name="good")
    bad = tiles.tile(texture(2), matrix, name="bad")
    bent = tiles.tile(texture(2), name="bent", transforms=[LensCorrection(1, np.zeros((3, 2)), [0] * 3, [1] * 3)])
    alone = draw([good], 60, 60, strict).pixels
    canvas = draw([good, bad, bent], 60, 60, strict).pixels
    assert (canvas == alone).mean() > 0.99


@strictness
def test_a_tile_without_end_does_no_harm(tiles, texture, draw, strict):
    # Java finds its first pixel everywhere
    endless = tiles.tile(texture(2), [[1e200, 0, 0], [0, 1e200, 0]])
    assert draw([endless], 60, 60, strict).pixels.shape == (60, 60)


@strictness
def test_a_mesh_that_nobody_can_mean_is_told_with_its_tile(tiles, texture, draw, strict):
    bent = LensCorrection(1, [[60, 0], [0, 60], [1, 0.75]], [100, 75, 0], [60, 60, 1])
    with pytest.raises(RenderingError, match="tile tile: .* cells are too small"):
        draw([tiles.tile(texture(1), transforms=[bent])], 60, 60, strict, meshCellSize=1e-9)


def broken_tiff(tiles, texture):
    tile = tiles.tile(texture(1), name="bad")
    path = tiles.folder / "bad.tif"
    path.write_bytes(path.read_bytes()[:2000])
    return tile


def missing_image(tiles, texture):
    tile = tiles.tile(texture(1), name="bad")
    (tiles.folder / "bad.tif").unlink()
    return tile


def empty_image(tiles, texture):
    tile = tiles.tile(texture(1), name="bad")
    (tiles.folder / "bad.tif").write_bytes(b"")
    return tile


@pytest.mark.parametrize("spoil", [broken_tiff, missing_image, empty_image])
@strictness
def test_a_broken_image_is_told_with_tile_and_url(tiles, texture, draw, spoil, strict):
    bad = spoil(tiles, texture)
    with pytest.raises(ImageError, match=r"tile bad: file:///.*/bad\.tif: "):
        draw([tiles.tile(texture(2), name="good"), bad], 20, 20, strict)


def test_only_files_that_are_needed_matter_unless_java_is_followed(tiles, texture, draw):
    tile = tiles.tile(texture(1))
    tile["mipmapLevels"]["3"] = {"imageUrl": "/absent.tif"}
    assert draw([tile], 20, 20).pixels.any()
    with pytest.raises(ImageError, match="tile tile: /absent.tif: No such file"):
        draw([tile], 20, 20, strict=True)
    tile["mipmapLevels"] = {"3": tile["mipmapLevels"]["0"]}
    with pytest.raises(RenderingError, match="tile tile: mipmap level 0 is wanted, but the finest is 3"):
        draw([tile], 20, 20)


@strictness
def test_the_size_of_the_image_stands_over_that_of_the_spec(tiles, texture, draw, strict):
    image = texture(1)
    for fields in ({"width": 900, "height": 700}, {"width": None, "height": None}):
        tile = {**tiles.tile(image), **fields}
        assert np.array_equal(draw([tile], 199, 149, strict).pixels, image[:149, :199])
    with pytest.raises(RenderingError, match="tile tile: width and height must be numbers"):
        draw([{**tiles.tile(image), "width": "wide"}], 20, 20, strict)


@strictness
def test_a_mask_of_another_size_is_left_out(tiles, texture, draw, strict, caplog):
    tile = tiles.tile(texture(1), mask=np.full((10, 10), 128, np.uint8))
    canvas = draw([tile], 199, 149, strict)
    assert (canvas.mask[:148, :198] == 255).all()
    assert "mask of 10 x 10 pixels does not fit its image of 200 x 150" in caplog.text


@strictness
def test_masks_of_other_depths_become_bytes(tiles, texture, draw, strict):
    mask = np.full((150, 200), 128 << 8, np.uint16)
    tile = tiles.tile(texture(1))
    tile["mipmapLevels"]["0"]["maskUrl"] = tiles.image(mask, "deep.tif")
    assert draw([tile], 20, 20, strict).mask[10, 5] in (128, 192)  # strict composes edges of the mesh twice


@strictness
def test_images_outside_of_the_roots_are_refused(tiles, texture, strict, tmp_path):
    tile = tiles.tile(texture(1), mask=texture(2))
    spec = {"width": 20, "height": 20, "tileSpecs": [tile]}
    inside = Renderer(ImageCache(allowed=allowed_below([tiles.folder])), strict=strict)
    assert inside.render(spec).pixels.any()
    outside = Renderer(ImageCache(allowed=allowed_below([tmp_path / "other"])), strict=strict)
    with pytest.raises(RefusedImageError, match="tile tile: .* outside"):
        outside.render(spec)


def test_bytes_with_a_wide_range_are_taken_for_reduced_shorts(tiles, texture, draw):
    image = texture(1)
    tile = tiles.tile(image, minIntensity=0, maxIntensity=65535)
    canvas = draw([tile], 200, 150)
    assert np.array_equal(canvas.pixels, image.astype(np.uint16) * 256)
    assert np.abs(gray(canvas).astype(int) - image).max() <= 1


def two_channels(tiles, texture, rows=60, columns=60, mask=None):
    levels = [tiles.tile(texture(n, rows, columns, np.uint16), name=f"c{n}", mask=mask)["mipmapLevels"] for n in (1, 2)]
    named = zip(("A", "B"), levels, (65535, 6000), strict=True)
    channels = [{"name": name, "maxIntensity": high, "mipmapLevels": level} for name, level, high in named]
    tile = tiles.tile(texture(1, rows, columns), name="both")
    return {**tile, "mipmapLevels": {}, "channels": channels}


@strictness
def test_channels_are_chosen_by_name(tiles, texture, draw, strict):
    tile = two_channels(tiles, texture)
    inner = np.s_[:59, :59]
    first, second = texture(1, 60, 60, np.uint16), texture(2, 60, 60, np.uint16)
    assert np.array_equal(draw([tile], 60, 60, strict).pixels[inner], first[inner])
    for name, image, high in (("A", first, 65535), ("B", second, 6000)):
        canvas = draw([tile], 60, 60, strict, channels=name)
        assert np.array_equal(canvas.pixels[inner], image[inner])
        assert canvas.high == high
    for channels in ("C", ""):
        assert not argb(draw([tile], 60, 60, strict, channels=channels)).any()
    with pytest.raises(RenderingError, match="no tile has a channel 'C'"):
        draw([tile], 60, 60, strict, channels="A__0.5__C__0.5")


def test_means_of_channels_are_weighted_and_rounded(tiles, texture, draw):
    tile = two_channels(tiles, texture)
    for channel in tile["channels"]:
        channel["maxIntensity"] = 65535
    first, second = (texture(n, 60, 60, np.uint16).astype(float) for n in (1, 2))
    canvas = draw([tile], 60, 60, channels="A__0.9__B__0.1")
    assert np.abs(canvas.pixels - (0.9 * first + 0.1 * second)).max() <= 0.51
    assert (canvas.mask == 255).all()
    assert draw([tile], 60, 60, strict=True, channels="A__0.9__B__0.1").mask.max() == 254


def test_channels_of_other_ranges_are_shown_in_their_own(tiles, texture, draw):
    canvas = draw([two_channels(tiles, texture)], 60, 60, channels="A__0.5__B__0.5")
    bright = np.minimum(texture(2, 60, 60, np.uint16) / 6000, 1)
    expected = (texture(1, 60, 60, np.uint16) / 65535 + bright) / 2 * 255
    assert np.abs(gray(canvas) - expected).max() < 2
    kept = draw([two_channels(tiles, texture)], 60, 60, channels="A__0.5__B__0.5", keep_values=True)
    mean = (texture(1, 60, 60, np.uint16).astype(float) + texture(2, 60, 60, np.uint16)) / 2
    assert np.abs(kept.pixels - mean).max() <= 1


def test_masks_weigh_in_means_of_channels(tiles, texture, draw):
    tile = two_channels(tiles, texture, mask=np.full((60, 60), 128, np.uint8))
    assert np.abs(draw([tile], 60, 60, channels="A__0.5__B__0.5").mask.astype(int) - 128).max() <= 1


def test_further_channels_of_oblong_tiles_are_drawn_unless_java_is_followed(tiles, texture, draw):
    tile = two_channels(tiles, texture, 40, 60)
    assert draw([tile], 60, 40, channels="A__0.5__B__0.5").pixels.any()
    with pytest.raises(RenderingError, match="'B'"):
        draw([tile], 60, 40, strict=True, channels="A__0.5__B__0.5")


def test_gray_and_colour_channels_have_no_mean(tiles, texture, draw):
    tile = two_channels(tiles, texture)
    tile["channels"][1]["mipmapLevels"] = tiles.tile(np.dstack([texture(1, 60, 60)] * 3), name="colour")["mipmapLevels"]
    with pytest.raises(RenderingError, match="A, B are gray and colour"):
        draw([tile], 60, 60, channels="A__0.5__B__0.5")


@strictness
def test_filters_are_applied_before_mapping(tiles, texture, draw, strict):
    rank = {"className": "org.janelia.alignment.filter.Rank", "parameters": {"radius": "3", "filterType": "2"}}
    tile = tiles.tile(texture(1))
    plain, filtered = (draw([tile], 100, 100, strict, filterSpecs=specs).pixels for specs in ([], [rank]))
    assert (filtered >= plain).all()
    assert (filtered > plain).any()
    with pytest.raises(RenderingError, match="tile tile: the filter X is not known"):
        draw([tile], 100, 100, strict, filterSpecs=[{"className": "X"}])


def test_one_renderer_serves_many_threads(tiles, texture):
    specs = [tiles.tile(texture(n), [[1, 0.01, 60 * n], [0, 1, 30 * n]], name=f"t{n}") for n in range(4)]
    renderer = Renderer(ImageCache(max_bytes=70_000))  # room for two images
    boxes = [{"x": x, "y": 5, "width": 90, "height": 80, "tileSpecs": specs} for x in range(0, 200, 10)]
    expected = [Renderer().render(box).pixels for box in boxes]
    found = [None] * len(boxes)

    def draw_all(start):
        for number in range(start, len(boxes), 4):
            found[number] = renderer.render(boxes[number]).pixels

    threads = [threading.Thread(target=draw_all, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(found, expected, strict=True):
        assert np.array_equal(one, other)


def test_many_tiles_are_drawn_in_groups(tiles, texture, draw, monkeypatch):
    from rendermodules.render_ws.rendering import channels

    specs = [tiles.tile(texture(n), [[1, 0, 60 * n], [0, 1, 0]], name=f"t{n}") for n in range(5)]
    together = draw(specs, 400, 150).pixels
    monkeypatch.setattr(channels, "_BATCH_PIXELS", 50_000)
    assert np.array_equal(draw(specs, 400, 150).pixels, together)


def test_a_changed_image_is_drawn_anew(tiles, texture):
    tile = tiles.tile(texture(1))
    renderer = Renderer()
    spec = {"width": 200, "height": 150, "tileSpecs": [tile]}
    assert np.array_equal(renderer.render(spec).pixels, texture(1))
    tiles.image(texture(2)[:, :190], "tile.tif")
    assert np.array_equal(renderer.render(spec).pixels[:, :190], texture(2)[:, :190])
    assert url_of_path(tiles.folder / "tile.tif") == tile["mipmapLevels"]["0"]["imageUrl"]


@pytest.mark.parametrize(
    "fault",
    [
        {"mipmapLevels": {"0": "a.tif"}},
        {"mipmapLevels": ["a.tif"]},
        {"mipmapLevels": {"-1": {"imageUrl": "a.tif"}}},
        {"mipmapLevels": {"0": {"imageUrl": 5}}},
        {"mipmapLevels": {"0": {"imageUrl": "a.tif", "imageLoaderType": "IMAGEJ_TIFF_STACK", "imageSliceNumber": "b"}}},
        {"mipmapLevels": {"0": {"imageUrl": "http://127.0.0.1:1/a.tif"}}},
        {"mipmapLevels": {"0": {"imageUrl": "file:///?dataSet=a&z=0", "imageLoaderType": "ZARR_SLICE"}}},
        {"channels": {"A": {}}},
        {"channels": ["A"]},
        {"transforms": ["a"]},
        {"transforms": {"specList": ["a"]}},
        {"transforms": {"specList": [{"className": "mpicbg.trakem2.transform.AffineModel2D", "dataString": None}]}},
    ],
    ids=str,
)
def test_tiles_of_another_form_are_named(tiles, texture, fault):
    tile = {**tiles.tile(texture(1)), "tileId": "odd one", **fault}
    with pytest.raises((RenderingError, ImageError), match="tile odd one: "):
        Renderer().render({"tileSpecs": [tile]})


@pytest.mark.parametrize(
    "fault",
    [
        {"channels": 5},
        {"filterSpecs": ["CLAHE"]},
        {"filterSpecs": 5},
        {"tileSpecs": "a"},
        {"backgroundRGBColor": "red"},
        {"mipmapPathBuilder": "/mipmaps"},
    ],
    ids=str,
)
def test_parameters_of_another_form_are_named(fault):
    with pytest.raises(RenderingError, match=next(iter(fault))):
        RenderParameters.of(fault)
