"""The commands about webhooks."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import typer
from rich import box
from rich.table import Table

from initlab import display
from initlab.client import Client

app = typer.Typer(
    no_args_is_help=True, help="Webhooks: who is told of what happens to your experiments.", rich_markup_mode=None
)

Id = Annotated[int, typer.Argument(help="The webhook's id.", min=1)]
AsJson = Annotated[bool, typer.Option("--json", help="Print the server's JSON.")]


@app.command()
def add(
    url: Annotated[str, typer.Argument(help="The address, https://...")],
    event: Annotated[list[str] | None, typer.Option(help="experiment.succeeded, ...; may be repeated.")] = None,
    payload: Annotated[Literal["json", "slack"], typer.Option(help="What is sent.")] = "json",
    experiment: Annotated[int | None, typer.Option(help="Of this experiment only.", min=1)] = None,
    tag: Annotated[str | None, typer.Option(help="Of experiments with this tag only.")] = None,
    as_json: AsJson = False,
) -> None:
    """Have an address told; prints the secret of the signatures, which is not shown again."""
    made = Client().create_webhook(url, event, payload=payload, experiment_id=experiment, tag=tag)
    if as_json:
        _print_json(made)
    else:
        sys.stdout.write(f"webhook {made['id']} tells of {', '.join(made['events'])}\nits secret: {made['secret']}\n")


@app.command("list")
def list_webhooks(as_json: AsJson = False) -> None:
    """List your webhooks."""
    found = Client().webhooks()
    if as_json:
        _print_json(found)
    else:
        display.console().print(_table(found, "id", "url", "payload", "created_at") if found else "no webhooks")


@app.command()
def deliveries(webhook: Id, as_json: AsJson = False) -> None:
    """Show what was sent to a webhook, and what is to be."""
    found = list(Client().deliveries(webhook))
    if as_json:
        _print_json(found)
    else:
        names = ("id", "event", "status", "attempts", "status_code", "error", "due_at", "created_at")
        display.console().print(_table(found, *names) if found else "no deliveries")


@app.command()
def replay(webhook: Id, delivery: Annotated[int, typer.Argument(help="The delivery's id.", min=1)]) -> None:
    """Send a delivery that has ended again."""
    Client().replay(webhook, delivery)
    sys.stdout.write(f"delivery {delivery} is sent again\n")


@app.command()
def delete(webhook: Id) -> None:
    """Remove a webhook; what has not been sent is not sent any more."""
    Client().delete_webhook(webhook)
    sys.stdout.write(f"webhook {webhook} is deleted\n")


def _table(items: Sequence[Mapping[str, Any]], *names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        table.add_column(name.replace("_", " "), overflow="fold")
    for item in items:
        table.add_row(*("" if item[name] is None else str(item[name]) for name in names))
    return table


def _print_json(what: Any) -> None:
    sys.stdout.write(json.dumps(what, indent=2) + "\n")
