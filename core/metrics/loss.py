"""The loss: cross-entropy of classes, of a sigmoid's one output, or the squared error."""

from functools import partial

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss

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


def smoothed_loss(task: Task, outputs: torch.Tensor, y: torch.Tensor, smoothing: torch.Tensor) -> torch.Tensor:
    """Return the loss of every example, (lanes, batch), with labels smoothed by each lane's `smoothing`, (lanes, 1).

    Of K classes a label y becomes (1 - s)·y + s / K, as torch's `cross_entropy(label_smoothing=s)` and Keras have it;
    of a sigmoid's one output K is 2.
    """
    if task == "binary":
        s = smoothing.unsqueeze(-1)
        return _binary(outputs, y * (1 - s) + s / 2)
    plain = _cross_entropy(outputs, y)
    of_all = outputs.logsumexp(-1) - outputs.mean(-1)  # the mean over classes of -log softmax
    return (1 - smoothing) * plain + smoothing * of_all


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
