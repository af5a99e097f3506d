"""Smoothed labels against Keras' losses (on JAX)."""

import os

import numpy as np
import pytest
import torch

from core.metrics.loss import LabelLoss, shaped_loss

os.environ.setdefault("KERAS_BACKEND", "jax")  # read when Keras is imported
from keras import losses as keras


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.6])
def test_labels_are_smoothed_as_keras_does(smoothing: float) -> None:
    generator = torch.Generator().manual_seed(0)
    part = torch.full((3, 1), smoothing)
    outputs, y = torch.randn(3, 8, 1, generator=generator), (torch.arange(24).view(3, 8, 1) % 2).float()
    theirs = keras.binary_crossentropy(y.numpy(), outputs.numpy(), from_logits=True, label_smoothing=smoothing)
    np.testing.assert_allclose(
        shaped_loss("binary", outputs, y, LabelLoss(smoothing=part)).numpy(), np.asarray(theirs), rtol=2e-5
    )
    outputs, y = torch.randn(3, 8, 5, generator=generator), torch.randint(5, (3, 8), generator=generator)
    one_hot = torch.nn.functional.one_hot(y, 5).float()
    theirs = keras.categorical_crossentropy(
        one_hot.numpy(), outputs.numpy(), from_logits=True, label_smoothing=smoothing
    )
    np.testing.assert_allclose(
        shaped_loss("multiclass", outputs, y, LabelLoss(smoothing=part)).numpy(), np.asarray(theirs), rtol=2e-5
    )


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_focal_losses_are_keras_s(gamma: float, smoothing: float) -> None:
    generator = torch.Generator().manual_seed(0)
    outputs, y = torch.randn(1, 8, 5, generator=generator), torch.randint(5, (1, 8), generator=generator)
    weights = torch.rand(1, 5, generator=generator) + 0.5
    by = LabelLoss(torch.tensor([[smoothing]]), weights, torch.tensor([[gamma]]))
    theirs = keras.categorical_focal_crossentropy(
        torch.nn.functional.one_hot(y, 5).float().numpy(), outputs.numpy(), from_logits=True,
        alpha=weights[0].numpy(), gamma=gamma, label_smoothing=smoothing,
    )  # fmt: skip
    np.testing.assert_allclose(shaped_loss("multiclass", outputs, y, by).numpy(), np.asarray(theirs), rtol=2e-5)
    outputs, y = torch.randn(1, 8, 1, generator=generator), (torch.arange(8).view(1, 8, 1) % 2).float()
    by = LabelLoss(torch.tensor([[smoothing]]), None, torch.tensor([[gamma]]), torch.tensor([[0.3]]))
    theirs = keras.binary_focal_crossentropy(
        y.numpy(), outputs.numpy(), apply_class_balancing=True, from_logits=True,
        alpha=0.3, gamma=gamma, label_smoothing=smoothing,
    )  # fmt: skip
    np.testing.assert_allclose(shaped_loss("binary", outputs, y, by).numpy(), np.asarray(theirs), rtol=2e-5)
