"""The jobs that take long, each run by a process of the pool: plain values go in and come out."""

import gc
import json
import signal
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pyarrow as pa
import torch

from api.answer_cache import Answer
from api.bodies import read_body
from api.memory import at_most
from api.previews import InitializerPreview, SchedulePreview, initializer_of, schedule_of
from api.responses import compact
from api.schemas import DatasetList, DatasetOut, PreviewOut
from api.series import Form, write_series
from api.signal_propagation import SignalPreview, signal_of
from api.uploads import read_form
from core.analysis import build_report, html, markdown
from core.datasets import About, DatasetPaths, InvalidUpload, Options, Uploads
from core.experiments import requests
from core.experiments.cohorts.heartbeat import profile_for
from core.experiments.cohorts.states import TERMINAL
from core.experiments.projects import Amount, Quotas, take
from core.experiments.queries import read, reports
from core.logs import set_up
from core.plots import (
    Format,
    Look,
    Plot,
    draw_initializer_preview,
    draw_schedule_preview,
    draw_signal_preview,
    picture,
    plot_data,
    plots,
    render,
    suitable,
)
from core.results import Results
from core.settings import Settings
from core.spec import Spec
from core.store import Database
from core.training import Profile

Media = Literal["application/json", "text/markdown", "text/html"]
MEMORY, MEMORY_TIMES = 3 * 2**29, 40
"""Bytes of memory that reading a file may take, and how many more for each of its bytes. A table of single digits takes
13 for each, and may come packed."""
DRAWINGS = {
    "schedule": draw_schedule_preview,
    "initializer": draw_initializer_preview,
    "signal": draw_signal_preview,
}


class _Process:
    """A process of the pool: all that it keeps from one job to the next."""

    settings: Settings
    database: Database
    paths: DatasetPaths


def begin(settings: Settings) -> None:
    """Set up a process of the pool."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal, which the API hears too and answers to
    set_up("api", settings)
    tempfile.tempdir = str(settings.data_dir.absolute())  # /tmp may be memory
    torch.set_num_threads(1)
    pa.set_memory_pool(pa.system_memory_pool())  # the default one takes a gigabyte at once, which a bound would count
    gc.freeze()
    _Process.settings = settings
    _Process.database = Database(settings.database, pool_size=1)
    _Process.paths = DatasetPaths(settings.datasets, settings.uploads)


def draft(
    body: bytes, fallback: Profile, idempotency_key: str | None, project: str, hidden: frozenset[str]
) -> requests.Draft | None:
    """Return a body's spec, checked and planned; None where its experiment is there already under the key.

    Data sets of `hidden` projects are not there.
    """
    spec = read_body(body, Spec)
    fingerprint = requests.fingerprint_of(spec)
    with _Process.database.reading() as session:  # ended before the checks, which may take half a minute
        if idempotency_key is not None and requests.known_under(session, idempotency_key, fingerprint, project):
            return None
        profile = profile_for(session, spec.device, fallback)
    return requests.draft(spec, fingerprint, _paths(hidden), profile, _Process.settings.check_seconds)


def preview(body: bytes, fallback: Profile, limits: requests.Limits, hidden: frozenset[str]) -> bytes:
    """Return what a post of a body's spec would make, as JSON."""
    spec = read_body(body, Spec)
    requests.check_priority(spec.priority, limits)
    with _Process.database.reading() as session:
        profile = profile_for(session, spec.device, fallback)
    found = requests.preview(spec, _paths(hidden), profile, _Process.settings.check_seconds)
    return PreviewOut.of(found).model_dump_json().encode()


class Judged(NamedTuple):
    """The outcome that a report is asked to judge by, and another margin and alpha than the spec's; None: its own."""

    metric: str | None
    margin: float | None = None
    alpha: float | None = None


def report(experiment_id: int, by: Judged, media: Media) -> Answer:
    """Return an experiment's report: as it is kept where it was made before and the experiment has ended.

    Those by another margin or alpha are not kept: there is no end of them.
    """
    with _Process.database.reading() as session:
        one = read.experiment(session, experiment_id)
        version = read.version(session, one.id)
        keeps = by.margin is None and by.alpha is None
        kept = reports.find(session, one.id, version, by.metric, media) if keeps else None
        if kept is not None:
            return Answer(version, kept)
        body = _report(read.results(session, one, _Process.paths), by, media)
    if keeps and one.status in TERMINAL:
        with _Process.database.transaction() as session:
            reports.store(session, one.id, version, by.metric, media, body)
    return Answer(version, body)


def _report(results: Results, by: Judged, media: Media) -> bytes:
    found = build_report(results, by.metric, margin=by.margin, alpha=by.alpha)
    if media == "application/json":
        return compact(found)
    if media == "text/markdown":
        return markdown(found, results).encode()
    return html(found, results, suitable(results.design)).encode()


