"""A service with plug-ins: what they have is offered, trained and judged, and another content is another experiment."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from core.plugins import sha256_of
from core.settings import Settings
from tests.service.running import Running, running, spec, until

pytestmark = pytest.mark.service
EXAMPLE = Path(__file__).parents[2] / "examples" / "plugin" / "initlab_example"
OWN = {"initializer": "triangular", "schedule": {"name": "inverse_power", "knee": 20.0}}


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "plugins" / "initlab_example", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "plugins" / "broken.py").write_text("1 / 0")
    return tmp_path / "plugins"


@pytest.fixture
def service(tmp_path: Path, plugins: Path) -> Iterator[Running]:
    environment = {"INITLAB_DATA_DIR": str(tmp_path / "data"), "INITLAB_PLUGINS": str(plugins)}
    with running(environment, tmp_path / "log") as service:
        yield service


def wanted(**more: Any) -> dict[str, Any]:
    arms = [{"label": "own", **OWN}, {"label": "he", "initializer": "he_normal"}]
    return spec(epochs=3, seeds=3) | {"arms": arms} | more


@pytest.mark.thorough
def test_what_it_has_is_trained_and_a_change_is_another_experiment(service: Running, plugins: Path) -> None:
    sha = sha256_of([plugins / "initlab_example"])
    until(lambda: service.get("/plugins")["items"][1]["workers"] == 2)
    broken, example = service.get("/plugins")["items"]
    assert broken["error"] == "ZeroDivisionError: division by zero (broken.py, line 1)"
    assert (example["version"], example["sha256"], example["error"]) == ("1.0", sha, None)
    assert service.get("/catalog/initializers/triangular")["plugin"] == "initlab_example"
    assert service.get("/catalog/metrics/valid_brier")["plugin"] == "initlab_example"
    document = service.get("/openapi.json")["components"]["schemas"]
    assert "TriangularInitializer" in document

    experiment = service.post(wanted(), **{"Idempotency-Key": "once"})
    ended = service.ended(experiment)
    assert (ended["status"], ended["warnings"]) == ("succeeded", [])
    assert ended["spec"]["plugins"] == {"initlab_example": {"version": "1.0", "sha256": sha}}
    (claimed,) = [event for event in service.history(experiment) if event["kind"] == "claimed"]
    assert claimed["detail"]["software"]["plugins"] == f"initlab_example 1.0 (content {sha[:12]})"
    finals = [run["final"] for run in service.get(f"/experiments/{experiment}/runs")["items"]]
    assert all(0 <= final["valid_brier"] <= 2 for final in finals)
    report = service.get(f"/experiments/{experiment}/report", metric="valid_brier")
    assert report["arms"][0]["outcomes"]["valid_brier"]["mean"] is not None

    service.stop()
    with (plugins / "initlab_example" / "triangular.py").open("a") as file:
        file.write("\n# another content\n")
    service.start()
    again = service.http.post("/experiments", json=wanted(), headers={"Idempotency-Key": "once"})
    assert again.status_code == 422
    assert "was used for experiment 1, another spec" in again.text
    other = service.post(wanted())
    service.ended(other)
    arms = [{"experiment": one, "arm": "own"} for one in (experiment, other)]
    compared = service.http.post("/comparisons", json={"arms": arms})
    assert "the plug-ins changed between the experiments" in compared.text

    service.stop()
    without = Settings(data_dir=Path(service.environment["INITLAB_DATA_DIR"]))
    with TestClient(create_app(without), base_url="http://127.0.0.1", client=("127.0.0.1", 1)) as client:
        report = client.get(f"/experiments/{experiment}/report").json()
        assert {arm["label"] for arm in report["arms"]} == {"own", "he"}
        assert "unknown initializer" in client.post("/experiments", json=wanted()).text
