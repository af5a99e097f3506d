"""The command that opens the page in a browser."""

import webbrowser
from typing import Annotated

import typer

from initlab.client import Client
from initlab.completing import id_of
from initlab.output import AsJson, Quiet, tell


def open_page(
    experiment: Annotated[
        int | None, typer.Argument(help="The experiment's id; none: the list.", parser=id_of, metavar="[EXPERIMENT]")
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Open the page of an experiment, or of all, in a browser."""
    client = Client()
    address = f"{client.url}/" if experiment is None else client.experiment(experiment).url
    shown = not as_json and webbrowser.open(address)
    tell({"url": address}, address if shown else f"no browser is found here: {address}", as_json=as_json, quiet=quiet)
