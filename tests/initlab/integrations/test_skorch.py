"""skorch's own `fit` logs into a run, and stops when it is to."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from initlab import ClientError, Run
from initlab.external_parts import Metrics
from tests.initlab.integrations.conftest import Logged, load

skorch = load("skorch")
integration: Any = load("initlab.integrations.skorch")


def fit(run: Run, names: dict[str, str] | None, epochs: int) -> Any:
    torch.manual_seed(0)
    x = np.random.default_rng(0).normal(size=(40, 3)).astype("float32")
    callbacks = [integration.RunCallback(run, names)]
    net = skorch.NeuralNetClassifier(
        torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Softmax(-1)),
        max_epochs=epochs,
        callbacks=callbacks,
        verbose=0,
    )
    return net.fit(x, (x.sum(1) > 0).astype("int64")).history


def test_the_history_is_logged(run_of: Callable[[Metrics], Run], logged: Callable[[], Logged]) -> None:
    with run_of({"accuracy": "max", "train_loss": "min"}) as run:
        history = fit(run, {"valid_acc": "accuracy"}, epochs=3)
    assert logged() == {
        "accuracy": list(enumerate(history[:, "valid_acc"])),
        "train_loss": list(enumerate(history[:, "train_loss"])),
    }


@pytest.mark.usefixtures("stopping")
def test_it_stops(run_of: Callable[[Metrics], Run]) -> None:
    with run_of({"valid_loss": "min"}) as run:
        assert len(fit(run, None, epochs=9)) == 3


def test_names_that_fit_nothing_are_told_after_an_epoch(run_of: Callable[[Metrics], Run]) -> None:
    with pytest.raises(ClientError, match=r"what is measured \(.*valid_acc.*\)"), run_of({"accuracy": "max"}) as run:
        fit(run, None, epochs=9)
