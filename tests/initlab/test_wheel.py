"""`pip install` gives a user one top-level name, and from it the whole service, far from any checkout."""

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import httpx2 as httpx
import pytest

pytestmark = pytest.mark.service

ROOT = Path(__file__).parents[2]
SERVER = ("api", "core", "migrations", "worker")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=60)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment in which the wheel is installed.

    It borrows the dependencies of this one. Their folder is on its path as any other is: a link to a checkout that an
    editable installation left there is not followed.
    """
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True, timeout=60)
    python = environment / "bin" / "python"
    asked = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.run(asked, check=True, capture_output=True, text=True, timeout=60).stdout.strip())
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check"]
    install = [*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, timeout=60)
    return python.parent


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A user's environment: nothing in it leads to this checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("INITLAB_", "PYTHON"))}
    return kept | {"INITLAB_CACHE_DIR": os.environ["INITLAB_CACHE_DIR"], "INITLAB_DATA_DIR": str(tmp_path / "data")}


def test_the_wheel_brings_one_top_level_name(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"initlab"}
    for package, inside in (("initlab", ""), *((name, "initlab/_server/") for name in SERVER)):
        files = [file for file in (ROOT / package).rglob("*") if file.is_file() and "__pycache__" not in file.parts]
        assert {f"{inside}{file.relative_to(ROOT)}" for file in files} - set(names) == set(), "files that are left out"


def test_the_servers_packages_are_found_by_the_path_that_initlab_tells(
    installed: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    def run(code: str) -> subprocess.CompletedProcess[str]:
        command = [str(installed / "python"), "-c", code]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    for name in SERVER:
        assert "ModuleNotFoundError" in run(f"import {name}").stderr
    found = run("import sys, initlab; sys.path.append(initlab.server_path()); import core; print(core.__file__)")
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith(str(installed.parent))


def test_an_installed_service_is_set_up_started_and_trains(
    installed: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    initlab = str(installed / "initlab")

    def run(*words: str, **more: str) -> str:
        ended = subprocess.run(
            [initlab, *words], cwd=tmp_path, env=environment | more, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    assert "Run the whole service here" in run("--help")
    (tmp_path / "data").mkdir()
    run("db", "upgrade")
    assert (tmp_path / "data" / "initlab.sqlite").exists()
    spec = {"model": {"name": "mlp", "hidden": [8]}, "epochs": 1, "seeds": 2, "arms": [{}, {"initializer": "zeros"}]}
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    with (tmp_path / "log").open("w") as log:
        serving = subprocess.Popen(
            [initlab, "serve", "--port", "0", "--concurrency", "1"],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert serving.stdout is not None
        line = serving.stdout.readline()
        assert line.startswith("initlab is ready at "), (tmp_path / "log").read_text()
        url = line.split()[-1]
        assert httpx.get(f"{url}/readyz").json()["status"] == "ready"
        assert "N = 2" in run("submit", "spec.json", "--wait", INITLAB_URL=url)
    finally:
        serving.terminate()
        serving.communicate(timeout=30)
