"""A training loss that hardly moves at a rate far below the optimizer's default."""

from dataclasses import replace

from core.analysis.findings import Bound, Bounds, Curves, Finding, Rule, rules
from core.analysis.findings._flat import BOUNDS, flat_finding


def check(run: Curves, bounds: Bounds) -> Finding | None:
    """Return the finding of a loss that hardly moved while no update had a rate near the optimizer's default."""
    found = flat_finding(run, bounds)
    if found is None or run.largest_lr > bounds["largest_over_usual"] * run.usual_lr:
        return None
    return replace(found, bound="largest_over_usual")


rules.add(
    Rule(
        name="lr_too_small",
        label="a learning rate that is too small",
        rank=90,
        looks_at=Curves,
        bounds=BOUNDS | {"largest_over_usual": Bound(0.01, "largest rate over the optimizer's default, at most")},
        check=check,
        explanation=(
            "The training loss hardly moved: it was {start_loss} in the first epoch and {last_loss} in the last. The "
            "learning rate (at most {largest_lr}) is far below the optimizer's default of {usual_lr}, and too small: "
            "begin there."
        ),
        explains=frozenset({"flat_loss"}),
        unless_explained=True,
    )
)
