"""The commands about data sets."""

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Group

from initlab import display
from initlab.client import Client
from initlab.completing import downloads
from initlab.errors import ApiError, ClientError
from initlab.first_look import first_look
from initlab.output import AsJson, Quiet, tell
from initlab.reading import ReadOptions
from initlab.service import become

app = typer.Typer(no_args_is_help=True, help="Data sets: public ones, and your own.", rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="The data set's name.")]


@app.command()
def fetch(
    name: Annotated[
        str, typer.Argument(help="cifar10, cifar100, fashion_mnist, kmnist or mnist.", autocompletion=downloads)
    ],
    data_dir: Annotated[Path | None, typer.Option(help="Where everything is kept (INITLAB_DATA_DIR, ./var).")] = None,
    as_json: AsJson = False,
) -> None:
    """Download a public data set to where the service here looks for it; nothing else does."""
    become("core.datasets", "fetch", name, data_dir=data_dir, json=as_json)


@app.command("list")
def list_datasets(as_json: AsJson = False) -> None:
    """List your own data sets."""
    found = Client().datasets()
    tell(found, display.datasets(found) if found else "no data sets", as_json=as_json)


@app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show what a data set holds, its classes and first rows, and which experiments use it."""
    client = Client()
    try:
        found, preview = client.dataset(name), client.preview_dataset(name)
    except ApiError as error:
        if error.status == 404 and any(one["name"] == name for one in client.catalog("datasets")["items"]):
            raise ClientError(
                f"{name} is no uploaded data set. It is built in: initlab catalog datasets {name}"
            ) from None
        raise
    tell(found | {"preview": preview}, Group(display.dataset(found), first_look(preview)), as_json=as_json)


Columns = list[str] | None


@app.command()
def upload(
    file: Annotated[Path, typer.Argument(help="A .csv, .tsv, .xlsx, .jsonl, .parquet, .npz, .zip, or a folder.")],
    name: Annotated[str | None, typer.Option(help="What specs call it; default: the file's name.")] = None,
    valid: Annotated[Path | None, typer.Option(help="A second file, or folder of images, to validate on.")] = None,
    target: Annotated[Columns, typer.Option(help="Tables: the column to learn.")] = None,
    drop: Annotated[Columns, typer.Option(help="Tables: columns that are no features, with commas.")] = None,
    categorical: Annotated[Columns, typer.Option(help="Tables: columns of numbers that are categories.")] = None,
    numeric: Annotated[
        Columns, typer.Option(help="Tables: columns that have to be numbers; dates become days, times hours.")
    ] = None,
    text: Annotated[Columns, typer.Option(help="The earlier name of --categorical.")] = None,
    missing: Annotated[Literal["refuse", "impute"] | None, typer.Option(help="Tables: missing values.")] = None,
    missing_values: Annotated[Columns, typer.Option(help="Tables: the texts that mean a missing value.")] = None,
    separator: Annotated[str | None, typer.Option(help="CSV: comma, semicolon, tab, pipe, space or a sign.")] = None,
    decimal: Annotated[Literal[".", ","] | None, typer.Option(help="Tables: the decimal sign.")] = None,
    encoding: Annotated[
        str | None, typer.Option(help="CSV, JSON lines: such as cp1252; default UTF-8, or the file's mark.")
    ] = None,
    header: Annotated[bool | None, typer.Option(help="CSV, XLSX: the first row has names, or is data.")] = None,
    task: Annotated[
        Literal["multiclass", "binary", "regression"] | None, typer.Option(help="Default: by the target's values.")
    ] = None,
    resize: Annotated[str | None, typer.Option(help="Images: a side, or WIDTHxHEIGHT.")] = None,
    background: Annotated[str | None, typer.Option(help="Images: the colour behind transparent pixels.")] = None,
    channels: Annotated[Literal["first", "last"] | None, typer.Option(help="NPZ pictures: where they are.")] = None,
    scale: Annotated[
        Literal["standardise", "unit", "none"] | None, typer.Option(help="How numbers are scaled.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="The most examples, each class in proportion.")] = None,
    project: Annotated[str | None, typer.Option(help="What it is to belong to (INITLAB_PROJECT).")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Send a data set of your own; the notes say what the server took for what."""
    options: ReadOptions = {
        "target": target or (),
        "drop": drop or (),
        "categorical": categorical or (),
        "numeric": numeric or (),
        "text": text or (),
        "missing": missing,
        "missing_values": missing_values,
        "task": task,
        "resize": resize,
        "separator": separator,
        "decimal": decimal,
        "encoding": encoding,
        "header": header,
        "background": background,
        "channels": channels,
        "scale": scale,
        "limit": limit,
    }
    found = Client(project=project).upload_dataset(file, name, valid=valid, **options)
    tell(found, display.dataset(found), as_json=as_json, quiet=quiet)


@app.command()
def delete(name: Name, quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Remove a data set that no unfinished experiment uses."""
    Client().delete_dataset(name)
    tell({"done": [name]}, f"data set {name} is deleted", as_json=as_json, quiet=quiet)
