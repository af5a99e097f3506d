"""The commands that draw schedules, initial weights and signals before anything is trained."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer

from initlab import completing
from initlab.client import Client
from initlab.errors import ClientError
from initlab.output import AsJson, Quiet, tell

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Draw what is not trained yet.")

SEVERAL = "A name, or JSON with parameters; several are compared."
Schedules = Annotated[list[str], typer.Argument(help=SEVERAL, autocompletion=completing.schedules)]
Initializers = Annotated[list[str], typer.Argument(help=SEVERAL, autocompletion=completing.initializers)]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="A .png, .svg or .json file; default KIND.png.")]


@app.command()
def schedule(
    schedules: Schedules,
    lr: Annotated[float, typer.Option(help="The base rate.")] = 0.1,
    steps: Annotated[int, typer.Option(help="Updates.", min=1)] = 100,
    steps_per_epoch: Annotated[int, typer.Option(help="Updates in an epoch.", min=1)] = 1,
    output: Output = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Draw the learning rate of every update, of several schedules on the same axes."""
    first, *others = map(_entry, schedules)
    body = {"schedule": first, "lr": lr, "steps": steps, "steps_per_epoch": steps_per_epoch}
    _save("schedule", body | ({"compare": others} if others else {}), output, as_json, quiet)


@app.command()
def initializer(
    initializers: Initializers,
    shape: Annotated[str, typer.Option(help="The weight's: outputs x inputs, and a kernel's sizes.")] = "256x784",
    seed: Annotated[int, typer.Option(help="Draws another weight.")] = 0,
    output: Output = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Draw a histogram of one weight, with the density of its law, by several initializers on the same axis."""
    try:
        sizes = [int(part) for part in shape.replace(",", "x").split("x")]
    except ValueError:
        raise ClientError(f"--shape {shape!r} should be sizes such as 256x784") from None
    first, *others = map(_entry, initializers)
    body = {"initializer": first, "shape": sizes, "seed": seed}
    _save("initializer", body | ({"compare": others} if others else {}), output, as_json, quiet)


@app.command()
def signal(
    initializers: Initializers,
    model: Annotated[str | None, typer.Option(help="A name, or JSON with parameters.")] = None,
    dataset: Annotated[str | None, typer.Option(help="The data that is sent through.")] = None,
    seeds: Annotated[int | None, typer.Option(help="So many networks of each.", min=1)] = None,
    output: Output = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Draw the variance of every layer's outputs and gradients, of several initializers on the same axes."""
    asked = {"model": None if model is None else _entry(model), "dataset": dataset, "seeds": seeds}
    given = {key: value for key, value in asked.items() if value is not None}
    _save("signal", {"initializers": [_entry(one) for one in initializers]} | given, output, as_json, quiet)


def _entry(text: str) -> Any:
    if not text.lstrip().startswith("{"):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise ClientError(f"{text} is no JSON: {error}") from None


def _save(
    kind: Literal["schedule", "initializer", "signal"],
    body: dict[str, Any],
    output: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    path = output or Path(f"{kind}.png")
    form = path.suffix.lower()
    if form not in (".png", ".svg", ".json"):
        raise ClientError(f"{path} should end in .png, .svg or .json")
    path.write_bytes(Client().draw_preview(kind, body, cast(Literal["png", "svg", "json"], form[1:])))
    tell({"saved": str(path)}, str(path), as_json=as_json, quiet=quiet)
