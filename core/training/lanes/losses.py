"""The loss that a cohort's lanes are trained for."""

from collections.abc import Callable, Sequence

import torch

from core.metrics import Task
from core.metrics.loss import loss_of_examples, smoothed_loss

Losses = Callable[[torch.Tensor, torch.Tensor, slice], torch.Tensor]
"""(outputs (lanes, batch, outputs), labels, which lanes these are) -> the loss of every example, (lanes, batch)."""


def trained_loss(task: Task, smoothing: Sequence[float], device: str) -> Losses:
    """Return the loss of a task, with the labels smoothed by each lane's number where there are any above 0."""
    plain = loss_of_examples(task)
    if not any(smoothing):
        return lambda outputs, y, _lanes: plain(outputs, y)
    parts = torch.tensor(smoothing, dtype=torch.float64, device=device).unsqueeze(1)
    return lambda outputs, y, lanes: smoothed_loss(task, outputs, y, parts[lanes].to(outputs.dtype))
