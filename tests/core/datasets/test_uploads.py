"""Data sets on disk: whole or not there, one content a name, whoever else is at work."""

import errno
import io
import os
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.datasets import DataError, DatasetPaths, Options, Uploads, _uploads
from core.errors import Conflict, NotFound
from tests.core.datasets.uploading import add, built, left, loaded, npz, picture, refused, zipped

CSV = b"x,y\n" + b"".join(b"%d,%d\n" % (i, i % 2) for i in range(20))
OTHER = CSV + b"7,0\n"


def test_the_content_has_one_name_wherever_and_whenever_it_was_sent(tmp_path: Path) -> None:
    one = add(tmp_path / "a", CSV, "t.csv", target=["y"])
    two = add(tmp_path / "b", CSV.replace(b"\n", b"\r\n"), "u.csv", name="other", target=["y"], task="binary")
    assert one.sha256 == two.sha256
    assert one.file_sha256 != two.file_sha256
    sent: list[tuple[bytes, dict[str, Any]]] = [
        (CSV, {}),
        (OTHER, {}),
        (CSV, {"task": "multiclass"}),
        (CSV, {"task": "regression"}),
        (CSV, {"missing": "impute"}),
        (CSV, {"text": ["x"]}),
        (CSV, {"target": ["x"]}),
        (CSV.replace(b"x,y", b"z,y"), {}),
    ]
    shas = {
        add(tmp_path / str(i), data, "t.csv", **{"target": ["y"], **more}).sha256 for i, (data, more) in enumerate(sent)
    }
    assert len(shas) == 8
    assert one.sha256 in shas


def test_the_same_again_changes_nothing_and_other_content_is_a_conflict(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    first = uploads.add(io.BytesIO(CSV), "t.csv", "mine", Options(target=["y"]))
    assert first[1] is True
    assert uploads.add(io.BytesIO(CSV), "t.csv", "mine", Options(target=["y"])) == (first[0], False)
    with pytest.raises(Conflict, match="another data set 'mine'"):
        uploads.add(io.BytesIO(OTHER), "t.csv", "mine", Options(target=["y"]))
    assert left(tmp_path) == ["mine"]
    assert list(uploads) == [uploads.find("mine")] == [first[0]]


def test_delete_and_the_name_is_free(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path)
    with pytest.raises(NotFound, match="there is no data set 'mine'"):
        uploads.remove("mine")
    first = add(tmp_path, CSV, "t.csv", target=["y"])
    with pytest.raises(NotFound) as refusal:
        uploads.remove("mime")
    assert refusal.value.problems[0].known == ("mine",)
    uploads.remove("mine")
    assert left(tmp_path) == list(uploads) == []
    assert add(tmp_path, OTHER, "t.csv", target=["y"]).sha256 != first.sha256


def test_a_pinned_data_set_is_that_content_or_none(tmp_path: Path) -> None:
    paths = DatasetPaths(Path("/nowhere"), tmp_path)
    with pytest.raises(DataError, match="there is no data set 'mine'; send it with: initlab datasets upload"):
        built().info(paths)
    pinned = f"mine@{add(tmp_path, CSV, 't.csv', target=['y']).sha256}"
    assert loaded(tmp_path, id=pinned).x_train.equal(loaded(tmp_path).x_train)
    Uploads(tmp_path).remove("mine")
    add(tmp_path, OTHER, "t.csv", target=["y"])
    loaded(tmp_path)
    for read in (built(id=pinned).info, built(id=pinned).load):
        with pytest.raises(DataError, match="has other content now"):
            read(paths)
    (tmp_path / "mine" / "x.npy").unlink()
    with pytest.raises(DataError, match="the data set 'mine' cannot be read"):
        built().load(paths)


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("Churn Modelling.csv", "churn_modelling"),
        ("../../etc/passwd.CSV", "passwd"),
        ("é1.csv", "1"),
        ("a.b.csv", "a.b"),
    ],
)
def test_the_name_is_the_files(tmp_path: Path, filename: str, name: str) -> None:
    assert add(tmp_path, CSV, filename, name=None, target=["y"]).name == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "A", "-a", ".new-1", "a" * 65, "a\n", "é", "a b", "\x00"]
)
def test_a_name_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    assert refused(tmp_path / "in", CSV, "t.csv", name=name, target=["y"]).startswith("name: should be 1 to 64 of")
    assert Uploads(tmp_path).get(name) is None


@pytest.mark.parametrize("filename", ["t.txt", "t", "csv", "t.tar.gz", "t.tar", ""])
def test_an_unknown_format_is_refused(tmp_path: Path, filename: str) -> None:
    assert refused(tmp_path, CSV, filename, target=["y"]).startswith("file: the file's name ends in ")


