"""The commands about webhooks."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import typer
from rich import box
from rich.table import Table

from initlab.client import Client
from initlab.completing import id_of
from initlab.output import AsJson, Quiet, tell

app = typer.Typer(
    no_args_is_help=True, help="Webhooks: who is told of what happens to your experiments.", rich_markup_mode=None
)

Id = Annotated[int, typer.Argument(help="The webhook's id.", parser=id_of, metavar="WEBHOOK")]


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
    said = f"webhook {made['id']} tells of {', '.join(made['events'])}\nits secret: {made['secret']}"
    tell(made, said, as_json=as_json)


@app.command("list")
def list_webhooks(as_json: AsJson = False) -> None:
    """List your webhooks."""
    found = Client().webhooks()
    shown = _table(found, "id", "url", "payload", "created_at") if found else "no webhooks"
    tell(found, shown, as_json=as_json)


@app.command()
def deliveries(webhook: Id, as_json: AsJson = False) -> None:
    """Show what was sent to a webhook, and what is to be."""
    found = list(Client().deliveries(webhook))
    names = ("id", "event", "status", "attempts", "status_code", "error", "due_at", "created_at")
    tell(found, _table(found, *names) if found else "no deliveries", as_json=as_json)


@app.command()
def replay(
    webhook: Id,
    delivery: Annotated[int, typer.Argument(help="The delivery's id.", min=1)],
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Send a delivery that has ended again."""
    sent = Client().replay(webhook, delivery)
    tell(sent, f"delivery {delivery} is sent again", as_json=as_json, quiet=quiet)


@app.command()
def delete(webhook: Id, quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Remove a webhook; what has not been sent is not sent any more."""
    Client().delete_webhook(webhook)
    tell({"done": [webhook]}, f"webhook {webhook} is deleted", as_json=as_json, quiet=quiet)


def _table(items: Sequence[Mapping[str, Any]], *names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        table.add_column(name.replace("_", " "), overflow="fold")
    for item in items:
        table.add_row(*("" if item[name] is None else str(item[name]) for name in names))
    return table
