"""What the page makes of a spec: one that can be posted again, the axes that it has, the metrics that are to come."""

import json
import re

import pytest
import yaml
from playwright.sync_api import Page, expect

from tests.service.running import Running, spec, until

pytestmark = pytest.mark.service


def test_a_spec_of_a_study_is_posted_again(page: Page, service: Running) -> None:
    """The study has written the alpha that the stored spec has, and gives the next experiment another."""
    arms = [{"label": "zeros", "initializer": "zeros"}, {"label": "he", "initializer": "he_normal"}]
    asked = {"arms": arms, "baseline": "zeros", "study": "posted-again"}
    made = service.post(spec(epochs=1, seeds=2) | asked)
    service.ended(made)
    assert "alpha" in service.get(f"/experiments/{made}")["spec"]
    page.goto(f"/#/experiments/{made}/spec")
    shown, how = page.get_by_role("tabpanel").locator("pre"), page.get_by_role("tabpanel").get_by_label("As")
    service.post(json.loads(shown.inner_text()))
    how.select_option("YAML")
    service.post(yaml.safe_load(shown.inner_text()))
    for program in ("curl", "Python"):
        how.select_option(program)
        expect(shown).to_contain_text("posted-again")
        assert "alpha" not in shown.inner_text()
    page.get_by_role("button", name="Clone").click()
    page.get_by_role("button", name="Post it").click()
    page.wait_for_url(re.compile(f"#/experiments/(?!{made}$)[0-9]+"))


def test_what_is_trained_elsewhere_has_the_axes_and_the_progress_that_are_known(page: Page, service: Running) -> None:
    metrics = [{"name": "accuracy", "direction": "max", "per": "epoch"}, {"name": "loss", "per": "step"}]
    arms = [{"label": "a"}, {"label": "b"}]
    made = service.post({"kind": "external", "arms": arms, "seeds": 2, "metrics": metrics})
    for run in service.get(f"/experiments/{made}/runs")["items"]:
        points = {"accuracy": {"first": 0, "values": [0.1, 0.2]}, "loss": {"first": 0, "values": [3, 2, 1]}}
        service.http.post(f"/runs/{run['id']}/points", json={"points": points}).raise_for_status()
    page.goto(f"/#/experiments/{made}/curves")
    expect(page.get_by_text("0 of 4 runs have ended · 12 updates")).to_be_visible()
    expect(page.get_by_text("12 of 12")).to_be_hidden()
    expect(page.get_by_role("progressbar", name="0 % done")).to_be_visible()
    axis = page.get_by_label("Axis").locator("option")
    for metric, unit in (("accuracy", "epoch"), ("loss", "update")):
        page.get_by_label("Metric").select_option(metric)
        expect(page.get_by_role("img", name=re.compile(f"{metric} of every arm"))).to_be_visible()
        expect(axis).to_have_text([unit])
    known = {"kind": "external", "arms": arms, "seeds": 1, "metrics": metrics, "steps_per_epoch": 15, "steps": 30}
    page.goto(f"/#/experiments/{service.post(known)}/curves")
    expect(page.get_by_text("0 of 60 updates")).to_be_visible()
    expect(axis).to_have_text(["update", "epoch"])


def test_side_by_side_offers_the_metrics_that_are_to_come(page: Page, service: Running) -> None:
    ended, live = service.post(spec(epochs=1, seeds=1)), service.post(spec(epochs=40_000, seeds=1))
    service.ended(ended)
    until(lambda: service.get(f"/experiments/{live}")["progress"]["steps_done"])
    page.goto(f"/#/compare/{ended},{live}")
    expect(page.get_by_label("Metric")).to_have_value("valid_accuracy")
    service.http.post(f"/experiments/{live}/cancel").raise_for_status()
    service.ended(live)
