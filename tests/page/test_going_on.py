"""The page over time: what is retried, hidden, edited elsewhere, or out of reach for a while, and what stays of it."""

import os
import re
import signal
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.service.running import Running, spec, until

pytestmark = pytest.mark.service

LOSS = {"name": "loss", "direction": "min", "per": "step"}
VALUES = """async () => {
    const Bokeh = await (await import("/page/chart.js")).library();
    const models = Object.values(Bokeh.index).flatMap((view) => [...view.model.references()]);
    return models.filter(({ data }) => data?.ys).flatMap(({ data }) => data.ys.map((values) => [...values]));
}"""
HIDE = """(hidden) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


class Elsewhere:
    """An external experiment, and the runs of its two arms."""

    def __init__(self, service: Running) -> None:
        self.service = service
        asked = {"kind": "external", "arms": [{"label": "a"}, {"label": "b"}], "seeds": 1, "metrics": [LOSS]}
        self.id = service.post(asked)
        self.runs = [run["id"] for run in service.get(f"/experiments/{self.id}/runs")["items"]]

    def log(self, run: int, first: int, *values: float) -> None:
        body = {"points": {"loss": {"first": first, "values": values}}}
        self.service.http.post(f"/runs/{run}/points", json=body).raise_for_status()

    def finish(self, run: int, **body: Any) -> None:
        self.service.http.post(f"/runs/{run}/finish", json=body).raise_for_status()


def draws(page: Page, *lines: list[float]) -> None:
    """See that the chart comes to draw these values of its runs, and no more."""
    until(lambda: [one for one in page.evaluate(VALUES) if one] == [*lines], 20)


def test_what_is_retried_is_live_again(page: Page, service: Running) -> None:
    made = Elsewhere(service)
    ok, lost = made.runs
    made.log(ok, 0, 3.0, 2.0)
    made.log(lost, 0, 9.0, 8.0)
    made.finish(ok, outcome="completed")
    made.finish(lost, outcome="failed", error="out of memory")
    service.ended(made.id)
    page.goto(f"/#/experiments/{made.id}/curves")
    draws(page, [3, 2], [9, 8])
    with page.expect_request(lambda request: "/events" in request.url):
        page.get_by_role("button", name="Retry").click()
    made.log(lost, 0, 5.0, 4.0, 3.0)
    draws(page, [3, 2], [5, 4, 3])


def test_a_tab_that_is_hidden_listens_to_nothing_and_goes_on_where_it_was(page: Page, service: Running) -> None:
    made = Elsewhere(service)
    run = made.runs[0]
    made.log(run, 0, 3.0, 2.0)
    page.goto(f"/#/experiments/{made.id}/curves")
    draws(page, [3, 2])
    with page.expect_event("requestfailed", lambda request: "/events" in request.url):
        page.evaluate(HIDE, True)
    made.log(run, 2, 1.0)
    with page.expect_request(lambda request: "/events" in request.url) as again:
        page.evaluate(HIDE, False)
    assert "after=" in again.value.url
    draws(page, [3, 2, 1])


def test_many_tabs_that_train_leave_room_for_another(browser: Browser, service: Running) -> None:
    """HTTP/1.1 gives a host six connections, and each tab that listened kept one."""
    made = [Elsewhere(service).id for _ in range(7)]
    with browser.new_context(base_url=str(service.http.base_url)) as context:
        for one in made:
            page = context.new_page()
            page.goto(f"/#/experiments/{one}/curves")
            expect(page.get_by_label("Metric")).to_be_visible(timeout=10_000)
            page.evaluate(HIDE, True)


def test_what_somebody_else_has_edited_is_in_the_fields(page: Page, service: Running) -> None:
    made = Elsewhere(service)
    made.finish(made.runs[0], outcome="completed")
    page.goto(f"/#/experiments/{made.id}")
    edit = page.get_by_role("button", name="Edit")
    expect(edit).to_be_visible()
    page.evaluate(HIDE, True)  # so that it does not ask by itself meanwhile
    theirs = {"tags": ["theirs"], "notes": "written elsewhere"}
    service.http.patch(f"/experiments/{made.id}", json=theirs).raise_for_status()
    edit.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("mine")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    found = service.get(f"/experiments/{made.id}")
    assert {name: found[name] for name in ("name", *theirs)} == {"name": "mine", **theirs}


def test_what_was_typed_and_chosen_outlives_an_outage(page: Page, service: Running) -> None:
    made = service.post(spec(epochs=1, seeds=1))
    service.ended(made)
    others = [page.context.new_page() for _ in range(2)]
    page.goto("/#/datasets")
    page.get_by_text("Name, and how to read it").click()
    page.get_by_label("Target column").fill("y")
    others[0].goto("/#/experiments")
    others[0].get_by_role("checkbox").first.check()
    others[1].goto(f"/#/experiments/{made}")
    metric, arm = others[1].get_by_label("Metric"), others[1].get_by_role("group", name="Arms").get_by_role("checkbox")
    metric.select_option("train_loss")
    arm.first.uncheck()
    tabs = [page, *others]
    page.context.set_offline(True)
    for one in tabs:
        expect(one.locator("#told")).to_contain_text("The service does not answer", timeout=20_000)
    page.context.set_offline(False)
    for one in tabs:
        expect(one.locator("#told")).to_contain_text("The service answers again", timeout=20_000)
        one.wait_for_load_state("networkidle")
    expect(page.get_by_label("Target column")).to_have_value("y")
    expect(others[0].get_by_role("checkbox").first).to_be_checked()
    expect(metric).to_have_value("train_loss")
    expect(arm.first).not_to_be_checked()


def test_a_panel_that_could_not_be_asked_for_comes_once_the_service_is_back(page: Page, service: Running) -> None:
    made = service.post(spec(epochs=1, seeds=1))
    service.ended(made)
    page.goto(f"/#/experiments/{made}")
    expect(page.get_by_label("Metric")).to_be_visible()
    page.context.set_offline(True)
    page.get_by_role("tab", name="History").click()
    expect(page.get_by_role("tabpanel").get_by_role("alert")).to_contain_text("does not answer")
    expect(page.locator("#told")).to_contain_text("The service does not answer. What", timeout=20_000)
    page.context.set_offline(False)
    expect(page.get_by_role("region", name="What happened to it")).to_be_visible(timeout=20_000)


def test_a_service_that_is_frozen_is_noticed(page: Page, service: Running) -> None:
    page.goto("/#/workers")
    expect(page.locator("h1")).to_be_visible()
    [api, *_] = service.processes("api")
    os.kill(api.pid, signal.SIGSTOP)
    try:
        expect(page.locator("#told")).to_contain_text("The service does not answer", timeout=25_000)
    finally:
        os.kill(api.pid, signal.SIGCONT)
    expect(page.locator("#told")).to_contain_text(re.compile("answers again"), timeout=20_000)
