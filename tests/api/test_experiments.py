"""The life of an experiment over HTTP; the training is done by a real worker in this process."""

import io
import math
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from sqlalchemy import Connection, event, text, update
from sqlalchemy.exc import OperationalError

from api import series as answers
from api.routes import runs
from core.settings import Settings
from core.store import Experiment
from tests.api.held import service_of

SPEC: dict[str, Any] = {
    "name": "weights",
    "model": {"name": "mlp", "hidden": [16]},
    "arms": [
        {"label": "he", "initializer": "he_normal"},
        {"label": "zeros", "initializer": "zeros"},
        {"label": "wild", "optimizer": {"name": "sgd", "lr": 1e12}, "model.activation": "linear"},
    ],
    "seeds": 3,
    "epochs": 2,
    "tags": ["a", "b"],
}
STEPS = 30  # 1,438 training images in batches of 100, two epochs


def _post(client: TestClient, spec: dict[str, Any] = SPEC, key: str | None = None) -> Any:
    return client.post("/experiments", json=spec, headers={} if key is None else {"Idempotency-Key": key})


@pytest.fixture
def done(client: TestClient, work: Callable[[], int]) -> int:
    """A finished experiment."""
    answer = _post(client)
    work()
    return int(answer.json()["id"])


def test_a_post_is_accepted_with_its_address(client: TestClient) -> None:
    answer = _post(client)
    assert answer.status_code == 202
    body = answer.json()
    assert answer.headers["location"] == f"/experiments/{body['id']}"
    assert (body["status"], body["name"], body["attempt"]) == ("queued", "weights", 0)
    assert body["progress"] == {
        "steps_done": 0,
        "steps_total": 9 * STEPS,
        "runs_done": 0,
        "runs_total": 9,
        "runs_cancelled": 0,
        "eta_seconds": None,
    }
    assert [arm["label"] for arm in body["arms"]] == ["he", "zeros", "wild"]
    assert client.get(answer.headers["location"]).json() == body


def test_what_is_stored_is_canonical_and_can_be_posted_again(client: TestClient) -> None:
    stored = _post(client).json()["spec"]
    assert stored["optimizer"]["lr"] == 0.001
    assert stored["seeds"] == [0, 1, 2]
    again = _post(client, stored)
    assert again.status_code == 202
    assert again.json()["spec"] == stored


def test_an_idempotency_key_makes_one_experiment(client: TestClient) -> None:
    first = _post(client, key="k")
    second = _post(client, key="k")
    assert second.status_code == 202
    assert second.json()["id"] == first.json()["id"]
    assert _post(client, key="other").json()["id"] != first.json()["id"]
    refused = _post(client, SPEC | {"epochs": 3}, key="k")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["path"] == "Idempotency-Key"
    with service_of(client).database.transaction() as session:
        session.execute(update(Experiment).values(created_at=Experiment.created_at - 86_400))
    later = _post(client, SPEC | {"epochs": 3}, key="k")
    assert (later.status_code, later.json()["id"] != first.json()["id"]) == (202, True)


def test_a_commit_that_fails_is_never_answered_as_if_it_had_not(client: TestClient) -> None:
    """FastAPI's default scope of a dependency commits after the answer has gone."""
    here, engine = _post(client).headers["location"], service_of(client).database.engine

    def fail(_connection: Connection) -> None:
        raise OperationalError("COMMIT", {}, Exception("the disk is gone"))

    event.listen(engine, "commit", fail)
    answer = client.post(f"{here}/cancel")
    event.remove(engine, "commit", fail)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert client.get(here).json()["status"] == "queued"


def test_a_post_whose_commit_fails_is_not_answered_with_202(client: TestClient) -> None:
    """A process of the pool commits it: so the database itself refuses, as it looks at a foreign key that late."""
    with service_of(client).database.engine.begin() as connection:
        connection.execute(
            text("CREATE TABLE late (id INTEGER REFERENCES experiments (id) DEFERRABLE INITIALLY DEFERRED)")
        )
        connection.execute(text("CREATE TRIGGER refuse AFTER INSERT ON runs BEGIN INSERT INTO late VALUES (-1); END"))
    assert _post(client).status_code == 503
    assert client.get("/experiments").json()["items"] == []


def test_cancel_and_delete(client: TestClient) -> None:
    here = _post(client).headers["location"]
    refused = client.delete(here)
    assert refused.status_code == 409
    assert "cancel it first" in refused.json()["detail"]
    for _ in range(2):
        answer = client.post(f"{here}/cancel")
        assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    assert client.delete(here).status_code == 204
    assert client.get(here).status_code == 404


