"""Makes an external experiment of a plan, or brings the one up to date that an earlier import made."""

import hashlib
import json
import math
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from initlab.client import Client
from initlab.errors import ApiError
from initlab.experiment import Experiment
from initlab.imports.rules import Assigned, Plan, Rules
from initlab.imports.runs import Series
from initlab.imports.sources import Place

AT_ONCE = 100_000
"""Points of a post: a few megabytes, where a body may have sixteen."""
MARK = "import:"
"""The beginning of the tag by which a later import finds the experiment again."""
CONFLICT = 409
NO_NUMBERS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The fields of the experiment beside its runs: as in any spec, None for what is not said."""

    name: str
    margin: float | None = None
    alpha: float | None = None
    baseline: str | None = None
    tags: tuple[str, ...] = ()
    ended: bool = True
    """False: runs are still written, and are left open for a later import."""


@dataclass
class Sent:
    """The experiment of an import, and how many points were new."""

    experiment: Experiment
    made: bool
    """False: an earlier import had made it."""
    stored: int = 0
    known: int = 0
    """Points that were there already."""
    added: dict[str, list[Any]] = field(default_factory=dict)
    """The arms, seeds and metrics that were declared now of an experiment that was there."""
    refused: list[str] = field(default_factory=list)
    """Sentences on runs that have other values than were imported before."""


def mark_of(place: Place, rules: Rules) -> str:
    """Return the tag of an import: the same for the same source and the same rules, wherever it is called from."""
    at = place.at if "://" in place.at else str(Path(place.at).resolve())
    said: list[Any] = [place.source, at, place.experiment, place.run, place.step, rules.arm, rules.seed, rules.path]
    said += [dict(rules.where), rules.number_runs]
    return MARK + hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def spec_of(plan: Plan, asked: Asked, mark: str) -> dict[str, Any]:
    """Return the spec of an external experiment."""
    said = {"margin": asked.margin, "alpha": asked.alpha, "baseline": asked.baseline}
    return {
        "kind": "external",
        "name": asked.name,
        "arms": [{"label": label, "config": dict(config)} for label, config in plan.arms.items()],
        "seeds": list(plan.seeds),
        "metrics": [{"name": n, "direction": m.direction, "per": m.per} for n, m in plan.metrics.items()],
        "outcome": plan.outcome,
        "tags": [*asked.tags, mark],
        "silent_seconds": 30 * 86_400,  # nobody trains them now
    } | {key: value for key, value in said.items() if value is not None}


def made_before(client: Client, mark: str) -> Experiment | None:
    """Return the experiment that an earlier import with this mark made, one's own, if it is there and goes on."""
    found = client.experiments(tag=mark, owner="me")
    return next((one for one in found if one.status != "cancelled"), None)


def send(client: Client, plan: Plan, asked: Asked, mark: str, before: Experiment | None) -> Sent:
    """Post a plan, or what is new of it to the experiment of before. Raises `ApiError`."""
    spec = spec_of(plan, asked, mark)
    sent = Sent(before or client.submit(spec), made=before is None, added=plan.added)
    if before is not None and any(plan.added.values()):
        before.declare(
            [arm for arm in spec["arms"] if arm["label"] in plan.added["arms"]],
            plan.added["seeds"],
            [metric for metric in spec["metrics"] if metric["name"] in plan.added["metrics"]],
        )
    runs = {(run["arm"], run["seed"]): run for run in sent.experiment.runs()}
    for one in plan.runs:
        try:
            _send_run(runs[one.arm, one.seed], one, plan, sent, ended=asked.ended)
        except ApiError as error:
            if error.status != CONFLICT:
                raise
            sent.refused.append(f"{one.run.name} (arm {one.arm}, seed {one.seed}): {error.detail}")
    sent.experiment.refresh()
    return sent


def _send_run(run: Mapping[str, Any], one: Assigned, plan: Plan, sent: Sent, *, ended: bool) -> None:
    place = f"/runs/{run['id']}"
    for points in _posts(one, plan):
        answer = sent.experiment.transport.call("POST", f"{place}/points", body={"points": points})
        sent.stored += answer["stored"]
        sent.known += answer["known"]
    outcome = _outcome(one, plan)
    if outcome is not None and ended:
        body = {"outcome": outcome} | ({"error": one.run.error[:1_000]} if one.run.error else {})
        sent.experiment.transport.call("POST", f"{place}/finish", body=body)


def _outcome(one: Assigned, plan: Plan) -> str | None:
    """Return how a run ended; None while it goes on. Its last outcome not finite: it diverged."""
    if one.run.state == "running":
        return None
    judged = one.run.series.get(plan.metrics[plan.outcome].name)
    if judged is not None and judged.values and not math.isfinite(judged.values[-1]):
        return "diverged"
    return "failed" if one.run.state == "failed" else "completed"


def _posts(one: Assigned, plan: Plan) -> Iterator[dict[str, Any]]:
    """Yield the points of a run in parts that a body may have, several metrics in one where they are short."""
    body: dict[str, Any] = {}
    size = 0
    for name, measure in plan.metrics.items():
        series = one.run.series.get(measure.name)
        for first in range(0, len(series.values) if series else 0, AT_ONCE):
            part = Series(series.steps[first : first + AT_ONCE], series.values[first : first + AT_ONCE])  # type: ignore[union-attr]
            if size and size + len(part.values) > AT_ONCE:
                yield body
                body, size = {}, 0
            body[name] = _column(first, part)
            size += len(part.values)
    if body:
        yield body


def _column(first: int, part: Series) -> dict[str, Any]:
    values: list[Any] = part.values.tolist()
    if not all(map(math.isfinite, values)):
        values = [value if math.isfinite(value) else NO_NUMBERS[str(value)] for value in values]
    placed = part.steps == array("q", range(first, first + len(values)))
    return {"first": first, "values": values} | ({} if placed else {"steps": part.steps.tolist()})
