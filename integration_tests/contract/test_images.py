"""Images of boxes, layers, tiles and grids. The tests look inside of tiles, where all renderers agree."""

import cv2
import numpy as np
import pytest
import renderapi


@pytest.fixture
def filled(service, drawn):
    """Gray 100, and over its right end gray 200 from x = 90 on."""
    service.put(drawn("a", 100), drawn("b", 200, x=90, groupId="g"), drawn("m", 50, mask=True, z=2))
    service.complete()
    return service


@pytest.mark.routes("GET S/B/png-image", "GET S/B/jpeg-image", "GET S/B/tiff-image", "GET S/B/tiff16-image")
def test_boxes_through_render_python(filled, render):
    for name, channels in (("png", 4), ("jpg", 3), ("tif", 3)):
        image = renderapi.image.get_bb_image("s", 1, 40, 10, 100, 40, img_format=name, render=render)
        assert image.shape == (40, 100, channels)
        assert abs(int(image[20, 20, 0]) - 100) <= 2
        assert abs(int(image[20, 80, 0]) - 200) <= 2
    deep = renderapi.image.get_bb_image("s", 1, 40, 10, 100, 40, img_format="tiff16", render=render)
    assert (deep.shape, int(deep[20, 20]), int(deep[20, 80])) == ((40, 100), 100, 200)
    half = renderapi.image.get_bb_image("s", 1, 0, 0, 101, 77, scale=0.5, render=render)
    assert half.shape == (38, 50, 4)
    empty = renderapi.image.get_bb_image("s", 1, 900, 900, 10, 20, render=render)
    assert (empty.shape, int(empty.max())) == ((20, 10, 4), 0)


@pytest.mark.routes("GET S/B/png16-image", "GET S/B/raw-image", "GET S/B/raw16-image")
def test_other_formats_of_boxes(filled):
    path = f"{filled.stack()}/z/1/box/40,10,100,40,1.0"
    assert filled.image(f"{path}/png16-image")[20, 80] == 200
    raw = np.frombuffer(filled.send("GET", f"{path}/raw-image").content, np.uint8).reshape(40, 100, 4)
    assert raw[20, 80].tolist() == [255, 200, 200, 200]
    raw16 = np.frombuffer(filled.send("GET", f"{path}/raw16-image").content, ">u2").reshape(40, 100)
    assert raw16[20, 20] == 100


@pytest.mark.routes(
    "GET S/tile/{tileId}/png-image",
    "GET S/tile/{tileId}/jpeg-image",
    "GET S/tile/{tileId}/tiff-image",
    "GET S/tile/{tileId}/tiff16-image",
)
def test_tiles_through_render_python(filled, render):
    for name in ("png", "jpg", "tif", "tiff16"):
        image = renderapi.image.get_tile_image_data("s", "a", img_format=name, render=render)
        assert image.shape[:2] == (80, 100)
        assert abs(int(np.ravel(image[40, 50])[0]) - 100) <= 2
    small = renderapi.image.get_tile_image_data("s", "a", scale=0.5, render=render)
    assert small.shape == (40, 50, 4)
    parameters = renderapi.image.get_tile_renderparams("s", "b", normalizeForMatching=True, render=render)
    assert (parameters["x"], parameters["tileSpecs"][0]["transforms"]["specList"]) == (0.0, [])
    filled.fails("GET", f"{filled.stack()}/tile/none/png-image")


@pytest.mark.routes("GET S/z/{z}/png-image", "GET S/z/{z}/jpeg-image", "GET S/z/{z}/tiff-image")
def test_layers_through_render_python(filled, render):
    for name in ("png", "jpg", "tif"):
        image = renderapi.image.get_section_image("s", 1, scale=0.5, img_format=name, render=render)
        assert image.shape[:2] == (40, 95)
        assert abs(int(image[20, 80, 0]) - 200) <= 2
    filled.fails("GET", f"{filled.stack()}/z/9/png-image")


@pytest.mark.routes("PUT /owner/{owner}/png-image", "PUT /owner/{owner}/jpeg-image", "PUT /owner/{owner}/tiff-image")
def test_render_parameters_of_the_client(filled, render):
    parameters = renderapi.image.get_bb_renderparams("s", 1, 40, 10, 100, 40, render=render)
    for name in ("png", "jpg", "tif"):
        image = renderapi.image.get_renderparameters_image(parameters, img_format=name, render=render)
        assert abs(int(image[20, 80, 0]) - 200) <= 2


@pytest.mark.routes(
    "GET S/group/{groupId}/B/png-image",
    "GET S/group/{groupId}/B/jpeg-image",
    "GET S/group/{groupId}/B/tiff-image",
    "GET S/group/{groupId}/B/render-parameters",
)
def test_groups(filled):
    path = f"{filled.stack()}/group/g/z/1/box/0,0,190,80,1.0"
    for kind in ("png", "jpeg"):
        image = filled.image(f"{path}/{kind}-image")
        assert (abs(int(image[40, 150, 0]) - 200) <= 2, int(image[40, 40, 0]) <= 2) == (True, True)
    assert filled.send("GET", f"{path}/tiff-image").headers["Content-Type"] == "image/tiff"
    assert len(filled.ok("GET", f"{path}/render-parameters")["tileSpecs"]) == 1


