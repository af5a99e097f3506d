"""Brings what MLflow's clients log to an external experiment, which is judged, drawn and followed like any other.

What was logged is kept as it came. A run that names its arm and its seed is judged as it goes on; one whose arm is all
of its params comes with its end, since until then more may be logged.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, undefer

from core import external
from core.datasets import DatasetPaths
from core.errors import InvalidSpec
from core.experiments.cohorts.external import NOTHING, hold
from core.experiments.requests.draft import draft_external, fingerprint_of
from core.experiments.requests.external import Column, ExternalOutcome, finish, receive
from core.experiments.requests.growth import add_run, declare, drop_run, find, is_lost, lock
from core.experiments.requests.mlflow.identity import config_of, identity_of
from core.experiments.requests.quotas import Limits
from core.experiments.requests.submit import submit
from core.store import Experiment, MlflowExperiment, MlflowPoint, MlflowRun, Run, Status

ENDS: Mapping[str, ExternalOutcome] = {"FINISHED": "completed", "FAILED": "failed", "KILLED": "failed"}
NAME = re.compile(r"\w[\w./:@ %()+-]{0,119}")
"""A metric that can be judged; others are kept."""
NOTE = "initlab.note"
"""The tag that says of a run why it is not judged."""
SILENT = 86_400.0
"""Seconds after which a run of which nothing was heard counts as lost: some log their end alone."""
UNJUDGED = ("system/", "best_")
"""Beginnings of metrics that have no direction: those of the machine, and those that a report makes of itself."""
Points = Mapping[str, Sequence[tuple[int, float]]]
"""Steps and values by metric, in the order in which they came."""


def comparable(metric: str) -> bool:
    """Return whether runs may be compared by a metric of that name."""
    return bool(NAME.fullmatch(metric)) and not metric.startswith(UNJUDGED) and metric not in external.reserved()


def bring(session: Session, of: MlflowExperiment, run: MlflowRun, fresh: Points, limits: Limits) -> None:
    """Bring new points of a run to the experiment in which it is judged, where that can be now."""
    if run.deleted:
        return
    here = _judged(session, run)
    if here is None:
        named = identity_of(run.params, run.tags).certain
        if named and _place(session, of, run, limits) is not None:
            _send(session, of, run, _all(session, run), limits)
        return
    if here.status in (Status.SUCCEEDED, Status.CANCELLED) or (here.status == Status.FAILED and run.ended is not None):
        run.stale = True
        return
    new, late = _following(here.received or {}, fresh, run.latest)
    run.stale = run.stale or late
    _receive(session, of, here, new, limits)


def end(session: Session, of: MlflowExperiment, run: MlflowRun, limits: Limits) -> None:
    """Bring the end of a run, and what had to wait for it."""
    if run.deleted:
        return
    here = _judged(session, run)
    if here is None or run.stale:
        if here is not None and (one := _open(session, here)) is not None:
            run.run_id = None
            session.flush()
            drop_run(session, one, here)
            here = None
        here = here or _place(session, of, run, limits, ended=True)
        if here is None or here.status == Status.SUCCEEDED:
            return
        _send(session, of, run, _all(session, run), limits)
        run.stale = False
    if here.status in (Status.QUEUED, Status.RUNNING) or (here.status == Status.FAILED and not run.stale):
        outcome = _outcome(session, of, run)
        error = None if outcome != "failed" else f"{run.said}, as MLflow has it"
        if here.status != Status.FAILED or outcome != "failed":
            finish(session, here.id, outcome, error=error, quotas=limits.quotas)


def leave(session: Session, run: MlflowRun) -> None:
    """Take a run that was deleted out of the experiment in which it is judged."""
    here = _judged(session, run)
    if here is not None and (one := _open(session, here)) is not None:
        run.run_id, run.stale = None, False
        session.flush()
        drop_run(session, one, here)


def restate(session: Session, of: MlflowExperiment) -> None:
    """Have the experiment's tags say how runs are judged. Raises `InvalidSpec`."""
    one = None if of.experiment_id is None else lock(session, of.experiment_id)
    if one is not None:
        declare(session, one, lambda spec: _state(spec, of))


