"""The commands about data sets."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from initlab import display
from initlab.client import Client
from initlab.service import become

app = typer.Typer(no_args_is_help=True, help="Data sets: public ones, and your own.", rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="The data set's name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the server's JSON.")]


@app.command()
def fetch(
    name: Annotated[str, typer.Argument(help="cifar10, cifar100, fashion_mnist, kmnist or mnist.")],
    data_dir: Annotated[Path | None, typer.Option(help="Where everything is kept (INITLAB_DATA_DIR, ./var).")] = None,
) -> None:
    """Download a public data set to where the service here looks for it; nothing else does."""
    become("core.datasets", "fetch", name, data_dir=data_dir)


@app.command("list")
def list_datasets(as_json: AsJson = False) -> None:
    """List your own data sets."""
    found = Client().datasets()
    if as_json:
        _print_json(found)
    else:
        display.console().print(display.datasets(found) if found else "no data sets")


@app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show what a data set holds."""
    _tell(Client().dataset(name), as_json)


@app.command()
def upload(
    file: Annotated[Path, typer.Argument(help="A .csv, .parquet, .npz, or .zip of one folder of images a class.")],
    name: Annotated[str | None, typer.Option(help="What specs call it; default: the file's name.")] = None,
    target: Annotated[list[str] | None, typer.Option(help="Tables: the column to learn.")] = None,
    drop: Annotated[list[str] | None, typer.Option(help="Tables: columns that are no features, with commas.")] = None,
    text: Annotated[list[str] | None, typer.Option(help="Tables: columns of numbers to be taken as text.")] = None,
    missing: Annotated[Literal["refuse", "impute"] | None, typer.Option(help="Tables: missing values.")] = None,
    task: Annotated[
        Literal["multiclass", "binary", "regression"] | None, typer.Option(help="Default: by the target's values.")
    ] = None,
    resize: Annotated[str | None, typer.Option(help="Images: a side, or WIDTHxHEIGHT.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send a data set of your own."""
    columns = {"target": target or (), "drop": drop or (), "text": text or ()}
    found = Client().upload_dataset(file, name, **columns, missing=missing, task=task, resize=resize)
    _tell(found, as_json)


@app.command()
def delete(name: Name) -> None:
    """Remove a data set that no unfinished experiment uses."""
    Client().delete_dataset(name)
    display.console().print(f"data set {name} is deleted")


def _tell(found: dict[str, Any], as_json: bool) -> None:
    if as_json:
        _print_json(found)
    else:
        display.console().print(display.dataset(found), soft_wrap=True)


def _print_json(what: Any) -> None:
    sys.stdout.write(json.dumps(what, indent=2) + "\n")
