"""Files of tile pairs, as Render's Java clients write and read them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson

from rendermodules.core.problems import InputError
from rendermodules.io.files import write_bytes_whole
from rendermodules.io.json_files import packed, read_json

Q_TEMPLATE = "qRenderParametersUrlTemplate"
"""Key of the URL template of the second tiles, in files of pairs of two stacks."""

PAIR_FILE_SUFFIXES = (".json", ".json.gz", ".zip")
"""How names of files of pairs end."""

_KNOWN = ("renderParametersUrlTemplate", "neighborPairs")


@dataclass(frozen=True)
class PairFile:
    """Pairs and the place of their tiles.

    Attributes
    ----------
    url_template : str, optional
        URL of a tile's render parameters with ``{baseDataUrl}`` and ``{id}`` left open.
    pairs : list of dict
        ``p`` and ``q`` with ``groupId``, ``id`` and perhaps ``relativePosition``; perhaps ``absoluteDeltaZ``.
    more : dict
        Whatever else the file says, such as `Q_TEMPLATE`.
    """

    url_template: str | None
    pairs: list[dict[str, Any]]
    more: dict[str, Any]


def render_parameters_template(owner: str, project: str, stack: str) -> str:
    """Return the URL template of a stack's tiles as it stands in pair files."""
    return f"{{baseDataUrl}}/owner/{owner}/project/{project}/stack/{stack}/tile/{{id}}/render-parameters"


def stack_of_template(template: str) -> tuple[str, str, str]:
    """Return owner, project and stack that the URL template of a pair file names; InputError if it names none."""
    found = re.search(r"/owner/([^/]+)/project/([^/]+)/stack/([^/]+)/tile/", template)
    if found is None:
        raise InputError(f"the pair file names no stack, but {template}")
    owner, project, stack = (unquote(part) for part in found.groups())
    return owner, project, stack


def write_pair_files(path: str | Path, content: PairFile, max_pairs_per_file: int) -> list[Path]:
    """Write pairs into one file, or into numbered parts when there are more than fit.

    Parameters
    ----------
    path : path
        Ends in ``.json``, ``.json.gz`` or ``.zip``. Parts are called ``name_p000.json``, ``name_p001.json`` ...
    content : PairFile
        No pairs make a file with an empty list.
    max_pairs_per_file : int
        More go into further parts.

    Returns
    -------
    list of Path
        The files, each whole. A single file or parts of an earlier list under the same name are removed, since
        readers would take them for parts of this one.

    Raises
    ------
    ValueError
        The suffix is another, or a file may not hold a single pair.
    OSError
        A file cannot be written.
    """
    path = Path(path)
    stem, suffix = _split(path)
    if max_pairs_per_file < 1:
        raise ValueError(f"files of at most {max_pairs_per_file} pairs cannot hold any")
    pairs = content.pairs
    if len(pairs) <= max_pairs_per_file:
        written = [path]
        _write(path, content, pairs)
    else:
        written = []
        for start in range(0, len(pairs), max_pairs_per_file):
            part = path.with_name(f"{stem}_p{len(written):03d}{suffix}")
            _write(part, content, pairs[start : start + max_pairs_per_file])
            written.append(part)
    for stale in {path, *_parts(path)} - set(written):
        stale.unlink(missing_ok=True)
    return written


def read_pair_files(paths: str | Path | Sequence[str | Path]) -> PairFile:
    """Return the pairs of one or several files.

    Parameters
    ----------
    paths : path or sequence of paths
        A file that is not there stands for its parts ``_p000``, ``_p001`` ...

    Raises
    ------
    FileNotFoundError
        Neither the file nor a part of it is there.
    InputError
        A file is not JSON or holds no pairs; files name different places of the tiles.
    """
    if isinstance(paths, str | Path):
        paths = [paths]
    files = [file for path in paths for file in existing_pair_files(path)]
    contents = [_read(file) for file in files]
    templates = {content.url_template for content in contents}
    if len(templates) > 1:
        raise InputError(f"{', '.join(map(str, files))} are of different stacks: {sorted(map(str, templates))}")
    pairs = [pair for content in contents for pair in content.pairs]
    return PairFile(contents[0].url_template, pairs, contents[0].more)


def tile_ids_of_pairs(pairs: Iterable[dict[str, Any]]) -> list[str]:
    """Return the ids of all tiles of some pairs, each once, sorted."""
    return sorted({pair[side]["id"] for pair in pairs for side in ("p", "q")})


def _split(path: Path) -> tuple[str, str]:
    for suffix in PAIR_FILE_SUFFIXES:
        if path.name.endswith(suffix):
            return path.name.removesuffix(suffix), suffix
    raise ValueError(f"{path} does not end in {', '.join(PAIR_FILE_SUFFIXES)}")


def _parts(path: Path) -> list[Path]:
    stem, suffix = _split(path)
    if not path.parent.is_dir():
        return []
    numbers = [
        (int(number), file)
        for file in path.parent.iterdir()
        if file.name.startswith(f"{stem}_p") and file.name.endswith(suffix)
        for number in [file.name.removeprefix(f"{stem}_p").removesuffix(suffix)]
        if len(number) >= 3 and number.isdigit()
    ]
    return [file for _, file in sorted(numbers)]


def existing_pair_files(path: str | Path) -> list[Path]:
    """Return a file of pairs, or its parts if it is not there itself; FileNotFoundError if neither is."""
    path = Path(path)
    if path.exists():
        return [path]
    parts = _parts(path)
    if not parts:
        raise FileNotFoundError(f"{path} is not there, nor are parts {_split(path)[0]}_p000 of it")
    return parts


def _write(path: Path, content: PairFile, pairs: list[dict[str, Any]]) -> None:
    document = {**content.more, "neighborPairs": pairs}
    if content.url_template is not None:
        document = {"renderParametersUrlTemplate": content.url_template, **document}
    write_bytes_whole(path, packed(orjson.dumps(document, option=orjson.OPT_INDENT_2), path.name))


def _read(path: Path) -> PairFile:
    document = read_json(str(path))
    try:
        more = {name: value for name, value in document.items() if name not in _KNOWN}
        pairs = document["neighborPairs"]
        for pair in pairs:
            for side in ("p", "q"):
                pair[side]["id"], pair[side]["groupId"]
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise InputError(f"{path} is no file of tile pairs: it lacks {error}") from error
    return PairFile(document.get("renderParametersUrlTemplate"), pairs, more)
