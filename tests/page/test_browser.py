"""The page as a person uses it, in a real browser on a real service."""

import json
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.conftest import saved, violations
from tests.service.running import Running, running, spec, until

pytestmark = pytest.mark.service

LABEL = "<img src=x onerror=alert(1)>"
ADDRESSES = ["experiments", "experiments/1", "experiments/1/verdict", "experiments/1/runs", "new", "catalog"]
ADDRESSES += [
    "catalog/schedules/cosine",
    "catalog/findings/dead_relu",
    "datasets",
    "datasets/looked-at",
    "workers",
    "compare/1,2",
    "studies",
]
ADDRESSES += ["experiments/3", "experiments/3/arms", "experiments/3/download"]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Yield a service of this file's own: its experiments are called by their numbers."""
    folder = tmp_path_factory.mktemp("browsed")
    with running({"INITLAB_DATA_DIR": str(folder / "data")}, folder / "log") as service:
        yield service


@pytest.fixture(scope="module", autouse=True)
def compared(service: Running) -> None:
    """Two experiments that have ended, one with labels that a page must not take for its own."""
    arms = [{"label": LABEL, "initializer": "zeros"}, {"label": "he", "initializer": "he_normal"}]
    for _ in range(2):
        service.ended(service.post(spec(epochs=3) | {"name": "tiny <b>", "arms": arms, "tags": ["lesson"]}))
    elsewhere(service)
    files = {
        "file": ("looked-at.csv", "a,b,y\n" + "".join(f"{i},{i % 5},{'yes' if i % 3 else 'no'}\n" for i in range(60)))
    }
    service.http.post("/datasets", files=files, data={"target": "y"}, timeout=120).raise_for_status()


def elsewhere(service: Running) -> None:
    """One that is trained elsewhere, and has ended."""
    arms = [{"label": name, "config": {"net": {"hidden": [64, 64]}}} for name in ("ppo", "sac")]
    metric = {"name": "eval/return", "direction": "max", "label": "Evaluation return"}
    asked = {"kind": "external", "name": "robots", "arms": arms, "metrics": [metric], "seeds": 3}
    for run in service.get(f"/experiments/{service.post(asked)}/runs")["items"]:
        values = [10.0 * run["seed"] + point for point in range(4)]
        body = {"outcome": "completed", "points": {"eval/return": {"first": 0, "values": values}}}
        service.http.post(f"/runs/{run['id']}/finish", json=body).raise_for_status()


def test_an_experiment_is_made_in_the_form_watched_live_and_judged(page: Page, tmp_path: Path) -> None:
    page.goto("/#/new")
    page.get_by_label("name", exact=True).first.fill("Made by hand")
    page.get_by_label("epochs", exact=True).fill("60")
    first = page.get_by_label("initializer of arm 1")
    first.fill("he_norml")
    expect(page.get_by_text("did you mean 'he_normal'?")).to_be_visible(timeout=20_000)
    first.fill("lecun_normal")
    expect(page.get_by_text("15 runs, 13,500 updates")).to_be_visible(timeout=20_000)
    written: dict[str, Any] = json.loads(page.get_by_label("The spec as JSON").input_value())
    assert (written["name"], written["epochs"], written["arms"][0]) == (
        "Made by hand",
        60,
        {"initializer": "lecun_normal"},
    )
    with page.expect_request(lambda request: request.url.endswith("/experiments")) as posted:
        page.get_by_role("button", name="Post it").click()
    assert posted.value.post_data_json == written
    page.wait_for_url(re.compile("#/experiments/[0-9]+"))
    drawn = page.locator(".plot canvas").first
    expect(drawn).to_be_visible(timeout=20_000)
    expect(page.locator(".verdict").first).to_contain_text("has the best mean", timeout=60_000)
    expect(page.locator(".verdict").first).to_contain_text(re.compile("^Decided: .+; open: .+"))
    expect(page.locator(".state").first).to_have_text("succeeded")
    page.get_by_role("tab", name="Verdict").click()
    expect(page.get_by_role("region", name="Arms by validation accuracy").get_by_text("lecun_normal")).to_be_visible()
    page.get_by_role("tab", name="Download").click()
    assert "Made by hand" in saved(page, tmp_path, "Report as Markdown").read_text()


