"""Arms of different experiments compared over HTTP, trained by a real worker in this process."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from scipy import stats
from sqlalchemy import select, update

from core.store import Database, Event
from tests.api.keyed import Make, Sent
from tests.api.test_projects import project

SMALL: dict[str, Any] = {"model": {"name": "mlp", "hidden": [4]}, "epochs": 1, "seeds": 4}
HE = SMALL | {"arms": [{"label": "he", "initializer": "he_normal"}, {"label": "zeros", "initializer": "zeros"}]}


def post(client: TestClient, **changed: Any) -> int:
    spec = {name: value for name, value in (HE | changed).items() if value is not None}
    answer = client.post("/experiments", json=spec)
    assert answer.status_code == 202, answer.text
    return int(answer.json()["id"])


def compare(client: TestClient, *arms: str, sent: Sent | None = None, **asked: Any) -> Any:
    named = [{"experiment": int(arm.split("/")[0]), "arm": arm.split("/", 1)[1]} for arm in arms]
    return client.post("/comparisons", json={"arms": named, **asked}, headers=sent)


def test_arms_of_two_experiments_are_paired_as_those_of_one(client: TestClient, work: Callable[[], int]) -> None:
    first, second = post(client), post(client, batch_size=50)
    work()
    found = compare(client, f"{first}/he", f"{second}/zeros", margin=0.5).json()
    assert (found["paired"], found["reason"]) == (True, "paired as trained: data set, split and 4 seeds agree")
    finals = {
        (one, run["arm"], run["seed"]): run["final"]["valid_accuracy"]
        for one in (first, second)
        for run in client.get(f"/experiments/{one}/runs").json()["items"]
    }
    (pair,) = found["comparisons"]
    sign = 1 if pair["a"] == f"{first}/he" else -1
    expected = sum(finals[first, "he", seed] - finals[second, "zeros", seed] for seed in range(4)) / 4
    assert pair["n"] == 4
    assert sign * pair["difference"] == pytest.approx(expected, rel=1e-12)
    assert [arm["label"] for arm in found["arms"]] == [f"{first}/he", f"{second}/zeros"]
    assert len(found["runs"]) == 8
    within = compare(client, f"{first}/he", f"{first}/zeros").json()
    whole = client.get(f"/experiments/{first}/report").json()
    numbers = ("n", "difference", "ci_low", "ci_high", "p", "p_adjusted", "effect_size")
    assert [{key: c[key] for key in numbers} for c in within["comparisons"]] == [
        {key: c[key] for key in numbers} for c in whole["comparisons"]
    ]
    page = compare(client, f"{first}/he", f"{second}/zeros", sent={"Accept": "text/markdown"})
    assert page.headers["content-type"].startswith("text/markdown")
    assert "paired as trained" in page.text
    loss = compare(client, f"{first}/he", f"{second}/he", metric="valid_loss").json()
    assert loss["metric"] == "valid_loss"
    missing = compare(client, f"{first}/he", f"{second}/he", metric="valid_los").json()
    assert [one["path"] for one in missing["errors"]] == ["metric"]


def test_arms_of_other_seeds_are_compared_by_welch(client: TestClient, work: Callable[[], int]) -> None:
    first, second = post(client), post(client, seeds=[7, 8, 9], batch_size=20)
    work()
    found = compare(client, f"{first}/he", f"{second}/he").json()
    assert not found["paired"]
    assert found["reason"].startswith("not paired: the arms have no seed in common")
    values = [
        [run["final"]["valid_accuracy"] for run in client.get(f"/experiments/{one}/runs?arm=he").json()["items"]]
        for one in (first, second)
    ]
    (pair,) = found["comparisons"]
    assert pair["p"] == pytest.approx(stats.ttest_ind(*values, equal_var=False).pvalue, rel=1e-9)
    assert pair["p_sign_flip"] is None
    assert (pair["n"], pair["paired"], pair["test"]) == (3, False, "welch")
    markdown = compare(client, f"{first}/he", f"{second}/he", sent={"Accept": "text/markdown"}).text
    assert "Welch" in markdown
    assert "- Initial weights: he_normal" in markdown, "which differs within each experiment alone"
    assert "paired t test" not in markdown


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"dataset": {"name": "digits", "split_seed": 3}}, "split_seed 3 instead of 0"),
        ({"dataset": "breast_cancer"}, "is of the data set 'breast_cancer'"),
        ({"kind": "lr_range_test", "epochs": None}, "is of a lr_range_test"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_the_reason(
    client: TestClient, changed: dict[str, Any], said: str
) -> None:
    first, second = post(client), post(client, **changed)
    answer = compare(client, f"{first}/he", f"{second}/he")
    assert answer.status_code == 422
    assert [one["path"] for one in answer.json()["errors"]] == ["arms[1]"]
    assert said in answer.json()["detail"]


def test_arms_that_are_not_there(client: TestClient) -> None:
    one = post(client)
    unknown = compare(client, f"{one}/he", f"{one}/she")
    assert unknown.status_code == 422
    assert unknown.json()["errors"][0] | {"message": ""} == {"path": "arms[1].arm", "message": "", "known": ["he"]}
    assert compare(client, f"{one}/he", "99/he").status_code == 404
    assert compare(client, f"{one}/he", f"{one}/he").json()["errors"][0]["path"] == "arms[1]"
    assert compare(client, f"{one}/he").status_code == 422
    assert compare(client, *(f"{i}/he" for i in range(1, 26))).status_code == 422


def test_a_project_of_others_is_not_there_and_reading_is_enough(client: TestClient, make: Make, admin: Sent) -> None:
    anna, ben = make("anna"), make("ben", "scope=read")
    project(client, admin, "nlp", members={"anna": "member"})
    for into in ("nlp", "default"):
        assert client.post("/experiments", json=HE, headers=anna, params={"project": into}).status_code == 202
    assert compare(client, "1/he", "2/he", sent=anna).status_code == 200
    hidden = compare(client, "2/he", "1/he", sent=ben)
    assert (hidden.status_code, hidden.json()["detail"]) == (404, "there is no experiment 1")
    assert compare(client, "2/he", "2/zeros", sent=ben).status_code == 200


def test_a_change_of_the_code_is_said(client: TestClient, work: Callable[[], int], database: Database) -> None:
    first, second, third = post(client), post(client), post(client)
    work()
    same = compare(client, f"{first}/he", f"{second}/he").json()
    assert not [one for one in same["warnings"] if "changed" in one["message"] or "recorded" in one["message"]]
    with database.transaction() as session:
        for one, software in ((second, {"initlab": "0.1", "torch": "1.0", "code": "c0"}), (third, None)):
            of = session.scalars(select(Event).where(Event.experiment_id == one, Event.kind == "claimed")).one()
            rest = {key: value for key, value in of.detail.items() if key != "software"}
            detail = rest if software is None else rest | {"software": software}
            session.execute(update(Event).where(Event.id == of.id).values(detail=detail))
    said = " ".join(
        one["message"] for one in compare(client, f"{first}/he", f"{second}/he", f"{third}/he").json()["warnings"]
    )
    assert f"PyTorch changed between the experiments ({first}: " in said
    assert f"{second}: 1.0)" in said
    assert f"by which code experiment {third} was trained is not recorded" in said
