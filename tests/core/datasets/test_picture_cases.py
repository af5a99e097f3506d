"""Pictures as people send them, in archives and in arrays."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from core.datasets import _splits
from tests.core.datasets.uploading import add, loaded, notes, npz, picture, problems, refused, told, zipped

pytestmark = pytest.mark.slow  # many files, a second in all

RNG = np.random.default_rng(0)
PICTURES = RNG.integers(0, 256, (86, 4, 5), dtype=np.uint8)
LABELS = np.arange(86) % 43
GREY = [picture(RNG.integers(0, 256, (4, 5), dtype=np.uint8)) for _ in range(4)]


def pixels(folder: Path, name: str = "mine") -> torch.Tensor:
    """All stored pictures as a model takes them, in the archive's order."""
    return _splits.as_numbers(torch.from_numpy(np.load(folder / name / "x.npy")))


def test_integer_labels_beside_pictures_are_classes(tmp_path: Path) -> None:
    """D5: the 43 traffic signs were a regression."""
    about = add(tmp_path, npz(x=PICTURES, y=LABELS), "a.npz")
    assert (about.task, len(about.classes)) == ("multiclass", 43)
    assert told(notes(about), "task: y has 43 different whole numbers: whole numbers beside pictures are classes")
    assert add(tmp_path, npz(x=PICTURES, y=LABELS), "a.npz", name="r", task="regression").task == "regression"
    assert add(tmp_path, npz(x=PICTURES, y=LABELS * 0.5), "a.npz", name="f").task == "regression"
    floats = add(tmp_path, npz(x=PICTURES, y=LABELS.astype(np.float32)), "a.npz", name="w")
    assert (floats.task, len(floats.classes)) == ("multiclass", 43)
    flat = add(tmp_path, npz(x=PICTURES.reshape(86, 20), y=LABELS), "a.npz", name="flat")
    assert (flat.task, told(notes(flat), "task: ", "say task=multiclass")) == ("regression", True)


@pytest.mark.parametrize(
    ("made", "most"),
    [
        (PICTURES, None),
        (PICTURES.astype(np.int64), 255),
        (PICTURES.astype(np.uint16), 255),
        (PICTURES.astype(np.float32), 255),
        (PICTURES.astype(np.uint16) * 257, 65535),
        (PICTURES.astype(np.int32) * 257, 65535),
        ((PICTURES / 255).astype(np.float64), None),
        (np.where(PICTURES > 127, 1, 0), 1),
        (PICTURES > 127, None),
    ],
    ids=lambda v: str(v.dtype) if isinstance(v, np.ndarray) else "",
)
def test_pictures_are_scaled_by_the_range_of_their_kind(tmp_path: Path, made: NDArray[Any], most: int | None) -> None:
    """D7: all but bytes went unscaled."""
    about = add(tmp_path, npz(x=made, y=LABELS), "a.npz")
    expected = (PICTURES > 127) if made.max() == 1 and len(np.unique(made)) == 2 else PICTURES / 255
    np.testing.assert_allclose(pixels(tmp_path)[:, 0], expected, atol=1e-6)
    words = {255: "divided by 255", 65535: "divided by 65,535", 1: "0 is black and 1 is white"}
    assert [words[most or 1] in note for note in notes(about) if note.startswith("scale")] == ([True] if most else [])
    add(tmp_path, npz(x=made, y=LABELS), "a.npz", name="raw", scale="none")
    splits = loaded(tmp_path, id="raw")
    assert torch.cat([splits.x_train, splits.x_valid]).max() == made.max()


def test_pictures_of_no_known_range(tmp_path: Path) -> None:
    wide = npz(x=PICTURES.astype(np.int64) * 10_000, y=LABELS)
    assert refused(tmp_path, wide, "a.npz").startswith("scale: x is int64 from 0 to 2.55e+06, which is the range of no")
    about = add(tmp_path, npz(x=PICTURES / 100 - 1, y=LABELS), "a.npz")
    assert told(notes(about), "scale: x is float64 from -1 to 1.55, which is the range of no kind")
    np.testing.assert_allclose(pixels(tmp_path)[:, 0], PICTURES / 100 - 1, rtol=1e-5)


@pytest.mark.parametrize(
    ("shape", "said", "inputs", "doubt"),
    [
        ((6, 8, 9, 3), None, [3, 8, 9], "has its channels last; if not, say channels=first"),
        ((6, 3, 8, 3), None, [3, 8, 3], "has its channels first, which its shape does not tell"),
        ((6, 3, 8, 3), "last", [3, 3, 8], None),
        ((6, 8, 9, 2), "last", [2, 8, 9], None),
    ],
)
def test_channels_may_be_said(
    tmp_path: Path, shape: tuple[int, ...], said: str | None, inputs: list[int], doubt: str | None
) -> None:
    data = npz(x=RNG.integers(0, 256, shape, dtype=np.uint8), y=[0, 1, 2] * 2)
    about = add(tmp_path, data, "a.npz", channels=said)
    assert about.inputs == inputs
    assert told(notes(about), "channels: x", doubt or "") == (doubt is not None)


def test_layouts_of_keras_and_medmnist(tmp_path: Path) -> None:
    column = (LABELS % 9)[:, None].astype(np.uint8)
    med = {f"{part}_{what}": array for part in ("train", "val", "test")
           for what, array in (("images", PICTURES), ("labels", column))}  # fmt: skip
    about = add(tmp_path, npz(**med), "bloodmnist.npz")
    assert (about.examples, about.valid_examples, about.task, about.inputs) == (172, 86, "multiclass", [1, 4, 5])
    assert told(notes(about), "test_images and test_labels are not used")
    for names in (("x_train", "y_train", "x_test", "y_test"), ("X", "Y"), ("images", "labels"), ("data", "target"),
                  ("X_train", "y_train"), ("train_x", "train_y", "val_x", "val_y")):  # fmt: skip
        made = npz(**{name: PICTURES if i % 2 == 0 else LABELS for i, name in enumerate(names)})
        assert add(tmp_path, made, "k.npz", name=f"k-{names[0].lower()}-{len(names)}").valid_examples == (
            86 if len(names) > 2 else None
        )
    extra = add(tmp_path, npz(x=PICTURES, y=LABELS, paths=LABELS), "a.npz", name="extra")
    assert told(notes(extra), "the array 'paths' is not used")


def drawn(mode: str) -> bytes:
    """An opaque black square on nothing, whose hidden pixels are black too."""
    image = Image.new("RGBA", (6, 6), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (2, 2, 4, 4))
    out = io.BytesIO()
    (image.quantize(4) if mode == "P" else image.convert(mode)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
@pytest.mark.parametrize(("background", "shade"), [(None, 1.0), ("grey", 128 / 255), ("#0000ff", None)])
def test_transparent_pictures_lie_on_a_background(
    tmp_path: Path, mode: str, background: str | None, shade: float | None
) -> None:
    """D9: every stored byte was 0."""
    data = zipped({f"{label}/{i}.png": drawn(mode) for label in ("cat", "dog") for i in range(2)})
    about = add(tmp_path, data, "a.zip", background=background)
    expected = torch.full((6, 6), shade or 0.0)
    expected[2:4, 2:4] = 0
    for stored in pixels(tmp_path):
        assert torch.equal(stored[0], expected)
        assert shade is not None or stored[2].max() == 1
    assert told(notes(about), "background: 4 pictures have transparent pixels", background or "white")


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_pictures_are_put_upright(tmp_path: Path, orientation: int, form: str) -> None:
    """D10: orientation 6 was stored sideways. The peer is Pillow's own table of how each value is undone."""
    image = Image.fromarray(np.kron(RNG.integers(0, 256, (2, 3), dtype=np.uint8), np.ones((16, 16), dtype=np.uint8)))
    exif = image.getexif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    image.save(out, form, exif=exif)
    undo = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_270",
            7: "TRANSVERSE", 8: "ROTATE_90"}  # fmt: skip
    upright = image.transpose(Image.Transpose[undo[orientation]]) if orientation > 1 else image
    about = add(tmp_path, zipped({"cat/0.png": out.getvalue(), "dog/0.png": out.getvalue()}), "a.zip")
    np.testing.assert_array_equal(np.load(tmp_path / "mine" / "x.npy")[0, 0], np.asarray(upright))
    assert told(notes(about), "2 pictures say that they are stored turned") == (orientation > 1)


def test_what_pillow_warns_of_is_a_note(tmp_path: Path) -> None:
    """Warnings are errors here, and lines of the log where they are not: they are neither."""
    image, out = Image.new("L", (8, 8)), io.BytesIO()
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(out, "JPEG", exif=exif)
    data = out.getvalue()
    directory = data.index(b"Exif") + 10  # where the first directory lies: far behind the end
    damaged = data[:directory] + b"\xff\xff\xff\x0f" + data[directory + 4 :]
    files = {"cat/0.jpg": damaged, "cat/1.jpg": data, "dog/0.jpg": damaged}
    about = add(tmp_path, zipped(files), "a.zip")
    assert told(notes(about), "file: 'cat/0.jpg' and 1 more: damaged, and read as far as it can be (Corrupt EXIF data)")