def test_an_experiment_that_is_trained_elsewhere_offers_what_it_has(page: Page, service: Running) -> None:
    """Its arms are chosen for chart and pictures alike, its metrics called as declared, every download is there."""
    page.goto("/#/experiments/3")
    expect(page.get_by_role("img", name="Evaluation return of every arm")).to_be_visible()
    for missing in ("Clone", "Pause", "Resume", "Retry"):
        expect(page.get_by_role("button", name=missing)).to_be_hidden()
    page.get_by_role("group", name="Arms").get_by_label("sac").uncheck()
    with page.expect_response(lambda answer: "/comparison.svg" in answer.url) as drawn:
        page.get_by_role("tab", name="Pictures").click()
    assert drawn.value.status == 200
    assert "&arm=ppo" in drawn.value.url
    assert "arm=sac" not in drawn.value.url
    expect(page.get_by_text("Training loss of the first")).to_be_hidden()
    with page.expect_response(lambda answer: "/comparison.svg" in answer.url) as drawn:
        page.get_by_role("group", name="Arms").get_by_label("sac").check()
    assert "arm=" not in drawn.value.url
    page.get_by_role("tab", name="Verdict").click()
    expect(page.get_by_role("columnheader", name="Mean Evaluation return")).to_be_visible()
    page.get_by_role("tab", name="Arms").click()
    expect(page.get_by_role("cell", name="[64,64]").first).to_be_visible()
    page.get_by_role("tab", name="Download").click()
    links = [one.get_attribute("href") or "" for one in page.get_by_role("tabpanel").get_by_role("link").all()]
    assert len(links) > 10
    assert {link: service.http.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_labels_are_text_wherever_they_are_shown(page: Page) -> None:
    for tab in ("curves", "verdict", "runs", "spec"):
        page.goto(f"/#/experiments/1/{tab}")
        expect(page.get_by_role("heading", name="tiny <b>")).to_be_visible()
        expect(page.get_by_text(LABEL).first).to_be_visible()
        assert page.locator("img[src='x']").count() == 0


def test_a_study_shows_its_verdicts_and_what_is_left(page: Page, service: Running) -> None:
    """Its experiment varies two sources, and says on its own page whose the spread is."""
    arms = [{"label": "zeros", "initializer": "zeros"}, {"label": "he", "initializer": "he_normal"}]
    asked = {"arms": arms, "baseline": "zeros", "study": "chain", "name": "first of a chain", "vary": ["init", "order"]}
    made = service.post(spec(epochs=3, seeds=5) | asked)
    service.ended(made)
    page.goto("/#/studies")
    page.get_by_role("link", name="chain", exact=True).click()
    row = page.get_by_role("row").filter(has_text="first of a chain")
    expect(row).to_contain_text(re.compile("keep|inconclusive"))
    expect(page.get_by_text("Of alpha 0.05 it has spent")).to_be_visible()
    assert violations(page) == []
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", name="first of a chain")).to_be_visible()
    page.get_by_role("tab", name="Verdict").click()
    expect(page.get_by_role("heading", name="Where the spread comes from")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("table", name="Sources of randomness").get_by_role("row")).to_have_count(5)


def test_the_list_is_filtered_and_two_are_compared(page: Page) -> None:
    page.goto("/#/experiments")
    expect(page.locator(".sparkline").first).to_be_visible()
    page.get_by_label("Tag").fill("no such tag")
    expect(page.get_by_text("No experiment is like that.")).to_be_visible()
    page.get_by_label("Tag").fill("lesson")
    ticks = page.get_by_role("checkbox", name="Compare tiny <b>")
    expect(ticks).to_have_count(2)
    for tick in ticks.all():
        tick.check()
    page.get_by_role("link", name="Compare 2").click()
    expect(page.get_by_role("heading", name="2 experiments side by side")).to_be_visible()
    expect(page.locator(".plot canvas").first).to_be_visible(timeout=20_000)


def test_name_tags_and_notes_are_edited(page: Page, service: Running) -> None:
    page.goto("/#/experiments/2")
    page.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("renamed")
    dialog.get_by_label("Notes").fill("zeros do not learn")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="renamed")).to_be_visible()
    found = service.get("/experiments/2")
    assert (found["name"], found["tags"], found["notes"]) == ("renamed", ["lesson"], "zeros do not learn")
    service.http.patch("/experiments/2", json={"name": "tiny <b>"}).raise_for_status()


def test_a_running_experiment_is_paused_resumed_cancelled_and_deleted_in_two_browsers(
    page: Page, browser: Browser, service: Running
) -> None:
    """What one of them does the other sees."""
    experiment = service.post(spec(epochs=40_000) | {"name": "Long"})
    with browser.new_context(base_url=str(service.http.base_url)) as context:
        other = context.new_page()
        for one in (page, other):
            one.goto(f"/#/experiments/{experiment}")
        other.get_by_role("button", name="Edit").focus()
        page.get_by_role("button", name="Pause").click()
        expect(other.get_by_role("button", name="Resume")).to_be_visible(timeout=20_000)
        expect(other.get_by_role("button", name="Edit")).to_be_focused()
        other.get_by_role("button", name="Resume").click()
        expect(page.get_by_role("button", name="Pause")).to_be_visible(timeout=20_000)
        for one in (page, other):
            one.on("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Cancel").click()
        expect(other.locator(".state").first).to_have_text("cancelled", timeout=20_000)
        other.get_by_role("button", name="Delete").click()
        expect(page.get_by_role("heading", name="This experiment was deleted")).to_be_visible(timeout=60_000)