def _judged(session: Session, run: MlflowRun) -> Run | None:
    """Return the run that another's points are sent to, its cohort locked; None where there is none any more."""
    if run.run_id is None or session.get(Run, run.run_id) is None:
        return None
    hold(session, run.run_id)
    return session.scalars(
        select(Run).where(Run.id == run.run_id).options(undefer(Run.received)).execution_options(populate_existing=True)
    ).one()


def _open(session: Session, here: Run) -> Experiment | None:
    return lock(session, here.experiment_id)


def _place(
    session: Session, of: MlflowExperiment, run: MlflowRun, limits: Limits, *, ended: bool = False
) -> Run | None:
    """Return the run of the external experiment that this one is; None where it is none, and its note says why."""
    arm, seed, _ = identity_of(run.params, run.tags)
    if arm is None or not any(map(comparable, run.latest)):
        _note(run, "no tag or param `arm`, and no params" if arm is None else "no metric to judge by", ended)
        return None
    one = None if of.experiment_id is None else lock(session, of.experiment_id)
    if seed is None:
        taken = set() if one is None else set(session.scalars(_seeds(one, arm)))
        seed = next(number for number in range(len(taken) + 1) if number not in taken)
        _note(run, f"no seed was logged: it is number {seed} of its arm, and pairs with others mean nothing", ended)
    try:
        if one is None:
            one = _begin(session, of, run, (arm, seed), limits)
            here = find(session, one, arm, seed)
        else:
            before = find(session, one, arm, seed)
            if before is not None:
                if not is_lost(before):
                    _note(run, f"arm {arm}, seed {seed} is there already: run {before.id}", ended)
                    return None
                drop_run(session, one, before)
            here = add_run(session, one, {"label": arm, "config": config_of(run.params)}, seed, limits.quotas)
    except InvalidSpec as error:
        _note(run, f"the experiment is full: {error.detail}"[:500], ended)
        return None
    assert here is not None  # noqa: S101 it was just made
    run.run_id = here.id
    session.flush()
    return here


def _seeds(one: Experiment, arm: str) -> Select[int]:
    return select(Run.seed).where(Run.experiment_id == one.id, Run.arm == arm)


def _note(run: MlflowRun, text: str, ended: bool) -> None:
    if ended:
        run.tags = dict(run.tags) | {NOTE: text}


def _begin(
    session: Session, of: MlflowExperiment, run: MlflowRun, place: tuple[str, int], limits: Limits
) -> Experiment:
    """Make the external experiment of an experiment of MLflow's, with its first run."""
    arm, seed = place
    raw: dict[str, Any] = {
        "kind": external.KIND,
        "name": (of.name.strip() if of.name.isprintable() else "")[:120] or f"MLflow {of.id}",
        "arms": [{"label": arm, "config": config_of(run.params)}],
        "seeds": [seed],
        "metrics": [],
        "silent_seconds": SILENT,
        "tags": ["mlflow"],
        "open": True,
    }
    _add_metrics(raw, run.latest)
    _state(raw, of)
    spec = external.parse(raw)
    drafted = draft_external(spec, fingerprint_of(spec))
    made, _ = submit(session, drafted, DatasetPaths(), owner=of.owner, project=of.project, limits=limits)
    of.experiment_id = made.id
    session.flush()
    return made


def _add_metrics(spec: dict[str, Any], names: Mapping[str, Any]) -> None:
    known = {metric["name"] for metric in spec["metrics"]}
    for name in names:
        if NAME.fullmatch(name) and name not in known and len(spec["metrics"]) < external.MOST_METRICS:
            direction = external.direction_of(name) if comparable(name) else "none"
            spec["metrics"].append({"name": name, "direction": direction, "per": "step"})


