"""Trials of matching: two images of the same texture, moved by a known distance."""

import cv2
import numpy as np
import pytest

TRIAL = "/owner/owner/matchTrial"
SHIFT = (60.0, 8.0)


def texture(size):
    noise = np.random.default_rng(3).normal(size=(size, size)).astype(np.float32)
    smooth = sum(cv2.GaussianBlur(noise, None, sigma) * sigma for sigma in (2, 4, 8))
    return cv2.normalize(smooth, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


@pytest.fixture
def pair(client, tmp_path, tile):
    """Two tiles that show a texture at places ``SHIFT`` apart; the URLs of their render parameters."""
    path = client.create("s")
    image = texture(400)
    specs = []
    for name, (x, y) in {"a": (20, 20), "b": (20 + SHIFT[0], 20 + SHIFT[1])}.items():
        file = tmp_path / f"{name}.png"
        cv2.imwrite(str(file), image[int(y) : int(y) + 256, int(x) : int(x) + 256])
        specs.append(
            tile(name, z=1.0, width=256, height=256, mipmapLevels={"0": {"imageUrl": f"file:{file}"}}),
        )
    client.put(path, *specs)
    return [f"{client.base}{path}/tile/{name}/render-parameters?scale=0.5" for name in "ab"]


def body(pair, **matching):
    matching = {"matchModelType": "TRANSLATION", "matchMaxEpsilon": 3.0, "matchMinNumInliers": 6, **matching}
    return {
        "featureAndMatchParameters": {
            "siftFeatureParameters": {"fdSize": 4, "minScale": 0.25, "maxScale": 1.0, "steps": 3},
            "matchDerivationParameters": matching,
        },
        "pRenderParametersUrl": pair[0],
        "qRenderParametersUrl": pair[1],
        "note": "kept",
    }


def test_trial_finds_the_shift_in_full_scale(client, pair):
    trial = client.ok("POST", TRIAL, body(pair))
    (found,) = trial["matches"]
    assert (found["pId"], found["qId"]) == ("a", "b")
    p, q = (np.array(found["matches"][side]) for side in "pq")
    assert np.median(p - q, axis=1) == pytest.approx(SHIFT, abs=0.3)
    assert trial["stats"]["consensusSetSizes"] == [p.shape[1]]
    assert trial["stats"]["pFeatureCount"] > p.shape[1]
    assert trial["parameters"]["note"] == "kept"
    kept = client.ok("GET", f"{TRIAL}/{trial['id']}")
    assert kept == {name: value for name, value in trial.items() if name != "id"}


def test_trial_is_forgotten(client, pair):
    trial_id = client.ok("POST", TRIAL, body(pair))["id"]
    assert client.status("GET", f"/owner/other/matchTrial/{trial_id}") == 404
    client.ok("DELETE", f"{TRIAL}/{trial_id}")
    assert client.status("GET", f"{TRIAL}/{trial_id}") == 404
    client.ok("DELETE", f"{TRIAL}/{trial_id}")


@pytest.mark.parametrize(
    "matching",
    [
        {"matchModelType": "MAGIC"},
        {"matchFilter": "MAGIC"},
        {"matchIterations": 10**9},
        {"matchRegularizerModelType": "RIGID", "matchInterpolatedModelLambda": 7},
    ],
)
def test_parameters_out_of_range_are_refused(client, pair, matching):
    assert client.status("POST", TRIAL, body(pair, **matching)) == 400


def test_only_tiles_of_this_service_are_matched(client, pair):
    for url in (
        None,
        "http://elsewhere/image.png",
        f"{client.base}/owner/owner/project/p/stack/s/z/1/render-parameters",
    ):
        assert client.status("POST", TRIAL, {**body(pair), "qRenderParametersUrl": url}) == 400
    missing = pair[0].replace("/a/", "/none/")
    assert client.status("POST", TRIAL, {**body(pair), "qRenderParametersUrl": missing}) == 404
    null = client.send("POST", TRIAL, data="null", headers={"Content-Type": "application/json"})
    assert (null.status_code, null.text) == (400, "no parameters provided")
