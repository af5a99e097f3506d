"""The command that sends what was logged without a server."""

from pathlib import Path
from typing import Annotated

import typer

from initlab.client import Client
from initlab.errors import FAILED
from initlab.output import AsJson, Quiet, complain, tell
from initlab.tracking.sync import Synced
from initlab.tracking.sync import sync as send


def sync(
    folder: Annotated[
        Path | None,
        typer.Argument(help="What initlab.offline wrote into; default: what runs of this server left behind here."),
    ] = None,
    project: Annotated[
        str | None, typer.Option(help="What new experiments are to belong to (INITLAB_PROJECT).")
    ] = None,
    skip_damaged: Annotated[
        bool, typer.Option("--skip-damaged", help="Send what is whole behind points that cannot be read, without them.")
    ] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Send runs that were logged without a server. The same again sends what came since, and nothing twice.

    The exit code is 1 where the server refuses something, or a file is damaged.
    """
    found = send(folder, Client(project=project), skip_damaged=skip_damaged)
    said = "\n".join(map(_told, found)) or "there is nothing to send"
    tell([one._asdict() | {"folder": str(one.folder)} for one in found], said, as_json=as_json, quiet=quiet)
    refused = [reason for one in found for reason in one.refused]
    for reason in refused:
        complain(reason)
    if refused:
        raise typer.Exit(FAILED)


def _told(one: Synced) -> str:
    left = f"; {one.open:,} without an end: still logged, or killed" if one.open else ""
    gone = f"; {one.skipped:,} damaged points left out" if one.skipped else ""
    return f"experiment {one.experiment} {one.name!r}: {one.points:,} points sent, {one.ended:,} runs ended{left}{gone}"
