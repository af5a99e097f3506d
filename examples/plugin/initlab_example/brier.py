"""A metric: the Brier score, by which probabilities that are too sure of themselves lose."""

import torch

from core.metrics import MeanOfExamples, Metric, metrics


def of_examples(outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the squared distance of each example's probabilities from its class, (lanes, batch), within [0, 2]."""
    probabilities = outputs.double().softmax(-1)
    return (probabilities - torch.nn.functional.one_hot(y, outputs.shape[-1])).square().sum(-1)


metrics.add(
    Metric(
        name="valid_brier",
        label="validation Brier score",
        direction="min",
        per="epoch",
        split="valid",
        quantity="Brier score",
        bounds=(0.0, 2.0),
        tasks=("multiclass",),
        compared=True,
        accumulator=lambda evaluation: MeanOfExamples(evaluation, of_examples),
    )
)