def test_a_name_without_letters_has_to_be_given(tmp_path: Path) -> None:
    assert refused(tmp_path, CSV, "数据.csv", name=None, target=["y"]).startswith("name: should be given")


def test_a_file_may_be_so_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_uploads, "MOST_FILE", len(CSV) - 1)
    assert refused(tmp_path, CSV, "t.csv", target=["y"]) == f"file: the file is larger than {len(CSV) - 1} bytes"
    monkeypatch.setattr(_uploads, "MOST_FILE", len(CSV))
    add(tmp_path, CSV, "t.csv", target=["y"])


def test_two_at_once_under_one_name_end_as_one(tmp_path: Path) -> None:
    """Whoever is second has the same content, or is told of the conflict."""
    for i in range(10):
        gate = threading.Barrier(4)
        ends: list[Any] = []

        def send(data: bytes, gate: threading.Barrier = gate, ends: list[Any] = ends, name: str = f"n{i}") -> None:
            gate.wait()
            try:
                ends.append(Uploads(tmp_path).add(io.BytesIO(data), "t.csv", name, Options(target=["y"]))[1])
            except Conflict:
                ends.append("conflict")

        threads = [threading.Thread(target=send, args=(data,)) for data in (CSV, CSV, OTHER, OTHER)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(str, ends)) == ["False", "True", "conflict", "conflict"]
    assert left(tmp_path) == [f"n{i}" for i in range(10)]


SLOW = """
import sys, zipfile
from pathlib import Path
from core.datasets import Options, Uploads
from core.datasets.images import reader
def write(*given, write=reader._write):
    write(*given)
    print("written", flush=True)
    sys.stdin.read()
    return 0
reader._write = write
with open(sys.argv[2], "rb") as file:
    Uploads(Path(sys.argv[1])).add(file, "pets.zip", "pets", Options())
"""


@pytest.mark.slow
def test_a_killed_upload_leaves_nothing_that_is_listed_or_stays(tmp_path: Path) -> None:
    pixels = picture(np.zeros((3, 3), dtype=np.uint8))
    (tmp_path / "pets.zip").write_bytes(zipped({"cat/1.png": pixels, "dog/1.png": pixels}))
    folder = tmp_path / "uploads"
    command = [sys.executable, "-c", SLOW, str(folder), str(tmp_path / "pets.zip")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sender:
        assert sender.stdout is not None
        assert sender.stdout.readline() == b"written\n"
        (unfinished,) = left(folder)
        assert list(Uploads(folder)) == []
        add(folder, CSV, "t.csv", target=["y"])
        assert unfinished in left(folder), "its maker lives: it is not to be touched"
        sender.send_signal(signal.SIGKILL)
    assert [about.name for about in Uploads(folder)] == ["mine"]
    add(folder, CSV, "t.csv", target=["y"])
    assert left(folder) == ["mine"]


@pytest.mark.parametrize("call", ["save", "fsync", "rename", "mkdtemp"])
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def full(*_arguments: Any, **_more: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    of: Any = {"save": np, "fsync": os, "rename": os, "mkdtemp": tempfile}[call]
    with monkeypatch.context() as patched:
        patched.setattr(of, call, full)
        with pytest.raises(_uploads.NotStored, match="No space left on device") as refusal:
            add(tmp_path, CSV, "t.csv", target=["y"])
    assert refusal.value.status == 507
    assert left(tmp_path) == []
    add(tmp_path, CSV, "t.csv", target=["y"])


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(_uploads.NotStored, match="cannot be stored"):
        add(tmp_path / "file" / "uploads", CSV, "t.csv", target=["y"])


def test_a_strangers_folder_is_no_data_set(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes").write_text("")
    assert list(Uploads(tmp_path)) == []
    with pytest.raises(_uploads.NotStored, match="in the way"):
        add(tmp_path, CSV, "t.csv", target=["y"])
    assert (tmp_path / "mine" / "notes").exists()


def test_the_hash_covers_pixels_and_labels(tmp_path: Path) -> None:
    """The pixels' file is among what the content's hash covers."""

    def pets(value: int) -> bytes:
        return zipped({f"{label}/1.png": picture(np.full((3, 3), value, dtype=np.uint8)) for label in ("cat", "dog")})

    assert add(tmp_path, pets(1), "a.zip", name="a").sha256 != add(tmp_path, pets(2), "a.zip", name="b").sha256
    x = np.arange(6.0).reshape(3, 2)
    assert (
        add(tmp_path, npz(x=x, y=[0, 1, 1]), "a.npz", name="c").sha256
        != add(tmp_path, npz(x=x, y=[0, 1, 0]), "a.npz", name="d").sha256
    )
