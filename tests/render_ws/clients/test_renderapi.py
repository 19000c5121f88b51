"""Every function of ``renderapi.client`` on an embedded store, through ``run_ws_client.sh`` and without Java."""

import inspect
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import renderapi
from renderapi.external.processpools.stdlib_pool import WithThreadPool

from rendermodules.io.images import read_image, write_image
from rendermodules.module.connection import connect

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"


class PoolOfPairs:
    """A pool whose ``map`` takes several lists, as ``import_jsonfiles_and_transforms_parallel_by_z`` wants it."""

    def __init__(self, size):
        self._pool = ThreadPoolExecutor(size)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pool.shutdown()

    def map(self, function, *values):
        return list(self._pool.map(function, *values))


@pytest.fixture
def render(store):
    return connect({"host": str(store), "owner": "owner", "project": "project"})


@pytest.fixture
def served_render(store, serve, tmp_path, monkeypatch):
    """A connection to a server that asks for a token."""
    token = tmp_path / "token"
    token.write_text("correct horse battery staple")
    token.chmod(0o600)
    _, address = serve(store, "--token-file", str(token))
    monkeypatch.setenv("RENDER_TOKEN_FILE", str(token))
    return connect({"host": address, "owner": "owner", "project": "project"})


@pytest.fixture
def specs(drawn_tile):
    """Three tiles as render-python's objects, with what it insists on."""
    more = {"minIntensity": 0, "maxIntensity": 255}
    tiles = [drawn_tile("a", 1, 10, 20, 1, **more), drawn_tile("b", 1, 90, 20, 2, **more), drawn_tile("c", 2, **more)]
    return [renderapi.tilespec.TileSpec(json=tile) for tile in tiles]


@pytest.fixture
def stack(render, specs):
    """A stack with these tiles."""
    renderapi.stack.create_stack("s", stackResolutionX=4, render=render)
    renderapi.resolvedtiles.put_tilespecs("s", renderapi.resolvedtiles.ResolvedTiles(specs, []), render=render)
    renderapi.stack.set_stack_state("s", "COMPLETE", render=render)
    return "s"


def tile_ids(render, stack):
    return sorted(renderapi.stack.get_stack_tileIds(stack, render=render))


def state(render, stack):
    return renderapi.stack.get_full_stack_metadata(stack, render=render)["state"]


def test_every_function_is_called_here():
    source = Path(__file__).read_text()
    functions = {
        name
        for name, value in vars(renderapi.client).items()
        if inspect.isfunction(value) and value.__module__.startswith("renderapi.client")
    }
    # decorators, and what only helps to make command lines
    functions -= {"renderclientaccess", "get_param", "run_subprocess_mode"}
    assert len(functions) >= 24
    assert {name for name in functions if f"client.{name}(" not in source} == set()


def test_imports_of_tilespecs(render, specs):
    shared = [renderapi.transform.AffineModel(B0=100, transformId="shared")]
    specs[0].tforms.insert(0, renderapi.transform.ReferenceTransform("shared"))
    renderapi.stack.create_stack("s", render=render)
    renderapi.client.import_tilespecs("s", specs[:1], sharedTransforms=shared, render=render)
    assert renderapi.tilespec.get_tile_spec_raw("s", "a", render=render).minX == 110
    assert state(render, "s") == "LOADING"
    renderapi.client.import_tilespecs_parallel("s", specs[1:], poolsize=2, render=render)
    assert (tile_ids(render, "s"), state(render, "s")) == (["a", "b", "c"], "COMPLETE")


@pytest.mark.parametrize("door", ["render", "served_render"])
def test_imports_of_files(request, door, specs, tmp_path):
    render = request.getfixturevalue(door)
    files = []
    for spec in specs:
        files.append(str(tmp_path / f"{spec.tileId}.json"))
        Path(files[-1]).write_text(json.dumps([spec.to_dict()]))
    transforms = tmp_path / "transforms.json"
    transforms.write_text("[]")
    for stack in "rstu":
        renderapi.stack.create_stack(stack, render=render)
    renderapi.client.importJsonClient("r", tileFiles=files[:2], transformFile=str(transforms), render=render)
    renderapi.client.import_single_json_file("r", files[2], render=render)
    assert tile_ids(render, "r") == ["a", "b", "c"]
    renderapi.client.import_jsonfiles("s", files, client_script=render_script(render), memGB="1G", render=render)
    renderapi.client.import_jsonfiles_parallel("t", files[:2], poolsize=2, mpPool=WithThreadPool, render=render)
    renderapi.client.import_jsonfiles_and_transforms_parallel_by_z(
        "u", files[2:], [str(transforms)], poolsize=1, mpPool=PoolOfPairs, render=render
    )
    assert [tile_ids(render, stack) for stack in "stu"] == [["a", "b", "c"], ["a", "b"], ["c"]]
    assert {state(render, stack) for stack in "stu"} == {"COMPLETE"}


def render_script(render):
    return str(Path(render.DEFAULT_CLIENT_SCRIPTS, "run_ws_client.sh"))


def test_a_validated_import(render, specs, tmp_path, tile, picture):
    big = tile("big", width=600.0, height=700.0, mipmapLevels={"0": {"imageUrl": picture("big.png", 600, 700)}})
    (tmp_path / "tiles.json").write_text(json.dumps([big, specs[0].to_dict()]))
    renderapi.stack.create_stack("s", render=render)
    renderapi.client.import_jsonfiles_validate_client("s", [str(tmp_path / "tiles.json")], render=render)
    assert tile_ids(render, "s") == ["big"]


