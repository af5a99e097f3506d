"""What only the catalogue can tell: that an arm's parts fit together, and how much work it is."""

import math
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch

from core.datasets import DataError, Dataset, Facts
from core.errors import InvalidSpec, Problem
from core.optimizers import Optimizer
from core.registry import Entry
from core.schedules import bind
from core.spec._arms import Arm
from core.spec._body import LIMITS, Spec, Treatment


class ArmFacts(NamedTuple):
    """An arm's size."""

    data: Facts
    parameters: int
    steps_per_epoch: int
    steps: int
    """Updates of one run."""


def check(spec: Spec, data_root: Path) -> list[ArmFacts]:
    """Build every arm's model without memory, look at its data set, try its schedule: one `ArmFacts` an arm.

    Raises `InvalidSpec` with the path of what does not fit or is too large.
    """
    facts: list[ArmFacts] = []
    problems: list[Problem] = []
    for i, arm in enumerate(spec.expanded):
        where = _where(spec, i, arm)
        try:
            facts.append(_facts(arm.treatment, data_root, where))
        except InvalidSpec as error:
            problems += [p for p in error.problems if p not in problems]
    total = sum(fact.steps for fact in facts) * len(spec.seed_list)
    if not problems and total > LIMITS.steps:
        problems.append(Problem("epochs", f"{total:,} updates in all; {LIMITS.steps:,} is the most"))
    if problems:
        raise InvalidSpec(problems)
    return facts


def _where(spec: Spec, i: int, arm: Arm) -> Callable[[str], str]:
    place = f"arms[{i}]" if spec.arms is not None else "grid"
    return lambda field: f"{place}.{field}" if field in arm.replaced else field


def _facts(treatment: Treatment, data_root: Path, where: Callable[[str], str]) -> ArmFacts:
    dataset: Dataset = treatment.dataset.build()
    try:
        data = dataset.facts(data_root)
    except DataError as error:
        raise InvalidSpec([Problem(where("dataset"), error.detail)]) from None
    try:
        parameters = _parameters(treatment.model, data.inputs, data.outputs)
    except (RuntimeError, ValueError, OverflowError) as error:
        raise InvalidSpec([Problem(where("model"), f"does not fit the data set: {error}")]) from None
    if parameters > LIMITS.parameters:
        raise InvalidSpec(
            [Problem(where("model"), f"has {parameters:,} parameters; {LIMITS.parameters:,} is the most")]
        )
    steps_per_epoch = math.ceil(data.train / treatment.batch_size)
    steps = steps_per_epoch * treatment.epochs
    _try_schedule(treatment, steps, steps_per_epoch, where("schedule"))
    return ArmFacts(data, parameters, steps_per_epoch, steps)


@lru_cache(maxsize=1024)  # the arms of an experiment mostly share their model
def _parameters(model: Entry, inputs: tuple[int, ...], outputs: int) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in model.build()(inputs, outputs).parameters())


def _try_schedule(treatment: Treatment, steps: int, steps_per_epoch: int, path: str) -> None:
    optimizer: Optimizer = treatment.optimizer.build()
    curve = bind(treatment.schedule, optimizer.hyper["lr"], steps, steps_per_epoch)
    for step in sorted({0, 1, steps // 2, steps - 1}):
        try:
            rate = curve(step)
        except (ArithmeticError, ValueError) as error:
            raise InvalidSpec([Problem(path, f"has no rate at update {step}: {error}")]) from None
        if not (math.isfinite(rate) and rate >= 0):
            raise InvalidSpec([Problem(path, f"gives the rate {rate} at update {step}; it should be 0 or more")])
