"""Evaluation of the reference trainer: all examples of a split at once, one metric after another."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from core.classification import CONFIDENCE_BINS, CONFIDENCE_UNIT, REACH, SCALE, SCORE_BINS, ClassSummary
from core.datasets import DatasetInfo, Splits
from core.metrics import Evaluation, Metric, Split, Task, measured_by_epoch, measured_on_test
from core.training.lanes.evaluation import judged_part
from core.training.plain_settings import Average, loss_of_task

Outputs = Callable[[torch.Tensor, nn.Module], torch.Tensor]


class PlainJudge:
    """Judges a model, and its running mean, on the splits."""

    def __init__(
        self,
        info: DatasetInfo,
        data: Splits,
        *,
        model: nn.Module,
        average: Average,
        optimizers: Sequence[Any],
        outputs: Outputs,
        judge_all: bool,
    ) -> None:
        """Take numbers as they are trained on, and `outputs`, which gives a model's for some inputs."""
        self._info, self._data = info, data
        self._model, self._average, self._optimizers, self._outputs = model, average, optimizers, outputs
        train, valid = len(data.x_train), len(data.x_valid)
        self._judged = torch.arange(train) if judge_all else judged_part(train, valid)

    def epoch(self) -> dict[str, float]:
        """Return the metrics after an epoch, by name."""
        data, info = self._data, self._info
        with self._evaluating():
            x, y = data.x_train[self._judged], data.y_train[self._judged]
            trained = {f"train_{name}": value for name, value in self._of(self._model, x, y).items()}
            del trained["train_loss"]  # which every update has
            measured = measured_by_epoch(info.task, info.outputs)
            return trained | self._held_out("valid", data.x_valid, data.y_valid, measured)

    def test(self) -> dict[str, float]:
        """Return the metrics of the weights as they are on the test split; none where there is no such split."""
        data, info = self._data, self._info
        if not len(data.x_test):
            return {}
        with self._evaluating():
            return self._held_out("test", data.x_test, data.y_test, measured_on_test(info.task, info.outputs))

    def summary(self) -> ClassSummary:
        """Return the summary of the classes on the judged split, one example and one class after another."""
        data = self._data
        x, y = (data.x_test, data.y_test) if len(data.x_test) else (data.x_valid, data.y_valid)
        with self._evaluating():
            outputs = self._outputs(x, self._model)
        if self._info.task == "binary":
            outputs, y = torch.cat([torch.zeros_like(outputs), outputs], dim=1), y.squeeze(1)
        return _summary(outputs, [int(label) for label in y], binary=self._info.task == "binary")

    def _held_out(self, split: Split, x: torch.Tensor, y: torch.Tensor, of: Iterable[Metric]) -> dict[str, float]:
        def judge(model: nn.Module) -> dict[str, float]:
            return {f"{split}_{name}": value for name, value in self._of(model, x, y).items()}

        others = self._others(of, self._outputs(x, self._model), y)
        return {**judge(self._model), **others, **self._average.judged(judge)}

    def _of(self, model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
        return _judge(self._info.task, self._outputs(x, model), y)

    def _others(self, measured: Iterable[Metric], outputs: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
        """Return the metrics beside loss and score; `tests/core/metrics` hold each against scikit-learn."""
        info, found = self._info, {}
        for metric in measured:
            if metric.accumulator is not None and not metric.standard:
                accumulator = metric.accumulator(Evaluation(task=info.task, lanes=1, y=y, outputs=info.outputs))
                accumulator.add(outputs.unsqueeze(0), y.unsqueeze(0))
                found[metric.name] = accumulator.result().item()
        return found

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        switch_mode(self._optimizers, training=False)
        self._model.eval()
        with torch.no_grad():
            yield
        self._model.train()
        switch_mode(self._optimizers, training=True)


def _summary(outputs: torch.Tensor, labels: Sequence[int], binary: bool) -> ClassSummary:
    """Count what the outputs (n, classes) say of examples with these labels: `core.classification`."""
    classes = outputs.shape[1]
    scored = [1] if binary else [*range(classes)]
    confusion = np.zeros((classes, classes), dtype=np.int64)
    scores = np.zeros((len(scored), 2, SCORE_BINS), dtype=np.int64)
    confidence = np.zeros((CONFIDENCE_BINS, 3), dtype=np.int64)
    edges = SCALE * np.sinh(np.linspace(-REACH, REACH, SCORE_BINS + 1)[1:-1])
    for row, label in zip(outputs, labels, strict=True):
        odds = [(row[k] - row[torch.arange(classes) != k].logsumexp(0)).item() for k in range(classes)]
        named = int(np.argmax(odds))
        confusion[label, named] += 1
        probability = 1 / (1 + math.exp(-odds[named]))
        level = max(0, math.ceil(probability * CONFIDENCE_BINS) - 1)
        confidence[level] += (1, named == label, round(probability * CONFIDENCE_UNIT))
        for place, k in enumerate(scored):
            scores[place, int(k == label), np.searchsorted(edges, odds[k] + math.log(classes - 1), "right")] += 1
    return ClassSummary(confusion, scores, confidence)


def switch_mode(optimizers: Iterable[Any], *, training: bool) -> None:
    """Switch a schedule-free optimizer, which evaluates with other weights than it trains."""
    for optimizer in optimizers:
        if hasattr(optimizer, "eval"):
            optimizer.train() if training else optimizer.eval()


def _judge(task: Task, outputs: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
    """Return the mean loss, and accuracy or R² (the mean over targets)."""
    loss = loss_of_task(task, outputs, y).item()
    if task == "regression":
        left, whole = (outputs - y).square().sum(0), (y - y.mean(0)).square().sum(0)
        return {"loss": loss, "r2": (1 - left / whole).mean().item()}
    predicted = outputs.argmax(1) if task == "multiclass" else (torch.sigmoid(outputs) > 0.5).to(y.dtype)
    return {"loss": loss, "accuracy": (predicted == y).double().mean().item()}
