"""The commands about workers."""

from typing import Annotated

import typer

from initlab import display
from initlab.client import Client
from initlab.output import AsJson, Quiet, tell

app = typer.Typer(help="The workers: who trains what, and what waits.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def workers(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the training processes, what they train, and what waits for them."""
    if context.invoked_subcommand is None:
        found = Client().workers()
        tell(found, display.workers(found), as_json=as_json)


@app.command()
def drain(
    name: Annotated[str, typer.Argument(help="The worker's name, as initlab workers shows it.")],
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Have a training process give back what it trains, take nothing more, and end; for admins."""
    found = Client().drain_worker(name)
    said = f"{name} takes nothing more, and ends as soon as it has given back what it trains"
    tell(found, said, as_json=as_json, quiet=quiet)