@pytest.mark.parametrize(
    ("arms", "kind", "said"),
    [
        (["a"], "comparison", '"a": its only run diverged, so it has no result'),
        (["a", "b"], "comparison", "all 2 runs of all 2 arms diverged: there is nothing to compare"),
        (["a"], "lr_range_test", None),
    ],
    ids=["the only arm", "every arm", "a range test"],
)
def test_where_every_run_diverges_its_status_says_so(
    client: TestClient, work: Callable[[], int], arms: list[str], kind: str, said: str | None
) -> None:
    spec = {"kind": kind, "seeds": 1, "optimizer": {"name": "sgd", "lr": 1e6}, "arms": [{"label": a} for a in arms]}
    spec |= {"lr_range": {"low": 1e6, "high": 1e9}} if kind == "lr_range_test" else {"epochs": 1}
    here = _post(client, spec | {"model": {"name": "mlp", "hidden": [16], "activation": "linear"}}).headers["location"]
    before = client.get(here).json()["warnings"]
    work()
    found = client.get(here).json()
    assert (found["status"], {arm["diverged"] for arm in found["arms"]}) == ("succeeded", {1})
    assert found["warnings"] == before + ([] if said is None else [{"path": "", "message": said}])


def test_runs_carry_outcome_and_final_numbers(client: TestClient, done: int) -> None:
    found = client.get(f"/experiments/{done}").json()
    assert found["status"] == "succeeded"
    assert [arm["diverged"] for arm in found["arms"]] == [0, 0, 3]
    assert found["warnings"][1:] == [{"path": "", "message": '"wild": all 3 runs diverged, so it has no result'}]
    runs = client.get(f"/experiments/{done}/runs").json()["items"]
    assert [(run["arm"], run["seed"]) for run in runs] == [(a, s) for a in ("he", "zeros", "wild") for s in range(3)]
    he, wild = runs[0], runs[6]
    assert (he["status"], he["outcome"], he["steps_done"]) == ("succeeded", "completed", STEPS)
    further = {"valid_top5_accuracy", "valid_macro_f1"}
    assert set(he["final"]) == {"train_loss", "lr", "train_accuracy", "valid_loss", "valid_accuracy"} | further
    assert (wild["status"], wild["outcome"], wild["final"]["train_loss"]) == ("succeeded", "diverged", None)
    assert client.get(f"/runs/{he['id']}").json() == he
    only = client.get(f"/experiments/{done}/runs", params={"arm": "he", "seed": 1}).json()["items"]
    assert [(run["arm"], run["seed"]) for run in only] == [("he", 1)]
    page = client.get(f"/experiments/{done}/runs?status=succeeded&status=failed&limit=4").json()
    assert (page["items"], page["total"]) == (runs[:4], 9)
    rest = client.get(f"/experiments/{done}/runs", params={"cursor": page["next"]}).json()
    assert (rest["items"], rest["next"]) == (runs[4:], None)
    none = client.get(f"/experiments/{done}/runs?status=failed").json()
    assert none == {"items": [], "next": None, "total": 0}


def test_metrics_by_column(client: TestClient, done: int) -> None:
    def series(**query: Any) -> list[Any]:
        found: list[Any] = client.get(f"/experiments/{done}/metrics", params=query).json()["series"]
        return found

    losses = series(metric="train_loss", arm="he")
    assert [one["seed"] for one in losses] == [0, 1, 2]
    for one in losses:
        assert (one["unit"], one["steps"], one["total"]) == ("step", list(range(STEPS)), STEPS)
    accuracy = series(metric="valid_accuracy", arm="zeros", seed=2)
    assert [(one["unit"], one["steps"]) for one in accuracy] == [("epoch", [0, 1])]
    part = series(metric="train_loss", arm="he", seed=0, first=7, last=12)[0]
    assert part["steps"] == list(range(7, 13))
    assert part["values"] == losses[0]["values"][7:13]
    thinned = series(metric="train_loss", arm="he", seed=0, max_points=10)[0]
    assert len(thinned["steps"]) <= 10
    assert thinned["total"] == STEPS
    assert max(thinned["values"]) == max(losses[0]["values"])
    wild = series(metric="train_loss", arm="wild", seed=0)[0]
    assert wild["values"][-1] is None
    assert wild["steps"] == list(range(len(wild["steps"])))
    both = client.get(f"/experiments/{done}/metrics?metric=lr&metric=valid_loss&arm=he&seed=0").json()["series"]
    assert sorted(one["metric"] for one in both) == ["lr", "valid_loss"]
    unknown = client.get(f"/experiments/{done}/metrics?metric=trian_loss")
    assert unknown.json()["errors"][0]["known"][0] == "train_loss"
    for path in ("metrics", "runs"):
        nobody = client.get(f"/experiments/{done}/{path}?arm=nobody")
        assert nobody.status_code == 422
        assert [one["path"] for one in nobody.json()["errors"]] == ["arm"]
        assert {"he", "zeros"} <= set(nobody.json()["errors"][0]["known"])
        nobody = client.get(f"/experiments/{done}/{path}?seed=77").json()
        assert nobody["errors"] == [{"path": "seed", "message": "no run has the seed 77; known: 0, 1, 2", "known": []}]
    run = losses[0]["run_id"]
    assert client.get(f"/runs/{run}/metrics", params={"metric": "train_loss"}).json()["series"] == [losses[0]]


