"""Files of every kind, made in memory, and what becomes of them."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from PIL import Image
from pyarrow import parquet

from core.datasets import About, Dataset, DatasetPaths, Options, Splits, Uploads, datasets
from core.datasets._content import InvalidUpload


def add(folder: Path, content: bytes, filename: str, name: str | None = "mine", **options: Any) -> About:
    return Uploads(folder).add(io.BytesIO(content), filename, name, Options(**options))[0]


def built(**parameters: Any) -> Dataset:
    dataset: Dataset = datasets.parse({"name": "uploaded", "id": "mine", **parameters}).build()
    return dataset


def loaded(folder: Path, **parameters: Any) -> Splits:
    """The data set `mine`; the facts are those of what is loaded."""
    paths = DatasetPaths(Path("/nowhere"), folder)
    dataset = built(**parameters)
    info, splits = dataset.info(paths), dataset.load(paths)
    assert splits.x_train.shape == (info.train, *info.inputs)
    assert splits.x_valid.shape == (info.valid, *info.inputs)
    label = () if info.task == "multiclass" else (info.outputs,)
    assert (splits.y_train.shape, splits.y_valid.shape) == ((info.train, *label), (info.valid, *label))
    return splits


def refused(folder: Path, content: bytes, filename: str, **options: Any) -> str:
    """The only problem as it is told, path first; nothing of the file is left."""
    (problem,) = problems(folder, content, filename, **options)
    return problem


def problems(folder: Path, content: bytes, filename: str, **options: Any) -> list[str]:
    """The problems as they are told, path first; nothing of the file is left."""
    with pytest.raises(InvalidUpload) as refusal:
        add(folder, content, filename, **options)
    assert refusal.value.status == 422
    assert left(folder) == []
    for problem in refusal.value.problems:
        problem.message.encode()
    return [f"{problem.path}: {problem.message}" for problem in refusal.value.problems]


def notes(about: About) -> list[str]:
    """The notes as they are told, path first."""
    return [f"{note.path}: {note.message}" for note in about.notes]


def left(folder: Path) -> list[str]:
    """What lies in the folder of data sets, beside its lock."""
    return sorted(path.name for path in folder.glob("*") if path.name != ".lock")


def parquet_of(**columns: Any) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out, store_schema=False)  # as other writers do
    return out.getvalue()


def npz(**arrays: Any) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, **arrays)
    return out.getvalue()


def picture(pixels: NDArray[np.uint8], form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, form)
    return out.getvalue()


def zipped(files: dict[str, bytes], **how: Any) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **({"compression": zipfile.ZIP_DEFLATED} | how)) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()
