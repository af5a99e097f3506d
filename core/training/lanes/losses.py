"""The loss that a cohort's lanes are trained for."""

from collections.abc import Callable, Sequence

import torch

from core.metrics import Task
from core.metrics.loss import LabelLoss, loss_of_examples, shaped_loss
from core.spec import Treatment

EVERY = slice(None)
BatchWeight = int | torch.Tensor
"""The examples of a batch, or the sum of the weights of their classes in every lane, (lanes,)."""


class TrainedLoss:
    """The task's loss in training, by each lane's own numbers; what is evaluated is the plain one."""

    def __init__(
        self,
        task: Task,
        outputs: int,
        treatments: Sequence[Treatment],
        y_train: Callable[[int], torch.Tensor],
        device: torch.device,
    ) -> None:
        """Take the lanes' treatments, which share the kinds of their settings, and their training labels by lane."""
        self._task = task
        self._plain = loss_of_examples(task)
        smoothing = [[one.label_smoothing] for one in treatments]
        weights = [one.class_weights for one in treatments if one.class_weights is not None]
        focal = [one.focal_loss for one in treatments if one.focal_loss is not None]
        alphas = [[one.alpha] for one in focal if one.alpha is not None]
        if "balanced" in weights:
            classes = 2 if task == "binary" else outputs
            own = [balanced_weights(y_train(lane), classes) for lane in range(len(treatments))]
            weights = [mine if isinstance(one, str) else one for one, mine in zip(weights, own, strict=True)]
        self._by = LabelLoss(
            smoothing=_rows(smoothing if any(s for (s,) in smoothing) else [], device),
            weights=_rows([one for one in weights if not isinstance(one, str)], device),
            gamma=_rows([[one.gamma] for one in focal], device),
            alpha=_rows(alphas, device),
        )

    def __call__(
        self, outputs: torch.Tensor, y: torch.Tensor, weight: BatchWeight, lanes: slice = EVERY
    ) -> torch.Tensor:
        """Return these lanes' losses, (lanes,): sums over the examples by the `weight` of the batch that they are of.

        Outputs are (lanes, batch, outputs); labels or targets as batches have them. A batch may come in parts: the sum
        of the parts' losses is its loss.
        """
        if not self._of_shares(y) and all(part is None for part in self._by):
            losses = self._plain(outputs, y)
        else:
            by = LabelLoss(*(None if part is None else part[lanes].to(outputs.dtype) for part in self._by))
            losses = shaped_loss(self._task, outputs, y, by)
        return losses.sum(1) / (weight if isinstance(weight, int) else weight[lanes].to(outputs.dtype))

    def weight(self, y: torch.Tensor) -> BatchWeight:
        """Return what the losses of a batch with these labels, or targets, are divided by in their mean."""
        weights = self._by.weights
        if weights is None or self._task == "binary":
            return y.shape[1]
        of_labels = (y * weights.unsqueeze(1)).sum(2) if self._of_shares(y) else weights.gather(1, y)
        return of_labels.sum(1)

    def _of_shares(self, y: torch.Tensor) -> bool:
        return self._task == "multiclass" and y.is_floating_point()


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
