"""Macro-F1 against scikit-learn's."""

from typing import Any

import torch
from sklearn.metrics import f1_score

from core.conformance.metrics import Made, measured


def _macro_f1(outputs: Any, y: Any) -> float:
    return float(f1_score(y, outputs.argmax(1), average="macro"))


PEERS = {"valid_macro_f1": _macro_f1}


def test_classes_that_nobody_has_or_names_do_not_count() -> None:
    """Of seven classes the split has 0 and 1, and the model names 0 and 2: F1 are 2/3, 0 and 0."""
    outputs = torch.nn.functional.one_hot(torch.tensor([0, 0, 2, 2]), 7).double().unsqueeze(0)
    y = torch.tensor([0, 0, 1, 1])
    assert measured("valid_macro_f1", Made("multiclass", outputs, y)) == [(1 + 0 + 0) / 3]
    assert _macro_f1(outputs[0].numpy(), y.numpy()) == 1 / 3
