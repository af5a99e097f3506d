"""Image archives: one folder a class, perhaps below `train/` and `test/`."""

import itertools
import struct
import zlib
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NamedTuple
from zipfile import ZipFile, ZipInfo

import numpy as np
from numpy.lib import format as npy
from PIL import Image

from core.datasets import _targets
from core.datasets._archives import open_archive, shown, unpack
from core.datasets._content import MOST_DECODED, Content, Decoded, InvalidUpload, Options

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "PPM", "TIFF")
TRAIN = "train"
VALID = ("test", "valid", "val")
GREY = ("1", "L", "LA")
DEEP = ("I", "F")
"""Prefixes of the modes of images with more than 8 bits a pixel."""
MOST_PIXELS = 50_000_000
_UNREADABLE = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error),
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
)
"""The exceptions that the decoders raise for damaged files."""


class _File(NamedTuple):
    """One image, with the split and the class that its folders name."""

    entry: ZipInfo
    part: str
    label: str


class _Layout(NamedTuple):
    """Properties that the headers of all images share."""

    width: int
    height: int
    mode: str


def read(file: BinaryIO, options: Options, into: Path) -> Decoded:
    """Read images of one size, or resize them by `resize`; grey if all are grey. Raises `InvalidUpload`.

    The pixels, uint8 (n, channels, height, width), are written as they are decoded: they never are in memory together.
    """
    options.only("resize", "task", kind="images")
    with open_archive(file) as archive:
        files, folders = _sorted(archive)
        train = [one for one in files if one.part == TRAIN]
        valid = [one for one in files if one.part != TRAIN]
        classes = _classes(train, valid, folders)
        layout = _read_headers(archive, [*train, *valid], options.resize)
        codes = np.array([classes.index(one.label) for one in (*train, *valid)])
        target = _targets.of_classes(codes, classes, options.task, "the archive")
        _write(archive, train, layout, into / "x.npy")
        arrays = {"y": target.y[: len(train)]}
        if valid:
            _write(archive, valid, layout, into / "x_valid.npy")
            arrays["y_valid"] = target.y[len(train) :]
    content = Content(
        kind="images",
        examples=len(files),
        valid_examples=len(valid) or None,
        inputs=[_channels(layout), layout.height, layout.width],
        outputs=target.outputs,
        task=target.task,
        classes=target.classes,
        chance=target.chance(arrays.get("y_valid", target.y)),
        options={"resize": f"{layout.width}x{layout.height}" if options.resize else None},
    )
    return Decoded(content, arrays)


def _sorted(archive: ZipFile) -> tuple[list[_File], set[tuple[str, ...]]]:
    """Return the images ordered by name, and all class folders; a single folder around them all is no class."""
    paths = {entry: PurePosixPath(entry.filename).parts for entry in archive.infolist()}
    paths = {entry: parts for entry, parts in paths.items() if parts and not _is_clutter(parts)}
    while len({parts[0] for parts in paths.values()}) == 1 and _depth(paths) > 2:
        paths = {entry: parts[1:] for entry, parts in paths.items() if parts[1:]}
    folders = {parts if entry.is_dir() else parts[:-1] for entry, parts in paths.items()}
    names = {folder[0] for folder in folders if folder}
    parted = TRAIN in names and names <= {TRAIN, *VALID}
    if parted and len(names) > 2:
        raise InvalidUpload(f"beside train/ there should be one of {', '.join(VALID)}")
    files = []
    for entry, parts in sorted(paths.items(), key=lambda item: item[1]):
        if entry.is_dir():
            continue
        if len(parts) != 2 + parted:
            where = "train/<class>/ or test/<class>/" if parted else "<class>/"
            raise InvalidUpload(f"{shown(entry)} is not in a folder {where}")
        files.append(_File(entry, parts[0] if parted else TRAIN, parts[-2]))
    if not files:
        raise InvalidUpload("there are no images in the archive")
    return files, {folder[parted:] for folder in folders if folder[parted:]}


