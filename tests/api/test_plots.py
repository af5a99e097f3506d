"""Pictures over HTTP: what may be asked for, and how often they are drawn."""

import io
import json
import threading
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from api import jobs
from core.settings import Settings
from core.store import Database, MetricBlock, Run
from tests.api.held import held, service_of

SPEC = {
    "name": "pictures",
    "arms": [{"label": "a", "initializer": "zeros"}, {"label": "b", "initializer": "he_normal"}],
    "seeds": 2,
    "epochs": 1,
}


@pytest.fixture
def here(client: TestClient) -> str:
    """An experiment that waits: pictures of it say so."""
    return client.post("/experiments", json=SPEC).headers["location"]


@pytest.fixture
def drawn(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the pictures in the order in which they were drawn, and "data" for data gathered."""
    found: list[str] = []
    pool = service_of(client).pool
    run = pool.run

    async def counted(seconds: float, job: Any, *given: Any) -> Any:
        found.append(given[0] if job is jobs.draw_plot else "data")
        return await run(seconds, job, *given)

    monkeypatch.setattr(pool, "run", counted)
    return found


def measured(settings: Settings, experiment_id: int, steps: int) -> None:
    """As a worker would store it: so many updates of every run, and the run's count of them."""
    database = Database(settings.database)
    with database.transaction() as session:
        for run in session.query(Run).filter_by(experiment_id=experiment_id):
            values = np.linspace(2.0, 1.0, steps, dtype="<f4").tobytes()
            session.add(MetricBlock(run_id=run.id, metric="train_loss", first=0, n=steps, attempt=1, values=values))
            run.steps_done = steps
    database.dispose()


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("width=99", "width"),
        ("width=100000", "width"),
        ("height=-1", "height"),
        ("height=wide", "height"),
        ("dpi=0", "dpi"),
        ("dpi=10000", "dpi"),
        ("theme=solarized", "theme"),
        ("arm=nobody", "arm"),
        ("arm=a&arm=nobody", "arm"),
        ("log=perhaps", "log"),
        ("axes=both", "axes"),
        ("x=hours", "x"),
        ("first=0", "first"),
        ("first=some", "first"),
        ("first=1000001", "first"),
        ("first=%D9%A3", "first"),
        (f"first={'9' * 5000}", "first"),
        ("widht=300", "widht"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_with_its_name(
    client: TestClient, here: str, query: str, path: str
) -> None:
    for extension in ("png", "svg", "json"):
        answer = client.get(f"{here}/plots/loss.{extension}?{query}")
        assert (answer.status_code, [one["path"] for one in answer.json()["errors"]]) == (422, [path])


def test_an_unknown_arm_is_answered_with_those_that_there_are(client: TestClient, here: str) -> None:
    [problem] = client.get(f"{here}/plots/loss.png?arm=nobody").json()["errors"]
    assert problem["known"] == ["a", "b"]


def test_an_option_of_one_picture_is_none_of_another(client: TestClient, here: str) -> None:
    for query, path in (("first=10", "first"), ("x=epochs", "x"), ("log=true", "log")):
        answer = client.get(f"{here}/plots/weights.png?{query}")
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, path)
    assert "loss" in client.get(f"{here}/plots/weights.png?first=10").json()["detail"]


def test_every_option_is_taken(client: TestClient, here: str, settings: Settings) -> None:
    measured(settings, int(here.rsplit("/", 1)[1]), 12)
    query = "width=640&height=360&dpi=96&theme=dark&arm=a&log=true&first=5"
    picture = Image.open(io.BytesIO(client.get(f"{here}/plots/loss.png?{query}").content))
    assert (picture.size, picture.info["dpi"][0]) == ((640, 360), pytest.approx(96, rel=1e-3))
    assert max(picture.getpixel((2, 2))) < 64  # type: ignore[arg-type]
    assert 'width="640" height="360"' in client.get(f"{here}/plots/loss.svg?{query}").text
    data = client.get(f"{here}/plots/loss.json?{query}").json()
    assert [arm["label"] for arm in data["arms"]] == ["a"]
    [line] = data["panels"][0]["lines"]
    assert (len(line["x"]), data["panels"][0]["y"]["scale"]) == (5, "log")
    assert client.get(f"{here}/plots/loss.json?first=all").json()["panels"][0]["lines"][0]["x"] == list(range(12))


def test_too_many_pixels_are_refused(client: TestClient) -> None:
    arms = [{"label": str(i), "initializer": {"name": "uniform", "low": -1.0 - i, "high": 1.0}} for i in range(24)]
    small = {"arms": arms, "model": {"name": "mlp", "hidden": [4]}}
    here = client.post("/experiments", json=SPEC | small).headers["location"]
    answer = client.get(f"{here}/plots/weights.png?dpi=600")
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, "dpi")


