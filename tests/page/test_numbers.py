"""The numbers of the page: in the units that the report has, at the updates at which they were measured."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.service.running import Running, spec, until

pytestmark = pytest.mark.service

ACCURACY = {"name": "valid_accuracy", "direction": "max", "per": "epoch"}
FACTS = """async (id) => {
    const asked = async (path) => (await fetch(path)).json();
    const [{ facts }, one, { items }] = await Promise.all([
        import("/page/curves.js"), asked(`/experiments/${id}`), asked(`/experiments/${id}/runs?limit=100`)]);
    return facts(one, items);
}"""


def elsewhere(service: Running, **values: list[float]) -> int:
    """An external experiment that has ended: the accuracies of its arms, one a seed."""
    seeds = len(next(iter(values.values())))
    asked = {"kind": "external", "arms": [{"label": arm} for arm in values], "seeds": seeds, "metrics": [ACCURACY]}
    made = service.post(asked)
    for run in service.get(f"/experiments/{made}/runs")["items"]:
        last = values[run["arm"]][run["seed"]]
        body = {"points": {"valid_accuracy": {"first": 0, "values": [last / 2, last]}}}
        service.http.post(f"/runs/{run['id']}/points", json=body).raise_for_status()
        service.http.post(f"/runs/{run['id']}/finish", json={"outcome": "completed"}).raise_for_status()
    service.ended(made)
    return made


def facts(page: Page, experiment: int) -> list[dict[str, Any]]:
    """What the axes of an experiment's curves are made of, arm by arm."""
    page.goto("/#/experiments")
    found: list[dict[str, Any]] = page.evaluate(FACTS, experiment)
    return found


def test_an_accuracy_in_percent_stays_one_and_its_differences_too(page: Page, service: Running) -> None:
    made = elsewhere(service, A=[91.2, 91.3, 91.1, 91.2], B=[90.5, 90.6, 90.5, 90.4])
    page.goto(f"/#/experiments/{made}/verdict")
    row = page.get_by_role("region", name="Pairs of arms").get_by_role("row").nth(1).get_by_role("cell")
    expect(row.nth(2)).to_have_text("0.7")
    assert "point" not in page.get_by_role("region", name="Pairs of arms").inner_text()
    page.goto(f"/#/experiments/{made}/runs")
    expect(page.get_by_role("cell", name="91.2", exact=True).first).to_be_visible()


def test_a_share_is_in_percent_however_wide_its_interval_is(page: Page, service: Running) -> None:
    made = elsewhere(service, A=[0.99, 0.2], B=[0.1, 0.9])
    page.goto(f"/#/experiments/{made}/verdict")
    ends = page.get_by_role("region", name="Arms by").get_by_role("row").nth(1).get_by_role("cell").nth(3)
    expect(ends).to_contain_text("%")
    low, high = ends.inner_text().split(" to ")
    assert (low[-1], high[-1]) == ("%", "%")
    assert float(high.split()[0]) > 100, "the interval of two runs is wider than what there can be"
    pair = page.get_by_role("region", name="Pairs of arms").get_by_role("row").nth(1).get_by_role("cell")
    assert [end.endswith("points") for end in pair.nth(4).inner_text().split(" to ")] == [True, True]


def test_an_epoch_has_the_updates_of_its_arm(page: Page, service: Running) -> None:
    grid = service.post(spec(epochs=3) | {"arms": None, "grid": {"epochs": [1, 4], "batch_size": [100, 50]}})
    asked = {key: value for key, value in spec().items() if key != "epochs"}
    ranged = service.post(asked | {"kind": "lr_range_test", "lr_range": {"steps": 40}})
    for made in (grid, ranged):
        service.ended(made)
        last = {run["arm"]: run["steps_done"] for run in service.get(f"/experiments/{made}/runs")["items"]}
        shown = service.get(f"/experiments/{made}/metrics", metric="valid_accuracy")["series"]
        epochs = {one["arm"]: len(one["steps"]) for one in shown}
        for arm in facts(page, made):
            if made == grid:
                assert arm["stepsPerEpoch"] * epochs[arm["label"]] == last[arm["label"]]
            else:
                assert arm["stepsPerEpoch"] == 15


def test_a_diverged_run_has_the_speed_of_those_it_was_trained_with(page: Page, service: Running) -> None:
    arms = [{"label": "wild", "optimizer.lr": 1e12}, {"label": "tame", "optimizer.lr": 0.1}]
    linear = {"model": {"name": "mlp", "hidden": [8], "activation": "linear"}, "optimizer": {"name": "sgd"}}
    made = service.post(spec(epochs=20, seeds=1) | linear | {"arms": arms, "layout": "vmap"})
    service.ended(made)
    runs = {run["arm"]: run for run in service.get(f"/experiments/{made}/runs")["items"]}
    assert runs["wild"]["outcome"] == "diverged"
    assert runs["wild"]["steps_done"] < runs["tame"]["steps_done"]
    found = {arm["label"]: arm["secondsPerStep"] for arm in facts(page, made)}
    assert found["wild"] == found["tame"] > 0


def test_a_band_on_a_logarithmic_axis_is_made_on_it(page: Page) -> None:
    """m·exp(±h/m), as the picture of the loss has it: two lines that are far apart do not draw it to the floor."""
    page.goto("/#/experiments")
    half, mean = page.evaluate(
        """async () => {
            const { band } = await import("/page/statistics.js");
            const { half, mean } = band([[[0, 1], [1, 2], [1, 1]], [[0, 1], [3, 2], [1, 1]]], 10);
            return [half, mean];
        }"""
    )
    assert mean == [2, 2]
    assert half == [pytest.approx(12.706), 0]


def test_tabs_and_curves_of_a_training_come_up_to_date_by_themselves(page: Page, service: Running) -> None:
    """The verdict is that of the end, the axis of seconds is offered, and another metric keeps the axes."""
    made = service.post(spec(epochs=800) | {"name": "watched"})
    until(lambda: service.get(f"/experiments/{made}")["progress"]["steps_done"])
    page.goto(f"/#/experiments/{made}/curves")
    metric = page.get_by_label("Metric")
    expect(metric).to_have_value("valid_accuracy")
    page.get_by_label("Scale →").select_option("log")
    metric.select_option("valid_loss")
    expect(page.get_by_label("Scale →")).to_have_value("log")
    assert page.get_by_label("Axis").locator("option").all_inner_texts() == ["update", "epoch", "examples"]
    other = page.context.new_page()
    other.goto(f"/#/experiments/{made}/verdict")
    expect(other.locator(".panel .verdict")).to_be_visible()
    service.ended(made)
    expect(page.get_by_label("Axis").locator("option").last).to_have_text("seconds", timeout=20_000)
    expect(page.get_by_label("Scale →")).to_have_value("log")
    expect(other.locator(".panel .verdict")).to_contain_text("has the best mean", timeout=20_000)
    expect(other.get_by_role("img", name="The picture comparison").first).to_have_attribute(
        "src", re.compile("^blob:"), timeout=20_000
    )
