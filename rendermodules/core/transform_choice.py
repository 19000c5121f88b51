"""Which of several transforms a section gets."""

from typing import Any

from rendermodules.core.sections import TransformSpec


def transform_of_section(document: Any, z: float, transform_id: str | None) -> TransformSpec:
    """Return the transform that a document has for the section at ``z``, with its id.

    Parameters
    ----------
    document : JSON value
        One transform spec for all sections, an object of z to transform spec, or a list of transform specs with ids.
    z : float
        Of the section.
    transform_id : str, optional
        Id of the transform; ``{z}`` in it stands for z and takes Python's format, as in ``a_to_b_z_{z:f}``. Needed
        to find a transform in a list. None leaves the transform as it is in the document.

    Raises
    ------
    ValueError
        The document has no transform for this section, or more than one, or is none of the three.
    """
    wanted = transform_id.format(z=z) if transform_id else None
    if isinstance(document, list):
        found = [spec for spec in document if isinstance(spec, dict) and spec.get("id") == wanted]
    elif isinstance(document, dict) and document.keys() & {"className", "type", "specList", "refId"}:
        found = [document]
    elif isinstance(document, dict):
        found = [spec for key, spec in document.items() if _is_number(key, z)]
    else:
        raise ValueError(f"transforms are an object or a list, not {type(document).__name__}")
    if len(found) != 1:
        name = f"the transform {wanted}" if isinstance(document, list) else "a transform for this z"
        raise ValueError(f"{name} is there {len(found)} times" if found else f"{name} is not there")
    spec = {"type": "leaf", **found[0]}
    return {**spec, "id": wanted} if wanted else spec


def _is_number(text: str, number: float) -> bool:
    try:
        return float(text) == number
    except ValueError:
        return False
