"""The commands that save pictures and the report."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer

from initlab import display
from initlab.client import Client
from initlab.errors import ClientError
from initlab.experiment import Experiment


def plot(
    experiment: Annotated[int, typer.Argument(help="The experiment's id.", min=1)],
    name: Annotated[str | None, typer.Argument(help="loss, accuracy, ...; none lists what can be drawn.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A .png, .svg or .json file; default NAME.png.")
    ] = None,
    width: Annotated[int | None, typer.Option(help="Pixels across.")] = None,
    height: Annotated[int | None, typer.Option(help="Pixels down.")] = None,
    dpi: Annotated[int | None, typer.Option(help="Dots an inch; with a width or height only for print.")] = None,
    theme: Annotated[Literal["light", "dark"] | None, typer.Option(help="For paper, or for a dark room.")] = None,
    arm: Annotated[list[str] | None, typer.Option(help="The label of an arm to draw; may be repeated.")] = None,
    log: Annotated[bool | None, typer.Option("--log/--linear", help="The axis of values.")] = None,
    first: Annotated[str | None, typer.Option(help="Of loss: so many updates, or all.")] = None,
    x: Annotated[
        Literal["updates", "epochs", "examples", "seconds"] | None, typer.Option(help="Of loss: what its axis counts.")
    ] = None,
    axes: Annotated[Literal["shared", "own"] | None, typer.Option(help="Of weights: the histograms' axes.")] = None,
) -> None:
    """Save a picture."""
    found = Client().experiment(experiment)
    if name is None:
        display.console().print(display.pictures(found.plots()))
        return
    path = output or Path(f"{name}.png")
    form = path.suffix.lower().removeprefix(".")
    if form not in ("png", "svg", "json"):
        raise ClientError(f"{path} should end in .png, .svg or .json")
    picture = found.plot(
        name,
        cast(Literal["png", "svg", "json"], form),
        width=width,
        height=height,
        dpi=dpi,
        theme=theme,
        arm=arm,
        log=log,
        first=cast(Any, first),  # what is no number and not "all" the server refuses, and says why
        x=x,
        axes=axes,
    )
    path.write_bytes(picture)
    display.console().print(str(path), soft_wrap=True)


def save_report(experiment: Experiment, path: Path, metric: str | None) -> None:
    """Save the report in the format that the file's name ends in."""
    form = path.suffix.lower()
    if form in (".html", ".htm"):
        text = experiment.report_html(metric, pictures="inline")
    elif form == ".md":
        text = experiment.report_markdown(metric)
    elif form == ".json":
        text = json.dumps(experiment.report(metric), ensure_ascii=False)
    else:
        raise ClientError(f"{path} should end in .html, .md or .json")
    path.write_text(text, encoding="utf-8")
    display.console().print(str(path), soft_wrap=True)
