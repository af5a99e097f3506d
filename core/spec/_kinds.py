"""Kinds of experiment beside a comparison, which change the arms they are given."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.errors import Problem
from core.registry import HUGE, Positive
from core.spec._arms import LABEL, Arm

Kind = Literal["comparison", "lr_range_test", "batch_size_scan", "coordinate_check"]
SETTINGS: Mapping[Kind, str] = {
    "lr_range_test": "lr_range",
    "batch_size_scan": "batch_size_scan",
    "coordinate_check": "coordinate_check",
}
"""The field with the settings of each kind."""
LENGTH = "a run has lr_range.steps updates"
DerivedArms = tuple[list[Arm], list[Problem]]


class LrRange(BaseModel):
    """A learning-rate range test (Smith 2017, arXiv:1506.01186): the rate rises exponentially while a network trains.

    During update t of `steps` it is low·(high / low)^(t / (steps - 1)), for every arm and seed.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)

    low: Positive = 1e-6
    high: Positive = 10.0
    steps: Annotated[int, Field(ge=20, le=100_000)] = 100
    """Updates of a run, which may end inside an epoch."""
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """The share of its weight that a loss keeps with every update of distance, in the mean that smooths the curve; it
    spans 1 / (1 - smoothing) updates on both sides."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not 1 < self.high / self.low <= HUGE:
            raise ValueError(f"high should be above low, at most {HUGE:g} times")
        if self.memory > self.steps / 4:
            raise ValueError(f"smoothing spans {self.memory} updates, more than a quarter of steps")
        return self

    @property
    def memory(self) -> int:
        """Updates that the smoothing spans on each side."""
        return round(1 / (1 - self.smoothing))


def range_test(asked: Sequence[Arm], settings: LrRange, place: str | None) -> DerivedArms:
    """Return the arms with the ramp as their schedule; `place` is what the request lists its arms in."""
    why = {"schedule": "the rate is the ramp's", "epochs": LENGTH, "early_stopping": LENGTH}
    problems = unused(asked, place, "lr_range_test", why)
    ramp = {"name": "exponential", "gamma": settings.high / settings.low, "decay_steps": settings.steps - 1}
    return [changed(arm, {"schedule": ramp}, settings.low) for arm in asked], problems


def unused(asked: Sequence[Arm], place: str | None, kind: Kind, why: Mapping[str, str]) -> list[Problem]:
    """Refuse the fields that the kind has no use for, unless they are the defaults; `why` says it of each."""
    article = "an" if kind.startswith("lr") else "a"
    found = []
    for i, arm in enumerate(asked):
        default = type(arm.treatment)()
        for field, reason in why.items():
            if getattr(arm.treatment, field) != getattr(default, field):
                message = f"leave it out of {article} {kind}: {reason}"
                found.append(Problem(where(arm, i, place, field), message))
    return list(dict.fromkeys(found))


def too_long(labels: Sequence[str], path: str, behind: str) -> list[Problem]:
    """Refuse an arm's label that is too long with what the kind writes behind it."""
    longest = max(map(len, labels))
    if longest <= LABEL:
        return []
    return [Problem(path, f"should be shorter by {longest - LABEL}, for {behind} comes behind it")]


def changed(arm: Arm, settings: Mapping[str, Any], lr: float) -> Arm:
    """Return the arm with other settings and another base rate."""
    dump = arm.treatment.model_dump() | settings
    dump["optimizer"] = dump["optimizer"] | {"lr": lr}
    return replace(arm, treatment=type(arm.treatment).model_validate(dump), asked=arm)


def where(arm: Arm, i: int, place: str | None, field: str) -> str:
    """Return the path of an arm's field in the request, which lists its arms in `place`."""
    if place is None or (field not in arm.replaced and field != "label"):
        return field
    return f"arms[{i}].{field}" if place == "arms" else f"grid.{field}"