def _depth(paths: dict[ZipInfo, tuple[str, ...]]) -> int:
    """Return the least number of names in the path of a file."""
    return min((len(parts) for entry, parts in paths.items() if not entry.is_dir()), default=0)


def _is_clutter(parts: Sequence[str]) -> bool:
    """Return whether an entry is a file manager's leftover, such as `.DS_Store`."""
    return parts[0] == "__MACOSX" or parts[-1].startswith(".") or parts[-1] in ("Thumbs.db", "desktop.ini")


def _classes(train: list[_File], valid: list[_File], folders: set[tuple[str, ...]]) -> list[str]:
    classes = sorted({one.label for one in train})
    for folder in sorted(folders):
        if folder[0] not in classes:
            raise InvalidUpload(f"class folder {folder[0]!r} has no images to train with")
    if not valid and len(train) < 2:
        raise InvalidUpload("there is one image; training and validation need one each")
    return classes


def _read_headers(archive: ZipFile, files: list[_File], resize: str | None) -> _Layout:
    """Read every header: the common size, and whether all images are grey."""
    first: tuple[_File, tuple[int, int]] | None = None
    grey = True
    for one in files:
        with _opened(archive, one.entry) as image:
            size, mode = image.size, image.mode
        if size[0] * size[1] > MOST_PIXELS:
            raise InvalidUpload(f"{shown(one.entry)} has {size[0]} x {size[1]} pixels; {MOST_PIXELS:,} is the most")
        if mode.startswith(DEEP):
            raise InvalidUpload(f"{shown(one.entry)} has more than 8 bits a pixel: save it with 8")
        grey = grey and mode in GREY
        first = first or (one, size)
        if size != first[1] and resize is None:
            described = [f"{shown(f.entry)} is {w} x {h}" for f, (w, h) in (first, (one, size))]
            raise InvalidUpload(f"{' and '.join(described)}: say resize=SIDE, or WIDTHxHEIGHT", "resize")
    sides = first[1] if first and resize is None else tuple(int(side) for side in (resize or "").split("x"))
    layout = _Layout(width=sides[0], height=sides[-1], mode="L" if grey else "RGB")
    if len(files) * layout.width * layout.height * _channels(layout) > MOST_DECODED:
        raise InvalidUpload(
            f"{len(files):,} images of {layout.width} x {layout.height} are too many: say resize=SIDE", "resize"
        )
    return layout


def _write(archive: ZipFile, files: list[_File], layout: _Layout, path: Path) -> None:
    shape = (len(files), _channels(layout), layout.height, layout.width)
    with path.open("wb") as out:
        npy.write_array_header_1_0(out, {"descr": "|u1", "fortran_order": False, "shape": shape})
        for pixels in itertools.chain.from_iterable(_pixels(archive, one.entry, layout) for one in files):
            out.write(pixels)


def _pixels(archive: ZipFile, entry: ZipInfo, layout: _Layout) -> Iterator[bytes]:
    """Yield the image's channels, one after the other."""
    try:
        with _opened(archive, entry) as image:
            plain = image.convert(layout.mode)
            if plain.size != (layout.width, layout.height):
                plain = plain.resize((layout.width, layout.height), Image.Resampling.BILINEAR)
    except _UNREADABLE as error:
        raise InvalidUpload(f"{shown(entry)} cannot be read as an image: {error}") from None
    yield from (band.tobytes() for band in plain.split())


def _opened(archive: ZipFile, entry: ZipInfo) -> Image.Image:
    try:
        return Image.open(BytesIO(unpack(archive, entry)), formats=FORMATS)
    except _UNREADABLE:
        raise InvalidUpload(f"{shown(entry)} is no image ({', '.join(FORMATS)})") from None


def _channels(layout: _Layout) -> int:
    return 1 if layout.mode == "L" else 3