@pytest.mark.routes(
    "GET S/tile/{tileId}/source/png-image",
    "GET S/tile/{tileId}/source/jpeg-image",
    "GET S/tile/{tileId}/source/tiff-image",
    "GET S/tile/{tileId}/mask/png-image",
    "GET S/tile/{tileId}/mask/jpeg-image",
    "GET S/tile/{tileId}/mask/tiff-image",
    "GET S/tile/{tileId}/source/scale/{scale}/render-parameters",
    "GET S/tile/{tileId}/mask/scale/{scale}/render-parameters",
)
def test_sources_and_masks(filled):
    tile = f"{filled.stack()}/tile/m"
    for kind in ("png", "jpeg"):
        assert abs(int(filled.image(f"{tile}/source/{kind}-image")[40, 30, 0]) - 50) <= 2
        mask = filled.image(f"{tile}/mask/{kind}-image")
        assert (int(mask[40, 30, 0]) >= 250, int(mask[40, 70, 0]) <= 5) == (True, True)
    for part in ("source", "mask"):
        assert filled.send("GET", f"{tile}/{part}/tiff-image").status_code == 200
        assert filled.ok("GET", f"{tile}/{part}/scale/0.5/render-parameters")["scale"] == 0.5
    filled.fails("GET", f"{filled.stack()}/tile/a/mask/png-image")


@pytest.mark.routes(
    "GET S/tile/{tileId}/withNeighbors/jpeg-image", "GET S/tile/{tileId}/withNeighbors/render-parameters"
)
def test_neighbours(filled):
    parameters = filled.ok("GET", f"{filled.stack()}/tile/a/withNeighbors/render-parameters")
    assert (len(parameters["tileSpecs"]), parameters["width"]) == (2, 160)
    assert filled.image(f"{filled.stack()}/tile/a/withNeighbors/jpeg-image").shape[:2] == (128, 160)


@pytest.mark.routes(
    "GET S/largeDataTileSource/{width}/{height}/{level}/{z}/{row}/{column}.jpg",
    "GET S/largeDataTileSource/{width}/{height}/{level}/{z}/{row}/{column}.png",
    "GET S/largeDataTileSource/{width}/{height}/small/{z}.jpg",
    "GET S/largeDataTileSource/{width}/{height}/small/{z}.png",
)
def test_grids_for_catmaid(filled):
    grid = f"{filled.stack()}/largeDataTileSource/64/32"
    for ending in ("jpg", "png"):
        cell = filled.image(f"{grid}/0/1/1/2.{ending}")
        assert (cell.shape[:2], abs(int(cell[10, 40, 0]) - 200) <= 2) == ((32, 64), True)
        assert filled.image(f"{grid}/1/1/0/1.{ending}").shape[:2] == (32, 64)
        assert filled.image(f"{grid}/small/1.{ending}").shape[:2] == (80, 192)


@pytest.mark.routes(
    "GET S/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}/jpg",
    "GET S/group/{groupId}/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}/jpg",
    "GET S/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}/png",
    "GET S/group/{groupId}/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}/png",
    "GET S/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}/tif",
    "GET S/group/{groupId}/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}/tif",
    "GET S/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}/render-parameters",
    "GET S/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}/tile-count",
    "GET S/group/{groupId}/dvid/imagetile/raw/xy/{width}_{height}/{x}_{y}_{z}/render-parameters",
)
def test_boxes_for_dvid_viewers(filled):
    for group in ("", "/group/g"):
        box = f"{filled.stack()}{group}/dvid/imagetile/raw/xy/60_40/120_20_1"
        for ending in ("jpg", "png"):
            assert abs(int(filled.image(f"{box}/{ending}")[10, 10, 0]) - 200) <= 2
        assert filled.send("GET", f"{box}/tif?scale=0.5").status_code == 200
        assert filled.ok("GET", f"{box}/render-parameters?scale=0.5")["scale"] == 0.5
    assert filled.ok("GET", f"{filled.stack()}/dvid/imagetile/raw/xy/60_40/120_20_1/tile-count") == 1


@pytest.mark.routes("GET S/B/png-image")
def test_images_can_be_kept_by_clients(filled):
    path = f"{filled.stack()}/z/1/box/0,0,20,10,1.0/png-image"
    first = filled.send("GET", path)
    again = filled.send("GET", path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert filled.send("GET", path, headers={"If-None-Match": '"other"'}).content == first.content
    outlines = filled.image(f"{path}?maxTileSpecsToRender=1".replace("0,0,20,10", "0,0,190,80"))
    assert outlines[0, 50].tolist() == [0, 255, 0, 255]


@pytest.mark.routes("GET S/B/png-image", "DELETE /imageProcessorCache/allEntries")
def test_missing_files_and_other_mistakes(filled, tile):
    filled.ok("PUT", f"{filled.stack()}/state/LOADING")
    filled.put(tile("missing", z=5))
    box = f"{filled.stack()}/z/5/box/0,0,20,10"
    filled.fails("GET", f"{box},1.0/png-image")
    filled.fails("GET", f"{box},0.0/png-image")
    filled.fails("GET", f"{box},1.0/png-image?filterListName=none")
    filled.fails("GET", f"{filled.stack()}/z/1/box/0,0,0,10,1.0/png-image")
    filled.ok("DELETE", "/imageProcessorCache/allEntries")


@pytest.mark.differs_from_java("layers and render parameters can be had with 16 bits")
def test_sixteen_bits_of_layers(filled, render):
    layer = renderapi.image.get_section_image("s", 1, scale=1.0, img_format="tiff16", render=render)
    assert int(layer[40, 150]) == 200
    parameters = renderapi.image.get_bb_renderparams("s", 1, 40, 10, 100, 40, render=render)
    image = renderapi.image.get_renderparameters_image(parameters, img_format="tiff16", render=render)
    assert int(image[20, 80]) == 200
    assert cv2 is not None
