"""Follows an experiment to its end, as the command line does."""

from rich.console import Console

from initlab.experiment import Experiment
from initlab.progress import bars, lines


def follow(experiment: Experiment, out: Console) -> Experiment:
    """Wait for the end, telling on `out` how far each arm is."""
    if not out.is_terminal:
        return experiment.wait(lines(out))
    with bars(out) as tell:
        return experiment.wait(tell)
