"""Follows an experiment to its end: a live bar for each arm in a terminal, a line now and then elsewhere."""

from collections.abc import Callable

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from initlab.experiment import Experiment

ALL = "all arms"
ENDS = {"diverged": "diverged", "failed": "failed", "stopped_early": "stopped early", "pruned": "pruned"}
"""The ends of a run other than success, in words."""
LINES = 10
"""Lines of progress where no bars can be drawn."""


def follow(experiment: Experiment, out: Console) -> Experiment:
    """Wait for the end, telling on `out` how far each arm is."""
    if not out.is_terminal:
        return experiment.wait(_lines(out))
    with _bars(out) as progress:
        return experiment.wait(_update(progress, out.height))


def _lines(out: Console) -> Callable[[Experiment], None]:
    said: set[tuple[str, int]] = set()

    def say(experiment: Experiment) -> None:
        done = experiment.progress
        tenth = LINES * done["steps_done"] // max(1, done["steps_total"])
        if (experiment.status, tenth) not in said:
            said.add((experiment.status, tenth))
            steps, runs = (f"{done[f'{noun}_done']:,}/{done[f'{noun}_total']:,} {noun}" for noun in ("steps", "runs"))
            out.print(f"experiment {experiment.id} {experiment.status}: {steps}, {runs}{_left(done['eta_seconds'])}")

    return say


def _bars(out: Console) -> Progress:
    return Progress(
        TextColumn(
            "{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", max_width=32)
        ),
        BarColumn(bar_width=None),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} steps", markup=False, justify="right"),
        TextColumn("{task.fields[note]}", markup=False),
        console=out,
        expand=True,
    )


def _update(progress: Progress, height: int) -> Callable[[Experiment], None]:
    bars: dict[str, TaskID] = {}

    def show(label: str, done: int, total: int, note: str) -> None:
        if label not in bars:
            bars[label] = progress.add_task(label, total=total, note=note)
        progress.update(bars[label], completed=done, total=total, note=note)

    def update(experiment: Experiment) -> None:
        done = experiment.progress
        arms = experiment.arms if len(experiment.arms) + 2 < height else []
        for arm in arms:
            ended = arm["runs_done"] == arm["runs_total"]
            note = f"{arm['runs_done']}/{arm['runs_total']} runs"
            note += "".join(f", {arm[key]} {words}" for key, words in ENDS.items() if arm.get(key))
            show(arm["label"], arm["steps_total"] if ended else arm["steps_done"], arm["steps_total"], note)
        state = f"{experiment.status}{_left(done['eta_seconds'])}"
        all_done = done["steps_total"] if experiment.status == "succeeded" else done["steps_done"]
        show(ALL, all_done, done["steps_total"], state)

    return update


def _left(seconds: float | None) -> str:
    if not seconds:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f", {minutes} min {rest} s left" if minutes else f", {rest} s left"
