"""Where Render's programs put images of whole sections, and where others look for them."""

from pathlib import Path

from rendermodules.io.paths import java_number


def section_images_folder(root: Path, project: str, stack: str, scale: float) -> Path:
    """Return the folder of a stack's section images at a scale: ``root/project/stack/sections_at_0.05``."""
    return root / project / stack / f"sections_at_{java_number(scale)}"


def section_image_path(folder: Path, z: float, image_format: str) -> Path:
    """Return the file of a section in a folder of them: ``folder/001/0/1020.0.png`` for z = 1020.

    Parameters
    ----------
    folder : Path
        As by `section_images_folder`.
    z : float
    image_format : str
        ``png``, ``jpg``, ``tif`` ... in any case; the ending of the file, in small letters.

    Notes
    -----
    Java: org.janelia.render.client.RenderSectionClient. Thousands and hundreds are folders, the name is z as Java
    writes a double.
    """
    thousands, hundreds = int(z / 1000), int(z % 1000 / 100)
    return folder / f"{thousands:03d}" / str(hundreds) / flat_section_name(z, image_format)


def flat_section_name(z: float, image_format: str, *, padded: bool = False) -> str:
    """Return the name of a section image: ``7.0.png``, or padded to sort as text, ``00007.png`` and ``00007.5.png``."""
    name = java_number(z)
    if padded:
        whole, _, fraction = f"{z:.9f}".rstrip("0").partition(".")
        name = f"{int(whole):05d}" + (f".{fraction}" if fraction else "")
    return f"{name}.{image_format.lower()}"
