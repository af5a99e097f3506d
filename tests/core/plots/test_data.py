"""What the pictures draw, against numbers worked out by hand or by numpy and scipy."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from core.plots import plots
from core.results import Results

MakeResults = Callable[..., Results]


def data_of(name: Any, results: Results) -> dict[str, Any]:
    data: dict[str, Any] = plots.parse(name).build().data(results)
    return data


def two(*settings: dict[str, Any]) -> list[dict[str, Any]]:
    given = settings or ({}, {})
    return [{"label": label, "initializer": "he_normal"} | more for label, more in zip("ab", given, strict=True)]


def test_a_loss_line_is_the_mean_and_its_band_the_interval(experiment: MakeResults) -> None:
    values = np.array([[2.0, 1.0], [2.4, 1.1], [2.2, 1.5]])
    results = experiment(two(), {"train_loss": lambda a, s: values[s] + a}, seeds=3, epochs=1, steps_per_epoch=2)

    line = data_of("loss", results)["panels"][0]["lines"][1]

    low, high = stats.t.interval(0.95, 2, loc=values.mean(axis=0) + 1, scale=stats.sem(values, axis=0))
    assert (line["arm"], line["role"], line["n"], line["x"]) == (1, "main", 3, [0, 1])
    assert line["y"] == pytest.approx((values.mean(axis=0) + 1).tolist())
    assert line["low"] == pytest.approx(np.where(low > 0, low, values.min(axis=0) + 1).tolist())
    assert line["high"] == pytest.approx(high.tolist())


def test_two_runs_have_their_range_and_one_has_no_band(experiment: MakeResults) -> None:
    series = {"train_loss": lambda _a, s: [1.0 + s, 3.0 - s]}

    pair = data_of("loss", experiment(two(), series, seeds=2))["panels"][0]["lines"][0]
    single = data_of("loss", experiment(two(), series, seeds=1))["panels"][0]["lines"][0]

    assert (pair["low"], pair["y"], pair["high"]) == ([1.0, 2.0], [1.5, 2.5], [2.0, 3.0])
    assert (single["low"], single["high"]) == (None, None)


def test_a_band_that_would_pass_zero_ends_at_the_lowest_run(experiment: MakeResults) -> None:
    results = experiment(two(), {"train_loss": lambda _a, s: [[1.0], [2.0], [90.0]][s]}, seeds=3)

    assert data_of("loss", results)["panels"][0]["lines"][0]["low"] == [1.0]


def test_validation_loss_stands_at_each_epoch_s_end_of_its_own_arm(experiment: MakeResults) -> None:
    whole = experiment(
        two({"batch_size": 100}, {"batch_size": 250}),
        {"train_loss": lambda a, _s: np.ones([10, 6][a]), "valid_loss": lambda *_: [1.0, 0.5]},
    )
    arms = [replace(arm, steps_per_epoch=n) for arm, n in zip(whole.design.arms, [5, 3], strict=True)]
    results = replace(whole, design=replace(whole.design, arms=arms))

    lines = data_of("loss", results)["panels"][1]["lines"]

    assert [line["x"] for line in lines] == [[4, 9], [2, 5]]


def test_epochs_of_unknown_length_are_placed_by_the_batch_size(experiment: MakeResults) -> None:
    running = {(a, s): "running" for a in (0, 1) for s in (0, 1)}
    results = experiment(
        two({"batch_size": 100}, {"batch_size": 250}),
        {"train_loss": lambda *_: np.ones(3), "valid_loss": lambda *_: [1.0]},
        statuses=running,
    )

    assert [line["x"] for line in data_of("loss", results)["panels"][1]["lines"]] == [[4], [1]]


def test_a_diverged_run_is_in_no_mean_and_ends_at_its_last_number(experiment: MakeResults) -> None:
    results = experiment(
        two(),
        {"train_loss": lambda a, s: [1.0, 50.0, np.nan] if (a, s) == (0, 1) else [1.0, 0.5, 0.25]},
        outcomes={(0, 1): "diverged"},
        seeds=3,
    )

    data = data_of("loss", results)
    diverged = [line for line in data["panels"][0]["lines"] if line["role"] == "diverged"]

    assert data["panels"][0]["lines"][0]["n"] == 2
    assert data["panels"][0]["lines"][0]["y"] == [1.0, 0.5, 0.25]
    assert [(line["arm"], line["seed"], line["x"], line["y"]) for line in diverged] == [(0, 1, [0, 1], [1.0, 50.0])]
    assert "6 finished, 1 of them diverged" in data["caption"]
    assert "X where it did" in data["caption"]
    assert data["arms"] == [{"label": "a", "note": "1 diverged of 3"}, {"label": "b", "note": ""}]
    assert data["panels"][0]["y"]["limits"][1] < 50  # it does not stretch the axis


def test_a_line_keeps_its_runs_while_others_are_behind(experiment: MakeResults) -> None:
    lengths = {0: 10, 1: 8, 2: 1}
    results = experiment(
        two(),
        {"train_loss": lambda _a, s: np.full(lengths[s], float(s))},
        statuses={(a, s): "running" for a in (0, 1) for s in range(3)},
        seeds=3,
    )

    line = data_of("loss", results)["panels"][0]["lines"][0]

    assert (line["n"], len(line["x"])) == (2, 8)
    assert line["y"] == [0.5] * 8


def test_a_run_that_stopped_early_keeps_its_last_value_by_epoch_and_ends_its_line_by_update(
    experiment: MakeResults,
) -> None:
    epochs = {0: [0.2, 0.5, 0.6, 0.7], 1: [0.4, 0.3]}
    results = experiment(
        two(),
        {
            "train_loss": lambda a, s: np.ones(5 * len(epochs[s if a == 0 else 0])),
            "valid_accuracy": lambda a, s: epochs[s if a == 0 else 0],
        },
        outcomes={(0, 1): "stopped_early"},
        epochs=4,
    )

    accuracy, loss = data_of("accuracy", results), data_of("loss", results)

    lines = accuracy["panels"][0]["lines"]
    assert lines[0]["y"] == pytest.approx([0.3, 0.4, 0.45, 0.5])  # from the third epoch on with 0.3
    assert lines[0]["n"] == 2
    assert lines[1]["y"] == epochs[0]
    assert [len(line["x"]) for line in loss["panels"][0]["lines"]] == [10, 20]
    said = "1 run stopped early: by epoch such a run keeps its last value"
    assert said in accuracy["caption"]
    assert "By update a line ends where the first run of its arm did." in loss["caption"]
    assert accuracy["arms"] == [{"label": "a", "note": "1 stopped early of 2"}, {"label": "b", "note": ""}]


def test_the_line_of_a_pruned_arm_ends_where_it_was_given_up(experiment: MakeResults) -> None:
    results = experiment(
        two(),
        {"valid_accuracy": lambda a, _s: [0.2, 0.5, 0.6, 0.7][: 4 - 3 * a]},
        outcomes={(1, 0): "pruned", (1, 1): "pruned"},
        epochs=4,
    )

    accuracy = data_of("accuracy", results)

    assert [line["x"] for line in accuracy["panels"][0]["lines"]] == [[1, 2, 3, 4], [1]]  # epochs done
    assert "2 runs pruned: the line of such an arm ends where it was given up." in accuracy["caption"]
    assert [arm["note"] for arm in accuracy["arms"]] == ["", "2 pruned of 2"]


def test_failed_runs_are_not_drawn(experiment: MakeResults) -> None:
    results = experiment(
        two(), {"train_loss": lambda _a, s: [1.0 + 9 * s]}, statuses={(0, 0): "running", (0, 1): "failed"}
    )

    assert data_of("loss", results)["panels"][0]["lines"][0]["y"] == [1.0]


def test_a_long_loss_is_averaged_over_hundredths_and_keeps_its_spikes_faintly(experiment: MakeResults) -> None:
    values = 1 + np.arange(20_000) / 20_000
    values[12_345] = 777.0
    results = experiment(two(), {"train_loss": lambda *_: values}, seeds=3)

    line = data_of({"name": "loss", "first": "all"}, results)["panels"][0]["lines"][0]

    assert line["y"] == pytest.approx(values.reshape(100, 200).mean(axis=1).tolist())
    assert line["x"][:2] == [99.5, 299.5]
    assert len(line["raw"]["x"]) <= 1_000
    assert 777.0 in line["raw"]["y"]
    assert line["raw"]["x"][line["raw"]["y"].index(777.0)] == 12_345


@pytest.mark.parametrize(
    ("top", "scale"), [(2.0, "linear"), (99.0, "linear"), (101.0, "log"), (1e5, "log"), (1e30, "log")]
)
def test_losses_over_two_decades_get_a_logarithmic_axis(experiment: MakeResults, top: float, scale: str) -> None:
    results = experiment(two(), {"train_loss": lambda a, _s: [top if a else 1.0, 1.0]})

    data = data_of("loss", results)
    y = data["panels"][0]["y"]

    assert y["scale"] == scale
    assert y["limits"][1] < 1e10
    assert ("above the picture" in data["caption"]) == (top == 1e30)


def test_a_loss_of_zero_does_not_open_the_logarithmic_axis(experiment: MakeResults) -> None:
    y = data_of("loss", experiment(two(), {"train_loss": lambda *_: [1e4, 1.0, 0.0]}))["panels"][0]["y"]

    assert y["scale"] == "log"
    assert 0.1 < y["limits"][0] < 1.0


def test_accuracy_has_both_splits_of_few_arms_and_validation_of_many(experiment: MakeResults) -> None:
    series = {"valid_accuracy": lambda _a, s: [0.5, 0.7 + 0.1 * s], "train_accuracy": lambda *_: [0.6, 0.9]}
    many = [{"label": str(i), "initializer": "zeros"} for i in range(8)]

    few = data_of("accuracy", experiment(two(), series))["panels"][0]["lines"]
    lots = data_of("accuracy", experiment(many, series))["panels"][0]["lines"]

    assert [(line["role"], line["arm"]) for line in few] == [("main", 0), ("main", 1), ("second", 0), ("second", 1)]
    assert few[0]["y"] == pytest.approx([0.5, 0.75])
    assert few[2]["y"] == [0.6, 0.9]
    assert {line["role"] for line in lots} == {"main"}


def test_of_very_many_arms_the_best_are_drawn_and_the_caption_says_so(experiment: MakeResults) -> None:
    labels = [{"label": str(i), "initializer": "zeros"} for i in range(30)]
    results = experiment(labels, {"valid_accuracy": lambda a, _s: [a / 30]})

    data = data_of("accuracy", results)

    assert [arm["label"] for arm in data["arms"]] == [str(i) for i in range(6, 30)]
    assert "24 best of 30 arms" in data["caption"]
    assert "N = 30 arms x 2 seeds = 60 runs" in data["caption"]


def test_arms_with_the_same_rates_share_a_line(experiment: MakeResults) -> None:
    cosine = [1.0, 0.75, 0.25, 0.0]
    labels = [{"label": name, "initializer": "zeros"} for name in ("a", "b", "c", "short")]
    results = experiment(
        labels,
        {"lr": lambda a, _s: cosine if a == 1 else [1.0] * (2 if a == 3 else 4)},
        outcomes={(3, 0): "diverged", (3, 1): "diverged"},
    )

    data = data_of("schedule", results)

    assert [arm["label"] for arm in data["arms"]] == ["a = c = short", "b"]
    assert [line["y"] for line in data["panels"][0]["lines"]] == [[1.0] * 4, cosine]
    assert "2 different schedules" in data["caption"]


def test_one_schedule_of_all_arms_is_said_so(experiment: MakeResults) -> None:
    data = data_of("schedule", experiment(two(), {"lr": lambda *_: [0.1, 0.1]}))

    assert [arm["label"] for arm in data["arms"]] == ["all 2 arms"]


@pytest.mark.parametrize(
    ("rates", "scale"),
    [
        (0.1 * 0.9 ** np.arange(100), "log"),
        (0.05 * (1 + np.cos(np.pi * np.arange(100) / 100)), "linear"),
        (np.linspace(0.0, 0.1, 100), "linear"),
    ],
)
def test_rates_that_decay_by_decades_get_a_logarithmic_axis(
    experiment: MakeResults, rates: np.ndarray, scale: str
) -> None:
    data = data_of("schedule", experiment(two(), {"lr": lambda *_: rates}))

    assert data["panels"][0]["y"]["scale"] == scale


def test_the_caption_counts_what_did_not_finish(experiment: MakeResults) -> None:
    results = experiment(
        two(), {}, statuses={(0, 0): "failed", (0, 1): "cancelled", (1, 0): "running", (1, 1): "queued"}
    )

    for name in plots:
        assert (
            "N = 2 arms x 2 seeds = 4 runs: 0 finished, 0 diverged, 1 failed, 1 cancelled, 1 running, 1 queued."
            in data_of(name, results)["caption"]
        )
