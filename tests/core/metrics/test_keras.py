"""Smoothed labels against Keras' losses (on JAX)."""

import os

import numpy as np
import pytest
import torch

from core.metrics.loss import smoothed_loss

os.environ.setdefault("KERAS_BACKEND", "jax")  # read when Keras is imported
from keras import losses as keras


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.6])
def test_labels_are_smoothed_as_keras_does(smoothing: float) -> None:
    generator = torch.Generator().manual_seed(0)
    part = torch.full((3, 1), smoothing)
    outputs, y = torch.randn(3, 8, 1, generator=generator), (torch.arange(24).view(3, 8, 1) % 2).float()
    theirs = keras.binary_crossentropy(y.numpy(), outputs.numpy(), from_logits=True, label_smoothing=smoothing)
    np.testing.assert_allclose(smoothed_loss("binary", outputs, y, part).numpy(), np.asarray(theirs), rtol=2e-5)
    outputs, y = torch.randn(3, 8, 5, generator=generator), torch.randint(5, (3, 8), generator=generator)
    one_hot = torch.nn.functional.one_hot(y, 5).float()
    theirs = keras.categorical_crossentropy(
        one_hot.numpy(), outputs.numpy(), from_logits=True, label_smoothing=smoothing
    )
    np.testing.assert_allclose(smoothed_loss("multiclass", outputs, y, part).numpy(), np.asarray(theirs), rtol=2e-5)
