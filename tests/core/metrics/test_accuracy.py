"""The accuracy against scikit-learn's."""

from typing import Any

import torch
from sklearn.metrics import accuracy_score

from core.conformance.metrics import Made, measured


def _accuracy(outputs: Any, y: Any) -> float:
    return float(accuracy_score(y, outputs.argmax(1) if y.ndim == 1 else outputs > 0))


PEERS = {"train_accuracy": _accuracy, "valid_accuracy": _accuracy}


def test_the_threshold_itself_is_the_first_class() -> None:
    split = Made("binary", torch.zeros(1, 4, 1, dtype=torch.float64), torch.tensor([[0.0], [0.0], [0.0], [1.0]]))
    assert measured("valid_accuracy", split) == [0.75]
