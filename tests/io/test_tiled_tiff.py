import numpy as np
import pytest
import tifffile

from rendermodules.io.tiled_tiff import write_tiled_tiff


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_blocks_become_the_picture(tmp_path, dtype):
    picture = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (100, 75), dtype)
    asked = []

    def source(top, left, rows, columns):
        asked.append((rows, columns))
        return picture[top : top + rows, left : left + columns]

    path = tmp_path / "new" / "a.tif"
    write_tiled_tiff(path, picture.shape, dtype, 32, source)
    assert np.array_equal(tifffile.imread(path), picture)
    assert max(asked) <= (32, 32)
    assert len(asked) == 4 * 3


def test_a_failure_leaves_nothing(tmp_path):
    def source(*_):
        raise ValueError("no picture")

    with pytest.raises(ValueError, match="no picture"):
        write_tiled_tiff(tmp_path / "a.tif", (10, 10), "uint8", 16, source)
    assert not list(tmp_path.iterdir())
