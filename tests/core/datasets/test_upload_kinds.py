"""Tables in other files than CSV and Parquet, parts in two files, and subsets."""

import gzip
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from core.datasets import Uploads, _archives
from core.datasets._limit import subset, subsets
from core.datasets.arrays import examples
from core.datasets.tables import reader
from tests.core.datasets.uploading import add, loaded, notes, npz, picture, problems, refused, sheet, told, zipped

CSV = b"x,t,y\n1,a,no\n2.5,b,yes\n3,a,yes\n"
JSON = b'{"x": 1, "t": "a", "y": "no"}\n{"t": "b", "x": 2.5, "y": "yes"}\n\n{"x": 3, "t": "a", "y": "yes"}\n'


XLSX = sheet(["x", "t", "y"], [1, "a", "no"], [2.5, "b", "yes"], [3, "a", "yes"])


@pytest.mark.parametrize(
    ("data", "filename"),
    [
        (CSV.replace(b",", b"\t"), "t.tsv"),
        (gzip.compress(CSV), "t.csv.gz"),
        (gzip.compress(CSV.replace(b",", b"\t")), "T.TSV.GZ"),
        (JSON, "t.jsonl"),
        (gzip.compress(JSON), "t.ndjson.gz"),
        (XLSX, "t.xlsx"),
        (zipped({"t.csv": CSV}), "t.zip"),
        (zipped({"folder/t.csv": CSV, "__MACOSX/._t.csv": b"", "folder/.DS_Store": b""}), "t.zip"),
    ],
    ids=[f"{i}" for i in range(8)],
)
def test_every_kind_of_file_holds_the_same(tmp_path: Path, data: bytes, filename: str) -> None:
    plain = add(tmp_path, CSV, "t.csv", name="plain", target=["y"])
    assert add(tmp_path, data, filename, name=None, target=["y"]).sha256 == plain.sha256
    assert add(tmp_path, data, filename, name=None, target=["y"]).name == "t"


