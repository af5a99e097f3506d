"""What a task's outputs are trained for and judged by."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss

from core.datasets import Task

PerExample = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""(outputs (lanes, batch, outputs), labels (lanes, batch) or targets (lanes, batch, outputs)) -> (lanes, batch)."""


@dataclass(frozen=True)
class Objective:
    """A task's loss and score of every example; an epoch's metrics are their means over a split.

    The loss is the cross-entropy of classes, of a sigmoid's one output, or the squared error (the mean over targets).
    The score is whether the example is classified right (a binary one at the threshold 0.5), and in regression its part
    of R², `1 - squared error / variance`, the variance being that of the targets of the split that is judged.
    """

    losses: PerExample
    scores: Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
    """As losses; the third argument is the whole split's labels or targets."""


def objective(task: Task) -> Objective:
    """The objective of a task."""
    return {
        "multiclass": Objective(_cross_entropy, lambda outputs, y, _split: outputs.argmax(-1) == y),
        "binary": Objective(_binary, lambda outputs, y, _split: ((outputs > 0) == (y > 0.5)).squeeze(-1)),
        "regression": Objective(_squared, _explained),
    }[task]


def _cross_entropy(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    # Not under vmap: its rule is a decomposition in Python that also loads sympy (0.4 s).
    return cross_entropy(logits.flatten(0, 1), y.flatten(), reduction="none").view(y.shape)


def _binary(logits: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return binary_cross_entropy_with_logits(logits, y, reduction="none").squeeze(-1)


def _squared(outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return mse_loss(outputs, y, reduction="none").mean(-1)


def _explained(outputs: torch.Tensor, y: torch.Tensor, split: torch.Tensor) -> torch.Tensor:
    return (1 - (outputs - y).square() / split.var(0, correction=0)).mean(-1)
