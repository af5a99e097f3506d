"""The commands that judge several experiments together."""

from typing import Annotated

import typer
from rich.markdown import Markdown

from initlab.client import Client
from initlab.output import AsJson, out, print_json

Arms = Annotated[list[str], typer.Argument(help="Arms, each as ID/LABEL: 4/he 6/he.")]


def compare(
    arms: Arms,
    metric: Annotated[str | None, typer.Option(help="What they are compared by: valid_loss, ...")] = None,
    margin: Annotated[float | None, typer.Option(help="The largest difference that does not matter.")] = None,
    alpha: Annotated[float | None, typer.Option(help="The chance of any false win (default: 0.05).")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare arms that different experiments trained: paired where data set, split and seeds agree."""
    if as_json:
        print_json(Client().compare(arms, metric, margin, alpha))
    else:
        out(Markdown(Client().compare_markdown(arms, metric, margin, alpha)))
