"""Tables: what is read, what is refused, and that a network sees the training split's statistics only."""

import datetime as dt
import itertools
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from core.datasets import Uploads
from core.datasets._content import Column
from core.datasets._encoding import encode
from core.datasets._splits import split
from core.datasets.tables import columnar, raw
from tests.core.datasets.uploading import add, loaded, parquet_of, refused

TOWNS = b"town,size,sunny,label\nRome,1,true,yes\nBonn,2,false,no\nRome,3,true,no\nOslo,6,false,yes\n"


def column(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).unsqueeze(1)


def test_a_small_table_by_hand(tmp_path: Path) -> None:
    about = add(tmp_path, TOWNS, "Towns 1.csv", name=None, target=["label"])
    assert (about.name, about.kind, about.examples, about.inputs, about.outputs) == ("towns_1", "table", 4, [5], 1)
    assert (about.task, about.classes, about.chance) == ("binary", ["no", "yes"], 0.5)
    assert [c.model_dump() for c in about.columns] == [
        {"name": "town", "kind": "text", "categories": ["Bonn", "Oslo", "Rome"]},
        {"name": "size", "kind": "number", "categories": []},
        {"name": "sunny", "kind": "bool", "categories": []},
    ]
    # the split's order is that of `split`: with it, every number can be written by hand
    rows = split(torch.arange(4), torch.arange(4), 0.25, 0)
    splits = loaded(tmp_path, id="towns_1", valid_fraction=0.25)
    sizes = np.array([1, 2, 3, 6])
    mean, deviation = sizes[rows.x_train].mean(), sizes[rows.x_train].std()
    by_hand = np.array(
        [[town == "Bonn", town == "Oslo", town == "Rome", (size - mean) / deviation, sunny]
         for town, size, sunny in zip(["Rome", "Bonn", "Rome", "Oslo"], sizes, [1, 0, 1, 0], strict=True)]
    )  # fmt: skip
    np.testing.assert_allclose(splits.x_train, by_hand[rows.x_train.numpy()], rtol=1e-6)
    np.testing.assert_allclose(splits.x_valid, by_hand[rows.x_valid.numpy()], rtol=1e-6)
    labels = torch.tensor([[1.0], [0.0], [0.0], [1.0]])
    assert torch.equal(splits.y_train, labels[rows.x_train])
    assert torch.equal(splits.y_valid, labels[rows.x_valid])


def test_numbers_are_standardised_by_the_training_split_alone() -> None:
    number = [Column(name="n", kind="number")]
    train, valid = encode(number, column(1, 2, 3, 6), column(3, 103))
    root = 3.5**0.5  # of the mean square of -2, -1, 0, 3
    np.testing.assert_allclose(train[:, 0], np.array([-2, -1, 0, 3]) / root, rtol=1e-6)
    np.testing.assert_allclose(valid[:, 0], np.array([0, 100]) / root, rtol=1e-6)


def test_missing_values_are_the_training_splits_mean_or_most_frequent() -> None:
    nan = float("nan")
    train, valid = encode([Column(name="n", kind="number")], column(1, nan, 5), column(nan, 5))
    np.testing.assert_allclose(train[:, 0], [-(1.5**0.5), 0, 1.5**0.5], rtol=1e-6)
    np.testing.assert_allclose(valid[:, 0], [0, 1.5**0.5], rtol=1e-6)
    text = [Column(name="t", kind="text", categories=["a", "b", "c"])]
    train, valid = encode(text, column(2, 2, 1, nan), column(nan, 0))
    assert train.tolist() == [[0, 0, 1], [0, 0, 1], [0, 1, 0], [0, 0, 1]]
    assert valid.tolist() == [[0, 0, 1], [1, 0, 0]]
    train, valid = encode([Column(name="b", kind="bool")], column(1, 1, 0, nan), column(nan))
    assert (train[:, 0].tolist(), valid.tolist()) == ([1, 1, 0, 1], [[1]])
    train, valid = encode([Column(name="n", kind="number")], column(nan, nan), column(7))
    assert (train.tolist(), valid.tolist()) == ([[0], [0]], [[0]])


@pytest.mark.parametrize("value", [0.0, 0.1, 1e30, -3.3333333333])
def test_a_constant_column_is_zero(value: float) -> None:
    train, valid = encode([Column(name="n", kind="number")], column(*[value] * 7), column(value, 1e30))
    assert train.eq(0).all()
    assert valid.eq(0).all()


