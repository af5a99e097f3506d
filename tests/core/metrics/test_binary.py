"""Metrics of binary targets against scikit-learn's."""

from typing import Any

import pytest
import torch
from scipy.special import expit
from sklearn.metrics import balanced_accuracy_score, log_loss, precision_score, recall_score

from core.conformance.metrics import Made, measured

PEERS = {
    "valid_balanced_accuracy": lambda outputs, y: balanced_accuracy_score(y[:, 0], outputs[:, 0] > 0),
    "valid_log_loss": lambda outputs, y: log_loss(y[:, 0], expit(outputs[:, 0])),
    "valid_precision": lambda outputs, y: precision_score(y[:, 0], outputs[:, 0] > 0),
    "valid_recall": lambda outputs, y: recall_score(y[:, 0], outputs[:, 0] > 0),
}


@pytest.mark.parametrize(
    ("name", "named", "actual", "value"),
    [
        ("valid_precision", [-1, -1], [0, 1], 0.0),
        ("valid_recall", [1, 1], [0, 0], 0.0),
        ("valid_balanced_accuracy", [1, -1], [0, 0], 0.5),
    ],
    ids=["never named", "none of it", "one class"],
)
def test_a_class_that_is_not_there(name: str, named: Any, actual: Any, value: float) -> None:
    """As scikit-learn has it, with a warning."""
    outputs, y = torch.tensor(named).double().view(1, 2, 1), torch.tensor(actual).double().view(2, 1)
    assert measured(name, Made("binary", outputs, y)) == [value]
