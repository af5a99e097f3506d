"""The command that imports what other tools have logged."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from initlab import display
from initlab.client import Client
from initlab.errors import FAILED, ClientError
from initlab.experiment import Experiment
from initlab.imports import sources
from initlab.imports.mapping import plan
from initlab.imports.rules import Known, Measure, Plan, Rules
from initlab.imports.runs import ImportFailed
from initlab.imports.sending import Asked, Sent, made_before, mark_of, send
from initlab.imports.sources import Place, Source
from initlab.output import AsJson, Quiet, complain, out, print_json, tell

MOST_SHOWN = 50
"""Runs of a table."""


def import_runs(
    source: Annotated[Source, typer.Argument(help="The format.")],
    place: Annotated[str, typer.Argument(help="A folder, a file, or (mlflow) a server's URL.")],
    arm: Annotated[
        list[str] | None, typer.Option(help="A setting, tag or column that tells arms apart; repeated: together.")
    ] = None,
    seed: Annotated[str | None, typer.Option(help="The setting, tag or column of the seed.")] = None,
    metric: Annotated[
        list[str] | None, typer.Option(help="NAME, NAME:max or NAME:min, with :epoch or :step; the first is judged.")
    ] = None,
    path: Annotated[str | None, typer.Option(help="Names parts of the runs' names: {arm}/seed_{seed}.")] = None,
    where: Annotated[list[str] | None, typer.Option(help="FIELD=VALUE that runs have to have.")] = None,
    number_runs: Annotated[
        bool, typer.Option("--number-runs", help="No seed was logged: number each arm's runs.")
    ] = False,
    experiment: Annotated[str | None, typer.Option(help="mlflow: the experiment, by its name or id.")] = None,
    step: Annotated[str | None, typer.Option(help="csv, parquet: the column that counts steps.")] = None,
    run: Annotated[str | None, typer.Option(help="csv, parquet: the column that tells runs apart.")] = None,
    name: Annotated[str | None, typer.Option(help="The experiment's name; default: that of the place.")] = None,
    margin: Annotated[float | None, typer.Option(help="The largest difference that does not matter.")] = None,
    alpha: Annotated[float | None, typer.Option(help="The chance of a false win that is allowed.")] = None,
    baseline: Annotated[str | None, typer.Option(help="The arm that others are compared with.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may be repeated.")] = None,
    project: Annotated[str | None, typer.Option(help="What it is to belong to (INITLAB_PROJECT).")] = None,
    still_open: Annotated[bool, typer.Option("--open", help="Runs are still written: import again later.")] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Make a new experiment, whatever was imported before.")
    ] = False,
    preview: Annotated[bool, typer.Option("--preview", help="Show which run becomes what, and post nothing.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Import runs that another tool has logged, as an experiment with its verdict.

    SOURCE is tensorboard, mlflow, wandb, csv or parquet. The same call again brings the experiment up to date.
    """
    rules = Rules(
        arm=arm or (),
        seed=seed,
        measures=[Measure.parse(one) for one in metric or ()],
        path=path,
        where=dict(_pair(one) for one in where or ()),
        number_runs=number_runs,
    )
    at = Place(source=source, at=place, experiment=experiment, step=step, run=run)
    found = sources.read(at, rules)
    mark = mark_of(at, rules)
    client = Client(project=project, patience=0.0) if preview else Client(project=project)
    before, unasked = (None, "") if again else _before(client, mark, preview=preview)
    made = plan(found, rules, None if before is None else Known.of(before.data))
    if preview:
        made = replace(made, notes=[*made.notes, *([unasked] if unasked else [])])
        tell(made.shown(), shown(made), as_json=as_json, quiet=quiet)
        return
    asked = Asked(
        name=name or _name(place, experiment),
        margin=margin,
        alpha=alpha,
        baseline=baseline,
        tags=tuple(tag or ()),
        ended=not still_open,
    )
    if again:
        for one in client.experiments(tag=mark):
            one.edit(tags=[other for other in one.data["tags"] if other != mark])
    sent = send(client, made, asked, mark, before)
    _tell_sent(sent, made, as_json=as_json, quiet=quiet)


def shown(made: Plan) -> RenderableType:
    """Return a plan for people: each run's arm and seed, what is left out, and the rules that were used."""
    runs = _table("run", "arm", "seed", "points", "state")
    points = made.shown()["runs"]
    for one in points[:MOST_SHOWN]:
        runs.add_row(*(escape(str(one[key])) for key in ("run", "arm", "seed")), f"{one['points']:,}", one["state"])
    metrics = ", ".join(f"{name} ({one.direction}, by {one.per})" for name, one in made.metrics.items())
    comes_to = [] if made.known is None else [f"comes to experiment {made.known.id}; {_grows(made.added)}"]
    parts: list[RenderableType] = [
        f"{len(made.runs):,} runs: {len(made.arms):,} arms x {len(made.seeds):,} seeds, judged by {made.outcome}",
        runs,
        *([f"... and {len(points) - MOST_SHOWN:,} more"] if len(points) > MOST_SHOWN else []),
        f"metrics: {metrics}",
        *comes_to,
    ]
    if made.left_out:
        left = _table("left out", "because")
        for out_ in made.left_out[:MOST_SHOWN]:
            left.add_row(escape(out_.run), escape(out_.reason))
        parts.append(left)
    return Group(*parts, *(f"note: {note}" for note in made.notes))


def _before(client: Client, mark: str, *, preview: bool) -> tuple[Experiment | None, str]:
    """Return what an earlier import made, if it did; of a preview, which needs no server, why nobody was asked."""
    try:
        return made_before(client, mark), ""
    except ClientError as error:
        if not preview:
            raise
        return None, f"a new experiment, unless an earlier import made one, which could not be asked for: {error}"


def _grows(added: Mapping[str, Sequence[Any]]) -> str:
    """Return in words what is declared of an experiment that is there."""
    said = [f"{what} {', '.join(map(str, names))}" for what, names in added.items() if names]
    return f"new in it are {'; '.join(said)}" if said else "it has all arms, seeds and metrics"


def _tell_sent(sent: Sent, made: Plan, *, as_json: bool, quiet: bool) -> None:
    one = sent.experiment
    if as_json:
        told = {"id": one.id, "made": sent.made, "stored": sent.stored, "known": sent.known, "added": sent.added}
        told["refused"] = sent.refused
        print_json(told | {"left_out": [left._asdict() for left in made.left_out], "notes": list(made.notes)})
    elif quiet:
        out(str(one.id))
    else:
        verb = "made" if sent.made else "brought up to date"
        out(
            f"experiment {one.id} is {verb}: {sent.stored:,} points of {len(made.runs):,} runs are new, {sent.known:,} "
            f"were there; {len(made.left_out):,} runs are left out (--preview says why)"
        )
        if any(sent.added.values()):
            out(_grows(sent.added))
        if one.finished:
            out(display.verdict(one.report()))
    if sent.refused:
        first = f"{len(sent.refused)} runs are not what was imported before; --again makes a new experiment:"
        complain("\n  ".join([first, *sent.refused]))
        raise typer.Exit(FAILED)


def _table(*columns: str) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        made.add_column(column, justify="right" if column in ("seed", "points") else "left", overflow="fold")
    return made


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        raise ImportFailed(f"--where {text}: say FIELD=VALUE")
    return name, value


def _name(place: str, experiment: str | None) -> str:
    last = Path(place.rstrip("/")).stem or place
    return f"{experiment or last}, imported"[:120]
