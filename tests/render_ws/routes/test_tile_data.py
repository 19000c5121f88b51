import pytest

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"


@pytest.fixture
def stack(client, tile, translation):
    path = client.create("s")
    chain = tile("chain")
    chain["transforms"]["specList"] = [
        translation(1, 0, metaData={"labels": ["lens"]}),
        translation(10, 0, metaData={"labels": ["montage"]}),
        translation(100, 0, metaData={"labels": ["rough"]}),
        translation(1000, 0),
    ]
    client.put(path, chain, tile("other", x=1150), tile("far", x=9000, groupId="g"))
    return path


def offsets(parameters):
    (spec,) = parameters["tileSpecs"]
    return [int(one["dataString"].split()[4]) for one in spec["transforms"]["specList"]]


@pytest.mark.parametrize(
    ("query", "kept", "x"),
    [
        ("", [1, 10, 100, 1000], 1111.0),
        ("normalizeForMatching=true", [1], 0.0),
        ("normalizeForMatching=True&x=5", [1], 5.0),
        ("excludeAllTransforms=true", [], 0.0),
        ("excludeTransformsAfterLast=montage", [1, 10], 11.0),
        ("excludeTransformsAfterLast=none", [1, 10, 100, 1000], 1111.0),
        ("excludeFirstTransformAndAllAfter=rough&excludeTransformsAfterLast=montage", [1, 10], 11.0),
        ("excludeFirstTransformAndAllAfter=lens", [], 0.0),
        # render-python says this with every request for a tile's image
        ("normalizeForMatching=true&excludeAllTransforms=false", [1], 0.0),
    ],
)
def test_transforms_are_left_out_as_asked(client, stack, query, kept, x):
    parameters = client.ok("GET", f"{stack}/tile/chain/render-parameters?{query}")
    assert (offsets(parameters), parameters["x"], parameters["width"]) == (kept, x, 100)


def test_strict_mode_shows_an_empty_corner_as_java_does(strict_client, stack):
    query = "normalizeForMatching=true&excludeAllTransforms=false"
    parameters = strict_client.ok("GET", f"{stack}/tile/chain/render-parameters?{query}")
    assert (offsets(parameters), parameters["x"]) == ([1, 10, 100, 1000], 0.0)


def test_without_a_lens_at_most_two_transforms_are_kept_for_matching(client, tile, translation):
    path = client.create("s")
    for count in (0, 1, 2, 5):
        spec = tile(f"t{count}")
        spec["transforms"]["specList"] = [translation(10**i, 0) for i in range(count)]
        client.put(path, spec)
        parameters = client.ok("GET", f"{path}/tile/t{count}/render-parameters?normalizeForMatching=true")
        assert offsets(parameters) == [1, 10][: max(0, count - 1)]


def test_boxes_layers_groups_and_neighbours(client, stack):
    box = client.ok("GET", f"{stack}/z/1/box/1100,-5,60,50,0.5/render-parameters?filter=true&channels=a__0.4__b__0.6")
    assert [spec["tileId"] for spec in box["tileSpecs"]] == ["chain", "other"]
    assert (box["x"], box["y"], box["width"], box["height"], box["scale"]) == (1100.0, -5.0, 60, 50, 0.5)
    assert (box["doFilter"], box["channels"], box["binaryMask"]) == (True, "a__0.4__b__0.6", False)
    assert client.ok("GET", f"{stack}/z/1/box/0,0,10,10,1.0/render-parameters")["tileSpecs"] == []
    layer = client.ok("GET", f"{stack}/z/1/render-parameters?scale=0.25")
    assert (len(layer["tileSpecs"]), layer["x"], layer["width"], layer["scale"]) == (3, 1111.0, 7989, 0.25)
    group = client.ok("GET", f"{stack}/group/g/z/1/box/0,0,10000,90,1/render-parameters")
    assert [spec["tileId"] for spec in group["tileSpecs"]] == ["far"]
    around = client.ok("GET", f"{stack}/tile/chain/withNeighbors/render-parameters?heightFactor=0.1")
    assert [spec["tileId"] for spec in around["tileSpecs"]] == ["chain", "other"]
    assert (around["x"], around["width"], around["y"], around["height"]) == (1081.0, 160, -8.0, 96)


@pytest.mark.parametrize(
    ("question", "status"),
    [
        ("tile/none/render-parameters", 404),
        ("tile/chain/render-parameters?scale=big", 400),
        ("tile/chain/render-parameters?width=1.5", 400),
        ("tile/chain/render-parameters?filterListName=none", 400),
        ("tile/chain/render-parameters?channels=a__0.9__b__0.9", 400),
        ("tile/chain/render-parameters?channels=a__x", 400),
        ("z/1/box/0,0,512.0,10,1.0/render-parameters", 400),
        ("z/1/box/0,0,10,1.0/render-parameters", 404),
        ("z/9/render-parameters", 400),
    ],
)
def test_bad_questions(client, stack, question, status):
    assert client.status("GET", f"{stack}/{question}") == status


def test_what_the_stack_says_is_added(client, stack):
    client.ok("PUT", f"{stack}/mipmapPathBuilder", {"rootPath": "/mips", "numberOfLevels": 3, "extension": "png"})
    client.ok("PUT", f"{stack}/defaultChannel", data="DAPI", headers={"Content-Type": "application/json"})
    parameters = client.ok("GET", f"{stack}/tile/chain/render-parameters")
    assert parameters["mipmapPathBuilder"] == {"rootPath": "/mips/", "numberOfLevels": 3, "extension": "png"}
    assert parameters["channels"] == "DAPI"
    assert client.ok("GET", f"{stack}/tile/chain/render-parameters?channels=")["channels"] == ""
    named = client.ok("GET", f"{stack}/tile/chain/render-parameters?filterListName=simpleTest")
    assert named["filterSpecs"][0]["className"].endswith("CLAHE")


def test_sources_and_masks(client, tile):
    path = client.create("s")
    levels = {"0": {"imageUrl": "file:/i.png", "maskUrl": "file:/m.png", "maskSliceNumber": 2}}
    client.put(path, tile("t", x=50, mipmapLevels=levels, minIntensity=3))
    source = client.ok("GET", f"{path}/tile/t/source/scale/0.5/render-parameters")
    assert (source["x"], source["width"], source["skipInterpolation"]) == (0.0, 100, True)
    (channel,) = source["tileSpecs"][0]["channels"]
    assert channel == {"minIntensity": 3, "mipmapLevels": {"0": {"imageUrl": "file:/i.png"}}}
    (channel,) = client.ok("GET", f"{path}/tile/t/mask/scale/0.5/render-parameters")["tileSpecs"][0]["channels"]
    assert channel["mipmapLevels"] == {"0": {"imageUrl": "file:/m.png", "imageSliceNumber": 2}}
