"""The command line: what a person or a script does with a server, and the parts of the service itself.

Exit codes: 0 done; 1 the experiment failed or was cancelled; 2 a wrong call or an invalid spec; 3 no server answers;
4 all runs of the experiment diverged.
"""

import csv
import json
import sys
from typing import Annotated, Any, Literal

import typer
from rich.console import RenderableType
from rich.markdown import Markdown

from initlab import datasets, display, managing, pictures, projects, service, webhooks
from initlab.client import Client
from initlab.errors import DIVERGED, FAILED, USAGE, ClientError
from initlab.experiment import Experiment
from initlab.follow import follow

INTERRUPTED = 130

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None, add_completion=False)

Id = Annotated[int, typer.Argument(help="The experiment's id.", min=1)]
AsJson = Annotated[bool, typer.Option("--json", help="Print the server's JSON.")]


@app.callback()
def about() -> None:
    """Compare initial weights, schedules and batch sizes of a network, and tell real differences from chance.

    The server is INITLAB_URL (http://127.0.0.1:8000), the key INITLAB_API_KEY. Exit codes: 0 done; 1 the experiment
    failed or was cancelled; 2 a wrong call or an invalid spec; 3 no server answers; 4 all runs diverged.
    """


@app.command()
def submit(
    spec: Annotated[str, typer.Argument(help="A JSON or YAML file, or - for standard input.")],
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end and print the verdict.")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Show what it would be, and post nothing.")] = False,
    project: Annotated[str | None, typer.Option(help="What it is to belong to (INITLAB_PROJECT).")] = None,
    as_json: AsJson = False,
) -> None:
    """Post an experiment."""
    if preview:
        found = Client().preview(spec)
        _print_json(found) if as_json else _out(display.preview(found))
        return
    experiment = Client(project=project).submit(spec)
    if wait:
        _to_the_end(experiment, as_json)
    elif as_json:
        _print_json(experiment.data)
    else:
        for warning in display.warnings(experiment.data):
            _out(warning)
        _out(f"experiment {experiment.id} is {experiment.status}. Follow it with: initlab watch {experiment.id}")


@app.command()
def watch(experiment: Id, as_json: AsJson = False) -> None:
    """Follow an experiment to its end, and print the verdict."""
    _to_the_end(Client().experiment(experiment), as_json)


@app.command()
def show(experiment: Id, as_json: AsJson = False) -> None:
    """Show how far each arm of an experiment is."""
    found = Client().experiment(experiment)
    if as_json:
        _print_json(found.data)
    else:
        _out(display.experiment(found))


@app.command()
def pause(experiment: Id) -> None:
    """Have an experiment wait where it is."""
    found = Client().experiment(experiment).pause()
    left = "" if found.status == "queued" else "; its workers keep where they are and let go of it"
    _out(f"experiment {experiment} is paused{left}. Go on with: initlab resume {experiment}")


@app.command()
def resume(experiment: Id) -> None:
    """Go on with a paused experiment."""
    _out(_goes_on(Client().experiment(experiment).resume()))


@app.command()
def retry(experiment: Id) -> None:
    """Run again what failed of an experiment, and only that."""
    _out(_goes_on(Client().experiment(experiment).retry()))


@app.command()
def history(experiment: Id, as_json: AsJson = False) -> None:
    """Show what happened to an experiment, when and why."""
    found = list(Client().experiment(experiment).history())
    if as_json:
        _print_json(found)
    else:
        _out(display.history(found))


