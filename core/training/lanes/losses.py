"""The loss that a cohort's lanes are trained for."""

from collections.abc import Sequence

import torch

from core.metrics import Task
from core.metrics.loss import LabelLoss, loss_of_examples, shaped_loss
from core.spec import Treatment


class TrainedLoss:
    """The task's loss in training, by each lane's own numbers; what is evaluated is the plain one."""

    def __init__(self, task: Task, outputs: int, treatments: Sequence[Treatment], y_train: torch.Tensor) -> None:
        """Take the lanes' treatments, which share the kinds of their settings, and the training labels."""
        device = y_train.device
        self._task = task
        self._plain = loss_of_examples(task)
        smoothing = [[one.label_smoothing] for one in treatments]
        weights = [one.class_weights for one in treatments if one.class_weights is not None]
        focal = [one.focal_loss for one in treatments if one.focal_loss is not None]
        alphas = [[one.alpha] for one in focal if one.alpha is not None]
        balanced = balanced_weights(y_train, 2 if task == "binary" else outputs) if "balanced" in weights else []
        self._by = LabelLoss(
            smoothing=_rows(smoothing if any(s for (s,) in smoothing) else [], device),
            weights=_rows([balanced if isinstance(one, str) else one for one in weights], device),
            gamma=_rows([[one.gamma] for one in focal], device),
            alpha=_rows(alphas, device),
        )

    def __call__(self, outputs: torch.Tensor, y: torch.Tensor, lanes: slice) -> torch.Tensor:
        """Return the loss of each of these lanes' batches, (lanes,), of outputs (lanes, batch, outputs) and labels."""
        shares = self._task == "multiclass" and y.is_floating_point()
        if not shares and all(part is None for part in self._by):
            return self._plain(outputs, y).mean(1)
        by = LabelLoss(*(None if part is None else part[lanes].to(outputs.dtype) for part in self._by))
        losses = shaped_loss(self._task, outputs, y, by)
        if by.weights is None or self._task == "binary":
            return losses.mean(1)
        of_labels = (y * by.weights.unsqueeze(1)).sum(2) if shares else by.weights.gather(1, y)
        return losses.sum(1) / of_labels.sum(1)


def balanced_weights(y: torch.Tensor, classes: int) -> list[float]:
    """Return n / (k · examples of the class) for each class, k of which have any; the others never count, and have 0.

    `sklearn.utils.class_weight.compute_class_weight("balanced", ...)`, after King & Zeng 2001,
    doi:10.1093/oxfordjournals.pan.a004868. `y` are labels, (n,) or (n, 1).
    """
    counts = torch.bincount(y.flatten().long(), minlength=classes).tolist()
    present = sum(count > 0 for count in counts)
    return [len(y) / (present * count) if count else 0.0 for count in counts]


def _rows(numbers: Sequence[Sequence[float]], device: torch.device) -> torch.Tensor | None:
    return torch.tensor(numbers, dtype=torch.float64, device=device) if numbers else None
