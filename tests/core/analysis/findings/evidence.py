"""Runs made by hand, as rules look at them."""

from collections.abc import Mapping, Sequence

import numpy as np

from core.analysis.findings import Curves, LayerDiagnostics, Measured
from core.metrics import metrics

CLASSES = Measured(
    regression=False, train_score=metrics["train_accuracy"], valid_score=metrics["valid_accuracy"], diagnosed=True
)
REGRESSION = Measured(
    regression=True, train_score=metrics["train_r2"], valid_score=metrics["valid_r2"], diagnosed=False
)

Values = Mapping[str, Sequence[float]]
"""Of a metric by layer, at the start and after 10 updates."""
HEALTHY: Mapping[str, Values] = {
    "neuron_cosine": {"fc1": [0.1, 0.1], "fc2": [0.2, 0.2], "fc3": [0.1, 0.2]},
    "activation_std": {"fc1": [0.8, 0.9], "fc2": [0.7, 0.8]},
    "activation_dead": {"fc1": [0.0, 0.1], "fc2": [0.1, 0.1]},
    "activation_saturated": {"fc1": [0.0, 0.1], "fc2": [0.1, 0.1]},
    "gradient_norm": {"fc1": [0.3, 0.1], "fc2": [0.5, 0.1], "fc3": [0.9, 0.2]},
    "weight_norm": {"fc1": [10.0, 10.0], "fc2": [8.0, 8.0], "fc3": [3.0, 3.0]},
}
"""Of a network with two hidden layers and an output layer, nothing of which is wrong."""


def layers(steps: Sequence[int] = (0, 10), branches: Sequence[str] = (), **changed: Values) -> LayerDiagnostics:
    """Return diagnostics of the healthy network, with other values of some metrics in some layers."""
    values = {metric: {**by_layer, **changed.get(metric, {})} for metric, by_layer in HEALTHY.items()}
    return LayerDiagnostics(
        steps=steps,
        values={(metric, layer): np.array(v) for metric, by_layer in values.items() for layer, v in by_layer.items()},
        hidden=["fc1", "fc2"],
        output="fc3",
        lasting=frozenset({"fc1", "fc2"} - set(branches)),
    )


def curves(
    losses: Sequence[float] = (2.0, 1.9, 1.8, 1.6, 1.4, 1.2, 1.0, 0.9, 0.8, 0.8, 0.7, 0.7),
    *,
    valid_loss: Sequence[float] = (1.6, 1.1, 0.9),
    train_score: Sequence[float] = (0.5, 0.7, 0.8),
    valid_score: Sequence[float] = (0.5, 0.6, 0.7),
    diverged: bool = False,
    regression: bool = False,
    lr: float = 0.1,
) -> Curves:
    """Return the curves of a run that learns, or others."""
    return Curves(
        losses=np.array(losses),
        learning_rates=np.full(len(losses), lr),
        usual_lr=0.1,
        batch_size=32,
        epochs=len(valid_loss),
        diverged=diverged,
        regression=regression,
        train_score=np.array(train_score),
        valid_score=np.array(valid_score),
        valid_loss=np.array(valid_loss),
    )
