"""The batch-size scan: every arm with every batch size, the learning rate scaled by a rule."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from torch.nn.modules.batchnorm import _BatchNorm, _NormBase

from core.datasets import DatasetInfo
from core.errors import Problem
from core.models import on_meta
from core.registry import Count, CountFromZero, Entry, problems_of
from core.schedules import bind, rates, without_default_bounds
from core.spec._arms import Arm
from core.spec._kinds import DerivedArms, changed, too_long, where


class BatchSizeScan(BaseModel):
    """Settings of a batch-size scan: all sizes train from the same weights on the same examples in the same order.

    The spec's own `batch_size` is the one that the arms' rates are for. With another size the rate is multiplied by
    their ratio (`linear`: Goyal et al. 2017, arXiv:1706.02677, for SGD), by its square root (`sqrt`: Krizhevsky 2014,
    arXiv:1404.5997; Malladi et al. 2022, arXiv:2205.10287, for Adam), or by nothing (`none`).
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    sizes: Annotated[list[Count], Field(min_length=2, max_length=64)] = [16, 32, 64, 128, 256]
    rule: Literal["linear", "sqrt", "none"]
    noise_every: CountFromZero = 4
    """The gradient noise is measured in updates 0, `noise_every`, ... of an epoch, by half a batch more; 0: not."""

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if len(set(self.sizes)) < len(self.sizes):
            raise ValueError("sizes should differ from one another")
        return self

    def factor(self, size: int, base: int) -> float:
        """Return the factor of the learning rate."""
        return {"linear": size / base, "sqrt": math.sqrt(size / base), "none": 1.0}[self.rule]


def scan(asked: Sequence[Arm], settings: BatchSizeScan, base: int, place: str | None) -> DerivedArms:
    """Return every arm with every size, in this order; `place` is the request's field of arms, None if it has none.

    Labels are "batch_size=32", behind the arm's own where the request lists arms.
    """
    made: list[Arm] = []
    problems: list[Problem] = []
    for i, arm in enumerate(asked):
        if "batch_size" in arm.replaced:
            message = "leave it out of the arms: batch_size_scan.sizes lists what is scanned"
            problems.append(Problem(where(arm, i, place, "batch_size"), message))
        labels = [
            f"batch_size={size}" if place is None else f"{arm.label}, batch_size={size}" for size in settings.sizes
        ]
        problems += too_long(labels, where(arm, i, place, "label"), "the batch size")
        for k, (size, label) in enumerate(zip(settings.sizes, labels, strict=True)):
            try:
                rate = arm.treatment.optimizer.parameters()["lr"] * settings.factor(size, base)
                one = changed(arm, {"batch_size": size}, rate)
            except ValidationError as error:
                found = "; ".join(f"{p.path}: {p.message}" for p in problems_of(error.errors(), type(arm.treatment)))
                problems.append(Problem(f"batch_size_scan.sizes[{k}]", found))
                continue
            own = ("batch_size",) if settings.rule == "none" else ("batch_size", "optimizer")
            made.append(replace(one, label=label, replaced=tuple(dict.fromkeys([*arm.replaced, *own]))))
    return made, list(dict.fromkeys(problems))


def check_scanned(
    arm: Arm, settings: BatchSizeScan, data: DatasetInfo, steps: int, per_epoch: int, path: Callable[[str], str]
) -> list[Problem]:
    """Return the problems of one arm of a scan that only its data set, model and schedule show."""
    problems = []
    size = arm.treatment.batch_size
    if size > data.train:
        problems.append(Problem(path("batch_size"), f"is more than the {data.train:,} training examples"))
    mixing = _mixing(arm, data)
    if settings.noise_every and mixing is not None:
        message = f"{mixing} there is no gradient noise scale, for no example has a gradient of its own"
        problems.append(Problem("batch_size_scan.noise_every", f"{message}: set 0, or do without"))
    if not _follows(arm, steps, per_epoch):
        message = (
            f"has rates of its own, which the rule {settings.rule!r} does not reach: leave them out, or take 'none'; "
            "a factor of the lr, as linear_factor, wsd and lambda have, is reached"
        )
        problems.append(Problem(path("schedule"), message))
    return problems


def _mixing(arm: Arm, data: DatasetInfo) -> str | None:
    """Return the words for what makes an example's gradient depend on its company; None: nothing does."""
    if mixes_examples(arm.treatment.model, data.inputs, data.outputs):
        return "of a model with batch norm"
    if arm.treatment.mixup or arm.treatment.cutmix:
        return "of mixed examples"
    if arm.treatment.class_weights is not None and data.task == "multiclass":
        return "of class_weights, by whose sum a batch's loss is divided,"
    return None


def _follows(arm: Arm, steps: int, per_epoch: int) -> bool:
    """Return whether the rates of the schedule grow with the optimizer's, all that the user may have given."""
    before, after = ((arm.asked or arm).treatment.optimizer, arm.treatment.optimizer)
    at = sorted({*range(0, steps, max(1, steps // 50)), steps - 1})
    schedule = without_default_bounds(arm.treatment.schedule)
    first, second = (rates(bind(schedule, entry.parameters()["lr"], steps, per_epoch), at) for entry in (before, after))
    factor = after.parameters()["lr"] / before.parameters()["lr"]
    return all(math.isclose(b, factor * a, rel_tol=1e-6, abs_tol=1e-15) for a, b in zip(first, second, strict=True))


@lru_cache(maxsize=1024)
def mixes_examples(model: Entry, inputs: tuple[int, ...], outputs: int) -> bool:
    """Return whether an example's outputs depend on its batch in training, or the model keeps statistics of it."""
    return any(
        isinstance(layer, _BatchNorm) or (isinstance(layer, _NormBase) and layer.track_running_stats)
        for layer in on_meta(model, inputs, outputs).modules()
    )
