"""The jobs that take long, each run by a process of the pool: plain values go in and come out."""

import io
import json
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from api.answer_cache import Answer
from api.archive import Archive
from api.bodies import read_body, read_spec
from api.dataset_schemas import DatasetPreviewOut, UseOut
from api.job_process import Process, paths_for
from api.memory import at_most
from api.preview_schemas import PreviewOut, StudyLevelOut
from api.previews import PREVIEWS
from api.responses import compact
from api.schemas import DatasetList, DatasetOut
from api.series import Form, write_series
from api.uploads import read_form
from core.datasets import About, InvalidUpload, Options, Uploads, preview_dataset
from core.errors import NotFound
from core.experiments import requests
from core.experiments.cohorts.designs import AnySpec
from core.experiments.cohorts.heartbeat import profile_for
from core.experiments.projects import DEFAULT, Amount, Quotas, studies, take
from core.experiments.queries import read
from core.experiments.queries.datasets import using
from core.experiments.queries.studies import rulings
from core.external import ExternalSpec
from core.plots import (
    Format,
    Look,
    Plot,
    Theme,
    picture,
    pictures,
    plot_data,
    plots,
    suitable,
)
from core.training import Profile

MEMORY, MEMORY_TIMES = 3 * 2**29, 40
"""Bytes of memory that reading a file may take, and how many more for each of its bytes. A table of single digits takes
13 for each, and may come packed."""


def preview(
    body: bytes, fallback: Profile, limits: requests.Limits, hidden: frozenset[str], project: str = DEFAULT
) -> bytes:
    """Return what a post of a body's spec into a project would make, as JSON."""
    spec = read_spec(body)
    if isinstance(spec, ExternalSpec):
        return _external_preview(spec, hidden, project)
    requests.check_priority(spec.priority, limits)
    with Process.database.reading() as session:
        profile = profile_for(session, spec.device, fallback)
        study = _level_in(session, spec, project, hidden)
    found = requests.preview(spec, paths_for(hidden), profile, Process.settings.check_seconds)
    return PreviewOut.of(found, study).model_dump_json().encode()


def _external_preview(spec: ExternalSpec, hidden: frozenset[str], project: str) -> bytes:
    with Process.database.reading() as session:
        study = _level_in(session, spec, project, hidden)
    return PreviewOut.of_external(requests.ExternalPreview(spec=spec), study).model_dump_json().encode()


def _level_in(session: Session, spec: AnySpec, project: str, hidden: frozenset[str]) -> StudyLevelOut | None:
    """Return what the spec's study would give to an experiment that is posted now; None where it is of none."""
    name = spec.study
    if name is None:
        return None
    if project in hidden:
        raise NotFound(f"there is no project {project!r}")
    pending = rulings(session, project, name, Process.paths)
    position, alpha = studies.next_level(session, project, name, spec.alpha, pending)
    return StudyLevelOut(name=name, project=project, position=position, alpha=alpha)


def datasets(hidden: frozenset[str], owner: str | None, project: str | None, first: str | None) -> Answer:
    """Return the data sets of projects that are not hidden, those of the owner `first` before the others, as JSON."""
    there = Uploads(Process.paths.uploads, hidden)
    wanted = [one for one in there if owner in (None, one.owner) and project in (None, one.project)]
    found = DatasetList(items=[DatasetOut.of(one) for one in sorted(wanted, key=lambda one: one.owner != first)])
    return Answer("", found.model_dump_json().encode())


def dataset_preview(name: str, hidden: frozenset[str]) -> bytes:
    """Return some of a data set's examples and the experiments that use it, as JSON; raises `NotFound`."""
    uploads = Uploads(Process.paths.uploads, hidden)
    shown = preview_dataset(uploads, uploads.find(name))
    with Process.database.reading() as session:
        uses = [UseOut.model_validate(use._asdict()) for use in using(session, name, hidden)]
    return DatasetPreviewOut(**dict(shown), experiments=uses).model_dump_json().encode()


