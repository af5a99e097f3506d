"""Columns and targets that are most likely not what they are taken for: each is told."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.datasets import Uploads
from tests.core.datasets.uploading import add, notes, npz, picture, refused, told, values, zipped

pytestmark = pytest.mark.slow  # many files, a second in all

RNG = np.random.default_rng(0)


def columns(**texts: Sequence[object]) -> bytes:
    rows = zip(*texts.values(), strict=True)
    return (",".join(texts) + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows)).encode()


def test_identifiers_are_told_in_any_order(tmp_path: Path) -> None:
    """Rows that were shuffled have their numbers from 1 to n, which nothing said."""
    mixed, y = RNG.permutation(np.arange(1, 31)).tolist(), [0, 1] * 15
    _, found = values(tmp_path, columns(id=mixed, n=[i % 7 for i in range(30)], y=y))
    assert told(found, "columns.id: every row has another whole number, as an identifier has: drop it")
    assert not told(found, "columns.n")
    holes = [*mixed[:29], ""]
    _, found = values(tmp_path, columns(id=holes, y=y), missing="impute")
    assert told(found, "columns.id: every row has another whole number")
    x = np.stack([mixed, np.arange(30), np.ones(30), RNG.normal(size=30)], axis=1)
    found = notes(add(tmp_path, npz(x=x, y=np.array(y)), "a.npz"))
    assert "file: x[:, 0]: every row has another whole number, as an identifier has: leave it out if it is one" in found
    assert "file: x[:, 1]: it counts the rows, as an index does: leave it out if it is one" in found
    assert "file: x[:, 2]: is one number in every row" in found
    assert not told(found, "x[:, 3]")


def test_digits_of_dates_are_told_where_every_row_has_another(tmp_path: Path) -> None:
    dates = [f"202003{day:02}" for day in RNG.permutation(np.arange(1, 31))]
    assert told(values(tmp_path, columns(d=dates, y=[0, 1] * 15))[1], "columns.d: its numbers look like dates")


@pytest.mark.parametrize("marker", ["-999", "-999.0", "9999", "-99"])
def test_a_marker_far_from_fractions_is_told(tmp_path: Path, marker: str) -> None:
    """It was told among whole numbers alone."""
    texts = [f"{x:.3f}" for x in RNG.normal(size=18)]
    _, found = values(tmp_path, columns(x=[*texts, marker, marker], y=[0, 1] * 10))
    assert told(found, f"columns.x: {float(marker):g} in 2 rows is far from all other values")
    assert not told(values(tmp_path, columns(x=[*texts, "-999.4", "-999.4"], y=[0, 1] * 10))[1], "is far from")


def test_several_targets_are_told(tmp_path: Path) -> None:
    """Labels of which an example may have several became a regression without a word."""
    labels = RNG.integers(0, 2, (20, 14))
    labels[:2] = [[0] * 14, [1] * 14]
    images = RNG.integers(0, 256, (20, 4, 4), dtype=np.uint8)
    chest = npz(train_images=images, train_labels=labels, val_images=images, val_labels=labels)
    about = add(tmp_path, chest, "chestmnist.npz")
    assert (about.task, about.outputs) == ("regression", 14)
    assert told(notes(about), "task: train_labels has 14 columns: several targets are amounts (regression); they are 0",
                "multi-label", "give one of the columns")  # fmt: skip
    data = columns(x=list(range(20)), a=labels[:, 0].tolist(), b=labels[:, 1].tolist())
    assert told(values(tmp_path, data, target=["a", "b"])[1], "task: target has 2 columns", "multi-label")
    amounts = columns(x=list(range(20)), a=list(range(20)), b=labels[:, 1].tolist())
    found = values(tmp_path, amounts, target=["a", "b"])[1]
    assert told(found, "task: target has 2 columns")
    assert not told(found, "multi-label")
    assert not told(values(tmp_path, amounts, target=["a", "b"], task="regression")[1], "task:")


@pytest.mark.parametrize(
    ("texts", "numbers", "said"),
    [
        ([f"{i / 7:.2f}" for i in range(39)], [round(i / 7, 2) for i in range(39)], "has fractions: it is amounts"),
        (["1,200", "3,400", "950"] * 3, [1200, 3400, 950] * 3, "written as amounts are"),
        ([str(i * i) for i in range(30)], [i * i for i in range(30)], "has 30 different whole numbers"),
    ],
    ids=["fractions", "separators", "whole"],
)
def test_numbers_written_as_text_are_the_numbers_of_the_table(
    tmp_path: Path, texts: list[str], numbers: list[float], said: str
) -> None:
    """They were a class each: 39 classes of 39 examples."""
    x = RNG.normal(size=(len(texts), 2))
    about = add(tmp_path, npz(x=x, y=np.array(texts)), "a.npz")
    assert about.task == "regression"
    assert np.load(Uploads(tmp_path).path(about, "y")).ravel().tolist() == numbers
    assert told(notes(about), "task: y holds text", "is read as numbers")
    assert told(notes(about), f"task: y {'is' if 'written' in said else ''}", said)
    as_classes = add(tmp_path, npz(x=x, y=np.array(texts)), "a.npz", name="c", task="multiclass")
    assert as_classes.classes == sorted(set(texts))


@pytest.mark.parametrize("other", ["", "NA", "?", "1.5kg"])
def test_what_is_no_number_among_labels_of_numbers_is_refused(tmp_path: Path, other: str) -> None:
    """As in a table: all were classes."""
    arrays = npz(x=RNG.normal(size=(5, 2)), y=np.array(["1.5", "2.25", other, "3.5", other]))
    assert refused(tmp_path, arrays, "a.npz").startswith(f"file: y[2] is {other!r} among 3 numbers")
    assert len(add(tmp_path, arrays, "a.npz", task="multiclass").classes) == 4


def test_bytes_are_no_identifiers(tmp_path: Path) -> None:
    about = add(tmp_path, npz(x=np.arange(200, dtype=np.uint8).reshape(20, 10), y=[0, 1] * 10), "a.npz")
    assert not told(notes(about), "identifier")
    assert not told(notes(about), "counts the rows")


def test_text_labels_are_told(tmp_path: Path) -> None:
    about = add(tmp_path, npz(x=RNG.normal(size=(6, 2)), y=np.array(["cat", "dog", "7"] * 2)), "a.npz")
    assert (about.classes, told(notes(about), "task: y is text: its 3 values are classes")) == (
        ["7", "cat", "dog"],
        True,
    )
    pictures = npz(x=RNG.integers(0, 256, (50, 3, 3), dtype=np.uint8), y=np.array([str(i % 25) for i in range(50)]))
    assert len(add(tmp_path, pictures, "p.npz", name="p").classes) == 25
    bad = np.array(["\ud800", "b"])
    assert "y holds text that cannot be read" in refused(tmp_path / "in", npz(x=np.eye(2), y=bad), "a.npz")


def test_a_limit_that_leaves_classes_out_is_refused_for_every_kind(tmp_path: Path) -> None:
    """Of tables and arrays they went in silence, of pictures they were refused."""
    said = "limit: there are 4 classes: so few examples leave some out"
    data = columns(x=list(range(40)), y=[i % 4 for i in range(40)])
    assert refused(tmp_path, data, "t.csv", target=["y"], limit=3) == said
    x, y = RNG.normal(size=(40, 2)), np.arange(40) % 4
    assert refused(tmp_path, npz(x=x, y=y), "a.npz", limit=3) == said
    held = npz(x_train=x, y_train=y, x_test=x, y_test=y)
    assert refused(tmp_path, held, "a.npz", limit=5) == said  # three to train on
    dot = picture(np.zeros((2, 2), np.uint8))
    pictures = zipped({f"{i % 4}/{i}.png": dot for i in range(8)})
    assert refused(tmp_path, pictures, "p.zip", limit=3) == said
    assert add(tmp_path, held, "a.npz", limit=8).examples == 8


@pytest.mark.parametrize("high", [1.02, 2.0, 7.5])
def test_fractions_a_little_beyond_one_are_left(tmp_path: Path, high: float) -> None:
    """As augmented or resampled pictures have them: they were divided by 255, to be black."""
    x = RNG.random((6, 3, 3)).astype(np.float32) * np.float32(high)
    x[0, 0, 0] = high
    about = add(tmp_path, npz(x=x, y=[0, 1] * 3), "a.npz")
    np.testing.assert_array_equal(np.load(Uploads(tmp_path).path(about, "x"))[:, 0], x)
    assert told(notes(about), "scale: x is float32 from", f"to {high:g}, which is the range of no kind of picture")
    wide = npz(x=x / np.float32(high) * 255, y=[0, 1] * 3)
    assert told(notes(add(tmp_path, wide, "a.npz", name="wide")), "scale: ", "divided by 255")
