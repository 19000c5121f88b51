import fsspec
import numpy as np
import pytest

from rendermodules.core.problems import InputError
from rendermodules.dataimport import CreateMipmaps
from rendermodules.io.images import read_image, write_image
from rendermodules.module.errors import ItemError


@pytest.fixture
def folder(tmp_path):
    image = np.arange(20 * 12, dtype=np.uint8).reshape(20, 12)
    for name in ("a 1.tif", "a 2.tif", "b.png"):
        write_image(tmp_path / "raw ü" / name, image)
    return tmp_path / "raw ü"


def created(**parameters):
    return CreateMipmaps(input_data=parameters).run()


def test_beside_the_images(folder):
    result = created(input_images=[str(folder / "a*.tif"), str(folder / "b.png")], levels=2, pool_size=2)
    assert result["written_count"] == 6
    levels = result["mipmaps"][str(folder / "a 1.tif")]
    assert list(levels) == ["1", "2"]
    assert levels["2"] == (folder / "a 1_mip02.tif").as_uri()
    assert read_image(levels["2"]).shape == (5, 3)
    assert created(input_images=[str(folder / "b.png")], levels=2)["written_count"] == 0


def test_masks(folder):
    mask = np.full((4, 4), 255, np.uint8)
    mask[0, 0] = 0
    write_image(folder / "m.png", mask)
    levels = created(input_images=[str(folder / "m.png")], masks=True, mipmaplevels=[1])["mipmaps"]
    assert read_image(levels[str(folder / "m.png")]["1"]).tolist() == [[0, 255], [255, 255]]


def test_parameters_of_before(folder):
    with pytest.warns(FutureWarning):
        created(
            inputImage=str(folder / "a 1.tif"),
            outputDirectory=str(folder / "out"),
            mipmaplevels=[1, 3],
            outputformat="jpg",
            layout="suffix",
            verbose=True,
        )
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["a 1_mip01.jpg", "a 1_mip03.jpg"]


def test_object_store(folder, bucket):
    with fsspec.open(f"{bucket}/in/a ü.tif", "wb") as file:
        file.write((folder / "a 1.tif").read_bytes())
    levels = created(input_images=[f"{bucket}/in/a*.tif"], output_dir=f"{bucket}/out", levels=1)["mipmaps"]
    (place,) = levels.values()
    assert read_image(place["1"]).shape == (10, 6)


def test_refused(folder):
    (folder / "bad.tif").write_bytes(b"II*\0")
    with pytest.raises(ItemError, match=r"bad\.tif"):
        created(input_images=[str(folder / "bad.tif")])
    with pytest.raises(InputError, match=r"there is no file .*gone\*"):
        created(input_images=[str(folder / "gone*")])
    assert sorted(path.name for path in folder.iterdir()) == ["a 1.tif", "a 2.tif", "b.png", "bad.tif"]


def test_a_dry_run_writes_nothing(folder):
    created(input_images=[str(folder / "b.png")], dry_run=True)
    assert not (folder / "b_mip01.tif").exists()
