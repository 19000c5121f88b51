"""Where a store file lies: whether the place is usable, and whether it is on a network file system."""

import os
from pathlib import Path

from rendermodules.render_ws.errors import StoreError

NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "lustre", "gpfs", "beegfs", "ceph", "glusterfs", "9p", "afs", "orangefs"}
    | {"fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs", "fuse.rclone", "fuse.gcsfuse", "fuse.beegfs"}
)
"""Types of /proc/self/mounts whose locks and shared memory do not hold between machines."""


def network_file_system(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """Return the type of the network file system that holds ``path``, or None on a local disk.

    Parameters
    ----------
    path : Path
        A file or folder; it need not exist.
    mounts : Path, default: /proc/self/mounts
        Table of mounts; where it does not exist, nothing is detected.
    """
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return None
    place = path.absolute().resolve()
    best: tuple[int, str] = (-1, "")
    for line in lines:
        _, mount_point, kind = line.split(" ")[:3]
        # blanks in mount points are written as octal escapes
        root = Path(mount_point.encode().decode("unicode_escape"))
        if place.is_relative_to(root) and len(root.parts) > best[0]:
            best = (len(root.parts), kind)
    return best[1] if best[1] in NETWORK_FILE_SYSTEMS else None


def require_usable(path: Path) -> None:
    """Raise `StoreError` with the reason when a store cannot be opened or made at ``path``."""
    if path.is_dir():
        raise StoreError(f"{path} is a folder; a store is a file")
    if not path.parent.is_dir():
        raise StoreError(f"the store {path} cannot be made: there is no folder {path.parent}")
    if not _permits(path.parent, os.W_OK):
        raise StoreError(f"the store {path} cannot be used: its folder is read-only, and SQLite keeps a journal there")
    if path.exists() and not _permits(path, os.R_OK | os.W_OK):
        raise StoreError(f"the store {path} cannot be used: the file is read-only")


def _permits(path: Path, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)
