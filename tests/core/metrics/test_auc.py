"""The AUC against scikit-learn's."""

import math

import pytest
import torch
from sklearn.metrics import roc_auc_score

from core.conformance.metrics import Made, made, measured

PEERS = {"valid_auc": lambda outputs, y: roc_auc_score(y[:, 0], outputs[:, 0])}


def test_ties_count_half() -> None:
    split = made("binary")
    rounded = Made("binary", split.outputs.round(), split.y)
    expected = [roc_auc_score(split.y[:, 0], lane[:, 0]) for lane in rounded.outputs]
    assert measured("valid_auc", rounded) == pytest.approx(expected, rel=1e-12)
    level = Made("binary", torch.zeros_like(split.outputs), split.y)
    assert measured("valid_auc", level, (50, 3)) == [0.5] * 3


def test_of_one_class_there_is_none() -> None:
    split = made("binary")
    assert all(math.isnan(value) for value in measured("valid_auc", Made("binary", split.outputs, split.y * 0)))
