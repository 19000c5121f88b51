from dataclasses import replace

import cv2
import numpy as np
import pytest

from rendermodules.core.synthetic import SyntheticSettings, section_tiles, section_truth, tile_image

SMALL = SyntheticSettings(sections=2, rows=2, columns=2, tile_width=160, tile_height=128, overlap=0.2)
STILL = {"stage_jitter": 0.0, "tile_rotation": 0.0, "section_rotation": 0.0, "section_shift": 0.0, "deformation": 0.0}
PERFECT = {**STILL, "noise": 0.0, "gain": 0.0, "bias": 0.0, "vignetting": 0.0}


def tile_at(settings: SyntheticSettings, z: float, row: int, column: int):
    return section_tiles(settings, z)[row * settings.columns + column]


def test_image_does_not_depend_on_what_else_is_made() -> None:
    settings = replace(SMALL, channels=("EM", "DAPI"))
    tile = tile_at(settings, 1, 1, 0)
    alone = tile_image(settings, tile, "DAPI")
    for other in section_tiles(settings, 0)[:2]:
        tile_image(settings, other)
    np.testing.assert_array_equal(tile_image(settings, tile, "DAPI"), alone)
    assert not np.array_equal(tile_image(replace(settings, seed=2), tile, "DAPI"), alone)


def test_more_tiles_or_sections_change_none_of_the_others() -> None:
    more = replace(SMALL, sections=5)
    assert section_tiles(SMALL, 1) == section_tiles(more, 1)


@pytest.mark.parametrize(("bit_depth", "dtype"), [(8, np.uint8), (16, np.uint16)])
def test_shape_depth_and_range(bit_depth: int, dtype: type) -> None:
    settings = replace(SMALL, bit_depth=bit_depth)
    image = tile_image(settings, tile_at(settings, 0, 0, 0))
    assert image.shape == (128, 160)
    assert image.dtype == dtype
    black, white = settings.grey_range
    assert black < image.mean() < white
    assert image.std() > 0.1 * (white - black)


def test_neighbours_show_the_same_in_their_overlap() -> None:
    settings = replace(SMALL, **PERFECT)
    left, right = (tile_image(settings, tile_at(settings, 0, 0, column)) for column in (0, 1))
    step, _ = settings.step
    np.testing.assert_array_equal(left[:, step:], right[:, : 160 - step])


def test_image_shows_the_tissue_where_the_truth_says() -> None:
    """Resampling one tile through both truths gives the other."""
    settings = replace(
        SMALL, **(PERFECT | {"stage_jitter": 5.0, "tile_rotation": 3.0}), lens_distortion=3.0, overlap=0.4
    )
    left, right = (tile_at(settings, 0, 0, column) for column in (0, 1))
    pixels = np.stack(np.meshgrid(np.arange(160.0), np.arange(128.0)), axis=-1)
    in_left = left.from_section(right.to_section(pixels)).astype(np.float32)
    resampled = cv2.remap(tile_image(settings, left), in_left[..., 0], in_left[..., 1], cv2.INTER_CUBIC)
    shown = ((in_left > 2) & (in_left < (157, 125))).all(axis=2)
    assert shown.sum() > 5000
    wrong = resampled[shown].astype(float) - tile_image(settings, right)[shown]
    assert wrong.std() < 4
    shifted = cv2.remap(tile_image(settings, left), in_left[..., 0] + 1, in_left[..., 1], cv2.INTER_CUBIC)
    assert (shifted[shown].astype(float) - tile_image(settings, right)[shown]).std() > 2 * wrong.std()


def test_sections_agree_in_the_world() -> None:
    settings = replace(SMALL, **(PERFECT | {"section_rotation": 20.0, "section_shift": 10.0, "deformation": 3.0}))
    low, high = (tile_at(settings, z, 0, 0) for z in (0, 1))
    pixels = np.stack(np.meshgrid(np.arange(160.0), np.arange(128.0)), axis=-1)
    in_low = low.from_world(high.to_world(pixels)).astype(np.float32)
    aligned = cv2.remap(tile_image(settings, low), in_low[..., 0], in_low[..., 1], cv2.INTER_LINEAR)
    shown = ((in_low > 1) & (in_low < (158, 126))).all(axis=2)
    assert np.corrcoef(aligned[shown], tile_image(settings, high)[shown])[0, 1] > 0.3


