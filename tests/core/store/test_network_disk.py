"""SQLite on a network file system is refused before anything is written."""

from pathlib import Path

import psutil
import pytest

from core.settings import Settings
from core.store.network_disk import Mount, NetworkDisk, network_mount, refuse_network_disk

HERE = Path("/mnt/lab/var/initlab.sqlite")
ROOT = Mount("/", "ext4")


@pytest.mark.parametrize(
    "fstype",
    ["nfs", "nfs4", "cifs", "smb3", "ceph", "lustre", "gpfs", "9p", "fuse.sshfs", "fuse.glusterfs"],
)
def test_a_network_file_system_is_found_by_its_mount(fstype: str) -> None:
    mount = Mount("/mnt/lab", fstype)
    assert network_mount(HERE, [ROOT, mount]) == mount
    assert network_mount(Path("/mnt/laboratory/x"), [ROOT, mount]) is None
    assert network_mount(HERE, [ROOT, mount, Mount("/mnt/lab/var", "xfs")]) is None
    assert network_mount(HERE, [ROOT, mount, Mount("/mnt/lab", "ext4")]) is None, "mounted over it"
    assert network_mount(HERE, [mount, ROOT, Mount("/mnt", "ext4")]) == mount


@pytest.mark.parametrize("fstype", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "apfs", "fuseblk", "fuse.ntfs-3g"])
def test_a_disk_of_this_machine_is_none(fstype: str) -> None:
    assert network_mount(HERE, [Mount("/", fstype)]) is None


def test_the_refusal_names_the_ways_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    refuse_network_disk(Settings(data_dir=tmp_path))
    mounts = [Mount(str(tmp_path), "nfs4")]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **_: mounts)
    with pytest.raises(NetworkDisk, match=r"nfs4 at .*INITLAB_DATABASE_URL.*INITLAB_SQLITE_ON_NETWORK"):
        refuse_network_disk(Settings(data_dir=tmp_path / "data"))
    refuse_network_disk(Settings(data_dir=tmp_path, sqlite_on_network=True))
    refuse_network_disk(Settings(data_dir=tmp_path, database_url="postgresql+psycopg://somewhere/x"))