@app.command()
def metrics(
    experiment: Id,
    metric: Annotated[list[str] | None, typer.Option(help="train_loss, valid_accuracy, ...; may be repeated.")] = None,
    arm: Annotated[str | None, typer.Option(help="An arm's label.")] = None,
    seed: Annotated[int | None, typer.Option(help="One seed.")] = None,
    max_points: Annotated[int | None, typer.Option(min=4, help="Thin each series, keeping its spikes.")] = None,
    diagnostics: Annotated[bool, typer.Option("--diagnostics", help="Those of every layer too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print series as CSV, one point a line."""
    series = Client().experiment(experiment).metrics(metric, arm, seed, max_points, diagnostics)
    if as_json:
        _print_json(series)
        return
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["run_id", "arm", "seed", "metric", "unit", "step", "value"])
    for one in series:
        key = [one[column] for column in ("run_id", "arm", "seed", "metric", "unit")]
        rows.writerows([*key, step, value] for step, value in zip(one["steps"], one["values"], strict=True))


app.command("list")(managing.list_experiments)
for one in (managing.edit, managing.cancel, managing.delete, pictures.plot):
    app.command()(one)


@app.command()
def report(
    experiment: Id,
    format: Annotated[  # noqa: A002
        Literal["md", "html", "json"], typer.Option(help="For people, for a browser, or for programs.")
    ] = "md",
    metric: Annotated[
        str | None, typer.Option(help="What the arms are compared by: valid_loss, loss_area, ...")
    ] = None,
) -> None:
    """Print the comparison of the arms."""
    found = Client().experiment(experiment)
    if format == "json":
        _print_json(found.report(metric))
    elif format == "html":
        sys.stdout.write(found.report_html(metric))
    else:
        text = found.report_markdown(metric)
        _out(Markdown(text) if sys.stdout.isatty() else text.rstrip("\n"))


@app.command()
def catalog(
    kind: Annotated[str | None, typer.Argument(help="initializers, schedules, optimizers, models, ...")] = None,
    name: Annotated[str | None, typer.Argument(help="One entry of that kind.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a spec may name."""
    found = Client().catalog(kind, name)
    if as_json:
        _print_json(found)
    elif name is not None:
        _out(display.catalog_entry(found))
    else:
        for heading, entries in _kinds(found, kind):
            _out(heading)
            _out(display.catalog_kind(entries))


for part in (service.serve, service.api, service.worker, service.disk):
    app.command()(part)
app.add_typer(datasets.app, name="datasets")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(projects.app, name="projects")
app.command()(projects.whoami)
app.add_typer(service.database, name="db")
app.add_typer(service.keys, name="keys")


def main() -> None:
    """Run the command line; a failed call ends in a sentence and an exit code, never in a traceback."""
    try:
        app()
    except ClientError as error:
        _complain(str(error))
        sys.exit(error.exit_code)
    except OSError as error:
        _complain(str(error))
        sys.exit(USAGE)


def _to_the_end(experiment: Experiment, as_json: bool) -> None:
    try:
        follow(experiment, display.console(stderr=True))
    except KeyboardInterrupt:
        _complain(f"\nexperiment {experiment.id} goes on. See it with: initlab watch {experiment.id}; ", end="")
        _complain(f"stop it with: initlab cancel {experiment.id}")
        raise typer.Exit(INTERRUPTED) from None
    if experiment.status != "succeeded":
        _complain("\n  ".join([f"experiment {experiment.id} {experiment.status}", *experiment.errors]))
        raise typer.Exit(FAILED)
    found = experiment.report()
    if as_json:
        _print_json(found)
    else:
        _out(display.verdict(found))
    if experiment.diverged:
        _complain(f"all runs of experiment {experiment.id} diverged")
        raise typer.Exit(DIVERGED)


def _goes_on(experiment: Experiment) -> str:
    """Return what an experiment does now that it was resumed or tried again."""
    if experiment.finished:
        return f"experiment {experiment.id} is {experiment.status}"
    done = experiment.progress
    left = done["runs_total"] - done["runs_done"]
    how = "paused: go on with: initlab resume" if experiment.paused else "follow it with: initlab watch"
    return (
        f"experiment {experiment.id} is {experiment.status}, with {left:,} of {done['runs_total']:,} runs to train; "
        f"{how} {experiment.id}"
    )


def _kinds(found: dict[str, Any], kind: str | None) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(kind, found["items"])] if kind else list(found.items())


def _out(what: RenderableType) -> None:
    display.console().print(what, soft_wrap=isinstance(what, str))


def _print_json(what: Any) -> None:
    sys.stdout.write(json.dumps(what, indent=2) + "\n")


def _complain(text: str, end: str = "\n") -> None:
    display.console(stderr=True).print(text, end=end, soft_wrap=True)