def test_other_validation_rows_leave_the_training_features_as_they_are(tmp_path: Path) -> None:
    """What is known of the validation rows must not reach the network, not even through a mean."""
    rng = np.random.default_rng(0)
    rows = split(torch.arange(50), torch.arange(50), 0.3, 0)
    numbers, targets = rng.normal(size=50), rng.normal(size=50)
    texts = np.array(["a", "b", "c"])[rng.integers(0, 3, 50)]

    def features(name: str) -> tuple[torch.Tensor, torch.Tensor]:
        data = parquet_of(n=numbers, m=[None, *numbers[1:]], t=list(texts), y=targets)
        add(tmp_path, data, "t.parquet", name=name, target=["y"], missing="impute")
        made = loaded(tmp_path, id=name, valid_fraction=0.3)
        return made.x_train, made.y_train

    before = features("before")
    numbers[rows.x_valid], targets[rows.x_valid], texts[rows.x_valid[1:]] = 1e6, -1e6, "a"
    after = features("after")
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
    numbers[rows.x_train[0]] += 1
    assert not torch.equal(features("again")[0], before[0])


def test_targets_of_a_regression_are_standardised_each(tmp_path: Path) -> None:
    data = b"x,a,b\n" + b"".join(b"%d,%d,%d.5\n" % (i % 7, i, 1000 - 2 * i) for i in range(40))
    about = add(tmp_path, data, "t.csv", target=["b,a"])
    assert (about.task, about.outputs, about.classes, about.chance) == ("regression", 2, [], None)
    assert about.options["target"] == ["b", "a"]
    splits = loaded(tmp_path)
    np.testing.assert_allclose(splits.y_train.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(splits.y_train.std(0, correction=0), 1, rtol=1e-5)
    np.testing.assert_allclose(splits.y_valid[:, 0], -splits.y_valid[:, 1], rtol=1e-5)


@pytest.mark.parametrize(
    ("values", "task", "expected", "classes"),
    [
        (["b", "a", "c"], None, "multiclass", ["a", "b", "c"]),
        (["b", "a"], None, "binary", ["a", "b"]),
        (["b", "a"], "multiclass", "multiclass", ["a", "b"]),
        ([10, 9, 8], None, "multiclass", ["8", "9", "10"]),
        ([1.0, 0.0], None, "binary", ["0", "1"]),
        ([True, False], None, "binary", ["0", "1"]),
        (range(20), None, "multiclass", [str(i) for i in range(20)]),
        (range(21), None, "regression", []),
        (range(21), "multiclass", "multiclass", [str(i) for i in range(21)]),
        ([0, 1], "regression", "regression", []),
        ([0.5, 1.5], None, "regression", []),
        ([0.5, 1.5], "binary", "binary", ["0.5", "1.5"]),
    ],
    ids=str,
)
def test_the_task_by_the_targets_values(
    tmp_path: Path, values: list[object], task: str | None, expected: str, classes: list[str]
) -> None:
    y = list(itertools.islice(itertools.cycle(values), 42))
    about = add(tmp_path, parquet_of(x=range(42), y=y), "t.parquet", target=["y"], task=task)
    assert (about.task, about.classes) == (expected, classes)
    assert about.outputs == {"multiclass": len(classes)}.get(expected, 1)
    splits = loaded(tmp_path)
    if expected != "regression":
        rows = split(torch.arange(42), torch.arange(42), 0.2, 0)
        order = {value: i for i, value in enumerate(sorted(set(values)))}  # type: ignore[type-var]
        assert splits.y_train.flatten().tolist() == [order[y[i]] for i in rows.x_train]


def test_what_csv_files_look_like(tmp_path: Path) -> None:
    """A byte order mark, lines that end as on Windows, text in quotes with commas and lines of its own."""
    data = b'\xef\xbb\xbfa,"b ""c"", d",y\r\n1,"x, \r\nz",0\r\n2,\xc3\xa9,1\r\n'
    about = add(tmp_path, data, "t.CSV", target=["y"])
    assert [(c.name, c.categories) for c in about.columns] == [("a", []), ('b "c", d', ["x, \r\nz", "é"])]
    named = add(tmp_path, data, "t.csv", name="other", target=["y"], drop=['b "c", d'])
    assert [c.name for c in named.columns] == ["a"]


def test_a_column_of_numbers_may_be_text(tmp_path: Path) -> None:
    data = b"zip,day,y\n01,2020-01-02,a\n1,2020-01-02,b\n01,2020-01-03,b\n3+,2020-01-02,a\n"
    about = add(tmp_path, data, "t.csv", target=["y"], text=["zip, day"])
    assert [c.categories for c in about.columns] == [["01", "1", "3+"], ["2020-01-02", "2020-01-03"]]


def test_parquet_holds_the_same_as_csv(tmp_path: Path) -> None:
    towns = pa.array(["Rome", "Bonn", "Rome", "Oslo"]).dictionary_encode()
    sizes = pa.array([Decimal(1), Decimal(2), Decimal(3), Decimal(6)])
    data = parquet_of(town=towns, size=sizes, sunny=[True, False, True, False], label=["yes", "no", "no", "yes"])
    one = add(tmp_path, data, "t.parquet", name="one", target=["label"])
    two = add(tmp_path, TOWNS, "t.csv", name="two", target=["label"])
    assert one.sha256 == two.sha256
    assert one.file_sha256 != two.file_sha256


def test_a_text_that_is_said_a_million_times_is_kept_once(tmp_path: Path) -> None:
    """A dictionary page of a few bytes stands for a gigabyte of text."""
    texts = pa.DictionaryArray.from_arrays(np.zeros(1_000_000, dtype=np.int32), pa.array(["x" * 1000]))
    data = parquet_of(t=texts, y=np.arange(1_000_000) % 2)
    assert len(data) < 2_000_000
    pool, usual = pa.proxy_memory_pool(pa.default_memory_pool()), pa.default_memory_pool()
    pa.set_memory_pool(pool)
    try:
        told = refused(tmp_path, data, "t.parquet", target=["y"])
    finally:
        pa.set_memory_pool(usual)
    assert "column 't', row 1: the text has 1,000 characters" in told
    assert pool.max_memory() < 100_000_000


MANY = b"y,t\n" + b"".join(b"%d,name %d\n" % (i % 2, i) for i in range(101))

CSV = [
    (b"", {}, "file: the file is empty"),
    (b"\n\n", {}, "file: the file has no rows"),
    (b"x,y\n", {}, "file: the table has 0 rows"),
    (b"x,y\n1,2\n", {}, "file: the table has 1 rows"),
    (b"x,y\n1,0\n2,1,9\n3,1\n", {}, "file: row 3 has 3 values where the header has 2"),
    (b"x,y\n1,0\n2\n3,1\n", {}, "file: row 3 has 1 values where the header has 2"),
    (b"x,x,y\n1,1,0\n2,2,1\n", {}, "file: there are two columns 'x'"),
    (b",y\n1,0\n2,1\n", {}, "drop: there is no column left to learn from ('column_1' numbers the rows"),
    (b"x,z\n1,0\n2,1\n", {}, "target: unknown column 'y'"),
    (b"x,y\n1,0\n2,1\n", {"target": []}, "target: should name the column"),
    (b"x,y\n1,0\n2,1\n", {"target": [""]}, "target: should name the column"),
    (b"x,y\n1,0\n2,1\n", {"drop": ["X"]}, "drop: unknown column 'X'"),
    (b"x,y\n1,0\n2,1\n", {"drop": ["x"]}, "drop: there is no column left"),
    (b"x,y\n1,0\n2,1\n", {"drop": ["y"]}, "drop: 'y' is the target"),
    (b"x,y\n1,0\n2,1\n", {"resize": "32"}, "resize: does not apply to a table"),
    (b"x,y\n1,0\n,1\n,0\n", {}, "file: column 'x' has 2 missing values, the first in row 3"),
    (b"x,y\na,0\nNA,1\n", {}, "file: column 'x' has a missing value ('NA') in row 3"),
    (b"x,y\n1,0\n2,\n3,1\n", {"missing": "impute"}, "file: column 'y' has a missing value in row 3"),
    (b"x,y\n,0\n,1\n", {"missing": "impute"}, "file: column 'x' has no values"),
    (b"x,y\n1,0\n2,1\nO,1\n", {}, "file: column 'x', row 4: 'O' stands among numbers"),
    (b"x,y\n1,0\n2,1\n3,x\n", {}, "file: column 'y', row 4: 'x' stands among numbers"),
    (b"x,y\n1,0\ninf,1\n", {}, "file: column 'x', row 3: inf is no finite"),
    (b"x,y\n1,0\n2,1e39\n", {}, "file: column 'y', row 3: 1e+39 is no finite"),
    (b"x,y\n1,a\n2,a\n", {}, "file: target 'y' has nothing to learn: it is 'a' in every row"),
    (b"x,y\n1,3\n2,3\n", {}, "file: target 'y' has nothing to learn: it is '3' in every row"),
    (b"x,y\n1,3\n2,3\n", {"task": "regression"}, "file: target 'y' has nothing to learn"),
    (b"x,y\n1,a\n2,b\n3,c\n", {"task": "binary"}, "task: target 'y' has 3 classes; a binary task has two"),
    (b"x,y\n1,a\n2,b\n", {"task": "regression"}, "task: target 'y' is text"),
    (b"x,y,z\n1,1,2\n2,2,3\n", {"target": ["y,z"], "task": "binary"}, "task: target has 2 columns; a binary task"),
    (b"x,y,z\n1,1,a\n2,2,b\n", {"target": ["y,z"]}, "target: several targets are a regression"),
    (
        b"x,y\n2020-01-01,0\n2020-01-02,1\n",
        {},
        "file: column 'x' holds dates, such as '2020-01-01' in row 2: drop the column",
    ),
    (b"x,y\n\xff\xfe,0\na,1\n", {}, "encoding: column 'x', near row 2, is not UTF-8"),
    ("x,\xe9\n1,0\n2,1\n".encode("latin-1"), {}, "encoding: the header is not UTF-8"),
    (MANY, {}, "file: text column 't' has more than 100 different values: drop it"),
    (b"x,y\n" + b"a" * 201 + b",0\nb,1\n", {}, "file: column 'x', row 2: the text has 201 characters"),
    (b"PK\x03\x04\x00\x00\x00\x00,y\n", {}, "file: the file is no text: by its first bytes it is a ZIP archive"),
]


@pytest.mark.parametrize(("data", "options", "told"), CSV, ids=[told for *_, told in CSV])
def test_a_bad_csv_file_is_refused(tmp_path: Path, data: bytes, options: dict[str, object], told: str) -> None:
    assert refused(tmp_path, data, "t.csv", **({"target": ["y"]} | options)).startswith(told)


DAY = dt.date(2020, 1, 1)
PARQUET = [
    (b"PAR1 and no more", "file: cannot be read as Parquet"),
    (TOWNS, "file: cannot be read as Parquet"),
    (parquet_of(x=[DAY, DAY], y=[0, 1]), "file: column 'x' holds dates (date32[day]): drop the column"),
    (parquet_of(x=[[1], [2]], y=[0, 1]), "file: column 'x' holds list<"),
    (parquet_of(x=[{"a": 1}, {"a": 2}], y=[0, 1]), "file: column 'x' holds struct<"),
    (parquet_of(x=[b"a", b"b"], y=[0, 1]), "file: column 'x' holds binary values"),
    (parquet_of(x=[1.0, float("nan")], y=[0, 1]), "file: column 'x' has a missing value in row 2"),
    (parquet_of(x=[1, None], y=[0, 1]), "file: column 'x' has a missing value in row 2"),
    (parquet_of(x=[1.0, float("-inf")], y=[0, 1]), "file: column 'x', row 2: -inf is no finite"),
    (parquet_of(x=pa.nulls(2), y=[0, 1]), "file: column 'x' has no values"),
]


@pytest.mark.parametrize(("data", "told"), PARQUET, ids=[told for _, told in PARQUET])
def test_a_bad_parquet_file_is_refused(tmp_path: Path, data: bytes, told: str) -> None:
    assert refused(tmp_path, data, "t.parquet", target=["y"]).startswith(told)


@pytest.mark.parametrize(("name", "cells"), [("t.parquet", 20), ("t.csv", 20)])
def test_a_table_of_too_many_cells_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, cells: int
) -> None:
    """A Parquet file of a few bytes may stand for a million million zeros."""
    csv = b"x,y\n" + b"1,0\n2,1\n" * 5
    data = parquet_of(x=np.zeros(10), y=[0, 1] * 5) if name == "t.parquet" else csv
    add(tmp_path, csv, "t.csv", target=["y"])
    Uploads(tmp_path).remove("mine")
    monkeypatch.setattr(raw, "MOST_CELLS", cells - 1)
    assert refused(tmp_path, data, name, target=["y"]).startswith(f"file: the table has more than {cells - 1} cells")


