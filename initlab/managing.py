"""The commands that list experiments, edit them, and cancel or delete one or many."""

import sys
from collections.abc import Mapping
from itertools import islice
from typing import Annotated, Any

import typer

from initlab import display
from initlab.client import Client
from initlab.completing import statuses
from initlab.experiment import Sort
from initlab.external_parts import Metric
from initlab.imports.rules import Measure
from initlab.output import AsJson, Id, Quiet, out, tell

CANCEL_SECONDS = 5.0

Words = list[str] | None
MaybeId = Annotated[int | None, typer.Argument(help="The experiment's id; or give --tag.", min=1, show_default=False)]
WithTag = Annotated[Words, typer.Option("--tag", help="All experiments with this tag; repeated: with all of them.")]
InState = Annotated[
    Words,
    typer.Option(
        "--status", help="With --tag: of those in this state; may be repeated (default: all).", autocompletion=statuses
    ),
]


def list_experiments(
    status: Annotated[
        Words,
        typer.Option(help="queued, running, succeeded, failed or cancelled; may be repeated.", autocompletion=statuses),
    ] = None,
    tag: Annotated[Words, typer.Option(help="Those with this tag; repeated: with all of them.")] = None,
    name: Annotated[str | None, typer.Option(help="Those with this in their name.")] = None,
    owner: Annotated[str | None, typer.Option(help="Those of this API key or user, by its id; me: your own.")] = None,
    project: Annotated[str | None, typer.Option(help="Those of this project.")] = None,
    created_after: Annotated[str | None, typer.Option(help="Posted then or later: 2026-12-01T00:00:00Z.")] = None,
    created_before: Annotated[str | None, typer.Option(help="Posted before then.")] = None,
    sort: Annotated[Sort | None, typer.Option(help="Which come first; by default your own, then the newest.")] = None,
    reverse: Annotated[bool, typer.Option("--reverse", help="The other way round.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="So many at most (default: all).")] = None,
    as_json: AsJson = False,
) -> None:
    """List the experiments, the newest first."""
    asked = Client().experiments(
        status,
        tag,
        name,
        owner=owner,
        project=project,
        created_after=created_after,
        created_before=created_before,
        sort=sort,
        reverse=reverse,
    )
    found = list(islice(asked, limit))
    tell([one.data for one in found], display.experiments(found) if found else "no experiments", as_json=as_json)


def edit(
    experiment: Id,
    name: Annotated[str | None, typer.Option(help="Its name from now on.")] = None,
    tag: Annotated[Words, typer.Option(help="A tag that it has from now on; may be repeated.")] = None,
    no_tags: Annotated[bool, typer.Option("--no-tags", help="It has no tags from now on.")] = False,
    notes: Annotated[str | None, typer.Option(help='Its notes from now on; "-": from standard input.')] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Change the name, tags or notes of an experiment; what is left out stays, and so does its spec."""
    if tag and no_tags:
        raise typer.BadParameter("give --tag or --no-tags, not both")
    if name is None and notes is None and not tag and not no_tags:
        raise typer.BadParameter("say what to change: --name, --tag, --no-tags or --notes")
    text = sys.stdin.read() if notes == "-" else notes
    found = Client().experiment(experiment).edit(name, [] if no_tags else tag, text)
    tell(found.data, display.described(found.data), as_json=as_json, quiet=quiet)


def declare(
    experiment: Id,
    arm: Annotated[Words, typer.Option(help="An arm's label; may be repeated.")] = None,
    seed: Annotated[list[int] | None, typer.Option(help="A seed; may be repeated.", min=0)] = None,
    metric: Annotated[
        Words, typer.Option(help="NAME, NAME:max or NAME:min, with :epoch or :step; may be repeated.")
    ] = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Declare more arms, seeds or metrics of an experiment that is trained elsewhere; those that it has stay.

    Every new arm gets a run of each seed, and every new seed one of each arm, which wait for their points.
    """
    if not (arm or seed or metric):
        raise typer.BadParameter("say what to declare: --arm, --seed or --metric")
    measures = [Measure.parse(one) for one in metric or ()]
    found = Client().experiment(experiment).declare(arm or (), seed or (), [declared(one) for one in measures])
    tell(found.data, display.experiment(found), as_json=as_json, quiet=quiet)


def cancel(
    experiment: MaybeId = None,
    tag: WithTag = None,
    status: InState = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Stop an experiment, or all with a tag; what was measured is kept."""
    _check_one_way(experiment, tag, status)
    if experiment is None:
        found = Client().cancel_experiments(tag or [], status)
        tell(found, _told("cancelled", found), as_json=as_json, quiet=quiet)
        return
    one = Client().experiment(experiment).cancel()
    if as_json or quiet:
        tell(one.data, "", as_json=as_json, quiet=quiet)
        return
    try:
        out(f"experiment {experiment} is {one.wait(progress=False, timeout=CANCEL_SECONDS).status}")
    except TimeoutError:
        out(f"experiment {experiment} will be cancelled when its worker is heard of or given up")


def delete(
    experiment: MaybeId = None,
    tag: WithTag = None,
    status: InState = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --tag: do not ask.")] = False,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Remove a finished experiment, or all with a tag, and all that was measured."""
    _check_one_way(experiment, tag, status)
    client = Client()
    if experiment is not None:
        client.experiment(experiment).delete()
        said = f"experiment {experiment} is deleted"
        tell({"done": [experiment], "refused": []}, said, as_json=as_json, quiet=quiet)
        return
    if not yes:
        number = sum(1 for _ in client.experiments(status, tag))
        typer.confirm(f"Delete {number:,} experiments and all that they measured?", abort=True, err=True)
    found = client.delete_experiments(tag or [], status)
    tell(found, _told("deleted", found), as_json=as_json, quiet=quiet)


def _check_one_way(experiment: int | None, tag: Words, status: Words) -> None:
    if (experiment is None) == (not tag):
        raise typer.BadParameter("give an experiment's id, or --tag")
    if status and not tag:
        raise typer.BadParameter("--status goes with --tag")


def _told(verb: str, found: Mapping[str, Any]) -> str:
    done, refused = found["done"], found["refused"]
    head = f"{verb}: {len(done):,} experiment{'' if len(done) == 1 else 's'}; left as they are: {len(refused):,}"
    return "\n".join([head, *(f"  {one['reason']}" for one in refused)])


def declared(measure: Measure) -> Metric:
    """Return a metric as it is declared, with what was said of it."""
    found: Metric = {"name": measure.name}
    if measure.direction is not None:
        found["direction"] = measure.direction
    if measure.per is not None:
        found["per"] = measure.per
    return found