def test_gain_bias_vignetting_and_noise() -> None:
    plain = replace(SMALL, **PERFECT)
    tile = tile_at(plain, 0, 0, 0)
    clean = tile_image(plain, tile).astype(float)
    changed = tile_image(plain, replace(tile, gain=0.8, bias=0.1)).astype(float)
    np.testing.assert_allclose(changed, 0.8 * clean + 25.5, atol=1.5)
    vignetted = tile_image(replace(plain, vignetting=0.5), tile).astype(float)
    assert vignetted[64, 80] == pytest.approx(clean[64, 80], abs=1)
    assert vignetted[0, 0] == pytest.approx(clean[0, 0] / 2, abs=1)
    noisy = tile_image(replace(plain, noise=0.03), tile).astype(float)
    assert (noisy - clean).std() == pytest.approx(0.03 * 255, rel=0.05)


def test_sessions_see_the_same_sections_otherwise() -> None:
    first, second = SMALL, replace(SMALL, session=1)
    one, two = section_truth(first, 1), section_truth(second, 1)
    assert one.waves == two.waves
    assert one.rotation != two.rotation
    assert tile_at(first, 1, 0, 0).x != tile_at(second, 1, 0, 0).x


def test_deformation_has_the_strength_that_was_asked_for() -> None:
    settings = SyntheticSettings(sections=40, deformation=3, section_rotation=0, section_shift=0)
    points = np.random.default_rng(0).uniform(-20000, 20000, (500, 2))
    moves = [section_truth(settings, z).to_world(points) - points for z in settings.zvalues]
    assert np.sqrt(np.square(moves).sum(axis=2).mean()) == pytest.approx(3, rel=0.05)


def test_folds_are_dark_in_electrons_and_bright_in_light() -> None:
    settings = replace(SMALL, **PERFECT, sections=1, folds=1, fold_width=40, channels=("EM", "DAPI"))
    tiles = section_tiles(settings, 0)
    pixels = np.stack(np.meshgrid(np.arange(160.0), np.arange(128.0)), axis=-1)
    covers = [tile.section.fold_cover(tile.to_section(pixels)) for tile in tiles]
    tile, cover = max(zip(tiles, covers, strict=True), key=lambda pair: (pair[1] > 0.7).sum())
    for channel, sign in (("EM", -1), ("DAPI", 1)):
        image = tile_image(settings, tile, channel)
        assert sign * (image[cover > 0.7].mean() - image[cover == 0].mean()) > 0


def test_large_pixels_show_the_mean_of_the_tissue() -> None:
    fine = replace(SMALL, **PERFECT, sections=1, rows=1, columns=1)
    coarse = replace(fine, pixel_size=4.0, tile_width=40, tile_height=32)
    image = tile_image(fine, section_tiles(fine, 0)[0])
    # pixel (0, 0) of the coarse tile is centred where the fine one is, not where its 4 x 4 pixels are
    fine_section = section_tiles(fine, 0)[0]
    shifted = replace(fine_section, x=-1.5, y=-1.5)
    means = tile_image(fine, shifted).reshape(32, 4, 40, 4).mean(axis=(1, 3))
    assert image.shape == (128, 160)
    np.testing.assert_allclose(tile_image(coarse, section_tiles(coarse, 0)[0]), means, atol=1)


def test_unknown_channel_and_section_are_refused() -> None:
    with pytest.raises(ValueError, match="GFP"):
        tile_image(SMALL, tile_at(SMALL, 0, 0, 0), "GFP")
    with pytest.raises(ValueError, match="z=7"):
        section_tiles(SMALL, 7)


@pytest.mark.parametrize("channel", ["EM", "DAPI", "PSD95"])
def test_overlaps_can_be_matched(channel: str) -> None:
    """Strips of a tenth of a tile have features for SIFT and a peak for phase correlation."""
    settings = replace(SMALL, **STILL, rows=1, tile_width=512, tile_height=512, overlap=0.1, channels=(channel,))
    width = 512 - settings.step[0]
    left, right = (tile_image(settings, tile) for tile in section_tiles(settings, 0))
    strips = left[:, -width:], right[:, :width]
    (shift_x, shift_y), _ = cv2.phaseCorrelate(
        *(strip.astype(np.float32) for strip in strips), cv2.createHanningWindow((width, 512), cv2.CV_32F)
    )
    assert np.hypot(shift_x, shift_y) < 0.5
    stretched = [cv2.normalize(strip, None, 0, 255, cv2.NORM_MINMAX) for strip in strips]
    (points, first), (other_points, second) = (cv2.SIFT_create().detectAndCompute(strip, None) for strip in stretched)
    matches = [a for a, b in cv2.BFMatcher().knnMatch(first, second, k=2) if a.distance < 0.9 * b.distance]
    moves = np.array([np.subtract(points[m.queryIdx].pt, other_points[m.trainIdx].pt) for m in matches])
    assert (np.hypot(*moves.T) < 2).sum() >= 8
