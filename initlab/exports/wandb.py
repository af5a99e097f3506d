"""Writes an experiment's runs as W&B's own library writes them offline, for `wandb sync`: needs `initlab[wandb]`."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from initlab.errors import ClientError
from initlab.experiment import Experiment
from initlab.exports.tables import Run, number, runs_of

STEP = "update"
"""The axis of all metrics."""


def write_wandb(experiment: Experiment, output: str | None) -> str:
    """Write a folder of offline runs, and return its path: `wandb sync PATH/wandb/offline-run-*` uploads them.

    No account is needed, and nothing leaves this machine. Arms are groups; settings are the config. Raises
    `ClientError` without W&B's library.
    """
    if find_spec("wandb") is None:
        raise ClientError("--to wandb needs W&B's library: pip install 'initlab[wandb]'")
    wandb: Any = import_module("wandb")  # of an extra, and slow
    folder = Path(output or f"experiment-{experiment.id}-wandb")
    folder.mkdir(parents=True, exist_ok=True)
    for run in runs_of(experiment):
        _write(wandb, folder, experiment, run)
    return str(folder)


def _write(wandb: Any, folder: Path, experiment: Experiment, run: Run) -> None:
    quiet = wandb.Settings(silent=True, console="off", disable_git=True, x_disable_stats=True, x_disable_meta=True)
    made = wandb.init(
        mode="offline",
        dir=str(folder),
        project=f"initlab-{experiment.id}",
        name=run.name,
        id=f"initlab-{experiment.id}-{run.id}",
        group=run.arm[:128],
        tags=[f"seed {run.seed}", run.outcome],
        config={"arm": run.arm, "seed": run.seed, "outcome": run.outcome, **run.settings},
        settings=quiet,
    )
    by_step: dict[int, dict[str, float]] = {}
    at = run.steps()
    for one in run.series:
        for step, value in zip(at[one["metric"]], one["values"], strict=True):
            by_step.setdefault(step, {STEP: step})[one["metric"]] = number(value)
    for step in sorted(by_step):
        made.log(by_step[step], step=step)
    made.finish(exit_code=0)
