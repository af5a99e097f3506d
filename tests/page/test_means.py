"""Means and bands of the page's charts are those of all points, however many of them the page has."""

from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page
from scipy import stats

from tests.service.running import Running, until

pytestmark = pytest.mark.service

DRAWN = """async () => {
    const Bokeh = await (await import("/page/chart.js")).library();
    const sources = Object.values(Bokeh.index).flatMap((view) => [...view.model.references()])
        .filter((model) => model.data instanceof Map ? model.data.has("mean") : model.data && "mean" in model.data);
    const names = ["x", "mean", "low", "high"];
    return sources.map(({ data }) => Object.fromEntries(names.map((name) => [name, [...data[name]]])));
}"""
BAND = """async ([lines, most]) => {
    const { band, meant } = await import("/page/statistics.js");
    return band(lines.map(meant), most);
}"""


@pytest.fixture(scope="module")
def noisy(service: Running) -> int:
    """An experiment with 6,000 noisy losses a run, the runs of one arm shorter than those of the other."""
    arms = [{"label": arm} for arm in ("long", "short")]
    metric = {"name": "loss", "direction": "min", "per": "step"}
    made = service.post({"kind": "external", "arms": arms, "seeds": 3, "metrics": [metric]})
    for run in service.get(f"/experiments/{made}/runs")["items"]:
        draw = np.random.default_rng(run["id"])
        n = {"long": 6_000, "short": 4_100}[run["arm"]] - 100 * run["seed"]
        values = draw.exponential(0.3 + run["seed"] / 10, n) + 3 / np.sqrt(1 + np.arange(n))
        body = {"points": {"loss": {"first": 0, "values": values.tolist()}}}
        service.http.post(f"/runs/{run['id']}/points", json=body).raise_for_status()
    return made


def expected(service: Running, experiment: int) -> list[dict[str, Any]]:
    """The mean and the ends of its interval of every arm, from all points: of parts of 16 steps."""
    series = service.get(f"/experiments/{experiment}/metrics", metric="loss")["series"]
    found = []
    for arm in ("long", "short"):
        lines = [np.array(one["values"]) for one in series if one["arm"] == arm]
        rows: list[tuple[float, ...]] = []
        width = 16
        for start in range(0, max(map(len, lines)), width):
            parts = [line[start : start + width] for line in lines if len(line) > start]
            means = np.array([part.mean() for part in parts])
            n = len(means)
            half = stats.t.ppf(0.975, n - 1) * means.std(ddof=1) / np.sqrt(n) if n > 1 else 0.0
            x = np.mean([start + (len(part) - 1) / 2 for part in parts])
            mean = float(means.mean())
            rows.append((float(x), mean, mean - half, mean + half))
        found.append(dict(zip(("x", "mean", "low", "high"), np.array(rows).T.tolist(), strict=True)))
    return found


def agrees(page: Page, address: str, service: Running, experiment: int) -> None:
    """See that the chart of an address comes to draw means and intervals within 0.1 % of those of all points.

    Exact but for the t of the page, which has four digits.
    """
    wanted = expected(service, experiment)
    page.goto("about:blank")
    page.goto(address)
    page.get_by_label("Metric").wait_for()

    def close() -> bool:
        found = page.evaluate(DRAWN)
        return len(found) == len(wanted) and all(
            len(one[name]) == len(other[name]) and np.allclose(one[name], other[name], rtol=1e-3, atol=1e-3)
            for one, other in zip(found, wanted, strict=True)
            for name in other
        )

    until(close, 30)


def test_mean_and_interval_are_those_of_all_points_live_and_after_the_end_and_compared(
    page: Page, service: Running, noisy: int
) -> None:
    agrees(page, f"/#/experiments/{noisy}/curves", service, noisy)
    for run in service.get(f"/experiments/{noisy}/runs")["items"]:
        service.http.post(f"/runs/{run['id']}/finish", json={"outcome": "completed"}).raise_for_status()
    service.ended(noisy)
    agrees(page, f"/#/experiments/{noisy}/curves", service, noisy)
    agrees(page, f"/#/compare/{noisy}", service, noisy)


def line(steps: Any, values: Any) -> dict[str, Any]:
    return {"steps": [int(step) for step in steps], "values": [None if v is None else float(v) for v in values]}


def test_lines_that_have_their_points_at_different_steps_have_a_mean_of_both(page: Page) -> None:
    page.goto("/#/experiments")
    lines = [line(range(0, 400, 10), [0] * 40), line(range(5, 400, 10), [1] * 40)]
    found = page.evaluate(BAND, [lines, 400])
    assert found["mean"] == [0.5] * len(found["mean"])
    assert len(found["mean"]) > 20
    assert found["half"] == [pytest.approx(6.353)] * len(found["mean"])


def test_a_gap_of_one_line_is_left_out_and_the_end_of_one_is_not(page: Page) -> None:
    page.goto("/#/experiments")
    gap = [None if 20 <= step < 30 else 0 for step in range(50)]
    found = page.evaluate(BAND, [[line(range(50), gap), line(range(80), [2] * 80)], 400])
    assert found["x"] == [step for step in range(80) if not 20 <= step < 30]
    assert found["mean"] == [1] * 40 + [2] * 30
