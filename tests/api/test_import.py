"""`initlab import` of a table that grows, into the application: it updates, and never doubles."""

import json
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from initlab import Client, importing
from initlab.cli import app


@pytest.fixture(autouse=True)
def _here(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the command line ask the application in this process."""

    def made(project: str | None = None, patience: float = 0.0) -> Client:
        found = Client("http://127.0.0.1", project=project, patience=patience)
        found._transport._http = client
        return found

    monkeypatch.setattr(importing, "Client", made)


def write(path: Path, arms: str, seeds: int, metrics: str = "val_acc", epochs: int = 3) -> None:
    lines = [",".join(["optimizer,seed,epoch", *metrics.split()])]
    for i, arm in enumerate(arms.split()):
        for seed in range(seeds):
            for epoch in range(epochs):
                value = str(0.5 + i / 10 + seed / 100 + epoch / 1000)
                lines.append(",".join([arm, str(seed), str(epoch), *[value] * len(metrics.split())]))
    path.write_text("\n".join(lines))


def imported(path: Path, *more: str, code: int = 0) -> dict[str, Any]:
    words = ["import", "csv", str(path), "--arm", "optimizer", "--json", *more]
    found = CliRunner().invoke(app, words)
    assert found.exit_code == code, found.output
    told: dict[str, Any] = json.loads(found.stdout)
    return told


def test_a_source_that_grows_is_brought_up_to_date(client: TestClient, tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    write(path, "adam sgd", 2)
    assert imported(path, "--preview")["experiment"] is None
    first = imported(path)
    assert (first["made"], first["stored"]) == (True, 4 * 3)
    again = imported(path)
    assert (again["id"], again["made"], again["stored"], again["known"]) == (first["id"], False, 0, 12)
    write(path, "adam sgd lion", 3, "val_acc train_loss")
    added = {"arms": ["lion"], "seeds": [2], "metrics": ["train_loss"]}
    preview = imported(path, "--preview")
    assert (preview["experiment"], preview["added"]) == (first["id"], added)
    url = f"/experiments/{first['id']}"
    assert client.get(f"{url}/runs").json()["items"][3]["seed"] == 1
    grown = imported(path)
    assert (grown["id"], grown["added"], grown["refused"]) == (first["id"], added, [])
    assert (grown["stored"], grown["known"]) == (9 * 3 * 2 - 12, 12)
    one = client.get(url).json()
    assert (one["status"], one["progress"]["runs_total"]) == ("succeeded", 9)
    assert [(arm["label"], arm["n"]) for arm in client.get(f"{url}/report").json()["arms"]] == [
        ("adam", 3),
        ("sgd", 3),
        ("lion", 3),
    ]
    assert imported(path)["added"] == {"arms": [], "seeds": [], "metrics": []}
    assert client.get("/experiments").json()["total"] == 1
    assert imported(path, "--again")["id"] != first["id"]
