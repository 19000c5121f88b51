"""Which client answers to which Java class."""

import difflib
from collections.abc import Mapping
from importlib import import_module

from rendermodules.render_ws.clients.arguments import Client
from rendermodules.render_ws.errors import ServiceError

_CLIENT = "org.janelia.render.client"
_ALIGNMENT = "org.janelia.alignment"

CLIENTS: Mapping[str, str] = {
    f"{_CLIENT}.ImportJsonClient": "import_json",
    f"{_CLIENT}.ValidateTilesClient": "validate_tiles",
    f"{_CLIENT}.TilePairClient": "tile_pairs",
    f"{_CLIENT}.PointMatchClient": "point_matches",
    f"{_CLIENT}.SIFTPointMatchClient": "sift_point_matches",
    f"{_CLIENT}.spark.SIFTPointMatchClient": "sift_point_matches",
    f"{_CLIENT}.RenderSectionClient": "render_sections",
    f"{_CLIENT}.TransformSectionClient": "transform_sections",
    f"{_CLIENT}.ImportTransformChangesClient": "import_transform_changes",
    f"{_CLIENT}.CoordinateClient": "coordinates",
    f"{_CLIENT}.StackClient": "manage_stack",
    f"{_CLIENT}.MipmapClient": "mipmaps",
    f"{_CLIENT}.CopyStackClient": "copy_stack",
    f"{_CLIENT}.ImportMatchClient": "import_matches",
    f"{_CLIENT}.CopyMatchClient": "copy_matches",
    f"{_CLIENT}.TransformRemovalClient": "remove_transforms",
    f"{_CLIENT}.SectionUpdateClient": "update_sections",
    f"{_CLIENT}.ImportTileZValuesClient": "import_tile_z_values",
    f"{_CLIENT}.TileRemovalClient": "remove_tiles",
    f"{_CLIENT}.ClusterCountClient": "count_clusters",
    f"{_CLIENT}.UnconnectedTileRemovalClient": "remove_unconnected_tiles",
    f"{_CLIENT}.RenderTilesClient": "render_tiles",
    f"{_CLIENT}.BoxClient": "boxes",
    f"{_CLIENT}.spark.betterbox.BoxClient": "boxes",
    f"{_ALIGNMENT}.ArgbRenderer": "render",
    f"{_ALIGNMENT}.Render": "render",
}
"""Full Java name to file of this folder."""

ABSENT: Mapping[str, str] = {
    f"{_ALIGNMENT}.trakem2.Converter": "TrakEM2 projects are not converted by these clients",
}
"""Java classes that users of Render may start and that have no stand-in, with the reason."""


class UnknownClient(ServiceError):
    """A class that is none of the clients; the message lists those that there are."""


def client_named(name: str) -> Client:
    """Return the client that stands in for a Java class.

    Parameters
    ----------
    name : str
        Full name of the class, or its last part.

    Raises
    ------
    UnknownClient
    """
    if name in ABSENT:
        raise UnknownClient(f"{name}: {ABSENT[name]}")
    full_names = [full for full in CLIENTS if name in (full, _short(full))]
    if not full_names:
        near = difflib.get_close_matches(_short(name), map(_short, CLIENTS), n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        raise UnknownClient(f"there is no client {name}{hint} There are:\n  " + "\n  ".join(known_clients()))
    client: Client = import_module(f"rendermodules.render_ws.clients.{CLIENTS[full_names[0]]}").CLIENT
    return client


def known_clients() -> list[str]:
    """Return the full names of the classes that can be run."""
    return sorted(CLIENTS)


def _short(name: str) -> str:
    return name.rpartition(".")[2]
