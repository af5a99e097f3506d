"""Image archives: pixels as they are, folders as classes, and archives that mean harm."""

import io
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from core.datasets import InvalidUpload, _archives
from core.datasets._splits import split
from core.datasets.images import pixels, reader
from tests.core.datasets.uploading import add, loaded, picture, problems, refused, zipped

RNG = np.random.default_rng(0)
GREY = [RNG.integers(0, 256, (6, 5), dtype=np.uint8) for _ in range(8)]
COLOUR = [RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8) for _ in range(8)]


def pets(top: str = "", pictures: list[NDArray[Any]] = GREY) -> dict[str, bytes]:
    """Four cats and four dogs."""
    return {f"{top}{'cat' if i < 4 else 'dog'}/{i}.png": picture(pixels) for i, pixels in enumerate(pictures)}


@pytest.mark.parametrize("pictures", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("top", ["", "animals/", "a/b/"])
def test_pixels_are_those_of_the_files(tmp_path: Path, pictures: list[NDArray[Any]], top: str) -> None:
    files = pets(top, pictures)
    about = add(tmp_path, zipped(files | {"__MACOSX/._x": b"", f"{top}cat/.DS_Store": b""}), "pets.zip")
    channels = 3 if pictures is COLOUR else 1
    assert (about.kind, about.examples, about.inputs) == ("images", 8, [channels, 6, 5])
    assert (about.task, about.classes, about.outputs, about.chance) == ("binary", ["cat", "dog"], 1, 0.5)
    rows = split(torch.arange(8), torch.arange(8), 0.25, 3)
    splits = loaded(tmp_path, valid_fraction=0.25, split_seed=3)
    real = torch.from_numpy(np.stack(pictures).reshape(8, 6, 5, channels).transpose(0, 3, 1, 2).copy())
    assert torch.equal(splits.x_train, real[rows.x_train])
    assert torch.equal(splits.x_valid, real[rows.x_valid])
    assert splits.y_train.flatten().tolist() == [float(i >= 4) for i in rows.x_train]


@pytest.mark.parametrize("part", ["test", "valid", "val"])
@pytest.mark.parametrize("top", ["", "pets/"])
def test_a_test_folder_is_the_validation_split(tmp_path: Path, part: str, top: str) -> None:
    files = pets(f"{top}train/") | {f"{top}{part}/dog/9.png": picture(GREY[0])}
    about = add(tmp_path, zipped(files), "pets.zip", task="multiclass")
    assert (about.examples, about.valid_examples, about.outputs, about.chance) == (9, 1, 2, 1.0)
    splits = loaded(tmp_path, valid_fraction=0.5)
    assert (len(splits.x_train), splits.y_valid.tolist()) == (8, [1])
    assert torch.equal(splits.x_valid, torch.from_numpy(GREY[0])[None, None])


def test_a_train_folder_alone_is_split(tmp_path: Path) -> None:
    about = add(tmp_path, zipped(pets("train/")), "pets.zip")
    assert (about.examples, about.valid_examples, about.classes) == (8, None, ["cat", "dog"])


def test_one_colour_image_makes_all_of_them_colour(tmp_path: Path) -> None:
    files = pets() | {"cat/x.png": picture(COLOUR[0])}
    assert add(tmp_path, zipped(files), "pets.zip").inputs == [3, 6, 5]
    splits = loaded(tmp_path, valid_fraction=0.01)
    grey = [torch.equal(image[0], image[1]) for image in torch.cat([splits.x_train, splits.x_valid])]
    assert sorted(grey) == [False] + 8 * [True]


def test_sizes_may_be_brought_together(tmp_path: Path) -> None:
    files = pets() | {"cat/wide.jpg": picture(np.full((3, 9), 200, dtype=np.uint8), "JPEG")}
    told = refused(tmp_path, zipped(files), "pets.zip")
    assert told == "resize: 'cat/0.png' is 5 x 6 and 'cat/wide.jpg' is 9 x 3: say resize=SIDE, or WIDTHxHEIGHT"
    assert add(tmp_path, zipped(files), "pets.zip", resize="4").inputs == [1, 4, 4]
    about = add(tmp_path, zipped(files), "pets.zip", name="other", resize="7x4")
    assert (about.inputs, about.options) == ([1, 4, 7], {"resize": "7x4"})
    splits = loaded(tmp_path)
    flat = torch.cat([splits.x_train, splits.x_valid]).flatten(1)
    assert (flat.int() - 200).abs().amax(1).min() <= 2, "a picture of one colour keeps it"


def test_black_and_white_is_grey_and_a_palette_is_colour(tmp_path: Path) -> None:
    out = io.BytesIO()
    Image.fromarray(GREY[0] > 127).save(out, "PNG")
    about = add(tmp_path, zipped(pets() | {"cat/bits.png": out.getvalue()}), "pets.zip")
    assert about.inputs == [1, 6, 5]
    out = io.BytesIO()
    Image.fromarray(COLOUR[0]).quantize(4).save(out, "PNG")
    assert add(tmp_path, zipped(pets() | {"cat/p.png": out.getvalue()}), "p.zip", name="p").inputs == [3, 6, 5]


SOUND = pets()
PHOTO = picture(RNG.integers(0, 256, (64, 64), dtype=np.uint8), "JPEG")


def entry(name: str, content: bytes = b"x", mode: int = stat.S_IFREG | 0o644) -> bytes:
    """An archive with one file of any name and mode."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        about = zipfile.ZipInfo(name)
        about.external_attr = mode << 16
        archive.writestr(about, content)
    return out.getvalue()


def encrypted() -> bytes:
    """The flag is set in both headers."""
    data = bytearray(zipped({"cat/a.png": picture(GREY[0])}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def lying(size: int) -> bytes:
    """An archive whose first file declares another size than it has."""
    data = bytearray(zipped({"cat/a.png": picture(GREY[0])} | SOUND))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", size)
    return bytes(data)


def twice() -> bytes:
    data = zipped({"cat/1.png": picture(GREY[0]), "cat/2.png": picture(GREY[1])})
    return data.replace(b"cat/2.png", b"cat/1.png")


def deep() -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.zeros((6, 5), dtype=np.uint16)).save(out, "PNG")
    return out.getvalue()


def bomb() -> bytes:
    """A PNG of 20,000 x 20,000 pixels by its header."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 20_000, 20_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


BAD = [
    (b"GIF89a", "file: cannot be read as a ZIP archive"),
    (zipped({}), "file: there are no images in the archive"),
    (zipped({"a.png": b""}), "file: 'a.png' is not in a folder <class>/"),
    (zipped(SOUND | {"a.png": b""}), "file: 'a.png' is not in a folder <class>/"),
    (zipped(SOUND | {"cat/x/a.png": b""}), "file: 'cat/x/a.png' is not in a folder <class>/"),
    (zipped(pets("train/") | {"test/a.png": b""}), "file: 'test/a.png' is not in a folder train/<class>/"),
    (zipped(pets("train/") | {"test/cow/a.png": picture(GREY[0])}), "file: class folder 'cow' has no images"),
    (zipped(SOUND | {"cow/": b""}), "file: class folder 'cow' has no images to train with"),
    (zipped(pets("train/") | {"train/cow/": b""}), "file: class folder 'cow' has no images to train with"),
    (zipped(pets("train/") | {"Train/cat/1.png": b""}), "file: Train, train: there should be one folder for each part"),
    (zipped({"cat/1.png": picture(GREY[0]), "cat/2.png": picture(GREY[1])}), "file: the archive has nothing to learn"),
    (zipped({"cat/1.png": picture(GREY[0])}), "file: there is one image"),
    (zipped(SOUND | {"cat/a.png": b"no image"}), "file: 'cat/a.png' is no image"),
    (zipped(SOUND | {"cat/a.png": b""}), "file: 'cat/a.png' is no image"),
    (zipped(SOUND | {"cat/inner.zip": zipped(SOUND)}), "file: 'cat/inner.zip' is no image"),
    (zipped(SOUND | {"cat/a.png": picture(GREY[0])[:-30]}), "file: 'cat/a.png' cannot be read as an image"),
    (zipped({"cat/a.jpg": PHOTO[:-900], "dog/b.jpg": PHOTO}), "file: 'cat/a.jpg' cannot be read as an image"),
    (zipped(SOUND | {"cat/a.png": deep()}), "file: 'cat/a.png' has more than 8 bits a pixel"),
    (zipped(SOUND | {"cat/a.png": bomb()}), "file: 'cat/a.png' is no image"),
    (entry("../cat/a.png"), "file: '../cat/a.png' points out of the archive"),
    (entry("cat/../../a.png"), "file: 'cat/../../a.png' points out of the archive"),
    (entry("cat\\..\\..\\a.png"), "file: 'cat\\\\..\\\\..\\\\a.png' points out of the archive"),
    (entry("/cat/a.png"), "file: '/cat/a.png' points out of the archive"),
    (entry("C:\\cat\\a.png"), "file: 'C:\\\\cat\\\\a.png' points out of the archive"),
    (entry("cat/a\x01.png"), "file: 'cat/a\\x01.png' is no printable name"),
    (entry("cat/a.png", b"/etc/passwd", stat.S_IFLNK | 0o777), "file: 'cat/a.png' is a link or a device"),
    (encrypted(), "file: 'cat/a.png' is encrypted"),
    (twice(), "file: 'cat/1.png' is in the archive twice"),
    (zipped({"cat/a.png": bytes(9_000_000)}), "file: 'cat/a.png' would unpack to"),
    (zipped({"cat/a.png": b"x"}, compression=zipfile.ZIP_LZMA), "file: 'cat/a.png' is packed in a way other than"),
    (lying(40), "file: 'cat/a.png' cannot be unpacked"),
    (lying(2**31 + 1), "file: 'cat/a.png' would unpack to"),
]


@pytest.mark.parametrize(("data", "told"), BAD, ids=[told for _, told in BAD])
def test_a_bad_archive_is_refused(tmp_path: Path, data: bytes, told: str) -> None:
    assert refused(tmp_path, data, "pets.zip").startswith(told)


def test_an_archive_may_hold_so_much_in_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = zipped(SOUND)
    size = sum(map(len, SOUND.values()))
    monkeypatch.setattr(_archives, "MOST_DECODED", size - 1)
    assert (
        refused(tmp_path, data, "pets.zip")
        == f"file: the archive holds {size:,} bytes unpacked; {size - 1:,} is the most"
    )
    monkeypatch.setattr(_archives, "MOST_DECODED", size)
    monkeypatch.setattr(_archives, "MOST_ENTRIES", 7)
    assert refused(tmp_path, data, "pets.zip") == "file: the archive has more than 7 files"
    monkeypatch.setattr(_archives, "MOST_ENTRIES", 8)
    monkeypatch.setattr(reader, "MOST_DECODED", 8 * 6 * 5 - 1)
    assert refused(tmp_path, data, "pets.zip").startswith("resize: 8 images of 5 x 6 are too many")
    monkeypatch.setattr(reader, "MOST_DECODED", 8 * 6 * 5)
    monkeypatch.setattr(pixels, "MOST_PIXELS", 29)
    assert problems(tmp_path, data, "pets.zip")[::7] == [
        f"file: '{name}.png' has 5 x 6 pixels; 29 is the most" for name in ("cat/0", "dog/7")
    ]
    monkeypatch.setattr(pixels, "MOST_PIXELS", 30)
    add(tmp_path, data, "pets.zip")


def test_pictures_that_decode_to_far_more_than_was_sent_are_refused_undecoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.BytesIO()
    Image.new("1", (7000, 7000)).save(out, "PNG")
    data = zipped({f"{label}/{i}.png": out.getvalue() for label in ("cat", "dog") for i in range(3)})
    monkeypatch.setattr(Image.Image, "load", None)
    assert refused(tmp_path, data, "white.zip", resize="8") == (
        "file: the pictures have more than 268,435,456 pixels in all, the most for an archive of its size: "
        "make them smaller, or say limit"
    )
    with pytest.raises(InvalidUpload, match="cannot be read as an image: 'NoneType' object is not callable"):
        add(tmp_path, data, "white.zip", resize="8", limit=5)


def test_many_entries_are_counted_across_the_pieces_that_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signature that two pieces share counts once."""
    data = zipped(SOUND)
    at = data.index(b"PK\x01\x02")
    for shift in range(-1, 6):
        padded = bytes(2**20 - at - shift) + data
        assert _archives._entries(io.BytesIO(padded)) == 8
