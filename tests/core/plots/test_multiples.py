"""Small multiples and grids, against numbers worked out by hand, by numpy and by scipy."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.plots import plots
from core.results import Results
from tests.core.plots.conftest import MakeResults, arms


def data_of(name: str, results: Results) -> dict[str, Any]:
    data: dict[str, Any] = plots.parse(name).build().data(results)
    return data


def test_stability_has_every_seed_of_each_arm(experiment: MakeResults) -> None:
    def values(a: int, s: int) -> list[float]:
        return [0.1 * a, 0.2 * s, 0.3]

    results = experiment(arms("a", "b"), {"valid_accuracy": values}, seeds=3, epochs=3)

    a, b = data_of("stability", results)["panels"]

    assert [panel["title"] for panel in (a, b)] == ["a", "b"]
    seeds = [line for line in b["lines"] if line["role"] == "seed"]
    assert [(line["seed"], line["y"]) for line in seeds] == [(s, values(1, s)) for s in range(3)]
    [mean] = [line for line in b["lines"] if line["role"] == "mean"]
    assert mean["y"] == pytest.approx([0.1, 0.2, 0.3])
    assert a["y"] == b["y"]
    assert a["x"] == b["x"]


def test_a_diverged_run_is_among_the_seeds_and_in_no_mean(experiment: MakeResults) -> None:
    results = experiment(
        arms("a"),
        {"valid_accuracy": lambda _a, s: [0.5, np.nan] if s == 0 else [0.6, 0.8]},
        outcomes={(0, 0): "diverged"},
        seeds=3,
    )

    [panel] = data_of("stability", results)["panels"]

    roles = {line["role"]: line for line in panel["lines"]}
    assert (roles["diverged"]["x"], roles["diverged"]["y"]) == ([1], [0.5])  # one epoch done
    assert (roles["mean"]["n"], roles["mean"]["y"]) == (2, [0.6, 0.8])
    assert "N = 3" in panel["note"]
    assert "1 diverged of 3" in panel["note"]


def test_very_many_seeds_are_cut_and_it_is_said(experiment: MakeResults) -> None:
    results = experiment(arms("a"), {"valid_accuracy": lambda *_: np.linspace(0, 1, 500)}, seeds=130, epochs=500)

    data = data_of("stability", results)

    seeds = [line for line in data["panels"][0]["lines"] if line["role"] == "seed"]
    assert len(seeds) == 100
    assert sum(len(line["x"]) for line in seeds) <= 40_000
    assert "Not drawn: 30 runs" in data["caption"]


def test_generalization_has_both_splits_and_the_gap_that_is_left(experiment: MakeResults) -> None:
    train, valid = np.array([0.95, 0.97, 0.99]), np.array([0.90, 0.93, 0.91])
    results = experiment(
        arms("a", "b"),
        {"train_accuracy": lambda _a, s: [0.5, train[s]], "valid_accuracy": lambda _a, s: [0.4, valid[s]]},
        seeds=3,
    )

    panel, _ = data_of("generalization", results)["panels"]

    lines = {line["role"]: line for line in panel["lines"]}
    assert lines["train"]["y"] == pytest.approx([0.5, train.mean()])
    assert lines["valid"]["y"] == pytest.approx([0.4, valid.mean()])
    gap = 100 * (train - valid)
    low, high = stats.t.interval(0.95, 2, loc=gap.mean(), scale=stats.sem(gap))
    assert panel["note"] == f"gap {gap.mean():.1f} ({low:.1f} to {high:.1f}), N = 3".replace("-", "−")


def test_a_grid_of_two_has_a_cell_for_each_pair(experiment: MakeResults) -> None:
    grid = {"initializer": ["zeros", {"name": "uniform", "low": -1.0, "high": 1.0}], "batch_size": [10, 20, 40]}
    finals = np.arange(18).reshape(6, 3) / 20
    results = experiment(
        None,
        {"valid_accuracy": lambda a, s: [finals[a, s]]},
        outcomes={(5, s): "diverged" for s in range(3)} | {(4, 0): "diverged"},
        seeds=3,
        grid=grid,
    )

    data = data_of("heatmap", results)

    assert data["rows"] == {"field": "initializer", "levels": ["zeros", "uniform(low=-1.0)"]}
    assert data["columns"] == {"field": "batch_size", "levels": ["10", "20", "40"]}
    [panel] = data["panels"]
    cells = {(cell["row"], cell["column"]): cell for cell in panel["cells"]}
    assert {at: cell["n"] for at, cell in cells.items()} == {
        (0, 0): 3,
        (0, 1): 3,
        (0, 2): 3,
        (1, 0): 3,
        (1, 1): 2,
        (1, 2): 0,
    }
    assert cells[0, 2]["mean"] == pytest.approx(finals[2].mean())
    assert cells[1, 1]["mean"] == pytest.approx(finals[4, 1:].mean())
    assert (cells[1, 2]["mean"], cells[1, 2]["note"]) == (None, "3 diverged of 3")
    assert data["limits"] == pytest.approx([finals[0].mean(), finals[4, 1:].mean()])


def test_the_third_field_of_a_grid_makes_panels(experiment: MakeResults) -> None:
    grid = {"batch_size": [10, 20], "optimizer.lr": [0.1, 0.01], "schedule": ["constant", "cosine", "linear_decay"]}
    results = experiment(None, {"valid_accuracy": lambda a, _s: [a / 12]}, grid=grid)

    panels = data_of("heatmap", results)["panels"]

    assert [panel["title"] for panel in panels] == [
        "schedule = constant", "schedule = cosine", "schedule = linear_decay"
    ]  # fmt: skip
    assert [[cell["mean"] for cell in panel["cells"]] for panel in panels] == [
        pytest.approx([a / 12 for a in (i, i + 3, i + 6, i + 9)]) for i in range(3)
    ]


def test_without_a_grid_the_picture_says_so(experiment: MakeResults) -> None:
    plot = plots.parse("heatmap").build()
    data = plot.data(experiment(arms("a", "b"), {"valid_accuracy": lambda *_: [0.5]}))

    assert "no grid" in data["empty"]
    texts = [text.get_text().replace("\n", " ") for axes in plot.draw(data).axes for text in axes.texts]
    assert data["empty"] in texts


def test_a_forest_has_the_report_s_comparisons(experiment: MakeResults) -> None:
    finals = np.array([[0.90, 0.91, 0.89], [0.95, 0.97, 0.96], [0.10, 0.10, 0.10]])
    results = experiment(arms("a", "b", "c"), {"valid_accuracy": lambda a, s: [finals[a, s]]}, seeds=3, baseline="a")

    data = data_of("forest", results)

    d = 100 * (finals[1] - finals[0])
    low, high = stats.t.interval(0.95, 2, loc=d.mean(), scale=stats.sem(d))
    together = stats.t.interval(1 - 0.05 / 2, 2, loc=d.mean(), scale=stats.sem(d))  # of two comparisons
    row = data["rows"][0]
    assert (data["reference"], row["label"], row["n"]) == ("a", "b", 3)
    assert (row["mean"], row["alone_low"], row["alone_high"]) == pytest.approx((d.mean(), low, high))
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(together)
    p = [stats.ttest_1samp(finals[i] - finals[0], 0).pvalue for i in (1, 2)]
    holm = sorted(p)
    assert row["p_adjusted"] == pytest.approx(min(1, 2 * p[0]) if p[0] == holm[0] else max(2 * holm[0], holm[1]))


def test_a_forest_has_the_margin_as_a_band(experiment: MakeResults) -> None:
    finals = np.array([[0.90, 0.91, 0.89, 0.9], [0.901, 0.91, 0.89, 0.901], [0.10, 0.11, 0.12, 0.1]])
    final = {"valid_accuracy": lambda a, s: [finals[a, s]]}
    data = data_of("forest", experiment(arms("a", "b", "c"), final, seeds=4, baseline="a", margin=0.01))

    assert data["margin"] == pytest.approx(1.0)  # percentage points
    assert [(row["label"], row["decision"]) for row in data["rows"]] == [("b", "equivalent"), ("c", "worse")]
    [axes] = plots.parse("forest").build().draw(data).axes
    assert [round(float(patch.get_width()), 9) for patch in axes.patches] == [2.0]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"arms": arms("a")}, "There is one arm"),
        ({"arms": arms("a", "b"), "statuses": {(a, s): "queued" for a in (0, 1) for s in (0, 1)}}, "Nothing can be"),
    ],
)
def test_a_forest_of_nothing_says_why(experiment: MakeResults, given: Any, said: str) -> None:
    data = data_of("forest", experiment(series={}, **given))

    assert (data["rows"], data["empty"][: len(said)]) == ([], said)
