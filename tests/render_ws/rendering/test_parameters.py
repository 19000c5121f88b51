import pytest

from rendermodules.render_ws.rendering import RenderingError, RenderParameters
from rendermodules.render_ws.rendering.parameters import DEFAULT_FILTERS, PathBuilder, parsed_channels


def test_defaults_are_those_of_render():
    parameters = RenderParameters.of({})
    assert (parameters.width, parameters.height, parameters.scale, parameters.quality) == (256, 256, 1.0, 0.85)
    assert parameters.channels is None
    assert parameters.tiles == ()
    assert parameters == RenderParameters.of({"width": None, "unknown": 5, "tileSpecs": None})


@pytest.mark.parametrize(
    ("width", "scale", "canvas", "image"),
    [(101, 0.5, 51, 50), (100, 0.5, 50, 50), (100, 0.333, 33, 33), (7, 3.7, 26, 25)],
)
def test_canvases_are_rounded_and_images_cut(width, scale, canvas, image):
    parameters = RenderParameters.of({"width": width, "height": 10, "scale": scale})
    assert parameters.canvas_size[0] == canvas
    assert parameters.image_size[0] == image


def test_cells_keep_both_limits():
    assert RenderParameters.of({"meshCellSize": 32}).cell_size == 32
    assert RenderParameters.of({"meshCellSize": 32, "minMeshCellSize": 16, "scale": 0.25}).cell_size == 64


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"width": 0}, r"width \(0\)"),
        ({"height": -5}, r"height \(-5\)"),
        ({"scale": 0}, r"scale \(0.0\)"),
        ({"scale": "large"}, "scale must be a number, not 'large'"),
        ({"x": float("nan")}, "x must be a finite number"),
        ({"meshCellSize": 0}, "meshCellSize"),
        ({"width": [5]}, "width must be a number"),
        ({"tileSpecs": ["tile"]}, "tileSpecs"),
        ({"channels": "A__0.5__B"}, "channels must be"),
        ({"channels": "A__much"}, "channels must be"),
        ({"channels": "A__0.7__B__0.5"}, "more than 1"),
    ],
)
def test_what_cannot_be_is_named(spec, message):
    with pytest.raises(RenderingError, match=message):
        RenderParameters.of(spec)


def test_channel_expressions():
    assert parsed_channels(None) is None
    assert parsed_channels("") == ()
    assert parsed_channels("DAPI") == (("DAPI", 1.0),)
    assert parsed_channels("DAPI__0.9__GFP__0.1") == (("DAPI", 0.9), ("GFP", 0.1))


def test_filters_are_asked_for_by_list_or_flag():
    own = [{"className": "X", "parameters": {}}]
    assert RenderParameters.of({}).filters == ()
    assert RenderParameters.of({"doFilter": True}).filters == DEFAULT_FILTERS
    assert RenderParameters.of({"doFilter": True, "filterSpecs": own}).filters == tuple(own)
    assert RenderParameters.of({"doFilter": True, "filterSpecs": []}).filters == ()
    assert DEFAULT_FILTERS[2]["parameters"]["center"] == "true"


def test_path_builders():
    assert PathBuilder.of(None) is None
    assert PathBuilder.of({}) is None
    spec = {"rootPath": "/mipmaps", "numberOfLevels": 3, "extension": "png"}
    assert PathBuilder.of(spec) == PathBuilder("/mipmaps", 3, "png")