def list_plots(experiment_id: int) -> Answer:
    """Return the pictures that suit an experiment, as JSON."""
    with Process.database.reading() as session:
        one = read.experiment(session, experiment_id)
        design, version = read.design(session, one, Process.paths), read.version(session, one.id)
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


def all_pictures(experiment_id: int, theme: Theme) -> Answer:
    """Return a ZIP of an experiment's pictures as PNG and SVG, with the data behind each; it is not kept, for its size.

    The same pictures make the same file, to the bit.
    """
    with Process.database.reading() as session:
        one = read.experiment(session, experiment_id)
        version = read.version(session, one.id)
        results = read.results(session, one, Process.paths)
        chosen = {name: plots.parse(name).build() for name in suitable(results.design)}
        data = {name: compact(plot_data(plot.data, results, [], None)) for name, plot in chosen.items()}
    packed = io.BytesIO()
    archive = Archive(packed)
    for name, plot in chosen.items():
        for form, drawn in pictures(plot.draw, json.loads(data[name]), look=Look(theme)).items():
            archive.add(f"{name}.{form}", drawn)
        archive.add(f"{name}.json", data[name])
    archive.close()
    return Answer(version, packed.getvalue())


def data_of_plot(experiment_id: int, name: str, options: dict[str, Any], arms: list[str], log: bool | None) -> Answer:
    """Return the data behind a picture, as JSON."""
    plot: Plot = plots[name].model_validate(options).build()
    with Process.database.reading() as session:
        one = read.experiment(session, experiment_id)
        results = read.results(session, one, Process.paths)
        return Answer(read.version(session, one.id), compact(plot_data(plot.data, results, arms, log)))


def draw_plot(name: str, options: dict[str, Any], data: bytes, extension: Format, look: Look) -> Answer:
    """Return the picture of such data."""
    plot: Plot = plots[name].model_validate(options).build()
    return Answer("", picture(plot.draw, json.loads(data), extension, look))


def series(path: Path, experiment_id: int, form: Form, asked: dict[str, Any]) -> None:
    """Write series into a file that is there."""
    with Process.database.reading() as session, path.open("wb") as out:
        write_series(out, session, experiment_id, form, **asked)


def preview_of(kind: str, body: bytes, draw: tuple[Format, Theme] | None, hidden: frozenset[str]) -> Answer:
    """Return a preview as JSON, or to `draw` as a picture, for paper or for a dark room."""
    preview = PREVIEWS[kind]
    found = preview.answer(read_body(body, preview.body), paths_for(hidden), Process.settings.preview_seconds)
    if draw is None:
        return Answer("", compact(found))
    extension, theme = draw
    return Answer("", picture(preview.draw, found, extension, Look(theme)))


def keep_upload(path: Path, content_type: str, sender: tuple[str | None, str, Quotas]) -> tuple[About, bool]:
    """Store the file in the form at a path as a user's data set; returns it, and whether it is new.

    `sender` is its owner, the project that it belongs to, and the owner's quotas. Raises `BadForm`, `InvalidSpec` for
    its fields, `QuotaExceeded`, and `InvalidUpload` also where it takes more memory than a file of its size may.
    """
    owner, project, own = sender
    try:
        with (
            Process.database.transaction() as session,  # it begins when something is counted
            at_most(MEMORY + MEMORY_TIMES * path.stat().st_size),
        ):

            def admit(about: About) -> None:
                take(session, owner, project, Amount(bytes=about.bytes), own)

            form = read_form(path, content_type)
            options = Options.model_validate(form.model_dump(include=set(Options.model_fields)))
            uploads, name = Uploads(Process.paths.uploads), form.file.filename or ""
            with closing(form.file.file) as file:
                found, new = uploads.add(file, name, form.name, options, owner, project, admit)
            if not new:
                session.rollback()
            return found, new
    except MemoryError:
        text = "the file takes too much memory for its size: send a part of it, or numbers as .npz"
        raise InvalidUpload(text) from None
