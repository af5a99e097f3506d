"""`initlab datasets fetch`, from a server of this machine that holds small files."""

import contextlib
import gc
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from core.datasets import DataError, DatasetPaths, _cifar, cifar10, datasets
from core.datasets.__main__ import main
from core.settings import Settings
from core.torchvision import load as torchvision
from tests.core.datasets.files import cifar_files, gz, idx_files, md5, tgz, write

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")]
"""torchvision leaves refused answers open, for the garbage collector."""

MNIST_FAMILY = {"fashion_mnist": "FashionMNIST", "kmnist": "KMNIST", "mnist": "MNIST"}


@dataclass
class FileServer:
    """What the server has by path, and what it was asked for."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    cut: str = ""
    """A path whose answer ends half-way."""
    stuck: str = ""
    """A path whose answer stops half-way and waits for `go_on`."""
    reached: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)


@pytest.fixture(scope="module", autouse=True)
def _left_open() -> Iterator[None]:
    yield
    gc.collect()


@pytest.fixture
def server() -> Iterator[FileServer]:
    server = FileServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)
            content = server.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                if self.path in (server.cut, server.stuck):
                    self.wfile.write(content[: len(content) // 2])
                    if self.path == server.cut:
                        return
                    server.reached.set()
                    server.go_on.wait()
                    content = content[len(content) // 2 :]
                self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 the base class's word
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_address[1]}/"
    yield server
    server.go_on.set()
    http.shutdown()
    thread.join()
    http.server_close()


@pytest.fixture
def mnist_at(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> FileServer:
    """The server has MNIST's family, and torchvision looks there."""
    resources = []
    for name, content in idx_files().items():
        server.files[f"/{name}.gz"] = gz(content)
        resources.append((f"{name}.gz", md5(gz(content))))
    for kind in MNIST_FAMILY.values():
        monkeypatch.setattr(getattr(torchvision().datasets, kind), "mirrors", [server.url])
        monkeypatch.setattr(getattr(torchvision().datasets, kind), "resources", resources)
    return server


