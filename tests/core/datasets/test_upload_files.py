"""Users' data sets on an S3 server: what is answered holds for every process, whatever is cut off in between."""

import io
import os
import tempfile
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from core.datasets import DataError, DatasetPaths, Options, Uploads
from core.errors import Conflict, NotFound
from core.files import FilesUnavailable, S3Store
from tests.core.datasets.uploading import add, built, loaded
from tests.seaweed import S3Server

CSV = b"x,y\n" + b"".join(b"%d,%d\n" % (i, i % 2) for i in range(20))
OTHER = CSV + b"20,1\n"


@pytest.fixture
def prefix() -> str:
    return f"uploads/{uuid.uuid4().hex}"


@pytest.fixture
def store(s3: S3Server, prefix: str, tmp_path: Path) -> S3Store:
    return s3.store(prefix, tmp_path / "here")


@pytest.fixture
def elsewhere(s3: S3Server, prefix: str, tmp_path: Path) -> S3Store:
    """The same files from another machine."""
    return s3.store(prefix, tmp_path / "elsewhere")


def test_another_machine_reads_what_was_sent(store: S3Store, elsewhere: S3Store, tmp_path: Path) -> None:
    about = add(store, CSV, "t.csv", target=["y"])
    assert Uploads(elsewhere).get("mine") == about
    assert [one.name for one in Uploads(elsewhere)] == ["mine"]
    of_folder = add(tmp_path / "folder", CSV, "t.csv", target=["y"])
    assert about.sha256 == of_folder.sha256, "a spec means the same wherever its data set is"
    for found, expected in zip(loaded(elsewhere), loaded(tmp_path / "folder"), strict=True):
        assert torch.equal(found, expected)


def test_a_name_is_free_or_taken_for_all(store: S3Store, elsewhere: S3Store) -> None:
    first = add(store, CSV, "t.csv", target=["y"])
    again, new = Uploads(elsewhere).add(io.BytesIO(CSV), "t.csv", "mine", Options(target=["y"]))
    assert (again, new) == (first, False)
    with pytest.raises(Conflict, match="another data set 'mine'"):
        add(elsewhere, OTHER, "t.csv", target=["y"])
    assert len(list(store.list())) == 3, "what was refused left nothing"
    Uploads(elsewhere).remove("mine")
    assert list(store.list()) == []
    assert Uploads(store).get("mine") is None
    with pytest.raises(NotFound):
        Uploads(store).remove("mine")
    assert add(store, OTHER, "t.csv", target=["y"]).sha256 != first.sha256
    with pytest.raises(DataError, match="has other content now"):
        built(id=f"mine@{'0' * 64}").info(DatasetPaths(Path("/nowhere"), elsewhere))


def test_one_of_those_who_send_at_once_is_first(store: S3Store, elsewhere: S3Store) -> None:
    def send(at: int) -> bool | str:
        content = (CSV, OTHER)[at % 2]
        try:
            return Uploads((store, elsewhere)[at // 2 % 2]).add(
                io.BytesIO(content), "t.csv", "mine", Options(target=["y"])
            )[1]
        except Conflict:
            return "conflict"

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(8)))
    assert answers.count(True) == 1
    assert answers.count("conflict") == 4
    assert len(list(store.list())) == 3, "arrays of those who came second are gone"


def test_sent_again_after_a_delete_it_is_read_from_its_new_place(store: S3Store, elsewhere: S3Store) -> None:
    add(store, CSV, "t.csv", target=["y"])
    pinned = f"mine@{Uploads(elsewhere).find('mine').sha256}"
    paths = DatasetPaths(Path("/nowhere"), elsewhere)
    assert built(id=pinned).info(paths).train == 16
    Uploads(store).remove("mine")
    add(store, CSV, "t.csv", target=["y"])
    assert len(built(id=pinned).load(paths).x_train) == 16


def test_the_list_says_when_to_read_again(store: S3Store) -> None:
    states = [Uploads(store).state()]
    for content in (CSV, OTHER):
        add(store, content, "t.csv", target=["y"])
        states.append(Uploads(store).state())
        assert [one.examples for one in Uploads(store)] == [content.count(b"\n") - 1]
        Uploads(store).remove("mine")
    assert len({tuple(state) for state in states}) == 3


def test_what_is_cut_off_goes_in_time(store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is killed between the arrays and the entry leaves arrays that nobody names."""
    add(store, CSV, "t.csv", target=["y"])
    store.create("arrays/other/1/x.npy", b"left")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    aside = tmp_path / "initlab-upload-77"
    aside.mkdir()
    os.utime(aside, (1, 1))
    assert Uploads(store).clear(3600) == 0, "it may be on its way"
    assert not aside.exists()
    assert Uploads(store).clear(-60) == 1
    assert Uploads(store).get("mine") is not None
    assert len(list(store.list())) == 3


def test_a_server_that_refuses_keeps_nothing(s3: S3Server, prefix: str, tmp_path: Path) -> None:
    with pytest.raises(FilesUnavailable):
        add(s3.store(prefix, tmp_path / "cache", secret="another"), CSV, "t.csv", target=["y"])
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []
