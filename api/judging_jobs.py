"""The jobs that judge: reports, comparisons of several experiments, studies."""

import json
from typing import Literal, NamedTuple

from api.answer_cache import Answer
from api.bodies import read_body
from api.job_process import Process, paths_for
from api.responses import compact
from api.study_schemas import StudyOut
from core.analysis import build_report, compare_arms, html, markdown
from core.experiments.cohorts.states import TERMINAL
from core.experiments.projects import studies
from core.experiments.queries import read, reports
from core.experiments.queries.comparisons import ComparisonSpec, joined
from core.experiments.queries.studies import rulings
from core.plots import Plot, picture, plot_data, plots, reported
from core.results import Results

Media = Literal["application/json", "text/markdown", "text/html"]


class Judged(NamedTuple):
    """The outcome that a report is asked to judge by, and another margin and alpha than the spec's; None: its own."""

    metric: str | None
    margin: float | None = None
    alpha: float | None = None


def report(experiment_id: int, by: Judged, media: Media) -> Answer:
    """Return an experiment's report: as it is kept where it was made before and the experiment has ended.

    Those by another margin or alpha are not kept: there is no end of them.
    """
    with Process.database.reading() as session:
        one = read.experiment(session, experiment_id)
        version = read.version(session, one.id)
        keeps = by.margin is None and by.alpha is None
        kept = reports.find(session, one.id, version, by.metric, media) if keeps else None
        if kept is not None:
            return Answer(version, kept)
        body = _report(read.results(session, one, Process.paths), by, media)
    if keeps and one.status in TERMINAL:
        with Process.database.transaction() as session:
            reports.store(session, one.id, version, by.metric, media, body)
    return Answer(version, body)


def _report(results: Results, by: Judged, media: Media) -> bytes:
    found = build_report(results, by.metric, margin=by.margin, alpha=by.alpha)
    if media == "application/json":
        return compact(found)
    if media == "text/markdown":
        return markdown(found, results).encode()
    return html(found, results, reported(results.design)).encode()


def comparison(body: bytes, hidden: frozenset[str], *, as_markdown: bool) -> bytes:
    """Return the report that compares arms of several experiments; those of `hidden` projects are not there."""
    asked = read_body(body, ComparisonSpec)
    with Process.database.reading() as session:
        found = joined(session, asked, paths_for(hidden))
        report = compare_arms(found.results, asked.metric, margin=asked.margin)
    if as_markdown:
        return markdown(report, found.results).encode()
    return compact({**report, "paired": found.pairing.paired, "reason": found.pairing.reason})


def study(name: str, project: str) -> bytes:
    """Return a study with its verdicts in order, as JSON; what has ended is decided first. Raises `NotFound`."""
    settle_study(project, name)
    with Process.database.reading() as session:
        one = studies.study(session, project, name)
        return StudyOut.of(session, one, studies.entries(session, one)).model_dump_json().encode()


def settle_study(project: str, name: str) -> None:
    """Decide the experiments of a study that have ended: read without a lock, and store in a short transaction."""
    with Process.database.reading() as session:
        found = rulings(session, project, name, Process.paths)
    if found:
        with Process.database.transaction() as session:
            studies.record(session, project, name, found)


def whole_page(experiment_id: int, by: Judged) -> Answer:
    """Return an experiment's report as a page with its pictures inside; it is not kept, for its size."""
    with Process.database.reading() as session:
        one = read.experiment(session, experiment_id)
        version = read.version(session, one.id)
        results = read.results(session, one, Process.paths)
        shown = reported(results.design)
        drawn = {name: _drawn(name, results) for name in shown}
        found = build_report(results, by.metric, margin=by.margin, alpha=by.alpha)
        return Answer(version, html(found, results, shown, drawn).encode())


def _drawn(name: str, results: Results) -> bytes:
    plot: Plot = plots.parse(name).build()
    return picture(plot.draw, json.loads(compact(plot_data(plot.data, results, [], None))), "png")
