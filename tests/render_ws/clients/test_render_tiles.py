import numpy as np

from rendermodules.io.images import read_image


def test_tiles_are_drawn(run, client, drawn_tile, tile, picture, tmp_path, capsys, caplog):
    path = client.create("s")
    odd = tile("b ö.,:#", 2.5, 5, 7, mipmapLevels={"0": {"imageUrl": picture("odd.png", seed=3)}})
    client.put(path, drawn_tile("a", 1, 100, 50, seed=1), odd)
    words = ["--rootDirectory", tmp_path / "out", "--fillWithNoise", "false"]
    run("RenderTilesClient", *words, stack="s")
    folder = tmp_path / "out/project/s/tiles_at_1.0"
    assert sorted(str(file.relative_to(folder)) for file in folder.rglob("*.png")) == [
        "1.0/a.png",
        "2.5/b %C3%B6.,%3A#.png",
    ]
    np.testing.assert_array_equal(read_image(folder / "1.0/a.png"), read_image(tmp_path / "a.png"))
    some = [
        "--scale",
        0.5,
        "--format",
        "jpg",
        "--excludeAllTransforms",
        "--doFilter",
        "true",
        "--tileId",
        "a",
        "gone",
        "--z",
        1,
    ]
    run("RenderTilesClient", *words, *some, stack="s")
    assert "these layers have no tile gone" in caplog.text
    files = list((tmp_path / "out/project/s/tiles_at_0.5").rglob("*.*g"))
    assert [file.name for file in files] == ["a.jpg"]
    assert read_image(files[0]).shape == (40, 50)
    run("RenderTilesClient", *words, "--renderGroup", 3, stack="s", status=1)
    assert "--renderGroup 3" in capsys.readouterr().err
