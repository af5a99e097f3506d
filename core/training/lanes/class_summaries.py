"""Summaries of what each lane makes of a split's classes, counted while the split is evaluated."""

import math

import torch

from core.classification import (
    CONFIDENCE_BINS,
    CONFIDENCE_UNIT,
    MOST_CLASSES,
    REACH,
    SCALE,
    SCORE_BINS,
    ClassSummary,
)
from core.metrics import Accumulator, Evaluation


class KeptSummaries:
    """Makes accumulators, one for each evaluation, and keeps what they have counted."""

    def __init__(self) -> None:
        self._kept: list[_Summary] = []

    def __call__(self, evaluation: Evaluation) -> Accumulator:
        self._kept.append(_Summary(evaluation))
        return self._kept[-1]

    def summaries(self) -> list[ClassSummary | None]:
        """Return the summary of each lane; None of one with an output that is no number."""
        return [one for kept in self._kept for one in kept.summaries()]


class _Summary:
    """Counts of some lanes, on their device; nothing here waits for it."""

    def __init__(self, evaluation: Evaluation) -> None:
        lanes, device = evaluation.lanes, evaluation.y.device
        self._binary = evaluation.task == "binary"
        self._classes = 2 if self._binary else evaluation.outputs
        self._even = 0.0 if self._binary else math.log(max(1, self._classes - 1))
        kept = self._classes <= MOST_CLASSES
        self._scored = (1 if self._binary else self._classes) if kept else 0
        self._named = self._classes if kept else 0
        confusion, scores = self._named**2, self._scored * 2 * SCORE_BINS
        self._confusion = torch.zeros(lanes, confusion, dtype=torch.int32, device=device)
        self._scores = torch.zeros(lanes, scores, dtype=torch.int32, device=device)
        self._confidence = torch.zeros(lanes, 3, CONFIDENCE_BINS, dtype=torch.int64, device=device)
        self._finite = torch.ones(lanes, dtype=torch.bool, device=device)

    def add(self, outputs: torch.Tensor, y: torch.Tensor) -> None:
        outputs = outputs if outputs.dtype == torch.float64 else outputs.float()
        self._finite &= outputs.isfinite().flatten(1).all(1)
        if self._binary:
            odds, actual = outputs, (y > 0.5).long().squeeze(-1)
            named, sure = (outputs > 0).long().squeeze(-1), outputs.abs().squeeze(-1)
        else:
            odds, named, sure = _log_odds(outputs)
            actual = y.long()
        self._count_confidence(sure.sigmoid(), named == actual)
        if self._named:
            _count(self._confusion, actual * self._named + named)
            self._count_scores(odds, actual)

    def _count_confidence(self, probability: torch.Tensor, right: torch.Tensor) -> None:
        probability = probability.double().nan_to_num(0.0)
        level = ((probability * CONFIDENCE_BINS).ceil().long() - 1).clamp(0, CONFIDENCE_BINS - 1)
        parts = (probability * CONFIDENCE_UNIT).round().long()
        for row, counted in enumerate((torch.ones_like(parts), right.long(), parts)):
            self._confidence[:, row].scatter_add_(1, level, counted)

    def _count_scores(self, odds: torch.Tensor, actual: torch.Tensor) -> None:
        place = torch.asinh((odds + self._even) / SCALE) / REACH
        bins = ((place.nan_to_num(0.0) + 1) / 2 * SCORE_BINS).floor().long().clamp(0, SCORE_BINS - 1)
        classes = torch.arange(self._scored, device=odds.device) + (1 if self._binary else 0)
        of_class = (actual.unsqueeze(-1) == classes).long()
        rows = torch.arange(self._scored, device=odds.device) * 2
        _count(self._scores, ((rows + of_class) * SCORE_BINS + bins).flatten(1))

    def result(self) -> torch.Tensor:
        return torch.zeros(len(self._finite), dtype=torch.float64, device=self._finite.device)

    def summaries(self) -> list[ClassSummary | None]:
        lanes = len(self._finite)
        confusion = self._confusion.view(lanes, self._named, self._named).cpu().long().numpy()
        scores = self._scores.view(lanes, self._scored, 2, SCORE_BINS).cpu().long().numpy()
        confidence = self._confidence.transpose(1, 2).contiguous().cpu().numpy()
        return [
            ClassSummary(confusion[lane], scores[lane], confidence[lane]) if finite else None
            for lane, finite in enumerate(self._finite.tolist())
        ]


def _count(counts: torch.Tensor, at: torch.Tensor) -> None:
    """Add one to the counts (lanes, places) at these places, (lanes, n)."""
    counts.scatter_add_(1, at, torch.ones_like(at, dtype=counts.dtype))


def _log_odds(outputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the log-odds of each class (lanes, n, classes), the class of the largest, (lanes, n), and its log-odds.

    Those of the largest are computed against the others alone: 1 - p has no digits left where p is nearly 1.
    """
    named = outputs.argmax(-1, keepdim=True)
    rest = outputs.scatter(-1, named, -math.inf).logsumexp(-1, keepdim=True)
    best = outputs.gather(-1, named) - rest
    log_p = outputs.log_softmax(-1)
    odds = (log_p - torch.log1p(-log_p.exp())).scatter(-1, named, best)
    return odds, named.squeeze(-1), best.squeeze(-1)
