"""The rules of the house are held: import contracts catch what they forbid, and dependencies are pinned."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("api", "core", "initlab", "worker")

# Each file is planted into a copy of the sources; the contract that must report it, and the import it must name.
PLANTED = [
    ("core/analysis/planted.py", "import api", "imports point downward", "core.analysis.planted -> api"),
    ("api/planted.py", "import worker", "imports point downward", "api.planted -> worker"),
    ("worker/planted.py", "import api", "imports point downward", "worker.planted -> api"),
    ("core/analysis/planted2.py", "import core.plots", "core is layered", "core.analysis.planted2 -> core.plots"),
    ("core/plots/planted2.py", "import core.spec", "is a design", "core.plots.planted2 -> core.spec"),
    ("core/analysis/planted3.py", "import core.training", "is a design", "core.analysis.planted3 -> core.training"),
    ("core/design/planted.py", "import core.models", "is a design", "core.design.planted -> core.models"),
    ("core/metrics/planted.py", "import core.datasets", "core is layered", "core.metrics.planted -> core.datasets"),
    ("core/analysis/newcomer.py", "", "methods know neither", "newcomer"),
    ("core/analysis/statistics/planted.py", "import core.analysis.findings", "methods know neither",
     "core.analysis.statistics.planted -> core.analysis.findings"),
    ("core/training/lanes/planted.py", "import core.training.planning", "lanes know no plan",
     "core.training.lanes.planted -> core.training.planning"),
    ("core/plots/drawing/planted.py", "import core.plots.loss", "knows no picture",
     "core.plots.drawing.planted -> core.plots.loss"),
    ("core/experiments/queries/planted.py", "import core.experiments.worker", "know cohorts",
     "core.experiments.queries.planted -> core.experiments.worker"),
    ("core/spec/planted.py", "import core.training", "core is layered", "core.spec.planted -> core.training"),
    ("core/models/planted.py", "import core.spec", "core is layered", "core.models.planted -> core.spec"),
    ("core/models/planted2.py", "import core.datasets", "core is layered", "core.models.planted2 -> core.datasets"),
    ("core/store/planted.py", "import core.models", "core is layered", "core.store.planted -> core.models"),
    ("core/newcomer.py", "", "core is layered", "newcomer"),
    ("core/training/planted.py", "import core.store", "core is a library", "core.training.planted -> core.store"),
    ("core/plots/planted.py", "import sqlalchemy", "core is a library", "core.plots.planted -> sqlalchemy"),
    ("core/spec/planted2.py", "import celery", "core is a library", "core.spec.planted2 -> celery"),
    ("core/experiments/planted.py", "import fastapi", "no web framework", "core.experiments.planted -> fastapi"),
    ("core/queue/planted.py", "import torch", "before it forks needs no torch", "core.queue.planted -> torch"),
    ("worker/planted2.py", "import core.streams", "before it forks needs no torch", "worker.planted2 -> core.streams"),
    ("initlab/planted.py", "import core.errors", "the client speaks HTTP only", "initlab.planted -> core.errors"),
    ("initlab/planted2.py", "import torch", "the client speaks HTTP only", "initlab.planted2 -> torch"),
]  # fmt: skip


def copy_sources(to: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, to / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", to)


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "200", "PYTHONPATH": str(folder)}
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def violations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the linter says of each broken contract, with every violation planted at once."""
    folder = tmp_path_factory.mktemp("planted")
    copy_sources(folder)
    for path, source, _, _ in PLANTED:
        (folder / path).write_text(f"{source}\n")
    found = lint(folder)
    assert found.returncode == 1, found.stderr
    _, _, broken = found.stdout.partition("Broken contracts")
    sections = re.split(r"\n([^\n]+)\n-{3,}\n", broken)
    return dict(zip(sections[1::2], sections[2::2], strict=True))


@pytest.mark.parametrize(("path", "source", "contract", "named"), PLANTED, ids=[planted[3] for planted in PLANTED])
def test_a_contract_catches_a_planted_violation(
    violations: dict[str, str], path: str, source: str, contract: str, named: str
) -> None:
    (section,) = (text for title, text in violations.items() if contract in title)
    assert named in section


def test_the_sources_keep_every_contract() -> None:
    found = lint(ROOT)
    assert found.returncode == 0, found.stdout


def test_the_compose_file_is_valid(tmp_path: Path) -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    assert subprocess.run([*check, ROOT / "docker-compose.yml"], check=False).returncode == 0
    wrong = tmp_path / "wrong.yml"
    wrong.write_text((ROOT / "docker-compose.yml").read_text().replace("healthcheck:", "healthcheq:"))
    assert subprocess.run([*check, wrong], check=False, capture_output=True).returncode == 1


def test_every_direct_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [
        *project["dependencies"],
        *project["optional-dependencies"]["server"],
        *project["optional-dependencies"]["docs"],
        *project["optional-dependencies"]["dev"],
    ]
    names = {re.split(r"[\[<>=! ]", requirement)[0].lower().replace("_", "-") for requirement in wanted}
    pins = (ROOT / "constraints.txt").read_text().lower().replace("_", "-").splitlines()
    assert names <= {pin.split("==")[0] for pin in pins}
