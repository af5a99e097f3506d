"""A backup taken under load and restored elsewhere has what was answered before it began, and training goes on."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from core.experiments.maintenance.backup import back_up, restore
from core.settings import Settings
from tests.backends import postgres_database
from tests.repeating import Repeating
from tests.service.running import Running, running, spec, until

pytestmark = pytest.mark.service

EXTERNAL: dict[str, Any] = {
    "kind": "external",
    "name": "elsewhere",
    "arms": [{"label": "a"}],
    "seeds": 2,
    "metrics": [{"name": "score", "direction": "max", "per": "step"}],
    "outcome": "score",
}
LONG = spec(epochs=150, checkpoint_every=0.2, keep="final", dataset={"name": "uploaded", "id": "table"})
ROWS = "x,z,y\n" + "".join(f"{i},{i % 7},{i % 3}\n" for i in range(1500))


class Load(Repeating):
    """A client that posts experiments by a key, points and data sets, and remembers what was answered."""

    def __init__(self, http: httpx.Client) -> None:
        self.posted: dict[str, int] = {}
        self.points: dict[int, list[float]] = {}
        self.uploads: list[str] = []
        self._http = http
        super().__init__()

    def answered(self) -> tuple[dict[str, int], dict[int, list[float]], list[str]]:
        """Return what has been accepted by now."""
        return dict(self.posted), {run: list(values) for run, values in self.points.items()}, list(self.uploads)

    def act(self) -> None:
        http, n = self._http, len(self.posted)
        answer = http.post("/experiments", json=EXTERNAL, headers={"Idempotency-Key": f"key-{n}"})
        assert answer.status_code == 202, answer.text
        self.posted[f"key-{n}"] = experiment = answer.json()["id"]
        run = http.get(f"/experiments/{experiment}/runs").json()["items"][0]["id"]
        for first in range(3):
            points = {"score": {"first": first, "values": [n + first / 8]}}
            answer = http.post(f"/runs/{run}/points", json={"points": points})
            assert answer.status_code == 200, answer.text
            self.points.setdefault(run, []).append(n + first / 8)
        name = f"table-{n}"
        answer = http.post("/datasets", files={"file": (f"{name}.csv", f"{ROWS}{n},1,2\n")}, data={"target": "y"})
        assert answer.status_code == 201, answer.text
        self.uploads.append(name)


@pytest.fixture
def places(postgres_server: str, tmp_path: Path) -> Iterator[list[dict[str, str]]]:
    """The environments of a service, and of another on an empty database."""
    made = [{"INITLAB_DATA_DIR": str(tmp_path / name)} for name in ("before", "after")]
    with ExitStack() as databases:
        for one in made:
            one["INITLAB_DATABASE_URL"] = databases.enter_context(postgres_database(postgres_server))
        yield made


def settings_of(environment: dict[str, str]) -> Settings:
    """Those of an operator's command beside the service."""
    url = environment.get("INITLAB_DATABASE_URL", "")
    return Settings(data_dir=Path(environment["INITLAB_DATA_DIR"]), database_url=url)


@pytest.mark.thorough
def test_a_backup_under_load_loses_nothing_that_was_answered(places: list[dict[str, str]], tmp_path: Path) -> None:
    before, after = places
    folder = tmp_path / "backup"
    with running(before, tmp_path / "log") as service:
        service.http.timeout = 600  # the first file has a process started that reads it
        answer = service.http.post("/datasets", files={"file": ("table.csv", ROWS)}, data={"target": "y"})
        assert answer.status_code == 201, answer.text
        with httpx.Client(base_url=service.http.base_url, timeout=600) as http, Load(http) as load:
            until(lambda: len(load.uploads) > 2 or load.failures, 600)
            long = service.post(LONG, **{"Idempotency-Key": "long"})
            service.training(long)
            posted, points, uploads = load.answered()
            back_up(settings_of(before), folder)
            until(lambda: len(load.uploads) > len(uploads) or load.failures, 600)
    restore(settings_of(after), folder)
    with running(after, tmp_path / "log") as service:
        for key, experiment in posted.items():
            assert service.post(EXTERNAL, **{"Idempotency-Key": key}) == experiment
        assert service.post(LONG, **{"Idempotency-Key": "long"}) == long
        for run, values in points.items():
            (series,) = service.get(f"/runs/{run}/metrics")["series"]
            assert series["values"][: len(values)] == values
        for name in uploads:
            assert service.get(f"/datasets/{name}")["name"] == name
        _goes_on_as_if_nothing_had_been(service, long)


def _goes_on_as_if_nothing_had_been(service: Running, long: int) -> None:
    service.ended(long, 300)
    service.assert_unharmed(long, LONG)
    lost = [event["detail"]["why"] for event in service.history(long) if event["kind"] == "lost"]
    assert set(lost) == {"the database was restored from a backup"}
    for run in service.get(f"/experiments/{long}/runs")["items"]:
        assert service.http.get(f"/runs/{run['id']}/weights.safetensors").status_code == 200
