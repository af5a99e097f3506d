"""An experiment as electronic lab notebooks import it: an `.eln` file, which is a bundle inside of an RO-Crate.

Source: the ELN file format of TheELNConsortium (SPECIFICATION.md), and RO-Crate 1.1 (https://w3id.org/ro/crate/1.1).
eLabFTW reads of it the name, the text, the keywords and the date, and takes files whose `sha256` is right.
"""

import json
from importlib.metadata import version
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy.orm import Session

from api.archive import Archive, Packed
from api.bundles import moment, write_bundle
from core.analysis import build_report, markdown
from core.analysis.report.html import MARKDOWN
from core.datasets import DatasetPaths
from core.experiments.queries import read
from core.store import Experiment

METADATA = "ro-crate-metadata.json"
CONTEXT, PROFILE = "https://w3id.org/ro/crate/1.1/context", "https://w3id.org/ro/crate/1.1"
DATA = "data/"
"""The folder of the experiment's files, below the root that a file has to have."""
FORMATS = {
    ".json": "application/json",
    ".csv": "text/csv",
    ".md": "text/markdown",
    ".html": "text/html",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
ABOUT = {
    "spec.json": "The spec, every default written out",
    "report.html": "The report, for a browser",
    "metrics.csv": "Every point of every series",
    "environment.json": "Releases, commit, machine and settings of every attempt",
    "SHA256SUMS": "Checksums of the files beside it",
}


def root_of(experiment_id: int) -> str:
    """Return the name of the only folder at the root of the file."""
    return f"experiment-{experiment_id}"


def write_eln(root: Archive, session: Session, one: Experiment, paths: DatasetPaths) -> None:
    """Put an experiment's bundle and its description into the root folder; raises `Conflict` where it has not ended."""
    data = root.within(DATA)
    write_bundle(data, session, one, paths)
    results = read.results(session, one, paths)
    text = MARKDOWN.render(markdown(build_report(results), results))
    crate = {"@context": CONTEXT, "@graph": _graph(one, text, data.files)}
    root.add(METADATA, json.dumps(crate, indent=1, ensure_ascii=False).encode())


def _graph(one: Experiment, text: str, files: dict[str, Packed]) -> list[dict[str, Any]]:
    """Return the nodes, each by itself: they refer to one another by `@id`."""
    begun, ended = moment(one.created_at), moment(one.finished_at or one.created_at)
    parts = [_file(name, file) for name, file in files.items()]
    tags = ",".join(sorted(tag.tag for tag in one.tags))
    experiment = {
        "@id": f"./{DATA}",
        "@type": "Dataset",
        "name": one.name or f"Experiment {one.id}",
        "identifier": f"experiment {one.id}",
        "genre": "experiment",
        "creativeWorkStatus": one.status,
        "dateCreated": begun,
        "dateModified": ended,
        "encodingFormat": "text/html",
        "text": text,
        **({"keywords": tags} if tags else {}),
        "hasPart": [{"@id": part["@id"]} for part in parts],
    }
    descriptor = {
        "@id": METADATA,
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": PROFILE},
        "dateCreated": ended,
        "sdPublisher": {"@id": "#initlab"},
        "version": "1.0",
    }
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": experiment["name"],
        "description": "An experiment of initlab: arms trained on the same seeds, and the verdict on them",
        "datePublished": ended,
        "license": {"@id": "#license"},
        "hasPart": [{"@id": experiment["@id"]}],
    }
    publisher = {
        "@id": "#initlab",
        "@type": "Organization",
        "name": "initlab",
        "description": f"The experiment service initlab {version('initlab')}, which wrote this file",
    }
    unsaid = {
        "@id": "#license",
        "@type": "CreativeWork",
        "name": "No license is stated",
        "description": "Who made this experiment has named no license for it.",
    }
    return [descriptor, root, experiment, *parts, publisher, unsaid]


def _file(name: str, file: Packed) -> dict[str, str]:
    path = PurePosixPath(name)
    described = {"description": ABOUT[name]} if name in ABOUT else {}
    return {
        "@id": f"./{DATA}{name}",
        "@type": "File",
        "name": path.name,
        "encodingFormat": FORMATS.get(path.suffix, "text/plain"),
        "contentSize": str(file.size),
        "sha256": file.sha256,
        **described,
    }
