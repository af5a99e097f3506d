"""Warnings about specs that can run: which fields they name, and of which arms."""

from typing import Any

import pytest

from core.datasets import DatasetPaths
from core.spec import check, parse, warnings_of

BASE: dict[str, Any] = {"model": {"name": "mlp", "hidden": []}, "batch_size": 256, "epochs": 5, "seeds": 1}
"""Six updates an epoch, thirty in all."""
SCAN: dict[str, Any] = {
    "kind": "batch_size_scan",
    "target": {"metric": "valid_accuracy", "value": 0.9},
    "batch_size_scan": {"sizes": [32, 512], "rule": "linear", "noise_every": 0},
    "batch_size": 32,
    "optimizer": {"name": "sgd", "lr": 0.1},
    "epochs": 5,
}


def found(**given: Any) -> list[tuple[str, str]]:
    spec = parse(BASE | given)
    return [(p.path, p.message) for p in warnings_of(spec, check(spec, DatasetPaths()))]


def test_a_spec_that_means_what_it_says_has_none() -> None:
    assert found(arms=[{"schedule": "constant"}, {"schedule": "cosine"}, {"initializer": "zeros"}]) == []


def test_the_path_is_that_of_the_field() -> None:
    rising = {"name": "polynomial", "end_lr": 0.5}
    arms = [{"schedule": "cosine"}, {"label": "b", "schedule": rising}]
    assert [path for path, _ in found(schedule=rising)] == ["schedule.end_lr"]
    assert [path for path, _ in found(arms=arms)] == ["arms[1].schedule.end_lr"]
    ((path, message),) = found(grid={"schedule": ["cosine", rising]})
    assert (path, message.startswith('of "polynomial(end_lr=0.5)" is 0.5, above')) == ("grid.schedule.end_lr", True)
    assert [path for path, _ in found(schedule=rising, arms=[{"batch_size": 64}, {"batch_size": 128}])] == [
        "schedule.end_lr"
    ]


def test_a_factor_of_a_rate_may_leave_the_optimizers_sense() -> None:
    named = {"model": {"name": "mlp", "hidden": [8]}, "optimizer": {"name": "adam", "lr": 0.001}}
    assert found(**named, lr_per_layer={"fc1": 0.0, "fc2": 10.0}) == []
    ((path, message),) = found(**named, lr_per_layer={"fc1": 1e4, "fc2": 1.0})
    assert path == "lr_per_layer.fc1"
    assert message.startswith("makes a highest rate of 10, 1e+04 times above adam's default of 0.001")


def test_arms_that_differ_in_their_averages_alone_train_alike() -> None:
    ((path, message),) = found(grid={"ema_decay": [0.9, 0.99], "epochs": [5]})
    assert path == "grid.ema_decay"
    assert message == (
        'of "ema_decay=0.99, epochs=5" leaves the training as it is in "ema_decay=0.9, epochs=5": '
        "compare the two by a metric that ends in _ema"
    )
    assert found(arms=[{"ema_decay": 0.9}, {"ema_decay": 0.9, "label_smoothing": 0.1}]) == []


def test_muon_wants_hidden_layers() -> None:
    """A network of two layers has none: one reads the data, one gives the outputs."""
    ((path, message),) = found(optimizer="muon", model={"name": "mlp", "hidden": [8]})
    assert (path, message.startswith("muon is for the weights of hidden layers")) == ("optimizer", True)
    assert found(optimizer="muon", model={"name": "mlp", "hidden": [8, 8]}) == []


def test_a_warm_up_outlives_the_run_of_the_largest_batch() -> None:
    """SlowFast#188: 40 updates of warm-up, where batches of 512 leave 15, none of them at the rate of 1.6."""
    spec = SCAN | {"schedule": {"name": "linear_warmup", "warmup_steps": 40}}
    ((path, message),) = found(**spec)
    assert path == "schedule"
    assert message.startswith('of "batch_size=512" rises through the whole run, to 0.56 in the last update')
    assert "the lr of 1.6 is never reached" in message


