import numpy as np
import pytest

from rendermodules.io.images import read_image

BOXES = ["--width", 64, "--height", 40]


@pytest.fixture
def path(client, drawn_tile):
    path = client.create("s")
    client.put(path, drawn_tile("a", 20, 30, 10, seed=1), drawn_tile("b", 20, 120, 15, seed=2), drawn_tile("c", 21.5))
    client.complete(path)
    return path


def files_below(folder):
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize("name", ["BoxClient", "org.janelia.render.client.spark.betterbox.BoxClient"])
def test_boxes_are_those_of_the_service(run, client, path, tmp_path, name):
    run(name, "--rootDirectory", tmp_path / "out", *BOXES, "--maxLevel", 1, "--z", 20, stack="s")
    folder = tmp_path / "out/project/s/64x40"
    level_0 = [f"0/20/{row}/{column}.png" for row in range(3) for column in range(4)]
    level_1 = [f"1/20/{row}/{column}.png" for row in (0, 1) for column in (0, 1)]
    assert files_below(folder) == sorted([*level_0, *level_1])
    for row in range(3):
        for column in range(4):
            box = f"{column * 64},{row * 40},64,40,1"
            (tmp_path / "box.png").write_bytes(client.send("GET", f"{path}/z/20/box/{box}/png-image").content)
            mine = read_image(folder / f"0/20/{row}/{column}.png")
            np.testing.assert_array_equal(mine, read_image(tmp_path / "box.png")[:, :, 0])
    # the service answers with the files once it is told where they are
    root = str(tmp_path / "out/project/s")
    client.send("PUT", f"{path}/materializedBoxRootPath", data=root, headers={"Content-Type": "text/plain"})
    served = client.send("GET", f"{path}/largeDataTileSource/64/40/1/20/0/1.png").content
    assert served == (folder / "1/20/0/1.png").read_bytes()


def test_overviews_lists_and_restart(run, path, tmp_path, caplog):
    words = ["--rootDirectory", tmp_path / "out", *BOXES, "--maxOverviewWidthAndHeight", 55, "--createIGrid"]
    run("BoxClient", *words, "--cleanUpPriorRun", 20, 21.5, stack="s")
    folder = tmp_path / "out/project/s/64x40"
    assert read_image(folder / "small/20.png").shape == (23, 55)
    assert (folder / "small/21.5.png").is_file()
    assert (folder / "0/iGrid/20.0.iGrid").read_text().startswith("Columns: 4\nRows: 3\n/")
    assert not read_image(folder / "empty.png").any()
    (folder / "0/20/1/1.png").unlink()
    caplog.clear()
    run("BoxClient", *words, "--minZ", 20, "--maxZ", 20, stack="s")
    assert "z 20.0: 1 boxes written" in caplog.text
    run("BoxClient", *words, "--forceGeneration", 20, stack="s")
    assert "z 20.0: 12 boxes written" in caplog.text


def test_groups_share_the_boxes(run, path, tmp_path):
    words = [*BOXES, "--maxLevel", 1, "--maxOverviewWidthAndHeight", 20, "--numberOfRenderGroups", 3]
    for group in (1, 2, 3):
        run("BoxClient", "--rootDirectory", tmp_path / "a", *words, "--renderGroup", group, 20, stack="s")
        assert (tmp_path / "a/project/s/64x40/small/20.png").is_file() == (group == 3)
    run("BoxClient", "--rootDirectory", tmp_path / "b", *words[:-2], 20, stack="s")
    assert files_below(tmp_path / "a") == files_below(tmp_path / "b")
    for file in files_below(tmp_path / "a"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_colours_filters_and_plans(run, path, tmp_path, caplog):
    words = ["--rootDirectory", tmp_path / "out", "--width", 300, "--height", 200, 20]
    run("BoxClient", *words, "--explainPlan", stack="s")
    assert "2 tiles, 1 boxes at level 0" in caplog.text
    assert not (tmp_path / "out").exists()
    run("BoxClient", *words, "--convertToGray", "false", "--format", "jpg", "--doFilter", stack="s")
    assert read_image(tmp_path / "out/project/s/300x200/0/20/0/0.jpg").shape == (200, 300, 3)


def test_labels_tell_tiles_apart(run, path, tmp_path):
    run("BoxClient", "--rootDirectory", tmp_path, *BOXES, "--label", "--maxLevel", 1, 20, stack="s")
    folder = tmp_path / "project/s/64x40-label"
    label = read_image(folder / "0/20/1/1.png")
    assert label.dtype == np.uint16
    assert np.unique(label).tolist() == [1, 2]
    assert np.unique(read_image(folder / "1/20/0/0.png")).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--width", 0, "--height", 10, 20], "at least 1"),
        ([*BOXES, "--label", "--format", "jpg", 20], "16 bit"),
        ([*BOXES, "--validateLabelsOnly", 20], "no stand-in"),
        ([*BOXES, "--format", "bmp", 20], "--format must be one of"),
        ([*BOXES, 99], "none of the layers"),
    ],
)
def test_refusals(run, path, tmp_path, words, message, capsys):
    run("BoxClient", "--rootDirectory", tmp_path / "out", *words, stack="s", status=1)
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
