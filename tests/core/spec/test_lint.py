"""Warnings about specs that can run: which fields they name, and of which arms."""

from typing import Any

import pytest

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
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
    assert message.startswith("makes a highest rate of 10, 10,000 times above adam's default of 0.001")


def test_arms_that_differ_in_their_averages_alone_train_alike() -> None:
    ((path, message),) = found(grid={"ema_decay": [0.9, 0.99], "epochs": [5]})
    assert path == "grid.ema_decay"
    assert message == (
        'of "ema_decay=0.99, epochs=5" leaves the training as it is in "ema_decay=0.9, epochs=5": '
        "compare the two by a metric that ends in _ema"
    )
    assert found(arms=[{"ema_decay": 0.9}, {"ema_decay": 0.9, "label_smoothing": 0.1}]) == []


@pytest.mark.parametrize(
    "answers",
    [
        {"early_stopping": {"metric": "valid_loss_ema"}},
        {"schedule": {"name": "reduce_on_plateau", "metric": "valid_accuracy_ema", "patience": 1}},
        {
            "schedule": {
                "name": "linear_warmup",
                "warmup_steps": 2,
                "after": {"name": "plateau", "metric": "valid_loss_ema", "patience": 1},
            }
        },
    ],
    ids=["stopping", "plateau", "after a warm-up"],
)
def test_averages_that_training_answers_to_are_no_twins(answers: Any) -> None:
    assert found(**answers, grid={"ema_decay": [0.5, 0.999]}) == []


def test_averages_are_compared_by_their_metrics_and_with_arms_that_keep_none() -> None:
    ((path, message),) = found(arms=[{"label": "raw"}, {"label": "ema", "ema_decay": 0.9}])
    assert path == "arms[1].ema_decay"
    assert message == 'leaves the training as it is in "raw": compare the two by a metric that ends in _ema'
    goal = {"target": {"metric": "valid_accuracy_ema", "value": 0.9}}
    assert len(found(**goal, grid={"ema_decay": [None, 0.9]})) == 1
    with pytest.raises(InvalidSpec, match="averaged weights, which no arm keeps: give ema_decay"):
        found(**goal)
    with pytest.raises(InvalidSpec, match="unknown metric of a multiclass task 'valid_r2_ema'"):
        found(target={"metric": "valid_r2_ema", "value": 0.9}, ema_decay=0.9)


@pytest.mark.parametrize(
    ("never", "epochs"),
    [
        ([{"name": "ReduceLROnPlateau", "patience": 10}, "constant"], 10),
        ([{"name": "plateau", "patience": 20}, {"name": "plateau", "patience": 30, "factor": 0.5}], 5),
        ([{"name": "plateau", "patience": 0, "min_lr": 0.001}, "constant"], 5),  # adam's default rate
        ([{"name": "plateau", "patience": 5, "flavour": "keras"}, "constant"], 5),
    ],
    ids=str,
)
def test_plateaus_that_cannot_reduce_in_the_run_are_constant(never: Any, epochs: int) -> None:
    ((path, message),) = found(grid={"schedule": never}, epochs=epochs)
    assert (path, "has every rate of" in message) == ("grid.schedule", True)


def test_plateaus_that_can_reduce_in_the_run_are_not() -> None:
    """Of four metrics that never improve, not even the first one, the fourth is reported before the last epoch."""
    for flavour, patience in [("torch", 3), ("paddle", 3), ("keras", 4)]:
        plateau = {"name": "plateau", "patience": patience, "flavour": flavour}
        assert found(grid={"schedule": [plateau, "constant"]}, epochs=5) == []


