"""The commands that post experiments and follow them to their ends."""

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer

from initlab import display, output, spec_file
from initlab.client import Client
from initlab.errors import DIVERGED, FAILED, INTERRUPTED, ClientError
from initlab.experiment import Experiment
from initlab.follow import follow
from initlab.output import AsJson, Id, Quiet

T = TypeVar("T")


def submit(
    specs: Annotated[list[str], typer.Argument(metavar="SPEC...", help="JSON or YAML files; - is standard input.")],
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end and print the verdict.")] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Show what it would be, and post nothing.")] = False,
    project: Annotated[str | None, typer.Option(help="What it is to belong to (INITLAB_PROJECT).")] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print the ids alone; with --wait nothing. Errors are told.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Post one experiment or several: of several all or, where one is refused, none.

    With --json one spec prints an object, and several print a list.
    """
    client, read = Client(project=project), [(path, spec_file.read(path)) for path in specs]
    previews = _each(read, client.preview) if preview or len(read) > 1 else []
    if preview:
        _tell(previews, display.preview, as_json, quiet)
        return
    experiments = _each(read, client.submit)
    if wait:
        _to_the_end(experiments, as_json, quiet)
    elif quiet and not as_json:
        output.out("\n".join(str(one.id) for one in experiments))
    else:
        for warning in () if as_json else (text for one in experiments for text in display.warnings(one.data)):
            output.out(warning)
        _tell([one.data for one in experiments], _posted, as_json, quiet)


def watch(experiment: Id, quiet: Quiet = False, as_json: AsJson = False) -> None:
    """Follow an experiment to its end, and print the verdict."""
    _to_the_end([Client().experiment(experiment)], as_json, quiet)


def _each(read: list[tuple[str, dict[str, Any]]], call: Callable[[dict[str, Any]], T]) -> list[T]:
    """Return what a call answers to each spec; of several a refusal says of which it is."""
    answers = []
    for path, spec in read:
        try:
            answers.append(call(spec))
        except ClientError:
            if len(read) > 1:
                output.complain(f"{path}:")
            raise
    return answers


def _tell(found: list[dict[str, Any]], shown: Callable[[dict[str, Any]], Any], as_json: bool, quiet: bool) -> None:
    if as_json:
        output.print_json(found[0] if len(found) == 1 else found)
    elif not quiet:
        for one in found:
            output.out(shown(one))


def _posted(data: dict[str, Any]) -> str:
    return f"experiment {data['id']} is {data['status']}. Follow it with: initlab watch {data['id']}"


def _to_the_end(experiments: list[Experiment], as_json: bool, quiet: bool) -> None:
    """Follow one after the other; the exit code is that of the first that did not go well."""
    reports, code = [], 0
    for experiment in experiments:
        _follow(experiment, quiet)
        if experiment.status != "succeeded":
            output.complain("\n  ".join([f"experiment {experiment.id} {experiment.status}", *experiment.errors]))
            code = code or FAILED
            continue
        found = experiment.report()
        reports.append(found)
        if not as_json and not quiet:
            output.out(display.verdict(found))
        if experiment.diverged:
            output.complain(f"all runs of experiment {experiment.id} diverged")
            code = code or DIVERGED
    if as_json and (reports or len(experiments) > 1):
        output.print_json(reports if len(experiments) > 1 else reports[0])
    if code:
        raise typer.Exit(code)


def _follow(experiment: Experiment, quiet: bool) -> None:
    try:
        if quiet:
            experiment.wait(progress=False)
        else:
            follow(experiment, display.console(stderr=True))
    except KeyboardInterrupt:
        output.complain(f"\nexperiment {experiment.id} goes on. See it with: initlab watch {experiment.id}; ", end="")
        output.complain(f"stop it with: initlab cancel {experiment.id}")
        raise typer.Exit(INTERRUPTED) from None
