"""An experiment that is looked at and not posted."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from core.settings import Settings
from core.store import Cohort, Database, Experiment, Run, Tag, Worker, now
from core.training import Profile

SPEC: dict[str, Any] = {
    "name": "weights",
    "model": {"name": "mlp", "hidden": [16]},
    "arms": [
        {"label": "he", "initializer": "he_normal"},
        {"label": "zeros", "initializer": "zeros"},
        {"label": "small", "batch_size": 50, "model": {"name": "mlp", "hidden": []}},
    ],
    "seeds": [4, 2],
    "epochs": 2,
    "tags": ["a"],
}


def _preview(client: TestClient, spec: Any = SPEC) -> Any:
    answer = client.post("/experiments/preview", json=spec)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_preview_tells_arms_steps_and_parameters(client: TestClient) -> None:
    found = _preview(client)
    assert found["arms"] == [
        {"label": "he", "runs": 2, "parameters": 64 * 16 + 16 + 160 + 10, "steps": 30},
        {"label": "zeros", "runs": 2, "parameters": 64 * 16 + 16 + 160 + 10, "steps": 30},
        {"label": "small", "runs": 2, "parameters": 650, "steps": 58},
    ]
    assert (found["name"], found["seeds"], found["runs_total"], found["steps_total"]) == ("weights", [4, 2], 6, 236)


def test_its_spec_is_what_a_post_would_store(client: TestClient) -> None:
    found = _preview(client)
    assert found["spec"] == client.post("/experiments", json=SPEC).json()["spec"]
    assert _preview(client, found["spec"]) == found


def test_its_plan_is_what_a_post_would_store(client: TestClient, settings: Settings) -> None:
    plan = _preview(client)["plan"]
    told = [(cohort["arms"], cohort["seeds"], cohort["threads"], cohort["layout"]) for cohort in plan["cohorts"]]
    assert sorted(told) == [(["he", "zeros"], [4, 2], 1, "vmap"), (["small"], [4, 2], 1, "vmap")]
    assert [cohort["arms"] for cohort in plan["cohorts"] if not cohort["independent"]] == [["small"]]  # no hidden layer
    assert {tuple(cohort["arms"]): cohort["steps"] for cohort in plan["cohorts"]} == {
        ("he", "zeros"): 30,
        ("small",): 58,
    }
    assert [cohort["lanes"] for cohort in plan["cohorts"]] == [
        len(cohort["arms"]) * len(cohort["seeds"]) for cohort in plan["cohorts"]
    ]
    assert (plan["device"], plan["processes"], plan["numbers"]) == ("cpu", 1, "guess")
    seconds, memory = ([cohort[f"estimated_{of}"] for cohort in plan["cohorts"]] for of in ("seconds", "bytes"))
    assert plan["estimated_seconds"] == pytest.approx(sum(seconds))
    assert plan["estimated_bytes"] == max(memory)
    client.post("/experiments", json=SPEC)
    database = Database(settings.database)
    with database.reading() as session:
        rows = session.execute(select(Run.cohort_id, Run.arm, Run.seed).order_by(Run.cohort_id, Run.id)).all()
    database.dispose()
    stored = [[(arm, seed) for cohort, arm, seed in rows if cohort == of] for of in sorted({row[0] for row in rows})]
    assert stored == [[(arm, seed) for arm in arms for seed in seeds] for arms, seeds, _, _ in told]


def test_a_measured_machine_is_said_and_more_of_it_is_faster(client: TestClient, settings: Settings) -> None:
    long = SPEC | {"epochs": 1000}
    guessed = _preview(client, long)["plan"]
    profile = Profile.guess(2).model_copy(update={"measured": True})
    database = Database(settings.database)
    with database.transaction() as session:
        seen = session.scalar(select(now())) or 0.0
        row = profile.model_dump(mode="json")
        session.add(Worker(holder="here/1/0", devices="auto,cpu", last_seen=seen, profile=row))
    database.dispose()
    measured = _preview(client, long)["plan"]
    assert (measured["numbers"], measured["processes"]) == ("measured", 2)
    assert measured["estimated_seconds"] < guessed["estimated_seconds"]


def test_nothing_is_stored(client: TestClient, settings: Settings) -> None:
    _preview(client)
    assert client.get("/experiments").json()["items"] == []
    database = Database(settings.database)
    with database.reading() as session:
        for table in (Experiment, Cohort, Run, Tag):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    database.dispose()


@pytest.mark.parametrize(
    "wrong",
    [
        {"arms": [{"initializer": "he_norml"}], "epochs": 0},
        {"dataset": "fashion_mnist"},
        {"schedule": {"name": "reduce_on_plateau", "metric": "valid_r2"}},
        {"memory_limit": 1.5},
        {"memory_limit": 0},
        {"nme": "x"},
        [],
    ],
    ids=str,
)
def test_what_a_post_refuses_a_preview_refuses_in_the_same_words(client: TestClient, wrong: Any) -> None:
    posted, looked = (client.post(path, json=wrong) for path in ("/experiments", "/experiments/preview"))
    assert (posted.status_code, looked.status_code) == (422, 422)
    assert looked.headers["content-type"] == "application/problem+json"
    assert looked.json() == posted.json()


def test_it_tells_what_is_probably_not_meant(client: TestClient) -> None:
    schedule = {"name": "polynomial", "end_lr": 0.5}
    arms = [{"label": "rises", "schedule": schedule}, {"label": "falls", "schedule": "cosine"}]
    spec = SPEC | {"arms": arms}
    (warning,) = _preview(client, spec)["warnings"]
    assert warning["path"] == "arms[0].schedule.end_lr"
    assert "rises to it instead of falling" in warning["message"]
    posted = client.post("/experiments", json=spec).json()
    assert posted["warnings"] == [warning]
    here = posted["links"]["self"]
    assert client.get(here).json()["warnings"] == [warning]
    assert warning in client.get(f"{here}/report").json()["warnings"]
    assert "arms\\[0\\].schedule.end_lr: is 0.5" in client.get(f"{here}/report?format=md").text
    assert _preview(client)["warnings"] == []