def test_hidden_folders_are_no_classes(tmp_path: Path) -> None:
    """D11."""
    files = {"cat/0.png": GREY[0], "dog/0.png": GREY[1], ".ipynb_checkpoints/0-checkpoint.png": GREY[2]}
    deep = files | {
        "cat/.ipynb_checkpoints/0.png": GREY[3],
        "dog/.thumbs/a/b.png": GREY[3],
        "__MACOSX/cat/._0.png": b"",
        "cat/0.png~": GREY[3],
    }
    for i, data in enumerate((files, deep)):
        assert add(tmp_path, zipped(data), "a.zip", name=f"n{i}").classes == ["cat", "dog"]


@pytest.mark.parametrize("stray", ["LICENSE.txt", "README", "cat/labels.csv", "docs/notes/license.md", "data.json"])
@pytest.mark.parametrize("top", ["", "pets/"])
def test_a_stray_file_is_left_out_and_named(tmp_path: Path, stray: str, top: str) -> None:
    """D18: a good picture was blamed."""
    files = {f"{top}cat/0.png": GREY[0], f"{top}dog/0.png": GREY[1], f"{top}{stray}": b"x"}
    about = add(tmp_path, zipped(files), "a.zip")
    assert about.classes == ["cat", "dog"]
    assert told(notes(about), "file: ", stray, "is no picture: left out")


@pytest.mark.parametrize(
    ("train", "valid"),
    [
        ("Train", "Test"),
        ("train", "validation"),
        ("Training", "Testing"),
        ("TRAIN", "Val"),
        ("train_set", "test_set"),
        ("seg_train", "seg-test"),
        ("seg_train/seg_train", "seg_test/seg_test"),  # as Intel's scenes are packed
        ("train", "holdout"),
        ("training", "validate"),
        ("train2017", "val2017"),
        ("tr", "te"),
    ],
)
def test_the_usual_names_of_parts(tmp_path: Path, train: str, valid: str) -> None:
    """D18."""
    files = {f"{train}/cat/0.png": GREY[0], f"{train}/dog/0.png": GREY[1], f"{valid}/dog/0.png": GREY[2]}
    about = add(tmp_path, zipped(files), "a.zip")
    assert (about.examples, about.valid_examples, about.classes) == (3, 1, ["cat", "dog"])
    assert told(notes(about), "validation is on the 1 pictures to test on") == (
        valid.lower()[:2] == "te" or "test" in valid
    )
    assert told(notes(about), "target: there is the class 'cat' trained on but never held out")


def test_a_part_of_no_known_name_is_told_once(tmp_path: Path) -> None:
    """Every picture was blamed."""
    files = {f"{part}/{label}/{i}.png": GREY[0] for part in ("train", "mine") for label in "ab" for i in range(9)}
    (told_of,) = problems(tmp_path, zipped(files), "a.zip")
    assert told_of == (
        "file: the folders at the top are parts, such as 'train', and 'mine' is no name of one: rename the folder to "
        "test or valid, or leave it out"
    )
    files = {"train/a/0.png": GREY[0], "train/b/0.png": GREY[1], "extra/0.png": GREY[2]}
    assert "'extra' is no name of one" in refused(tmp_path, zipped(files), "a.zip")
    deep = problems(tmp_path, zipped({f"x{i % 3}/{i % 2}/{i}.png": GREY[0] for i in range(30)}), "a.zip")
    assert (len(deep), deep[-1]) == (6, "file: 25 more pictures are not in a folder <class>/")


def test_of_three_parts_the_middle_one_validates(tmp_path: Path) -> None:
    files = {f"{part}/{label}/0.png": GREY[0] for part in ("train", "valid", "test") for label in ("cat", "dog")}
    about = add(tmp_path, zipped(files), "a.zip")
    assert (about.examples, about.valid_examples) == (4, 2)
    assert told(notes(about), "the 2 pictures to test on are not used")


def test_all_broken_pictures_are_named(tmp_path: Path) -> None:
    files = {"cat/0.png": GREY[0], "cat/1.png": b"x", "dog/0.png": picture(PICTURES[0])[:-30], "dog/1.png": b""}
    assert [problem[:21] for problem in problems(tmp_path, zipped(files), "a.zip")] == [
        "file: 'cat/1.png' is ",
        "file: 'dog/0.png' can",
        "file: 'dog/1.png' is ",
    ]
    half = {"cat/0.png": GREY[0], "dog/0.png": picture(PICTURES[0])[:-30], "dog/1.png": picture(PICTURES[1])[:-30]}
    assert len(problems(tmp_path, zipped(half), "a.zip")) == 2


def test_a_damaged_array_is_refused(tmp_path: Path) -> None:
    """D12: it was a 500."""
    data = bytearray(npz(x=np.arange(40.0).reshape(20, 2), y=np.arange(20) % 2))
    data[55] ^= 0xFF
    assert refused(tmp_path, bytes(data), "a.npz").startswith("file: 'x.npy' cannot be read as an array")