def test_pairs_and_their_matches(render, stack, specs, tmp_path):
    pairs = renderapi.client.tilePairClient(
        stack, 1, 1, zNeighborDistance=0, excludeCornerNeighbors=False, render=render
    )
    assert [(pair["p"]["id"], pair["q"]["id"]) for pair in pairs["neighborPairs"]] == [("a", "b")]
    noise = np.random.default_rng(0).normal(size=(80, 100))
    for name in "ab":
        write_image(
            tmp_path / f"{name}.png", np.clip(128 + 200 * cv2.GaussianBlur(noise, (0, 0), 2), 0, 255).astype("u1")
        )
    template = renderapi.client.get_canvas_url_template(stack, render=render)
    assert "render-parameters" in template.format("a")
    options = renderapi.client.SiftPointMatchOptions(
        renderScale=1.0, SIFTfdSize=4, SIFTminScale=0.2, SIFTmaxScale=1.0, matchMaxEpsilon=3, fillWithNoise=True
    )
    renderapi.client.pointMatchClient(stack, "m", [("a", "b")], sift_options=options, render=render)
    (matches,) = renderapi.pointmatch.get_matches_within_group("m", "1.0", render=render)
    assert np.abs(np.subtract(matches["matches"]["p"], matches["matches"]["q"])).max() < 0.5


def test_changes_of_transforms(render, stack, tmp_path):
    renderapi.client.transformSectionClient(stack, "new", AFFINE, "1,0,0,1,5,-7", [1], targetStack="t", render=render)
    assert renderapi.tilespec.get_tile_spec_raw("t", "a", render=render).minY == 13
    change = {"tileId": "c", "transform": {"className": AFFINE, "dataString": "1 0 0 1 50 60"}}
    (tmp_path / "changes.json").write_text(json.dumps([change]))
    renderapi.client.importTransformChangesClient(
        stack, "u", str(tmp_path / "changes.json"), changeMode="REPLACE_LAST", render=render
    )
    # render-python completes the stack that was read, not the one that was written
    assert (tile_ids(render, "u"), state(render, "u"), state(render, stack)) == (["c"], "LOADING", "COMPLETE")


def test_coordinates(render, stack, tmp_path):
    (tmp_path / "in.json").write_text(json.dumps([{"world": [15, 25]}]))
    found = renderapi.client.coordinateClient(
        stack, 1, fromJson=str(tmp_path / "in.json"), toJson=str(tmp_path / "out.json"), render=render
    )
    assert found == [[{"tileId": "a", "visible": True, "local": [5.0, 5.0, 1.0]}]]
    script = render_script(render)
    world = renderapi.coordinate.local_to_world_coordinates_clientside(
        stack, found, 1, client_script=script, render=render
    )
    assert world == [{"tileId": "a", "world": [15.0, 25.0, 1.0]}]
    # render-python leaves these two for later itself
    for function in (
        lambda: renderapi.client.local_to_world_array(stack, [], "a", render=render),
        lambda: renderapi.client.world_to_local_array(stack, [], render=render),
    ):
        with pytest.raises(NotImplementedError):
            function()


def test_drawings(render, stack, specs, tmp_path):
    bounds = {"minX": 10, "maxX": 110, "minY": 20, "maxY": 100}
    renderapi.client.renderSectionClient(
        stack, str(tmp_path), [1], scale=1, bounds=bounds, format="png", doFilter="false", fillWithNoise="false",
        convertToGray="true", padFileNamesWithZeros=True, customOutputFolder="out", render=render,
    )  # fmt: skip
    original = read_image(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "out" / "00001.png")[:, :80], original[:, :80])
    spec = renderapi.tilespec.get_tile_specs_from_z(stack, 1.0, render=render)[0]
    np.testing.assert_array_equal(renderapi.client.render_tilespec(spec, render=render)[:, :, 0], original)
    renderapi.client.materialize_tilespec_image(spec, out_fn=str(tmp_path / "tile.png"), render=render)
    assert read_image(tmp_path / "tile.png").shape == (80, 100, 3)
    parameters = renderapi.image.get_tile_renderparams(stack, "a", render=render)
    np.testing.assert_array_equal(
        renderapi.client.render_renderparameters(parameters, render=render)[:, :, 0], original
    )
    renderapi.client.materialize_renderparameters_image(parameters, out_fn=str(tmp_path / "p.tif"), render=render)
    (tmp_path / "specs.json").write_text(json.dumps([spec.to_dict()]))
    box = {"x": 10, "y": 20, "width": 100, "height": 80, "tile_spec_url": str(tmp_path / "specs.json")}
    renderapi.client.renderClient(out_fn=str(tmp_path / "q.png"), res=64, render=render, **box)
    renderapi.client.rendererClient(out_fn=str(tmp_path / "r.png"), gray=True, scale=1.0, render=render, **box)
    for name in ("p.tif", "q.png", "r.png"):
        np.testing.assert_array_equal(read_image(tmp_path / name).reshape(80, 100, -1)[:, :, 0], original)


def test_failures_are_exceptions(render, stack, capfd):
    with pytest.raises(renderapi.errors.ClientScriptError):
        renderapi.client.call_run_ws_client("org.example.Nothing", ["a b"], render_client(render))
    assert "there is no client org.example.Nothing" in capfd.readouterr().err
    with pytest.raises(renderapi.errors.ClientScriptError):
        renderapi.client.transformSectionClient(stack, "new", AFFINE, "1,0", [1], render=render)


def render_client(render):
    return renderapi.render.RenderClient(memGB="1G", **render.make_kwargs())
