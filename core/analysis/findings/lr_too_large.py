"""A training loss that ends above its start, or as no number."""

import math

import numpy as np

from core.analysis.findings import Bound, Bounds, Curves, Finding, Measured, Numbers, Rule, rules
from core.analysis.findings._signal import SIGNAL_FAULTS

OVERSHOT = (
    "The training loss ends at {last_loss}, above its start of {start_loss}: the learning rate (up to {largest_lr}) "
    "makes steps that overshoot."
)
DIVERGED = (
    "The training loss became infinite or no number after {updates} updates: the learning rate (up to {largest_lr}) is "
    "too large for these initial weights."
)
FAR = 100
"""The multiple of the optimizer's default above which a tenth of a rate is too large as well."""
NOT_DIAGNOSED = " Whether it is rather these weights that are too large, `diagnostics` in the spec would show."


def check(run: Curves, bounds: Bounds) -> Finding | None:
    """Return the finding of a run that diverged, or whose last tenth of updates has a larger loss than its start."""
    losses = run.losses
    if run.diverged:
        finite = losses[np.isfinite(losses)]
        numbers = {"start_loss": float(losses[0]), "last_loss": float(finite[-1]) if len(finite) else math.nan}
        numbers |= {"updates": len(losses)}
    else:
        start, last = run.start_loss, float(np.median(losses[-max(1, len(losses) // 10) :]))  # a spike moves no median
        if len(losses) < bounds["updates"] or not last > bounds["last_over_start"] * start > 0:
            return None
        numbers = {"start_loss": start, "last_loss": last}
    numbers |= {"largest_lr": run.largest_lr, "usual_lr": run.usual_lr}
    return Finding(step=len(losses) - 1, numbers=numbers, bound="last_over_start")


def explanation(numbers: Numbers, measured: Measured) -> str:
    """Return the text for runs that diverged, which alone count their updates, or for those that overshot."""
    happened = DIVERGED if "updates" in numbers else OVERSHOT
    far = (numbers["largest_lr"] or 0.0) > FAR * (numbers["usual_lr"] or 0.0)
    advice = " Begin at the optimizer's default, {usual_lr}." if far else " Try a tenth of it."
    return happened + advice + ("" if measured.diagnosed else NOT_DIAGNOSED)


rules.add(
    Rule(
        name="lr_too_large",
        label="a learning rate that is too large",
        rank=8,
        looks_at=Curves,
        bounds={
            "last_over_start": Bound(
                1.2, "training loss in the last tenth of the updates over that at the start, above"
            ),
            "updates": Bound(10, "updates of a run that did not diverge, at least"),
        },
        check=check,
        explanation=explanation,
        explains=SIGNAL_FAULTS,
        unless_explained=True,
    )
)
