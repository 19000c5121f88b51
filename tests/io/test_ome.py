import numpy as np
import pytest
import tifffile
import zarr

from rendermodules.core.problems import InputError
from rendermodules.io.images import ImageSource, read_image
from rendermodules.io.ome import distinct_images, is_zarr, read_ome

RNG = np.random.default_rng(5)


def plane_image(plane):
    return read_image(ImageSource(plane.url, plane.loader_type or "IMAGEJ_DEFAULT", plane.slice_number))


def test_several_fields_in_one_tiff(tmp_path):
    path = tmp_path / "tile set ü.ome.tif"
    fields = RNG.integers(0, 60000, (3, 2, 6, 8), dtype=np.uint16)
    with tifffile.TiffWriter(path, ome=True) as tiff:
        for number, field in enumerate(fields):
            metadata = {
                "axes": "CYX",
                "PhysicalSizeX": 0.1,
                "PhysicalSizeXUnit": "µm",
                "PhysicalSizeY": 100.0,
                "PhysicalSizeYUnit": "nm",
                "Channel": {"Name": ["DAPI", "GFP"]},
                "Plane": {"PositionX": [0.7 * number] * 2, "PositionY": [5.0] * 2, "PositionXUnit": ["µm"] * 2},
            }
            tiff.write(field, photometric="minisblack", metadata=metadata)
    images = read_ome(str(path))
    assert [image.name for image in images] == [f"tile set ü_000{number}" for number in range(3)]
    image = images[1]
    assert (image.width, image.height, image.channels) == (8, 6, ("DAPI", "GFP"))
    assert image.pixelsize == pytest.approx((100.0, 100.0))
    assert [(plane.channel, plane.slice_number, plane.position, plane.unit) for plane in image.planes] == [
        (0, 3, (0.7, 5.0), "µm"),
        (1, 4, (0.7, 5.0), "µm"),
    ]
    assert np.array_equal(plane_image(image.planes[1]), fields[1, 1])


OME = '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
XML = f"""{OME}
 <Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8"
   SizeX="8" SizeY="6" SizeZ="2" SizeC="1" SizeT="1">
  <TiffData FirstZ="0" IFD="0" PlaneCount="1"><UUID FileName="a b.tif">u1</UUID></TiffData>
  <TiffData FirstZ="1" IFD="0" PlaneCount="1"><UUID FileName="c.tif">u2</UUID></TiffData>
  <Plane TheC="0" TheZ="0" TheT="0" PositionX="3" PositionY="4"/>
 </Pixels></Image>
</OME>"""


def test_a_companion_file_and_files_that_refer_to_it(tmp_path):
    (tmp_path / "set.companion.ome").write_text(XML)
    frame = np.zeros((6, 8), np.uint8)
    only = f'{OME}<BinaryOnly MetadataFile="set.companion.ome" UUID="u"/></OME>'
    for name in ("a b.tif", "c.tif"):
        tifffile.imwrite(tmp_path / name, frame, description=only, metadata=None)
    images = [image for name in ("set.companion.ome", "a b.tif", "c.tif") for image in read_ome(str(tmp_path / name))]
    (image,) = distinct_images(images)
    assert image.name == "set"
    assert image.channels == ("",)
    assert [(plane.z, plane.url, plane.loader_type) for plane in image.planes] == [
        (0, (tmp_path / "a b.tif").as_uri(), None),
        (1, (tmp_path / "c.tif").as_uri(), None),
    ]
    assert [(plane.position, plane.unit) for plane in image.planes] == [((3.0, 4.0), "unsaid"), (None, "unsaid")]


def zarr_image(parent, path, data, axes, version, **more):
    group = parent.create_group(path) if path else parent
    group.create_array("s0", data=data)
    scale = {"type": "scale", "scale": [1.0] * (len(axes) - 2) + [0.5, 0.25]}
    shift = {"type": "translation", "translation": [0.0] * (len(axes) - 2) + [20.0, 10.0]}
    names = [{"name": name, **({"unit": "micrometer"} if name in "yx" else {})} for name in axes]
    dataset = {"path": "s0", "coordinateTransformations": [scale, shift]}
    attributes = {"multiscales": [{"axes": names, "datasets": [dataset]}], **more}
    group.attrs.update({"ome": attributes} if version == 3 else attributes)


@pytest.mark.parametrize("version", [2, 3])
def test_zarr_image(tmp_path, version):
    data = RNG.integers(0, 60000, (2, 3, 6, 8), dtype=np.uint16)
    root = zarr.open_group(tmp_path / "a ü.ome.zarr", mode="w", zarr_format=version)
    channels = [{"label": "DAPI", "window": {"start": 5, "end": 900}}, {"label": "GFP"}]
    zarr_image(root, "", data, "czyx", version, omero={"channels": channels})
    (image,) = read_ome(str(tmp_path / "a ü.ome.zarr"))
    assert (image.name, image.width, image.height, image.channels) == ("a ü", 8, 6, ("DAPI", "GFP"))
    assert image.pixelsize == (250.0, 500.0)
    assert image.ranges == {0: (5.0, 900.0)}
    assert len(image.planes) == 6
    plane = next(plane for plane in image.planes if (plane.channel, plane.z) == (1, 2))
    assert (plane.position, plane.unit) == ((10.0, 20.0), "micrometer")
    assert np.array_equal(plane_image(plane), data[1, 2])


def test_zarr_collection_of_channels_without_z(tmp_path):
    data = RNG.integers(0, 255, (2, 6, 8), dtype=np.uint8)
    root = zarr.open_group(tmp_path / "plate", mode="w")
    for name in ("10", "2"):
        zarr_image(root, name, data, "cyx", 3)
    root.create_group("OME")
    assert is_zarr(str(tmp_path / "plate"))
    images = read_ome((tmp_path / "plate").as_uri())
    assert [image.name for image in images] == ["plate_2", "plate_10"]
    assert images[0].channels == ("0", "1")
    assert np.array_equal(plane_image(images[1].planes[1]), data[1])


def test_zarr_in_an_object_store(bucket):
    data = RNG.integers(0, 255, (1, 6, 8), dtype=np.uint8)
    root = zarr.open_group(f"{bucket}/a ü.zarr", mode="w")
    zarr_image(root, "", data, "zyx", 3)
    (image,) = read_ome(f"{bucket}/a%20%C3%BC.zarr")
    assert np.array_equal(plane_image(image.planes[0]), data[0])


def test_what_is_not_of_ome(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((6, 8), np.uint8), metadata=None)
    (tmp_path / "b.tif").write_bytes(b"nonsense")
    (tmp_path / "c.ome").write_text("<OME/>")
    (tmp_path / "d.ome").write_text("<OME")
    zarr.open_group(tmp_path / "e.zarr", mode="w")
    messages = {
        "a.tif": "a TIFF without metadata",
        "b.tif": "b.tif: ",
        "c.ome": "tells of no image",
        "d.ome": "cannot be read",
        "e.zarr": "without images",
        "f.zarr": "cannot be opened",
    }
    for name, message in messages.items():
        with pytest.raises(InputError, match=message):
            read_ome(str(tmp_path / name))
