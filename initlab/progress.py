"""Progress of an experiment: a bar for each arm in a terminal or a notebook, a line now and then elsewhere."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column

from initlab import notebook
from initlab.words import runs

ALL = "all arms"
ENDS = {"diverged": "diverged", "failed": "failed", "stopped_early": "stopped early", "pruned": "pruned"}
"""The ends of a run other than success, in words."""
LINES = 10
"""Lines of progress where no bars can be drawn."""


class Tracked(Protocol):
    """An experiment as far as its progress goes."""

    @property
    def data(self) -> Mapping[str, Any]: ...


Tell = Callable[[Tracked], None]


@contextmanager
def shown() -> Iterator[Tell]:
    """Yield what shows progress where this program runs: in a notebook, in a terminal on stderr, elsewhere nowhere."""
    if _in_notebook():
        yield _cell()
    elif sys.stderr is not None and sys.stderr.isatty():
        with bars(Console(stderr=True, markup=False, highlight=False, emoji=False)) as tell:
            yield tell
    else:
        yield lambda _: None


def _in_notebook() -> bool:
    """Return whether a kernel runs this, rather than IPython's own terminal."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return getattr(shell, "kernel", None) is not None


def _cell() -> Tell:
    """Return what shows progress below a notebook's cell, in one place."""
    display = import_module("IPython.display")
    handle = display.display(display.HTML(""), display_id=True)
    return lambda one: handle.update(display.HTML(notebook.progress(one.data)))


def lines(out: Console) -> Tell:
    """Return what prints a line whenever a tenth more is done."""
    said: set[tuple[str, int]] = set()

    def say(experiment: Tracked) -> None:
        data, done = experiment.data, experiment.data["progress"]
        tenth = LINES * done["steps_done"] // max(1, done["steps_total"])
        if (data["status"], tenth) not in said:
            said.add((data["status"], tenth))
            steps = f"{done['steps_done']:,}/{done['steps_total']:,} steps"
            far = f"{steps}, {runs(done, noun=' runs')}{_left(done['eta_seconds'])}"
            out.print(f"experiment {data['id']} {data['status']}: {far}")

    return say


@contextmanager
def bars(out: Console) -> Iterator[Tell]:
    """Yield what moves a bar for each arm, and one for all."""
    columns = (
        TextColumn(
            "{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis", max_width=32)
        ),
        BarColumn(bar_width=None),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} steps", markup=False, justify="right"),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=out, expand=True) as progress:
        yield _update(progress, out.height)


def _update(progress: Progress, height: int) -> Tell:
    moved: dict[str, TaskID] = {}

    def show(label: str, done: int, total: int, note: str) -> None:
        if label not in moved:
            moved[label] = progress.add_task(label, total=total, note=note)
        progress.update(moved[label], completed=done, total=total, note=note)

    def update(experiment: Tracked) -> None:
        data, done = experiment.data, experiment.data["progress"]
        for arm in data["arms"] if len(data["arms"]) + 2 < height else []:
            ended = arm["runs_done"] == arm["runs_total"] and not arm.get("cancelled")
            note = runs(arm, noun=" runs")
            note += "".join(f", {arm[key]} {words}" for key, words in ENDS.items() if arm.get(key))
            show(arm["label"], arm["steps_total"] if ended else arm["steps_done"], arm["steps_total"], note)
        state = f"{data['status']}{_left(done['eta_seconds'])}"
        all_done = done["steps_total"] if data["status"] == "succeeded" else done["steps_done"]
        show(ALL, all_done, done["steps_total"], state)

    return update


def _left(seconds: float | None) -> str:
    if not seconds:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f", {minutes} min {rest} s left" if minutes else f", {rest} s left"
