import numpy as np
import pytest
import zarr

from rendermodules.io import ome_zarr

LAYOUT = ome_zarr.VolumeLayout((2, 3, 1100, 700), "uint16", (40.0, 4.0, 5.0), (80.0, 8.0, -10.0), ("DAPI", "GFP"), "a")


@pytest.fixture
def volume(tmp_path, monkeypatch):
    monkeypatch.setattr(ome_zarr, "SHARD", 1024)
    path = tmp_path / "a.ome.zarr"
    ome_zarr.create_volume(path, LAYOUT)
    return path


@pytest.mark.parametrize("shard", [512, 1024, 2048])
def test_planes_and_their_coarser_levels(volume, monkeypatch, shard):
    monkeypatch.setattr(ome_zarr, "SHARD", shard)
    plane = np.random.default_rng(0).integers(0, 65535, LAYOUT.shape[2:], np.uint16)
    ome_zarr.write_plane(volume, 1, 2, lambda top, left, rows, columns: plane[top : top + rows, left : left + columns])
    group = zarr.open_group(str(volume), mode="r")
    assert [group[str(level)].shape for level in range(3)] == [(2, 3, 1100, 700), (2, 3, 550, 350), (2, 3, 275, 175)]
    assert np.array_equal(group["0"][1, 2], plane)
    assert not group["0"][0].any()
    expected = plane[:1100, :700].reshape(550, 2, 350, 2).mean(axis=(1, 3))
    assert np.abs(group["1"][1, 2] - expected).max() <= 0.5


def test_metadata_place_every_level_where_it_is(volume):
    ome = dict(zarr.open_group(str(volume), mode="r").attrs)["ome"]
    assert ome["version"] == "0.5"
    (multiscale,) = ome["multiscales"]
    assert multiscale["name"] == "a"
    assert [axis["name"] for axis in multiscale["axes"]] == ["c", "z", "y", "x"]
    scale, translation = (multiscale["datasets"][1]["coordinateTransformations"][n] for n in (0, 1))
    assert scale == {"type": "scale", "scale": [1.0, 40.0, 8.0, 10.0]}
    assert translation == {"type": "translation", "translation": [0.0, 80.0, 8.0 + 2.0, -10.0 + 2.5]}
    assert [channel["label"] for channel in ome["omero"]["channels"]] == ["DAPI", "GFP"]


def test_a_volume_of_another_size_is_not_touched(volume):
    ome_zarr.create_volume(volume, LAYOUT)
    other = ome_zarr.VolumeLayout((1, 3, 1100, 700), "uint16", (1.0, 1.0, 1.0), (0.0, 0.0, 0.0), ("DAPI",), "a")
    with pytest.raises(ValueError, match="another size"):
        ome_zarr.create_volume(volume, other)
