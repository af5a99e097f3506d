"""The commands that draw what is not trained yet."""

import json
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from initlab import completing
from initlab.client import Client
from initlab.errors import ClientError
from initlab.output import AsJson, Quiet, tell
from initlab.previewing import Form, PreviewKind

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Draw what is not trained yet.")

SEVERAL = "A name, or JSON with parameters; several are compared."
Schedules = Annotated[list[str], typer.Argument(help=SEVERAL, autocompletion=completing.schedules)]
Initializers = Annotated[list[str], typer.Argument(help=SEVERAL, autocompletion=completing.initializers)]
Optimizers = Annotated[list[str], typer.Argument(help=SEVERAL, autocompletion=completing.optimizers)]
Layers = Annotated[
    list[str],
    typer.Argument(
        help='As in a sequential model: relu, or {"conv2d": {"filters": 8, "kernel_size": 3}}; several are compared.',
        autocompletion=completing.layers,
    ),
]
OneDataset = Annotated[
    str, typer.Argument(help="A name, or JSON with parameters.", autocompletion=completing.datasets, metavar="DATASET")
]
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
    first, *others = map(_entry, initializers)
    body = {"initializer": first, "shape": _sizes("--shape", shape, "256x784"), "seed": seed}
    _save("initializer", body | ({"compare": others} if others else {}), output, as_json, quiet)


@app.command()
def optimizer(
    optimizers: Optimizers,
    steps: Annotated[int, typer.Option(help="Updates.", min=1)] = 200,
    curvature: Annotated[str, typer.Option(help="Of the valley, along it and across.")] = "5,150",
    angle: Annotated[float, typer.Option(help="Degrees by which the valley is turned.")] = 0.0,
    start: Annotated[str | None, typer.Option(help="The two weights at first; the minimum is at 1,1.")] = None,
    noise: Annotated[float, typer.Option(help="Standard deviation of the gradient's noise.", min=0)] = 0.0,
    seed: Annotated[int, typer.Option(help="Draws other noise.", min=0)] = 0,
    output: Output = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Draw the way down a valley of two weights, of several optimizers on the same axes, and the loss."""
    first, *others = map(_entry, optimizers)
    body = {"optimizer": first, "steps": steps, "curvature": _pair("--curvature", curvature), "angle": angle}
    body |= {"noise": noise, "seed": seed} | ({} if start is None else {"start": _pair("--start", start)})
    _save("optimizer", body | ({"compare": others} if others else {}), output, as_json, quiet)


@app.command()
def layer(
    layers: Layers,
    inputs: Annotated[str | None, typer.Option(help="An example's shape: 3x8x8, or 64.")] = None,
    batch: Annotated[int, typer.Option(help="Examples.", min=1)] = 4,
    seed: Annotated[int, typer.Option(help="Draws other weights and masks.", min=0)] = 0,
    output: Output = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Draw an activation's curve, or what a layer makes of handwritten digits, of several below each other."""
    first, *others = map(_entry, layers)
    body = {"layer": first, "batch": batch, "seed": seed}
    body |= {} if inputs is None else {"inputs": _sizes("--inputs", inputs, "3x8x8 or 64")}
    _save("layer", body | ({"compare": others} if others else {}), output, as_json, quiet)


@app.command()
def dataset(dataset: OneDataset, output: Output = None, quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Draw some of a data set's examples, and how many there are of each class or value of the target."""
    _save("dataset", {"dataset": _entry(dataset)}, output, as_json, quiet)


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


def _sizes(option: str, text: str, example: str) -> list[int]:
    try:
        return [int(part) for part in text.replace(",", "x").split("x")]
    except ValueError:
        raise ClientError(f"{option} {text!r} should be sizes such as {example}") from None


def _pair(option: str, text: str) -> list[float]:
    try:
        first, second = map(float, text.split(","))
    except ValueError:
        raise ClientError(f"{option} {text!r} should be two numbers such as 0.5,1.5") from None
    return [first, second]


def _save(
    kind: PreviewKind,
    body: dict[str, Any],
    output: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    path = output or Path(f"{kind}.png")
    form = path.suffix.lower()
    if form not in (".png", ".svg", ".json"):
        raise ClientError(f"{path} should end in .png, .svg or .json")
    path.write_bytes(Client().draw_preview(kind, body, cast(Form, form[1:])))
    tell({"saved": str(path)}, str(path), as_json=as_json, quiet=quiet)