def test_a_picture_is_drawn_again_only_when_it_would_look_different(
    client: TestClient, here: str, settings: Settings, drawn: list[str]
) -> None:
    number = int(here.rsplit("/", 1)[1])
    first = client.get(f"{here}/plots/loss.png")
    assert client.get(f"{here}/plots/loss.png").content == first.content
    assert drawn == ["data", "loss"]

    database = Database(settings.database)
    with database.transaction() as session:  # another version of the experiment, and nothing of it is in this picture
        session.query(Run).filter_by(experiment_id=number).update({"attempt": Run.attempt + 1})
    database.dispose()
    again = client.get(f"{here}/plots/loss.png")
    assert again.headers["etag"] != first.headers["etag"]
    assert again.content == first.content
    assert drawn == ["data", "loss", "data"]

    measured(settings, number, 3)
    assert client.get(f"{here}/plots/loss.png").content != first.content
    assert drawn.count("loss") == 2
    client.get(f"{here}/plots/loss.png?theme=dark")
    client.get(f"{here}/plots/loss.svg")
    assert drawn.count("loss") == 4


def test_what_is_the_same_is_answered_with_304(client: TestClient, here: str, drawn: list[str]) -> None:
    tag = client.get(f"{here}/plots/loss.png?width=300").headers["etag"]
    assert client.get(f"{here}/plots/loss.png?width=300", headers={"If-None-Match": tag}).status_code == 304
    assert client.get(f"{here}/plots/loss.png?width=301", headers={"If-None-Match": tag}).status_code == 200


def test_two_who_ask_at_the_same_time_have_one_picture(client: TestClient, here: str, drawn: list[str]) -> None:
    answers: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: answers.append(client.get(f"{here}/plots/loss.png").content)) for _ in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers[0] == answers[1]
    assert drawn == ["data", "loss"]


def test_many_pictures_hold_up_no_other_call(client: TestClient, here: str, tmp_path: Path) -> None:
    """More are asked for than the server has threads, and none can be drawn: all processes are taken."""
    statuses: list[int] = []
    asking = [
        threading.Thread(target=lambda i=i: statuses.append(client.get(f"{here}/plots/loss.png?width={i}").status_code))
        for i in range(200, 260)
    ]
    with held(client, service_of(client).pool, tmp_path):
        for thread in asking:
            thread.start()
        assert client.get(here).status_code == 200
        assert statuses == []
    for thread in asking:
        thread.join()
    assert statuses == [200] * 60


@pytest.mark.parametrize(
    ("more", "listed"),
    [
        ({}, set()),
        ({"diagnostics": {"every": 5}}, {"layers"}),
        ({"arms": None, "grid": {"initializer": ["zeros", "ones"], "batch_size": [50, 100]}}, {"heatmap"}),
        (
            {"kind": "batch_size_scan", "batch_size_scan": {"sizes": [50, 100], "rule": "none"}}
            | {"target": {"metric": "valid_accuracy", "value": 0.9}},
            {"batch_size"},
        ),
    ],
)
def test_listed_is_what_an_experiment_has(client: TestClient, more: dict[str, Any], listed: set[str]) -> None:
    spec = {key: value for key, value in (SPEC | more).items() if value is not None}
    here = client.post("/experiments", json=spec).headers["location"]
    names = {item["name"] for item in client.get(f"{here}/plots").json()["items"]}
    assert names & {"layers", "heatmap", "batch_size", "lr_range"} == listed
    assert {"loss", "comparison", "weights", "energy"} <= names
    assert client.get(f"{here}/plots/lr_range.png").status_code == 200  # which says why it is empty


@pytest.mark.parametrize(
    ("kind", "own"),
    [("lr_range_test", {"lr_range"}), ("coordinate_check", {"coordinate_check", "layers"})],
    ids=["range test", "coordinate check"],
)
def test_what_ranks_nothing_lists_nothing_that_compares(client: TestClient, kind: str, own: set[str]) -> None:
    spec = {key: value for key, value in SPEC.items() if key != "epochs"} | {"kind": kind}
    here = client.post("/experiments", json=spec).headers["location"]
    names = {item["name"] for item in client.get(f"{here}/plots").json()["items"]}
    assert names == {"loss", "schedule", "weights", "energy", *own}


def test_all_pictures_come_in_one_file_that_is_the_same_each_time(client: TestClient, here: str) -> None:
    answer = client.get(f"{here}/plots.zip")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"] == 'attachment; filename="experiment-1-pictures.zip"'
    listed = [one["name"] for one in client.get(f"{here}/plots").json()["items"]]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [f"{name}.{form}" for name in listed for form in ("png", "svg", "json")]
        for name in listed[:2]:
            assert Image.open(archive.open(f"{name}.png")).format == "PNG"
            assert json.loads(archive.read(f"{name}.json")) == client.get(f"{here}/plots/{name}.json").json()
            assert archive.read(f"{name}.svg").startswith(b"<?xml")
    again = client.get(f"{here}/plots.zip", headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    service_of(client).answers._found.clear()
    assert client.get(f"{here}/plots.zip").content == answer.content
    assert client.get(f"{here}/plots.zip?theme=pink").status_code == 422
    assert client.get("/experiments/9/plots.zip").status_code == 404
