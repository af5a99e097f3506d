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
from core.files import FileStore


def add(folder: Path | FileStore, content: bytes, filename: str, name: str | None = "mine", **options: Any) -> About:
    return Uploads(folder).add(io.BytesIO(content), filename, name, Options(**options))[0]


def built(**parameters: Any) -> Dataset:
    dataset: Dataset = datasets.parse({"name": "uploaded", "id": "mine", **parameters}).build()
    return dataset


def loaded(folder: Path | FileStore, **parameters: Any) -> Splits:
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


def values(folder: Path, data: bytes, filename: str = "t.csv", **options: Any) -> tuple[list[Any], list[str]]:
    """The stored features, one row a list, and the notes."""
    about = add(folder, data, filename, name=f"n{len(list(folder.glob('*')))}", **({"target": ["y"]} | options))
    return np.load(Uploads(folder).path(about, "x")).tolist(), notes(about)


def told(found: list[str], *parts: str) -> bool:
    """True where one of the notes has all the parts."""
    return any(all(part in note for part in parts) for note in found)


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
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(out, form)
    return out.getvalue()


def zipped(files: dict[str, bytes], **how: Any) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **({"compression": zipfile.ZIP_DEFLATED} | how)) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def sheet(*rows: list[Any], more: int = 0) -> bytes:
    """A workbook with numbers and texts in its first sheet, as small as one can be."""
    cells = "".join(
        "<row>" + "".join(
            f"<c><v>{v}</v></c>" if isinstance(v, int | float) else f'<c t="inlineStr"><is><t>{v}</t></is></c>'
            for v in row
        ) + "</row>" for row in rows
    )  # fmt: skip
    spread = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    links = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    names = range(1, 2 + more)
    files = {
        "_rels/.rels": f'<Relationships {links}><Relationship Id="r1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',  # noqa: E501
        "xl/workbook.xml": f'<workbook {spread} xmlns:r="{office}"><sheets>'
        + "".join(f'<sheet name="S{i}" sheetId="{i}" r:id="r{i}"/>' for i in names) + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f"<Relationships {links}>"
        + "".join(f'<Relationship Id="r{i}" Type="{office}/worksheet" Target="worksheets/s{i}.xml"/>' for i in names)
        + "</Relationships>",
    }  # fmt: skip
    files |= {
        f"xl/worksheets/s{i}.xml": f"<worksheet {spread}><sheetData>{cells}</sheetData></worksheet>" for i in names
    }
    return zipped({name: text.encode() for name, text in files.items()})
