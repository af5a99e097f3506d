"""Decides the experiments of a study that have ended: keep, discard or inconclusive."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.analysis import compare_arms
from core.analysis.shapes import Comparison, DatasetsComparison, Report
from core.datasets import DatasetPaths
from core.experiments.projects.studies import Ruling
from core.experiments.queries import read
from core.store import Experiment, Status, StudyEntry

DECIDED_WHEN = (Status.SUCCEEDED, Status.CANCELLED)
"""Statuses in which an experiment is decided: one that failed may be run again, and is decided then."""


def rulings(session: Session, project: str, name: str, paths: DatasetPaths) -> Sequence[Ruling]:
    """Return the decisions of a study's experiments that have ended and are not decided yet, each at its own level.

    One that was deleted before anybody looked is inconclusive. Series are not read: the outcome that decides is the
    last value of a metric.
    """
    mine = (StudyEntry.project == project, StudyEntry.study == name, StudyEntry.decision.is_(None))
    ids = session.scalars(select(StudyEntry.experiment_id).where(*mine).order_by(StudyEntry.position)).all()
    found = []
    for one in ids:
        experiment = session.get(Experiment, one)
        if experiment is None or experiment.deleted_at is not None:
            found.append(Ruling(one, "inconclusive", None, None))
        elif experiment.status in DECIDED_WHEN:
            results = replace(read.results(session, experiment, paths), series=lambda _metric: ())
            found.append(rule(one, compare_arms(results)))
    return found


def rule(experiment_id: int, report: Report) -> Ruling:
    """Return what a report with a baseline decides about the change that an experiment tried.

    An arm that is better than the baseline is kept: the first of them in the order of the arms. Where every arm is
    worse, or equivalent to it, the change is discarded; else it is inconclusive. A grid over data sets is decided by
    all sets together.
    """
    over = report["datasets"]
    order = report["verdict"]["order"]
    compared: Sequence[Comparison | DatasetsComparison] = report["comparisons"]
    if over is not None:  # of the sets together
        compared = over["comparisons"]
        order = [one["label"] for one in sorted(over["treatments"], key=lambda one: one["mean_rank"] or 0.0)]
    baseline = report["baseline"] if over is None else over["baseline"]
    against = {c["b"]: c for c in compared if c["a"] == baseline}
    better = [label for label in order if label in against and against[label]["decision"] == "worse"]
    if better:
        return Ruling(experiment_id, "keep", better[0], against[better[0]]["p_adjusted"])
    p = min((c["p_adjusted"] for c in against.values() if c["p_adjusted"] is not None), default=None)
    settled = bool(against) and all(c["decision"] in ("better", "equivalent") for c in against.values())
    return Ruling(experiment_id, "discard" if settled else "inconclusive", None, p)
