import numpy as np
import pytest

from rendermodules.core.pointmatches import point_matches
from rendermodules.core.sections import Section
from rendermodules.io.images import read_image, write_image
from rendermodules.module.errors import RenderModuleError
from rendermodules.module.matches import match_collection, write_matches
from rendermodules.pointmatch import PlotPointMatches

AFFINE = "mpicbg.trakem2.transform.AffineModel2D"


@pytest.fixture
def matched(render, write_stack, tile_spec, tmp_path):
    """Two sections of two tiles; matches within the first and across, where p is of the second: "10.0" sorts first."""
    write_image(tmp_path / "tile.tif", np.full((100, 100), 200, np.uint8))

    def tile(name, z, x):
        place = {"type": "leaf", "className": AFFINE, "dataString": f"1 0 0 1 {x} 0"}
        return tile_spec(f"{name}{z:g}", z, place, image=str(tmp_path / "tile.tif"), width=100.0, height=100.0)

    write_stack("raw", *(Section(z, [tile("a", z, 0), tile("b", z, 80)]) for z in (9.0, 10.0, 11.5)))
    points = np.random.default_rng(0).uniform(20, 80, (30, 2))
    pairs = [
        point_matches(("9.0", "a9"), ("9.0", "b9"), points, points - [80, 0]),
        point_matches(("10.0", "a10"), ("9.0", "a9"), points, points + [15, 0]),
        point_matches(("9.0", "a9"), ("9.0", "gone"), points, points),
    ]
    write_matches(match_collection(render, "found"), pairs)


@pytest.fixture
def run(render_parameters, tmp_path):
    names = {"input_stack": "raw", "input_collection": "found", "figure_dir": str(tmp_path / "figures")}
    return lambda **parameters: PlotPointMatches({"render": render_parameters, **names, **parameters}).run()


def coloured(file, colour, reach=12):
    """Return where a picture has about a colour, as rows and columns."""
    return np.argwhere(np.abs(read_image(file).astype(int) - colour).sum(axis=2) <= reach)


def test_counts(run, matched, tmp_path):
    result = run(dz=1)
    folder = tmp_path / "figures"
    assert result["files"] == [str(folder / "counts_00009.png"), str(folder / "counts_00009_to_00010.png")]
    assert result["without_matches"] == [[10.0], [11.5]]
    # the last colour of the scale, for the pair that has most matches
    assert len(coloured(result["files"][0], (253, 231, 36))) > 100


def test_arrows_go_from_the_lower_section_up(run, matched):
    result = run(kind="quiver", dz=1, z=None, zValues=[9, 10])
    within, across = result["files"]
    blue = (31, 119, 180)
    shafts = coloured(across, blue, 60)
    assert np.ptp(shafts[:, 1]) > 100
    # of matches that meet there are points, but hardly an arrow
    assert len(shafts) > 3 * len(coloured(within, blue, 60))


def test_sections_under_the_arrows(run, matched, render):
    file = run(kind="quiver", dz=1, zValues=[9, 10])["files"][1]
    assert not len(coloured(file, (200, 200, 0)))
    assert run(kind="quiver", dz=1, zValues=[9, 10], overlay_scale=0.5)["files"][1] == file
    assert len(coloured(file, (200, 200, 0))) > 10_000


def test_other_formats_and_workers(run, matched, tmp_path):
    (file,) = run(format="svg", z=9, pool_size=2, max_arrows=10, kind="quiver")["files"]
    assert file.endswith("quiver_00009.svg")
    assert run(dry_run=True)["files"] == []


def test_nothing_to_draw(run, matched):
    result = run(z=11.5)
    assert (result["files"], result["without_matches"]) == ([], [[11.5]])
    with pytest.raises(RenderModuleError, match="match collection fuond of tester does not exist; did you mean found"):
        run(input_collection="fuond")
