"""Takes an experiment to other tools."""

from collections.abc import Callable
from typing import Literal, cast

from initlab.downloads import Download
from initlab.experiment import Experiment
from initlab.exports.mlflow import send_to_mlflow
from initlab.exports.tensorboard import write_tensorboard
from initlab.exports.wandb import write_wandb

Target = Literal["csv", "parquet", "arrow", "tensorboard", "mlflow", "wandb", "eln", "bundle"]
EXTENSIONS: dict[Download, str] = {"csv": "csv", "parquet": "parquet", "arrow": "arrows", "eln": "eln", "bundle": "zip"}
TOOLS: dict[str, Callable[[Experiment, str | None], str]] = {
    "tensorboard": write_tensorboard,
    "mlflow": send_to_mlflow,
    "wandb": write_wandb,
}
"""The tools whose own format an experiment is written in: each returns where it lies then."""


def export_to(experiment: Experiment, target: Target, output: str | None = None) -> str:
    """Write an experiment for a tool or as a file, and return where it is; without `output` in the working folder."""
    if target in TOOLS:
        return TOOLS[target](experiment, output)
    what = cast(Download, target)
    return str(experiment.save(what, output or f"experiment-{experiment.id}.{EXTENSIONS[what]}"))
