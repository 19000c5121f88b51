"""Features of images that are kept, in memory and perhaps in files, because the next pair or run wants them again."""

import hashlib
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rendermodules.core.features import Features, SiftParameters
from rendermodules.core.tile_matching import TileImage, plain_features
from rendermodules.io.files import written_whole
from rendermodules.io.image_cache import BytesBoundedCache

_ARRAYS = ("points", "scales", "orientations", "descriptors")


class KeptFeatures:
    """Gives the features of images, and keeps them as long as they fit.

    Parameters
    ----------
    max_bytes : int
        What the features kept in memory may take.
    folder : path, optional
        Where they are written to and looked for as well, a file each. Files are never removed; another image or other
        parameters make other files.
    """

    def __init__(self, max_bytes: int, folder: str | Path | None = None) -> None:
        self._kept: BytesBoundedCache[Features] = BytesBoundedCache(max_bytes)
        self._folder = None if folder is None else Path(folder)

    def __call__(self, image: TileImage, parameters: SiftParameters, box: NDArray[np.intp]) -> Features:
        """Return the features of a box of an image, in pixels of the image."""
        key = (image.key, parameters, box.tobytes())

        def made() -> Features:
            if self._folder is None:
                return plain_features(image, parameters, box)
            digest = hashlib.sha256(repr(key).encode()).hexdigest()
            path = self._folder / digest[:2] / f"{digest}.npz"
            features = read_features(path)
            if features is None:
                features = plain_features(image, parameters, box)
                write_features(path, features)
            return features

        return self._kept.value(key, made, lambda features: sum(getattr(features, name).nbytes for name in _ARRAYS))

    def clear(self) -> None:
        """Forget the features in memory."""
        self._kept.clear()


def read_features(path: Path) -> Features | None:
    """Return the features of a file; None if it is not there or is none of ours."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return Features(*(arrays[name] for name in _ARRAYS))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def write_features(path: Path, features: Features) -> None:
    """Write features to a file, whole or not at all."""
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **{name: getattr(features, name) for name in _ARRAYS})