def test_a_file_is_sent_and_its_notes_are_read(page: Page) -> None:
    rows = "".join(f"{i},{i % 7},{'yes' if i % 3 else 'no'}\n" for i in range(60))
    page.goto("/#/datasets")
    page.locator("input[type=file]").set_input_files(
        {"name": "t.csv", "mimeType": "text/csv", "buffer": f"a,b,y\n{rows}".encode()}
    )
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("should name the column that is to be learned")).to_be_visible(timeout=20_000)
    page.get_by_text("Name, and how to read it").click()
    page.get_by_label("Target column").fill("y")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("its 2 values are classes")).to_be_visible(timeout=20_000)
    page.get_by_role("link", name="t", exact=True).first.click()
    shown = page.get_by_role("region", name="First rows").get_by_role("row")
    expect(shown.nth(2)).to_have_text("11yes")
    expect(page.get_by_role("region", name="Examples of each class").get_by_role("row").nth(1)).to_contain_text("no20")
    expect(page.get_by_text("None yet.")).to_be_visible()
    page.get_by_role("button", name="Use in an experiment").click()
    assert json.loads(page.get_by_label("The spec as JSON").input_value())["dataset"] == {"name": "uploaded", "id": "t"}


def test_a_page_that_is_open_goes_on_when_the_service_starts_again(page: Page, service: Running) -> None:
    page.goto("/#/experiments")
    expect(page.get_by_role("link", name="tiny <b>").first).to_be_visible()
    [api, *_] = service.processes("api")
    os.kill(api.pid, signal.SIGKILL)
    until(lambda: _posted(service), 90)
    expect(page.get_by_role("link", name="After the restart")).to_be_visible(timeout=30_000)


def _posted(service: Running) -> int | None:
    try:
        return service.post(spec(epochs=1, seeds=1) | {"name": "After the restart"}, **{"Idempotency-Key": "again"})
    except httpx.TransportError:
        return None


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.thorough)])
def test_nothing_keeps_anybody_from_using_it(browser: Browser, service: Running, scheme: Any) -> None:
    """axe-core finds nothing of WCAG 2.2 AA; at 360 pixels nothing is wider than the screen."""
    with browser.new_context(
        base_url=str(service.http.base_url), color_scheme=scheme, viewport={"width": 360, "height": 740}
    ) as context:
        page = context.new_page()
        found = {}
        for address in ADDRESSES:
            page.goto(f"/#/{address}")
            page.reload()  # or the heading of the view before would do
            expect(page.locator("h1")).to_be_visible(timeout=20_000)
            page.wait_for_load_state("networkidle")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, address
            found[address] = violations(page)
        assert found == {address: [] for address in ADDRESSES}


def test_links_that_mlflow_prints_open_what_is_judged(page: Page, service: Running) -> None:
    def door(path: str, **body: Any) -> dict[str, Any]:
        return dict(service.http.post(f"/mlflow/api/2.0/mlflow/{path}", json=body).raise_for_status().json())

    of = door("experiments/create", name="linked")["experiment_id"]
    run = door("runs/create", experiment_id=of, run_name="still <b>")["run"]["info"]["run_id"]
    page.goto(f"/mlflow/#/experiments/{of}/runs/{run}")
    expect(page.get_by_role("heading", name="still <b>")).to_be_visible()
    expect(page.get_by_text("is judged yet").locator("bdi")).to_have_text("linked")
    door("runs/log-batch", run_id=run, tags=[{"key": "arm", "value": "a"}, {"key": "seed", "value": "0"}])
    door("runs/log-batch", run_id=run, metrics=[{"key": "val_acc", "value": 0.5, "step": 0, "timestamp": 1}])
    tags = door("experiments/search", max_results=1, filter="name = 'linked'")["experiments"][0]["tags"]
    judged = next(tag["value"] for tag in tags if tag["key"] == "initlab.experiment")
    for link, tab in ((f"{of}", ""), (f"{of}/runs/{run}", "/runs")):
        page.goto("about:blank")
        page.goto(f"/mlflow/#/experiments/{link}")
        page.wait_for_url(re.compile(f"/#/experiments/{judged}{tab}$"))
        expect(page.get_by_role("heading", name="linked").first).to_be_visible()
    page.goto("about:blank")
    page.goto("/mlflow/#/experiments/999")
    expect(page.get_by_text("there is no experiment 999")).to_be_visible()
