import numpy as np
import pytest

from rendermodules.core.sections import Section
from rendermodules.core.tile_matching import Canvas, CanvasPair
from rendermodules.io.images import write_image
from rendermodules.module import matching
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.matching import MatchingParameters, matched_batch, matching_options, matching_workers

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"
PAIR = CanvasPair(Canvas("1.0", "a"), Canvas("1.0", "b"))


def parameters(**given):
    return MatchingParameters().load(given)


@pytest.fixture(autouse=True)
def _nothing_kept():
    """Forget images of other tests."""
    matching._sources.cache_clear()


def test_lengths_become_pixels_of_the_images():
    options = matching_options(
        parameters(renderScale=0.5, searchRadius=100, clipWidth=300, matchMaxEpsilonFullScale=6, maxOffset=50)
    )
    found = options.matching
    assert found.correlation.search_radius == found.margin == 50
    assert (found.clip_width, found.clip_height) == (150, None)
    assert found.features.consensus.max_epsilon == 3
    assert found.features.max_offset == 25
    assert options.images.scale == 0.5


def test_defaults_that_hang_on_others():
    found = matching_options(parameters(renderScale=0.5)).matching
    # matchMaxEpsilon is in render pixels already
    assert found.features.consensus.max_epsilon == 5
    assert found.features.max_offset == 4 * found.margin == 160
    assert (found.near_within, found.near_across) == (True, False)


def test_methods():
    assert matching_options(parameters(method="sift")).matching.correlation is None
    assert matching_options(parameters(method="correlation")).matching.features is None
    # several sets are known to features alone
    assert matching_options(parameters(matchFilter="CONSENSUS_SETS")).matching.correlation is None
    anywhere = matching_options(parameters(search="anywhere")).matching
    assert (anywhere.near_within, anywhere.near_across) == (False, False)
    near = matching_options(parameters(search="near")).matching
    assert (near.near_within, near.near_across) == (True, True)


@pytest.fixture
def tiles(tile_spec, tmp_path, render_parameters):
    field = np.random.default_rng(0).normal(0, 1, (240, 420))
    smooth = sum(np.roll(field, (dy, dx), (0, 1)) for dy in range(-2, 3) for dx in range(-2, 3))
    image = np.clip(128 + 12 * smooth, 0, 255).astype(np.uint8)
    write_image(tmp_path / "a.tif", image[:, :240])
    write_image(tmp_path / "b.tif", image[:, 180:])

    def make(*local):
        tiles = {}
        for name, x in (("a", 0), ("b", 180)):
            placing = {"type": "leaf", "className": AFFINE, "dataString": f"1 0 0 1 {x} 0"}
            path = str(tmp_path / f"{name}.tif")
            tiles[name] = tile_spec(name, 1.0, *local, placing, image=path, width=240.0, height=240.0)
        return tiles

    return make


def test_a_batch(tiles, render_parameters):
    with matching_workers():
        batch = matched_batch([PAIR], tiles(), matching_options(parameters()), render_parameters)
    (outcome,) = batch.outcomes
    (one,) = outcome.matches
    np.testing.assert_allclose(one.p - one.q, np.tile([180.0, 0.0], (len(one), 1)), atol=0.05)
    assert batch.num_local_transforms == 0
    assert matched_batch([], {}, matching_options(parameters()), render_parameters).num_local_transforms is None


def test_shared_transforms(tiles, render_parameters):
    lens = {"type": "leaf", "id": "lens", "className": AFFINE, "dataString": "1 0 0 1 7 9"}
    options = matching_options(parameters())
    batch = matched_batch([PAIR], tiles({"type": "ref", "refId": "lens"}), options, render_parameters, {"lens": lens})
    assert batch.num_local_transforms == 1
    (one,) = batch.outcomes[0].matches
    assert one.p[:, 1].min() > 9
    np.testing.assert_allclose(one.p - one.q, np.tile([180.0, 0.0], (len(one), 1)), atol=0.05)


def test_tiles_of_several_frames(tiles, render_parameters):
    mixed = {**tiles(), "b": tiles({"type": "leaf", "className": AFFINE, "dataString": "1 0 0 1 0 0"})["b"]}
    with pytest.raises(RenderModuleError, match=r"\(a has 0 and b has 1\); set num_local_transforms"):
        matched_batch([PAIR], mixed, matching_options(parameters()), render_parameters)


def test_images_are_kept_while_workers_work_and_libraries_use_one_thread(tiles, render_parameters):
    import cv2

    options, connection = matching_options(parameters()), render_parameters
    before = cv2.getNumThreads()
    with matching_workers():
        matched_batch([PAIR], tiles(), options, connection)
        assert matching._sources.cache_info().currsize == 1
        assert cv2.getNumThreads() == 1
    assert matching._sources.cache_info().currsize == 0
    assert cv2.getNumThreads() == before


def test_the_service_says_what_it_cannot_draw(tiles, render_parameters, write_stack, tmp_path):
    write_stack("raw", Section(1.0, list(tiles().values())))
    options = matching_options(parameters(image_source="service"))
    with matching_workers():
        (outcome,) = matched_batch([PAIR], tiles(), options, render_parameters).outcomes
    assert outcome.method == "correlation"
    (tmp_path / "b.tif").unlink()
    with matching_workers():
        (outcome,) = matched_batch([PAIR], tiles(), options, render_parameters).outcomes
    assert outcome.kind == "image cannot be read"
    assert "tile b: Render did not draw it" in outcome.reason
