"""Settings of a treatment as the reference trainer has them, by torch's own functions where there are any."""

import copy
import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss, one_hot

from core.datasets import DatasetInfo
from core.metrics import Task
from core.spec import HALVES, Treatment


def loss_of_task(task: Task, outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the mean loss of outputs in a task."""
    if task == "multiclass":
        return cross_entropy(outputs, y)
    return binary_cross_entropy_with_logits(outputs, y) if task == "binary" else mse_loss(outputs, y)


class TrainedLoss:
    """The mean loss of a batch that a treatment is trained for."""

    def __init__(self, treatment: Treatment, info: DatasetInfo, y_train: torch.Tensor, dtype: torch.dtype) -> None:
        self._treatment, self._task = treatment, info.task
        given = treatment.class_weights
        if given == "balanced":
            counts = [(y_train == label).sum().item() for label in range(2 if info.task == "binary" else info.outputs)]
            there = [count for count in counts if count]
            given = [len(y_train) / len(there) / count if count else 0.0 for count in counts]
        self._weights = None if given is None else torch.tensor(given, dtype=dtype)

    def __call__(self, outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        smoothing = self._treatment.label_smoothing
        if self._task == "multiclass":
            focal = self._treatment.focal_loss
            if focal is None and not y.is_floating_point():
                return cross_entropy(outputs, y, self._weights, label_smoothing=smoothing)
            return self._of_shares(outputs, y, 0.0 if focal is None else focal.gamma)
        if self._task == "regression":
            return loss_of_task(self._task, outputs, y)
        return self._binary(outputs, y * (1 - smoothing) + smoothing / 2 if smoothing else y)

    def _of_shares(self, outputs: torch.Tensor, y: torch.Tensor, gamma: float) -> torch.Tensor:
        p, smoothing = outputs.softmax(1), self._treatment.label_smoothing
        weights = torch.ones_like(p[0]) if self._weights is None else self._weights
        shares = y if y.is_floating_point() else one_hot(y, p.shape[1]).to(p.dtype)
        smoothed = shares * (1 - smoothing) + smoothing / p.shape[1]
        return (smoothed * weights * (1 - p) ** gamma * -p.log()).sum() / (shares * weights).sum()

    def _binary(self, outputs: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        of_0, of_1 = (1.0, 1.0) if self._weights is None else self._weights
        of_1 = torch.as_tensor(of_1 / of_0)
        losses = of_0 * binary_cross_entropy_with_logits(outputs, y, pos_weight=of_1, reduction="none")
        focal = self._treatment.focal_loss
        if focal is not None:
            p = outputs.sigmoid()
            losses = losses * (1 - (p * y + (1 - p) * (1 - y))) ** focal.gamma
            losses = losses if focal.alpha is None else losses * (focal.alpha * y + (1 - focal.alpha) * (1 - y))
        return losses.mean()


def clip(treatment: Treatment, parameters: list[nn.Parameter]) -> None:
    """Clip the gradients by torch's own functions, and unit by unit where it has none."""
    if treatment.gradient_clip is None:
        return
    parameters = [parameter for parameter in parameters if parameter.grad is not None]  # else frozen
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


def sharpen(treatment: Treatment, model: nn.Module, loss: Callable[[], torch.Tensor]) -> None:
    """Replace the gradients by those at the weights that sharpness-aware minimization climbs to, after its paper.

    `loss` computes the batch's loss again; weights, and statistics of norms, are left as they were.
    """
    if treatment.sam is None:
        return
    trained = [(p, p.grad.clone()) for p in model.parameters() if p.grad is not None]
    scaled = [g * p.detach().abs() if treatment.sam.adaptive else g for p, g in trained]
    length = torch.cat([g.flatten() for g in scaled]).norm()
    before = copy.deepcopy(model.state_dict())
    with torch.no_grad():
        for p, g in trained:
            p.add_(treatment.sam.rho * (p.square() * g if treatment.sam.adaptive else g) / length)
    model.zero_grad()
    torch.autograd.backward(loss())
    model.load_state_dict(before)


def autocast(treatment: Treatment) -> torch.autocast:
    """Return the context of a forward pass in the treatment's precision."""
    half = HALVES.get(treatment.precision)
    return torch.autocast("cpu", half, enabled=half is not None)


class Together(torch.optim.Optimizer):
    """Optimizers of parts of a model as one, which a `GradScaler` skips together: each alone goes by its own part."""

    def __init__(self, optimizers: Sequence[torch.optim.Optimizer]) -> None:
        super().__init__([group for optimizer in optimizers for group in optimizer.param_groups], {})
        self._optimizers = optimizers
        self.rate = math.nan
        """The learning rate of the next step, before the factors of parameters."""

    def step(self) -> None:  # type: ignore[override]  # without closure
        """Step with all of them, each parameter by its own rate."""
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.rate * group["lr_scale"]
            optimizer.step()


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
        """Return the metrics of the mean, named as such."""
        return {} if self._mean is None else {f"{name}_ema": value for name, value in judge(self._mean).items()}
