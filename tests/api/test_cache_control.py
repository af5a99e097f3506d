"""Answers say how long they may be kept: for ever what never changes, and else not without asking again."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from api.policies import NEVER_CHANGES
from api.routes import runs
from core.store import Experiment
from tests.api.held import service_of

SMALL = {"model": {"name": "mlp", "hidden": [4]}, "seeds": 1, "epochs": 1}
FOR_EVER, ASK = NEVER_CHANGES["Cache-Control"], "private, no-cache"


def _may_be_kept(client: TestClient, path: str, **headers: str) -> str:
    answer = client.get(path, headers=headers)
    assert answer.status_code in (200, 304), answer.text
    return str(answer.headers["cache-control"])


@pytest.fixture
def here(client: TestClient) -> str:
    return str(client.post("/experiments", json=SMALL).headers["location"])


def test_series_of_an_experiment_that_ended_for_good_never_change(
    client: TestClient, here: str, work: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    series = [f"{here}/metrics", f"{here}/metrics?metric=lr", "/runs/1/metrics"]
    assert {_may_be_kept(client, path) for path in series} == {ASK}
    work()
    assert {_may_be_kept(client, path) for path in series} == {FOR_EVER}
    tag = client.get(series[0]).headers["etag"]
    assert _may_be_kept(client, series[0], **{"If-None-Match": tag}) == FOR_EVER
    monkeypatch.setattr(runs, "FEW_POINTS", -1)
    assert _may_be_kept(client, series[0]) == FOR_EVER
    with service_of(client).database.transaction() as session:
        session.execute(update(Experiment).values(status="failed"))  # which can be tried again
    assert _may_be_kept(client, series[0]) == ASK


def test_a_picture_never_changes_under_its_version(client: TestClient, here: str, work: Callable[[], int]) -> None:
    def version() -> str:
        return str(client.get(f"{here}/plots").json()["version"])

    def kept(version: str, extension: str = "json") -> str:
        return _may_be_kept(client, f"{here}/plots/loss.{extension}?version={version}")

    queued = version()
    assert kept(queued) == FOR_EVER
    work()
    done = version()
    assert [kept(queued), kept(done), kept(done, "svg")] == [ASK, FOR_EVER, FOR_EVER]
    assert _may_be_kept(client, f"{here}/plots/loss.json") == ASK
    client.patch(here, json={"name": "another"})
    assert [kept(done), kept(version())] == [ASK, FOR_EVER], "its title is another now"


def test_what_changes_is_asked_for_again_and_a_secret_is_not_kept(client: TestClient, here: str) -> None:
    for path in (here, "/experiments", f"{here}/report", f"{here}/plots", "/catalog", "/openapi.json", "/healthz"):
        assert _may_be_kept(client, path) == ASK, path
    assert client.get("/experiments/99").headers["cache-control"] == ASK, "it may be posted yet"
    hook: dict[str, Any] = {"url": "https://lab.example/"}
    assert client.post("/webhooks", json=hook).headers["cache-control"] == "no-store"
