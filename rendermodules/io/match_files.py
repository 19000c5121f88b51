"""Files of point matches: a JSON list as Render's service gives and takes it, plain or packed."""

from collections.abc import Iterable
from pathlib import Path

from rendermodules.core.pointmatches import PointMatches, canvas_matches, collection_order, parsed_matches
from rendermodules.core.problems import InputError
from rendermodules.io.json_files import read_json, write_json


def read_match_file(place: str | Path) -> list[PointMatches]:
    """Return the point matches of a file.

    Parameters
    ----------
    place : path
        Path or URL of a JSON list, perhaps packed.

    Raises
    ------
    OSError
        The file cannot be read.
    InputError
        It is not JSON, no list, or one of its entries is no point match.
    """
    documents = read_json(str(place))
    if not isinstance(documents, list):
        raise InputError(f"{place}: no list of point matches")
    try:
        return [parsed_matches(document) for document in documents]
    except InputError as error:
        raise InputError(f"{place}: {error}") from error


def write_match_file(path: str | Path, matches: Iterable[PointMatches]) -> None:
    """Write point matches in Render's order, doubles in full; packed as `write_json` does.

    Raises
    ------
    OSError
        The file cannot be written; what was there before is unchanged.
    """
    write_json(path, [canvas_matches(one) for one in sorted(matches, key=collection_order)])
