"""The first look at a user's data set, beside what was sent."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.datasets import DataError, DatasetPreview, Uploads, preview_dataset
from core.datasets._preview import PICTURES, ROWS
from tests.core.datasets.uploading import add, npz, zipped


def look(folder: Path) -> DatasetPreview:
    uploads = Uploads(folder)
    return preview_dataset(uploads, uploads.find("mine"))


def test_rows_are_those_of_the_file_with_their_words(tmp_path: Path) -> None:
    rows = [(i / 2, "red" if i % 3 else "blue", "yes" if i % 4 else "no") for i in range(40)]
    text = "".join(f"{'' if i == 1 else x},{colour},{y}\n" for i, (x, colour, y) in enumerate(rows))
    add(tmp_path, f"x,colour,y\n{text}".encode(), "t.csv", target=["y"], missing="impute")
    found = look(tmp_path)
    assert (found.columns, found.columns_total, len(found.rows)) == (["x", "colour", "y"], 2, ROWS)
    assert found.rows == [[None if i == 1 else x, *words] for i, (x, *words) in enumerate(rows[:ROWS])]
    assert [(one.label, one.examples, one.held_out) for one in found.classes] == [("no", 10, 0), ("yes", 30, 0)]
    assert (found.pictures, found.targets) == ([], [])


def test_a_regression_has_the_range_of_its_targets(tmp_path: Path) -> None:
    y = np.random.default_rng(0).normal(size=50) * 7
    text = "".join(f"{i},{value}\n" for i, value in enumerate(y))
    add(tmp_path, f"x,y\n{text}".encode(), "t.csv", target=["y"])
    (found,) = look(tmp_path).targets
    assert (found.min, found.mean, found.max) == pytest.approx((y.min(), y.mean(), y.max()), rel=1e-6)
    assert (found.name, look(tmp_path).columns) == ("y", ["x", "y"])
    assert look(tmp_path).classes == []


def test_pictures_are_the_first_of_each_class_and_parts_are_counted(tmp_path: Path) -> None:
    shades = {"cat": 40, "dog": 200}
    files = {f"{part}/{name}/{i}.png": _png(shade + i) for part, count in (("train", 20), ("test", 3))
             for name, shade in shades.items() for i in range(count)}  # fmt: skip
    add(tmp_path, zipped(files), "pets.zip")
    found = look(tmp_path)
    assert [(one.label, one.examples, one.held_out) for one in found.classes] == [("cat", 23, 3), ("dog", 23, 3)]
    assert ([one.label for one in found.pictures], found.rows) == (["cat"] * 12 + ["dog"] * 12, [])
    assert len(found.pictures) == PICTURES
    first = np.asarray(Image.open(io.BytesIO(base64.b64decode(found.pictures[0].png))))
    assert first.shape == (8, 8)
    assert (first == 40).all()


def test_numbers_of_any_range_become_pictures(tmp_path: Path) -> None:
    x = np.linspace(-3, 5, 10 * 3 * 4 * 4, dtype=np.float32).reshape(10, 3, 4, 4)
    add(tmp_path, npz(x=x, y=np.arange(10) % 2), "a.npz")
    found = look(tmp_path)
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(found.pictures[0].png))))
    assert (picture.min(), picture.max(), picture.shape) == (0, 255, (4, 4, 3))


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    add(tmp_path, b"x,y\n1,2\n2,4\n3,7.5\n", "t.csv", target=["y"])
    (tmp_path / "mine" / "x.npy").write_bytes(b"damaged")
    with pytest.raises(DataError, match="the data set 'mine' cannot be read"):
        look(tmp_path)


def _png(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (8, 8), shade).save(file, "png")
    return file.getvalue()
