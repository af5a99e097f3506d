"""The report over HTTP, of runs that a real worker in this process trained."""

import re
from base64 import b64decode
from collections.abc import Callable
from itertools import pairwise

import pytest
from fastapi.testclient import TestClient

from core.plots import plots
from core.store import Experiment
from tests.api.held import service_of
from tests.api.test_experiments import SPEC


@pytest.fixture
def done(client: TestClient, work: Callable[[], int]) -> int:
    """A finished experiment."""
    answer = client.post("/experiments", json=SPEC)
    work()
    return int(answer.json()["id"])


def test_the_report_as_json_and_markdown(client: TestClient, done: int) -> None:
    found = client.get(f"/experiments/{done}/report").json()
    assert found["metric"] == "valid_accuracy"
    by_label = {arm["label"]: arm for arm in found["arms"]}
    finals = [run["final"]["valid_accuracy"] for run in client.get(f"/experiments/{done}/runs?arm=he").json()["items"]]
    assert by_label["he"]["n"] == 3
    assert by_label["he"]["mean"] == pytest.approx(sum(finals) / 3)
    assert by_label["wild"]["diverged"] == 3
    assert found["verdict"]["text"]
    markdown = client.get(f"/experiments/{done}/report", headers={"Accept": "text/markdown"})
    assert markdown.headers["content-type"].startswith("text/markdown")
    assert markdown.text.startswith("# weights")
    assert client.get(f"/experiments/{done}/report?format=md").text == markdown.text
    loss = client.get(f"/experiments/{done}/report?metric=valid_loss").json()
    assert loss["metric"] == "valid_loss"


def test_the_report_is_judged_by_the_margin_and_alpha_that_are_asked_for(client: TestClient, done: int) -> None:
    path = f"/experiments/{done}/report"
    own = client.get(path).json()
    assert (own["margin"], own["alpha"], own["split"]) == (None, 0.05, "valid")
    asked = client.get(f"{path}?margin=0.9&alpha=0.2")
    found = asked.json()
    assert (found["margin"], found["alpha"]) == (0.9, 0.2)
    assert asked.headers["etag"] != client.get(path).headers["etag"]
    assert client.get(path).json() == own  # what is kept is the report by the spec
    assert found["comparisons"][0].keys() >= {"decision", "individual", "ci_low", "p_adjusted", "p_equivalence"}
    assert client.get(f"{path}?format=md&margin=0.9").text.count("p of equivalence")
    for wrong in ("margin=0", "margin=inf", "margin=nan", "alpha=0", "alpha=0.7"):
        refused = client.get(f"{path}?{wrong}")
        assert (refused.status_code, refused.json()["errors"][0]["path"]) == (422, wrong.split("=")[0]), wrong


def _reported(client: TestClient, done: int) -> list[str]:
    """Return where the pictures of the report are: all but those that are a part of another."""
    items = client.get(f"/experiments/{done}/plots").json()["items"]
    return [item["links"]["png"] for item in items if not plots.parse(item["name"]).build().part_of]


def test_the_report_as_a_page(client: TestClient, done: int) -> None:
    page = client.get(f"/experiments/{done}/report", headers={"Accept": "text/html,application/xhtml+xml;q=0.9"})

    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert client.get(f"/experiments/{done}/report?format=html").text == page.text
    pictures = re.findall(r'<img src="([^"]+)"', page.text)
    assert "plots/loss.png" in pictures
    assert {f"/experiments/{done}/{picture}" for picture in pictures} == {
        *_reported(client, done)
    }  # where a browser looks for them
    (dark,) = re.findall(r'srcset="(plots/loss[^"]+)"', page.text)
    assert client.get(f"/experiments/{done}/{dark}").headers["content-type"] == "image/png"
    assert client.get(f"/experiments/{done}/report").headers["content-type"] == "application/json"


def test_the_report_in_one_file(client: TestClient, done: int) -> None:
    page = client.get(f"/experiments/{done}/report?format=html&pictures=inline")

    policy = page.headers["content-security-policy"]
    assert "img-src data:;" in policy
    assert "'self'" not in policy
    assert "img-src data:;" in re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]+)"', page.text)[0]
    sources = re.findall(r'(?:src|srcset|href)="([^"]+)"', page.text)
    inside = [b64decode(source.removeprefix("data:image/png;base64,"), validate=True) for source in sources]
    assert sorted(inside) == sorted(client.get(link).content for link in _reported(client, done))
    refused = client.get(f"/experiments/{done}/report?format=md&pictures=inline")
    assert [one["path"] for one in refused.json()["errors"]] == ["pictures"]


def test_the_report_has_every_run_and_outcome(client: TestClient, done: int) -> None:
    found = client.get(f"/experiments/{done}/report").json()
    runs = {(run["arm"], run["seed"]): run for run in found["runs"]}
    assert len(runs) == sum(arm["runs"] for arm in found["arms"])
    for run in client.get(f"/experiments/{done}/runs").json()["items"]:
        mine = runs[run["arm"], run["seed"]]
        assert mine["run_id"] == run["id"]
        assert mine["diverged"] == (run["outcome"] == "diverged")
        assert mine["seconds"] > 0
        if not mine["diverged"]:
            losses = client.get(f"/runs/{run['id']}/metrics?metric=train_loss").json()["series"][0]["values"]
            area = sum((a + b) / 2 for a, b in pairwise(losses)) / (len(losses) - 1)
            assert mine["loss_area"] == pytest.approx(area)
            assert mine["valid_accuracy"] == run["final"]["valid_accuracy"]
    for name in found["arms"][0]["outcomes"]:
        assert client.get(f"/experiments/{done}/report?metric={name}").json()["metric"] == name
    refused = client.get(f"/experiments/{done}/report?metric=valid_acuracy")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["path"] == "metric"
    assert "valid_accuracy" in refused.json()["errors"][0]["known"]


def test_what_later_code_posted_is_shown_as_far_as_it_can_be_read(client: TestClient) -> None:
    """An API of before, while others are newer: it refuses what it would misread, as no fault of who asks."""
    spec = {"seeds": 2, "epochs": 1, "arms": [{"initializer": "zeros"}, {}]}
    experiment = client.post("/experiments", json=spec).json()["id"]
    with service_of(client).database.transaction() as session:
        row = session.get_one(Experiment, experiment)
        row.spec = row.spec | {"rotation": 4}
    for path in ("", "/runs", "/metrics", "/history", "/environments"):
        assert client.get(f"/experiments/{experiment}{path}").status_code == 200, path
    for path in ("/report", "/report?format=md", "/plots", "/plots/loss.png", "/plots.zip"):
        answer = client.get(f"/experiments/{experiment}{path}")
        assert (answer.status_code, "unknown field 'rotation'" in answer.json()["detail"]) == (409, True), path
    assert client.post(f"/experiments/{experiment}/cancel").status_code == 202
