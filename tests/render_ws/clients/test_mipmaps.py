import numpy as np
import pytest

from rendermodules.io.images import read_image, write_image


@pytest.fixture
def path(client, drawn_tile, tile, picture, tmp_path):
    mask = np.full((80, 100), 255, np.uint8)
    write_image(tmp_path / "mask.png", mask)
    levels = {"0": {"imageUrl": picture("c.png", seed=3), "maskUrl": (tmp_path / "mask.png").as_uri()}}
    path = client.create("s")
    client.put(path, drawn_tile("a", 1), drawn_tile("b", 1, 90), tile("c", 2, mipmapLevels=levels))
    client.complete(path)
    return path


def files_below(root):
    return sorted(str(file.relative_to(root)) for file in root.rglob("*") if file.is_file())


def test_levels_are_where_the_stack_looks_for_them(run, client, path, tmp_path):
    root = tmp_path / "mipmaps"
    run("MipmapClient", "--rootDirectory", root, "--maxLevel", 2, "--format", "png", stack="s")
    names = [f"{level}{tmp_path}/{name}.png.png" for level in (1, 2) for name in ("a", "b", "c", "mask")]
    assert files_below(root) == sorted(names)
    rule = client.ok("GET", f"{path}/mipmapPathBuilder")
    assert rule == {"rootPath": f"{root}/", "numberOfLevels": 2, "extension": "png"}
    half = read_image(root / f"1{tmp_path}/a.png.png")
    full = read_image(tmp_path / "a.png").astype(int)
    quarters = full[::2, ::2] + full[1::2, ::2] + full[::2, 1::2] + full[1::2, 1::2]
    np.testing.assert_array_equal(half, quarters // 4)
    # a changed level shows that the service reads it
    write_image(root / f"1{tmp_path}/a.png.png", np.full((40, 50), 77, np.uint8))
    (tmp_path / "served.png").write_bytes(client.send("GET", f"{path}/tile/a/png-image?scale=0.45").content)
    assert (read_image(tmp_path / "served.png")[5:-5, 5:-5, 0] == 77).all()


def test_finished_files_are_kept_and_groups_share_the_work(run, path, tmp_path, caplog):
    words = ["--rootDirectory", tmp_path / "m", "--minLevel", 2, "--maxLevel", 2, "--numberOfRenderGroups", 2]
    run("MipmapClient", *words, "--z", 1, stack="s")
    assert files_below(tmp_path / "m") == [f"2{tmp_path}/a.png.tif"]
    run("MipmapClient", *words, "--z", 1, "--renderGroup", 2, stack="s")
    assert len(files_below(tmp_path / "m")) == 2
    caplog.clear()
    run("MipmapClient", *words[:-2], "--z", 1, stack="s")
    assert "2 images, 0 levels written" in caplog.text
    run("MipmapClient", *words[:-2], "--z", 1, "--forceGeneration", stack="s")
    assert "2 images, 2 levels written" in caplog.text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--minLevel", 0], "--minLevel is at least 1"),
        (["--format", "bmp"], "--format must be one of"),
        (["--renderGroup", 2], "--renderGroup 2 is not within 1"),
        (["--minZ", 5], "none of the layers"),
    ],
)
def test_refusals(run, client, path, tmp_path, words, message, capsys):
    run("MipmapClient", "--rootDirectory", tmp_path / "m", *words, stack="s", status=1)
    assert message in capsys.readouterr().err
    assert client.status("GET", f"{path}/mipmapPathBuilder") == 204


def test_slices_have_no_names(run, client, tile, picture, tmp_path, capsys):
    path = client.create("s")
    level = {"imageUrl": picture("a.tif"), "imageLoaderType": "IMAGEJ_TIFF_STACK", "imageSliceNumber": 1}
    client.put(path, tile("a", mipmapLevels={"0": level}))
    run("MipmapClient", "--rootDirectory", tmp_path / "m", stack="s", status=1)
    assert "no names for slices" in capsys.readouterr().err
