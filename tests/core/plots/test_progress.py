"""Axes of how far a training has come, and bands on logarithmic axes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.errors import InvalidSpec
from core.plots import plot_data, plots
from core.results import Results
from tests.core.plots.conftest import MakeResults

BATCHES = [{"label": "a", "batch_size": 100}, {"label": "b", "batch_size": 250}]


def two_batches(make: MakeResults) -> Results:
    """Arms of five and of two updates an epoch."""
    results = make(
        BATCHES,
        {"train_loss": lambda a, _s: np.ones(10 if a == 0 else 4), "valid_loss": lambda *_: [1.0, 1.0]},
        steps_per_epoch=5,
    )
    return replace(results, runs=[replace(run, seconds=2.0, steps_done=10) for run in results.runs])


def drawn(results: Results, log: bool | None = None, name: str = "loss", **options: Any) -> dict[str, Any]:
    return plot_data(plots.parse({"name": name} | options).build().data, results, [], log)


def ends(data: dict[str, Any]) -> list[list[float]]:
    return [[line["x"][-1] for line in panel["lines"]] for panel in data["panels"]]


@pytest.mark.parametrize(
    ("by", "training", "validation"),
    [
        ("updates", [9, 3], [9, 3]),
        ("epochs", [9 / 5, 3 / 2], [2, 2]),
        ("examples", [900, 750], [1000, 1000]),
        ("seconds", [1.8, 0.6], [2.0, 0.8]),
    ],
)
def test_the_loss_counts_what_it_is_asked_to(
    experiment: MakeResults, by: str, training: list[float], validation: list[float]
) -> None:
    data = drawn(two_batches(experiment), x=by)

    assert ends(data) == [pytest.approx(training), pytest.approx(validation)]
    assert by.rstrip("s") in data["panels"][0]["x"]["label"]
    assert data["panels"][1]["x"]["limits"][1] >= max(validation)


def test_what_is_not_known_of_an_arm_cannot_be_counted(experiment: MakeResults) -> None:
    results = experiment(BATCHES, {"train_loss": lambda *_: np.ones(3)})

    with pytest.raises(InvalidSpec) as refused:
        drawn(results, x="seconds")

    assert refused.value.problems[0].path == "x"


@pytest.mark.parametrize("name", ["accuracy", "stability", "generalization", "metrics"])
def test_what_was_measured_after_two_epochs_lies_at_two(experiment: MakeResults, name: str) -> None:
    measured = ("valid_accuracy", "train_accuracy", "valid_macro_f1")
    results = experiment([{"label": "a"}], {metric: lambda *_: [0.5, 0.6] for metric in measured})

    lines = [line for panel in drawn(results, name=name)["panels"] for line in panel["lines"]]

    assert lines
    assert {tuple(line["x"]) for line in lines} == {(1, 2)}


def test_a_band_on_a_logarithmic_axis_is_the_interval_of_the_logarithm(experiment: MakeResults) -> None:
    values = np.array([[10.0, 0.001], [1.0, 0.02], [4.0, 0.003]])
    results = experiment([{"label": "a"}], {"train_loss": lambda _a, s: values[s]}, seeds=3)

    log, linear = drawn(results), drawn(results, log=False)

    (line,), (plain,) = log["panels"][0]["lines"], linear["panels"][0]["lines"]
    mean, error = values.mean(axis=0), stats.sem(values)
    half = stats.t.ppf(0.975, 2) * error / mean
    assert log["panels"][0]["y"]["scale"] == "log"
    assert line["low"] == pytest.approx(mean * np.exp(-half))
    assert line["high"] == pytest.approx(mean * np.exp(half))
    assert "logarithm" in log["caption"]
    assert plain["high"] == pytest.approx(mean * (1 + half))
    assert "logarithm" not in linear["caption"]


def test_a_range_of_two_runs_stays_a_range(experiment: MakeResults) -> None:
    results = experiment([{"label": "a"}], {"train_loss": lambda _a, s: [100.0 + s, 0.01 + s]}, seeds=2)

    data = drawn(results)

    assert data["panels"][0]["y"]["scale"] == "log"
    (line,) = data["panels"][0]["lines"]
    assert (line["low"], line["high"]) == (
        [100.0, 0.01],
        [101.0, 1.01],
    )


@pytest.mark.parametrize(("by", "end"), [("updates", None), ("examples", 500), ("epochs", 1.0)])
def test_arms_are_cut_at_the_same_place(experiment: MakeResults, by: str, end: float | None) -> None:
    data = drawn(two_batches(experiment), x=by, first=2)

    a, b = (np.array(line["x"]) for line in data["panels"][0]["lines"])
    if end is None:
        assert (a.tolist(), b.tolist()) == ([0, 1], [0, 1])
        assert "Training: the first 2 of 10 updates." in data["caption"]
    else:  # two updates of 250 examples are as many as five of 100
        assert (len(a), len(b)) == (5, 2)
        assert max(a.max(), b.max()) < end
        assert f"up to {end:g} {by}" in data["caption"]
