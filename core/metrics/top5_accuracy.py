"""The top-5 accuracy: the share of examples whose class is among the five that the model finds most likely."""

import torch

from core.metrics import MeanOfExamples, Metric, metrics

BEST = 5


def _among_best(outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return whether fewer than five classes have a larger output, and all are numbers.

    Of equal ones all count, as in in_top_k of Keras.
    """
    own = outputs.gather(-1, y.unsqueeze(-1))
    return ((outputs > own).sum(-1) < BEST) & ~outputs.isnan().any(-1)


metrics.add(
    Metric(
        name="valid_top5_accuracy",
        label="validation top-5 accuracy",
        direction="max",
        per="epoch",
        split="valid",
        quantity="top-5 accuracy",
        share=True,
        bounds=(0.0, 1.0),
        resolution=0.01,
        rank=50,
        tasks=("multiclass",),
        fewest_outputs=BEST + 1,
        compared=True,
        accumulator=lambda evaluation: MeanOfExamples(evaluation, _among_best),
    )
)
