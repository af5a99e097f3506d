"""The command that draws pictures in the terminal, or saves them, and the report in a file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer

from initlab import charts, display
from initlab.client import Client
from initlab.completing import arms, plots
from initlab.errors import ClientError
from initlab.experiment import Experiment
from initlab.output import AsJson, Id, Quiet, out, print_json, tell


def plot(
    experiment: Id,
    name: Annotated[
        str | None, typer.Argument(help="loss, accuracy, ...; none lists what can be drawn.", autocompletion=plots)
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Save it as a .png, .svg or .json file, or all as .zip.", show_default=False
        ),
    ] = None,
    width: Annotated[int | None, typer.Option(help="Pixels across; in the terminal columns.")] = None,
    height: Annotated[int | None, typer.Option(help="With -o: pixels down.")] = None,
    dpi: Annotated[int | None, typer.Option(help="Dots an inch; with a width or height only for print.")] = None,
    theme: Annotated[Literal["light", "dark"] | None, typer.Option(help="For paper, or for a dark room.")] = None,
    arm: Annotated[
        list[str] | None, typer.Option(help="The label of an arm to draw; may be repeated.", autocompletion=arms)
    ] = None,
    log: Annotated[bool | None, typer.Option("--log/--linear", help="The axis of values.")] = None,
    first: Annotated[str | None, typer.Option(help="Of loss: so many updates, or all.")] = None,
    x: Annotated[
        Literal["updates", "epochs", "examples", "seconds"] | None, typer.Option(help="Of loss: what its axis counts.")
    ] = None,
    axes: Annotated[Literal["shared", "own"] | None, typer.Option(help="Of weights: the histograms' axes.")] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Draw a picture in the terminal, or save it."""
    packed = output is not None and output.suffix.lower() == ".zip"
    if packed and name is not None:
        raise typer.BadParameter("a .zip has all pictures: leave out the name")
    found = Client().experiment(experiment)
    if packed and output is not None:
        output.write_bytes(found.plots_zip(theme))
        tell({"saved": str(output)}, str(output), as_json=as_json, quiet=quiet)
        return
    if name is None:
        items = found.plots()
        tell(items, display.pictures(items), as_json=as_json)
        return
    # A `first` that is no number and not "all" the server refuses, and says why.
    asked: dict[str, Any] = {"arm": arm, "log": log, "first": first, "x": x, "axes": axes}
    if output is None:
        data = json.loads(found.plot(name, "json", **asked))
        if as_json:
            print_json(data)
        else:
            out(charts.chart(data, min(width or display.console().width, charts.WIDEST)))
        return
    form = output.suffix.lower().removeprefix(".")
    if form not in ("png", "svg", "json"):
        raise ClientError(f"{output} should end in .png, .svg or .json")
    look: dict[str, Any] = {"width": width, "height": height, "dpi": dpi, "theme": theme}
    output.write_bytes(found.plot(name, cast(Literal["png", "svg", "json"], form), **asked, **look))
    tell({"saved": str(output)}, str(output), as_json=as_json, quiet=quiet)


def save_report(experiment: Experiment, path: Path, by: Mapping[str, Any]) -> None:
    """Save the report in the format that the file's name ends in; `by` are arguments of `Experiment.report`."""
    form = path.suffix.lower()
    if form in (".html", ".htm"):
        text = experiment.report_html(**by, pictures="inline")
    elif form == ".md":
        text = experiment.report_markdown(**by)
    elif form == ".json":
        text = json.dumps(experiment.report(**by), ensure_ascii=False)
    else:
        raise ClientError(f"{path} should end in .html, .md or .json")
    path.write_text(text, encoding="utf-8")