@pytest.mark.parametrize(
    ("data", "filename", "told"),
    [
        (gzip.compress(CSV)[:-9], "t.csv.gz", "file: cannot be unpacked"),
        (CSV, "t.csv.gz", "file: cannot be unpacked"),
        (CSV, "t.xlsx", "file: cannot be read as a ZIP archive, as .zip, .npz and .xlsx are: by its first"),
        (zipped({"a": b"x"}), "t.xlsx", "file: cannot be read as a spreadsheet"),
        (XLSX, "t.csv", "file: the file is no text: by its first bytes it is a ZIP archive or a spreadsheet"),
        (gzip.compress(CSV), "t.csv", "file: the file is no text: by its first bytes it is packed with gzip"),
        (b'{"x": 1, "y": 0}\n{"x": \n', "t.jsonl", "file: row 2 is not JSON"),
        (b'{"x": 1, "y": 0}\n[1, 2]\n', "t.jsonl", "file: row 2 is not an object"),
        (b'{"x": 1, "y": 0}\n{"x": [2], "y": 1}\n', "t.jsonl", "file: row 2: 'x' holds a list or an object"),
        (b'{"x": 1, "y": 0}\n{"x": 2, "z": 3, "y": 1}\n', "t.jsonl", "file: row 2 has 'z', which the first"),
        (b'{"x": 1, "y": 0}\n\n{"x": "a", "y": 1}\n{"x": 2, "y": 1}\n', "t.jsonl", "file: column 'x', row 3: 'a'"),
        (b'{"x": 1, "y": 0}\n{"x": 2, "y": 1, "x": 3}\n', "t.jsonl", "file: row 2 has 'x' twice"),
        (b'{"x": 1, "y": 0}\n{"x": "\\ud800", "y": 1}\n', "t.jsonl", "file: row 2 holds half a character, \\ud800"),
        (b'{"x": 1, "\\udfff": 0}\n', "t.jsonl", "file: row 1 holds half a character, \\udfff"),
        ('{"x": "é", "y": 0}\n'.encode("cp1252"), "t.jsonl", "encoding: row 1 is not UTF-8: save the file as UTF-8"),
        (b"x", "t.json", "file: the file's name ends in '.json' (write one object a line, as .jsonl)"),
        (b"x", "t.xls", "file: the file's name ends in '.xls' (save it as .xlsx or .csv)"),
        (zipped({"a.csv": CSV, "b.csv": CSV}), "t.zip", "file: 'a.csv': tables in an archive are one, or one train"),
        (zipped({"train.csv": CSV, "test.csv": b"x,y\n1,no\n"}), "t.zip", "file: train.csv has a column 't'"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why(tmp_path: Path, data: bytes, filename: str, told: str) -> None:
    assert problems(tmp_path, data, filename, target=["y"])[0].startswith(told)


def test_a_workbook_is_its_first_sheet(tmp_path: Path) -> None:
    about = add(tmp_path, sheet(["x", "y"], [1, "a"], [2, "b"], more=1), "t.xlsx", target=["y"])
    assert told(notes(about), "the workbook has 2 sheets, 'S1', 'S2': the first is read")
    gaps = sheet(["x", "y"], [1, "a"], [], ["foo", "b"], [3, "b"])
    assert "row 4: 'foo' stands among numbers" in refused(tmp_path / "in", gaps, "t.xlsx", target=["y"])


@pytest.mark.parametrize(
    "names", [("train.csv", "test.csv"), ("a/Train.csv", "a/Validation.csv"), ("train.csv", "val.jsonl")]
)
def test_two_tables_are_two_parts(tmp_path: Path, names: tuple[str, str]) -> None:
    other = JSON if names[1].endswith("jsonl") else b"y,t,x\nyes,c,7\nno,a,8\nno,a,9\n"
    about = add(tmp_path, zipped({names[0]: CSV, names[1]: other}), "t.zip", target=["y"])
    assert (about.examples, about.valid_examples, about.classes) == (6, 3, ["no", "yes"])
    assert about.columns[1].categories == (["a", "b"] if other is JSON else ["a", "b", "c"])
    splits = loaded(tmp_path, valid_fraction=0.9)
    x = np.array([1, 2.5, 3])
    np.testing.assert_allclose(splits.x_train[:, 0], (x - x.mean()) / x.std(), rtol=1e-6)
    assert (len(splits.x_valid), splits.y_train.ravel().tolist()) == (3, [0, 1, 1])


def test_a_damaged_table_in_an_archive_is_named(tmp_path: Path) -> None:
    """Wherever it is damaged: the checksum, the stream's blocks or its codes."""
    sound = zipped({"train.csv": CSV * 9, "test.csv": CSV})
    for at in range(39, 60):
        data = sound[:at] + bytes([sound[at] ^ 0xFF]) + sound[at + 1 :]
        assert refused(tmp_path, data, "t.zip", target=["y"]).startswith("file: 'train.csv' cannot be unpacked")


def test_a_row_is_named_with_its_file(tmp_path: Path) -> None:
    data = zipped({"train.csv": CSV, "test.csv": b"x,t,y\n1,a,no\nfoo,a,yes\n"})
    assert "row 3 of test.csv: 'foo' stands" in refused(tmp_path, data, "t.zip", target=["y"])


@pytest.mark.parametrize("limit", [3, 10, 37, 99])
def test_a_subset_keeps_the_shares_of_classes(limit: int) -> None:
    labels = np.repeat([0, 1, 2], [70, 28, 2])
    taken = subset(labels, 100, limit)
    assert len(taken) == len(set(taken)) == limit
    counts = np.bincount(labels[taken], minlength=3)
    assert (counts > 0).all()
    assert np.abs(counts - np.array([70, 28, 2]) * limit / 100).max() < 1.2
    np.testing.assert_array_equal(taken, subset(labels, 100, limit))


def test_a_subset_keeps_the_part_held_out(tmp_path: Path) -> None:
    train, valid = subsets(np.arange(100) % 2, 100, 20, 10)
    assert (len(train), valid is not None and len(valid)) == (8, 2)
    rows = b"x,y\n" + b"".join(b"%d,%d\n" % (i % 7, i % 3) for i in range(90))
    about = add(tmp_path, rows, "t.csv", target=["y"], limit=9)
    assert (about.examples, about.chance) == (9, 1 / 3)
    assert told(notes(about), "limit: 9 of 90 rows")
    pictures = {f"{label}/{i}.png": picture(np.full((3, 3), i, dtype=np.uint8)) for label in "ab" for i in range(9)}
    assert add(tmp_path, zipped(pictures), "p.zip", name="p", limit=4).examples == 4
    arrays = npz(x=np.zeros((30, 2, 2), dtype=np.uint8), y=np.arange(30) % 3)
    about = add(tmp_path, arrays, "a.npz", name="a", limit=6)
    assert np.bincount(np.load(Uploads(tmp_path).path(about, "y"))).tolist() == [2, 2, 2]


def test_options_of_other_kinds_are_refused(tmp_path: Path) -> None:
    for data, filename, options in (
        (JSON, "t.jsonl", {"separator": ";"}),
        (npz(x=np.zeros((4, 2)), y=[0, 1, 0, 1]), "a.npz", {"encoding": "cp1252"}),
        (CSV, "t.csv", {"channels": "last"}),
        (CSV, "t.csv", {"background": "white"}),
    ):
        assert "does not apply to" in refused(tmp_path, data, filename, target=["y"] * (filename != "a.npz"), **options)


def test_notes_are_kept_and_change_no_hash(tmp_path: Path) -> None:
    one = add(tmp_path, CSV, "t.csv", name="one", target=["y"])
    two = add(tmp_path, CSV.replace(b",", b";"), "t.csv", name="two", target=["y"])
    assert (one.sha256 == two.sha256, one.notes == two.notes) == (True, False)
    assert Uploads(tmp_path).find("two") == two


def test_a_data_set_of_before_opens_as_it_was(tmp_path: Path) -> None:
    """Version 0.1 wrote no notes and no scale: rows of numbers in NPZ files were not standardised."""
    x, y = np.arange(12.0).reshape(6, 2), np.arange(6) % 2
    about = add(tmp_path, npz(x=x, y=y), "a.npz", scale="none")
    said = about.model_dump_json(exclude={"notes", "scale"})
    (tmp_path / "mine" / "about.json").write_text(said)
    np.save(tmp_path / "mine" / "x.npy", x.astype(np.float32))
    assert Uploads(tmp_path).find("mine").notes == []
    splits = loaded(tmp_path)
    assert sorted(map(tuple, [*splits.x_train.tolist(), *splits.x_valid.tolist()])) == [tuple(row) for row in x]


def test_an_archive_within_reach_is_read_whole(tmp_path: Path) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("train.csv", CSV)
        archive.writestr("test.csv", CSV)
        archive.writestr("LICENSE", b"x")
    assert add(tmp_path, out.getvalue(), "t.zip", target=["y"]).valid_examples == 3


@pytest.mark.parametrize("place", ["XFD1048576", "A999999999", "ZZZZZZZZ1"])
def test_a_cell_far_out_is_refused_before_memory_is_taken(tmp_path: Path, place: str) -> None:
    """The reader takes memory for the whole rectangle, which would end the process."""
    archive = zipfile.ZipFile(io.BytesIO(XLSX))
    files = {name: archive.read(name) for name in archive.namelist()}
    files["xl/worksheets/s1.xml"] = files["xl/worksheets/s1.xml"].replace(b"<c>", f"<c r='{place}'>".encode(), 1)
    assert refused(tmp_path, zipped(files), "t.xlsx", target=["y"]).startswith("file: the sheet reaches to row ")


def test_a_file_unpacks_to_so_many_times_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_archives, "FREE", 10_000)
    monkeypatch.setattr(reader, "FREE", 10_000)
    text = b"x,y\n" + b"1,no\n" * 500_000
    assert refused(tmp_path, gzip.compress(text), "t.csv.gz", target=["y"]).startswith("file: the file is larger than")
    arrays = npz(x=np.zeros((100_000, 2)), y=np.zeros(100_000))
    assert "more than 100 times its size" in refused(tmp_path, arrays, "t.npz")


def test_rows_that_are_larger_as_numbers_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "MOST_DECODED", 8 * 30 * 2 - 1)
    data = npz(x=np.ones((30, 2), dtype=np.uint8), y=np.arange(30) % 3)
    assert (
        refused(tmp_path, data, "t.npz")
        == "scale: as numbers the rows take 480 bytes; 479 is the most: say unit or none"
    )


def test_files_named_as_those_of_another_kind(tmp_path: Path) -> None:
    array = io.BytesIO()
    np.save(array, np.eye(3))
    told_of = refused(tmp_path, array.getvalue(), "t.npz")
    assert told_of.endswith(
        "by its first bytes it is an array of NumPy (.npy): write x and y with numpy.savez, as .npz"
    )
    assert refused(tmp_path, CSV, "t.zip").endswith("it is text: name a table .csv, .tsv or .jsonl")


def test_json_lines_of_another_encoding(tmp_path: Path) -> None:
    """The advice to name it could not be followed."""
    data = '{"x": "é", "y": 0}\n{"x": "ü", "y": 1}\n'.encode("cp1252")
    assert add(tmp_path, data, "t.jsonl", target=["y"], encoding="cp1252").columns[0].categories == ["é", "ü"]
    told_of = refused(tmp_path / "in", data.splitlines()[0], "t.jsonl", target=["y"], encoding="ascii")
    assert told_of.startswith("encoding: row 1 is not ascii: name its encoding")


def test_all_broken_lines_of_json_are_told(tmp_path: Path) -> None:
    data = b'{"x": 1, "y": 0}\n{"x":\n{"x": 2, "y": 1}\n[3]\n{"x": [4], "y": 1}\n'
    found = problems(tmp_path, data, "t.jsonl", target=["y"])
    assert [one.split(" is")[0].split(":")[1] for one in found] == [" row 2", " row 4", " row 5"]
    assert [one[:12] for one in problems(tmp_path, b"{\n}\n", "t.jsonl", target=["y"])] == [
        "file: row 1 ",
        "file: row 2 ",
    ]


def test_problems_of_two_tables_come_together_with_their_files(tmp_path: Path) -> None:
    """A row was told without its file, and of one file only."""
    files = zipped({"train.csv": b"x,y\n1,0\n2\n3,1\n", "te2/test.csv": b"x,y\n1,0\n2,1\n3,1,4\nfoo,1\n5,1\n"})
    found = problems(tmp_path, files, "t.zip", target=["y"])
    assert found == [
        "file: train.csv: row 3 has 1 values where the header has 2",
        "file: test.csv: row 4 has 3 values where the header has 2",
        "file: column 'x', row 5 of test.csv: 'foo' stands among numbers (if it means a missing value, name it in "
        "`missing_values`; if all are categories, name the column in `categorical`)",
    ]
    files = zipped({"train.csv": b'x,y\n1,"0\n2,1\n', "test.csv": b"x,t,y\n1,\xe9,0\n2,a,1\n"})
    found = problems(tmp_path, files, "t.zip", target=["y"])
    assert found[0] == "file: train.csv: the quote opened in row 2 never closes"
    assert found[1].startswith("encoding: test.csv: column 't', near row 2, is not UTF-8")


def test_a_test_part_that_is_validated_on_is_told(tmp_path: Path) -> None:
    about = add(tmp_path, zipped({"train.csv": CSV, "test.csv": CSV}), "t.zip", target=["y"])
    assert told(notes(about), "file: 'test.csv' is what validation is on")
