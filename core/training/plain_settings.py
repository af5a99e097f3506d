"""Settings of a treatment as the reference trainer has them, by torch's own functions where there are any."""

import copy
from collections.abc import Callable, Mapping

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss

from core.metrics import Task
from core.spec import Treatment


def loss_of_task(task: Task, outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the mean loss of outputs in a task."""
    if task == "multiclass":
        return cross_entropy(outputs, y)
    return binary_cross_entropy_with_logits(outputs, y) if task == "binary" else mse_loss(outputs, y)


def trained_loss(treatment: Treatment, task: Task, outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the mean loss of a batch that a treatment is trained for."""
    smoothing = treatment.label_smoothing
    if task == "multiclass":
        return cross_entropy(outputs, y, label_smoothing=smoothing)
    return loss_of_task(task, outputs, y * (1 - smoothing) + smoothing / 2 if smoothing else y)


def clip(treatment: Treatment, parameters: list[nn.Parameter]) -> None:
    """Clip the gradients by torch's own functions, and unit by unit where it has none."""
    if treatment.gradient_clip is None:
        return
    rule, bound = treatment.gradient_clip.clipping
    if rule == "norm":
        nn.utils.clip_grad_norm_(parameters, bound)
    elif rule == "value":
        nn.utils.clip_grad_value_(parameters, bound)
    else:
        for parameter in parameters:
            assert parameter.grad is not None  # noqa: S101 the loss was differentiated by it
            units, gradients = parameter.detach(), parameter.grad
            if parameter.ndim < 2:  # one unit; a view, so that its gradient is changed
                units, gradients = units.view(1, -1), gradients.view(1, -1)
            for weights, g in zip(units, gradients, strict=True):
                most = bound * max(weights.norm().item(), 1e-3)
                if g.norm().item() >= most:
                    g.mul_(most / max(g.norm().item(), 1e-6))


class Average:
    """The running mean of a model's weights and of its norms' statistics, where a treatment asks for it."""

    def __init__(self, model: nn.Module, decay: float | None) -> None:
        self._decay = 0.0 if decay is None else decay
        self._mean = None if decay is None else copy.deepcopy(model).eval()

    def update(self, model: nn.Module) -> None:
        """Take the weights after an update into the mean."""
        if self._mean is None:
            return
        with torch.no_grad():
            for mean, value in zip(self._mean.state_dict().values(), model.state_dict().values(), strict=True):
                floating = value.is_floating_point()
                mean.copy_(self._decay * mean + (1 - self._decay) * value if floating else value)

    def judged(self, judge: Callable[[nn.Module], Mapping[str, float]]) -> dict[str, float]:
        """Return the validation metrics of the mean, named as such."""
        return {} if self._mean is None else {f"valid_{name}_ema": value for name, value in judge(self._mean).items()}
