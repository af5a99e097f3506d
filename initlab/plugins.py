"""The commands about plug-ins."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from initlab.client import Client
from initlab.output import AsJson, tell
from initlab.service import become

app = typer.Typer(help="The plug-ins of the service, and the check of one's own.", rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def plugins(context: typer.Context, as_json: AsJson = False) -> None:
    """Show the plug-ins of the service, what each has entered, and how many workers have the same."""
    if context.invoked_subcommand is None:
        found = Client().plugins()
        tell(found, table(found), as_json=as_json)


@app.command()
def check(
    name: Annotated[list[str] | None, typer.Argument(help="The plug-ins to check; all that are here without.")] = None,
    as_json: AsJson = False,
) -> None:
    """Try the plug-ins of this machine, without a service: whether their entries are what the catalogues promise."""
    become("core.conformance", *(name or ()), json=as_json)


def table(found: Mapping[str, Any]) -> RenderableType:
    """Return the plug-ins as a table, and below it what is wrong with those that were left out."""
    rows = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("name", "version", "content", "workers", "entries"):
        rows.add_column(column, overflow="fold")
    for one in found["items"]:
        entries = "; ".join(f"{kind} {', '.join(names)}" for kind, names in sorted(one["entries"].items()))
        workers = f"{one['workers']} of {found['workers']}"
        rows.add_row(one["name"], one["version"], one["sha256"][:12], workers, entries or "left out")
    errors = [f"{one['name']} ({one['source']}): {one['error']}" for one in found["items"] if one["error"]]
    shown = rows if found["items"] else Text("no plug-ins")
    return Group(shown, *(Text(line) for line in errors))
