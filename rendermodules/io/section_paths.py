"""Where Render's programs put images of whole sections, and where others look for them."""

import os
from pathlib import Path

from rendermodules.io.paths import java_number


def section_image_path(
    root: str | os.PathLike[str], project: str, stack: str, scale: float, z: float, ending: str
) -> Path:
    """Return where the image of a whole section is kept: ``root/project/stack/sections_at_0.1/001/0/1020.0.tif``.

    Thousands and hundreds of z are folders; z and the scale are written as Java writes doubles.

    Notes
    -----
    Java: org.janelia.render.client.RenderSectionClient.
    """
    folders = (project, stack, f"sections_at_{java_number(scale)}", f"{int(z / 1000):03d}", str(int(z % 1000 / 100)))
    return Path(root, *folders, f"{java_number(z)}.{ending}")


def padded_section_name(z: float, ending: str) -> str:
    """Return a name of a section image that sorts as text: ``00007.png``, ``00007.5.png``."""
    whole, _, fraction = f"{z:.9f}".rstrip("0").partition(".")
    return f"{int(whole):05d}{f'.{fraction}' if fraction else ''}.{ending}"
