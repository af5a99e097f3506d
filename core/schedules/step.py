"""Step decay."""

from core.registry import Count, Positive
from core.schedules import Curve, Schedule, Span, schedules


@schedules.register(
    formula="B·gamma^(t // step_size)",
    source="He et al. 2016, arXiv:1512.03385; torch.optim.lr_scheduler.StepLR",
    aliases=["step_decay"],
    unit="epoch",
)
def step(*, step_size: Count, gamma: Positive = 0.1) -> Schedule:
    """The rate times `gamma` every `step_size` epochs (or updates, by `unit`), first at t = `step_size`."""

    def bind(base: float, _span: Span) -> Curve:
        return lambda t: float(base * gamma ** (t // step_size))

    return bind
