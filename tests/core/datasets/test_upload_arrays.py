"""NumPy archives: shapes and types as they are understood, and nothing that could run."""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from core.datasets._encoding import standardised_columns
from core.datasets._splits import split
from tests.core.datasets.uploading import add, loaded, npz, problems, refused, zipped

RNG = np.random.default_rng(0)
X = RNG.normal(size=(10, 3))
Y = np.arange(10) % 3
IMAGES = RNG.integers(0, 256, (10, 4, 5), dtype=np.uint8)


def test_rows_of_numbers_are_standardised_or_as_they_are(tmp_path: Path) -> None:
    about = add(tmp_path, npz(x=X, y=Y), "a.npz", name="scaled")
    rows = split(torch.arange(10), torch.arange(10), 0.2, 0)
    parts = [torch.from_numpy(X)[part] for part in (rows.x_train, rows.x_valid)]
    assert torch.equal(loaded(tmp_path, id="scaled").x_train, standardised_columns(*parts)[0])
    assert [note.path for note in about.notes] == ["scale", "task"]
    about = add(tmp_path, npz(x=X, y=Y), "a.npz", scale="none")
    assert (about.kind, about.examples, about.valid_examples, about.inputs) == ("arrays", 10, None, [3])
    assert (about.task, about.classes, about.outputs, about.chance) == ("multiclass", ["0", "1", "2"], 3, 0.4)
    splits = loaded(tmp_path)
    assert torch.equal(splits.x_train, torch.from_numpy(X).float()[rows.x_train])
    assert splits.y_train.tolist() == [Y[i] for i in rows.x_train]
    assert (splits.x_train.dtype, splits.y_train.dtype) == (torch.float32, torch.int64)


def test_a_part_held_out_is_the_validation_split(tmp_path: Path) -> None:
    """As in Keras's own mnist.npz. The classes are those of both parts, and no fraction is taken."""
    held = {"x_test": IMAGES[:4], "y_test": np.array([0, 1, 1, 7])}
    about = add(tmp_path, npz(x_train=IMAGES, y_train=Y, **held), "mnist.npz")
    assert (about.examples, about.valid_examples, about.inputs) == (14, 4, [1, 4, 5])
    assert (about.classes, about.chance) == (["0", "1", "2", "7"], 0.5)
    splits = loaded(tmp_path, valid_fraction=0.9, split_seed=5)
    assert torch.equal(splits.x_train, torch.from_numpy(IMAGES[:, None]))
    assert torch.equal(splits.x_valid, torch.from_numpy(IMAGES[:4, None]))
    assert splits.y_valid.tolist() == [0, 1, 1, 3]


@pytest.mark.parametrize(
    ("shape", "inputs"),
    [((6, 8, 9, 3), [3, 8, 9]), ((6, 3, 8, 9), [3, 8, 9]), ((6, 3, 8, 3), [3, 8, 3]), ((6, 8, 9, 5), [8, 9, 5])],
    ids=str,
)
def test_channels_come_first(tmp_path: Path, shape: tuple[int, ...], inputs: list[int]) -> None:
    x = RNG.integers(0, 256, shape, dtype=np.uint8)
    assert add(tmp_path, npz(x=x, y=[0, 1, 2] * 2, x_test=x, y_test=[0, 1, 2] * 2), "a.npz").inputs == inputs
    moved = x.transpose(0, 3, 1, 2) if shape[3] == 3 and shape[1] != 3 else x
    np.testing.assert_array_equal(loaded(tmp_path).x_train, moved)