@pytest.fixture
def cifar_at(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> FileServer:
    """The server has CIFAR-10, and torchvision looks there."""
    kind = torchvision().datasets.CIFAR10
    training, test = cifar_files(list(cifar10.BATCHES), "labels", 10), cifar_files(["test_batch"], "labels", 10)
    meta = pickle.dumps({"label_names": [str(number) for number in range(10)]})
    archive = tgz(kind.base_folder, training | test | {"batches.meta": meta})
    server.files["/cifar.tar.gz"] = archive
    monkeypatch.setattr(kind, "url", f"{server.url}cifar.tar.gz")
    monkeypatch.setattr(kind, "tgz_md5", md5(archive))
    monkeypatch.setattr(kind, "train_list", [[batch, md5(raw)] for batch, raw in training.items()])
    monkeypatch.setattr(kind, "test_list", [["test_batch", md5(test["test_batch"])]])
    monkeypatch.setattr(kind, "meta", kind.meta | {"md5": md5(meta)})
    monkeypatch.setattr(cifar10, "BATCHES", {batch: md5(raw) for batch, raw in training.items()})
    monkeypatch.setattr(_cifar, "EXAMPLES", 50)
    return server


@dataclass
class Fetch:
    """Runs the command in this process, with a data directory of its own."""

    data_dir: Path
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    @property
    def files(self) -> Path:
        return self.data_dir / "datasets"

    def __call__(self, name: str, *more: str) -> tuple[int, str, str]:
        """The exit code, what was said, and the last line of what was complained."""
        self.monkeypatch.setattr("sys.argv", ["initlab", "fetch", name, f"--data-dir={self.data_dir}", *more])
        code = main()
        said = self.capsys.readouterr()
        return code, said.out, said.err.rstrip("\n").rpartition("\n")[2]

    def left(self) -> list[Path]:
        """Every file under the data directory."""
        return [path for path in self.data_dir.rglob("*") if path.is_file()]


@pytest.fixture
def fetch(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Fetch]:
    monkeypatch.delenv("INITLAB_DATA_ROOT", raising=False)
    before = socket.getdefaulttimeout()
    yield Fetch(tmp_path / "data", capsys, monkeypatch)
    socket.setdefaulttimeout(before)


@pytest.mark.parametrize("name", list(MNIST_FAMILY))
def test_mnists_family_is_downloaded_once_to_where_specs_look(name: str, fetch: Fetch, mnist_at: FileServer) -> None:
    place = fetch.files / MNIST_FAMILY[name] / "raw"
    assert fetch(name)[:2] == (0, f"{name} is in {place}\n")
    for file, content in idx_files().items():
        assert (place / file).read_bytes() == content
    dataset = datasets.parse(name).build()
    paths = DatasetPaths(Settings(data_dir=fetch.data_dir).datasets)
    assert dataset.info(paths).train == len(dataset.load(paths).x_train) == 32
    assert {path.name for path in fetch.files.iterdir()} == {MNIST_FAMILY[name]}
    mnist_at.asked.clear()
    assert fetch(name) == (0, f"{name} is there already, in {place}\n", "")
    assert mnist_at.asked == []


def test_cifar_is_downloaded_once_to_where_specs_look(fetch: Fetch, cifar_at: FileServer) -> None:
    place = fetch.files / "cifar-10-batches-py"
    assert fetch("cifar10")[:2] == (0, f"cifar10 is in {place}\n")
    paths = DatasetPaths(fetch.files)
    assert len(datasets.parse("cifar10").build().load(paths).x_train) == 40
    assert list(fetch.files.iterdir()) == [place]
    cifar_at.asked.clear()
    assert fetch("cifar10")[:2] == (0, f"cifar10 is there already, in {place}\n")
    assert json.loads(fetch("cifar10", "--json")[1]) == {"name": "cifar10", "folder": str(place), "new": False}
    assert cifar_at.asked == []


def test_a_data_root_is_where_it_goes(fetch: Fetch, mnist_at: FileServer, tmp_path: Path) -> None:
    fetch.monkeypatch.setenv("INITLAB_DATA_ROOT", str(tmp_path / "shared"))
    assert fetch("mnist")[1] == f"mnist is in {tmp_path / 'shared' / 'MNIST' / 'raw'}\n"
    assert not fetch.data_dir.exists()


@pytest.mark.parametrize("how", ["missing", "cut", "other", "empty"])
@pytest.mark.parametrize("which", [0, 3], ids=["first file", "last file"])
def test_a_download_that_fails_leaves_nothing(fetch: Fetch, mnist_at: FileServer, how: str, which: int) -> None:
    path = list(mnist_at.files)[which]
    if how == "missing":
        del mnist_at.files[path]
    elif how == "cut":
        mnist_at.cut = path
    else:
        mnist_at.files[path] = gz(b"something else") if how == "other" else b""
    code, out, complaint = fetch("mnist")
    assert (code, out) == (3, "")
    assert complaint.startswith(f"MNIST cannot be downloaded: Error downloading {path[1:]}: ")
    assert fetch.left() == []
    with pytest.raises(DataError, match="not here"):
        datasets.parse("mnist").build().info(DatasetPaths(fetch.files))


@pytest.mark.parametrize("how", ["missing", "cut", "other"])
def test_an_archive_that_fails_leaves_nothing(fetch: Fetch, cifar_at: FileServer, how: str) -> None:
    path = "/cifar.tar.gz"
    if how == "missing":
        del cifar_at.files[path]
    elif how == "cut":
        cifar_at.cut = path
    else:
        cifar_at.files[path] = tgz("cifar-10-batches-py", {"data_batch_1": b"something else"})
    code, out, complaint = fetch("cifar10")
    assert (code, out) == (3, "")
    assert complaint.startswith("CIFAR10 cannot be downloaded: ")
    assert fetch.left() == []


def test_where_nobody_answers(fetch: Fetch, mnist_at: FileServer) -> None:
    with socket.socket() as unheard:  # bound, but it does not listen: a connection is refused
        unheard.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}/"
        fetch.monkeypatch.setattr(torchvision().datasets.MNIST, "mirrors", [url])
        code, _, complaint = fetch("mnist")
    assert code == 3
    assert url in complaint
    assert "refused" in complaint
    assert fetch.left() == []


