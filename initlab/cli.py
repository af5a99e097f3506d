"""The command line: what a person or a script does with a server, and the parts of the service itself.

Exit codes: 0 done; 1 the experiment failed or was cancelled; 2 a wrong call or an invalid spec; 3 no server answers;
4 all runs of the experiment diverged; 5 what was reproduced is different; 130 interrupted by Ctrl-C; 141 what reads the
output has ended, as `head` does.
"""

import csv
import os
import sys
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from initlab import (
    catalog_tables,
    datasets,
    display,
    exporting,
    importing,
    judging,
    looking,
    managing,
    pictures,
    plugins,
    previews,
    projects,
    saving_weights,
    service,
    streams,
    submitting,
    syncing,
    webhooks,
    workers,
)
from initlab.agents.command import mcp
from initlab.client import Client
from initlab.completing import arms, entries, kinds, outcomes, series
from initlab.environments import table as environments_table
from initlab.errors import READER_LEFT, USAGE, ClientError
from initlab.experiment import Experiment
from initlab.output import AsJson, Id, Quiet, complain, out, print_json, tell
from initlab.report_text import Report

COMPLETION = ("--install-completion", "--show-completion")

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)


def _print_version(asked: bool) -> None:
    if asked:
        out(f"initlab {version('initlab')}")
        raise typer.Exit