def test_text_labels_booleans_and_targets_of_a_regression(tmp_path: Path) -> None:
    assert add(tmp_path, npz(x=X, y=np.array(["b", "a"] * 5)), "a.npz", name="t").classes == ["a", "b"]
    assert add(tmp_path, npz(x=X > 0, y=Y == 1), "a.npz", name="b").task == "binary"
    about = add(tmp_path, npz(x=np.asfortranarray(X), y=X[:, :2] * 50 + 7), "a.npz", scale="none")
    assert (about.task, about.outputs) == ("regression", 2)
    splits = loaded(tmp_path, valid_fraction=0.3)
    assert torch.equal(torch.cat([splits.x_train, splits.x_valid]).sort(0)[0], torch.from_numpy(X).float().sort(0)[0])
    np.testing.assert_allclose(splits.y_train.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(splits.y_train.std(0, correction=0), 1, rtol=1e-5)


def npy(array: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


LABELS = npy(Y)


class Trap:
    """Runs when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('a pickle was run')",))


def pickled() -> bytes:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|O", "fortran_order": False, "shape": (1,)})
    return header.getvalue() + pickle.dumps([Trap()])


def broken(x: Any, cut: int) -> bytes:
    """An archive whose array x is shorter than its header says."""
    out = io.BytesIO()
    np.save(out, x)
    return zipped({"x.npy": out.getvalue()[:-cut], "y.npy": LABELS})


def huge() -> bytes:
    out = io.BytesIO()
    np.lib.format.write_array_header_1_0(out, {"descr": "<f8", "fortran_order": False, "shape": (2**40, 2**10)})
    return zipped({"x.npy": out.getvalue(), "y.npy": LABELS})


HOLE = X.copy()
HOLE[4, 1] = np.nan
BAD = [
    (npz(x=X), {}, "file: there is no array y"),
    (npz(y=Y), {}, "file: there is no array x"),
    (npz(x_test=X, y_test=Y), {}, "file: there should be the arrays x and y"),
    (npz(x=X, y=Y, x_test=X), {}, "file: there is no array y_test"),
    (npz(x=X, y=Y, x_train=X, y_train=Y), {}, "file: there should be x or x_train, not both"),
    (npz(x=X, y=Y, labels=Y), {}, "file: there should be y or labels, not both"),
    (npz(x=X, y=Y[:9]), {}, "file: x has 10 examples and y 9"),
    (npz(x=X, y=Y, x_test=X, y_test=Y[:4]), {}, "file: x_test has 10 examples and y_test 4"),
    (npz(x=X, y=Y, x_test=X[:, :2], y_test=Y), {}, "file: x is float64 (10, 3) and x_test is float64 (10, 2)"),
    (npz(x=IMAGES, y=Y, x_test=IMAGES / 255, y_test=Y), {}, "file: x is uint8 (10, 4, 5) and x_test is float64"),
    (npz(x=HOLE, y=Y), {}, "file: x[4, 1] is nan, not finite (as float32): missing=impute takes NaN for"),
    (npz(x=X, y=Y), {"channels": "last"}, "channels: is for pictures of four dimensions; x has rows of numbers"),
    (npz(x=np.full((10, 1), 1e39), y=Y), {}, "file: x[0, 0] is inf, not finite"),
    (npz(x=X, y=HOLE[:, 1]), {}, "file: y[4] is nan, not finite"),
    (npz(x=Y, y=Y), {}, "file: x has shape (10,)"),
    (npz(x=X[:0], y=Y[:0]), {}, "file: x has shape (0, 3)"),
    (npz(x=X[:1], y=Y[:1]), {}, "file: x has 1 examples"),
    (npz(x=X, y=np.zeros((10, 2, 2))), {}, "file: y has shape (10, 2, 2)"),
    (npz(x=3.0, y=Y), {}, "file: x is one number"),
    (npz(x=X + 1j, y=Y), {}, "file: x holds complex128, not numbers"),
    (npz(x=X.astype(str), y=Y), {}, "file: x holds text"),
    (npz(x=X, y=np.zeros(10)), {}, "file: y has nothing to learn: it is '0' in every row"),
    (npz(x=X, y=np.eye(3)[Y]), {}, "task: y looks one-hot"),
    (npz(x=X, y=np.eye(3)[Y]), {"task": "multiclass"}, "task: y has 3 columns; a multiclass task has one"),
    (npz(x=X, y=np.array([["a", "b"]] * 10)), {}, "file: y has 2 columns of text"),
    (npz(x=X, y=Y, x_test=X, y_test=Y.astype(str)), {}, "file: y and y_test differ in more than length"),
    (npz(x=X, y=Y), {"target": ["y"]}, "target: does not apply to arrays"),
    (npz(x=np.array([{}, []] * 5, dtype=object), y=Y), {}, "file: x holds Python objects (a pickle)"),
    (zipped({"x.npy": pickled(), "y.npy": LABELS}), {}, "file: x holds Python objects (a pickle)"),
    (zipped({"x.npy": pickle.dumps(Trap()), "y.npy": LABELS}), {}, "file: 'x.npy' cannot be read as an array"),
    (zipped({"x.npy": b"", "y.npy": LABELS}), {}, "file: 'x.npy' cannot be read as an array"),
    (zipped({"x.txt": b"1"}), {}, "file: 'x.txt' is no array"),
    (broken(X, 8), {}, "file: 'x.npy' is damaged: its header does not fit its size"),
    (huge(), {}, "file: 'x.npy' is damaged: its header does not fit its size"),
    (b"not an archive", {}, "file: cannot be read as a ZIP archive"),
    (npz(x=X, y=Y)[:-30], {}, "file: cannot be read as a ZIP archive"),
    (zipped({"x.npy": bytes(10_000_000)}), {}, "file: 'x.npy' would unpack to"),
]


@pytest.mark.parametrize(("data", "options", "told"), BAD, ids=[told for *_, told in BAD])
def test_a_bad_file_is_refused(tmp_path: Path, data: bytes, options: dict[str, Any], told: str) -> None:
    assert problems(tmp_path, data, "a.npz", **options)[0].startswith(told)


def test_a_file_torn_inside_is_refused(tmp_path: Path) -> None:
    data = bytearray(npz(x=X, y=Y))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as archive:
        start = archive.getinfo("x.npy").header_offset
    data[start + 80] ^= 0xFF
    assert "'x.npy' cannot be read as an array" in refused(tmp_path, bytes(data), "a.npz")
