"""The coordinate check: every arm with every width of its model, for a few updates."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import Problem
from core.models import at_width, width_fields
from core.registry import Count, Entry, problems_of
from core.spec._arms import Arm
from core.spec._kinds import DerivedArms, changed, too_long, unused, where


class CoordinateCheck(BaseModel):
    """Settings of a coordinate check (Yang et al. 2022, arXiv:2203.03466, appendix D.1).

    Each arm trains with each width: of `mlp` that is every number of `hidden`, of `cnn` of `channels` and `dense`, of
    `lenet5` and `resnet` `width`, of `transformer` `d_model`. Every layer's size is measured before the first update
    and after each of `updates`.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    widths: Annotated[list[Count], Field(min_length=2, max_length=16)] = [64, 128, 256, 512]
    updates: Annotated[int, Field(ge=1, le=100)] = 4

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if len(set(self.widths)) < len(self.widths):
            raise ValueError("widths should differ from one another")
        return self


def widened(asked: Sequence[Arm], settings: CoordinateCheck, place: str | None) -> DerivedArms:
    """Return every arm with every width, in this order; `place` is the request's field of arms, None if it has none.

    Labels are "width=64", behind the arm's own where the request lists arms.
    """
    made: list[Arm] = []
    length = "a run has coordinate_check.updates updates, at one rate"
    problems = unused(asked, place, "coordinate_check", dict.fromkeys(("schedule", "epochs", "early_stopping"), length))
    for i, arm in enumerate(asked):
        model: Entry = arm.treatment.model
        if not any(model.parameters()[name] for name in width_fields(model)):
            message = "has no width to change: take mlp with hidden layers, cnn, lenet5, resnet or transformer"
            problems.append(Problem(where(arm, i, place, "model"), message))
            continue
        labels = [f"width={width}" if place is None else f"{arm.label}, width={width}" for width in settings.widths]
        problems += too_long(labels, where(arm, i, place, "label"), "the width")
        rate = arm.treatment.optimizer.parameters()["lr"]
        for k, (width, label) in enumerate(zip(settings.widths, labels, strict=True)):
            try:
                one = changed(arm, {"model": {"name": model.name} | at_width(model, width)}, rate)
            except ValidationError as error:
                found = "; ".join(f"{p.path}: {p.message}" for p in problems_of(error.errors(), type(arm.treatment)))
                problems.append(Problem(f"coordinate_check.widths[{k}]", found))
                continue
            replaced = tuple(dict.fromkeys([*arm.replaced, "model"]))
            made.append(replace(one, label=label, replaced=replaced))
    return made, list(dict.fromkeys(problems))
