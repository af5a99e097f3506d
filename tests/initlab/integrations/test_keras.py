"""Keras' own `fit` logs into a run, and stops when it is to."""

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")  # read when Keras is imported

import keras
import numpy as np
import pytest

from initlab import ClientError, Run
from initlab.external_parts import Metrics
from initlab.integrations.keras import RunCallback
from tests.initlab.integrations.conftest import Logged

METRICS: Metrics = {"valid_loss": "min", "loss": {"direction": "min", "per": "step"}}
NAMES = {"val_loss": "valid_loss"}


def fit(run: Run, names: dict[str, str] | None, epochs: int) -> Any:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(24, 3)).astype("float32")
    model = keras.Sequential([keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    callbacks = [RunCallback(run, names)]
    data = (x, x.sum(axis=1))
    return model.fit(*data, validation_data=data, batch_size=8, epochs=epochs, callbacks=callbacks, verbose=0).history


def test_what_fit_measures_is_logged(run_of: Callable[[Metrics], Run], logged: Callable[[], Logged]) -> None:
    with run_of(METRICS) as run:
        history = fit(run, NAMES, epochs=2)
    found = logged()
    assert found["valid_loss"] == list(enumerate(history["val_loss"]))
    assert [step for step, _ in found["loss"]] == list(range(6))  # 24 examples in batches of 8, twice
    assert [found["loss"][2][1], found["loss"][5][1]] == pytest.approx(history["loss"])


@pytest.mark.usefixtures("stopping")
def test_it_stops(run_of: Callable[[Metrics], Run]) -> None:
    with run_of({"valid_loss": "min"}) as run:
        assert len(fit(run, NAMES, epochs=9)["loss"]) == 3


def test_names_that_fit_nothing_are_told_after_an_epoch(run_of: Callable[[Metrics], Run]) -> None:
    with pytest.raises(ClientError, match=r"what is measured \(loss, val_loss\)"), run_of({"accuracy": "max"}) as run:
        fit(run, None, epochs=9)
