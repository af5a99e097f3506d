"""A training loss that hardly moves, whatever the reason."""

from core.analysis.findings._rule import Bound, Bounds, Finding
from core.analysis.findings._runs import Curves

BOUNDS = {
    "change_between_epochs": Bound(
        0.01, "relative change of the mean training loss from the first epoch to the last, below"
    ),
    "change_from_start": Bound(
        0.1, "relative change of the training loss from the first updates to the last epoch, below"
    ),
}


def flat_finding(run: Curves, bounds: Bounds) -> Finding | None:
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
    numbers = {"start_loss": first, "last_loss": last, "largest_lr": run.largest_lr, "usual_lr": run.usual_lr}
    return Finding(step=len(run.losses) - 1, numbers=numbers, bound="change_between_epochs")