@pytest.mark.parametrize(
    "query", ["", "?max_points=10&metric=train_loss&means=7", "?metric=lr&first=3&last=5&arm=he", "?repeat=true"]
)
def test_many_points_come_from_another_process_and_are_the_same(
    client: TestClient, done: int, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    paths = [f"/experiments/{done}/metrics{query}", f"/runs/1/metrics{query}"]
    few = [client.get(path) for path in paths]
    monkeypatch.setattr(runs, "FEW_POINTS", -1)
    many = [client.get(path) for path in paths]
    for one, other in zip(few, many, strict=True):
        assert one.status_code == other.status_code == 200
        assert one.content == other.content
        assert one.headers.items() >= {name: other.headers[name] for name in ("etag", "content-type")}.items()


def test_an_answer_that_would_be_too_large_is_refused_with_what_to_ask_for(
    client: TestClient, done: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(answers.MOST_POINTS, "json", 100)
    refused = client.get(f"/experiments/{done}/metrics")
    assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, "max_points")
    assert client.get(f"/experiments/{done}/metrics?metric=train_loss&arm=he&max_points=10").status_code == 200


def test_the_schedule_is_recorded_exactly(client: TestClient, work: Callable[[], int]) -> None:
    cosine = SPEC | {"arms": [{"label": "c", "schedule": "cosine", "optimizer.lr": 0.1}], "seeds": 1}
    here = _post(client, cosine).headers["location"]
    work()
    rates = client.get(f"{here}/metrics", params={"metric": "lr"}).json()["series"][0]["values"]
    expected = [0.1 * (1 + math.cos(math.pi * t / STEPS)) / 2 for t in range(STEPS)]
    assert rates == pytest.approx(expected, abs=1e-15)
    preview = client.post("/previews/schedule", json={"schedule": "cosine", "lr": 0.1, "steps": STEPS}).json()["lr"]
    assert preview == rates


def test_a_poller_is_answered_304_until_something_changes(client: TestClient, work: Callable[[], int]) -> None:
    here = _post(client).headers["location"]
    paths = [here, f"{here}/metrics", f"{here}/report", f"{here}/plots/loss.json"]
    tags = {path: client.get(path).headers["etag"] for path in paths}
    for path, tag in tags.items():
        assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    work()
    for path, tag in tags.items():
        assert client.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_every_plot_in_every_format(client: TestClient, done: int) -> None:
    items = client.get(f"/experiments/{done}/plots").json()["items"]
    assert {item["name"] for item in items} >= {"loss", "accuracy", "schedule", "weights", "comparison"}
    for item in items:
        png = client.get(item["links"]["png"])
        assert png.headers["content-type"] == "image/png"
        assert Image.open(io.BytesIO(png.content)).size[0] >= 600
        svg = client.get(item["links"]["svg"])
        assert svg.headers["content-type"] == "image/svg+xml"
        assert b"<svg" in svg.content
        data = client.get(item["links"]["json"]).json()
        assert "N = " in data["caption"]
    assert client.get(f"/experiments/{done}/plots/los.png").json()["errors"][0]["known"] == ["loss", "looks"]
    assert client.get(f"/experiments/{done}/plots/loss.gif").status_code == 422


def test_pictures_of_an_experiment_without_results_are_drawn_too(client: TestClient) -> None:
    here = _post(client).headers["location"]
    for item in client.get(f"{here}/plots").json()["items"]:
        assert client.get(item["links"]["png"]).status_code == 200
    assert client.get(f"{here}/report").json()["arms"][0]["n"] == 0


def test_a_training_that_fails_says_why(client: TestClient, work: Callable[[], int], settings: Settings) -> None:
    """The data set goes away between the post and the training."""
    raw = settings.datasets / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name, header in (("images-idx3", [2051, 20, 28, 28]), ("labels-idx1", [2049, 20])):
        shape = b"".join(number.to_bytes(4, "big") for number in header)
        (raw / f"train-{name}-ubyte").write_bytes(shape + bytes(20 * (28 * 28 if len(header) == 4 else 1)))
    here = _post(client, SPEC | {"dataset": "fashion_mnist", "arms": [{}]}).headers["location"]
    (raw / "train-images-idx3-ubyte").unlink()
    work()
    found = client.get(here).json()
    assert found["status"] == "failed"
    assert "train-images-idx3-ubyte" in found["errors"][0]
    run = client.get(f"{here}/runs").json()["items"][0]
    assert (run["status"], run["error"]) == ("failed", found["errors"][0])
    assert work() == 0