@app.callback()
def about(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Compare initial weights, schedules and batch sizes of a network, and tell real differences from chance.

    The server is INITLAB_URL (http://127.0.0.1:8000), the key INITLAB_API_KEY. Exit codes: 0 done; 1 the experiment
    failed or was cancelled; 2 a wrong call or an invalid spec; 3 no server answers; 4 all runs diverged; 5 what was
    reproduced is different; 130 interrupted; 141 what reads the output has ended.
    """


for one in (submitting.submit, submitting.watch):
    app.command()(one)


@app.command()
def show(experiment: Id, as_json: AsJson = False) -> None:
    """Show how far each arm of an experiment is."""
    found = Client().experiment(experiment)
    tell(found.data, display.experiment(found), as_json=as_json)


@app.command()
def pause(experiment: Id, quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Have an experiment wait where it is."""
    found = Client().experiment(experiment).pause()
    left = "" if found.status == "queued" else "; its workers keep where they are and let go of it"
    said = f"experiment {experiment} is paused{left}. Go on with: initlab resume {experiment}"
    tell(found.data, said, as_json=as_json, quiet=quiet)


@app.command()
def resume(experiment: Id, quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Go on with a paused experiment."""
    found = Client().experiment(experiment).resume()
    tell(found.data, _goes_on(found), as_json=as_json, quiet=quiet)


@app.command()
def retry(experiment: Id, quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Run again what failed of an experiment, and only that."""
    found = Client().experiment(experiment).retry()
    tell(found.data, _goes_on(found), as_json=as_json, quiet=quiet)


@app.command()
def history(experiment: Id, as_json: AsJson = False) -> None:
    """Show what happened to an experiment, when and why."""
    found = list(Client().experiment(experiment).history())
    tell(found, display.history(found), as_json=as_json)


@app.command()
def environments(experiment: Id, as_json: AsJson = False) -> None:
    """Show what an experiment was trained in: packages, commit, machine, threads and settings of its attempts."""
    found = Client().experiment(experiment).environments()
    tell(found, environments_table(found) if found else "nothing is recorded", as_json=as_json)


@app.command()
def metrics(
    experiment: Id,
    metric: Annotated[
        list[str] | None, typer.Option(help="train_loss, valid_accuracy, ...; may be repeated.", autocompletion=series)
    ] = None,
    arm: Annotated[str | None, typer.Option(help="An arm's label.", autocompletion=arms)] = None,
    seed: Annotated[int | None, typer.Option(help="One seed.")] = None,
    max_points: Annotated[int | None, typer.Option(min=4, help="Thin each series, keeping its spikes.")] = None,
    diagnostics: Annotated[bool, typer.Option("--diagnostics", help="Those of every layer too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print series as CSV, one point a line."""
    found = Client().experiment(experiment).metrics(metric, arm, seed, max_points, diagnostics)
    if as_json:
        print_json(found)
        return
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["run_id", "arm", "seed", "metric", "unit", "step", "value"])
    for one in found:
        key = [one[column] for column in ("run_id", "arm", "seed", "metric", "unit")]
        rows.writerows([*key, step, value] for step, value in zip(one["steps"], one["values"], strict=True))


app.command("list")(managing.list_experiments)
app.command("open")(looking.open_page)
app.command("import")(importing.import_runs)
for command in (
    managing.edit,
    managing.declare,
    managing.cancel,
    managing.delete,
    pictures.plot,
    judging.compare,
    judging.studies,
    saving_weights.weights,
    exporting.export,
    exporting.reproduce,
    syncing.sync,
):
    app.command()(command)


@app.command()
def report(
    experiment: Id,
    format: Annotated[  # noqa: A002
        Literal["text", "md", "html", "json"],
        typer.Option(help="To read here, as Markdown, for a browser, or for programs."),
    ] = "text",
    metric: Annotated[
        str | None,
        typer.Option(help="What the arms are compared by: valid_loss, loss_area, ...", autocompletion=outcomes),
    ] = None,
    margin: Annotated[
        float | None, typer.Option(help="The largest difference that does not matter; else the spec's.")
    ] = None,
    alpha: Annotated[
        float | None, typer.Option(help="The chance of a false win that is allowed; else the spec's.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A .html file, which has its pictures inside, or a .md or .json one."),
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Print the comparison of the arms, or save it."""
    found = Client().experiment(experiment)
    by: dict[str, Any] = {"metric": metric, "margin": margin, "alpha": alpha}
    if output is not None:
        pictures.save_report(found, output, by)
        tell({"saved": str(output)}, str(output), as_json=as_json, quiet=quiet)
        return
    if as_json or format == "json":
        print_json(found.report(**by))
    elif format == "html":
        streams.write_page(found.report_html(**by))
    elif format == "md":
        sys.stdout.write(found.report_markdown(**by))
    else:
        out(Report(found.report_markdown(**by)))


@app.command()
def catalog(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="initializers, schedules, optimizers, models, metrics, outcomes, findings, ...", autocompletion=kinds
        ),
    ] = None,
    name: Annotated[str | None, typer.Argument(help="One entry of that kind.", autocompletion=entries)] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a spec may name, and what a training is measured and judged by."""
    found = Client().catalog(kind, name)
    if as_json:
        print_json(found)
    elif name is not None:
        out(catalog_tables.entry(found))
    else:
        for heading, items in _kinds(found, kind):
            out(heading)
            out(catalog_tables.entries(items))


for part in (mcp, service.serve, service.api, service.worker, service.disk):
    app.command()(part)
app.add_typer(datasets.app, name="datasets")
app.add_typer(previews.app, name="preview")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(workers.app, name="workers")
app.add_typer(projects.app, name="projects")
app.add_typer(plugins.app, name="plugins")
app.command()(projects.whoami)
app.add_typer(service.database, name="db")
app.add_typer(service.keys, name="keys")


def main() -> None:
    """Run the command line; a failed call ends in a sentence and an exit code, never in a traceback."""
    if any(one in COMPLETION and not shell.startswith("-") for one, shell in pairwise(sys.argv)):
        # Else typer takes no shell by its name, but that in which it runs, and drops what follows.
        os.environ["_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION"] = "1"
    streams.never_refuse()
    output = sys.stdout
    try:
        _run()
    except SystemExit:
        if sys.stdout is not output or streams.reader_left(output):  # typer puts another there, and exits with 1
            sys.exit(READER_LEFT)
        raise


def _run() -> None:
    try:
        app(prog_name="initlab")
    except ClientError as error:
        complain(str(error))
        sys.exit(error.exit_code)
    except OSError as error:
        complain(_about_file(error))
        sys.exit(USAGE)


def _about_file(error: OSError) -> str:
    """Return what is wrong with a file, in words."""
    if error.filename is None:
        return str(error)
    folder = Path(str(error.filename)).absolute().parent
    if isinstance(error, FileNotFoundError) and not folder.is_dir():
        return f"{error.filename}: there is no folder {folder}"
    return f"{error.filename}: {error.strerror}"


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
