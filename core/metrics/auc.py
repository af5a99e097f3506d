"""AUC: the chance that the model ranks an example of the second class above one of the first, ties counting half.

The area under the ROC curve by the Mann-Whitney statistic (Hanley & McNeil 1982, doi:10.1148/radiology.143.1.7063747).
It is no sum over examples: all outputs of the split are kept and ranked at its end.
"""

import torch

from core.metrics import Evaluation, Metric, metrics


class AreaUnderCurve:
    """Keeps the outputs of a split, (lanes, examples), and ranks them."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._positive = (evaluation.y > 0.5).flatten()
        self._scores: list[torch.Tensor] = []

    def add(self, outputs: torch.Tensor, _y: torch.Tensor) -> None:
        self._scores.append(outputs.squeeze(-1))

    def result(self) -> torch.Tensor:
        """Return the area of every lane, (lanes,); NaN where the split has one class, or an output is no number."""
        scores = torch.cat(self._scores, dim=1)
        positive, negative = scores[:, self._positive], scores[:, ~self._positive].sort(dim=1).values
        pairs = positive.shape[1] * negative.shape[1]
        if not pairs:
            return torch.full((len(scores),), torch.nan, dtype=torch.float64, device=scores.device)
        below = torch.searchsorted(negative, positive.contiguous(), side="left").sum(1)
        up_to = torch.searchsorted(negative, positive.contiguous(), side="right").sum(1)
        area = (below + up_to).double() / (2 * pairs)
        return torch.where(scores.isnan().any(1), torch.nan, area)


metrics.add(
    Metric(
        name="valid_auc",
        label="validation AUC",
        direction="max",
        per="epoch",
        split="valid",
        quantity="AUC",
        bounds=(0.0, 1.0),
        resolution=0.01,
        rank=50,
        tasks=("binary",),
        compared=True,
        accumulator=AreaUnderCurve,
    )
)
