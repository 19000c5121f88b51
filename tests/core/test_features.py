import cv2
import numpy as np
import pytest

from rendermodules.core.features import SiftParameters, clipped_features, facing_strip, octave_range, sift_features

PARAMETERS = SiftParameters(fd_size=4, min_scale=0.25, max_scale=1.0, steps=3)


@pytest.mark.parametrize(
    ("shape", "min_scale", "max_scale", "reduction", "octaves"),
    [
        # the defaults of Render have one octave, at 0.85 of the size
        ((1000, 1000), 0.5, 0.85, 0.849, 1),
        ((1024, 1024), 0.25, 0.5, 511 / 1024, 2),
        ((500, 600), 0.5, 1.0, 599 / 600, 2),
        ((565, 662), 0.25, 1.0, 661 / 662, 3),
        ((8, 8), 0.0, 1.0, 7 / 8, 0),
        ((0, 30), 0.0, 1.0, 1.0, 0),
    ],
)
def test_octaves_are_those_of_render(shape, min_scale, max_scale, reduction, octaves):
    assert octave_range(shape, SiftParameters(4, min_scale, max_scale, 3)) == (pytest.approx(reduction), octaves)


@pytest.mark.parametrize(
    ("values", "message"),
    [((0, 0.5, 0.85, 3), "at least 1"), ((4, 0.5, 0.85, 0), "at least 1"), ((4, 0.9, 0.5, 3), "in order")],
)
def test_parameters_out_of_range(values, message):
    with pytest.raises(ValueError, match=message):
        SiftParameters(*values)


@pytest.mark.parametrize(("sigma", "x", "y"), [(4.0, 80.3, 71.8), (7.0, 64.0, 90.5), (12.0, 70.6, 76.2)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_blob_is_one_place_of_its_size(sigma, x, y, sign):
    rows, columns = np.mgrid[0:160, 0:150]
    blob = 128 + sign * 100 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    features = sift_features(blob.round().astype(np.uint8), PARAMETERS)
    strongest = np.argmin(np.linalg.norm(features.points - [x, y], axis=1))
    np.testing.assert_allclose(features.points[strongest], [x, y], atol=0.3)
    # the response of a difference of blurs peaks a little below the blob's own size
    assert 0.7 * sigma < features.scales[strongest] < 1.2 * sigma


def test_places_are_not_shifted_by_the_reduction():
    rows, columns = np.mgrid[0:300, 0:300]
    blob = 128 + 100 * np.exp(-((columns - 140.25) ** 2 + (rows - 155.75) ** 2) / (2 * 9.0**2))
    for max_scale in (1.0, 0.85, 0.5):
        features = sift_features(blob.astype(np.float32), SiftParameters(4, 0.1, max_scale, 3))
        nearest = np.linalg.norm(features.points - [140.25, 155.75], axis=1).min()
        assert nearest < 0.2


@pytest.mark.parametrize("fd_size", [4, 8])
def test_descriptors_have_length_one(texture, fd_size):
    features = sift_features(texture((200, 240)), SiftParameters(fd_size, 0.25, 1.0, 3))
    assert features.descriptors.shape == (len(features), 8 * fd_size**2)
    np.testing.assert_allclose(np.linalg.norm(features.descriptors, axis=1), 1, rtol=1e-5)
    assert len(features) > 100


def test_features_turn_with_the_image(texture):
    image = texture((260, 260)).astype(np.uint8)
    features = sift_features(image, PARAMETERS)
    turned = sift_features(np.rot90(image).copy(), PARAMETERS)
    assert abs(len(features) - len(turned)) < 0.03 * len(features)
    # x, y goes to y, 259 - x
    expected = np.column_stack([features.points[:, 1], 259 - features.points[:, 0]])
    distance = np.linalg.norm(expected[:, None] - turned.points[None], axis=2)
    similarity = features.descriptors @ turned.descriptors.T
    found = (similarity.argmax(axis=1)[:, None] == np.arange(len(turned))) & (distance < 1)
    assert found.any(axis=1).mean() > 0.9
    which = found.argmax(axis=1)[found.any(axis=1)]
    difference = features.orientations[found.any(axis=1)] - turned.orientations[which]
    assert np.abs(np.angle(np.exp(1j * (difference - np.pi / 2)))).max() < 0.3


def test_brightness_and_contrast_hardly_matter(texture):
    image = texture((200, 200))
    features, dimmed = (sift_features(values, PARAMETERS) for values in (image, 0.6 * image))
    assert len(features) == pytest.approx(len(dimmed), rel=0.02)


def test_masked_features_are_left_out(texture):
    image = texture((200, 300))
    mask = np.ones(image.shape, dtype=np.uint8)
    mask[:, 120:] = 0
    everywhere, left = sift_features(image, PARAMETERS), sift_features(image, PARAMETERS, mask)
    assert 0 < len(left) < len(everywhere)
    assert left.points[:, 0].max() < 120
    assert len(left) == (np.rint(everywhere.points[:, 0]) < 120).sum()


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32, np.float64])
def test_any_type_of_pixel(texture, kind):
    features = sift_features((texture((150, 150)) * 20).astype(kind), PARAMETERS)
    assert len(features) > 50


