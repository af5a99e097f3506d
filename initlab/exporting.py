"""The commands that take an experiment elsewhere, and that train one again."""

from pathlib import Path
from typing import Annotated

import typer

from initlab import display
from initlab.client import Client
from initlab.errors import DIFFERENT, FAILED
from initlab.experiment import Experiment
from initlab.exports import Target, export_to
from initlab.follow import follow
from initlab.output import AsJson, Id, Quiet, complain, out, print_json, tell
from initlab.reproducing import TOLERANCE, sentences
from initlab.reproducing import reproduce as train_again


def export(
    experiment: Id,
    to: Annotated[Target, typer.Option(help="The format, or the tool that is to show it.")],
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="A file, or a folder; of mlflow the server's address.", show_default=False),
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Take an experiment to other tools: tables, TensorBoard, MLflow, W&B, a lab notebook (eln), or a bundle of all."""
    saved = export_to(Client().experiment(experiment), to, output)
    tell({"saved": saved}, saved, as_json=as_json, quiet=quiet)


def reproduce(
    bundle: Annotated[Path, typer.Argument(help="What `initlab export ID --to bundle` saved; an .eln does too.")],
    against: Annotated[
        int | None, typer.Option(min=1, help="Train nothing: compare with this experiment.", show_default=False)
    ] = None,
    tolerance: Annotated[float, typer.Option(min=0, help="How far values may be apart, relative to them.")] = TOLERANCE,
    exact: Annotated[bool, typer.Option("--exact", help="No tolerance: every bit counts.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train a bundle's experiment again, and compare every point: identical, within tolerance, or different (exit 5).

    It says where the two differ first, and what of software, machine and data is another.
    """

    def to_the_end(posted: Experiment) -> None:
        if quiet or as_json:
            posted.wait(progress=False)
        else:
            follow(posted, display.console(stderr=True))

    found = train_again(bundle, against=against, tolerance=0.0 if exact else tolerance, follow=to_the_end)
    if as_json:
        print_json(found.as_dict())
    elif not quiet:
        for one in sentences(found):
            out(one)
    if found.experiment.status != "succeeded":
        complain(f"experiment {found.experiment.id} {found.experiment.status}")
        raise typer.Exit(FAILED)
    result = found.comparison.result
    if result == "different" or (exact and result != "identical"):
        raise typer.Exit(DIFFERENT)
