"""OME-TIFF, OME-XML and OME-Zarr: the images that they hold, where each plane is and where it was taken."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from rendermodules.core.ome import NANOMETRES, PIXELS, UNSAID, OmeImage, OmePlane
from rendermodules.core.problems import InputError
from rendermodules.io.image_folders import image_urls
from rendermodules.io.image_loaders import HEADER_BYTES, ImageError, opened
from rendermodules.io.paths import file_name, folder_of, is_local, local_path, remote_place, url_of_place

_XML_SUFFIXES = (".ome", ".ome.xml", ".xml")


def read_ome(place: str) -> list[OmeImage]:
    """Return the images of a file or folder of OME's.

    Parameters
    ----------
    place : str
        Path or URL of an OME-TIFF, of OME-XML (a companion file), or of an OME-Zarr image or collection of images.

    Raises
    ------
    OSError
        It cannot be read.
    InputError
        It has no metadata of OME's, or these contradict themselves.
    """
    if is_zarr(place):
        return list(_zarr_images(place))
    xml = _xml(place)
    companion = re.search(r'<(?:\w+:)?BinaryOnly[^>]*MetadataFile="([^"]+)"', xml)
    if companion:
        place = image_urls([companion[1]], folder_of(place))[0]
        xml = _xml(place)
    return list(_xml_images(xml, place))


def distinct_images(images: Iterable[OmeImage]) -> list[OmeImage]:
    """Return images without repetition: each file of a set of OME-TIFFs tells of all of them."""
    found: dict[tuple[str, int | None], OmeImage] = {}
    for image in images:
        first = image.planes[0]
        found.setdefault((first.url, first.slice_number), image)
    return list(found.values())


def is_zarr(place: str) -> bool:
    """Return whether a place is a Zarr folder, by its ending or by what is in it."""
    if place.rstrip("/").lower().endswith(".zarr"):
        return True
    return is_local(place) and any((local_path(place) / name).is_file() for name in ("zarr.json", ".zgroup"))


def _xml(place: str) -> str:
    url = url_of_place(place)
    if place.lower().endswith(_XML_SUFFIXES):
        with opened(url, None) as file:
            return file.read().decode("utf-8-sig")
    import tifffile

    try:
        with opened(url, None, HEADER_BYTES) as file, tifffile.TiffFile(file) as tiff:
            xml = tiff.ome_metadata
    except ImageError as error:
        raise InputError(str(error)) from None
    if not xml:
        raise InputError(f"{place}: a TIFF without metadata of OME's")
    return xml


def _xml_images(xml: str, place: str) -> Iterator[OmeImage]:
    from lxml import etree

    try:
        root = etree.fromstring(xml.encode(), etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True))
    except etree.XMLSyntaxError as error:
        raise InputError(f"{place}: its OME-XML cannot be read: {error}") from None
    elements = root.findall("{*}Image")
    if not elements:
        raise InputError(f"{place}: its OME-XML tells of no image")
    stem = _stem(place)
    for index, element in enumerate(elements):
        pixels = element.find("{*}Pixels")
        if pixels is None:
            raise InputError(f"{place}: image {element.get('ID')} has no Pixels")
        name = stem if len(elements) == 1 else f"{stem}_{index:04d}"
        yield _xml_image(pixels, place, name)


def _xml_image(pixels: Any, place: str, name: str) -> OmeImage:
    lengths = {axis: int(pixels.get(f"Size{axis}")) for axis in "XYZCT"}
    channels = pixels.findall("{*}Channel")
    if channels:
        # a channel of three samples is one plane in colour
        lengths["C"] = len(channels)
    names = tuple(channel.get("Name") or channel.get("ID") or str(number) for number, channel in enumerate(channels))
    names = names or tuple(str(number) for number in range(lengths["C"]))
    files = _files_of_planes(pixels, place, lengths)
    positions = {
        (int(plane.get("TheC")), int(plane.get("TheZ")), int(plane.get("TheT"))): _position(plane)
        for plane in pixels.findall("{*}Plane")
    }
    last_pages: dict[str, int] = {}
    for url, page in files.values():
        last_pages[url] = max(page, last_pages.get(url, 0))
    planes = []
    for key, (url, page) in sorted(files.items()):
        stacked = last_pages[url] > 0
        position, unit = positions.get(key, (None, UNSAID))
        planes.append(
            OmePlane(
                *key,
                url,
                "IMAGEJ_TIFF_STACK" if stacked else None,
                page + 1 if stacked else None,
                position,
                unit,
            )
        )
    if not planes:
        raise InputError(f"{place}: image {name} has no plane")
    sizes = [_nanometres(pixels, f"PhysicalSize{axis}") for axis in "XY"]
    size = (sizes[0], sizes[1]) if sizes[0] and sizes[1] else None
    return OmeImage(place, name, lengths["X"], lengths["Y"], names if len(names) > 1 else ("",), size, planes)


def _files_of_planes(
    pixels: Any, place: str, lengths: Mapping[str, int]
) -> dict[tuple[int, int, int], tuple[str, int]]:
    """Return for every plane (channel, z, time) the URL of its file and its page there, from 0."""
    order = [axis for axis in pixels.get("DimensionOrder", "XYZCT") if axis in "ZCT"]
    keys = []
    for indices in itertools.product(*(range(lengths[axis]) for axis in reversed(order))):
        index = dict(zip(reversed(order), indices, strict=True))
        keys.append((index["C"], index["Z"], index["T"]))
    begins = {key: number for number, key in enumerate(keys)}
    own = url_of_place(place)
    files: dict[tuple[int, int, int], tuple[str, int]] = {}
    for data in pixels.findall("{*}TiffData"):
        first = tuple(int(data.get(f"First{axis}", 0)) for axis in "CZT")
        page = int(data.get("IFD", 0))
        if first not in begins:
            raise InputError(f"{place}: a TiffData begins at a plane (C, Z, T) {first} that there is not")
        begin = begins[first]
        # without any number the element stands for all planes that follow
        count = int(data.get("PlaneCount", 1 if data.attrib else len(keys) - begin))
        uuid = data.find("{*}UUID")
        url = (
            image_urls([uuid.get("FileName")], folder_of(place))[0]
            if uuid is not None and uuid.get("FileName")
            else own
        )
        for offset, key in enumerate(keys[begin : begin + count]):
            files[key] = (url, page + offset)
    return files


def _position(plane: Any) -> tuple[tuple[float, float] | None, str]:
    if plane.get("PositionX") is None or plane.get("PositionY") is None:
        return None, UNSAID
    unit = plane.get("PositionXUnit", "")
    place = (float(plane.get("PositionX")), float(plane.get("PositionY")))
    if unit in NANOMETRES:
        return place, unit
    return place, PIXELS if unit == "pixel" else UNSAID


def _nanometres(pixels: Any, attribute: str) -> float | None:
    value = pixels.get(attribute)
    return float(value) * NANOMETRES.get(pixels.get(f"{attribute}Unit", "um"), 1e3) if value is not None else None


def _stem(place: str) -> str:
    """Return the name of a file without the endings that tell its kind."""
    return re.sub(
        r"(\.(ome|tiff?|zarr|xml|companion|btf|tf2|tf8))+$", "", file_name(place.rstrip("/")), flags=re.IGNORECASE
    )


def _zarr_images(place: str) -> Iterator[OmeImage]:
    import zarr

    location = str(local_path(place)) if is_local(place) else remote_place(place)
    try:
        root = zarr.open_group(location, mode="r")
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{place}: cannot be opened as a Zarr group: {error}") from None
    attributes = _ome_attributes(root)
    if "multiscales" in attributes:
        yield _zarr_image(root, "", place, _stem(place))
        return
    paths = attributes.get("series") or sorted(
        (name for name, group in root.groups() if "multiscales" in _ome_attributes(group)),
        key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name),
    )
    if not paths:
        raise InputError(f"{place}: a Zarr group without images (multiscales) of OME's")
    for path in paths:
        yield _zarr_image(root[path], path, place, f"{_stem(place)}_{path.replace('/', '_')}")


def _ome_attributes(group: Any) -> Mapping[str, Any]:
    attributes = dict(group.attrs)
    return attributes.get("ome", attributes)


def _zarr_image(group: Any, path: str, place: str, name: str) -> OmeImage:
    attributes = _ome_attributes(group)
    scales = attributes["multiscales"][0]
    dataset = scales["datasets"][0]
    array = group[dataset["path"]]
    axes = [axis if isinstance(axis, dict) else {"name": axis} for axis in scales.get("axes", "tczyx")][-array.ndim :]
    names = [axis["name"] for axis in axes]
    if names[-2:] != ["y", "x"] or array.ndim > 5 or not set(names) <= set("tczyx"):
        raise InputError(f"{place}: image {name} has the axes {', '.join(names)}, which are no planes of y and x")
    steps = [*dataset.get("coordinateTransformations", ()), *scales.get("coordinateTransformations", ())]
    scale, origin = _scale_and_origin(steps, array.ndim)
    factors = [NANOMETRES.get(axis.get("unit", ""), 0.0) for axis in axes[-2:]]
    known = all(factors) and scale is not None
    size = (scale[-1] * factors[1], scale[-2] * factors[0]) if known and scale else None
    position = (origin[-1], origin[-2]) if origin is not None else None
    unit = axes[-1].get("unit", "") if factors[1] else UNSAID
    channels, ranges = _zarr_channels(attributes, dict(zip(names, array.shape, strict=True)).get("c", 1))
    where = "/".join(part for part in (path, dataset["path"]) if part)
    base = url_of_place(place)
    planes = [
        OmePlane(*key, f"{base.rstrip('/')}?dataSet={quote(where)}{query}", "ZARR_SLICE", None, position, unit)
        for key, query in _zarr_planes(names[:-2], array.shape[:-2])
    ]
    rows, columns = array.shape[-2:]
    return OmeImage(place, name, columns, rows, channels, size, planes, ranges)


def _scale_and_origin(steps: Iterable[Mapping[str, Any]], axes: int) -> tuple[list[float] | None, list[float] | None]:
    """Return what scales and translations, one after the other, make of unit steps and of the origin."""
    scale: list[float] | None = None
    origin: list[float] | None = None
    for step in steps:
        if step.get("type") == "scale":
            factors = [float(value) for value in step["scale"]][-axes:]
            scale = [a * b for a, b in zip(scale or [1.0] * axes, factors, strict=True)]
            origin = [a * b for a, b in zip(origin, factors, strict=True)] if origin is not None else None
        elif step.get("type") == "translation":
            shift = [float(value) for value in step["translation"]][-axes:]
            origin = [a + b for a, b in zip(origin or [0.0] * axes, shift, strict=True)]
    return scale, origin


def _zarr_channels(attributes: Mapping[str, Any], count: int) -> tuple[tuple[str, ...], dict[int, tuple[float, float]]]:
    told = (attributes.get("omero") or {}).get("channels") or []
    if count == 1:
        names: tuple[str, ...] = ("",)
    else:
        labels = [channel.get("label") for channel in told] + [None] * count
        names = tuple(labels[number] or str(number) for number in range(count))
    windows = {number: channel.get("window") or {} for number, channel in enumerate(told[:count])}
    ranges = {
        number: (float(window["start"]), float(window["end"]))
        for number, window in windows.items()
        if {"start", "end"} <= window.keys()
    }
    return names, ranges


def _zarr_planes(names: list[str], lengths: tuple[int, ...]) -> Iterator[tuple[tuple[int, int, int], str]]:
    """Yield (channel, z, time) of every plane and what leads to it in the query of its URL."""
    # the loader calls the axes before y and x by their order, whatever they are called here
    loader_names = "zct"[: len(names)][::-1]
    counts = dict(zip(names, lengths, strict=True))
    for time in range(counts.get("t", 1)):
        for z in range(counts.get("z", 1)):
            for channel in range(counts.get("c", 1)):
                indices = {"t": time, "z": z, "c": channel}
                query = "".join(f"&{ours}={indices[name]}" for ours, name in zip(loader_names, names, strict=True))
                yield (channel, z, time), query
