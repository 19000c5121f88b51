import pytest

from rendermodules.render_ws.errors import StoreError
from rendermodules.render_ws.store.location import network_file_system, require_usable

MOUNTS = r"""
/dev/sda1 / ext4 rw 0 0
server:/data /data nfs4 rw 0 0
/dev/sdb1 /data/local\040disk xfs rw 0 0
lab@host:/home /home/lab/mount fuse.sshfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/store.db", None),
        ("/data/project/store.db", "nfs4"),
        ("/database/store.db", None),
        ("/data/local disk/store.db", None),
        ("/home/lab/mount/store.db", "fuse.sshfs"),
    ],
)
def test_network_file_systems_are_recognised_by_the_longest_mount(tmp_path, path, kind):
    from pathlib import Path

    mounts = tmp_path / "mounts"
    mounts.write_text(MOUNTS.lstrip())
    assert network_file_system(Path(path), mounts) == kind
    assert network_file_system(Path(path), tmp_path / "nothing") is None


def test_places_that_cannot_hold_a_store_are_named(tmp_path):
    with pytest.raises(StoreError, match="is a folder"):
        require_usable(tmp_path)
    with pytest.raises(StoreError, match="there is no folder"):
        require_usable(tmp_path / "missing" / "store.db")
