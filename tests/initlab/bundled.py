"""Bundles made by hand, so that what differs between two is known."""

import csv
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

ENVIRONMENT: dict[str, Any] = {
    "packages": {"torch": "2.13.0"},
    "settings": {"OMP_NUM_THREADS": None},
    "device": "cpu",
    "processor": "one",
}
COLUMNS = ("arm", "seed", "varied", "metric", "unit", "step", "value")
Row = tuple[str, int, str, str, str, int, str]
ROWS: list[Row] = [
    *[("he", 0, "", "train_loss", "step", step, repr(2.0 - step / 7)) for step in range(4)],
    *[("he", 0, "", "valid_loss", "epoch", epoch, repr(1.5 + epoch)) for epoch in range(2)],
    *[("zeros", 0, "", "train_loss", "step", step, value) for step, value in enumerate(["1.0", "inf", "nan"])],
]


def write(path: Path, rows: list[Row], *, folder: str = "", **files: Any) -> Path:
    """Write a bundle of these points; `files` are contents of JSON files other than usual, by name."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([COLUMNS, *rows])
    about = {"format": "initlab-bundle", "format_version": 1, "id": 3, "name": "x", "kind": None}
    usual: dict[str, Any] = {
        "experiment": about,
        "spec": {"name": "x", "tags": ["a"], "study": "s", "priority": 3, "queue": "lab", "device": "auto"},
        "environment": [{"environment": ENVIRONMENT, "attempts": []}],
        "data": [{"dataset": {"name": "digits"}, "sha256": "aa"}],
        "runs": [{"arm": "he", "seed": 0, "varied": None, "status": "succeeded", "outcome": "completed"}],
        "report": {"comparisons": [{"a": "he", "b": "zeros", "decision": "better"}]},
    }
    contents = {f"{name}.json": json.dumps(content).encode() for name, content in (usual | files).items()}
    contents["metrics.csv"] = out.getvalue().encode()
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items())
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (contents | {"SHA256SUMS": sums.encode()}).items():
            archive.writestr(f"{folder}{name}", content)
    return path
