"""A bundle: all that is known of an experiment that has ended, in files that need no service to be read.

Nothing of the moment or the machine that packs it is in it: of the same rows the same bytes are made.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, cast

import pyarrow as pa
from pyarrow import csv
from sqlalchemy import select
from sqlalchemy.orm import Session

from api.archive import SUMS, Archive
from api.environment_schemas import EnvironmentList
from api.history_schemas import EventOut
from api.responses import compact
from api.run_schemas import RunOut
from api.series import ROWS
from core.analysis import build_report, html, markdown
from core.datasets import DataError, DatasetPaths, splits_hash
from core.design import Varied
from core.errors import Conflict
from core.experiments.cohorts.environments import trained_in
from core.experiments.cohorts.events import events
from core.experiments.cohorts.states import TERMINAL
from core.experiments.queries import read
from core.experiments.queries.series import series
from core.plots import Look, Plot, pictures, plot_data, plots, reported, suitable
from core.results import Results
from core.spec import parse
from core.store import Cohort, Experiment, Run

FORMAT, FORMAT_VERSION = "initlab-bundle", 1
EXTERNAL = "external"
"""The kind of what was trained elsewhere."""
MOST_EVENTS = 100_000
COLUMNS = {
    "arm": pa.string(),
    "seed": pa.int64(),
    "varied": pa.string(),
    "metric": pa.string(),
    "unit": pa.string(),
    "step": pa.int64(),
    "value": pa.float64(),
}
README = """\
# {name}

Experiment {id} of an initlab service, {status}. `report.html` is for a browser, `report.md` for a terminal.

| file | holds |
| --- | --- |
| `experiment.json` | name, tags, notes, times |
| `spec.json` | the spec, every default written out |
| `plan.json` | the runs that trained together, with their threads and layout |
| `environment.json` | releases, commit, machine and settings of every attempt |
| `data.json` | each data set with the SHA-256 of its splits, as of when this was packed; null where it was not there |
| `runs.json` | every run: outcome, last values, time, energy |
| `classes.json` | confusions, scores in 1,001 bins and confidences in 15 of each run that classifies (decision 44) |
| `metrics.csv` | every point, to the last bit; `varied` says by what a second training differs from the first |
| `report.json`, `report.md`, `report.html` | the verdict |
| `plots/` | pictures, with the data behind each |
| `history.json` | what happened, when and why |
| `SHA256SUMS` | `sha256sum --check SHA256SUMS` |

To train it again and compare every point: `initlab reproduce FILE.zip`.
"""


def write_bundle(archive: Archive, session: Session, one: Experiment, paths: DatasetPaths) -> None:
    """Put an experiment's files into an archive; raises `Conflict` for one that has not ended."""
    if one.status not in TERMINAL:
        raise Conflict(f"experiment {one.id} is {one.status}: a bundle is made of what has ended")
    results = read.results(session, one, paths)
    about = {"name": one.name, "id": one.id, "status": one.status}
    archive.add("README.md", README.format(**about).encode())
    archive.add("experiment.json", _text(_about(one)))
    archive.add("spec.json", _text(one.spec))
    archive.add("plan.json", _text(_plan(session, one)))
    environments = EnvironmentList.of(trained_in(session, one.id))
    archive.add("environment.json", _text(environments.model_dump(mode="json")["items"]))
    archive.add("data.json", _text(_data(one, paths)))
    runs = [RunOut.of(run).model_dump(mode="json") for run in read.runs(session, one.id)]
    archive.add("runs.json", _text(runs))
    archive.add("classes.json", compact(_classes(results)))
    with archive.writing("metrics.csv") as out, csv.CSVWriter(out, pa.schema(COLUMNS), write_options=_UNQUOTED) as rows:
        for varied in (None, *_second(session, one.id)):
            for batch in _points(session, one.id, results, varied):
                rows.write_batch(batch)
    _add_report(archive, results)
    told = [EventOut.of(event).model_dump(mode="json") for event in events(session, one.id, limit=MOST_EVENTS)]
    archive.add("history.json", _text(told))
    archive.add(SUMS, archive.sums())


_UNQUOTED = csv.WriteOptions(quoting_style="needed")


