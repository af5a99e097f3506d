"""Early stopping as a rule of numbers."""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")  # read when Keras is imported

import random
from types import SimpleNamespace
from typing import Any

import keras
import pytest

from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.spec import EarlyStopping, Patience, check, parse


def epochs_of(rule: EarlyStopping, values: list[float]) -> int:
    """After how many epochs a run with these metrics ends; all of them where it is never stopped."""
    state = Patience()
    for epoch, value in enumerate(values, start=1):
        state = rule.after(state, value)
        if rule.ends(state, epoch):
            return epoch
    return len(values)


def epochs_of_keras(rule: EarlyStopping, values: list[float]) -> int:
    mode = "min" if rule.metric.endswith("loss") else "max"
    peer = keras.callbacks.EarlyStopping("value", rule.min_delta, rule.patience, mode=mode)
    peer.set_model(SimpleNamespace(stop_training=False))
    peer.on_train_begin()
    for epoch, value in enumerate(values):
        peer.on_epoch_end(epoch, {"value": value})
        if peer.model.stop_training:
            return epoch + 1
    return len(values)


@pytest.mark.parametrize("metric", ["valid_loss", "valid_accuracy", "train_r2"])
@pytest.mark.parametrize("patience", [0, 1, 2, 5])
@pytest.mark.parametrize("min_delta", [0.0, 0.0625])
def test_it_is_that_of_keras(metric: Any, patience: int, min_delta: float) -> None:
    """Steps of 1/64, exact in Keras' float32 too, with many ties and differences of exactly `min_delta`."""
    rule, draw, found = EarlyStopping(metric=metric, patience=patience, min_delta=min_delta), random.Random(0), set()
    for _ in range(300):
        values = [round(draw.gauss(0, 6)) / 64 for _ in range(draw.randint(1, 20))]
        found.add(epochs_of(rule, values))
        assert epochs_of(rule, values) == epochs_of_keras(rule, values), values
    assert len(found) > 3


def test_what_is_not_finite_is_no_improvement_and_never_the_best() -> None:
    nan, inf = float("nan"), float("inf")
    rule = EarlyStopping(patience=2)
    assert epochs_of(rule, [nan, 3.0, 2.0, nan, 1.0, inf, nan, 0.5]) == 7
    assert epochs_of(rule, [-inf, 3.0, 2.0, 1.0]) == 4
    assert epochs_of(rule, [nan, nan, nan]) == 2


def test_an_arm_may_have_its_own_or_none() -> None:
    spec = parse(
        {
            "early_stopping": {"patience": 1},
            "arms": [{}, {"label": "long", "early_stopping.patience": 9}, {"label": "never", "early_stopping": None}],
        }
    )
    assert [arm.treatment.early_stopping for arm in parse(spec.canonical()).expanded] == [
        EarlyStopping(patience=1),
        EarlyStopping(patience=9),
        None,
    ]
    assert spec.canonical()["early_stopping"] == {"metric": "valid_loss", "patience": 1, "min_delta": 0.0}
    assert "early_stopping" not in parse({}).canonical()


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"early_stopping": {"metric": "valid_los"}}, "early_stopping.metric"),
        ({"early_stopping": {"patience": -1}}, "early_stopping.patience"),
        ({"early_stopping": {"min_delta": float("nan")}}, "early_stopping.min_delta"),
        ({"early_stopping": {"restore": True}}, "early_stopping.restore"),
        ({"early_stopping": {"metric": "valid_r2"}}, "early_stopping"),
        ({"dataset": "diabetes", "arms": [{"early_stopping": {"metric": "valid_accuracy"}}]}, "arms[0].early_stopping"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_path(given: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidSpec) as refusal:
        check(parse(given), DatasetPaths())
    assert [problem.path for problem in refusal.value.problems] == [path]