def _state(spec: dict[str, Any], of: MlflowExperiment) -> None:
    """Write into a spec how runs are judged: by the experiment's tags, else by the names of its metrics."""
    tags = of.tags
    metrics = {metric["name"]: dict(metric) for metric in spec["metrics"]}
    asked = tags.get("initlab.outcome")
    outcome = asked if asked in metrics else external.outcome_of(filter(comparable, metrics))
    for name, metric in metrics.items():
        said = tags.get(f"initlab.direction.{name}") or (tags.get("initlab.direction") if name == outcome else None)
        if said in ("max", "min") and comparable(name):
            metric["direction"] = said
    spec |= {"metrics": list(metrics.values()), "outcome": outcome}
    if tags.get("initlab.margin"):
        try:
            spec["margin"] = float(tags["initlab.margin"])
        except ValueError:
            spec.pop("margin", None)
    if tags.get("initlab.baseline") in [arm["label"] for arm in spec["arms"]]:
        spec["baseline"] = tags["initlab.baseline"]


def _following(there: Mapping[str, Any], fresh: Points, latest: Mapping[str, Any]) -> tuple[dict[str, Column], bool]:
    """Return new points as columns that follow on those that are there, and whether some did not follow."""
    columns, late = {}, False
    for name, points in fresh.items():
        n, last, *_ = there.get(name, NOTHING)
        if latest[name]["zeros"]:  # the loop names no steps: places are the steps
            kept = [(n + i, value) for i, (_, value) in enumerate(points)]
        else:
            kept, late = [], late or "mixed" in latest[name]
            for step, value in points:
                if step > last:
                    kept.append((step, value))
                    last = step
                else:
                    late = late or step >= 0
        if kept and NAME.fullmatch(name):
            columns[name] = _column(n, *zip(*kept, strict=True))
    return columns, late


def _all(session: Session, run: MlflowRun) -> dict[str, Column]:
    """Return all points of a run by rising steps: of a step that was logged again the last value holds.

    Where all points of a metric have one step, its loop has named none: their places are the steps then. Steps below 0
    were before the training, and are left out.
    """
    columns = {}
    points = select(MlflowPoint.key, MlflowPoint.step, MlflowPoint.value, MlflowPoint.nan)
    found: dict[str, list[tuple[int, float]]] = {}
    for key, step, value, nan in session.execute(points.where(MlflowPoint.run_id == run.id).order_by(MlflowPoint.id)):
        found.setdefault(key, []).append((step, float("nan") if nan else value))
    for name, rows in found.items():
        steps, values = np.array([step for step, _ in rows], dtype=np.int64), np.array([value for _, value in rows])
        if steps.min() == steps.max():
            steps = np.arange(len(steps))
        order = np.argsort(steps, kind="stable")
        rising = steps[order]
        kept = np.append(rising[1:] != rising[:-1], True) & (rising >= 0)
        if kept.any() and NAME.fullmatch(name):
            columns[name] = _column(0, rising[kept], values[order][kept])
    return columns


def _column(first: int, steps: Any, values: Any) -> Column:
    return Column(first, np.asarray(values, dtype=np.float64), np.asarray(steps, dtype=np.int64))


def _send(
    session: Session, of: MlflowExperiment, run: MlflowRun, columns: Mapping[str, Column], limits: Limits
) -> None:
    here = session.get_one(Run, run.run_id)
    _receive(session, of, here, columns, limits)


def _receive(session: Session, of: MlflowExperiment, here: Run, columns: Mapping[str, Column], limits: Limits) -> None:
    """Store points, their metrics declared first where they are new."""
    if not columns:
        return
    held = hold(session, here.id)
    if not columns.keys() <= {metric["name"] for metric in held.metrics}:
        one = lock(session, here.experiment_id)
        if one is None:
            return

        def change(spec: dict[str, Any]) -> None:
            _add_metrics(spec, columns)
            _state(spec, of)

        declare(session, one, change)
        known = {metric["name"] for metric in one.spec["metrics"]}
        columns = {name: column for name, column in columns.items() if name in known}
    receive(session, here.id, columns, limits.quotas)


def _outcome(session: Session, of: MlflowExperiment, run: MlflowRun) -> ExternalOutcome:
    """Return how a run ended: diverged where it has finished with a last value of the outcome that is not finite."""
    ended = ENDS[run.said]
    one = session.get(Experiment, of.experiment_id) if of.experiment_id else None
    last = run.latest.get(one.spec["outcome"]) if one is not None else None
    if ended == "completed" and last is not None and (last["value"] is None or not np.isfinite(last["value"])):
        return "diverged"
    return ended
