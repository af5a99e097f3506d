"""What a framework measures is logged where the experiment has it, and a night for nothing is refused early."""

from collections.abc import Callable

import pytest

from initlab import ClientError, Run
from initlab.external_parts import Metrics
from initlab.integrations.selection import Selection
from tests.initlab.integrations.conftest import Logged

METRICS: Metrics = {"accuracy": "max", "loss": {"direction": "min", "per": "step"}}


def test_metrics_go_by_name_and_by_what_their_steps_count(
    run_of: Callable[[Metrics], Run], logged: Callable[[], Logged]
) -> None:
    with run_of(METRICS) as run:
        selection = Selection(run, {"val_acc": "accuracy"})
        selection.log(7, {"val_acc": 0.5, "loss": 1.0, "lr": 0.1}, "step")
        selection.log(0, {"val_acc": 0.5, "accuracy": 0.9, "loss": 1.0, "lr": 0.1}, "epoch")  # its name is val_acc here
        selection.check()
    assert logged() == {"loss": [(7, 1.0)], "accuracy": [(0, 0.5)]}


def test_names_that_fit_nothing_are_refused(run_of: Callable[[Metrics], Run]) -> None:
    with run_of(METRICS) as run:
        with pytest.raises(ClientError, match="no metric 'acc'; it has accuracy, loss"):
            Selection(run, {"val_acc": "acc"})
        selection = Selection(run, None)
        selection.log(0, {"val_acc": 0.5, "lr": 0.1}, "epoch")
        with pytest.raises(ClientError, match=r"\(accuracy, loss\) is among what is measured \(lr, val_acc\)"):
            selection.check()
