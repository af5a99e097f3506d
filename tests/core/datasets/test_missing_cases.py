"""Missing values: what is taken for one, by which marker, and what becomes of it, is told."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.core.datasets.uploading import add, notes, npz, parquet_of, sheet, told, values, zipped

pytestmark = pytest.mark.slow  # many files, a second in all

HOUSES = (
    "LotFrontage,Garage,y\n65,Attchd,0\nNA,NA,1\n70,Detchd,0\n60,Attchd,1\n50,NA,0\n80,Attchd,1\n90,,1\n75,Detchd,0\n"
)


def test_what_is_imputed_is_told_with_its_markers(tmp_path: Path) -> None:
    """D17: NA is "no garage" there, and became the most frequent one in silence."""
    _, found = values(tmp_path, HOUSES.encode(), missing="impute")
    assert (
        "columns.Garage: 3 rows are taken for missing ('NA' in 2, empty in 1), and get the training split's most "
        "frequent text; if 'NA' is a value, say missing_values without it"
    ) in found
    assert told(found, "columns.LotFrontage: 1 rows are taken for missing ('NA' in 1)", "the training split's mean")
    _, found = values(tmp_path, HOUSES.encode(), missing="impute", missing_values=[""], categorical=["LotFrontage"])
    assert not told(found, "'NA'")
    assert told(found, "columns.Garage: 1 rows are taken for missing (empty in 1)")
    frame = parquet_of(x=[1.5, None, 2.5], t=["a", "null", None], b=[True, None, False], y=[0, 1, 0])
    _, found = values(tmp_path, frame, "t.parquet", missing="impute")
    assert told(found, "columns.x: 1 rows are taken for missing (empty in 1)")
    assert told(found, "columns.t: 2 rows are taken for missing ('null' in 1, empty in 1)")
    assert told(found, "columns.b: 1 rows", "most frequent value")
    assert told(notes(add(tmp_path, npz(x=np.array([[1.5, np.nan], [2, 3]]), y=[0, 1]), "n.npz", missing="impute")),
                "missing: 1 numbers of x are NaN")  # fmt: skip


def test_no_markers_are_the_empty_one(tmp_path: Path) -> None:
    """In Python as over HTTP, where an empty list is a field of the empty text."""
    for i, said in enumerate(([], [""])):
        about = add(tmp_path, HOUSES.encode(), "t.csv", f"n{i}", target=["y"], drop=["LotFrontage"], missing="impute",
                    missing_values=said)  # fmt: skip
        assert (about.columns[0].categories, about.options["missing_values"]) == (["Attchd", "Detchd", "NA"], [""])


def test_cells_with_errors_are_told(tmp_path: Path) -> None:
    """A spreadsheet's #DIV/0! is empty to its reader."""
    plain = sheet(["x", "y"], [1, 0], ["?", 1], [3, 1])
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    cells = parts["xl/worksheets/s1.xml"]
    wrong = cells.replace(b't="inlineStr"><is><t>?</t></is>', b't="e"><v>#DIV/0!</v>')
    assert wrong != cells
    data = zipped(parts | {"xl/worksheets/s1.xml": wrong})
    got, found = values(tmp_path, data, "t.xlsx", missing="impute")
    assert [np.isnan(one) for (one,) in got] == [False, True, False]
    assert told(found, "file: 1 cells of the workbook hold errors", "they are empty here")
    assert told(found, "columns.x: 1 rows are taken for missing (empty in 1)")