def test_a_parquet_file_may_have_so_many_cells_for_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = parquet_of(x=np.zeros(10_000), y=[0, 1] * 5000)
    monkeypatch.setattr(columnar, "FREE", columnar.BYTES_OF_CELL * 20_000 - 1)
    monkeypatch.setattr(columnar, "MOST_TIMES", 1)
    assert refused(tmp_path, data, "t.parquet", target=["y"]).startswith(
        "file: the table has 20,000 cells; 19,999 are the most for a file of its size"
    )
    monkeypatch.setattr(columnar, "MOST_TIMES", -(-columnar.BYTES_OF_CELL * 20_000 // len(data)))
    add(tmp_path, data, "t.parquet", target=["y"])


@pytest.mark.parametrize("name", ["t.parquet", "t.csv"])
def test_a_table_of_too_many_columns_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    data = parquet_of(x=[1, 2], y=[0, 1]) if name == "t.parquet" else b"x,y\n1,0\n2,1\n"
    monkeypatch.setattr(raw, "MOST_COLUMNS", 1)
    assert refused(tmp_path, data, name, target=["y"]) == "file: the table has 2 columns; 1 is the most"
    monkeypatch.setattr(raw, "MOST_COLUMNS", 2)
    add(tmp_path, data, name, target=["y"])


def test_a_column_that_cannot_be_read_may_be_dropped(tmp_path: Path) -> None:
    data = parquet_of(a=[[1], [2]], b=[b"x", b"y"], c=[DAY, DAY], x=[1, 2], y=[0, 1])
    about = add(tmp_path, data, "t.parquet", target=["y"], drop=["a", "b,c"])
    assert [c.name for c in about.columns] == ["x"]
