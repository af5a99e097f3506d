"""A training loss that hardly moves."""

from core.analysis.findings import Bound, Bounds, Curves, Finding, Measured, Numbers, Rule, rules

HARDLY_MOVED = (
    "The training loss hardly moved: it was {start_loss} in the first epoch and {last_loss} in the last. The learning "
    "rate (at most {largest_lr}) is probably too small; try ten times as much."
)
NOT_DIAGNOSED = " Whether gradients reach the first layers, `diagnostics` in the spec would show."


def check(run: Curves, bounds: Bounds) -> Finding | None:
    """Return the finding where the last epoch's mean loss is near the first epoch's and near that of the first updates.

    In the mean of an epoch every example counts once; the first updates are few and noisy.
    """
    if run.diverged or run.epochs < 2 or len(run.losses) < run.epochs:
        return None
    epoch = len(run.losses) // run.epochs
    first, last = float(run.losses[:epoch].mean()), float(run.losses[-epoch:].mean())
    still = abs(last - first) < bounds["change_between_epochs"] * first
    if not (still and abs(last - run.start_loss) < bounds["change_from_start"] * run.start_loss):
        return None
    numbers = {"start_loss": first, "last_loss": last, "largest_lr": run.largest_lr}
    return Finding(step=len(run.losses) - 1, numbers=numbers, bound="change_between_epochs")


def explanation(_numbers: Numbers, measured: Measured) -> str:
    """Return the text, with a hint where the layers were not measured."""
    return HARDLY_MOVED if measured.diagnosed else HARDLY_MOVED + NOT_DIAGNOSED


rules.add(
    Rule(
        name="lr_too_small",
        label="a learning rate that is too small",
        rank=90,
        looks_at=Curves,
        bounds={
            "change_between_epochs": Bound(
                0.01, "relative change of the mean training loss from the first epoch to the last, below"
            ),
            "change_from_start": Bound(
                0.1, "relative change of the training loss from the first updates to the last epoch, below"
            ),
        },
        check=check,
        explanation=explanation,
        unless_explained=True,
    )
)
