"""Arms that may only start slowly: when pruning them needs two looks in a row, and what is said of it beforehand."""

from collections.abc import Iterator

from core.errors import Problem
from core.spec._body import Spec
from core.spec._pruning import quarter


def looks_in_a_row(spec: Spec) -> int:
    """Return the looks in a row that must find an arm worse before it is pruned: two where schedules differ, else one.

    A warm-up begins below a constant rate and may end above it: at one look the curves have not crossed yet.
    """
    schedules = [arm.treatment.schedule for arm in spec.expanded]
    return 1 if all(one == schedules[0] for one in schedules) else 2


def pruning_warnings(spec: Spec) -> Iterator[Problem]:
    """Say where arms may be given up that only start slowly."""
    if spec.pruning is None:
        return
    epochs = spec.expanded[0].treatment.epochs
    first, needed = spec.pruning.first, looks_in_a_row(spec)
    if first is not None and first < quarter(epochs):
        message = f"is before a quarter of the {epochs} epochs, where an arm that starts slowly looks worse than it is"
        yield Problem("pruning.first", message)
    if needed == 1:
        return
    rungs = spec.pruning.rungs(epochs)
    if len(rungs) < needed:
        message = f"prunes nothing: schedules differ, which takes two looks in a row, and the only one is at {rungs[0]}"
        yield Problem("pruning", f"{message} of {epochs} epochs")
    else:
        message = "compares arms whose schedules differ: one that two looks in a row find worse is given up, and might"
        yield Problem("pruning", f"{message} yet have ended as the best")