def _text(content: Any) -> bytes:
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _about(one: Experiment) -> dict[str, Any]:
    """Return what an experiment is called and when it was what, but not whose it is."""
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "packed_by": f"initlab {version('initlab')}",
        "id": one.id,
        "name": one.name,
        "kind": one.spec.get("kind"),
        "tags": sorted(tag.tag for tag in one.tags),
        "notes": one.notes,
        "status": one.status,
        **{name: moment(getattr(one, name)) for name in ("created_at", "started_at", "finished_at")},
    }


def moment(seconds: float | None) -> str | None:
    """Return a time of the database's clock as RFC 3339 has it."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()


def _classes(results: Results) -> list[dict[str, Any]]:
    """Return what each run made of the classes, of those that have it stored."""
    stored = results.classified()
    return [{"arm": run.arm, "seed": run.seed, **stored[run.id].as_dict()} for run in results.runs if run.id in stored]


def _plan(session: Session, one: Experiment) -> list[dict[str, Any]]:
    """Return the cohorts as they were trained, each with its runs."""
    members: dict[int, list[dict[str, Any]]] = {}
    mine = select(Run.cohort_id, Run.arm, Run.seed, Run.varied).where(Run.experiment_id == one.id).order_by(Run.id)
    for cohort, arm, seed, varied in session.execute(mine):
        members.setdefault(cohort, []).append({"arm": arm, "seed": seed, "varied": varied})
    cohorts = session.scalars(select(Cohort).where(Cohort.experiment_id == one.id).order_by(Cohort.id))
    return [
        {
            "cohort": cohort.id,
            "device": cohort.device,
            "threads": cohort.threads,
            "layout": cohort.layout,
            "attempts": cohort.attempt,
            "runs": members.get(cohort.id, []),
        }
        for cohort in cohorts
    ]


def _data(one: Experiment, paths: DatasetPaths) -> list[dict[str, Any]]:
    """Return each data set of the spec, with the hash of its splits where it can be read here.

    Of what was trained elsewhere nobody knows them.
    """
    if one.spec.get("kind") == EXTERNAL:
        return []
    found = []
    for dataset in dict.fromkeys(arm.treatment.dataset for arm in parse(one.spec).expanded):
        try:
            sha256 = splits_hash(dataset.build().load(paths))
        except DataError:
            sha256 = None
        found.append({"dataset": dataset.model_dump(mode="json"), "sha256": sha256})
    return found


def _second(session: Session, experiment_id: int) -> Sequence[Varied]:
    """Return how the second trainings of an experiment differ from the first, in one order."""
    mine = select(Run.varied).where(Run.experiment_id == experiment_id, Run.varied.is_not(None)).distinct()
    return [cast(Varied, varied) for varied in session.scalars(mine.order_by(Run.varied))]


def _points(session: Session, experiment_id: int, results: Results, varied: Varied | None) -> Iterator[pa.RecordBatch]:
    """Yield all points as rows in the order run, metric, step: of first trainings, or of second ones that differ so."""
    for one in series(session, experiment_id, diagnostics=True, repeat=varied is not None, varied=varied):
        for start in range(0, len(one.steps), ROWS):
            steps, values = one.steps[start : start + ROWS], one.values[start : start + ROWS]
            keys = {"arm": one.arm, "seed": one.seed, "varied": varied or "", "metric": one.metric}
            keys |= {"unit": results.unit(one.metric)}
            columns = [pa.repeat(pa.scalar(value, COLUMNS[name]), len(steps)) for name, value in keys.items()]
            yield pa.record_batch([*columns, pa.array(steps), pa.array(values)], schema=pa.schema(COLUMNS))


def _add_report(archive: Archive, results: Results) -> None:
    report = build_report(results)
    shown = suitable(results.design)
    archive.add("report.json", _text(report))
    archive.add("report.md", markdown(report, results).encode())
    archive.add("report.html", html(report, results, reported(results.design)).encode())
    for name in shown:
        plot: Plot = plots.parse(name).build()
        data = compact(plot_data(plot.data, results, [], None))
        archive.add(f"plots/{name}.json", data)
        for form, drawn in pictures(plot.draw, json.loads(data), look=Look("light")).items():
            archive.add(f"plots/{name}.{form}", drawn)
