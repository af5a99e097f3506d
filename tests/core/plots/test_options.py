"""What of an experiment is drawn, and on which axis."""

from typing import Any

import numpy as np
import pytest

from core.errors import InvalidSpec
from core.plots import plot_data, plots
from core.results import Results
from tests.core.plots.conftest import MakeResults, arms
from tests.core.plots.kinds import KINDS, series
from tests.core.plots.looking import assert_drawn


def data_of(name: Any, results: Results, **options: Any) -> dict[str, Any]:
    return plot_data(plots.parse(name).build().data, results, **options)


@pytest.fixture
def three(experiment: MakeResults) -> Results:
    finals = {0: 0.90, 1: 0.95, 2: 0.10}
    return experiment(
        arms("a", "b", "c"),
        {
            "valid_accuracy": lambda a, s: [0.1, finals[a] + s / 100 * (a + 1)],
            "train_accuracy": lambda *_: [0.1, 0.99],
            "train_loss": lambda a, _s: 2.0 - (a + 1) * np.arange(10) / 10,
            "lr": lambda *_: [0.1] * 10,
        },
        seeds=3,
    )


@pytest.mark.parametrize("name", list(plots))
def test_only_the_arms_asked_for_are_drawn(three: Results, name: str) -> None:
    data = data_of(name, three, arms=["c", "a"])

    text = repr({key: value for key, value in data.items() if key != "caption" and "reference" not in key})
    assert "'b'" not in text
    assert "N = 2 arms x 3 seeds = 6 runs: 6 finished, 0 diverged. Asked for: 2 of 3 arms." in data["caption"]


def test_a_comparison_is_one_among_all_whichever_are_looked_at(three: Results) -> None:
    whole, part = data_of("comparison", three), data_of("comparison", three, arms=["c", "a"])

    assert part["rows"] == [row for row in whole["rows"] if row["label"] != "b"]
    assert part["reference"] == "b"
    assert "All 3 arms are compared." in part["caption"]
    every = {row["label"]: row for row in data_of("forest", three)["rows"]}
    assert set(every) == {"a less b", "c less b", "c less a"}
    assert data_of("forest", three, arms=["c"])["rows"] == [every["c less b"] | {"label": "c", "shown": "c"}]


def test_a_baseline_that_is_not_drawn_stays_what_is_compared_with(experiment: MakeResults) -> None:
    results = experiment(arms("a", "b", "c"), series(5, 2), baseline="a")

    data = data_of("comparison", results, arms=["b", "c"])

    assert data["reference"] == "a"
    assert [row["label"] for row in data["rows"]] == ["c", "b"]


def test_an_arm_keeps_its_epochs_where_they_are(experiment: MakeResults) -> None:
    """What is known is the first arm's number of updates in an epoch; another arm's batch is larger."""
    results = experiment(
        [{"label": "a", "batch_size": 100}, {"label": "b", "batch_size": 250}],
        {"train_loss": lambda *_: np.ones(3), "valid_loss": lambda *_: [1.0]},
        statuses={(a, s): "running" for a in (0, 1) for s in (0, 1)},
    )

    whole, part = (data_of("loss", results, **asked)["panels"][1]["lines"] for asked in ({}, {"arms": ["b"]}))

    assert [line["x"] for line in whole] == [[4], [1]]
    assert [line["x"] for line in part] == [[1]]


def test_an_unknown_arm_is_refused_with_those_that_are_known(three: Results) -> None:
    with pytest.raises(InvalidSpec) as refused:
        data_of("loss", three, arms=["a", "zz"])

    [problem] = refused.value.problems
    assert (problem.path, problem.known) == ("arm", ("a", "b", "c"))


def test_an_axis_is_logarithmic_or_not_as_asked(three: Results) -> None:
    log, linear = (data_of("loss", three, log=log)["panels"] for log in (True, False))

    assert [panel["y"]["scale"] for panel in log] == ["log", "log"]
    low, high = log[0]["y"]["limits"]
    assert 0.15 < low < 0.2  # the smallest above zero; arm c goes on below
    assert high > 2.0
    assert [panel["y"]["scale"] for panel in linear] == ["linear", "linear"]


def test_a_logarithmic_axis_that_the_picture_chose_becomes_linear(experiment: MakeResults) -> None:
    results = experiment(arms("a"), {"train_loss": lambda *_: [1000.0, 1.0]})

    assert data_of("loss", results)["panels"][0]["y"]["scale"] == "log"
    y = data_of("loss", results, log=False)["panels"][0]["y"]
    assert y["scale"] == "linear"
    assert y["limits"][0] <= 0
    assert y["limits"][1] >= 1000


def test_what_no_logarithm_has_is_said_to_be_below(three: Results) -> None:
    assert "Values below 0.2 lie below the picture." in data_of("loss", three, log=True)["caption"]


def test_an_axis_of_nothing_above_zero_stays_linear(experiment: MakeResults) -> None:
    data = data_of("loss", experiment(arms("a"), {"train_loss": lambda *_: [0.0, -1.0]}), log=True)

    assert data["panels"][0]["y"]["scale"] == "linear"
    assert "Nothing here is above zero" in data["caption"]


@pytest.mark.parametrize("name", ["weights", "forest", "heatmap"])
def test_a_picture_without_such_an_axis_refuses(three: Results, name: str) -> None:
    with pytest.raises(InvalidSpec) as refused:
        data_of(name, three, log=True)

    assert [problem.path for problem in refused.value.problems] == ["log"]


@pytest.mark.slow
@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize(
    ("name", "kind"),
    [("loss", "all runs diverged at once"), ("stability", "nothing measured"), ("comparison", "huge losses")],
)
def test_experiments_of_any_kind_are_drawn_on_either_axis(
    experiment: MakeResults, name: str, kind: str, log: bool
) -> None:
    plot = plots.parse(name).build()

    assert_drawn(plot.draw(plot_data(plot.data, KINDS[kind](experiment), log=log)))


def test_the_loss_shows_the_first_hundred_updates_unless_told(experiment: MakeResults) -> None:
    results = experiment(
        arms("a"), {"train_loss": lambda *_: np.arange(1.0, 251.0), "valid_loss": lambda *_: [1.0, 2.0]}
    )

    default, ten, everything = (
        data_of({"name": "loss"} | first, results) for first in ({}, {"first": 10}, {"first": "all"})
    )

    assert default["panels"][0]["lines"][0]["y"] == np.arange(1.0, 101.0).tolist()
    assert "Training: the first 100 of 250 updates." in default["caption"]
    assert ten["panels"][0]["lines"][0]["x"] == list(range(10))
    assert everything["panels"][0]["lines"][0]["x"][-1] > 240
    assert "the first" not in everything["caption"]
    assert [data["panels"][1]["lines"][0]["y"] for data in (default, ten, everything)] == [[1.0, 2.0]] * 3


def test_a_run_that_diverges_later_has_no_mark_at_the_cut(experiment: MakeResults) -> None:
    results = experiment(
        arms("a"),
        {"train_loss": lambda _a, s: np.r_[np.ones(20), np.nan] if s == 0 else np.ones(30)},
        outcomes={(0, 0): "diverged"},
    )

    early, late = (data_of({"name": "loss", "first": n}, results) for n in (10, 25))

    assert [line.get("goes_on") for line in early["panels"][0]["lines"]] == [False, True]
    assert "one that diverged later" in early["caption"]
    assert [line.get("goes_on") for line in late["panels"][0]["lines"]] == [False, False]
    assert "X where it did" in late["caption"]