def test_a_server_that_falls_silent_is_given_up(fetch: Fetch, mnist_at: FileServer) -> None:
    fetch.monkeypatch.setattr("core.datasets.__main__.SILENT_SECONDS", 0.2)
    mnist_at.stuck = next(iter(mnist_at.files))
    assert fetch("mnist")[0] == 3
    assert fetch.left() == []


def test_what_is_damaged_is_replaced_and_kept_until_then(fetch: Fetch, mnist_at: FileServer) -> None:
    place = fetch.files / "MNIST" / "raw"
    damaged = idx_files() | {"train-labels-idx1-ubyte": b"damaged"}
    write(place, damaged | {"mine.txt": b""})
    path = "/train-labels-idx1-ubyte.gz"
    content = mnist_at.files.pop(path)
    assert fetch("mnist")[0] == 3
    assert {file.name: file.read_bytes() for file in place.iterdir()} == damaged | {"mine.txt": b""}
    mnist_at.files[path] = content
    assert fetch("mnist")[0] == 0
    assert (place / "train-labels-idx1-ubyte").read_bytes() == idx_files()["train-labels-idx1-ubyte"]
    assert {file.name for file in fetch.files.iterdir()} == {"MNIST"}


def test_a_folder_that_cannot_be_made(fetch: Fetch, mnist_at: FileServer) -> None:
    fetch.data_dir.write_text("a file")
    code, _, complaint = fetch("mnist")
    assert code == 2
    assert complaint.startswith("mnist cannot be stored: ")
    assert str(fetch.files) in complaint
    assert mnist_at.asked == []


@pytest.mark.slow
def test_a_killed_download_is_not_taken_for_the_data(mnist_at: FileServer, tmp_path: Path) -> None:
    mnist_at.stuck = "/t10k-labels-idx1-ubyte.gz"
    kind = torchvision().datasets.MNIST
    program = (
        "import sys\nfrom core.torchvision import load\nfrom core.datasets.__main__ import main\n"
        f"load().datasets.MNIST.mirrors, load().datasets.MNIST.resources = {kind.mirrors!r}, {kind.resources!r}\n"
        "sys.exit(main())"
    )
    words = [sys.executable, "-c", program, "fetch", "mnist", f"--data-dir={tmp_path}"]
    environment = {name: value for name, value in os.environ.items() if name != "INITLAB_DATA_ROOT"}
    fetching = subprocess.Popen(words, stderr=subprocess.DEVNULL, env=environment)
    assert mnist_at.reached.wait(60)
    fetching.send_signal(signal.SIGKILL)
    fetching.wait()
    assert list(tmp_path.rglob("train-images-idx3-ubyte")), "three files of four were there"
    with pytest.raises(DataError, match="not here"):
        datasets.parse("mnist").build().info(DatasetPaths(tmp_path / "datasets"))


@pytest.mark.parametrize(
    ("name", "said"),
    [("minst", "did you mean 'mnist'?"), ("digits", "cifar10, cifar100, fashion_mnist, kmnist, mnist")],
)
def test_an_unknown_name(fetch: Fetch, name: str, said: str) -> None:
    code, out, complaint = fetch(name)
    assert (code, out) == (2, "")
    assert complaint.startswith(f"unknown data set to download '{name}'")
    assert said in complaint
    assert not fetch.data_dir.exists()


@pytest.mark.slow
def test_the_command_line_hands_its_words_and_exit_code_through(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "initlab", "datasets", "fetch", "minst", "--data-dir", str(tmp_path / "data")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("unknown data set to download 'minst'")
