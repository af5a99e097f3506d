"""The one-cycle policy."""

from typing import Annotated, Literal

from pydantic import Field

from core.registry import Positive
from core.schedules import Curve, Schedule, Span, schedules
from core.schedules._lengths import Steps
from core.schedules._peers import MOMENTUM, peers
from core.schedules.cosine import half_wave


@schedules.register(
    formula="ini -> max_lr until p·T - 1, -> min at T - 1; three_phase: ini -> max_lr until p·T - 1, -> ini until "
    "2p·T - 2, -> min at T - 1; ini = max_lr / div_factor, min = ini / final_div_factor; t >= T: min",
    source="Smith & Topin 2018, arXiv:1708.07120; torch.optim.lr_scheduler.OneCycleLR",
    aliases=[
        "one_cycle",
        *peers(
            *("OneCycleLR", "one_cycle_lr"),  # torch, Paddle
            renames={"max_learning_rate": "max_lr", "divide_factor": "div_factor", "phase_pct": "pct_start"},
            refuses={
                "end_learning_rate": "give final_div_factor, max_lr / div_factor over the rate at the end",
                **dict.fromkeys(("epochs", "steps_per_epoch"), "the run's length is known: leave it out"),
                **dict.fromkeys(("cycle_momentum", "base_momentum", "max_momentum"), MOMENTUM),
            },
        ),
    ],
)
def onecycle(
    *,
    max_lr: Positive | None = None,
    total_steps: Steps | None = None,
    pct_start: Annotated[float, Field(ge=0, le=1)] = 0.3,
    anneal_strategy: Literal["cos", "linear"] = "cos",
    div_factor: Positive = 25.0,
    final_div_factor: Positive = 1e4,
    three_phase: bool = False,
) -> Schedule:
    """Up to `max_lr` (B where it is left out), then down to far below where it began.

    T = `total_steps` is the run's length where it is left out; p = `pct_start`. The ends of the phases may lie between
    two updates. A phase of no length is skipped. Only the rate cycles: momentum stays as it is.
    """
    if three_phase and pct_start > 0.5:
        raise ValueError(f"three_phase goes up and down in pct_start each: it should be at most 0.5, got {pct_start}")

    def bind(base: float, span: Span) -> Curve:
        total = span.units(total_steps)
        highest = base if max_lr is None else max_lr
        first = highest / div_factor
        last = first / final_div_factor
        tick = span.tick
        up = pct_start * total - tick
        ends = [up, *([2 * pct_start * total - 2 * tick] if three_phase else []), total - float(tick)]
        turns = [first, highest, *([first] if three_phase else []), last]
        phases = list(zip([0.0, *ends], ends, turns, turns[1:], strict=False))

        def rate(t: float) -> float:
            for start, end, a, b in phases:
                if t <= end and start < end:
                    u = (t - start) / (end - start)
                    return b + (a - b) * (half_wave(u) if anneal_strategy == "cos" else 1 - u)
            return last

        return rate

    return bind
