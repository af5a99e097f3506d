"""Step decay, at even distances or at given milestones."""

from bisect import bisect_right
from typing import Annotated

from pydantic import Field

from core.registry import Positive
from core.schedules import Curve, Schedule, Span, schedules
from core.schedules._lengths import Milestones, Steps
from core.schedules._peers import peers, torchs


@schedules.register(
    formula="B·gamma^(t // step_size)",
    source="He et al. 2016, arXiv:1512.03385; torch.optim.lr_scheduler.StepLR",
    aliases=[*torchs("StepLR", "step_lr"), *peers("StepDecay", "step_decay")],
    unit="epoch",
)
def step(*, step_size: Steps, gamma: Positive = 0.1) -> Schedule:
    """The rate times `gamma` every `step_size` epochs (or updates, by `unit`), first at t = `step_size`."""

    def bind(base: float, span: Span) -> Curve:
        length = span.units(step_size)
        return lambda t: float(base * gamma ** (t // length))

    return bind


@schedules.register(
    formula="B·gamma^(number of milestones <= t)",
    source="torch.optim.lr_scheduler.MultiStepLR; paddle.optimizer.lr.MultiStepDecay",
    aliases=[
        "multi_step",
        *torchs("MultiStepLR", "multi_step_lr"),
        *peers("MultiStepDecay", "multi_step_decay"),
    ],
    unit="epoch",
)
def multistep(*, milestones: Annotated[Milestones, Field(min_length=1)], gamma: Positive = 0.1) -> Schedule:
    """The rate times `gamma` at every milestone, in force at t = the milestone itself; one at 0 applies at once."""

    def bind(base: float, span: Span) -> Curve:
        at = [span.units(one) for one in milestones]
        return lambda t: float(base * gamma ** bisect_right(at, t))

    return bind
