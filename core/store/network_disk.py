"""The refusal of SQLite on a network file system, where its locks and shared memory do not hold between machines."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import psutil
from sqlalchemy import make_url

from core.errors import InitlabError
from core.settings import Settings

NETWORK = {
    "9p", "acfs", "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs",
    "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "smb2", "smb3", "smbfs", "webdav",
}  # fmt: skip
LOCAL_FUSE = {
    "fuse.bindfs", "fuse.encfs", "fuse.exfat", "fuse.ext2", "fuse.fuse-overlayfs", "fuse.gocryptfs", "fuse.mergerfs",
    "fuse.ntfs", "fuse.ntfs-3g",
}  # fmt: skip
"""File systems of FUSE on this machine's own disks; any other of it is most likely elsewhere."""


class Mount(NamedTuple):
    """A mounted file system: where, and of which type."""

    mountpoint: str
    fstype: str


class NetworkDisk(InitlabError):
    """SQLite's file lies on a network file system."""

    status = 503
    title = "Database not safe"


def refuse_network_disk(settings: Settings) -> None:
    """Raise `NetworkDisk` where the settings' database is SQLite on a network file system, unless they allow it."""
    url = make_url(settings.database)
    if url.get_backend_name() != "sqlite" or not url.database or settings.sqlite_on_network:
        return
    path = Path(url.database).absolute()
    mount = network_mount(path, (Mount(one.mountpoint, one.fstype) for one in psutil.disk_partitions(all=True)))
    if mount is not None:
        raise NetworkDisk(
            f"SQLite's {path} lies on a network file system ({mount.fstype} at {mount.mountpoint}), whose locks do not "
            "keep several machines apart: the database would be damaged. Put INITLAB_DATA_DIR on a disk of this "
            "machine, or give INITLAB_DATABASE_URL=postgresql+psycopg://...; INITLAB_SQLITE_ON_NETWORK=true, if only "
            "one machine ever uses it, and locks and shared memory work there"
        )


def network_mount(path: Path, mounts: Iterable[Mount]) -> Mount | None:
    """Return the network file system that a path is on, or would be; None where it is on another."""
    here = path.resolve()
    found = None
    for mount in mounts:  # of those at one place the last one is seen
        at = Path(mount.mountpoint)
        if here.is_relative_to(at) and (found is None or len(at.parts) >= len(Path(found.mountpoint).parts)):
            found = mount
    return found if found is not None and _is_network(found.fstype.lower()) else None


def _is_network(fstype: str) -> bool:
    return fstype in NETWORK or (fstype.startswith(("fuse.", "macfuse", "osxfuse")) and fstype not in LOCAL_FUSE)
