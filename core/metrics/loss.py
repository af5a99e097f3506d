"""The loss: cross-entropy of classes, of a sigmoid's one output, or the squared error."""

from functools import partial
from typing import NamedTuple

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, logsigmoid, mse_loss

from core.metrics import Accumulator, Evaluation, MeanOfExamples, Metric, Task, metrics
from core.metrics._sums import PerExample

AXIS: dict[Task, str] = {
    "multiclass": "cross-entropy (nats)",
    "binary": "cross-entropy (nats)",
    "regression": "mean squared error",
}


def loss_of_examples(task: Task) -> PerExample:
    """Return the loss of every example, (lanes, batch), that a task is trained for; a squared error is over targets."""
    return {"multiclass": _cross_entropy, "binary": _binary, "regression": _squared}[task]


class LabelLoss(NamedTuple):
    """The numbers that make a loss of labels another than the cross-entropy, by lane; None: this part is as it is."""

    smoothing: torch.Tensor | None = None
    """(lanes, 1): of K classes a label y becomes (1 - s)·y + s / K; of a sigmoid's one output K is 2."""
    weights: torch.Tensor | None = None
    """(lanes, K): the factor of each class's part of the loss."""
    gamma: torch.Tensor | None = None
    """(lanes, 1): a class's part is multiplied by (1 - p)^gamma, p being the probability that it is given."""
    alpha: torch.Tensor | None = None
    """(lanes, 1): the factor of a sigmoid's label 1; that of 0 is 1 - alpha."""


def shaped_loss(task: Task, outputs: torch.Tensor, y: torch.Tensor, by: LabelLoss) -> torch.Tensor:
    """Return the loss of every example, (lanes, batch), as `by` shapes it.

    Labels of classes are (lanes, batch), or shares of the classes, (lanes, batch, classes). The loss is that of torch's
    `cross_entropy` by its `label_smoothing` and `weight`, of its `binary_cross_entropy_with_logits` by `pos_weight`;
    with `gamma` that of Keras' `CategoricalFocalCrossentropy` and of `torchvision.ops.sigmoid_focal_loss` (Lin et al.
    2017, arXiv:1708.02002), which take smoothed labels for shares too.
    """
    return _shaped_binary(outputs, y, by) if task == "binary" else _shaped_classes(outputs, y, by)


def _shaped_classes(outputs: torch.Tensor, y: torch.Tensor, by: LabelLoss) -> torch.Tensor:
    classes = outputs.shape[-1]
    logs = outputs.log_softmax(-1)
    shares = y if y.is_floating_point() else y.unsqueeze(-1) == torch.arange(classes, device=y.device)
    shares = shares.to(outputs.dtype)
    if by.smoothing is not None:
        s = by.smoothing.unsqueeze(-1)
        shares = shares * (1 - s) + s / classes
    parts = -shares * logs
    if by.gamma is not None:
        parts = parts * _power(-torch.expm1(logs), by.gamma.unsqueeze(-1))
    if by.weights is not None:
        parts = parts * by.weights.unsqueeze(1)
    return parts.sum(-1)


def _shaped_binary(outputs: torch.Tensor, y: torch.Tensor, by: LabelLoss) -> torch.Tensor:
    logits, shares = outputs.squeeze(-1), y.squeeze(-1)
    if by.smoothing is not None:
        shares = shares * (1 - by.smoothing) + by.smoothing / 2
    of_0, of_1 = (1 - shares) * -logsigmoid(-logits), shares * -logsigmoid(logits)
    if by.weights is not None:
        of_0, of_1 = of_0 * by.weights[:, :1], of_1 * by.weights[:, 1:]
    losses: torch.Tensor = of_0 + of_1
    if by.gamma is not None:
        missed = logits.sigmoid() * (1 - shares) + (-logits).sigmoid() * shares
        losses = losses * _power(missed, by.gamma)
    if by.alpha is not None:
        losses = losses * (by.alpha * shares + (1 - by.alpha) * (1 - shares))
    return losses


def _power(base: torch.Tensor, exponent: torch.Tensor) -> torch.Tensor:
    # the slope of a root at 0 is infinite: nothing is left to learn there
    return base.clamp(min=torch.finfo(base.dtype).tiny).pow(exponent)


def _cross_entropy(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    # Not under vmap: its rule is a decomposition in Python that also loads sympy (0.4 s).
    return cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none").view(y.shape)


def _binary(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return binary_cross_entropy_with_logits(logits, y, reduction="none").squeeze(-1)


def _squared(outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return mse_loss(outputs, y, reduction="none").mean(-1)


def _mean_loss(evaluation: Evaluation) -> Accumulator:
    return MeanOfExamples(evaluation, loss_of_examples(evaluation.task))


_loss = partial(Metric, direction="min", quantity="loss", compared=True, standard=True, bounds=(0.0, None), axis=AXIS)
metrics.add(_loss(name="train_loss", label="training loss", per="step", split="train", rank=40))
metrics.add(
    _loss(
        name="valid_loss_ema",
        label="validation loss, averaged weights",
        per="epoch",
        split="valid",
        rank=48,
        standard=False,
        averaged=True,
        accumulator=_mean_loss,
    )
)
metrics.add(
    _loss(
        name="valid_loss",
        label="validation loss",
        per="epoch",
        split="valid",
        rank=20,
        primary_for=("regression",),
        accumulator=_mean_loss,
    )
)
