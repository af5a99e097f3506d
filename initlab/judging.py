"""The commands that judge several experiments together."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Group
from rich.markdown import Markdown
from rich.table import Table
from rich.text import Text

from initlab.client import Client
from initlab.completing import outcomes
from initlab.completing import studies as named
from initlab.output import AsJson, out, print_json, tell

Arms = Annotated[list[str], typer.Argument(help="Arms, each as ID/LABEL: 4/he 6/he.")]


def compare(
    arms: Arms,
    metric: Annotated[
        str | None, typer.Option(help="What they are compared by: valid_loss, ...", autocompletion=outcomes)
    ] = None,
    margin: Annotated[float | None, typer.Option(help="The largest difference that does not matter.")] = None,
    alpha: Annotated[float | None, typer.Option(help="The chance of any false win (default: 0.05).")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare arms that different experiments trained: paired where data set, split and seeds agree."""
    if as_json:
        print_json(Client().compare(arms, metric, margin, alpha))
    else:
        out(Markdown(Client().compare_markdown(arms, metric, margin, alpha)))


def studies(
    name: Annotated[
        str | None, typer.Argument(help="One study; none: all.", show_default=False, autocompletion=named)
    ] = None,
    project: Annotated[str | None, typer.Option(help="The project that it belongs to.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a chain of experiments keeps and discards, and the error that it has spent and left."""
    if name is not None:
        found = Client().study(name, project)
        if as_json:
            print_json(found)
            return
        out(Group(_verdicts(found), Text(_budget(found))))
        return
    every = [one for one in Client().studies() if project in (None, one["project"])]
    columns = ("study", "project", "experiments", "kept", "undecided", "spent", "left", "of")
    rows = [
        [one["name"], one["project"], *(str(one[key]) for key in ("experiments", "kept", "undecided"))]
        + [_level(one[key]) for key in ("spent", "left", "alpha")]
        for one in every
    ]
    tell(every, _table(columns, rows) if every else "no studies", as_json=as_json)


def _verdicts(found: Mapping[str, Any]) -> Table:
    rows = [
        [
            str(one["experiment_id"]),
            one["name"] or "(deleted)",
            _level(one["alpha"]),
            "-" if one["p"] is None else _level(one["p"]),
            one["decision"] or one["status"] or "-",
            one["arm"] or "",
        ]
        for one in found["verdicts"]
    ]
    return _table(("id", "experiment", "judged at", "p", "verdict", "arm"), rows)


def _budget(found: Mapping[str, Any]) -> str:
    return (
        f"spent {_level(found['spent'])}, left {_level(found['left'])} of alpha {found['alpha']:g}; "
        f"the next experiment is judged at {_level(found['following'])}"
    )


def _table(columns: tuple[str, ...], rows: list[list[str]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _level(value: float) -> str:
    return f"{value:.2g}"