def datasets(hidden: frozenset[str], owner: str | None, project: str | None, first: str | None) -> Answer:
    """Return the data sets of projects that are not hidden, those of the owner `first` before the others, as JSON."""
    there = Uploads(_Process.paths.uploads, hidden)
    wanted = [one for one in there if owner in (None, one.owner) and project in (None, one.project)]
    found = DatasetList(items=[DatasetOut.of(one) for one in sorted(wanted, key=lambda one: one.owner != first)])
    return Answer("", found.model_dump_json().encode())


def list_plots(experiment_id: int) -> Answer:
    """Return the pictures that suit an experiment, as JSON."""
    with _Process.database.reading() as session:
        one = read.experiment(session, experiment_id)
        design, version = read.design(session, one, _Process.paths), read.version(session, one.id)
    here = f"/experiments/{experiment_id}/plots"
    items = [
        {
            "name": name,
            "summary": summary,
            "links": {extension: f"{here}/{name}.{extension}" for extension in ("png", "svg", "json")},
        }
        for name, summary in suitable(design).items()
    ]
    return Answer(version, compact({"items": items}))


def whole_page(experiment_id: int, by: Judged) -> Answer:
    """Return an experiment's report as a page with its pictures inside; it is not kept, for its size."""
    with _Process.database.reading() as session:
        one = read.experiment(session, experiment_id)
        version = read.version(session, one.id)
        results = read.results(session, one, _Process.paths)
        shown = suitable(results.design)
        drawn = {name: _drawn(name, results) for name in shown}
        found = build_report(results, by.metric, margin=by.margin, alpha=by.alpha)
        return Answer(version, html(found, results, shown, drawn).encode())


def _drawn(name: str, results: Results) -> bytes:
    plot: Plot = plots.parse(name).build()
    return picture(plot.draw, json.loads(compact(plot_data(plot.data, results, [], None))), "png")


def data_of_plot(experiment_id: int, name: str, options: dict[str, Any], arms: list[str], log: bool | None) -> Answer:
    """Return the data behind a picture, as JSON."""
    plot: Plot = plots[name].model_validate(options).build()
    with _Process.database.reading() as session:
        one = read.experiment(session, experiment_id)
        results = read.results(session, one, _Process.paths)
        return Answer(read.version(session, one.id), compact(plot_data(plot.data, results, arms, log)))


def draw_plot(name: str, options: dict[str, Any], data: bytes, extension: Format, look: Look) -> Answer:
    """Return the picture of such data."""
    plot: Plot = plots[name].model_validate(options).build()
    return Answer("", picture(plot.draw, json.loads(data), extension, look))


def series(path: Path, experiment_id: int, form: Form, asked: dict[str, Any]) -> None:
    """Write series into a file that is there."""
    with _Process.database.reading() as session, path.open("wb") as out:
        write_series(out, session, experiment_id, form, **asked)


def preview_of(
    kind: Literal["schedule", "initializer", "signal"], body: bytes, draw: bool, hidden: frozenset[str]
) -> Answer:
    """Return a preview as JSON, or with `draw` as a PNG."""
    found: dict[str, Any]
    seconds = _Process.settings.preview_seconds
    if kind == "schedule":
        found = schedule_of(read_body(body, SchedulePreview), seconds)
    elif kind == "initializer":
        found = initializer_of(read_body(body, InitializerPreview), seconds)
    else:
        found = signal_of(read_body(body, SignalPreview), _paths(hidden), seconds)
    return Answer("", render(DRAWINGS[kind](found), "png") if draw else compact(found))


def keep_upload(path: Path, content_type: str, sender: tuple[str | None, str, Quotas]) -> tuple[About, bool]:
    """Store the file in the form at a path as a user's data set; returns it, and whether it is new.

    `sender` is its owner, the project that it belongs to, and the owner's quotas. Raises `BadForm`, `InvalidSpec` for
    its fields, `QuotaExceeded`, and `InvalidUpload` also where it takes more memory than a file of its size may.
    """
    owner, project, own = sender
    try:
        with (
            _Process.database.transaction() as session,  # it begins when something is counted
            at_most(MEMORY + MEMORY_TIMES * path.stat().st_size),
        ):

            def admit(about: About) -> None:
                take(session, owner, project, Amount(bytes=about.bytes), own)

            form = read_form(path, content_type)
            options = Options.model_validate(form.model_dump(include=set(Options.model_fields)))
            uploads, name = Uploads(_Process.paths.uploads), form.file.filename or ""
            with closing(form.file.file) as file:
                found, new = uploads.add(file, name, form.name, options, owner, project, admit)
            if not new:
                session.rollback()
            return found, new
    except MemoryError:
        text = "the file takes too much memory for its size: send a part of it, or numbers as .npz"
        raise InvalidUpload(text) from None


def _paths(hidden: frozenset[str]) -> DatasetPaths:
    return _Process.paths._replace(hidden=hidden)