@pytest.mark.parametrize(
    ("field", "value", "else_"),
    [
        ("weight_decay_on", "weights", {"optimizer": {"name": "sgd", "lr": 0.1}}),
        ("class_weights", [1.0] * 10, {}),
        ("class_weights", [3.0] * 10, {}),  # a weighted mean
        ("focal_loss", {"gamma": 0.0}, {}),
        ("layer_lr_decay", 1.0, {}),
        ("lr_per_layer", {"*": 1.0}, {}),
        ("micro_batch_size", 256, {}),
        ("drop_last", True, {"batch_size": 719}),  # digits has 1438 examples to train on
        ("early_stopping", {"patience": 5}, {}),
    ],
)
def test_settings_that_change_nothing_between_arms_are_told(field: str, value: Any, else_: dict[str, Any]) -> None:
    ((path, message),) = found(**else_, arms=[{"label": "without"}, {"label": "with", field: value}])
    assert path == f"arms[1].{field}"
    assert message == 'changes nothing of what "without" trains, and nothing else differs: the two train alike'


def test_a_setting_that_is_the_default_is_named() -> None:
    ((path, message),) = found(arms=[{"label": "without"}, {"label": "with", "mixup": 0.0}])
    assert (path, 'changes nothing of what "without" trains' in message) == ("arms[1].mixup", True)


@pytest.mark.parametrize(
    ("field", "value", "else_"),
    [
        ("weight_decay_on", "weights", {"optimizer": {"name": "adamw", "lr": 0.001}}),
        ("class_weights", [1.0] * 9 + [2.0], {}),
        ("focal_loss", {"gamma": 1.0}, {}),
        ("layer_lr_decay", 0.9, {}),
        ("micro_batch_size", 128, {}),
        ("drop_last", True, {}),
        ("early_stopping", {"patience": 4}, {}),
    ],
)
def test_settings_that_change_something_are_not(field: str, value: Any, else_: dict[str, Any]) -> None:
    assert found(**else_, arms=[{"label": "without"}, {"label": "with", field: value}]) == []


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


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ({"name": "linear_warmup", "warmup_steps": 12}, "warmup_steps 12 is 0.053 and 0.8 of them"),
        (
            {"name": "exponential", "gamma": 0.98},  # 0.98^224 and 0.98^14
            'at the end its rate is 1% of the highest in "batch_size=32" (225 updates), and 75% in "batch_size=512"',
        ),
        ({"name": "step", "step_size": 10, "gamma": 0.9, "unit": "step"}, "step_size 10 is 0.044 and 0.67 of them"),
    ],
    ids=lambda one: str(one)[:30],
)
def test_counts_of_updates_that_are_other_shares_of_arms_are_told(schedule: Any, words: str) -> None:
    """Of digits' 1438 examples batches of 32 are 45 an epoch, of 512 three: 225 and 15 updates."""
    told = [(path, message) for path, message in found(**SCAN, schedule=schedule) if "counts updates" in message]
    ((path, message),) = told
    assert (path, words in message) == ("schedule", True), message
    grid = {"grid": {"batch_size": [32, 512]}, "schedule": schedule}
    assert [path for path, message in found(**grid) if "counts updates" in message] == ["schedule"]


@pytest.mark.parametrize(
    "schedule",
    [
        "cosine",
        "onecycle",
        {"name": "linear_warmup", "warmup_steps": "20%", "after": "cosine"},
        {"name": "linear_warmup", "warmup_steps": 2, "unit": "epoch", "per": "update"},
        {"name": "step", "step_size": 2, "unit": "epoch"},
        {"name": "exponential", "gamma": 0.9, "unit": "epoch"},
    ],
    ids=str,
)
def test_lengths_that_are_shares_of_the_run_are_not(schedule: Any) -> None:
    assert found(**SCAN, schedule=schedule) == []


def test_a_scan_s_default_end_does_not_refuse_it() -> None:
    for schedule in ("polynomial", {"name": "linear_warmup", "warmup_steps": 2, "after": "polynomial"}):
        assert found(**SCAN, schedule=schedule) == []


@pytest.mark.parametrize(
    ("optimizer", "path", "words"),
    [
        ({"name": "sgd", "lr": 1e6}, "optimizer.lr", "is 1,000,000, 100,000,000 times above sgd's default of 0.01"),
        ({"name": "sgd", "lr": 1e12}, "optimizer.lr", "is 10¹², 10¹⁴ times above sgd's default of 0.01"),
        ({"name": "adam", "lr": 1e-9}, "optimizer.lr", "is 10⁻⁹, 1,000,000 times below adam's default of 0.001"),
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