def test_a_scan_s_default_end_does_not_refuse_it() -> None:
    for schedule in ("polynomial", {"name": "linear_warmup", "warmup_steps": 2, "after": "polynomial"}):
        assert found(**SCAN, schedule=schedule) == []


@pytest.mark.parametrize(
    ("optimizer", "path", "words"),
    [
        ({"name": "sgd", "lr": 1e6}, "optimizer.lr", "1e+08 times above sgd's default of 0.01"),
        ({"name": "adam", "lr": 1e-9}, "optimizer.lr", "1e+06 times below adam's default of 0.001"),
    ],
)
def test_a_rate_outside_the_optimizer_s_sense_is_told(optimizer: Any, path: str, words: str) -> None:
    ((where, message),) = found(optimizer=optimizer)
    assert (where, words in message) == (path, True), message
    assert found(optimizer={"name": "sgd", "lr": 1.0}) == []


def test_a_schedule_s_rate_outside_the_optimizer_s_sense_is_told() -> None:
    assert "has a highest rate of 50" in found(schedule={"name": "onecycle", "max_lr": 50.0})[0][1]
    noam = {"name": "noam", "d_model": 512, "warmup_steps": 4}
    assert found(optimizer={"name": "adam", "lr": 1.0}, schedule=noam) == []  # its lr is a factor


@pytest.mark.parametrize(("low", "high", "path"), [(1e-9, 1e-8, "lr_range.high"), (20.0, 1e3, "lr_range.low")])
def test_a_range_outside_the_optimizer_s_sense_is_told(low: float, high: float, path: str) -> None:
    test = {"kind": "lr_range_test", "model": {"name": "mlp", "hidden": []}, "seeds": 1}
    spec = parse(test | {"lr_range": {"low": low, "high": high}})
    assert [p.path for p in warnings_of(spec, check(spec, DatasetPaths()))] == [path]
    usual = parse(test)
    assert warnings_of(usual, check(usual, DatasetPaths())) == []


def test_arms_of_one_curve_are_told() -> None:
    steps = {"name": "step", "step_size": 30}
    ((path, message), (_, why)) = reversed(
        found(arms=[{"schedule": "constant"}, {"label": "drops", "schedule": steps}])
    )
    assert (path, 'has every rate of "constant"' in message) == ("arms[1].schedule", True)
    assert "changes only after the end of the run" in why
    same = {"name": "cosine", "unit": "step", "T_max": 30}
    ((path, message),) = found(grid={"schedule": ["cosine", same, {**same, "T_max": 29}]})
    assert (path, message[:39]) == ("grid.schedule", 'of "cosine(T_max=30)" has every rate of')


def test_arms_that_differ_elsewhere_may_share_a_curve() -> None:
    arms = [{"label": "a", "schedule": "cosine"}, {"label": "b", "schedule": "cosine", "initializer": "zeros"}]
    assert found(arms=arms) == []
    assert found(grid={"optimizer.lr": [0.001, 0.002], "schedule": ["cosine", "constant"]}) == []
    plateau = {"name": "reduce_on_plateau", "patience": 2}
    assert found(arms=[{"schedule": "constant"}, {"schedule": plateau}]) == []


def test_arms_whose_rates_and_schedules_make_one_curve_are_told() -> None:
    halves = {"name": "lambda", "fn": "0.5"}
    arms = [
        {"label": "a", "optimizer": {"name": "sgd", "lr": 0.1}},
        {"label": "b", "optimizer": {"name": "sgd", "lr": 0.2}, "schedule": halves},
    ]
    ((path, _),) = found(arms=arms)
    assert path == "arms[1].schedule"


def test_a_mode_is_told_and_inferred() -> None:
    plateau = {"name": "reduce_on_plateau", "metric": "valid_accuracy"}
    assert found(schedule=plateau) == []
    assert [path for path, _ in found(schedule={**plateau, "mode": "min"})] == ["schedule.mode"]
