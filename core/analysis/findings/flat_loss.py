"""A training loss that hardly moves at a rate that others train with."""

from core.analysis.findings import Bounds, Curves, Finding, Measured, Numbers, Rule, rules
from core.analysis.findings._flat import BOUNDS, flat_finding

HARDLY_MOVED = (
    "The training loss hardly moved: it was {start_loss} in the first epoch and {last_loss} in the last, at a learning "
    "rate of at most {largest_lr}. "
)
DIAGNOSED = (
    "The layers show no reason. The rate may be too small for this task, which a range test shows, or the inputs say "
    "little about the targets."
)
NOT_DIAGNOSED = (
    "Either the rate is too small, or the signal or the gradient is lost between the layers, which no rate mends: "
    "`diagnostics` in the spec would tell."
)


def check(run: Curves, bounds: Bounds) -> Finding | None:
    """Return the finding of a loss that hardly moved."""
    return flat_finding(run, bounds)


def explanation(_numbers: Numbers, measured: Measured) -> str:
    """Return the text: what may be the reason depends on whether the layers were measured."""
    return HARDLY_MOVED + (DIAGNOSED if measured.diagnosed else NOT_DIAGNOSED)


rules.add(
    Rule(
        name="flat_loss",
        label="a training loss that hardly moves",
        rank=95,
        looks_at=Curves,
        bounds=BOUNDS,
        check=check,
        explanation=explanation,
        unless_explained=True,
    )
)
