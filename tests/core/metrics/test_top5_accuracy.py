"""The top-5 accuracy against scikit-learn's."""

from typing import Any

import pytest
import torch
from sklearn.metrics import top_k_accuracy_score

from core.conformance.metrics import Made, measured
from core.metrics import epoch_metrics


def _top5(outputs: Any, y: Any) -> float:
    return float(top_k_accuracy_score(y, outputs, k=5, labels=range(outputs.shape[1])))


PEERS = {"valid_top5_accuracy": _top5}


def test_of_equal_outputs_all_are_among_the_best() -> None:
    """As in Keras's in_top_k; scikit-learn breaks ties by the order of the classes."""
    outputs = torch.tensor([[[9.0, 8, 7, 6, 1, 1, 1], [9, 8, 7, 6, 5, 1, 1]]], dtype=torch.float64)
    assert measured("valid_top5_accuracy", Made("multiclass", outputs, torch.tensor([6, 6]))) == [0.5]


@pytest.mark.parametrize(("outputs", "there"), [(2, False), (5, False), (6, True), (1000, True)])
def test_five_of_five_classes_are_no_metric(outputs: int, there: bool) -> None:
    assert ("valid_top5_accuracy" in epoch_metrics("multiclass", outputs)) is there