def test_dim_images_of_cameras_with_an_offset_and_hot_pixels(texture):
    bright = (texture((150, 150)) * 200).astype(np.uint16)
    dim = (30_000 + texture((150, 150)) * 3).astype(np.uint16)
    dim[3, 5] = 65_535
    assert len(sift_features(dim, PARAMETERS)) > 0.8 * len(sift_features(bright, PARAMETERS))


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((100, 100), dtype=np.uint8),
        np.full((100, 100), 77, dtype=np.uint8),
        np.full((100, 100), np.nan),
        np.zeros((0, 40)),
        np.ones((1, 1)),
        np.ones((5, 300)),
    ],
)
def test_images_without_structure_have_no_features(image):
    features = sift_features(image, PARAMETERS)
    assert len(features) == 0
    assert features.points.shape == (0, 2)
    assert features.descriptors.shape == (0, 128)


def test_not_finite_pixels_have_no_features(texture):
    image = texture((150, 150))
    image[40:80, 40:80] = np.nan
    features = sift_features(image, PARAMETERS)
    assert len(features) > 50
    x, y = np.rint(features.points).astype(int).T
    assert np.isfinite(image[y, x]).all()


def test_colour_is_refused():
    with pytest.raises(ValueError, match="gray"):
        sift_features(np.zeros((10, 10, 3)), PARAMETERS)


def test_same_image_same_features(texture):
    image = texture((150, 150))
    first, second = (sift_features(image, PARAMETERS) for _ in range(2))
    np.testing.assert_array_equal(first.descriptors, second.descriptors)
    np.testing.assert_array_equal(first.points, second.points)


@pytest.mark.parametrize(
    ("position", "box"),
    [
        ("LEFT", [[270, 0], [300, 200]]),
        ("RIGHT", [[0, 0], [30, 200]]),
        ("TOP", [[0, 160], [300, 200]]),
        ("BOTTOM", [[0, 0], [300, 40]]),
    ],
)
def test_facing_strip(position, box):
    assert facing_strip((200, 300), position, 30, 40).tolist() == box
    assert facing_strip((200, 300), position, None, None).tolist() == [[0, 0], [300, 200]]
    assert facing_strip((200, 300), position, 900, 900).tolist() == [[0, 0], [300, 200]]


def test_clipped_features_are_in_pixels_of_the_whole(side_by_side):
    p, _, _ = side_by_side
    strip = clipped_features(p, PARAMETERS, np.array([[380, 10], [500, 400]]))
    whole = sift_features(p, PARAMETERS)
    assert strip.points[:, 0].min() > 380
    nearest = np.linalg.norm(strip.points[:, None] - whole.points[None], axis=2).min(axis=1)
    assert (nearest < 1).mean() > 0.8


def test_features_are_those_of_the_java_matcher(shared_folder):
    import gzip
    import json

    match = shared_folder / "golden" / "match"
    expected = json.loads(gzip.decompress((match / "synth_affine.out.json.gz").read_bytes()))["pFeatureList"]
    image = cv2.imread(str(shared_folder / "golden" / "images" / "match_p_1024.png"), cv2.IMREAD_GRAYSCALE)
    features = sift_features(image, SiftParameters(4, 0.25, 0.5, 3))
    assert len(features) == pytest.approx(len(expected), rel=0.05)
    points = np.array([[feature["x"], feature["y"], 20 * np.log(feature["scale"])] for feature in expected])
    ours = np.column_stack([features.points, 20 * np.log(features.scales)])
    nearest = np.array([np.linalg.norm(ours - point, axis=1).min() for point in points])
    assert (nearest < 3).mean() > 0.8
